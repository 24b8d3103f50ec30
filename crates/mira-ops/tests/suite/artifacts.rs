//! Applying and undoing what a model wrote.

use mira_llm::scripted::Script;
use mira_ops::artifact::{Artifact, ArtifactDiff, ArtifactSummary};
use mira_ops::{Apply, ArtifactFilter, Error, Event, Turn};
use mira_store::ArtifactId;
use mira_workspace::{NewProject, RelativePath, hash};
use serde_json::json;

use crate::harness::{Mira, START, next_event, polled_once, reasoner, script};

const PATH: &str = "docs/notes.md";

fn creating(content: &str) -> Script {
    let arguments = json!({"path": PATH, "content": content, "language": "markdown"});
    script([
        reasoner("creates")
            .no_tool_output()
            .tool_call("create_artifact", &arguments),
        reasoner("answers").text("Have a look."),
    ])
}

/// Has the reasoner create one artifact.
async fn created(mira: &Mira, turn: Turn) -> ArtifactId {
    let turned = mira.run(turn).await;
    turned.detail.artifacts[0].id
}

async fn last_events(mira: &Mira, after: i64) -> Vec<String> {
    let events = mira
        .operations
        .events(mira.session, after, u32::MAX)
        .await
        .unwrap();
    let events: Vec<_> = events.into_iter().map(|recorded| recorded.event).collect();
    crate::story::story(&events)
}

#[tokio::test]
async fn applying_writes_the_file_byte_for_byte_and_undoing_takes_it_away() {
    let content = "# Notes\n\n- Grüße 🦀\n- no newline at the end";
    let mira = Mira::start(creating(content)).await;
    let id = created(&mira, mira.project_turn("Write notes.")).await;
    let waiting = mira.operations.artifact(id).await.unwrap();
    let end = mira.operations.last_seq(mira.session).await.unwrap();

    let applied = mira.operations.apply(id, None, Apply::IfUnchanged).await.unwrap();
    assert_eq!(mira.on_disk(PATH).as_deref(), Some(content));
    let mut expected = waiting.clone();
    expected.summary.applied = Some(START);
    expected.summary.applied_in = Some(mira.project);
    expected.summary.change = applied.summary.change;
    assert!(applied.summary.change.is_some());
    assert_eq!(applied, expected);

    let undone = mira.operations.undo(id).await.unwrap();
    assert_eq!(mira.on_disk(PATH), None);
    assert!(
        !mira.directory().join("docs").exists(),
        "the directory that was made for it is gone too"
    );
    let mut expected = waiting;
    expected.summary.undone = Some(START);
    assert_eq!(undone, expected);
    assert_eq!(
        last_events(&mira, end).await,
        ["applied docs/notes.md", "undone docs/notes.md"],
        "told after the end of the operation"
    );

    let again = mira.operations.apply(id, None, Apply::IfUnchanged).await.unwrap();
    assert_eq!((again.summary.applied, again.summary.undone), (Some(START), None));
    mira.close().await;
}

#[tokio::test]
async fn a_file_that_changed_is_only_overwritten_on_demand_and_comes_back() {
    let mira = Mira::start(creating("from the model\n")).await;
    mira.put(PATH, "base\n");
    let id = created(&mira, mira.project_turn("Write notes.")).await;
    mira.put(PATH, "edited meanwhile\n");

    let refused = mira
        .operations
        .apply(id, None, Apply::IfUnchanged)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::BaseChanged { path } if path == PATH));
    assert_eq!(mira.on_disk(PATH).as_deref(), Some("edited meanwhile\n"));
    let diff = mira.operations.artifact_diff(id).await.unwrap();
    let expected = ArtifactDiff {
        path: PATH.to_owned(),
        diff: "--- a/docs/notes.md\n+++ b/docs/notes.md\n@@ -1 +1 @@\n-edited meanwhile\n+from the model\n"
            .to_owned(),
        is_new_file: false,
        base_changed: true,
    };
    assert_eq!(diff, expected);

    mira.operations.apply(id, None, Apply::Overwriting).await.unwrap();
    assert_eq!(mira.on_disk(PATH).as_deref(), Some("from the model\n"));
    mira.operations.undo(id).await.unwrap();
    assert_eq!(mira.on_disk(PATH).as_deref(), Some("edited meanwhile\n"));
    mira.close().await;
}

