//! No path leaves its project, and none reaches into a `.git`.

use std::os::unix::fs::symlink;

use mira_workspace::{Error, Kind, Listing, PathProblem, RelativePath, Search, WriteOptions};
use proptest::prelude::*;

use crate::fixture::{Fixture, SECRET, path};

#[test]
fn a_path_is_cleaned_or_refused() {
    let cases: [(&str, Result<&str, PathProblem>); 41] = [
        ("a", Ok("a")),
        ("src/main.rs", Ok("src/main.rs")),
        ("./src//api/./x.rs", Ok("src/api/x.rs")),
        ("src\\api\\x.rs", Ok("src/api/x.rs")),
        ("src/", Ok("src")),
        ("src/../b", Ok("b")),
        ("a/b/../../c", Ok("c")),
        ("...", Err(PathProblem::TrailingDotOrSpace)),
        ("ä/日本 語.md", Ok("ä/日本 語.md")),
        (".env", Ok(".env")),
        (".gitignore", Ok(".gitignore")),
        ("~/x", Ok("~/x")),
        ("", Err(PathProblem::Empty)),
        (".", Err(PathProblem::Empty)),
        ("a/..", Err(PathProblem::Empty)),
        ("..", Err(PathProblem::AboveRoot)),
        ("../x", Err(PathProblem::AboveRoot)),
        ("a/../../x", Err(PathProblem::AboveRoot)),
        ("a\\..\\..\\x", Err(PathProblem::AboveRoot)),
        ("/etc/passwd", Err(PathProblem::Absolute)),
        ("\\\\server\\share", Err(PathProblem::Absolute)),
        ("\\\\?\\C:\\x", Err(PathProblem::Absolute)),
        ("C:\\x", Err(PathProblem::Absolute)),
        ("c:x", Err(PathProblem::Absolute)),
        ("a:stream", Err(PathProblem::Absolute)),
        ("ab:stream", Err(PathProblem::ForbiddenCharacter)),
        (".git::$INDEX_ALLOCATION/x", Err(PathProblem::ForbiddenCharacter)),
        ("a\0b", Err(PathProblem::ForbiddenCharacter)),
        ("a\nb", Err(PathProblem::ForbiddenCharacter)),
        ("a\u{7f}", Err(PathProblem::ForbiddenCharacter)),
        ("a./b", Err(PathProblem::TrailingDotOrSpace)),
        ("a /b", Err(PathProblem::TrailingDotOrSpace)),
        (".. /x", Err(PathProblem::TrailingDotOrSpace)),
        ("nul", Err(PathProblem::DeviceName)),
        ("x/CON.txt", Err(PathProblem::DeviceName)),
        ("Com1.log/x", Err(PathProblem::DeviceName)),
        ("lpt\u{b2}", Err(PathProblem::DeviceName)),
        ("aux .c", Err(PathProblem::DeviceName)),
        ("com10", Ok("com10")),
        ("console", Ok("console")),
        ("nully.txt", Ok("nully.txt")),
    ];
    for (text, expected) in cases {
        let parsed = RelativePath::parse(text);
        let seen = parsed
            .as_ref()
            .map(RelativePath::as_str)
            .map_err(|refused| refused.problem);
        assert_eq!(seen, expected, "{text:?}");
    }
    for (text, fits) in [
        ("a".repeat(255), true),
        ("a".repeat(256), false),
        ("a/".repeat(128), true),
        ("a/".repeat(129), false),
        (format!("{}/", "b".repeat(200)).repeat(21), false),
    ] {
        assert_eq!(RelativePath::parse(&text).is_ok(), fits, "{}", text.len());
    }
}

