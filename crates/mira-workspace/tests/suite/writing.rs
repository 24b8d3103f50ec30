//! Reading and writing files.

use mira_workspace::{
    Change, Error, Expected, Kind, LineEnding, MAX_TEXT_BYTES, RelativePath, TextFile, WriteOptions, hash,
};

use crate::fixture::{Fixture, mode, modes_are_enforced, path, set_mode};

#[tokio::test]
async fn a_file_is_read_as_text_with_what_it_takes_to_write_it_back() {
    let fixture = Fixture::new().await;
    let bytes = "\u{feff}a\r\nä\r\n".as_bytes();
    fixture.put("src/a.txt", bytes);
    let expected = TextFile {
        path: path("src/a.txt"),
        content: "a\nä\n".to_owned(),
        hash: hash(bytes),
        size: 10,
        had_bom: true,
        line_ending: LineEnding::CrLf,
    };
    assert_eq!(fixture.files.read(&path("./src//a.txt")).await.unwrap(), expected);
}

#[tokio::test]
async fn what_cannot_be_read_as_text_is_refused_by_kind() {
    let fixture = Fixture::new().await;
    fixture.put("dir/x", "");
    fixture.put("latin1", b"caf\xe9");
    fixture.put("huge", vec![b'a'; usize::try_from(MAX_TEXT_BYTES).unwrap() + 1]);
    let read = async |at: &str| {
        let error = fixture.files.read(&path(at)).await.unwrap_err();
        match error {
            Error::NotFound { .. } => "not found",
            Error::IsDirectory { .. } => "directory",
            Error::NotADirectory { .. } => "below a file",
            Error::NotText { .. } => "no text",
            Error::TooLarge { size, limit, .. } if size == limit + 1 && limit == MAX_TEXT_BYTES => {
                "too large"
            }
            other => panic!("{other:?}"),
        }
    };
    let cases = [
        ("missing", "not found"),
        ("missing/below", "not found"),
        ("dir", "directory"),
        ("latin1", "no text"),
        ("huge", "too large"),
        ("latin1/below", "below a file"),
    ];
    for (at, expected) in cases {
        assert_eq!(read(at).await, expected, "{at}");
    }
}

#[tokio::test]
async fn a_pipe_is_refused_without_waiting_for_it() {
    let fixture = Fixture::new().await;
    let made = std::process::Command::new("mkfifo")
        .args([fixture.root.join("pipe"), fixture.root.join(".gitignore")])
        .status();
    assert!(made.unwrap().success());
    let pipe = path("pipe");
    let error = fixture.files.read(&pipe).await.unwrap_err();
    assert!(matches!(error, Error::NotAFile { .. }), "{error:?}");
    let error = fixture.write("pipe", "x").await.unwrap_err();
    assert!(matches!(error, Error::NotAFile { .. }), "{error:?}");
    let error = fixture.files.delete(&pipe).await.unwrap_err();
    assert!(matches!(error, Error::NotAFile { .. }), "{error:?}");
    assert_eq!(fixture.files.exists(&pipe).await.unwrap(), Some(Kind::Other));
    assert_eq!(fixture.files.outline(10).await.unwrap().files, []);
}

#[tokio::test]
async fn a_write_makes_directories_and_says_what_it_did() {
    let fixture = Fixture::new().await;
    let change = fixture.write("src/api/mod.rs", "one\n").await.unwrap();
    let expected = Change {
        id: change.id,
        path: path("src/api/mod.rs"),
        before_hash: None,
        after_hash: Some(hash(b"one\n")),
        created: true,
        time: change.id.time(),
    };
    assert_eq!(change, expected);
    let change = fixture.write("src/api/mod.rs", "two\n").await.unwrap();
    let expected = Change {
        id: change.id,
        path: path("src/api/mod.rs"),
        before_hash: Some(hash(b"one\n")),
        after_hash: Some(hash(b"two\n")),
        created: false,
        time: change.id.time(),
    };
    assert_eq!(change, expected);
    assert_eq!(fixture.text_on_disk("src/api/mod.rs").as_deref(), Some("two\n"));
    assert_eq!(fixture.all_on_disk(), ["src", "src/api", "src/api/mod.rs"]);
}

#[tokio::test]
async fn a_rewritten_file_keeps_mode_mark_and_line_endings() {
    let fixture = Fixture::new().await;
    fixture.put("run.sh", "\u{feff}a\r\nb\r\n");
    let file = fixture.root.join("run.sh");
    set_mode(&file, 0o751);
    fixture.write("run.sh", "a\nc\n").await.unwrap();
    assert_eq!(
        fixture.text_on_disk("run.sh").as_deref(),
        Some("\u{feff}a\r\nc\r\n")
    );
    assert_eq!(mode(&file), 0o751);
}

