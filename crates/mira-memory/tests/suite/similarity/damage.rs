//! An index that is lost, broken, in the way or busy.

use std::path::Path;
use std::sync::Mutex;

use mira_memory::recall::Recall;
use mira_memory::{IndexState, Schedule};
use mira_store::vector::{Filter, VectorStore as _};
use tokio::sync::Notify;

use super::{FOUND, filled, is_found_by_meaning, recall};
use crate::home::{Home, until};

/// Changes the file of the semantic head.
fn change(directory: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let file = directory.join("semantic.vectors");
    let mut bytes = std::fs::read(&file).unwrap();
    change(&mut bytes);
    std::fs::write(&file, bytes).unwrap();
}

#[tokio::test]
async fn a_damaged_index_is_made_anew_without_embedding_anything() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 4] = [
        ("deleted", |directory| std::fs::remove_dir_all(directory).unwrap()),
        ("cut", |directory| {
            change(directory, |bytes| bytes.truncate(bytes.len() / 2));
        }),
        ("one byte", |directory| {
            change(directory, |bytes| {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            });
        }),
        ("empty", |directory| change(directory, Vec::clear)),
    ];
    let home = Home::new().await;
    filled(&home).await.close().await;
    for (damage, harm) in damages {
        harm(&home.vectors_directory());
        let opened = home.open().await;
        let Recall { hits, degraded } = recall(&opened, "kubernetes").await;
        assert_eq!(
            (hits[0].message.content.as_str(), degraded.as_deref()),
            (FOUND, Some("the vector index is being opened"))
        );

        let before = home.requests().len();
        let seen = Mutex::new(Vec::new());
        let state = opened
            .memory
            .refill(|_, _| seen.lock().unwrap().push(opened.memory.index()))
            .await
            .unwrap();
        assert_eq!(state, IndexState::Ready, "{damage}");
        let filling = seen.lock().unwrap().clone();
        assert!(
            matches!(filling[0], IndexState::Filling { done: 0, total: 11.. }),
            "{damage}: {filling:?}"
        );
        assert!(filling[0].problem().unwrap().contains("being rebuilt"));
        opened.memory.settle().await.unwrap();
        assert_eq!(home.requests().len(), before, "{damage}");
        opened.assert_index_is_truth().await;
        assert!(is_found_by_meaning(&opened).await, "{damage}");
        opened.close().await;
    }
}

#[tokio::test]
async fn an_index_that_was_deleted_while_it_was_used_comes_back() {
    let home = Home::new().await;
    let opened = filled(&home).await;
    std::fs::remove_dir_all(home.vectors_directory()).unwrap();
    assert!(is_found_by_meaning(&opened).await);
    let session = opened.new_session().await;
    opened
        .say(session, "The lighthouse keeper retired in spring.")
        .await;
    opened.memory.settle().await.unwrap();
    // As if it were killed.
    opened.database.close().await;
    drop(opened);

    let before = home.requests().len();
    let opened = home.open().await;
    opened.memory.settle().await.unwrap();
    assert_eq!(home.requests().len(), before);
    opened.assert_index_is_truth().await;
    assert!(is_found_by_meaning(&opened).await);
}

#[tokio::test]
async fn an_index_that_cannot_be_written_stops_nothing_else() {
    let home = Home::new().await;
    let opened = filled(&home).await;
    std::fs::remove_dir_all(home.vectors_directory()).unwrap();
    std::fs::write(home.vectors_directory(), "a file in its place").unwrap();
    let jobs = opened.memory.start_jobs(Schedule::default());
    let session = opened.new_session().await;
    let keeper = "The lighthouse keeper retired in spring.";
    opened.say(session, keeper).await;
    let problem = until("the complaint", async || {
        let status = opened.memory.status().await.unwrap();
        let done = status.analysis.waiting == 0 && status.embedding.waiting == 0;
        status
            .jobs
            .into_iter()
            .find_map(|(_, record)| record.last_error)
            .filter(|_| done)
    })
    .await;
    assert!(problem.contains("could not access the vector index"), "{problem}");
    until("the message", async || {
        let found = recall(&opened, keeper).await.hits;
        found
            .into_iter()
            .next()
            .filter(|hit| hit.message.content == keeper)
    })
    .await;
    assert!(is_found_by_meaning(&opened).await);

    std::fs::remove_file(home.vectors_directory()).unwrap();
    jobs.stop().await;
    opened.database.close().await;
    let opened = home.open().await;
    opened.memory.settle().await.unwrap();
    opened.assert_index_is_truth().await;
}

