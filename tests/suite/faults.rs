//! What an upstream that fails looks like to a client.

use mira_llm::scripted::{Fault, HttpFault, Rule, Step};
use serde_json::{Value, json};

use crate::harness::{Mira, answering, coder, delegating, file, reasoner, script};
use crate::native::{Native, Turn};

const BEGINNING: [&str; 3] = ["started", "pending to started", "shows the reasoner"];

/// One turn with these rules, and the story after its beginning. The session must go on afterwards.
async fn turn(rules: impl IntoIterator<Item = Rule>) -> (Turn, Vec<String>) {
    let patience = [("MIRA_FIRST_TOKEN_TIMEOUT", "1"), ("MIRA_CHUNK_TIMEOUT", "1")];
    let mira = Mira::start_with(script(rules), &patience).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let turn = client.turn(&session, "Hello").await;
    mira.upstream.replace(answering("Here I am."));
    assert_eq!(
        client.turn(&session, "And now?").await.end()["type"],
        "operation.completed"
    );
    mira.close(client).await;
    let story = turn.story();
    assert_eq!(story[..3], BEGINNING);
    (turn, story[3..].to_vec())
}

fn failing(fault: Fault) -> Rule {
    reasoner("fails").fault(fault)
}

fn error(turn: &Turn) -> (&Value, bool, bool) {
    let error = &turn.end()["error"];
    (
        &error["code"],
        error["retryable"] == true,
        error["hint"].is_string(),
    )
}

#[tokio::test]
async fn a_key_that_is_refused() {
    let (turn, story) = turn([failing(Fault::http(401))]).await;
    assert_eq!(story, ["failed: model_authentication"]);
    assert_eq!(error(&turn), (&json!("model_authentication"), false, true));
}

#[tokio::test]
async fn a_limit_of_the_rate_is_waited_for() {
    let limited = Fault::Http(HttpFault {
        status: 429,
        retry_after: Some(1),
        body: None,
    });
    let (turn, story) = turn([failing(limited).once(), reasoner("answers").text("Here.")]).await;
    assert_eq!(
        story,
        ["retries after model_rate_limited", "says Here.", "completed"]
    );
    let retrying = &turn.events[3]["event"];
    assert_eq!(
        (&retrying["attempt"], &retrying["delay_ms"]),
        (&json!(2), &json!(1000))
    );
    let waited = turn.events[4]["time_ms"].as_i64().unwrap() - turn.events[3]["time_ms"].as_i64().unwrap();
    assert!(waited >= 900, "{waited} ms");
}

#[tokio::test]
async fn a_failure_that_passes() {
    let (_, story) = turn([
        failing(Fault::http(500)).once(),
        reasoner("answers").text("Here."),
    ])
    .await;
    assert_eq!(
        story,
        ["retries after model_overloaded", "says Here.", "completed"]
    );
}

#[tokio::test]
async fn a_failure_that_stays() {
    let (turn, story) = turn([failing(Fault::http(500))]).await;
    assert_eq!(
        story,
        ["retries after model_overloaded", "failed: model_overloaded"]
    );
    assert_eq!(error(&turn), (&json!("model_overloaded"), true, true));
}

#[tokio::test]
async fn an_upstream_that_falls_silent() {
    let (turn, story) = turn([reasoner("stalls").text("Well, ").fault(Fault::Stall)]).await;
    assert_eq!(story, ["says Well, ", "failed: model_stalled"]);
    assert_eq!(error(&turn), (&json!("model_stalled"), true, true));
}

#[tokio::test]
async fn a_stream_that_is_cut_in_the_text() {
    let (turn, story) = turn([reasoner("breaks").text("Well, ").fault(Fault::Cut)]).await;
    assert_eq!(story, ["says Well, ", "failed: model_network"]);
    assert_eq!(error(&turn), (&json!("model_network"), true, true));
}

#[tokio::test]
async fn a_stream_that_is_cut_in_a_tool_call_makes_no_call() {
    let arguments = json!({"path": "a.txt", "content": "half", "language": null});
    let cut = reasoner("breaks")
        .step(Step::tool_call("create_artifact", &arguments).chunk(8))
        .fault(Fault::Cut);
    let (_, story) = turn([cut.once(), reasoner("answers").text("Here.")]).await;
    assert_eq!(story, ["retries after model_network", "says Here.", "completed"]);
}

#[tokio::test]
async fn broken_arguments_of_a_tool_go_back_to_the_reasoner() {
    let broken = reasoner("broken")
        .no_tool_output()
        .step(Step::tool_call_text("create_artifact", "{\"path\": \"a.tx"));
    let answers = reasoner("answers").tool_output("create_artifact").text("I see.");
    let (_, story) = turn([broken, answers]).await;
    let [calls, fails, says, completed] = story.as_slice() else {
        panic!("{story:?}");
    };
    assert_eq!(
        (calls.as_str(), says.as_str(), completed.as_str()),
        ("calls create_artifact", "says I see.", "completed")
    );
    assert!(fails.starts_with("create_artifact fails: "), "{fails}");
}

#[tokio::test]
async fn a_coder_that_delivers_nothing_usable_is_told_to_the_reasoner() {
    let other = coder("other file").tool_call("submit_file", &file("b.rs", "fn b() {}\n"));
    let mira = Mira::start(delegating("a.rs", other)).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let project = client.project(&mira).await;
    let turn = client
        .run(json!({"session_id": session, "content": "Write it.", "project_id": project}))
        .await;
    let story = turn.story();
    let failed = story
        .iter()
        .find(|line| line.starts_with("generate_code fails: "));
    assert!(failed.is_some_and(|line| line.contains("twice")), "{story:?}");
    assert_eq!(story.last().unwrap(), "completed");
    let got = json!({"operation_id": turn.accepted["operation_id"]});
    let got = client.call("operation.get", got).await;
    let delegation = &got["operation"]["delegations"][0];
    assert_eq!(
        (&delegation["status"], &delegation["error"]["code"]),
        (&json!("failed"), &json!("delegation_failed"))
    );
    mira.close(client).await;
}
