//! Projects and their directories.

use std::path::Path;
use std::time::Duration;

use mira_store::{ProjectId, Timestamp};
use mira_workspace::{Error, NewProject, Project, ProjectUpdate};

use crate::fixture::{Fixture, path};

fn named(name: &str) -> NewProject {
    NewProject {
        name: name.to_owned(),
        ..NewProject::default()
    }
}

#[tokio::test]
async fn a_project_is_kept_as_it_was_made() {
    let fixture = Fixture::new().await;
    fixture.clock.advance(Duration::from_secs(1));
    let new = NewProject {
        name: "  Toy \n".to_owned(),
        description: Some("for \"play\"".to_owned()),
        tags: vec!["a".to_owned(), "b, c".to_owned()],
    };
    let made = fixture.workspace.create_project(new).await.unwrap();
    let expected = Project {
        id: made.id,
        name: "Toy".to_owned(),
        description: Some("for \"play\"".to_owned()),
        tags: vec!["a".to_owned(), "b, c".to_owned()],
        directory: None,
        created: Timestamp::from_ms(2_000),
        updated: Timestamp::from_ms(2_000),
    };
    assert_eq!(made, expected);
    assert_eq!(fixture.workspace.project(made.id).await.unwrap(), Some(expected));
}

#[tokio::test]
async fn an_update_changes_what_it_names() {
    let fixture = Fixture::new().await;
    let id = fixture.project.id;
    fixture.clock.advance(Duration::from_secs(1));
    let update = ProjectUpdate {
        description: Some("new".to_owned()),
        tags: Some(vec!["x".to_owned()]),
        ..ProjectUpdate::default()
    };
    let updated = fixture.workspace.update_project(id, update).await.unwrap();
    let expected = Project {
        description: Some("new".to_owned()),
        tags: vec!["x".to_owned()],
        updated: Timestamp::from_ms(2_000),
        ..fixture.project.clone()
    };
    assert_eq!(updated, Some(expected));
    let update = ProjectUpdate {
        name: Some("renamed".to_owned()),
        description: Some(String::new()),
        tags: None,
    };
    let updated = fixture
        .workspace
        .update_project(id, update)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((updated.name.as_str(), updated.description), ("renamed", None));
    assert_eq!(updated.tags, ["x"]);
}

#[tokio::test]
async fn a_blank_name_is_refused() {
    let fixture = Fixture::new().await;
    let made = fixture.workspace.create_project(named(" \t")).await;
    assert!(matches!(made, Err(Error::BlankName)), "{made:?}");
    let update = ProjectUpdate {
        name: Some(String::new()),
        ..ProjectUpdate::default()
    };
    let updated = fixture.workspace.update_project(fixture.project.id, update).await;
    assert!(matches!(updated, Err(Error::BlankName)), "{updated:?}");
}

#[tokio::test]
async fn projects_are_listed_by_their_last_update_and_a_write_is_one() {
    let fixture = Fixture::new().await;
    fixture.clock.advance(Duration::from_secs(1));
    fixture.workspace.create_project(named("second")).await.unwrap();
    let names = async || {
        let projects = fixture.workspace.projects().await.unwrap();
        projects
            .into_iter()
            .map(|project| project.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["second", "demo"]);
    fixture.write("a.txt", "a").await.unwrap();
    assert_eq!(names().await, ["demo", "second"]);
}

#[tokio::test]
async fn deleting_a_project_leaves_its_files_alone() {
    let fixture = Fixture::new().await;
    fixture.put("kept.txt", "kept");
    fixture.write("written.txt", "written").await.unwrap();
    let id = fixture.project.id;
    assert!(fixture.workspace.delete_project(id).await.unwrap());
    assert_eq!(fixture.all_on_disk(), ["kept.txt", "written.txt"]);
    assert_eq!(fixture.workspace.project(id).await.unwrap(), None);
    assert!(!fixture.workspace.delete_project(id).await.unwrap());
    let rows: i64 =
        sqlx::query_scalar("SELECT (SELECT COUNT(*) FROM file_change) + (SELECT COUNT(*) FROM file_content)")
            .fetch_one(fixture.database.readers())
            .await
            .unwrap();
    assert_eq!(rows, 0);
    // A handle from before can read what is still there, but not write without an undo.
    let late = fixture.write("late.txt", "late").await;
    assert!(
        matches!(late, Err(Error::UnknownProject { project }) if project == id),
        "{late:?}"
    );
    assert_eq!(fixture.on_disk("late.txt"), None);
}

#[tokio::test]
async fn only_a_directory_that_exists_can_be_attached() {
    let fixture = Fixture::new().await;
    let id = fixture.project.id;
    fixture.put("file", "");
    for bad in [fixture.root.join("missing"), fixture.root.join("file")] {
        let attached = fixture.workspace.attach(id, &bad).await;
        assert!(
            matches!(&attached, Err(Error::Directory { directory, .. }) if *directory == bad),
            "{attached:?}"
        );
    }
    let stranger = ProjectId::at(Timestamp::from_ms(5));
    let attached = fixture.workspace.attach(stranger, &fixture.root).await;
    assert!(matches!(attached, Err(Error::UnknownProject { project }) if project == stranger));
}

#[tokio::test]
async fn an_attached_directory_is_stored_without_links() {
    let fixture = Fixture::new().await;
    let link = fixture.root.parent().unwrap().join("link");
    std::os::unix::fs::symlink(&fixture.root, &link).unwrap();
    let dotted = link.join(".");
    let project = fixture
        .workspace
        .attach(fixture.project.id, &dotted)
        .await
        .unwrap();
    assert_eq!(project.directory.as_deref(), Some(&*fixture.root));
    let files = fixture.workspace.files(project.id).await.unwrap();
    assert_eq!(files.root(), fixture.root);
}

#[tokio::test]
async fn files_need_a_project_with_a_directory_that_is_there() {
    let fixture = Fixture::new().await;
    let stranger = ProjectId::at(Timestamp::from_ms(5));
    let files = fixture.workspace.files(stranger).await;
    assert!(matches!(files, Err(Error::UnknownProject { project }) if project == stranger));
    let bare = fixture.workspace.create_project(named("bare")).await.unwrap().id;
    let files = fixture.workspace.files(bare).await;
    assert!(matches!(files, Err(Error::NotAttached { project }) if project == bare));
    let gone = fixture.root.join("gone");
    std::fs::create_dir(&gone).unwrap();
    fixture.workspace.attach(bare, &gone).await.unwrap();
    std::fs::remove_dir(&gone).unwrap();
    let files = fixture.workspace.files(bare).await;
    assert!(matches!(files, Err(Error::Directory { directory, .. }) if directory == gone));
}

#[tokio::test]
async fn the_history_belongs_to_the_directory_it_was_made_in() {
    let fixture = Fixture::new().await;
    let id = fixture.project.id;
    fixture.write("a.txt", "first").await.unwrap();
    let elsewhere = fixture.root.parent().unwrap().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let history = async |directory: &Path| {
        fixture.workspace.attach(id, directory).await.unwrap();
        let files = fixture.workspace.files(id).await.unwrap();
        files.history(&path("a.txt"), 10).await.unwrap().len()
    };
    assert_eq!(history(&elsewhere).await, 0);
    assert_eq!(history(&fixture.root).await, 1);
}
