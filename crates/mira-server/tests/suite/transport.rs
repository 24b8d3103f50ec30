//! Who may connect, and what is said to whom may not.

use std::{sync::Arc, time::Duration};

use futures_util::SinkExt;
use mira_server::transport::{App, BindError, Connection, Listener, Options, Readiness, close_code};
use tokio::sync::{Notify, mpsc, watch};
use tokio_tungstenite::tungstenite::{Message, http::StatusCode};

use crate::support::{Server, closing, echo, receive, send, soon};

const TOKEN: &str = "a-long-token";
const INITIALIZE: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"token":"a-long-token"}}"#;

fn with_token() -> Options {
    Options {
        auth_token: Some(TOKEN.into()),
        ..Options::default()
    }
}

#[tokio::test]
async fn frames_come_back_in_order() {
    let server = Server::echo(Options::default()).await;
    let mut client = server.connect().await;
    for text in ["", "one", "zwei ✓", &"x".repeat(300_000)] {
        send(&mut client, text).await;
        assert_eq!(receive(&mut client).await, text);
    }
    server.end().await;
}

#[tokio::test]
async fn only_listed_pages_may_connect() {
    let server = Server::echo(Options::default()).await;
    for origin in ["http://localhost:5173", "https://127.0.0.1", "http://[::1]:3000"] {
        let mut client = server.connect_with(&[("origin", origin)]).await.unwrap();
        send(&mut client, "hello").await;
        assert_eq!(receive(&mut client).await, "hello");
    }
    for origins in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("origin", "http://localhost.evil.example")],
        &[("origin", "http://localhost"), ("origin", "https://evil.example")],
    ] {
        let (status, body) = server.connect_with(origins).await.unwrap_err();
        assert_eq!(status, StatusCode::FORBIDDEN, "{origins:?}");
        assert!(body.contains("MIRA_ALLOWED_ORIGINS"), "{body}");
    }
    server.end().await;
}

#[tokio::test]
async fn the_application_learns_which_page_connected() {
    let (told, mut peers) = mpsc::channel(1);
    let app = App::new(move |connection: Connection| {
        let told = told.clone();
        async move { told.send(connection.peer).await.unwrap() }
    });
    let server = Server::start(Options::default(), app).await;
    let client = server
        .connect_with(&[("origin", "http://localhost:5173")])
        .await
        .unwrap();
    let peer = soon(peers.recv()).await.unwrap();
    assert_eq!(peer.address, client.get_ref().local_addr().unwrap());
    assert_eq!(peer.origin.as_deref(), Some("http://localhost:5173"));
    server.end().await;
}

#[tokio::test]
async fn an_address_that_others_can_reach_needs_a_token() {
    for host in ["0.0.0.0", "::"] {
        let error = Listener::bind(host, 0, Options::default()).await.unwrap_err();
        assert!(matches!(error, BindError::TokenRequired { .. }), "{error:?}");
        assert!(error.to_string().contains("MIRA_AUTH_TOKEN"), "{error}");
    }
    Listener::bind("0.0.0.0", 0, with_token()).await.unwrap();
    Listener::bind("localhost", 0, Options::default()).await.unwrap();
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = Listener::bind("127.0.0.1", 0, Options::default()).await.unwrap();
    let port = taken.local_addr().port();
    let error = Listener::bind("127.0.0.1", port, Options::default())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("could not listen on 127.0.0.1, port {port}")
    );
}

#[tokio::test]
async fn a_token_in_the_header_opens_the_connection() {
    let server = Server::echo(with_token()).await;
    let mut client = server
        .connect_with(&[("authorization", "Bearer a-long-token")])
        .await
        .unwrap();
    send(&mut client, "anything").await;
    assert_eq!(receive(&mut client).await, "anything");
    for wrong in [
        "Bearer a-long-tokem",
        "Bearer",
        "Basic a-long-token",
        "Bearer a-long-token-",
    ] {
        let (status, body) = server
            .connect_with(&[("authorization", wrong)])
            .await
            .unwrap_err();
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{wrong}");
        assert!(!body.contains(TOKEN), "{body}");
    }
    server.end().await;
}

#[tokio::test]
async fn a_token_in_the_first_frame_opens_the_connection() {
    let server = Server::echo(with_token()).await;
    let mut client = server.connect().await;
    // All three at once: what follows the first frame must survive the change of limits.
    client.feed(Message::text(INITIALIZE)).await.unwrap();
    client.feed(Message::text("second")).await.unwrap();
    client.feed(Message::text("x".repeat(3 << 20))).await.unwrap();
    client.flush().await.unwrap();
    assert_eq!(receive(&mut client).await, INITIALIZE);
    assert_eq!(receive(&mut client).await, "second");
    assert_eq!(receive(&mut client).await.len(), 3 << 20);
    server.end().await;
}

