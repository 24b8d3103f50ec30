//! One connection: connecting, calling, notifications, the end.

use std::io::ErrorKind;
use std::time::Duration;

use mira_client::{Client, Error, Options};
use mira_proto::error::{ErrorBody, ErrorCode};
use mira_proto::native::{
    ChatSend, ChatSendParams, ChatSendResult, HeartbeatNotification, Initialize, InitializeResult, Limits,
    Notification, ProjectList, ProjectListResult, SessionOpen, SessionOpenParams,
};
use tokio::net::TcpListener;

use crate::fake::{Fake, SESSION, completed, hello, opened, part, recorded};

/// A client and the server's side of its connection.
async fn connected(hello: InitializeResult) -> (Client, crate::fake::Peer) {
    let fake = Fake::start().await;
    let (client, (peer, _)) =
        tokio::join!(Client::connect(Options::new(fake.url())), fake.accept_with(hello));
    (client.unwrap(), peer)
}

fn turn(content: &str) -> ChatSendParams {
    ChatSendParams {
        session_id: SESSION.to_owned(),
        content: content.to_owned(),
        ..ChatSendParams::default()
    }
}

fn accepted(operation: &str) -> ChatSendResult {
    ChatSendResult {
        message_id: "m".to_owned(),
        operation_id: operation.to_owned(),
        seq: 1,
        queued: 0,
    }
}

#[tokio::test]
async fn the_first_exchange_says_who_is_calling() {
    let fake = Fake::start().await;
    let options = Options {
        token: Some("s3cret".into()),
        client_name: "probe".to_owned(),
        client_version: "1.2".to_owned(),
        ..Options::new(fake.url())
    };
    let (client, (_peer, said)) = tokio::join!(Client::connect(options), fake.accept_with(hello()));
    assert_eq!(client.unwrap().server(), &hello());
    assert_eq!(said.token.as_deref(), Some("s3cret"));
    assert_eq!(
        (said.client.name.as_str(), said.client.version.as_str()),
        ("probe", "1.2")
    );
}

#[tokio::test]
async fn the_token_is_in_the_header_and_not_in_the_debug_output() {
    let fake = Fake::start().await;
    let options = Options {
        token: Some("s3cret".into()),
        ..Options::new(fake.url())
    };
    assert!(!format!("{options:?}").contains("s3cret"));
    let body =
        r#"{"error":{"code":"unauthorized","retryable":false,"hint":"set it"},"message":"wrong token"}"#;
    let answer = format!(
        "HTTP/1.1 401 Unauthorized\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (client, head) = tokio::join!(Client::connect(options), fake.answer_http(&answer));
    assert!(
        head.to_lowercase().contains("authorization: bearer s3cret\r\n"),
        "{head}"
    );
    let error = client.unwrap_err();
    assert!(!error.is_retryable());
    let expected = ErrorBody::new(ErrorCode::Unauthorized, "wrong token").with_hint("set it");
    assert_eq!(error.body(), Some(&expected));
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_connection_is_told_apart() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", gone.local_addr().unwrap());
    drop(gone);
    let error = Client::connect(Options::new(url)).await.unwrap_err();
    assert!(
        matches!(&error, Error::Unreachable { source, .. } if source.kind() == ErrorKind::ConnectionRefused),
        "{error:?}"
    );
    assert!(error.is_retryable());

    for url in ["", "127.0.0.1", "http://127.0.0.1:1/ws", "ws://[::1", "ws:///ws"] {
        let error = Client::connect(Options::new(url)).await.unwrap_err();
        assert!(matches!(&error, Error::Url { .. }), "{url}: {error:?}");
    }

    let fake = Fake::start().await;
    for (status, retryable) in [("404 Not Found", false), ("503 Unavailable", true)] {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        let (client, _) = tokio::join!(
            Client::connect(Options::new(fake.url())),
            fake.answer_http(&answer)
        );
        let error = client.unwrap_err();
        assert!(matches!(&error, Error::Refused { error: None, .. }), "{error:?}");
        assert_eq!(error.is_retryable(), retryable);
    }

    let (client, _) = tokio::join!(
        Client::connect(Options::new(fake.url())),
        fake.answer_http("SSH-2.0\r\n")
    );
    assert!(matches!(client.unwrap_err(), Error::Handshake { .. }));

    let options = Options {
        connect_timeout: Duration::from_millis(50),
        ..Options::new(fake.url())
    };
    assert!(matches!(
        Client::connect(options).await.unwrap_err(),
        Error::ConnectTimeout { .. }
    ));
}

#[tokio::test]
async fn a_server_can_refuse_the_first_exchange() {
    let fake = Fake::start().await;
    let unauthorized = ErrorBody::new(ErrorCode::Unauthorized, "no token");
    let refusing = async {
        let mut peer = fake.accept_socket().await;
        peer.expect::<Initialize>().await;
        peer.refuse(None, unauthorized.clone()).await;
        peer.close(4401, "").await;
    };
    let (client, ()) = tokio::join!(Client::connect(Options::new(fake.url())), refusing);
    let error = client.unwrap_err();
    assert_eq!((error.body(), error.is_retryable()), (Some(&unauthorized), false));

    let newer = InitializeResult {
        protocol_version: 2,
        ..hello()
    };
    let (client, _) = tokio::join!(Client::connect(Options::new(fake.url())), fake.accept_with(newer));
    assert_eq!(
        client.unwrap_err().body().unwrap().code,
        ErrorCode::ProtocolVersion
    );
}

#[tokio::test]
async fn answers_find_their_calls_in_any_order() {
    let (client, mut peer) = connected(hello()).await;
    let caller = client.caller();
    let calls = async {
        tokio::join!(
            client.call::<ChatSend>(turn("one")),
            caller.call::<ChatSend>(turn("two"))
        )
    };
    let server = async {
        let (first, one) = peer.expect::<ChatSend>().await;
        let (second, two) = peer.expect::<ChatSend>().await;
        peer.reply(second, accepted(&two.content)).await;
        peer.reply(first, accepted(&one.content)).await;
    };
    let ((one, two), ()) = tokio::join!(calls, server);
    assert_eq!(one.unwrap(), accepted("one"));
    assert_eq!(two.unwrap(), accepted("two"));
}

#[tokio::test]
async fn calls_fail_with_what_the_server_says() {
    let (client, mut peer) = connected(hello()).await;
    let error = ErrorBody::new(ErrorCode::QueueFull, "too many turns wait")
        .with_field("content")
        .with_hint("wait");
    let server = async {
        let (id, _) = peer.expect::<ChatSend>().await;
        peer.refuse(Some(id), error.clone()).await;
    };
    let (result, ()) = tokio::join!(client.call::<ChatSend>(turn("x")), server);
    let failure = result.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "`chat.send` was refused: too many turns wait"
    );
    assert!(failure.is_retryable());
    assert_eq!(failure.body(), Some(&error));

    let server = async {
        let (id, _) = peer.expect::<ChatSend>().await;
        peer.reply(id, "surprise").await;
    };
    let (result, ()) = tokio::join!(client.call::<ChatSend>(turn("x")), server);
    assert!(matches!(
        result,
        Err(Error::Decode {
            method: "chat.send",
            ..
        })
    ));
}

