//! What a frontend that connects again gets to see.

use serde_json::json;

use super::Classic;
use super::screen::{Screen, bubble};
use crate::harness::{Mira, UNANALYSED, answering, delegating, reasoner, script, writing};
use crate::socket::Heard;

#[tokio::test]
async fn the_greeting_comes_first_and_in_order() {
    let mira = Mira::start(answering("Hi.")).await;
    let mut client = Classic::connect(&mira.server).await;
    let greeting = client.until(&json!({"type": "connection_ready"})).await;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        greeting,
        [
            json!({"type": "status", "message": format!("Connected to Mira v{version}"), "detail": null}),
            json!({"type": "status", "message": "reasoner: gpt-5, coder: deepseek-v4-flash", "detail": null}),
            json!({"type": "connection_ready"}),
        ]
    );
    mira.close(client).await;
}

#[tokio::test]
async fn heartbeats_come() {
    let mira = Mira::start_with(answering("Hi."), &[("MIRA_HEARTBEAT", "1")]).await;
    let mut client = Classic::attach(&mira.server, "peter-eternal").await.0;
    for _ in 0..2 {
        let Heard::Frame(frame) = client.socket.hear().await else {
            panic!("the connection ended");
        };
        assert_eq!(
            (&frame["type"], &frame["message"]),
            (&json!("heartbeat"), &json!("ping"))
        );
        assert!(frame["timestamp"].as_i64().unwrap() > 1_700_000_000, "{frame}");
    }
    mira.close(client).await;
}

#[tokio::test]
async fn history_comes_back_with_artifacts_also_after_a_restart() {
    let script = delegating("src/a.rs", writing("src/a.rs", "fn a() {}\n"));
    let mut mira = Mira::start_with(script, UNANALYSED).await;
    let (mut client, empty) = Classic::attach(&mira.server, "peter-eternal").await;
    assert_eq!(empty["data"]["memories"], json!([]));
    let project = client.project(&mira.directory()).await;
    client.say_in("peter-eternal", "Write it.", Some(&project)).await;
    client
        .until(&json!({"data": {"type": "operation.completed"}}))
        .await;
    drop(client);

    let (client, history) = Classic::attach(&mira.server, "peter-eternal").await;
    let screen = Screen::default().after(std::slice::from_ref(&history));
    let answer = "I hand it over.\n\nIt is ready.".to_owned();
    assert_eq!(
        screen.bubbles,
        [
            bubble("user", "Write it."),
            ("assistant".to_owned(), answer, vec!["src/a.rs".to_owned()])
        ]
    );
    drop(client);

    assert!(mira.server.terminate().await.success());
    mira.start_again(&[]).await;
    let (client, again) = Classic::attach(&mira.server, "peter-eternal").await;
    assert_eq!(again, history);
    mira.close(client).await;
}

#[tokio::test]
async fn a_frontend_that_connects_in_the_middle_of_a_turn_sees_all_of_it() {
    let rule = reasoner("slow").text("Grüße, ").hold("midway").text("🦀!");
    let mira = Mira::start(script([rule])).await;
    let (mut first, _) = Classic::attach(&mira.server, "peter-eternal").await;
    first.say("peter-eternal", "Hello").await;
    first.until(&json!({"type": "stream"})).await;
    drop(first);

    let (mut second, history) = Classic::attach(&mira.server, "peter-eternal").await;
    let mut frames = vec![history];
    frames.extend(second.until(&json!({"type": "stream"})).await);
    mira.upstream.release("midway");
    frames.extend(second.until(&json!({"type": "chat_complete"})).await);
    let screen = Screen::waiting().after(&frames);
    assert_eq!(
        screen.bubbles,
        [bubble("user", "Hello"), bubble("assistant", "Grüße, 🦀!")]
    );
    assert_eq!((screen.live.as_str(), screen.locked), ("Grüße, 🦀!", false));
    mira.close(second).await;
}

#[tokio::test]
async fn asking_for_the_history_again_in_the_middle_of_a_turn_shows_nothing_twice() {
    let rule = reasoner("slow").text("Grüße, ").hold("midway").text("🦀!");
    let mira = Mira::start(script([rule])).await;
    let (mut client, _) = Classic::attach(&mira.server, "peter-eternal").await;
    client.say("peter-eternal", "Hello").await;
    client.until(&json!({"type": "stream"})).await;
    client.ask_history("peter-eternal").await;
    let mut frames = client.until(&json!({"data": {"type": "memory_data"}})).await;
    mira.upstream.release("midway");
    frames.extend(client.until(&json!({"type": "chat_complete"})).await);
    let screen = Screen::waiting().after(&frames);
    assert_eq!(
        screen.bubbles,
        [bubble("user", "Hello"), bubble("assistant", "Grüße, 🦀!")]
    );
    assert_eq!((screen.live.as_str(), screen.locked), ("Grüße, 🦀!", false));
    mira.close(client).await;
}

#[tokio::test]
async fn a_session_belongs_to_both_profiles() {
    let mira = Mira::start(answering("Yes.")).await;
    let (mut classic, _) = Classic::attach(&mira.server, "shared").await;
    let (mut native, session) = crate::native::Native::in_session(&mira.server, "shared").await;
    native.turn(&session, "Said in the native profile").await;
    let frames = classic.until(&json!({"type": "chat_complete"})).await;
    assert_eq!(
        Screen::waiting().after(&frames).bubbles,
        [bubble("assistant", "Yes.")]
    );
    classic.say("shared", "Said in the classic profile").await;
    native.until("operation.completed").await;
    let said: Vec<_> = native
        .messages(&session)
        .await
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(
        said,
        [
            "Said in the native profile",
            "Yes.",
            "Said in the classic profile",
            "Yes."
        ]
    );
    mira.close((classic, native)).await;
}
