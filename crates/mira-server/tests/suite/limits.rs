//! What one peer may cost the server and the others.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use mira_server::transport::{App, Connection, Options, Received, SendError, close_code};
use tokio::{
    io::AsyncWriteExt,
    sync::{Notify, mpsc},
};
use tokio_tungstenite::tungstenite::{Message, http::StatusCode};

use crate::support::{Server, closing, receive, send, soon};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_frame_at_the_limit_passes_and_one_over_it_is_refused_with_a_reason() {
    let server = Server::echo(Options {
        max_frame_bytes: MIB,
        ..Options::default()
    })
    .await;
    let mut client = server.connect().await;
    send(&mut client, "x".repeat(MIB)).await;
    assert_eq!(receive(&mut client).await.len(), MIB);
    let (mut sink, source) = client.split();
    // More than the network holds: the server has to refuse it while it is still being sent.
    let sending = tokio::spawn(async move { sink.send(Message::text("x".repeat(64 * MIB))).await });
    let mut source = source;
    let error = soon(source.next()).await.unwrap().unwrap().into_text().unwrap();
    let error: serde_json::Value = serde_json::from_str(&error).unwrap();
    assert_eq!(
        error,
        serde_json::json!({
            "jsonrpc": "2.0", "id": null, "type": "error", "code": "too_large",
            "message": "the frame is larger than the limit of 1 MiB",
            "error": {
                "code": -32000, "statusCode": 413, "message": "the frame is larger than the limit of 1 MiB",
                "data": { "code": "too_large", "retryable": false },
            },
        })
    );
    let Message::Close(Some(close)) = soon(source.next()).await.unwrap().unwrap() else {
        panic!("no close frame")
    };
    assert_eq!(u16::from(close.code), close_code::TOO_LARGE);
    sending.abort();
    server.end().await;
}

#[tokio::test]
async fn fragments_together_are_held_to_the_limit() {
    use tokio_tungstenite::tungstenite::protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    };
    let server = Server::echo(Options {
        max_frame_bytes: MIB,
        ..Options::default()
    })
    .await;
    let mut client = server.connect().await;
    for kind in [Data::Text, Data::Continue, Data::Continue] {
        let fragment = Frame::message("x".repeat(MIB / 2), OpCode::Data(kind), false);
        client.feed(Message::Frame(fragment)).await.unwrap();
    }
    client.flush().await.unwrap();
    let (errors, code, _) = closing(&mut client).await;
    assert_eq!(
        (errors, code),
        (vec!["too_large".to_owned()], close_code::TOO_LARGE)
    );
    server.end().await;
}

#[tokio::test]
async fn all_peers_together_are_held_to_the_budget_and_small_frames_still_pass() {
    // Keeps every large frame until told to let go.
    let release = Arc::new(Notify::new());
    let app = App::new({
        let release = Arc::clone(&release);
        move |Connection {
                  mut incoming,
                  outgoing,
                  ..
              }| {
            let release = Arc::clone(&release);
            async move {
                while let Received::Frame(frame) = incoming.next().await {
                    outgoing
                        .send(format!("got {}", frame.text().len()))
                        .await
                        .unwrap();
                    if frame.text().len() >= MIB {
                        release.notified().await;
                        drop(frame);
                        outgoing.send("let go".to_owned()).await.unwrap();
                    }
                }
            }
        }
    });
    let options = Options {
        max_frame_bytes: MIB,
        max_buffered_bytes: 2 * MIB,
        ..Options::default()
    };
    let server = Server::start(options, app).await;
    let mut holding = Vec::new();
    for _ in 0..2 {
        let mut client = server.connect().await;
        send(&mut client, "x".repeat(MIB)).await;
        assert_eq!(receive(&mut client).await, format!("got {MIB}"));
        holding.push(client);
    }
    let mut refused = server.connect().await;
    send(&mut refused, "x".repeat(MIB)).await;
    let (errors, code, _) = closing(&mut refused).await;
    assert_eq!(
        (errors, code),
        (vec!["queue_full".to_owned()], close_code::TRY_AGAIN)
    );

    let mut small = server.connect().await;
    send(&mut small, "x".repeat(10_000)).await;
    assert_eq!(receive(&mut small).await, "got 10000");

    release.notify_one();
    let (first, second) = holding.split_at_mut(1);
    tokio::select! {
        text = receive(&mut first[0]) => assert_eq!(text, "let go"),
        text = receive(&mut second[0]) => assert_eq!(text, "let go"),
    }
    let mut admitted = server.connect().await;
    send(&mut admitted, "x".repeat(MIB)).await;
    assert_eq!(receive(&mut admitted).await, format!("got {MIB}"));
    drop((holding, admitted));
    server.end().await;
}

#[tokio::test]
async fn the_budget_is_given_back_by_whoever_leaves_in_the_middle() {
    let options = Options {
        max_frame_bytes: MIB,
        max_buffered_bytes: MIB,
        ..Options::default()
    };
    let server = Server::echo(options).await;
    for _ in 0..5 {
        let mut client = server.connect().await;
        send(&mut client, "x".repeat(MIB)).await;
        assert_eq!(receive(&mut client).await.len(), MIB);
        // A header that promises more than is sent.
        let mut bytes = vec![0x81, 0xff, 0, 0, 0, 0, 0, 0x0f, 0xff, 0xff, 0, 0, 0, 0];
        bytes.resize(MIB / 2, b'x');
        client.get_mut().write_all(&bytes).await.unwrap();
    }
    server.end().await;
}

