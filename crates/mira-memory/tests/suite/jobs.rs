//! The work in the background: that it begins, is woken, is told of, and stops.

use std::time::Duration;

use mira_llm::scripted::{Endpoint, Outcome, Rule, Script};
use mira_memory::{IndexState, Job, Jobs, Record, Schedule};

use super::home::{Home, Opened, until};

const NEVER: Schedule = Schedule {
    analysis: None,
    embedding: None,
    summaries: None,
    decay: None,
    sweep: None,
    report: None,
};

/// By itself nothing runs again within a test.
const SELDOM: Schedule = Schedule {
    analysis: Some(Duration::from_hours(1)),
    embedding: Some(Duration::from_hours(1)),
    summaries: Some(Duration::from_hours(1)),
    decay: Some(Duration::from_hours(1)),
    sweep: Some(Duration::from_hours(1)),
    report: Some(Duration::from_hours(1)),
};

async fn records(opened: &Opened) -> Vec<(Job, Record)> {
    opened.memory.status().await.unwrap().jobs
}

async fn record(opened: &Opened, job: Job) -> Record {
    let found = records(opened).await.into_iter().find(|(other, _)| *other == job);
    found.unwrap().1
}

/// Starts jobs and waits until each has had its first run.
async fn started(opened: &Opened, schedule: Schedule, expected: &[Job]) -> Jobs {
    let jobs = opened.memory.start_jobs(schedule);
    until("the first runs", async || {
        let records = records(opened).await;
        let ran = |job| {
            records
                .iter()
                .any(|(other, record)| *other == job && record.last_finished.is_some())
        };
        expected.iter().all(|job| ran(*job)).then_some(())
    })
    .await;
    jobs
}

const AT_ONCE: [Job; 5] = [
    Job::Analysis,
    Job::Embedding,
    Job::Summaries,
    Job::Decay,
    Job::Sweep,
];

#[tokio::test]
async fn every_job_takes_up_what_was_left_and_tells_of_it() {
    let home = Home::new().await;
    let opened = home.open().await;
    let session = opened.new_session().await;
    for n in 0..12 {
        opened
            .say(
                session,
                &format!("Barrel {n} of the herring was salted on the quay."),
            )
            .await;
    }
    let jobs = started(&opened, SELDOM, &AT_ONCE).await;
    until("the work", async || {
        let embedded = record(&opened, Job::Embedding).await.done;
        (embedded == 13 && opened.waiting().await == (0, 0)).then_some(())
    })
    .await;
    assert_eq!(record(&opened, Job::Analysis).await.done, 12);
    assert_eq!(record(&opened, Job::Summaries).await.done, 1);
    // Telling how things stand can wait.
    assert_eq!(record(&opened, Job::Report).await, Record::default());
    for (job, record) in records(&opened).await {
        assert_eq!(
            (record.failures, record.last_error),
            (0, None),
            "{}",
            job.as_str()
        );
    }
    jobs.stop().await;
    assert_eq!(opened.memory.index(), IndexState::Ready);
    opened.assert_index_is_truth().await;
}

#[tokio::test]
async fn a_job_without_an_interval_does_not_run() {
    let home = Home::new().await;
    let opened = home.open().await;
    let only_decay = Schedule {
        decay: SELDOM.decay,
        ..NEVER
    };
    let jobs = started(&opened, only_decay, &[Job::Decay]).await;
    let session = opened.new_session().await;
    opened.say(session, "The harbour is frozen.").await;
    jobs.stop().await;
    for (job, record) in records(&opened).await {
        assert_eq!(record.runs, u64::from(job == Job::Decay), "{}", job.as_str());
    }
    assert_eq!(opened.waiting().await, (1, 0));
}

#[tokio::test]
async fn an_interval_runs_a_job_again() {
    let home = Home::new().await;
    let opened = home.open().await;
    let often = Some(Duration::from_millis(1));
    let jobs = opened.memory.start_jobs(Schedule {
        report: often,
        sweep: often,
        ..NEVER
    });
    until("several runs", async || {
        let (report, sweep) = (
            record(&opened, Job::Report).await,
            record(&opened, Job::Sweep).await,
        );
        (report.runs > 2 && sweep.runs > 2).then_some(())
    })
    .await;
    jobs.stop().await;
}

#[tokio::test]
async fn a_stored_message_is_analysed_and_embedded_within_moments() {
    let home = Home::new().await;
    let opened = home.open().await;
    let jobs = started(&opened, SELDOM, &AT_ONCE).await;
    let session = opened.new_session().await;
    for n in 1..=3 {
        opened
            .say(
                session,
                &format!("Barrel {n} of the herring was salted on the quay."),
            )
            .await;
        until("its vector", async || {
            (record(&opened, Job::Embedding).await.done == n && opened.waiting().await == (0, 0))
                .then_some(())
        })
        .await;
    }
    jobs.stop().await;
    assert_eq!(opened.assert_index_is_truth().await, 3);
}

#[tokio::test]
async fn jobs_stop_while_an_embedder_hangs_and_go_on_later() {
    let home = Home::new().await;
    home.upstream
        .replace(Script::new().rule(Rule::new("hang").on(Endpoint::Embeddings).hold("hanging")));
    let opened = home.open().await;
    let jobs = opened.memory.start_jobs(SELDOM);
    let session = opened.new_session().await;
    opened.say(session, "The harbour is frozen.").await;
    home.upstream.arrived("hanging").await;
    tokio::time::timeout(Duration::from_secs(5), jobs.stop())
        .await
        .expect("the jobs stop");
    assert_eq!(home.upstream.ended(0).await, Outcome::ClientGone);
    assert_eq!(opened.waiting().await, (0, 1));

    home.upstream.release("hanging");
    let jobs = opened.memory.start_jobs(SELDOM);
    until("the embedding", async || {
        (record(&opened, Job::Embedding).await.done == 1).then_some(())
    })
    .await;
    jobs.stop().await;
    assert_eq!(opened.assert_index_is_truth().await, 1);
}

#[tokio::test]
async fn dropping_the_jobs_stops_them() {
    let home = Home::new().await;
    home.upstream
        .replace(Script::new().rule(Rule::new("hang").on(Endpoint::Embeddings).hold("hanging")));
    let opened = home.open().await;
    let jobs = opened.memory.start_jobs(SELDOM);
    let session = opened.new_session().await;
    opened.say(session, "The harbour is frozen.").await;
    home.upstream.arrived("hanging").await;
    drop(jobs);
    assert_eq!(home.upstream.ended(0).await, Outcome::ClientGone);
}

#[tokio::test]
async fn how_far_behind_the_work_is_can_be_seen() {
    let home = Home::new().await;
    home.break_embedder();
    let opened = home.open().await;
    let session = opened.new_session().await;
    let first = opened.say(session, "The harbour is frozen.").await;
    home.clock.advance(Duration::from_mins(10));
    opened.say(session, "No ship leaves the harbour.").await;
    let analysis = opened.memory.status().await.unwrap().analysis;
    assert_eq!(
        (analysis.waiting, analysis.failing, analysis.oldest),
        (2, 0, Some(first.time))
    );

    let jobs = started(&opened, SELDOM, &AT_ONCE).await;
    let embedding = until("the failure", async || {
        let embedding = opened.memory.status().await.unwrap().embedding;
        (embedding.failing == 2).then_some(embedding)
    })
    .await;
    jobs.stop().await;
    assert_eq!(embedding.waiting, 2);
    assert!(embedding.error.is_some() && embedding.oldest > Some(first.time));
}
