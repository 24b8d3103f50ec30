//! A program that dies between storing a change and replacing the file.

use mira_workspace::RelativePath;

use crate::fixture::{Fixture, path};

/// Makes the stored changes look as if the program had died before it could finish them.
async fn interrupt(fixture: &Fixture, from: &str, to: &str) {
    let mut transaction = fixture.database.begin().await.unwrap();
    sqlx::query("UPDATE file_change SET state = ? WHERE state = ?")
        .bind(to)
        .bind(from)
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

async fn states(fixture: &Fixture) -> Vec<(String, String)> {
    sqlx::query_as("SELECT path, state FROM file_change ORDER BY id")
        .fetch_all(fixture.database.readers())
        .await
        .unwrap()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

async fn write_two(fixture: &Fixture) {
    fixture.put("a.txt", "old a");
    let files: Vec<(RelativePath, String)> = vec![
        (path("a.txt"), "new a".to_owned()),
        (path("made/b.txt"), "new b".to_owned()),
    ];
    fixture.files.write_many(files).await.unwrap();
    interrupt(fixture, "done", "prepared").await;
}

#[tokio::test]
async fn a_batch_that_is_complete_on_disk_is_kept() {
    let mut fixture = Fixture::new().await;
    write_two(&fixture).await;
    fixture.reopen().await;
    assert_eq!(
        states(&fixture).await,
        pairs(&[("a.txt", "done"), ("made/b.txt", "done")])
    );
    assert_eq!(fixture.text_on_disk("a.txt").as_deref(), Some("new a"));
    fixture.files.undo_last(&path("a.txt")).await.unwrap();
    assert_eq!(fixture.text_on_disk("a.txt").as_deref(), Some("old a"));
}

#[tokio::test]
async fn a_batch_that_is_half_done_is_put_back() {
    let mut fixture = Fixture::new().await;
    write_two(&fixture).await;
    // The second file was not renamed yet: its content still lies beside it.
    let id: String = sqlx::query_scalar("SELECT change_id FROM file_change WHERE path = 'made/b.txt'")
        .fetch_one(fixture.database.readers())
        .await
        .unwrap();
    std::fs::rename(
        fixture.root.join("made/b.txt"),
        fixture.root.join(format!("made/.mira-{id}.tmp")),
    )
    .unwrap();
    fixture.reopen().await;
    assert_eq!(states(&fixture).await, []);
    assert_eq!(fixture.all_on_disk(), ["a.txt"]);
    assert_eq!(fixture.text_on_disk("a.txt").as_deref(), Some("old a"));
}

#[tokio::test]
async fn a_batch_that_never_began_is_forgotten() {
    let mut fixture = Fixture::new().await;
    write_two(&fixture).await;
    fixture.put("a.txt", "old a");
    std::fs::remove_dir_all(fixture.root.join("made")).unwrap();
    fixture.reopen().await;
    assert_eq!(states(&fixture).await, []);
    assert_eq!(fixture.all_on_disk(), ["a.txt"]);
    let contents: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM file_content")
        .fetch_one(fixture.database.readers())
        .await
        .unwrap();
    assert_eq!(contents, 0);
}

#[tokio::test]
async fn what_somebody_else_has_changed_meanwhile_is_left_alone_and_stays_undoable() {
    let mut fixture = Fixture::new().await;
    write_two(&fixture).await;
    fixture.put("a.txt", "theirs");
    fixture.reopen().await;
    assert_eq!(fixture.all_on_disk(), ["a.txt"]);
    assert_eq!(fixture.text_on_disk("a.txt").as_deref(), Some("theirs"));
    assert_eq!(states(&fixture).await, pairs(&[("a.txt", "done")]));
    let history = fixture.files.history(&path("a.txt"), 1).await.unwrap();
    assert_eq!(history[0].before.as_deref(), Some("old a"));
}

#[tokio::test]
async fn an_interrupted_undo_is_finished_or_forgotten() {
    let mut fixture = Fixture::new().await;
    fixture.put("a.txt", "old");
    fixture.write("a.txt", "new").await.unwrap();
    interrupt(&fixture, "done", "reverting").await;
    fixture.reopen().await;
    assert_eq!(states(&fixture).await, pairs(&[("a.txt", "done")]));
    interrupt(&fixture, "done", "reverting").await;
    fixture.put("a.txt", "old");
    fixture.reopen().await;
    assert_eq!(states(&fixture).await, pairs(&[("a.txt", "reverted")]));
}

#[tokio::test]
async fn a_project_whose_directory_is_away_is_settled_when_it_is_back() {
    let mut fixture = Fixture::new().await;
    write_two(&fixture).await;
    fixture.put("a.txt", "old a");
    let away = fixture.root.with_extension("away");
    std::fs::rename(&fixture.root, &away).unwrap();
    fixture.workspace = mira_workspace::Workspace::open(&fixture.database, fixture.clock.clone())
        .await
        .unwrap();
    std::fs::rename(&away, &fixture.root).unwrap();
    fixture.files = fixture.workspace.files(fixture.project.id).await.unwrap();
    fixture.write("c.txt", "c").await.unwrap();
    assert_eq!(states(&fixture).await, pairs(&[("c.txt", "done")]));
    assert_eq!(fixture.all_on_disk(), ["a.txt", "c.txt"]);
}