#[tokio::test]
async fn a_filling_that_was_cut_short_is_taken_up_again() {
    let home = Home::new().await;
    filled(&home).await.close().await;
    std::fs::remove_dir_all(home.vectors_directory()).unwrap();
    let opened = home.open().await;
    let begun = Notify::new();
    tokio::select! {
        biased;
        () = begun.notified() => {}
        _ = opened.memory.refill(|_, _| begun.notify_one()) => panic!("it was not cut short"),
    }
    assert!(matches!(opened.memory.index(), IndexState::Filling { .. }));
    opened.memory.settle().await.unwrap();
    assert_eq!(opened.memory.index(), IndexState::Ready);
    opened.assert_index_is_truth().await;
}

#[tokio::test]
async fn embedding_goes_on_while_there_is_nowhere_to_search() {
    let home = Home::new().await;
    let opened = home.open().await;
    let session = opened.new_session().await;
    opened.say(session, FOUND).await;
    opened.vectors.close().await.unwrap();
    assert!(opened.memory.settle().await.is_err());
    let problem = opened.memory.index().problem().unwrap();
    assert_eq!(
        (problem.as_str(), opened.waiting().await),
        ("the vector index failed: the vector store is closed", (0, 0))
    );
    let Recall { hits, degraded } = recall(&opened, "kubernetes").await;
    assert_eq!(hits[0].message.content, FOUND);
    assert!(degraded.unwrap().contains("the vector store is closed"));
    opened.database.close().await;

    let before = home.requests().len();
    let opened = home.open().await;
    opened.memory.settle().await.unwrap();
    assert_eq!(home.requests().len(), before);
    assert!(is_found_by_meaning(&opened).await);
}

/// What is embedded or deleted while the index is filled must not be missed by it.
#[tokio::test(flavor = "multi_thread")]
async fn the_index_is_the_truth_after_much_at_once() {
    let home = Home::new().await;
    let opened = filled(&home).await;
    let session = opened.new_session().await;
    let filling = async {
        for _ in 0..30 {
            opened.vectors.delete(None, &Filter::default()).await.unwrap();
            opened.memory.refill(|_, _| {}).await.unwrap();
        }
    };
    let telling = async {
        for n in 0..60 {
            let told = opened
                .say(session, &format!("Lighthouse keeper {n} retired in spring."))
                .await;
            opened.memory.settle().await.unwrap();
            if n % 3 == 0 {
                assert!(opened.memory.delete_message(told.id).await.unwrap());
            }
        }
    };
    tokio::join!(filling, telling);
    assert_eq!(opened.memory.index(), IndexState::Ready);
    opened.assert_index_is_truth().await;
}

#[tokio::test]
async fn work_that_is_dropped_at_any_moment_leaves_nothing_out_of_the_index() {
    let home = Home::new().await;
    let opened = filled(&home).await;
    let session = opened.new_session().await;
    for n in 0..40 {
        opened
            .say(session, &format!("Lighthouse keeper {n} retired in spring."))
            .await;
        let embedded = async {
            while opened.waiting().await != (0, 0) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = embedded => {}
            settled = opened.memory.settle() => settled.unwrap(),
        }
    }
    opened.memory.settle().await.unwrap();
    opened.assert_index_is_truth().await;
}
