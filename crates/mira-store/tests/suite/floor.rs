//! The floor on real files.

use std::time::Duration;

use mira_store::{DataDirectory, Database, Error, Migrations, ProjectId, Timestamp};

const NOTES: Migrations = Migrations {
    owner: "notes",
    steps: &[
        (
            "notes have a text",
            "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;",
        ),
        (
            "notes have a time",
            "ALTER TABLE notes ADD COLUMN time_ms INTEGER NOT NULL DEFAULT 0;",
        ),
    ],
};

struct Fixture {
    folder: tempfile::TempDir,
    database: Database,
}

async fn notes() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("data/mira.db")).await.unwrap();
    NOTES.run(&database).await.unwrap();
    Fixture { folder, database }
}

async fn texts(database: &Database) -> Vec<String> {
    sqlx::query_scalar("SELECT text FROM notes ORDER BY text")
        .fetch_all(database.readers())
        .await
        .unwrap()
}

async fn add(database: &Database, text: &str) {
    let mut transaction = database.begin().await.unwrap();
    let now = Timestamp::from_ms(7);
    sqlx::query("INSERT INTO notes (id, text, time_ms) VALUES (?1, ?2, ?3)")
        .bind(ProjectId::at(now))
        .bind(text)
        .bind(now)
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn migrations_run_once_and_an_older_program_refuses_a_newer_database() {
    let Fixture {
        folder: _folder,
        database,
    } = notes().await;
    add(&database, "kept").await;
    NOTES.run(&database).await.unwrap();
    assert_eq!(texts(&database).await, ["kept"]);

    let older = Migrations {
        owner: "notes",
        steps: &NOTES.steps[..1],
    };
    assert!(matches!(
        older.run(&database).await,
        Err(Error::Migrate { owner: "notes", .. })
    ));
    let changed = Migrations {
        owner: "notes",
        steps: &[("notes have a text", "SELECT 1;")],
    };
    assert!(matches!(
        changed.run(&database).await,
        Err(Error::Migrate { owner: "notes", .. })
    ));
}

#[tokio::test]
async fn a_failed_migration_leaves_nothing_behind() {
    let Fixture {
        folder: _folder,
        database,
    } = notes().await;
    let broken = Migrations {
        owner: "other",
        steps: &[(
            "half of it works",
            "CREATE TABLE half (id TEXT); INSERT INTO nowhere VALUES (1);",
        )],
    };
    assert!(matches!(
        broken.run(&database).await,
        Err(Error::Migrate { owner: "other", .. })
    ));
    let half: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = 'half'")
        .fetch_one(database.readers())
        .await
        .unwrap();
    assert_eq!(half, 0);
}

#[tokio::test]
async fn a_dropped_transaction_is_undone_and_frees_the_writer() {
    let Fixture {
        folder: _folder,
        database,
    } = notes().await;
    let mut dropped = database.begin().await.unwrap();
    sqlx::query("INSERT INTO notes (id, text) VALUES ('a', 'lost')")
        .execute(&mut *dropped)
        .await
        .unwrap();
    drop(dropped);
    add(&database, "kept").await;
    assert_eq!(texts(&database).await, ["kept"]);
}

#[tokio::test]
async fn readers_cannot_write() {
    let Fixture {
        folder: _folder,
        database,
    } = notes().await;
    let refused = sqlx::query("DELETE FROM notes")
        .execute(database.readers())
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("readonly"), "{refused}");
}

#[tokio::test]
async fn a_backup_taken_while_writing_is_whole_and_opens_alone() {
    let Fixture { folder, database } = notes().await;
    for n in 0..200 {
        add(&database, &format!("{n:03}")).await;
    }
    let target = folder.path().join("copy.db");
    let (copied, ()) = tokio::join!(database.backup(&target), async {
        for n in 200..220 {
            add(&database, &format!("{n:03}")).await;
        }
    });
    copied.unwrap();
    let copy = Database::open(&target).await.unwrap();
    let kept = texts(&copy).await;
    assert!(kept.len() >= 200 && kept[..200] == texts(&database).await[..200]);
    assert!(
        matches!(database.backup(&target).await, Err(Error::Backup { .. })),
        "never over another file"
    );
}

