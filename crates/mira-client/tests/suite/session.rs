//! A session across broken connections.

use std::time::Duration;

use mira_client::{Error, Options, Session, Start, Synced, Texts, Update};
use mira_proto::error::{ErrorBody, ErrorCode};
use mira_proto::native::{
    ChatSend, ChatSendParams, ChatSendResult, Event, InFlightItem, ItemKind, Notification,
    SessionClosedNotification, SessionClosedReason, SessionOpen, SessionOpenParams, SessionOpenResult,
    SessionResume,
};
use tokio::time::timeout;

use crate::fake::{DEADLINE, Fake, OPERATION, Peer, SESSION, completed, opened, part};

async fn open(fake: &Fake, last_seq: u64) -> (Session, Peer) {
    let (session, peer) = tokio::join!(
        Session::open(Options::new(fake.url()), Start::Named("test".to_owned())),
        fake.accept_open(last_seq)
    );
    (session.unwrap(), peer)
}

/// Takes updates up to and with the end of the operation, as short texts, and puts the answer together.
async fn read(session: &mut Session) -> (Vec<String>, String) {
    let mut log = Vec::new();
    let mut texts = Texts::default();
    let mut answer = String::new();
    loop {
        let update = timeout(DEADLINE, session.next()).await.unwrap().unwrap();
        log.push(match &update {
            Update::Event(event) => event.seq.to_string(),
            Update::Synced(synced) => format!("synced {}", synced.seq),
            Update::Reconnecting { attempt, .. } => format!("reconnecting {attempt}"),
            Update::Resumed { missed } => format!("resumed {missed}"),
        });
        if let Update::Event(event) = update {
            match event.event {
                Event::Streaming {
                    item_id,
                    offset,
                    delta,
                    ..
                } => answer.push_str(texts.apply(&item_id, offset, &delta).unwrap()),
                event if event.is_terminal() => return (log, answer),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn events_come_once_and_in_order_across_breaks() {
    let fake = Fake::start().await;
    let (mut session, mut peer) = open(&fake, 7).await;
    assert_eq!((session.id(), session.name()), (SESSION, Some("test")));
    let server = async {
        peer.event(8, part(0, "Grü")).await;
        peer.event(8, part(0, "Grü")).await;
        drop(peer);
        let (mut peer, params) = fake.accept_resume(vec![part(3, "ße"), part(5, ", ")]).await;
        assert_eq!((params.session_id.as_str(), params.after), (SESSION, 8));
        peer.event(10, part(5, ", ")).await;
        peer.event(11, part(7, "Welt")).await;
        peer.close(1001, "restarting").await;
        let (mut peer, params) = fake.accept_resume(vec![]).await;
        assert_eq!(params.after, 11);
        peer.event(12, completed()).await;
        peer
    };
    let ((log, answer), _peer) = tokio::join!(read(&mut session), server);
    assert_eq!(answer, "Grüße, Welt");
    let expected = [
        "synced 7",
        "8",
        "reconnecting 1",
        "resumed 2",
        "9",
        "10",
        "synced 10",
        "11",
        "reconnecting 2",
        "resumed 0",
        "synced 11",
        "12",
    ];
    assert_eq!(log, expected);
}

#[tokio::test]
async fn a_session_can_be_followed_from_any_event() {
    let fake = Fake::start().await;
    let start = Start::After {
        session_id: SESSION.to_owned(),
        seq: 0,
    };
    let (session, (_peer, params)) = tokio::join!(
        Session::open(Options::new(fake.url()), start),
        fake.accept_resume(vec![part(0, "a"), completed()])
    );
    assert_eq!(params.after, 0);
    let (log, answer) = read(&mut session.unwrap()).await;
    assert_eq!(
        (log, answer.as_str()),
        (vec!["1".to_owned(), "2".to_owned()], "a")
    );
}

#[tokio::test]
async fn every_start_asks_for_its_session() {
    let fake = Fake::start().await;
    for (start, expected) in [
        (Start::New, SessionOpenParams::default()),
        (
            Start::Named("n".to_owned()),
            SessionOpenParams {
                name: Some("n".to_owned()),
                ..SessionOpenParams::default()
            },
        ),
        (
            Start::Existing("i".to_owned()),
            SessionOpenParams {
                session_id: Some("i".to_owned()),
                ..SessionOpenParams::default()
            },
        ),
    ] {
        let in_flight = vec![InFlightItem {
            operation_id: OPERATION.to_owned(),
            item_id: "item".to_owned(),
            kind: ItemKind::Text,
            text: "so far".to_owned(),
        }];
        let server = async {
            let mut peer = fake.accept().await;
            let (id, params) = peer.expect::<SessionOpen>().await;
            let result = SessionOpenResult {
                running: vec![OPERATION.to_owned()],
                in_flight: in_flight.clone(),
                ..opened(3)
            };
            peer.reply(id, result).await;
            (peer, params)
        };
        let (session, (_peer, params)) = tokio::join!(Session::open(Options::new(fake.url()), start), server);
        assert_eq!(params, expected);
        let Update::Synced(synced) = session.unwrap().next().await.unwrap() else {
            panic!("not synced");
        };
        assert_eq!(
            synced,
            Synced {
                seq: 3,
                running: vec![OPERATION.to_owned()],
                in_flight
            }
        );
    }
}

#[tokio::test]
async fn a_missing_event_and_a_closed_session_are_resumed() {
    let fake = Fake::start().await;
    let (mut session, mut peer) = open(&fake, 0).await;
    let server = async {
        peer.event(2, part(1, "b")).await;
        let (mut peer, params) = fake.accept_resume(vec![part(0, "a"), part(1, "b")]).await;
        assert_eq!(params.after, 0);
        peer.notify(Notification::SessionClosed(SessionClosedNotification {
            session_id: SESSION.to_owned(),
            reason: SessionClosedReason::SlowClient,
            resume_after: 2,
        }))
        .await;
        let (peer, params) = fake.accept_resume(vec![completed()]).await;
        assert_eq!(params.after, 2);
        peer
    };
    let ((log, answer), _peer) = tokio::join!(read(&mut session), server);
    assert_eq!(answer, "ab");
    let expected = [
        "synced 0",
        "reconnecting 1",
        "resumed 2",
        "1",
        "2",
        "synced 2",
        "reconnecting 2",
        "resumed 1",
        "3",
    ];
    assert_eq!(log, expected);
}

#[tokio::test]
async fn calls_wait_for_the_connection_and_are_repeated_with_their_key() {
    let fake = Fake::start().await;
    let (mut session, mut peer) = open(&fake, 0).await;
    let caller = session.caller();
    let params = ChatSendParams {
        session_id: SESSION.to_owned(),
        content: "x".to_owned(),
        ..ChatSendParams::default()
    };
    let accepted = ChatSendResult {
        message_id: "m".to_owned(),
        operation_id: OPERATION.to_owned(),
        seq: 0,
        queued: 0,
    };
    let server = async {
        let (_, first) = peer.expect::<ChatSend>().await;
        drop(peer);
        let (mut peer, _) = fake.accept_resume(vec![]).await;
        let (id, second) = peer.expect::<ChatSend>().await;
        assert!(first.idempotency_key.is_some());
        assert_eq!(first, second);
        peer.reply(id, accepted.clone()).await;
        peer.event(1, completed()).await;
        peer
    };
    let (result, peer, _) = tokio::join!(
        caller.call::<ChatSend>(params.clone()),
        server,
        read(&mut session)
    );
    assert_eq!(result.unwrap(), accepted);

    // While nobody answers at all, a call ends in its own time.
    let caller = caller.with_timeout(Duration::from_millis(50));
    drop((peer, fake));
    assert!(matches!(
        caller.call::<ChatSend>(params).await,
        Err(Error::CallTimeout { .. })
    ));
}

#[tokio::test]
async fn a_server_that_comes_back_late_is_waited_for_and_a_refusal_is_final() {
    let fake = Fake::start().await;
    let (mut session, peer) = open(&fake, 5).await;
    let unavailable = "HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n";
    let unknown = ErrorBody::new(ErrorCode::CursorUnknown, "there is no event 5");
    let server = async {
        drop(peer);
        fake.answer_http(unavailable).await;
        let mut peer = fake.accept().await;
        let (id, _) = peer.expect::<SessionResume>().await;
        peer.refuse(Some(id), ErrorBody::new(ErrorCode::ShuttingDown, "wait"))
            .await;
        let mut peer = fake.accept().await;
        let (id, _) = peer.expect::<SessionResume>().await;
        peer.refuse(Some(id), unknown.clone()).await;
    };
    let program = async {
        let mut attempts = Vec::new();
        loop {
            match session.next().await {
                Ok(Update::Reconnecting { attempt, .. }) => attempts.push(attempt),
                Ok(Update::Synced(_)) => {}
                Ok(other) => panic!("{other:?}"),
                Err(error) => break (attempts, error),
            }
        }
    };
    let ((attempts, error), ()) = timeout(DEADLINE, async { tokio::join!(program, server) })
        .await
        .unwrap();
    assert_eq!(attempts, [1, 2, 3]);
    assert_eq!(error.body(), Some(&unknown));
    let called = session.call::<SessionOpen>(SessionOpenParams::default()).await;
    assert_eq!(called.unwrap_err().body(), Some(&unknown));
    assert!(matches!(session.next().await, Err(Error::Closed)));
}

#[tokio::test]
async fn dropping_a_session_closes_the_connection() {
    let fake = Fake::start().await;
    let (session, mut peer) = open(&fake, 0).await;
    let caller = session.caller();
    drop(session);
    assert!(peer.frame().await.is_some_and(|frame| frame.is_close()));
    let called = caller.call::<SessionOpen>(SessionOpenParams::default()).await;
    assert!(matches!(called, Err(Error::Closed)));

    let (session, mut peer) = open(&fake, 0).await;
    let (closed, ()) = tokio::join!(peer.frame(), session.close());
    assert!(closed.is_some_and(|frame| frame.is_close()));
}
