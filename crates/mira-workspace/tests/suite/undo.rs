//! The undo history.

use std::time::Duration;

use mira_store::{ChangeId, Timestamp};
use mira_workspace::{Error, HistoryEntry, MAX_KEPT_BYTES, Undone, WriteOptions, hash};

use crate::fixture::{Fixture, mode, path, set_mode};

#[tokio::test]
async fn undoing_puts_back_exactly_what_was_there() {
    let fixture = Fixture::new().await;
    let original = "\u{feff}a\r\nb\n\r\n";
    fixture.put("a.txt", original);
    let change = fixture.write("a.txt", "new").await.unwrap();
    let undone = fixture.files.undo(change.id).await.unwrap();
    let expected = Undone {
        change: change.id,
        path: path("a.txt"),
        hash: Some(hash(original.as_bytes())),
    };
    assert_eq!(undone, expected);
    assert_eq!(fixture.text_on_disk("a.txt").as_deref(), Some(original));
}

#[tokio::test]
async fn undoing_step_by_step_leads_back_to_no_file() {
    let fixture = Fixture::new().await;
    for content in ["one", "two", "two", "three"] {
        fixture.write("a.txt", content).await.unwrap();
    }
    let at = path("a.txt");
    for expected in [Some("two"), Some("one"), None] {
        fixture.files.undo_last(&at).await.unwrap();
        assert_eq!(fixture.text_on_disk("a.txt").as_deref(), expected);
    }
    let error = fixture.files.undo_last(&at).await.unwrap_err();
    assert!(
        matches!(&error, Error::NothingToUndo { path } if *path == at),
        "{error:?}"
    );
}

#[tokio::test]
async fn undoing_a_creation_removes_the_directories_made_for_it() {
    let fixture = Fixture::new().await;
    std::fs::create_dir(fixture.root.join("own")).unwrap();
    let one = fixture.write("own/a/b/one.txt", "1").await.unwrap();
    let two = fixture.write("own/a/two.txt", "2").await.unwrap();
    fixture.files.undo(one.id).await.unwrap();
    assert_eq!(fixture.all_on_disk(), ["own", "own/a", "own/a/two.txt"]);
    fixture.files.undo(two.id).await.unwrap();
    assert_eq!(fixture.all_on_disk(), ["own"]);
}

#[tokio::test]
async fn undoing_a_creation_leaves_directories_that_hold_something() {
    let fixture = Fixture::new().await;
    let change = fixture.write("a/b/one.txt", "1").await.unwrap();
    fixture.put("a/theirs.txt", "x");
    fixture.files.undo(change.id).await.unwrap();
    assert_eq!(fixture.all_on_disk(), ["a", "a/theirs.txt"]);
}

#[tokio::test]
async fn a_deleted_file_comes_back_with_its_bytes_and_mode() {
    let fixture = Fixture::new().await;
    let bytes: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    fixture.put("bin/tool", &bytes);
    let file = fixture.root.join("bin/tool");
    set_mode(&file, 0o750);
    let change = fixture.files.delete(&path("bin/tool")).await.unwrap();
    assert_eq!(
        (change.before_hash, change.after_hash, change.created),
        (Some(hash(&bytes)), None, false)
    );
    assert_eq!(fixture.all_on_disk(), ["bin"]);
    std::fs::remove_dir(fixture.root.join("bin")).unwrap();
    fixture.files.undo(change.id).await.unwrap();
    assert_eq!(fixture.on_disk("bin/tool"), Some(bytes));
    assert_eq!(mode(&file), 0o750);
}