#[tokio::test]
async fn a_file_that_was_deleted_or_created_meanwhile_counts_as_changed() {
    let mira = Mira::start(creating("from the model\n")).await;
    mira.put(PATH, "base\n");
    let id = created(&mira, mira.project_turn("Write notes.")).await;
    std::fs::remove_file(mira.directory().join(PATH)).unwrap();
    let refused = mira
        .operations
        .apply(id, None, Apply::IfUnchanged)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::BaseChanged { .. }));

    let id = created(&mira, mira.project_turn("Write them anew.")).await;
    mira.put(PATH, "somebody else's\n");
    let refused = mira
        .operations
        .apply(id, None, Apply::IfUnchanged)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::BaseChanged { .. }));
    assert_eq!(mira.on_disk(PATH).as_deref(), Some("somebody else's\n"));
    mira.close().await;
}

#[tokio::test]
async fn undo_keeps_its_hands_off_a_file_that_was_edited_since() {
    let mira = Mira::start(creating("from the model\n")).await;
    let id = created(&mira, mira.project_turn("Write notes.")).await;
    let applied = mira.operations.apply(id, None, Apply::IfUnchanged).await.unwrap();
    mira.put(PATH, "from the model, and me\n");
    let refused = mira.operations.undo(id).await.unwrap_err();
    assert!(matches!(
        refused,
        Error::Workspace(mira_workspace::Error::ChangedSince { .. })
    ));
    assert_eq!(mira.on_disk(PATH).as_deref(), Some("from the model, and me\n"));
    assert_eq!(mira.operations.artifact(id).await.unwrap(), applied);
    mira.close().await;
}

#[tokio::test]
async fn applying_twice_is_applying_once_whatever_the_file_keeps_of_itself() {
    let cases = [
        (None, "one\ntwo\n", "one\ntwo\n"),
        (None, "one\r\ntwo\r\n", "one\r\ntwo\r\n"),
        (Some("old\n"), "one\ntwo\n", "one\ntwo\n"),
        (
            Some("\u{feff}old\r\nlines\r\n"),
            "one\ntwo\n",
            "\u{feff}one\r\ntwo\r\n",
        ),
    ];
    for (before, content, after) in cases {
        let mira = Mira::start(creating(content)).await;
        if let Some(before) = before {
            mira.put(PATH, before);
        }
        let id = created(&mira, mira.project_turn("Write notes.")).await;
        let once = mira.operations.apply(id, None, Apply::IfUnchanged).await.unwrap();
        assert_eq!(mira.on_disk(PATH).as_deref(), Some(after));
        let seq = mira.operations.last_seq(mira.session).await.unwrap();
        for how in [Apply::IfUnchanged, Apply::Overwriting] {
            let twice = mira.operations.apply(id, None, how).await.unwrap();
            assert_eq!(twice, once, "{content:?} {how:?}");
        }
        assert_eq!(
            mira.operations.last_seq(mira.session).await.unwrap(),
            seq,
            "nothing happened"
        );
        mira.operations.undo(id).await.unwrap();
        assert_eq!(mira.on_disk(PATH).as_deref(), before, "{content:?}");
        mira.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn applying_twice_at_once_changes_the_file_once() {
    let mira = Mira::start(creating("from the model\n")).await;
    let id = created(&mira, mira.project_turn("Write notes.")).await;
    let seq = mira.operations.last_seq(mira.session).await.unwrap();
    let apply = || mira.operations.apply(id, None, Apply::IfUnchanged);
    let (one, other) = tokio::join!(apply(), apply());
    assert_eq!(one.unwrap(), other.unwrap());
    assert_eq!(last_events(&mira, seq).await, ["applied docs/notes.md"]);
    mira.operations.undo(id).await.unwrap();
    assert_eq!(mira.on_disk(PATH), None);
    mira.close().await;
}

#[tokio::test]
async fn an_apply_whose_caller_goes_away_is_finished() {
    let mira = Mira::start(creating("from the model\n")).await;
    let id = created(&mira, mira.project_turn("Write notes.")).await;
    let mut tail = mira.operations.open_session(mira.session).await.unwrap().tail;
    polled_once(mira.operations.apply(id, None, Apply::IfUnchanged)).await;
    assert_eq!(
        next_event(&mut tail).await.event,
        Event::ArtifactApplied {
            artifact: id,
            path: PATH.to_owned(),
        }
    );
    assert_eq!(mira.on_disk(PATH).as_deref(), Some("from the model\n"));
    let artifact = mira.operations.artifact(id).await.unwrap();
    assert_eq!(artifact.summary.applied, Some(START));
    mira.close().await;
}

#[tokio::test]
async fn an_artifact_without_a_project_is_applied_to_the_one_that_is_named() {
    let mira = Mira::start(creating("from the model\n")).await;
    let id = created(&mira, mira.turn("Write notes.")).await;
    let refused = mira
        .operations
        .apply(id, None, Apply::IfUnchanged)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::NoProject(artifact) if artifact == id));
    let diff = mira.operations.artifact_diff(id).await.unwrap();
    assert!(diff.is_new_file && !diff.base_changed);

    let applied = mira
        .operations
        .apply(id, Some(mira.project), Apply::IfUnchanged)
        .await
        .unwrap();
    let ArtifactSummary {
        project, applied_in, ..
    } = applied.summary;
    assert_eq!((project, applied_in), (None, Some(mira.project)));
    assert_eq!(mira.on_disk(PATH).as_deref(), Some("from the model\n"));
    mira.operations.undo(id).await.unwrap();
    assert_eq!(mira.on_disk(PATH), None);
    mira.close().await;
}