#[tokio::test]
async fn without_its_token_a_connection_gets_nowhere() {
    let opened = Arc::new(Notify::new());
    let app = App::new({
        let opened = Arc::clone(&opened);
        move |_| {
            opened.notify_one();
            async {}
        }
    });
    let server = Server::start(with_token(), app).await;
    let unauthorized = vec!["unauthorized".to_owned()];
    for first in [
        Message::text(INITIALIZE.replace("a-long", "a-wrong")),
        Message::text(r#"{"type":"chat","content":"hello"}"#),
        Message::text("not json"),
        Message::binary(INITIALIZE),
    ] {
        let mut client = server.connect().await;
        client.feed(first.clone()).await.unwrap();
        client.send(Message::text(INITIALIZE)).await.unwrap();
        let (errors, code, _) = closing(&mut client).await;
        assert_eq!(
            (errors, code),
            (unauthorized.clone(), close_code::UNAUTHORIZED),
            "{first}"
        );
    }
    let mut client = server.connect().await;
    send(&mut client, "x".repeat((1 << 20) + 1)).await;
    let (errors, code, reason) = closing(&mut client).await;
    assert_eq!(
        (errors, code),
        (vec!["too_large".to_owned()], close_code::TOO_LARGE)
    );
    assert!(reason.contains("1 MiB"), "{reason}");
    server.end().await;
    assert!(
        futures_util::FutureExt::now_or_never(opened.notified()).is_none(),
        "the application was called"
    );
}

#[tokio::test]
async fn a_token_must_come_in_time() {
    let server = Server::echo(Options {
        handshake_timeout: Duration::from_millis(100),
        ..with_token()
    })
    .await;
    let mut client = server.connect().await;
    let (errors, code, _) = closing(&mut client).await;
    assert_eq!(
        (errors, code),
        (vec!["unauthorized".to_owned()], close_code::UNAUTHORIZED)
    );
    server.end().await;
}

#[tokio::test]
async fn a_connection_that_sends_no_request_is_closed() {
    let server = Server::echo(Options {
        handshake_timeout: Duration::from_millis(100),
        ..Options::default()
    })
    .await;
    for part in [
        &b""[..],
        b"GET /ws HT",
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\n",
    ] {
        assert_eq!(server.raw(part).await, "");
    }
    server.end().await;
}

#[tokio::test]
async fn http_requests_get_sensible_answers() {
    let server = Server::echo(Options::default()).await;
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    for (request, head, part) in [
        ("GET /healthz", "200 OK", r#"{"status":"ok"}"#),
        ("GET /readyz?verbose=1", "200 OK", r#"{"ready":true}"#),
        ("HEAD /healthz", "200 OK", "content-length: 15"),
        ("GET /", "404 Not Found", "the socket is at /ws"),
        ("POST /healthz", "405 Method Not Allowed", "allow: GET"),
        ("POST /ws", "405 Method Not Allowed", "allow: GET"),
        ("HEAD /ws", "405 Method Not Allowed", "allow: GET"),
        ("GET /ws", "426 Upgrade Required", "upgrade: websocket"),
    ] {
        let reply = server
            .raw(format!("{request} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
            .await;
        assert!(
            reply.starts_with(&format!("HTTP/1.1 {head}\r\n")) && reply.contains(part),
            "{request}: {reply}"
        );
    }
    for (headers, status) in [
        (
            "Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            "426 Upgrade Required",
        ),
        (
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n",
            "400 Bad Request",
        ),
        ("Sec-WebSocket-Version: 13\r\n", "400 Bad Request"),
    ] {
        let request = format!("GET /ws HTTP/1.1\r\nHost: localhost\r\n{upgrade}{headers}\r\n");
        let reply = server.raw(request.as_bytes()).await;
        assert!(
            reply.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{headers}: {reply}"
        );
    }
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"GET\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        assert!(
            server
                .raw(garbage)
                .await
                .starts_with("HTTP/1.1 400 Bad Request\r\n")
        );
    }
    server.end().await;
}

#[tokio::test]
async fn the_socket_opens_when_the_application_is_ready() {
    let migrating = Readiness::NotReady {
        reason: "migrating the database".to_owned(),
    };
    let (readiness, watched) = watch::channel(migrating);
    let app = App::new(crate::support::echo).with_readiness(watched);
    let server = Server::start(Options::default(), app).await;
    let reply = server.get("/readyz").await;
    assert!(
        reply.starts_with("HTTP/1.1 503 Service Unavailable\r\n"),
        "{reply}"
    );
    assert!(
        reply.ends_with(r#"{"ready":false,"reason":"migrating the database"}"#),
        "{reply}"
    );
    assert!(server.get("/healthz").await.starts_with("HTTP/1.1 200 OK\r\n"));
    let (status, body) = server.connect_with(&[]).await.unwrap_err();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("migrating the database"), "{body}");
    readiness.send(Readiness::Ready).unwrap();
    let mut client = server.connect().await;
    send(&mut client, "hello").await;
    assert_eq!(receive(&mut client).await, "hello");
    server.end().await;
}

#[tokio::test]
async fn metrics_are_for_those_with_the_token() {
    let app = || App::new(echo).with_metrics(|sockets| async move { Some(format!("sockets {sockets}\n")) });
    let open = Server::start(Options::default(), app()).await;
    let _client = open.connect().await;
    let reply = open.get("/metrics").await;
    assert!(
        reply.starts_with("HTTP/1.1 200 OK\r\n") && reply.contains("text/plain; version=0.0.4"),
        "{reply}"
    );
    assert!(reply.ends_with("\r\n\r\nsockets 1\n"), "{reply}");
    open.end().await;

    let options = Options {
        auth_token: Some("token".into()),
        ..Options::default()
    };
    let guarded = Server::start(options, app()).await;
    let with =
        |header: &str| format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\n{header}\r\n").into_bytes();
    for (header, status) in [
        ("", "401 Unauthorized"),
        ("Authorization: Bearer other\r\n", "401 Unauthorized"),
        ("Authorization: Bearer token\r\n", "200 OK"),
    ] {
        let reply = guarded.raw(&with(header)).await;
        assert!(
            reply.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{header}: {reply}"
        );
    }
    assert!(guarded.get("/healthz").await.starts_with("HTTP/1.1 200 OK\r\n"));
    guarded.end().await;
}