#[tokio::test]
async fn calls_do_not_wait_for_ever_and_late_answers_hurt_nobody() {
    let (client, mut peer) = connected(hello()).await;
    let hasty = client.caller().with_timeout(Duration::from_millis(20));
    let error = hasty
        .call::<ProjectList>(mira_proto::native::Empty {})
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::CallTimeout {
                method: "project.list",
                ..
            }
        ),
        "{error:?}"
    );

    let server = async {
        let (late, _) = peer.expect::<ProjectList>().await;
        peer.reply(late, ProjectListResult { projects: Vec::new() }).await;
        let (id, _) = peer.expect::<ChatSend>().await;
        peer.reply(id, accepted("next")).await;
    };
    let (result, ()) = tokio::join!(client.call::<ChatSend>(turn("x")), server);
    assert_eq!(result.unwrap(), accepted("next"));
}

#[tokio::test]
async fn calls_that_change_something_carry_a_key() {
    let (client, mut peer) = connected(hello()).await;
    let mut keys = Vec::new();
    for own in [None, None, Some("mine".to_owned())] {
        let params = ChatSendParams {
            idempotency_key: own,
            ..turn("x")
        };
        let server = async {
            let (id, params) = peer.expect::<ChatSend>().await;
            peer.reply(id, accepted("x")).await;
            params.idempotency_key.unwrap()
        };
        let (result, key) = tokio::join!(client.call::<ChatSend>(params), server);
        result.unwrap();
        keys.push(key);
    }
    assert_ne!(keys[0], keys[1]);
    assert_eq!((keys[0].len(), keys[2].as_str()), (32, "mine"));
}

#[tokio::test]
async fn a_call_larger_than_the_server_takes_is_not_sent() {
    let (client, mut peer) = connected(hello()).await;
    let limit = hello().limits.max_frame_bytes;
    let error = client
        .call::<ChatSend>(turn(&"x".repeat(5000)))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { limit: l, .. } if l == limit),
        "{error:?}"
    );
    let server = async {
        let (id, _) = peer.expect::<ChatSend>().await;
        peer.reply(id, accepted("x")).await;
    };
    let (result, ()) = tokio::join!(client.call::<ChatSend>(turn("small")), server);
    result.unwrap();
}

