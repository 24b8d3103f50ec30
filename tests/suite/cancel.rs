//! Stopping a turn: the user is told, and the upstream is left alone.

use mira_llm::scripted::{Outcome, Script};
use serde_json::json;

use crate::harness::{Mira, coder, delegating, file, reasoner, script, soon};
use crate::native::Native;

/// Runs a turn until the upstream is at the hold `here`, cancels it, and returns its story. The reply to `request`, the
/// one at the hold, must have been given up, and the session must go on.
async fn cancelled(script: Script, request: usize) -> Vec<String> {
    let mira = Mira::start(script).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let project = client.project(&mira).await;
    let turn = json!({"session_id": session, "content": "Go.", "project_id": project});
    let accepted = client.call("chat.send", turn).await;
    mira.arrived("here").await;
    let wanted = json!({"operation_id": accepted["operation_id"]});
    client.call("operation.cancel", wanted.clone()).await;
    let events = client.until_end(&accepted["operation_id"]).await;
    let outcome = soon("the end of the reply", mira.upstream.ended(request)).await;
    assert_eq!(outcome, Outcome::ClientGone);

    let again = client.call("operation.cancel", wanted).await;
    assert_eq!(
        again["operation"]["status"], "cancelled",
        "cancelling again is harmless"
    );
    mira.upstream.replace(crate::harness::answering("Here I am."));
    assert_eq!(
        client.turn(&session, "And now?").await.end()["type"],
        "operation.completed"
    );
    mira.close(client).await;
    crate::story::story(&events)
}

#[tokio::test]
async fn before_the_first_token() {
    let story = cancelled(script([reasoner("slow").hold("here").text("Too late.")]), 0).await;
    assert_eq!(
        story,
        ["started", "pending to started", "shows the reasoner", "cancelled"]
    );
}

#[tokio::test]
async fn in_the_middle_of_the_text() {
    let slow = reasoner("slow").text("Once upon a ").hold("here").text("time");
    let story = cancelled(script([slow]), 0).await;
    assert_eq!(
        story[..3],
        ["started", "pending to started", "shows the reasoner"]
    );
    // How much was told depends on how far the server had read.
    assert!(
        matches!(story[3..], [ref end] | [_, ref end] if end == "cancelled"),
        "{story:?}"
    );
}

#[tokio::test]
async fn during_a_delegation() {
    let slow = coder("slow")
        .hold("here")
        .tool_call("submit_file", &file("a.rs", "fn a() {}\n"));
    let story = cancelled(delegating("a.rs", slow), 1).await;
    assert_eq!(
        story,
        [
            "started",
            "pending to started",
            "shows the reasoner",
            "says I hand it over.",
            "calls generate_code",
            "started to delegating",
            "delegates generate_code a.rs to deepseek-v4-flash",
            "shows the coder",
            "delegating to generating",
            "cancelled",
        ]
    );
}
