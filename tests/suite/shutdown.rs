//! Stopping the server while a turn runs.

use serde_json::json;

use crate::classic::Classic;
use crate::harness::{Mira, Server, reasoner, script};
use crate::native::Native;
use crate::socket::Heard;
use crate::story::story;

/// A Mira in the middle of a turn, its client, and the operation.
async fn midway(grace: &str) -> (Mira, Native, serde_json::Value) {
    let rule = reasoner("slow").text("Well, ").hold("midway").text("here.");
    let mira = Mira::start_with(script([rule]), &[("MIRA_SHUTDOWN_GRACE", grace)]).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let accepted = client.say(&session, "Hello").await;
    client.until("operation.streaming").await;
    (mira, client, accepted["operation_id"].clone())
}

/// The end of a connection that the server closes because it stops.
async fn going_away(client: &mut Native) {
    assert_eq!(
        client.heard().await,
        Heard::Closed(1001, "the server is shutting down".to_owned())
    );
}

/// Waits until the server has begun to stop.
async fn stopping(server: &Server, client: &mut Native, session: &str) {
    server.ask_to_stop().await;
    loop {
        let params = json!({"session_id": session, "content": "One more."});
        let id = client.ask("chat.send", &params).await;
        let answer = client.answer(&id.into()).await;
        if answer["error"]["data"]["code"] == "shutting_down" {
            return;
        }
    }
}

#[tokio::test]
async fn a_running_turn_is_finished_and_its_end_is_told() {
    let (mut mira, mut client, operation) = midway("20").await;
    let session = client.open("main").await;
    stopping(&mira.server, &mut client, &session).await;
    mira.upstream.release("midway");
    let end = client.until_end(&operation).await;
    assert_eq!(story(&end).last().unwrap(), "completed");
    while let Heard::Frame(_) = client.heard().await {}
    assert!(mira.server.ended().await.success());
    mira.start_again(&[]).await;
    mira.close(()).await;
}

#[tokio::test]
async fn a_turn_that_takes_too_long_is_interrupted_and_that_is_told() {
    let (mut mira, mut client, operation) = midway("1").await;
    mira.server.ask_to_stop().await;
    let end = client.until_end(&operation).await;
    assert_eq!(story(&end).last().unwrap(), "interrupted");
    going_away(&mut client).await;
    assert!(mira.server.ended().await.success());
    mira.start_again(&[]).await;
    mira.close(()).await;
}

#[tokio::test]
async fn a_frontend_is_told_of_an_interrupted_turn_and_unlocked() {
    let rule = reasoner("slow").text("Well, ").hold("midway").text("here.");
    let mut mira = Mira::start_with(script([rule]), &[("MIRA_SHUTDOWN_GRACE", "1")]).await;
    let (mut client, _) = Classic::attach(&mira.server, "peter-eternal").await;
    client.say("peter-eternal", "Hello").await;
    client.until(&json!({"type": "stream"})).await;
    mira.server.ask_to_stop().await;
    let end = client.until(&json!({"type": "response", "complete": true})).await;
    assert_eq!((end.len(), &end[0]["error"]["code"]), (2, &json!("INTERRUPTED")));
    assert!(matches!(client.socket.end().await, Heard::Closed(1001, _)));
    assert!(mira.server.ended().await.success());
    mira.start_again(&[]).await;
    mira.close(client).await;
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let (mut mira, client, operation) = midway("20").await;
    mira.server.ask_to_stop().await;
    mira.server.ask_to_stop().await;
    assert!(mira.server.ended().await.success());
    drop(client);
    mira.start_again(&[]).await;
    let mut client = Native::hello(&mira.server).await;
    let got = client
        .call("operation.get", json!({"operation_id": operation}))
        .await;
    assert_eq!(got["operation"]["status"], "interrupted");
    mira.close(client).await;
}