fn bytes_of(folder: &std::path::Path) -> Vec<u8> {
    std::fs::read_dir(folder)
        .unwrap()
        .flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect()
}

fn holds(folder: &std::path::Path, text: &str) -> bool {
    bytes_of(folder)
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn a_compacted_database_keeps_no_byte_of_what_was_deleted() {
    let Fixture { folder, database } = &notes().await;
    let data = folder.path().join("data");
    let long = "unmistakable ".repeat(2_000);
    let mut transaction = database.begin().await.unwrap();
    sqlx::query("CREATE INDEX notes_by_text ON notes (text)")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    for n in 0..50 {
        add(database, &format!("unmistakable {n}")).await;
        add(database, &format!("kept {n:02}")).await;
    }
    add(database, &long).await;
    let mut transaction = database.begin().await.unwrap();
    sqlx::query("ANALYZE").execute(&mut *transaction).await.unwrap();
    sqlx::query("DELETE FROM notes WHERE text LIKE 'unmistakable%'")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert!(holds(&data, "unmistakable"), "in the WAL and in the samples");

    database.compact(Duration::from_secs(5)).await.unwrap();
    assert!(!holds(&data, "unmistakable"));
    let kept: Vec<String> = (0..50).map(|n| format!("kept {n:02}")).collect();
    assert_eq!(texts(database).await, kept);
    add(database, "and writable").await;
}

#[tokio::test]
async fn an_old_reader_holds_up_the_end_of_a_compaction_and_it_can_be_repeated() {
    let Fixture { folder, database } = &notes().await;
    let data = folder.path().join("data");
    add(database, "unmistakable").await;
    let mut reader = database.readers().begin().await.unwrap();
    let before: String = sqlx::query_scalar("SELECT text FROM notes")
        .fetch_one(&mut *reader)
        .await
        .unwrap();
    let mut transaction = database.begin().await.unwrap();
    sqlx::query("DELETE FROM notes")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();

    let held_up = database.compact(Duration::from_millis(50)).await;
    assert!(matches!(held_up, Err(Error::Read { .. })), "{held_up:?}");
    let still: String = sqlx::query_scalar("SELECT text FROM notes")
        .fetch_one(&mut *reader)
        .await
        .unwrap();
    assert_eq!(
        (before, still),
        ("unmistakable".to_owned(), "unmistakable".to_owned())
    );

    let (compacted, ()) = tokio::join!(database.compact(Duration::from_secs(5)), async {
        reader.rollback().await.unwrap();
    });
    compacted.unwrap();
    assert!(!holds(&data, "unmistakable"));
}

#[tokio::test]
async fn a_compaction_that_is_owed_is_made_up_for() {
    let Fixture { folder, database } = notes().await;
    let data = folder.path().join("data");
    add(&database, "unmistakable").await;
    let mut transaction = database.begin().await.unwrap();
    sqlx::query("DELETE FROM notes")
        .execute(&mut *transaction)
        .await
        .unwrap();
    mira_store::note_removal(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert!(holds(&data, "unmistakable"), "in the WAL");
    // As if the process had ended here: the first database is never closed.
    let again = Database::open(database.path()).await.unwrap();
    assert!(!holds(&data, "unmistakable"));
    let owed: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(again.readers())
        .await
        .unwrap();
    assert_eq!(owed, 0);
}

#[test]
fn a_data_directory_has_one_owner() {
    let folder = tempfile::tempdir().unwrap();
    let first = DataDirectory::lock(folder.path()).unwrap();
    assert!(matches!(
        DataDirectory::lock(folder.path()),
        Err(Error::Locked { .. })
    ));
    drop(first);
    DataDirectory::lock(folder.path()).unwrap();
}
