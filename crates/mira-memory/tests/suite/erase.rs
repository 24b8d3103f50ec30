//! Erasing: nothing is left of what goes, and everything of what stays.

use std::path::Path;

use mira_memory::erase::{self, Erased};
use mira_memory::{Memory, Role, Scope};

use super::filled::{count, fill};
use super::{Fixture, memory};

/// Every word of these that stands in a file of the directory.
fn found(folder: &Path, words: &[&'static str]) -> Vec<&'static str> {
    let files: Vec<Vec<u8>> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    let stands = |word: &&&str| {
        files
            .iter()
            .any(|file| file.windows(word.len()).any(|part| part == word.as_bytes()))
    };
    words.iter().filter(stands).copied().collect()
}

async fn exported(memory: &Memory, scope: Scope) -> Vec<String> {
    let mut export = memory.export(scope).await.unwrap();
    let mut lines = Vec::new();
    while let Some(line) = export.next().await.unwrap() {
        lines.push(line);
    }
    lines
}

fn numbers(erased: &Erased) -> [u64; 6] {
    [
        erased.sessions,
        erased.messages,
        erased.summaries,
        erased.facts,
        erased.patterns,
        erased.profiles,
    ]
}

#[tokio::test]
async fn no_byte_is_left_of_a_user_and_all_of_the_others() {
    let Fixture {
        memory,
        database,
        clock,
        _folder: folder,
    } = &memory().await;
    fill(memory, database, clock).await;
    let bert = exported(memory, Scope::User("bert".to_owned())).await;
    assert_eq!(
        found(folder.path(), &["marmalade", "anna"]),
        ["marmalade", "anna"]
    );

    let erased = memory.erase(&Scope::User("anna".to_owned())).await.unwrap();
    assert_eq!(numbers(&erased), [1, 12, 2, 3, 1, 1]);
    assert_eq!(
        (erased.removed.messages.len(), erased.removed.others.len()),
        (12, 5)
    );
    assert_eq!(found(folder.path(), &["marmalade", "anna"]), Vec::<&str>::new());
    assert_eq!(exported(memory, Scope::User("bert".to_owned())).await, bert);
    assert_eq!(exported(memory, Scope::Everything).await, bert);
    // 22 analysed messages in two heads, 4 summaries, 6 facts.
    assert_eq!(
        count(database, "SELECT count(*) FROM embeddings").await,
        2 * 22 + 4 + 6
    );
    assert_eq!(count(database, "SELECT count(*) FROM outbox").await, 2);

    let again = memory.erase(&Scope::User("anna".to_owned())).await.unwrap();
    assert_eq!(again, Erased::default());
}

#[tokio::test]
async fn a_session_goes_with_what_is_known_from_it_alone() {
    let Fixture {
        memory,
        database,
        clock,
        _folder: folder,
    } = &memory().await;
    let filled = fill(memory, database, clock).await;
    // What Anna entered herself is not of the session.
    let mut transaction = database.begin().await.unwrap();
    for sql in [
        "DELETE FROM facts WHERE source_message IS NULL AND user_id = 'anna'",
        "DELETE FROM profiles WHERE user_id = 'anna'",
    ] {
        sqlx::query(sql).execute(&mut *transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
    let bert = exported(memory, Scope::User("bert".to_owned())).await;

    let erased = memory.erase(&Scope::Session(filled.anna)).await.unwrap();
    assert_eq!(numbers(&erased), [1, 12, 2, 2, 1, 0]);
    assert_eq!(found(folder.path(), &["marmalade"]), Vec::<&str>::new());
    assert_eq!(exported(memory, Scope::Everything).await, bert);
}

#[tokio::test]
async fn a_project_goes_out_of_the_sessions_that_it_was_talked_of_in() {
    let Fixture {
        memory,
        database,
        clock,
        ..
    } = &memory().await;
    let filled = fill(memory, database, clock).await;
    let anna = exported(memory, Scope::User("anna".to_owned())).await;
    let mut transaction = database.begin().await.unwrap();
    // The first five messages, which the first summary covers, and the last are about nothing.
    sqlx::query("UPDATE messages SET project_id = NULL WHERE id IN (SELECT value FROM json_each(?1))")
        .bind(serde_json::to_string(&[&filled.messages[2][..5], &filled.messages[2][11..]].concat()).unwrap())
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();

    let erased = memory.erase(&Scope::Project(filled.project)).await.unwrap();
    assert_eq!(numbers(&erased), [0, 6, 1, 2, 0, 0]);
    let left = memory.session(filled.work).await.unwrap().unwrap();
    assert_eq!(left.message_count, 6);
    let contents = memory.page(filled.work, None, 20).await.unwrap();
    assert_eq!(contents.len(), 6);
    assert_eq!(exported(memory, Scope::User("anna".to_owned())).await, anna);
    assert_eq!(count(database, "SELECT count(*) FROM summaries").await, 5);
}

#[tokio::test]
async fn everything_can_go() {
    let Fixture {
        memory,
        database,
        clock,
        _folder: folder,
    } = &memory().await;
    fill(memory, database, clock).await;
    memory.erase(&Scope::Everything).await.unwrap();
    assert_eq!(
        found(folder.path(), &["marmalade", "granite", "cobalt", "anna", "bert"]),
        Vec::<&str>::new()
    );
    assert_eq!(exported(memory, Scope::Everything).await.len(), 1);
    let stats = memory.stats(&Scope::Everything).await.unwrap();
    assert_eq!(
        (
            stats.sessions,
            stats.embedded.len(),
            stats.analysis_backlog.waiting
        ),
        (0, 0, 0)
    );
    memory.open_session("a new beginning").await.unwrap();
}

#[tokio::test]
async fn rows_go_in_the_transaction_of_somebody_else_or_not_at_all() {
    let Fixture {
        memory,
        database,
        clock,
        ..
    } = &memory().await;
    let filled = fill(memory, database, clock).await;
    let before = exported(memory, Scope::Everything).await;
    let mut transaction = database.begin().await.unwrap();
    let erased = erase::rows(&mut transaction, &Scope::Session(filled.anna))
        .await
        .unwrap();
    assert_eq!(erased.messages, 12);
    transaction.rollback().await.unwrap();
    assert_eq!(exported(memory, Scope::Everything).await, before);
}

#[tokio::test]
async fn the_numbers_of_a_scope_are_those_of_its_rows() {
    let Fixture {
        memory,
        database,
        clock,
        ..
    } = &memory().await;
    let filled = fill(memory, database, clock).await;
    let summary = |scope| async move {
        let stats = memory.stats(&scope).await.unwrap();
        let embedded: u64 = stats.embedded.values().sum();
        let summaries: u64 = stats.summaries.values().sum();
        assert!(stats.database_bytes > 0 && stats.oldest < stats.newest);
        assert_eq!(
            (stats.analysis_backlog.waiting, stats.embedding_backlog.waiting),
            (3, 0)
        );
        [
            stats.sessions,
            stats.messages[&Role::User],
            stats.messages[&Role::Assistant],
            stats.analysed,
            stats.pinned,
            embedded,
            summaries,
            stats.current_facts,
            stats.other_facts,
            stats.patterns,
        ]
    };
    for (scope, expected) in [
        (Scope::Everything, [3, 18, 18, 33, 1, 66 + 6 + 9, 6, 6, 3, 3]),
        (
            Scope::User("anna".to_owned()),
            [1, 6, 6, 11, 1, 22 + 2 + 3, 2, 2, 1, 1],
        ),
        (
            Scope::Session(filled.bert),
            [1, 6, 6, 11, 0, 22 + 2 + 2, 2, 1, 1, 0],
        ),
        (
            Scope::Project(filled.project),
            [1, 6, 6, 11, 0, 22 + 2 + 2, 2, 1, 1, 0],
        ),
    ] {
        assert_eq!(summary(scope.clone()).await, expected, "{scope:?}");
    }
}