#[tokio::test]
async fn an_undecodable_file_is_never_rewritten() {
    let fixture = Fixture::new().await;
    for bytes in [&b"caf\xe9"[..], b"\0", b"\xff\xfea\0"] {
        fixture.put("data", bytes);
        let error = fixture.write("data", "text").await.unwrap_err();
        assert!(matches!(error, Error::NotText { .. }), "{error:?}");
        assert_eq!(fixture.on_disk("data").as_deref(), Some(bytes));
    }
}

#[tokio::test]
async fn too_much_text_is_refused() {
    let fixture = Fixture::new().await;
    let most = "a".repeat(usize::try_from(MAX_TEXT_BYTES).unwrap());
    fixture.write("most", &most).await.unwrap();
    let error = fixture.write("more", &format!("{most}a")).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    assert_eq!(fixture.all_on_disk(), ["most"]);
}

#[tokio::test]
async fn a_write_can_depend_on_what_the_writer_has_seen() {
    let fixture = Fixture::new().await;
    fixture.put("a.txt", "seen");
    let expecting = |content: &str| WriteOptions {
        expected: Expected::Hash(hash(content.as_bytes())),
    };
    let at = path("a.txt");
    fixture.files.write(&at, "next", expecting("seen")).await.unwrap();
    let error = fixture
        .files
        .write(&at, "other", expecting("seen"))
        .await
        .unwrap_err();
    let Error::Changed { expected, found, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!((expected, found), (&Some(hash(b"seen")), &Some(hash(b"next"))));
    let error = fixture
        .files
        .write(&path("b.txt"), "x", expecting("seen"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Changed { found: None, .. }), "{error:?}");
    assert_eq!(fixture.all_on_disk(), ["a.txt"]);
    let nothing = || WriteOptions {
        expected: Expected::Nothing,
    };
    let error = fixture.files.write(&at, "over", nothing()).await.unwrap_err();
    assert!(
        matches!(error, Error::Changed { expected: None, .. }),
        "{error:?}"
    );
    fixture.files.write(&path("b.txt"), "x", nothing()).await.unwrap();
}

#[tokio::test]
async fn a_write_that_changes_nothing_leaves_the_file_alone() {
    let fixture = Fixture::new().await;
    fixture.write("a.txt", "same").await.unwrap();
    let modified = || {
        std::fs::metadata(fixture.root.join("a.txt"))
            .unwrap()
            .modified()
            .unwrap()
    };
    let before = modified();
    let change = fixture.write("a.txt", "same").await.unwrap();
    assert_eq!(change.before_hash, change.after_hash);
    assert_eq!(modified(), before);
}

fn batch(files: &[(&str, &str)]) -> Vec<(RelativePath, String)> {
    files
        .iter()
        .map(|(at, content)| (path(at), (*content).to_owned()))
        .collect()
}

#[tokio::test]
async fn several_files_are_written_together() {
    let fixture = Fixture::new().await;
    fixture.put("b.txt", "old");
    let files = batch(&[("x/a.txt", "1"), ("b.txt", "2"), ("x/c.txt", "3")]);
    let changes = fixture.files.write_many(files).await.unwrap();
    let made: Vec<_> = changes
        .iter()
        .map(|change| (change.path.as_str(), change.created))
        .collect();
    assert_eq!(made, [("x/a.txt", true), ("b.txt", false), ("x/c.txt", true)]);
    assert_eq!(fixture.all_on_disk(), ["b.txt", "x", "x/a.txt", "x/c.txt"]);
    assert_eq!(fixture.files.write_many(Vec::new()).await.unwrap(), []);
}

#[tokio::test]
async fn a_batch_that_fails_leaves_everything_as_it_was() {
    let fixture = Fixture::new().await;
    fixture.put("kept.txt", "old\n");
    fixture.put("binary", b"\xff");
    std::fs::create_dir(fixture.root.join("folder")).unwrap();
    let cases: [&[(&str, &str)]; 5] = [
        // Found impossible before anything is touched.
        &[("kept.txt", "new\n"), ("folder", "x"), ("later.txt", "x")],
        &[("kept.txt", "new\n"), ("binary", "x")],
        &[("kept.txt", "new\n"), ("./kept.txt", "newer\n")],
        &[("deep/er/new.txt", "x"), ("kept.txt/below", "x")],
        // Fails after two files were replaced: `made` has become a directory on the way.
        &[
            ("kept.txt", "new\n"),
            ("made/file.txt", "x"),
            ("made", "x"),
            ("later.txt", "x"),
        ],
    ];
    for files in cases {
        let error = fixture.files.write_many(batch(files)).await.unwrap_err();
        assert!(!matches!(error, Error::HalfWritten { .. }), "{error:?}");
        assert_eq!(
            fixture.all_on_disk(),
            ["binary", "folder", "kept.txt"],
            "{files:?}"
        );
        assert_eq!(
            fixture.text_on_disk("kept.txt").as_deref(),
            Some("old\n"),
            "{files:?}"
        );
        assert_eq!(
            fixture.files.history(&path("kept.txt"), 9).await.unwrap(),
            [],
            "{files:?}"
        );
    }
}

#[tokio::test]
async fn what_the_system_forbids_is_an_error_of_its_own() {
    if !modes_are_enforced() {
        return;
    }
    let fixture = Fixture::new().await;
    fixture.put("open.txt", "old");
    fixture.put("closed/a.txt", "old");
    fixture.put("read-only.txt", "old");
    fixture.put("hidden.txt", "old");
    set_mode(&fixture.root.join("closed"), 0o500);
    set_mode(&fixture.root.join("read-only.txt"), 0o444);
    set_mode(&fixture.root.join("hidden.txt"), 0o000);
    for at in [
        "closed/a.txt",
        "closed/new.txt",
        "closed/new/er.txt",
        "read-only.txt",
        "hidden.txt",
    ] {
        let files = batch(&[("open.txt", "new"), (at, "new")]);
        let error = fixture.files.write_many(files).await.unwrap_err();
        assert!(matches!(error, Error::PermissionDenied { .. }), "{at}: {error:?}");
        assert_eq!(fixture.text_on_disk("open.txt").as_deref(), Some("old"), "{at}");
    }
    let error = fixture.files.read(&path("hidden.txt")).await.unwrap_err();
    assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
    set_mode(&fixture.root.join("closed"), 0o700);
    assert_eq!(
        fixture.all_on_disk(),
        [
            "closed",
            "closed/a.txt",
            "hidden.txt",
            "open.txt",
            "read-only.txt"
        ]
    );
}

#[tokio::test]
async fn writes_of_one_file_at_the_same_time_happen_one_after_the_other() {
    let fixture = Fixture::new().await;
    let mut running = tokio::task::JoinSet::new();
    for number in 0..20 {
        // A handle of its own, as each request has.
        let files = fixture.workspace.files(fixture.project.id).await.unwrap();
        running.spawn(async move {
            files
                .write(&path("a.txt"), &format!("{number}"), WriteOptions::default())
                .await
        });
    }
    running
        .join_all()
        .await
        .into_iter()
        .for_each(|written| assert!(written.is_ok(), "{written:?}"));
    let mut history = fixture.files.history(&path("a.txt"), 50).await.unwrap();
    assert_eq!(history.len(), 20);
    history.reverse();
    assert_eq!(history[0].before, None);
    for pair in history.windows(2) {
        assert_eq!(pair[0].after, pair[1].before);
    }
}

#[tokio::test]
async fn a_write_whose_caller_has_gone_is_finished() {
    let fixture = Fixture::new().await;
    let at = path("a.txt");
    let mut write = Box::pin(fixture.files.write(&at, "text", WriteOptions::default()));
    assert!(futures_util::poll!(&mut write).is_pending());
    drop(write);
    fixture.workspace.close().await;
    assert_eq!(fixture.text_on_disk("a.txt").as_deref(), Some("text"));
    assert_eq!(fixture.files.history(&at, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_directory_is_made_with_those_above_it() {
    let fixture = Fixture::new().await;
    fixture.files.create_directory(&path("a/b/c")).await.unwrap();
    fixture.files.create_directory(&path("a/b/c")).await.unwrap();
    fixture.put("file", "");
    for at in ["file", "file/below"] {
        let error = fixture.files.create_directory(&path(at)).await.unwrap_err();
        assert!(matches!(error, Error::NotADirectory { .. }), "{error:?}");
    }
    assert_eq!(fixture.all_on_disk(), ["a", "a/b", "a/b/c", "file"]);
    assert_eq!(
        fixture.files.exists(&path("a/b")).await.unwrap(),
        Some(Kind::Directory)
    );
    assert_eq!(
        fixture.files.exists(&path("file")).await.unwrap(),
        Some(Kind::File)
    );
    assert_eq!(fixture.files.exists(&path("file/below")).await.unwrap(), None);
    assert_eq!(fixture.files.exists(&path("none")).await.unwrap(), None);
}
