//! Who may connect, what the first frames must be, and when the server refuses to start.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Mira, TOKEN, answering};
use crate::native::Native;
use crate::socket::{Heard, Socket};

fn initialize(token: Option<&str>) -> Value {
    let params = json!({"protocol_version": 1, "client": {"name": "suite", "version": "1"}, "token": token});
    json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
}

#[tokio::test]
async fn initialize_comes_first_and_once_and_in_this_version() {
    let mira = Mira::start(answering("Hi.")).await;
    let mut client = Native::connect(&mira.server).await;
    let code = |error: &Value| error["data"]["code"].as_str().unwrap().to_owned();
    let early = client.refused("session.list", json!({})).await;
    assert_eq!(code(&early), "not_initialized");
    assert!(early["data"]["hint"].is_string(), "{early}");
    let other = json!({"protocol_version": 2, "client": {"name": "suite", "version": "1"}});
    let other = client.refused("initialize", other).await;
    assert_eq!(
        (code(&other).as_str(), &other["data"]["field"]),
        ("protocol_version", &json!("protocol_version"))
    );

    let hello = client.initialize().await;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        hello,
        json!({
            "protocol_version": 1,
            "server": {"name": "mira", "version": version},
            "capabilities": {"resume": {}, "delegation": {}, "artifacts": {}, "projects": {}, "files": {}, "memory": {}},
            "heartbeat_seconds": 15,
            "limits": {"max_frame_bytes": 80 * 1024 * 1024, "max_queued_turns": 8, "max_buffered_events": 16384},
            "models": [
                {"role": "reasoner", "model": "gpt-5", "configured": true},
                {"role": "coder", "model": "deepseek-v4-flash", "configured": true},
            ],
        })
    );
    mira.close(client).await;
}

#[tokio::test]
async fn a_client_that_is_late_is_greeted_and_may_still_speak_either_profile() {
    let mira = Mira::start(answering("Hi.")).await;
    let mut late = Native::connect(&mira.server).await;
    while late.socket.frame().await["type"] != "connection_ready" {}
    late.initialize().await;
    late.call("session.list", json!({})).await;
    mira.close(late).await;
}

#[tokio::test]
async fn binary_frames_are_refused_and_the_connection_goes_on() {
    let mira = Mira::start(answering("Hi.")).await;
    let mut client = Native::hello(&mira.server).await;
    client.socket.send_message(Message::binary(vec![1, 2, 3])).await;
    let refused = client.socket.frame().await;
    assert_eq!(
        (&refused["id"], &refused["error"]["data"]["code"]),
        (&Value::Null, &json!("bad_request"))
    );
    client.call("session.list", json!({})).await;
    mira.close(client).await;
}

#[tokio::test]
async fn a_frame_over_the_limit_ends_its_connection_and_no_other() {
    let mira = Mira::start_with(answering("Hi."), &[("MIRA_MAX_FRAME_BYTES", "64KiB")]).await;
    let mut other = Native::hello(&mira.server).await;
    let mut client = Native::hello(&mira.server).await;
    client.socket.send("x".repeat(64 * 1024 + 1)).await;
    let refused = client.socket.frame().await;
    assert_eq!(refused["error"]["data"]["code"], "too_large");
    assert!(matches!(client.socket.end().await, Heard::Closed(1009, _)));
    other.call("session.list", json!({})).await;
    mira.close((other, client)).await;
}

#[tokio::test]
async fn a_token_is_asked_for_and_taken_in_the_header_or_the_first_frame() {
    let mira = Mira::start_with(answering("Hi."), &[(TOKEN, "s3cret-s3cret-s3cret")]).await;
    let address = &mira.server.address;
    let refused = Socket::connect_with(address, &[("authorization", "Bearer wrong")]).await;
    let (status, body) = refused.unwrap_err();
    assert_eq!(status, 401);
    assert!(body.contains("unauthorized"), "{body}");

    for first in [
        initialize(None),
        initialize(Some("wrong")),
        json!({"type": "chat", "content": "Hello"}),
    ] {
        let mut socket = Socket::connect_with(address, &[]).await.unwrap();
        socket.send(first.to_string()).await;
        let refused = socket.frame().await;
        assert_eq!(refused["error"]["data"]["code"], "unauthorized", "{first}");
        assert!(matches!(socket.end().await, Heard::Closed(4401, _)), "{first}");
    }

    let mut socket = Socket::connect_with(address, &[]).await.unwrap();
    socket
        .send(initialize(Some("s3cret-s3cret-s3cret")).to_string())
        .await;
    assert_eq!(socket.frame().await["result"]["protocol_version"], 1);
    let mut client = Native::hello(&mira.server).await;
    client.call("session.list", json!({})).await;
    mira.close((socket, client)).await;
}

#[tokio::test]
async fn pages_of_other_origins_are_turned_away() {
    let mira = Mira::start(answering("Hi.")).await;
    let address = &mira.server.address;
    for origin in ["https://evil.example", "http://localhost.evil.example", "null"] {
        let (status, body) = Socket::connect_with(address, &[("origin", origin)])
            .await
            .unwrap_err();
        assert_eq!(status, 403, "{origin}");
        assert!(body.contains("MIRA_ALLOWED_ORIGINS"), "{body}");
    }
    for origin in [
        "http://localhost:5173",
        "http://127.0.0.1:3000",
        "http://[::1]:80",
    ] {
        assert!(
            Socket::connect_with(address, &[("origin", origin)]).await.is_ok(),
            "{origin}"
        );
    }
    mira.close(()).await;
}

#[tokio::test]
async fn the_server_refuses_to_start_where_it_would_not_be_safe() {
    let mira = Mira::start(answering("Hi.")).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let elsewhere = elsewhere.path().to_str().unwrap();
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[], "another"),
        (
            &[("MIRA_HOST", "0.0.0.0"), ("MIRA_DATA_DIR", elsewhere)],
            "MIRA_AUTH_TOKEN",
        ),
        (
            &[("MIRA_PORT", "http"), ("MIRA_DATA_DIR", elsewhere)],
            "MIRA_PORT",
        ),
        (
            &[
                ("MIRA_PORT", mira.server.address.rsplit(':').next().unwrap()),
                ("MIRA_DATA_DIR", elsewhere),
            ],
            "could not listen on",
        ),
    ];
    for (settings, reason) in cases {
        let (status, log) = mira.run_beside(&[], settings).await;
        assert!(
            !status.success() && log.contains(reason),
            "{settings:?}: {status} {log}"
        );
    }
    mira.close(()).await;
}