#[tokio::test]
async fn only_a_file_that_can_be_kept_is_deleted() {
    let fixture = Fixture::new().await;
    fixture.put("dir/a.txt", "x");
    let huge = std::fs::File::create(fixture.root.join("huge")).unwrap();
    huge.set_len(MAX_KEPT_BYTES + 1).unwrap();
    let error = fixture.files.delete(&path("dir")).await.unwrap_err();
    assert!(matches!(error, Error::IsDirectory { .. }), "{error:?}");
    let error = fixture.files.delete(&path("none")).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    let error = fixture.files.delete(&path("huge")).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooLarge {
                limit: MAX_KEPT_BYTES,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(fixture.all_on_disk(), ["dir", "dir/a.txt", "huge"]);
}

#[tokio::test]
async fn a_change_is_not_undone_over_somebody_elses_work() {
    let fixture = Fixture::new().await;
    let change = fixture.write("a.txt", "mine").await.unwrap();
    fixture.put("a.txt", "theirs");
    for refused in [
        fixture.files.undo(change.id).await,
        fixture.files.undo_last(&path("a.txt")).await,
    ] {
        assert!(
            matches!(&refused, Err(Error::ChangedSince { change: named, .. }) if *named == change.id),
            "{refused:?}"
        );
    }
    assert_eq!(fixture.text_on_disk("a.txt").as_deref(), Some("theirs"));
    std::fs::remove_file(fixture.root.join("a.txt")).unwrap();
    std::fs::create_dir(fixture.root.join("a.txt")).unwrap();
    let refused = fixture.files.undo(change.id).await;
    assert!(matches!(refused, Err(Error::ChangedSince { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_change_that_somebody_has_taken_back_by_hand_counts_as_undone() {
    let fixture = Fixture::new().await;
    fixture.put("a.txt", "old");
    let change = fixture.write("a.txt", "new").await.unwrap();
    let created = fixture.write("made/b.txt", "new").await.unwrap();
    fixture.put("a.txt", "old");
    std::fs::remove_file(fixture.root.join("made/b.txt")).unwrap();
    let undone = fixture.files.undo(change.id).await.unwrap();
    assert_eq!(undone.hash, Some(hash(b"old")));
    fixture.files.undo(created.id).await.unwrap();
    assert_eq!(fixture.all_on_disk(), ["a.txt"]);
    assert!(fixture.files.history(&path("a.txt"), 1).await.unwrap()[0].reverted);
}

#[tokio::test]
async fn a_forced_undo_can_be_undone_itself() {
    let fixture = Fixture::new().await;
    fixture.put("a.txt", "original");
    let change = fixture.write("a.txt", "mine").await.unwrap();
    fixture.put("a.txt", "theirs");
    fixture.files.undo_forced(change.id).await.unwrap();
    assert_eq!(fixture.text_on_disk("a.txt").as_deref(), Some("original"));
    fixture.files.undo_last(&path("a.txt")).await.unwrap();
    assert_eq!(fixture.text_on_disk("a.txt").as_deref(), Some("theirs"));
}

#[tokio::test]
async fn a_change_is_undone_once_and_must_exist() {
    let fixture = Fixture::new().await;
    let change = fixture.write("a.txt", "x").await.unwrap();
    fixture.files.undo(change.id).await.unwrap();
    let again = fixture.files.undo(change.id).await;
    assert!(matches!(again, Err(Error::AlreadyUndone { change: named, .. }) if named == change.id));
    let stranger = ChangeId::at(Timestamp::from_ms(7));
    let unknown = fixture.files.undo(stranger).await;
    assert!(matches!(unknown, Err(Error::UnknownChange { change }) if change == stranger));
}

#[tokio::test]
async fn the_history_shows_texts_newest_first_even_within_one_millisecond() {
    let fixture = Fixture::new().await;
    fixture.put("a.txt", "caf\u{e9}\r\n".as_bytes());
    let at = path("a.txt");
    let first = fixture
        .files
        .write(&at, "one\n", WriteOptions::default())
        .await
        .unwrap();
    let second = fixture.files.delete(&at).await.unwrap();
    fixture.files.undo(second.id).await.unwrap();
    let history = fixture.files.history(&at, 10).await.unwrap();
    let expected = [
        HistoryEntry {
            change: second.id,
            row: 2,
            path: at.clone(),
            before_hash: Some(hash(b"one\r\n")),
            after_hash: None,
            before: Some("one\n".to_owned()),
            after: None,
            time: Timestamp::from_ms(1_000),
            reverted: true,
        },
        HistoryEntry {
            change: first.id,
            row: 1,
            path: at.clone(),
            before_hash: Some(hash("café\r\n".as_bytes())),
            after_hash: Some(hash(b"one\r\n")),
            before: Some("café\n".to_owned()),
            after: Some("one\n".to_owned()),
            time: Timestamp::from_ms(1_000),
            reverted: false,
        },
    ];
    assert_eq!(history, expected);
    assert_eq!(fixture.files.history(&at, 1).await.unwrap(), expected[..1]);
    assert_eq!(fixture.files.history(&path("other"), 5).await.unwrap(), []);
}

#[tokio::test]
async fn modified_files_are_those_that_differ_from_their_original() {
    let fixture = Fixture::new().await;
    fixture.put("changed.txt", "old");
    fixture.put("back.txt", "old");
    fixture.put("deleted.txt", "old");
    fixture.put("same.txt", "same");
    fixture.write("changed.txt", "new").await.unwrap();
    fixture.write("back.txt", "new").await.unwrap();
    fixture.write("back.txt", "old").await.unwrap();
    fixture.write("same.txt", "same").await.unwrap();
    let undone = fixture.write("undone.txt", "new").await.unwrap();
    fixture.files.undo(undone.id).await.unwrap();
    fixture.write("new.txt", "new").await.unwrap();
    fixture.files.delete(&path("deleted.txt")).await.unwrap();
    let modified = fixture.files.modified().await.unwrap();
    assert_eq!(
        modified,
        [path("changed.txt"), path("deleted.txt"), path("new.txt")]
    );
}

#[tokio::test]
async fn an_undo_counts_as_an_update_of_the_project() {
    let fixture = Fixture::new().await;
    let change = fixture.write("a.txt", "x").await.unwrap();
    fixture.clock.advance(Duration::from_secs(9));
    fixture.files.undo(change.id).await.unwrap();
    let project = fixture
        .workspace
        .project(fixture.project.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(project.updated, Timestamp::from_ms(10_001));
}
