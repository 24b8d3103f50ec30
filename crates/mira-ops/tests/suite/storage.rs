//! A disk that is full.

use mira_llm::scripted::{Endpoint as Route, Outcome, Step};
use mira_ops::Error;
use mira_ops::failure::FailureCode;
use mira_store::Database;

use crate::harness::{Mira, deadline, reasoner, script};

/// The largest number of pages that SQLite allows.
const ROOM: u32 = 4_294_967_294;

/// Lets the database grow to this many pages, as a full disk would; not below what it has.
async fn limit_pages(database: &Database, pages: u32) {
    let mut transaction = database.begin().await.unwrap();
    let pragma = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    sqlx::query(pragma).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_message_that_cannot_be_stored_is_refused_and_leaves_nothing() {
    let mira = Mira::start(script([reasoner("quick").text("Yes.")])).await;
    limit_pages(&mira.database, 1).await;
    let long = mira.turn(&"What about this? ".repeat(10_000));
    let refused = mira.operations.send(long).await.unwrap_err();
    assert!(matches!(refused, Error::Store(_)), "{refused:?}");
    assert_eq!(mira.messages().await, []);
    assert_eq!(mira.operations.last_seq(mira.session).await.unwrap(), 0);
    assert_eq!(mira.requests(Route::Responses).len(), 0, "nothing is asked");

    limit_pages(&mira.database, ROOM).await;
    mira.operations
        .send(mira.turn("And now?"))
        .await
        .expect("there is room again");
    mira.close().await;
}

#[tokio::test]
async fn a_turn_whose_events_cannot_be_stored_fails_once_there_is_room_to_say_so() {
    let flood = "More than what is left. ".repeat(10_000);
    let rule = reasoner("answers")
        .text("A few words. ")
        .hold("full")
        .step(Step::text(&flood))
        .hold("never");
    let mira = Mira::start(script([rule, reasoner("quick").text("Yes.")])).await;
    let accepted = mira.send(mira.turn("Hello")).await;
    mira.arrived("full").await;
    limit_pages(&mira.database, 1).await;
    mira.upstream.release("full");
    // The turn gives up the request once it cannot write what comes.
    assert_eq!(deadline(mira.upstream.ended(0)).await, Outcome::ClientGone);
    limit_pages(&mira.database, ROOM).await;

    let turned = mira.ended(accepted.operation).await;
    assert_eq!(turned.end(), "failed: Storage, retryable");
    assert_eq!(turned.detail.text, "A few words. ");
    let failure = turned.detail.operation.failure.unwrap();
    assert_eq!(failure.code, FailureCode::Storage);
    mira.close().await;
}
