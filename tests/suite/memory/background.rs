//! What happens to messages after they are stored, how that can be watched, and how it stops.

use std::time::{Duration, Instant};

use mira_llm::scripted::Fault;
use serde_json::{Value, json};

use super::{UTILITY, VECTORS, embedder, memory_is, settled, utility};
use crate::harness::{Mira, answering, reasoner, script, soon};
use crate::native::Native;

const BUG: &str = "The build fails with error[E0382] in src/main.rs:\n```rust\nfn main() { let a = vec![1]; drop(a); drop(a); }\n```\nPlease fix it, this is urgent.";

/// Waits until a message and its answer are dealt with, and the jobs have written down that they did it.
async fn analysed(client: &mut Native) -> Value {
    settled(client).await;
    memory_is(client, "the record of a job", |memory| {
        memory["jobs"][0]["done"] == 2
    })
    .await
}

#[tokio::test]
async fn a_message_is_analysed_by_rules() {
    let mira = Mira::start_with(answering("Thanks, done."), VECTORS).await;
    let (mut client, session) = Native::in_session(&mira.server, "one").await;
    let turn = client.turn(&session, BUG).await;
    let status = analysed(&mut client).await;
    let recent = client
        .call("memory.get_recent", json!({"session_id": session}))
        .await;
    let asked = &recent["messages"][1];
    assert_eq!(asked["message_id"], turn.accepted["message_id"]);
    assert_eq!(
        (
            &asked["contains_code"],
            &asked["programming_lang"],
            &asked["intent"]
        ),
        (&json!(true), &json!("rust"), &json!("bug_report")),
        "{asked}"
    );
    assert!(asked["salience"].as_f64().unwrap() >= 0.5, "{asked}");
    assert!(!asked["topics"].as_array().unwrap().is_empty(), "{asked}");
    assert!(asked["mood"].is_string(), "{asked}");
    assert!(
        recent["messages"][0]["salience"].is_number(),
        "answers are analysed too: {recent}"
    );
    let found = client
        .call("memory.search", json!({"query": "build error in main.rs"}))
        .await;
    let hit = &found["hits"][0];
    assert_eq!(hit["message"]["message_id"], turn.accepted["message_id"]);
    assert_eq!(
        (
            &hit["analysis"]["error"]["kind"],
            &hit["analysis"]["error"]["file"]
        ),
        (&json!("compiler"), &json!("src/main.rs")),
        "{hit}"
    );
    assert!(hit["score_parts"]["meaning"].as_f64().unwrap() > 0.0, "{hit}");

    assert_eq!(status["index"], json!({"state": "ready"}));
    assert_eq!(status["embedder"]["dimension"], 64);
    let idle = json!({"waiting": 0, "failing": 0, "lag_ms": 0});
    assert_eq!((&status["analysis"], &status["embedding"]), (&idle, &idle));
    assert_eq!(status.get("degraded"), None);
    let jobs: Vec<&str> = status["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        jobs,
        ["analysis", "embedding", "summaries", "decay", "sweep", "report"]
    );
    let analysis = &status["jobs"][0];
    assert_eq!(
        (&analysis["done"], &analysis["failures"]),
        (&json!(2), &json!(0)),
        "{analysis}"
    );
    mira.close(client).await;
}

/// The value of a sample of `/metrics`.
fn sample(page: &str, name: &str) -> f64 {
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {page}"))
        .parse()
        .unwrap()
}

#[tokio::test]
async fn it_is_measured() {
    let mira = Mira::start_with(answering("I see."), VECTORS).await;
    let (mut client, session) = Native::in_session(&mira.server, "one").await;
    client.turn(&session, BUG).await;
    analysed(&mut client).await;
    client.call("memory.search", json!({"query": "build"})).await;
    let (status, page) = mira.server.page("/metrics").await;
    assert_eq!(status, 200);
    for (name, value) in [
        ("mira_connections", 1.0),
        ("mira_memory_backlog{work=\"analysis\"}", 0.0),
        ("mira_memory_backlog{work=\"embedding\"}", 0.0),
        ("mira_memory_backlog_failing{work=\"embedding\"}", 0.0),
        ("mira_memory_lag_seconds{work=\"embedding\"}", 0.0),
        ("mira_vector_index_state{state=\"ready\"}", 1.0),
        ("mira_vector_index_state{state=\"off\"}", 0.0),
        ("mira_job_done_total{job=\"analysis\"}", 2.0),
        ("mira_job_failures_total{job=\"embedding\"}", 0.0),
        ("mira_recall_duration_seconds_count", 1.0),
        ("mira_embedding_failures_total", 0.0),
    ] {
        assert!(
            (sample(&page, name) - value).abs() < f64::EPSILON,
            "{name} is not {value} in {page}"
        );
    }
    for name in [
        "mira_embedding_tokens_total",
        "mira_embedding_duration_seconds_count",
        "mira_job_runs_total{job=\"analysis\"}",
    ] {
        assert!(sample(&page, name) > 0.0, "{name} in {page}");
    }
    assert!(!page.contains("main.rs") && !page.contains(&session), "{page}");
    mira.close(client).await;
}

/// Asks the server to stop and says how long that took.
async fn stopped(mira: &mut Mira) -> Duration {
    let begun = Instant::now();
    assert!(mira.server.terminate().await.success());
    begun.elapsed()
}

#[tokio::test]
async fn models_that_hang_do_not_keep_the_server_from_stopping() {
    let hanging = script([
        utility("hangs").fault(Fault::Stall),
        embedder("hangs").fault(Fault::Stall),
        reasoner("answer").text("I see."),
    ]);
    for settings in [VECTORS, &[VECTORS, UTILITY].concat()] {
        let mut mira = Mira::start_with(hanging.clone(), settings).await;
        let (mut client, session) = Native::in_session(&mira.server, "one").await;
        client.turn(&session, BUG).await;
        // The turn's request, and one in the background.
        soon("a request that hangs", mira.upstream.request_count_reaches(2)).await;
        drop(client);
        let took = stopped(&mut mira).await;
        assert!(took < Duration::from_secs(2), "{took:?}");
        mira.upstream.replace(answering("I see."));
        mira.start_again(&[("MIRA_UTILITY_MODEL", "")]).await;
        let mut client = Native::hello(&mira.server).await;
        let status: Value = settled(&mut client).await;
        assert_eq!(
            status["analysis"]["waiting"], 0,
            "what was cut short is done after the next start"
        );
        mira.close(client).await;
    }
}