#[tokio::test]
async fn an_artifact_of_one_project_can_be_applied_to_another() {
    let mira = Mira::start(creating("from the model\n")).await;
    let id = created(&mira, mira.project_turn("Write notes.")).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let new = NewProject {
        name: "Orchard".to_owned(),
        ..NewProject::default()
    };
    let other = mira.workspace.create_project(new).await.unwrap().id;
    mira.workspace.attach(other, elsewhere.path()).await.unwrap();

    let apply = mira.operations.apply(id, Some(other), Apply::IfUnchanged);
    let ArtifactSummary {
        project, applied_in, ..
    } = apply.await.unwrap().summary;
    assert_eq!((project, applied_in), (Some(mira.project), Some(other)));
    let file = elsewhere.path().join(PATH);
    assert!(file.exists() && mira.on_disk(PATH).is_none());
    mira.operations.undo(id).await.unwrap();
    assert!(!file.exists());
    mira.close().await;
}

#[tokio::test]
async fn what_is_not_applied_cannot_be_undone() {
    let mira = Mira::start(creating("from the model\n")).await;
    let id = created(&mira, mira.project_turn("Write notes.")).await;
    let refused = mira.operations.undo(id).await.unwrap_err();
    assert!(matches!(refused, Error::NotApplied(artifact) if artifact == id));
    let unknown = ArtifactId::at(START);
    let refused = mira.operations.undo(unknown).await.unwrap_err();
    assert!(matches!(refused, Error::UnknownArtifact(artifact) if artifact == unknown));
    mira.close().await;
}

#[tokio::test]
async fn an_artifact_learns_that_its_file_was_undone_by_the_files_own_history() {
    let mira = Mira::start(creating("from the model\n")).await;
    mira.put(PATH, "base\n");
    let id = created(&mira, mira.project_turn("Write notes.")).await;
    mira.operations.apply(id, None, Apply::IfUnchanged).await.unwrap();
    let files = mira.workspace.files(mira.project).await.unwrap();
    files
        .undo_last(&RelativePath::parse(PATH).unwrap())
        .await
        .unwrap();
    let undone = mira.operations.undo(id).await.unwrap();
    assert_eq!(
        (undone.summary.change, undone.summary.undone),
        (None, Some(START))
    );
    assert_eq!(mira.on_disk(PATH).as_deref(), Some("base\n"));
    mira.close().await;
}

#[tokio::test]
async fn artifacts_are_listed_newest_first_in_pages() {
    let mira = Mira::start(creating("one\n")).await;
    let mut made = Vec::new();
    for content in ["one\n", "two\n", "three\n"] {
        mira.upstream.replace(creating(content));
        made.insert(0, created(&mira, mira.project_turn("Write notes.")).await);
    }
    let filters = [
        ArtifactFilter::Session(mira.session),
        ArtifactFilter::Project(mira.project),
    ];
    for filter in filters {
        let first = mira.operations.artifacts(filter, None, 2).await.unwrap();
        let rest = mira.operations.artifacts(filter, Some(made[1]), 2).await.unwrap();
        let ids: Vec<ArtifactId> = first.iter().chain(&rest).map(|artifact| artifact.id).collect();
        assert_eq!((ids, rest.len()), (made.clone(), 1));
    }
    let newest: Artifact = mira.operations.artifact(made[0]).await.unwrap();
    assert_eq!(newest.summary.content_hash, hash(b"three\n"));
    mira.close().await;
}
