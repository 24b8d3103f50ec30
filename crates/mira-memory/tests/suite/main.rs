//! Sessions and messages on a real database.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod analysis;
mod curate;
mod erase;
mod facts;
mod filled;
mod home;
mod jobs;
mod killed;
mod patterns;
mod portable;
mod profile;
mod recall;
mod salience;
mod secret;
mod similarity;
mod summaries;

use std::sync::Arc;
use std::time::Duration;

use mira_memory::{Error, Memory, Message, NewMessage, Role, session};
use mira_store::{Database, ManualClock, MessageId, SessionId, Timestamp};

struct Fixture {
    _folder: tempfile::TempDir,
    database: Database,
    clock: Arc<ManualClock>,
    memory: Memory,
}

async fn memory() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("memory.db")).await.unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_ms(1_762_000_000_000)));
    let memory = Memory::open(database.clone(), clock.clone()).await.unwrap();
    Fixture {
        _folder: folder,
        database,
        clock,
        memory,
    }
}

fn contents(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.content.as_str()).collect()
}

#[tokio::test]
async fn pages_go_backwards_without_gap_or_repeat_and_stay_in_their_session() {
    let Fixture { memory, .. } = &memory().await;
    let session = memory.create_session().await.unwrap().id;
    let other = memory.create_session().await.unwrap().id;
    for n in 0..25 {
        memory
            .save(NewMessage::new(session, Role::User, format!("{n}")))
            .await
            .unwrap();
        memory
            .save(NewMessage::new(other, Role::Assistant, "elsewhere"))
            .await
            .unwrap();
    }
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = memory.page(session, before, 10).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.number);
        seen.extend(page);
    }
    let expected: Vec<String> = (0..25).rev().map(|n| n.to_string()).collect();
    assert_eq!(contents(&seen), expected);
    assert_eq!(memory.count_before(session, seen[3].number).await.unwrap(), 21);
}

#[tokio::test]
async fn a_message_comes_back_as_it_was_stored() {
    let Fixture { memory, .. } = &memory().await;
    let session = memory.create_session().await.unwrap().id;
    let question = memory
        .save(NewMessage::new(session, Role::User, "naïve 🦀\r\n\0?"))
        .await
        .unwrap();
    let answer = NewMessage {
        reply_to: Some(question.id),
        ..NewMessage::new(session, Role::Assistant, "")
    };
    let answer = memory.save(answer).await.unwrap();
    assert_eq!(memory.message(question.id).await.unwrap(), Some(question));
    assert_eq!(memory.message(answer.id).await.unwrap(), Some(answer));
    assert_eq!(
        memory.message(MessageId::at(Timestamp::default())).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_message_for_an_unknown_session_is_refused_and_not_kept() {
    let Fixture { memory, database, .. } = &memory().await;
    let nowhere = SessionId::at(Timestamp::default());
    let refused = memory.save(NewMessage::new(nowhere, Role::User, "hello")).await;
    assert!(matches!(refused, Err(Error::UnknownSession(id)) if id == nowhere));
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM messages")
        .fetch_one(database.readers())
        .await
        .unwrap();
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn sessions_are_listed_by_last_use_with_count_and_title() {
    let Fixture { memory, clock, .. } = &memory().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        clock.advance(Duration::from_secs(1));
        let (session, created) = memory.open_session(&format!("s{n}")).await.unwrap();
        assert!(created);
        ids.push(session.id);
    }
    clock.advance(Duration::from_secs(1));
    let said = format!("\n  {}\nmore", "x".repeat(100));
    memory
        .save(NewMessage::new(ids[1], Role::User, said))
        .await
        .unwrap();
    memory
        .save(NewMessage::new(ids[1], Role::User, "second"))
        .await
        .unwrap();

    let first = memory.sessions(None, 2).await.unwrap();
    let rest = memory.sessions(first.last(), 10).await.unwrap();
    let listed: Vec<SessionId> = first.iter().chain(&rest).map(|session| session.id).collect();
    assert_eq!(listed, [ids[1], ids[4], ids[3], ids[2], ids[0]]);
    assert_eq!(first[0].message_count, 2);
    assert_eq!(first[0].title.as_deref(), Some("x".repeat(80).as_str()));
    assert_eq!(memory.open_session("s3").await.unwrap().0.id, ids[3]);
    assert_eq!(memory.session_named("s9").await.unwrap(), None);
}

#[tokio::test]
async fn callers_that_open_a_name_at_once_get_one_session() {
    let Fixture { memory, .. } = &memory().await;
    let opened = tokio::join!(
        memory.open_session("one"),
        memory.open_session("one"),
        memory.open_session("one")
    );
    let (a, b, c) = (opened.0.unwrap(), opened.1.unwrap(), opened.2.unwrap());
    assert!(a.0.id == b.0.id && b.0.id == c.0.id);
    assert_eq!([a.1, b.1, c.1].iter().filter(|created| **created).count(), 1);
}

#[tokio::test]
async fn names_that_nobody_could_read_are_refused() {
    let Fixture { memory, .. } = &memory().await;
    for name in ["", "  ", "a\nb", &"é".repeat(session::MAX_NAME_CHARS + 1)] {
        assert!(
            matches!(memory.open_session(name).await, Err(Error::InvalidName)),
            "{name:?}"
        );
    }
    memory
        .open_session(&"é".repeat(session::MAX_NAME_CHARS))
        .await
        .unwrap();
}