#[tokio::test]
async fn notifications_wait_for_a_slow_program_and_none_is_lost() {
    const EVENTS: u64 = 5000;
    let (mut client, mut peer) = connected(hello()).await;
    let server = async {
        let (id, _) = peer.expect::<SessionOpen>().await;
        peer.reply(id, opened(0)).await;
        for seq in 1..=EVENTS {
            peer.event(seq, part(seq - 1, "x")).await;
        }
    };
    let program = async {
        client
            .call::<SessionOpen>(SessionOpenParams::default())
            .await
            .unwrap();
        for seq in 1..=EVENTS {
            if seq % 500 == 0 {
                tokio::task::yield_now().await;
            }
            let expected = Notification::Event(recorded(seq, part(seq - 1, "x")));
            assert_eq!(client.next_notification().await.unwrap(), expected);
        }
    };
    tokio::join!(server, program);
}

#[tokio::test]
async fn heartbeats_and_what_is_unknown_are_not_delivered() {
    let (mut client, mut peer) = connected(hello()).await;
    peer.notify(Notification::Heartbeat(HeartbeatNotification { time_ms: 1 }))
        .await;
    peer.send(r#"{"jsonrpc":"2.0","method":"weather","params":{"rain":true}}"#.to_owned())
        .await;
    peer.send(r#"{"jsonrpc":"2.0","id":7,"method":"approve","params":{}}"#.to_owned())
        .await;
    peer.send(r#"{"jsonrpc":"2.0","id":7000,"result":{}}"#.to_owned())
        .await;
    peer.event(1, completed()).await;
    assert_eq!(
        client.next_notification().await.unwrap(),
        Notification::Event(recorded(1, completed()))
    );
}

#[tokio::test]
async fn what_cannot_be_read_ends_the_connection() {
    for frame in [
        "nonsense",
        "[]",
        r#"{"jsonrpc":"2.0","method":"event","params":{"session_id":"s"}}"#,
    ] {
        let (mut client, mut peer) = connected(hello()).await;
        peer.send(frame.to_owned()).await;
        let error = client.next_notification().await.unwrap_err();
        assert!(matches!(&error, Error::Unreadable { .. }), "{frame}: {error:?}");
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn the_end_of_a_connection_fails_its_calls_and_says_why() {
    let (mut client, mut peer) = connected(hello()).await;
    let server = async {
        peer.expect::<ChatSend>().await;
        peer.close(1001, "the server is shutting down").await;
    };
    let (result, ()) = tokio::join!(client.call::<ChatSend>(turn("x")), server);
    let text = "the server closed the connection (code 1001: the server is shutting down)";
    assert_eq!(result.unwrap_err().to_string(), text);
    assert_eq!(client.next_notification().await.unwrap_err().to_string(), text);
    assert_eq!(
        client.call::<ChatSend>(turn("x")).await.unwrap_err().to_string(),
        text
    );

    let (mut client, peer) = connected(hello()).await;
    drop(peer);
    let error = client.next_notification().await.unwrap_err();
    assert!(matches!(error, Error::Lost | Error::Socket { .. }), "{error:?}");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn three_silent_heartbeats_end_the_connection() {
    let (mut client, _peer) = connected(InitializeResult {
        heartbeat_seconds: 1,
        ..hello()
    })
    .await;
    // Calls do not count as being heard.
    let caller = client.caller().with_timeout(Duration::from_millis(300));
    let calling = async {
        loop {
            match caller.call::<ChatSend>(turn("x")).await {
                Err(Error::CallTimeout { .. }) => {}
                other => break other,
            }
        }
    };
    let (error, call) = tokio::join!(client.next_notification(), calling);
    assert!(matches!(error, Err(Error::Silent { after }) if after == Duration::from_secs(3)));
    assert!(matches!(call, Err(Error::Silent { .. })));
}

#[tokio::test]
async fn dropping_and_closing_say_goodbye() {
    for polite in [false, true] {
        let (client, mut peer) = connected(InitializeResult {
            limits: Limits {
                max_frame_bytes: 1,
                ..hello().limits
            },
            ..hello()
        })
        .await;
        let caller = client.caller();
        let server = async {
            let frame = peer.frame().await;
            assert!(frame.is_some_and(|frame| frame.is_close()));
            while peer.frame().await.is_some() {}
        };
        let program = async {
            if polite {
                client.close().await;
            } else {
                drop(client);
            }
        };
        tokio::join!(server, program);
        assert!(matches!(
            caller.call::<ChatSend>(turn("x")).await,
            Err(Error::Closed)
        ));
    }
}