/// What each operation that takes a path answers; `git` operations are none of them.
async fn every_operation(fixture: &Fixture, at: &RelativePath) -> Vec<Error> {
    let files = &fixture.files;
    let listing = Listing {
        recursive: true,
        limit: 10,
    };
    vec![
        files.read(at).await.unwrap_err(),
        fixture.write(at.as_str(), "x").await.unwrap_err(),
        files
            .write_many(vec![(at.clone(), "x".to_owned())])
            .await
            .unwrap_err(),
        files.delete(at).await.unwrap_err(),
        files.create_directory(at).await.unwrap_err(),
        files.exists(at).await.unwrap_err(),
        files.list(Some(at), listing).await.unwrap_err(),
        files.undo_last(at).await.unwrap_err(),
        files.history(at, 1).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn git_is_out_of_reach_however_it_is_spelled() {
    let fixture = Fixture::new().await;
    fixture.put(".git/config", "[core]");
    fixture.put("sub/.git", "gitdir: ../.git/modules/sub");
    symlink(".git", fixture.root.join("innocent")).unwrap();
    symlink(".git/config", fixture.root.join("settings")).unwrap();
    let before = fixture.all_on_disk();
    for at in [
        ".git",
        ".git/config",
        ".git/hooks/post-checkout",
        ".GIT/config",
        "sub/.git",
        "x/.gIt/y",
        "git~1/config",
        ".g\u{200c}it/config",
        ".git\u{feff}/config",
        "innocent/config",
        "innocent/hooks/new",
        "settings",
    ] {
        for (number, error) in every_operation(&fixture, &path(at)).await.into_iter().enumerate() {
            let named = matches!(&error, Error::PathForbidden { path } if path.as_str() == at);
            // Deleting a link is refused before it is asked where it leads.
            let link =
                at == "settings" && matches!(error, Error::PathForbidden { .. } | Error::NotAFile { .. });
            assert!(named || link, "{at} {number}: {error:?}");
        }
    }
    assert_eq!(fixture.all_on_disk(), before);
    assert_eq!(fixture.text_on_disk(".git/config").as_deref(), Some("[core]"));
    for spelled in [".git ", ".git.", ".git. .", ".git:x"] {
        assert!(
            RelativePath::parse(&format!("{spelled}/config")).is_err(),
            "{spelled:?}"
        );
    }
}

#[tokio::test]
async fn links_that_lead_out_are_refused() {
    let fixture = Fixture::new().await;
    let root = &fixture.root;
    std::fs::create_dir(root.join("dir")).unwrap();
    symlink(&fixture.outside, root.join("absolute")).unwrap();
    symlink("../outside", root.join("relative")).unwrap();
    symlink("../../outside/secret.txt", root.join("dir/file")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("absolute", root.join("chain")).unwrap();
    symlink(fixture.outside.join("new.txt"), root.join("dangling")).unwrap();
    symlink("/proc/self/root", root.join("proc")).unwrap();
    let before = fixture.all_on_disk();
    for at in [
        "absolute",
        "absolute/secret.txt",
        "absolute/new.txt",
        "absolute/new/er.txt",
        "relative/secret.txt",
        "relative/new.txt",
        "dir/file",
        "up/outside/secret.txt",
        "chain/secret.txt",
        "dangling",
        "proc/etc/passwd",
    ] {
        for (number, error) in every_operation(&fixture, &path(at)).await.into_iter().enumerate() {
            let named = matches!(&error, Error::Escapes { path } if path.as_str() == at);
            assert!(named, "{at} {number}: {error:?}");
        }
    }
    assert_eq!(fixture.all_on_disk(), before);
    fixture.assert_outside_is_untouched();
    let found = fixture.files.search(Search::text(SECRET.trim())).await.unwrap();
    assert_eq!(found.matches, []);
    assert_eq!(fixture.files.outline(100).await.unwrap().files, []);
}

#[tokio::test]
async fn links_that_stay_inside_are_followed() {
    let fixture = Fixture::new().await;
    let root = &fixture.root;
    fixture.put("real/a.txt", "old");
    symlink("real", root.join("relative")).unwrap();
    symlink(root.join("real"), root.join("absolute")).unwrap();
    symlink("../real/a.txt", root.join("real/self")).unwrap();
    for (number, at) in ["relative/a.txt", "absolute/a.txt", "real/self"]
        .iter()
        .enumerate()
    {
        let change = fixture.write(at, &format!("{number}")).await.unwrap();
        assert_eq!(change.path, path("real/a.txt"));
        assert_eq!(fixture.text_on_disk("real/a.txt"), Some(format!("{number}")));
        let read = fixture.files.read(&path(at)).await.unwrap();
        assert_eq!(
            (read.path, read.content),
            (path("real/a.txt"), format!("{number}"))
        );
    }
    let change = fixture.write("absolute/deep/new.txt", "x").await.unwrap();
    assert_eq!(change.path, path("real/deep/new.txt"));
    fixture
        .files
        .undo_last(&path("relative/deep/new.txt"))
        .await
        .unwrap();
    assert!(root.join("real/self").is_symlink() && root.join("relative").is_symlink());
    fixture.files.delete(&path("relative/a.txt")).await.unwrap();
    assert_eq!(fixture.on_disk("real/a.txt"), None);
    assert_eq!(
        fixture.files.exists(&path("real/self")).await.unwrap(),
        Some(Kind::Other)
    );
}

#[tokio::test]
async fn a_link_itself_is_neither_deleted_nor_written_when_it_leads_nowhere() {
    let fixture = Fixture::new().await;
    fixture.put("real.txt", "x");
    symlink("real.txt", fixture.root.join("link")).unwrap();
    symlink("missing.txt", fixture.root.join("nowhere")).unwrap();
    symlink("loop", fixture.root.join("loop")).unwrap();
    let before = fixture.all_on_disk();
    let deleted = fixture.files.delete(&path("link")).await;
    assert!(matches!(deleted, Err(Error::NotAFile { .. })), "{deleted:?}");
    let written = fixture.write("nowhere", "x").await;
    assert!(matches!(written, Err(Error::NotAFile { .. })), "{written:?}");
    assert!(fixture.write("loop", "x").await.is_err());
    assert!(fixture.files.read(&path("loop")).await.is_err());
    assert_eq!(fixture.all_on_disk(), before);
}

#[tokio::test]
async fn a_directory_swapped_for_a_link_after_the_write_is_not_followed_by_the_undo() {
    let fixture = Fixture::new().await;
    std::fs::write(fixture.outside.join("secret.txt"), "new").unwrap();
    fixture.put("dir/secret.txt", "old");
    let change = fixture.write("dir/secret.txt", "new").await.unwrap();
    std::fs::remove_dir_all(fixture.root.join("dir")).unwrap();
    symlink(&fixture.outside, fixture.root.join("dir")).unwrap();
    let undone = fixture.files.undo_forced(change.id).await;
    assert!(undone.is_err(), "{undone:?}");
    assert_eq!(
        std::fs::read_to_string(fixture.outside.join("secret.txt")).unwrap(),
        "new"
    );
}

/// Pieces that paths to somewhere else are made of.
fn tricky_path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just("...".to_owned()),
        Just("out".to_owned()),
        Just("in".to_owned()),
        Just("outside".to_owned()),
        Just("secret.txt".to_owned()),
        Just(".git".to_owned()),
        Just(".GIT".to_owned()),
        Just("C:".to_owned()),
        Just("%2e%2e".to_owned()),
        Just("\u{ff0e}\u{ff0e}".to_owned()),
        Just(String::new()),
        "\\PC{0,6}",
        any::<String>(),
    ];
    let separator = prop_oneof![Just("/"), Just("\\"), Just("//"), Just("/./"), Just("\u{2215}")];
    proptest::collection::vec((piece, separator), 1..7).prop_map(|pieces| {
        pieces
            .into_iter()
            .flat_map(|(piece, separator)| [piece, separator.to_owned()])
            .collect()
    })
}

#[test]
fn whatever_the_path_nothing_outside_is_touched() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let fixture = runtime.block_on(Fixture::new());
    fixture.put(".git/config", "[core]");
    symlink(&fixture.outside, fixture.root.join("out")).unwrap();
    symlink(".", fixture.root.join("in")).unwrap();
    let beside = || {
        let folder = std::fs::read_dir(fixture.root.parent().unwrap()).unwrap();
        let mut names: Vec<_> = folder.map(|entry| entry.unwrap().file_name()).collect();
        names.retain(|name| !name.to_string_lossy().starts_with("mira.db"));
        names.sort();
        names
    };
    let config = ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(text in tricky_path())| {
        if let Ok(at) = RelativePath::parse(&text) {
            prop_assert_eq!(RelativePath::parse(at.as_str()), Ok(at.clone()));
            runtime.block_on(async {
                if let Ok(change) = fixture.files.write(&at, "written", WriteOptions::default()).await {
                    let real = fixture.root.join(change.path.as_str()).canonicalize().unwrap();
                    assert!(real.starts_with(&fixture.root), "{text:?} {real:?}");
                }
                if let Ok(read) = fixture.files.read(&at).await {
                    assert_ne!(read.content, SECRET, "{text:?}");
                }
                let _ = fixture.files.delete(&at).await;
                let _ = fixture.files.create_directory(&at).await;
            });
            fixture.assert_outside_is_untouched();
            assert_eq!(beside(), ["outside", "project"]);
            assert_eq!(fixture.text_on_disk(".git/config").as_deref(), Some("[core]"));
        }
    });
}
