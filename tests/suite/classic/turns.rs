//! Turns as the existing frontend shows them.

use mira_llm::scripted::{Fault, Outcome, Step};
use serde_json::json;

use super::screen::{Screen, bubble};
use super::{Classic, has};
use crate::harness::{Mira, answering, coder, delegating, file, reasoner, script, soon, writing};

#[tokio::test]
async fn a_chat_is_live_text_and_one_bubble() {
    let rule = reasoner("greeting").step(Step::text("Grüße, 🦀!").chunk(2));
    let mira = Mira::start(script([rule])).await;
    let (mut client, _) = Classic::attach(&mira.server, "peter-eternal").await;
    client.say("peter-eternal", "Hello").await;
    let frames = client.until(&json!({"type": "chat_complete"})).await;
    let expected = Screen {
        bubbles: vec![bubble("assistant", "Grüße, 🦀!")],
        live: "Grüße, 🦀!".to_owned(),
        ..Screen::default()
    };
    assert_eq!(Screen::waiting().after(&frames), expected);
    mira.close(client).await;
}

#[tokio::test]
async fn a_delegation_is_live_text_and_one_bubble_with_apply_buttons() {
    let mira = Mira::start(delegating("src/a.rs", writing("src/a.rs", "fn a() {}\n"))).await;
    let (mut client, _) = Classic::attach(&mira.server, "peter-eternal").await;
    let project = client.project(&mira.directory()).await;
    client.say_in("peter-eternal", "Write it.", Some(&project)).await;
    let frames = client
        .until(&json!({"data": {"type": "operation.completed"}}))
        .await;
    let text = "I hand it over.\n\nIt is ready.";
    let expected = Screen {
        bubbles: vec![(
            "assistant".to_owned(),
            text.to_owned(),
            vec!["src/a.rs".to_owned()],
        )],
        live: text.to_owned(),
        panel: vec!["src/a.rs".to_owned()],
        ..Screen::default()
    };
    assert_eq!(Screen::waiting().after(&frames), expected);
    mira.close(client).await;
}

#[tokio::test]
async fn a_failure_shows_what_was_said_and_why_and_unlocks_the_input() {
    let breaks = reasoner("breaks").text("Well, ").fault(Fault::Cut);
    let mira = Mira::start(script([breaks.once(), reasoner("answers").text("Here.")])).await;
    let (mut client, _) = Classic::attach(&mira.server, "peter-eternal").await;
    client.say("peter-eternal", "Hello").await;
    let frames = client.until(&json!({"type": "response", "complete": true})).await;
    let screen = Screen::waiting().after(&frames);
    let roles: Vec<_> = screen.bubbles.iter().map(|(role, ..)| role.as_str()).collect();
    assert_eq!((roles, screen.locked), (vec!["error", "assistant"], false));
    assert_eq!(screen.bubbles[1], bubble("assistant", "Well, "));
    client.say("peter-eternal", "Again").await;
    let frames = client.until(&json!({"type": "chat_complete"})).await;
    assert_eq!(
        Screen::waiting().after(&frames).bubbles,
        [bubble("assistant", "Here.")]
    );
    mira.close(client).await;
}

#[tokio::test]
async fn a_turn_that_is_refused_unlocks_the_input() {
    let mira = Mira::start_with(
        answering("Never."),
        &[("OPENAI_API_KEY", ""), ("OPENAI_BASE_URL", "")],
    )
    .await;
    let (mut client, _) = Classic::attach(&mira.server, "peter-eternal").await;
    client.say("peter-eternal", "Hello").await;
    let frames = client.until(&json!({"type": "response", "complete": true})).await;
    let screen = Screen::waiting().after(&frames);
    assert!(!screen.locked);
    let [(role, text, _)] = screen.bubbles.as_slice() else {
        panic!("{screen:?}");
    };
    assert_eq!(role, "error");
    assert!(text.contains("OPENAI_API_KEY"), "{text}");
    mira.close(client).await;
}

#[tokio::test]
async fn a_delegation_is_cancelled_by_either_frame() {
    let by_frame = |id: &str| json!({"type": "cancel_operation", "operation_id": id});
    let by_command = |id: &str| json!({"type": "command", "command": "cancel", "args": {"operation_id": id}});
    let slow = coder("slow")
        .hold("writing")
        .tool_call("submit_file", &file("a.rs", "fn a() {}\n"));
    let mira = Mira::start(delegating("a.rs", slow)).await;
    let (mut client, _) = Classic::attach(&mira.server, "peter-eternal").await;
    let project = client.project(&mira.directory()).await;
    for (request, cancel) in [(1, by_frame as fn(&str) -> _), (3, by_command)] {
        client.say_in("peter-eternal", "Write it.", Some(&project)).await;
        let mut frames = client
            .until(&json!({"data": {"type": "operation.delegated"}}))
            .await;
        soon(
            "the coder's request",
            mira.upstream.request_count_reaches(request + 1),
        )
        .await;
        let operation = frames.last().unwrap()["data"]["operation_id"].as_str().unwrap();
        client.send(&cancel(operation)).await;
        frames.extend(client.until(&json!({"type": "response", "complete": true})).await);
        assert!(
            frames
                .iter()
                .any(|frame| has(frame, &json!({"data": {"type": "operation.cancelled"}})))
        );
        let screen = Screen::waiting().after(&frames);
        assert_eq!(screen.bubbles, [bubble("assistant", "I hand it over.")]);
        assert!(!screen.locked);
        let outcome = soon("the end of the reply", mira.upstream.ended(request)).await;
        assert_eq!(outcome, Outcome::ClientGone);
    }
    mira.close(client).await;
}

#[tokio::test]
async fn turns_of_two_sockets_in_one_session_come_one_after_the_other_to_both() {
    let mira = Mira::start(answering("Yes.")).await;
    let (mut first, _) = Classic::attach(&mira.server, "peter-eternal").await;
    let (mut second, _) = Classic::attach(&mira.server, "peter-eternal").await;
    first.say("peter-eternal", "one").await;
    second.say("peter-eternal", "two").await;
    for client in [&mut first, &mut second] {
        let mut frames = client.until(&json!({"type": "chat_complete"})).await;
        frames.extend(client.until(&json!({"type": "chat_complete"})).await);
        let screen = Screen::waiting().after(&frames);
        assert_eq!(
            screen.bubbles,
            [bubble("assistant", "Yes."), bubble("assistant", "Yes.")]
        );
    }
    mira.close((first, second)).await;
}
