//! How a connection lives, and how it ends.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use mira_server::transport::{App, Connection, Options, Received, SendError, close_code};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, mpsc},
};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::support::{Server, closing, receive, send, soon};

fn brief_heartbeat() -> Options {
    Options {
        heartbeat: Duration::from_millis(20),
        dead_after: Duration::from_millis(200),
        ..Options::default()
    }
}

#[tokio::test]
async fn a_peer_that_answers_pings_stays_and_ticks_reach_the_application() {
    let app = App::new(
        |Connection {
             mut incoming,
             outgoing,
             ..
         }| async move {
            loop {
                match incoming.next().await {
                    Received::Tick => outgoing.send("tick".to_owned()).await.unwrap(),
                    Received::Frame(_) => {}
                    Received::Stopping | Received::Closed => return,
                }
            }
        },
    );
    let server = Server::start(brief_heartbeat(), app).await;
    let mut client = server.connect().await;
    // Far more heartbeats than a dead peer is given.
    for _ in 0..25 {
        assert_eq!(receive(&mut client).await, "tick");
    }
    server.end().await;
}

#[tokio::test]
async fn a_dead_peer_is_let_go() {
    let gone = Arc::new(Notify::new());
    let app = App::new({
        let gone = Arc::clone(&gone);
        move |Connection { mut incoming, .. }| {
            let gone = Arc::clone(&gone);
            async move {
                while !matches!(incoming.next().await, Received::Closed) {}
                gone.notify_one();
            }
        }
    });
    let server = Server::start(brief_heartbeat(), app).await;
    // Connected, but never polled again: pings arrive and nobody answers.
    let client = server.connect().await;
    soon(gone.notified()).await;
    drop(client);
    server.end().await;
}

#[tokio::test]
async fn a_peer_is_not_dead_because_the_application_does_not_listen() {
    let release = Arc::new(Notify::new());
    let app = App::new({
        let release = Arc::clone(&release);
        move |connection: Connection| {
            let release = Arc::clone(&release);
            async move {
                release.notified().await;
                crate::support::echo(connection).await;
            }
        }
    });
    let server = Server::start(brief_heartbeat(), app).await;
    let mut client = server.connect().await;
    // More than the application's queue holds, so that the answers to pings stay unread behind them.
    for number in 0..40 {
        send(&mut client, number.to_string()).await;
    }
    for _ in 0..25 {
        let message = soon(client.next()).await.unwrap().unwrap();
        assert!(matches!(message, Message::Ping(_)), "{message:?}");
    }
    release.notify_one();
    for number in 0..40 {
        assert_eq!(receive(&mut client).await, number.to_string());
    }
    server.end().await;
}

#[tokio::test]
async fn pings_of_the_peer_are_answered() {
    let server = Server::echo(Options::default()).await;
    let mut client = server.connect().await;
    client
        .send(Message::Ping(Bytes::from_static(b"are you there")))
        .await
        .unwrap();
    let answer = soon(client.next()).await.unwrap().unwrap();
    assert_eq!(answer, Message::Pong(Bytes::from_static(b"are you there")));
    server.end().await;
}

#[tokio::test]
async fn both_sides_can_close() {
    let server = Server::echo(Options::default()).await;
    let mut client = server.connect().await;
    client.close(None).await.unwrap();
    assert!(matches!(
        soon(client.next()).await,
        Some(Ok(Message::Close(None)))
    ));
    assert!(soon(client.next()).await.is_none());
    server.end().await;

    let app = App::new(|Connection { outgoing, .. }| async move {
        outgoing.send("last words".to_owned()).await.unwrap();
        outgoing.close(4000, &"ä".repeat(100));
        outgoing.close(4001, "too late");
    });
    let server = Server::start(Options::default(), app).await;
    let mut client = server.connect().await;
    assert_eq!(receive(&mut client).await, "last words");
    assert_eq!(closing(&mut client).await, (vec![], 4000, "ä".repeat(61)));
    server.end().await;
}

