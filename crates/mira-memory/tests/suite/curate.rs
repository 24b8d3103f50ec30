//! Pins, salience set by hand, deletion of single messages.

use mira_memory::{Error, NewMessage, Role};
use mira_store::MessageId;

use super::filled::{Filled, count, fill, unknown};
use super::{Fixture, memory};

async fn original_and_current(fixture: &Fixture, id: MessageId) -> Option<(f64, f64)> {
    sqlx::query_as(
        "SELECT original_salience, salience FROM analyses JOIN messages ON number = message WHERE id = ?1",
    )
    .bind(id)
    .fetch_optional(fixture.database.readers())
    .await
    .unwrap()
}

#[tokio::test]
async fn a_message_is_pinned_until_it_is_unpinned() {
    let Fixture { memory, .. } = &memory().await;
    let session = memory.create_session().await.unwrap().id;
    let said = memory
        .save(NewMessage::new(session, Role::User, "mind the gap"))
        .await
        .unwrap();
    let pinned = memory.pin(said.id).await.unwrap().unwrap();
    assert!(pinned.pinned && memory.message(said.id).await.unwrap() == Some(pinned));
    assert_eq!(memory.unpin(said.id).await.unwrap(), Some(said));
    assert_eq!(memory.pin(unknown()).await.unwrap(), None);
}

#[tokio::test]
async fn salience_by_hand_takes_the_place_of_the_estimate_and_is_told_to_the_index() {
    let fixture = memory().await;
    let Fixture {
        memory,
        database,
        clock,
        ..
    } = &fixture;
    let Filled { messages, .. } = fill(memory, database, clock).await;
    let (analysed, waiting) = (messages[0][4], messages[0][11]);
    let newest = count(database, "SELECT max(version) FROM embeddings").await;
    let all = count(database, "SELECT count(*) FROM embeddings").await;

    assert_eq!(
        memory.update_salience(analysed, 0.9).await.unwrap().unwrap().id,
        analysed
    );
    assert_eq!(original_and_current(&fixture, analysed).await, Some((0.9, 0.9)));
    let versions: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM embeddings WHERE subject = ?1 ORDER BY version")
            .bind(analysed)
            .fetch_all(database.readers())
            .await
            .unwrap();
    assert_eq!(versions, [newest + 1, newest + 2]);
    assert_eq!(count(database, "SELECT count(*) FROM embeddings").await, all);

    memory.update_salience(waiting, 0.1).await.unwrap();
    assert_eq!(original_and_current(&fixture, waiting).await, Some((0.1, 0.1)));
    for value in [-0.1, 1.1, f64::NAN] {
        let refused = memory.update_salience(analysed, value).await;
        assert!(matches!(refused, Err(Error::InvalidSalience(_))), "{value}");
    }
    assert_eq!(memory.update_salience(unknown(), 0.5).await.unwrap(), None);
}

#[tokio::test]
async fn a_message_that_comes_to_matter_is_embedded() {
    let Fixture {
        memory,
        database,
        clock,
        ..
    } = &memory().await;
    let Filled { messages, .. } = fill(memory, database, clock).await;
    let mut transaction = database.begin().await.unwrap();
    sqlx::query("DELETE FROM embeddings")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    memory.update_salience(messages[0][0], 0.2).await.unwrap();
    assert_eq!(
        count(database, "SELECT count(*) FROM outbox WHERE work = 'embed'").await,
        0
    );
    memory.update_salience(messages[0][0], 0.3).await.unwrap();
    assert_eq!(
        count(database, "SELECT count(*) FROM outbox WHERE work = 'embed'").await,
        1
    );
}

#[tokio::test]
async fn a_deleted_message_takes_along_what_tells_of_it() {
    let Fixture {
        memory,
        database,
        clock,
        ..
    } = &memory().await;
    let Filled { anna, messages, .. } = fill(memory, database, clock).await;
    let [told, ..] = &messages;

    assert!(memory.delete_message(told[6]).await.unwrap());
    assert!(!memory.delete_message(told[6]).await.unwrap());
    assert_eq!(memory.message(told[6]).await.unwrap(), None);
    let answer = memory.message(told[7]).await.unwrap().unwrap();
    assert_eq!(answer.reply_to, None);
    assert_eq!(count(database, "SELECT count(*) FROM analyses").await, 32);
    assert_eq!(
        count(database, "SELECT count(*) FROM embeddings WHERE kind = 'message'").await,
        64
    );
    // The summary before stays, the one that covers the message goes.
    assert_eq!(count(database, "SELECT count(*) FROM summaries").await, 5);
    assert_eq!(
        count(database, "SELECT count(*) FROM embeddings WHERE kind = 'summary'").await,
        5
    );
    let session = memory.session(anna).await.unwrap().unwrap();
    assert_eq!(session.message_count, 11);
    assert!(session.title.unwrap().starts_with("marmalade 0"));

    assert!(memory.delete_message(told[0]).await.unwrap());
    let session = memory.session(anna).await.unwrap().unwrap();
    assert_eq!(session.message_count, 10);
    assert!(session.title.unwrap().starts_with("marmalade 2"));
    assert_eq!(count(database, "SELECT count(*) FROM summaries").await, 4);
    // Facts stay, the one that came from the message without a source.
    assert_eq!(count(database, "SELECT count(*) FROM facts").await, 9);
    assert_eq!(
        count(
            database,
            "SELECT count(*) FROM facts WHERE source_message IS NOT NULL"
        )
        .await,
        5
    );
    let rest = memory.page(anna, None, 20).await.unwrap();
    assert_eq!(rest.len(), 10);
}