#[tokio::test]
async fn binary_frames_are_answered_and_the_connection_stays() {
    let server = Server::echo(Options::default()).await;
    let mut client = server.connect().await;
    client
        .send(Message::binary(vec![0, 159, 146, 150]))
        .await
        .unwrap();
    let error: serde_json::Value = serde_json::from_str(&receive(&mut client).await).unwrap();
    assert_eq!(error["error"]["data"]["code"], "bad_request");
    send(&mut client, "still here").await;
    assert_eq!(receive(&mut client).await, "still here");
    server.end().await;
}

/// Sends events until the peer is given up, and reports how that went.
fn flooding(outcome: mpsc::Sender<(u64, SendError)>) -> App {
    App::new(
        move |Connection {
                  outgoing, incoming, ..
              }| {
            let outcome = outcome.clone();
            async move {
                // Held, so that the flood does not look like an application that has lost interest.
                let _incoming = incoming;
                let event = "e".repeat(1000);
                let mut seq = 0;
                loop {
                    seq += 1;
                    if let Err(error) = outgoing.try_send_event(event.clone(), seq) {
                        outcome.send((seq, error)).await.unwrap();
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            }
        },
    )
}

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go_and_told_where_to_resume() {
    let (outcome, mut outcomes) = mpsc::channel(1);
    let options = Options {
        max_outbound_bytes: 64 * 1024,
        ..Options::default()
    };
    let server = Server::start(options, flooding(outcome)).await;
    let mut client = server.connect().await;
    let (refused, error) = soon(outcomes.recv()).await.unwrap();
    assert_eq!(error, SendError::SlowClient);
    // It reads at last: a prefix of the events, and the number of the last of them.
    let mut events = 0;
    let close = loop {
        match soon(client.next()).await.unwrap().unwrap() {
            Message::Text(_) => events += 1,
            Message::Close(Some(close)) => break close,
            other => panic!("unexpected {other:?}"),
        }
    };
    assert!(events > 0 && events < refused, "{events} of {refused}");
    assert_eq!(u16::from(close.code), close_code::SLOW_CLIENT);
    assert_eq!(
        close.reason.as_str(),
        format!("slow client, resume after seq {events}")
    );
    server.end().await;
}

#[tokio::test]
async fn a_slow_client_does_not_slow_another() {
    let app = App::new(
        |Connection {
             mut incoming,
             outgoing,
             ..
         }| async move {
            while let Received::Frame(frame) = incoming.next().await {
                // Replies wait for their peer: the one that does not read stays in here.
                for _ in 0..frame.text().parse().unwrap() {
                    if outgoing.send("r".repeat(MIB)).await.is_err() {
                        return;
                    }
                }
            }
        },
    );
    let options = Options {
        max_outbound_bytes: MIB,
        ..Options::default()
    };
    let server = Server::start(options, app).await;
    let mut slow = server.connect().await;
    send(&mut slow, "64").await;
    let mut other = server.connect().await;
    for _ in 0..10 {
        send(&mut other, "1").await;
        assert_eq!(receive(&mut other).await.len(), MIB);
    }
    // And the slow one loses nothing.
    for _ in 0..64 {
        assert_eq!(receive(&mut slow).await.len(), MIB);
    }
    server.end().await;
}

#[tokio::test]
async fn a_long_reply_under_way_does_not_hold_up_what_the_client_sends() {
    let (told, mut heard) = mpsc::channel(4);
    let app = App::new(
        move |Connection {
                  mut incoming,
                  outgoing,
                  ..
              }| {
            let told = told.clone();
            async move {
                outgoing.send("r".repeat(64 * MIB)).await.unwrap();
                while let Received::Frame(frame) = incoming.next().await {
                    told.send(frame.text().to_owned()).await.unwrap();
                }
            }
        },
    );
    let server = Server::start(Options::default(), app).await;
    let mut client = server.connect().await;
    send(&mut client, "cancel").await;
    assert_eq!(soon(heard.recv()).await.unwrap(), "cancel");
    assert_eq!(receive(&mut client).await.len(), 64 * MIB);
    server.end().await;
}

#[tokio::test]
async fn connections_over_the_number_are_refused_until_one_ends() {
    let server = Server::echo(Options {
        max_connections: 2,
        ..Options::default()
    })
    .await;
    let mut first = server.connect().await;
    let _second = server.connect().await;
    let (status, body) = server.connect_with(&[]).await.unwrap_err();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("too many connections"), "{body}");
    assert!(server.get("/healthz").await.starts_with("HTTP/1.1 200 OK\r\n"));
    first.close(None).await.unwrap();
    while soon(first.next()).await.is_some() {}
    soon(async { while server.connect_with(&[]).await.is_err() {} }).await;
    server.end().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn idle_connections_are_cheap() {
    const CONNECTIONS: usize = 500;
    /// Client and server are in this process, so this is what both take.
    const EACH: usize = 64 * 1024;
    let server = Server::echo(Options::default()).await;
    let before = resident_bytes();
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut client = server.connect().await;
        send(&mut client, "hello").await;
        assert_eq!(receive(&mut client).await, "hello");
        clients.push(client);
    }
    let grown = resident_bytes().saturating_sub(before);
    assert!(
        grown < CONNECTIONS * EACH,
        "{} KiB per connection",
        grown / CONNECTIONS / 1024
    );
    server.end().await;
}

#[cfg(target_os = "linux")]
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}
