//! Turns that go well, in the native profile.

use mira_llm::scripted::{Endpoint as Route, Step};
use serde_json::json;

use crate::harness::{Mira, answering, delegating, reasoner, script, writing};
use crate::native::Native;

#[tokio::test]
async fn a_chat_without_tools() {
    let rule = reasoner("greeting")
        .step(Step::reasoning("A greeting.").chunk(3))
        .step(Step::text("Grüße, 🦀 from Mira!").chunk(2));
    let mira = Mira::start(script([rule])).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let turn = client.turn(&session, "Hello").await;
    assert_eq!(
        turn.story(),
        [
            "started",
            "pending to started",
            "shows the reasoner",
            "thinks A greeting.",
            "says Grüße, 🦀 from Mira!",
            "completed",
        ]
    );
    let accepted = &turn.accepted;
    assert_eq!((&accepted["seq"], &accepted["queued"]), (&json!(1), &json!(0)));
    assert_eq!(turn.events[0]["event"]["message_id"], accepted["message_id"]);
    assert_eq!(client.journal(&session).await, turn.events);
    let said = |role: &str, text: &str| (role.to_owned(), text.to_owned());
    assert_eq!(
        client.messages(&session).await,
        [said("user", "Hello"), said("assistant", "Grüße, 🦀 from Mira!")]
    );
    let got = client
        .call("operation.get", json!({"operation_id": accepted["operation_id"]}))
        .await;
    assert_eq!(got["operation"]["status"], "completed");
    assert_eq!(got["operation"]["text"], "Grüße, 🦀 from Mira!");
    mira.close().await;
}

#[tokio::test]
async fn a_second_turn_knows_the_first() {
    let mira = Mira::start(answering("Yes.")).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    client.turn(&session, "My name is Peter.").await;
    client.turn(&session, "What is my name?").await;
    let second = mira.asked(Route::Responses).pop().unwrap().to_string();
    assert!(
        second.contains("My name is Peter.") && second.contains("Yes."),
        "{second}"
    );
    mira.close().await;
}

#[tokio::test]
async fn a_chat_with_tool_calls() {
    let rules = [
        reasoner("looks")
            .no_tool_output()
            .text("Let me look.")
            .tool_call(
                "read_file",
                &json!({"path": "src/lib.rs", "start_line": null, "end_line": null}),
            )
            .tool_call(
                "read_file",
                &json!({"path": "../secret", "start_line": null, "end_line": null}),
            ),
        reasoner("answers")
            .tool_output_contains("fn seven")
            .text("It gives 7."),
    ];
    let mira = Mira::start(script(rules)).await;
    mira.put("src/lib.rs", "pub fn seven() -> u8 { 7 }\n");
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let project = client.project(&mira).await;
    let turn = json!({"session_id": session, "content": "What does it do?", "project_id": project});
    let turn = client.run(turn).await;
    assert_eq!(
        turn.story(),
        [
            "started",
            "pending to started",
            "shows the reasoner",
            "says Let me look.",
            "calls read_file",
            "read_file gives src/lib.rs: 1 line",
            "calls read_file",
            "read_file fails: ?",
            "says It gives 7.",
            "completed",
        ]
    );
    mira.close().await;
}

#[tokio::test]
async fn a_delegation_offers_a_file_that_is_applied_and_undone() {
    let new = "pub fn greet() {}\n";
    let mira = Mira::start(delegating("src/greet.rs", writing("src/greet.rs", new))).await;
    mira.put("src/greet.rs", "// old\r\n");
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let project = client.project(&mira).await;
    let turn = json!({"session_id": session, "content": "Write a greeting.", "project_id": project});
    let turn = client.run(turn).await;
    assert_eq!(
        turn.story(),
        [
            "started",
            "pending to started",
            "shows the reasoner",
            "says I hand it over.",
            "calls generate_code",
            "started to delegating",
            "delegates generate_code src/greet.rs to deepseek-v4-flash",
            "shows the coder",
            "delegating to generating",
            "previews src/greet.rs",
            "offers src/greet.rs",
            "generating to started",
            "generate_code gives src/greet.rs: 1 lines",
            "says It is ready.",
            "completed",
        ]
    );
    mira.close().await;
}
