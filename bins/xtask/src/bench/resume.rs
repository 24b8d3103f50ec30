//! What it takes to come back to a session.

use std::time::Instant;

use mira_client::{Client, Options};
use mira_llm::scripted::{Rule, Script};
use mira_ops::Step;
use mira_proto::native::{Notification, SessionResume, SessionResumeParams};
use mira_store::SessionId;

use super::machine::resident_kib;
use super::mira::Mira;
use super::server::Running;
use super::table::{Samples, Table};

const ROUNDS: u32 = 100;

/// Events of a long conversation.
const LONG: u32 = 1_500;

/// Events of a session that has been used for months.
const HUGE: u32 = 100_000;

/// Events of a page, as the server reads it.
const PAGE: u32 = 256;

pub(crate) async fn run() -> anyhow::Result<Table> {
    let mut table = Table::new("Coming back to a session, ms", ["case", "rounds", "p50", "p95"]);
    let rule = Rule::new("talk").text(" the index is rebuilt");
    let mira = Mira::start(Script::new().rule(rule)).await?;
    let long = filled(&mira, LONG).await?;
    let huge = filled(&mira, HUGE).await?;

    let mut replay = Samples::new()?;
    let mut page = Samples::new()?;
    let mut first = Samples::new()?;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        replay_all(&mira, long, LONG).await?;
        replay.add(begun.elapsed());

        let begun = Instant::now();
        let events = mira.operations.events(huge, 0, PAGE).await?;
        page.add(begun.elapsed());
        anyhow::ensure!(
            events.len() == PAGE as usize,
            "a page has {} events",
            events.len()
        );

        let begun = Instant::now();
        mira.operations.resume_session(huge, 0).await?.tail.next().await?;
        first.add(begun.elapsed());
    }
    let cases = [
        (format!("replay of {LONG} events"), replay),
        (format!("first page of {HUGE} events"), page),
        (format!("first event of a replay of {HUGE}"), first),
    ];
    for (case, samples) in cases {
        table.row([case, ROUNDS.to_string(), samples.ms(50.0), samples.ms(95.0)]);
    }

    let before = resident_kib(std::process::id())?;
    let begun = Instant::now();
    replay_all(&mira, huge, HUGE).await?;
    let took = begun.elapsed().as_secs_f64() * 1_000.0;
    let grown = resident_kib(std::process::id())?.saturating_sub(before);
    table.row([
        format!("replay of {HUGE} events; memory grew by {grown} KiB"),
        "1".to_owned(),
        format!("{took:.3}"),
        String::new(),
    ]);
    let folder = mira.stop().await;

    let server = Running::start(folder.path(), []).await?;
    let mut client = Client::connect(Options::new(server.url())).await?;
    let mut replay = Samples::new()?;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        replay_to(&mut client, long).await?;
        replay.add(begun.elapsed());
    }
    table.row([
        format!("replay of {LONG} events through the socket"),
        ROUNDS.to_string(),
        replay.ms(50.0),
        replay.ms(95.0),
    ]);
    client.close().await;
    server.stop().await?;
    Ok(table)
}

/// A session with so many events.
async fn filled(mira: &Mira, events: u32) -> anyhow::Result<SessionId> {
    let session = mira.session().await?;
    mira.turn(session).await?;
    mira.lengthen(session, events).await?;
    Ok(session)
}

async fn replay_all(mira: &Mira, session: SessionId, expected: u32) -> anyhow::Result<()> {
    let mut tail = mira.operations.resume_session(session, 0).await?.tail;
    let mut events = 0;
    while let Step::Event(_) = tail.next().await? {
        events += 1;
    }
    anyhow::ensure!(events == expected, "the replay had {events} events");
    Ok(())
}

/// Resumes a session as a client does, up to the moment when it is told that it has seen everything.
async fn replay_to(client: &mut Client, session: SessionId) -> anyhow::Result<()> {
    let params = SessionResumeParams {
        session_id: session.to_string(),
        after: 0,
    };
    client.call::<SessionResume>(params).await?;
    let mut events = 0;
    loop {
        match client.next_notification().await? {
            Notification::Event(_) => events += 1,
            Notification::SessionSynced(_) => break,
            other => anyhow::bail!("a replay brought {other:?}"),
        }
    }
    anyhow::ensure!(events == LONG, "the replay had {events} events");
    Ok(())
}