#[tokio::test]
async fn a_failing_application_closes_its_own_connection_only() {
    let app = App::new(|mut connection: Connection| async move {
        let Received::Frame(frame) = connection.incoming.next().await else {
            return;
        };
        assert_ne!(frame.text(), "fail");
        connection.outgoing.send(frame.text().to_owned()).await.unwrap();
    });
    let server = Server::start(Options::default(), app).await;
    let mut failing = server.connect().await;
    let mut other = server.connect().await;
    send(&mut failing, "fail").await;
    assert_eq!(
        closing(&mut failing).await,
        (vec![], close_code::INTERNAL, "internal error".to_owned())
    );
    send(&mut other, "work").await;
    assert_eq!(receive(&mut other).await, "work");
    assert_eq!(
        closing(&mut other).await,
        (vec![], close_code::NORMAL, String::new())
    );
    server.end().await;
}

#[tokio::test]
async fn frames_that_break_the_protocol_end_the_connection() {
    let handshake = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let server = Server::echo(Options::default()).await;
    for (frame, code) in [
        (&[0x81, 0x01, b'x'][..], close_code::PROTOCOL), // not masked
        (&[0x81, 0x81, 0, 0, 0, 0, 0xff], close_code::NOT_UTF8), // not UTF-8
        (&[0x83, 0x80, 0, 0, 0, 0], close_code::PROTOCOL), // a reserved kind of frame
        (&[0x80, 0x80, 0, 0, 0, 0], close_code::PROTOCOL), // continues nothing
        (
            &[
                0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
            ],
            close_code::TOO_LARGE,
        ),
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(handshake.as_bytes()).await.unwrap();
        stream.write_all(frame).await.unwrap();
        let mut reply = Vec::new();
        let mut part = [0; 1024];
        let close = code.to_be_bytes();
        while !reply.windows(2).any(|bytes| bytes == close) {
            let length = soon(stream.read(&mut part)).await.unwrap();
            assert!(length > 0, "{frame:x?} ended without {code}: {reply:x?}");
            reply.extend_from_slice(&part[..length]);
        }
    }
    server.end().await;
}

#[tokio::test]
async fn a_soft_stop_lets_applications_finish() {
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
                let mut busy = false;
                loop {
                    match incoming.next().await {
                        Received::Frame(_) => {
                            busy = true;
                            outgoing.send("working".to_owned()).await.unwrap();
                        }
                        Received::Tick => {}
                        Received::Stopping | Received::Closed => break,
                    }
                }
                if busy {
                    release.notified().await;
                    outgoing.send("done".to_owned()).await.unwrap();
                }
            }
        }
    });
    let server = Server::start(Options::default(), app).await;
    let mut idle = server.connect().await;
    let mut busy = server.connect().await;
    send(&mut busy, "work").await;
    assert_eq!(receive(&mut busy).await, "working");

    server.stop.soft.cancel();
    let going_away = (
        vec![],
        close_code::GOING_AWAY,
        "the server is shutting down".to_owned(),
    );
    assert_eq!(closing(&mut idle).await, going_away);
    release.notify_one();
    assert_eq!(receive(&mut busy).await, "done");
    assert_eq!(closing(&mut busy).await, going_away);
    server.ended().await;
}

#[tokio::test]
async fn a_hard_stop_and_the_end_of_the_grace_time_wait_for_nobody() {
    let stubborn = || App::new(|_| std::future::pending());
    let server = Server::start(Options::default(), stubborn()).await;
    let _client = server.connect().await;
    server.end().await;

    let grace = Options {
        shutdown_grace: Duration::from_millis(50),
        ..Options::default()
    };
    let server = Server::start(grace, stubborn()).await;
    let _client = server.connect().await;
    server.stop.soft.cancel();
    server.ended().await;
}

#[tokio::test]
async fn sending_to_a_closed_connection_fails() {
    let (told, mut results) = mpsc::channel(1);
    let app = App::new(
        move |Connection {
                  mut incoming,
                  outgoing,
                  ..
              }| {
            let told = told.clone();
            async move {
                while !matches!(incoming.next().await, Received::Closed) {}
                let results = (
                    outgoing.send("late".to_owned()).await,
                    outgoing.try_send_event("late".to_owned(), 1),
                );
                told.send(results).await.unwrap();
            }
        },
    );
    let server = Server::start(Options::default(), app).await;
    drop(server.connect().await);
    assert_eq!(
        soon(results.recv()).await,
        Some((Err(SendError::Closed), Err(SendError::Closed)))
    );
    server.end().await;
}
