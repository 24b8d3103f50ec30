//! Listing, tree and outline.

use std::os::unix::fs::symlink;

use mira_workspace::{Entries, Entry, Error, Kind, Listing, Node, OutlineFile};

use crate::fixture::{Fixture, path};

fn names(entries: &Entries) -> Vec<&str> {
    entries.entries.iter().map(|entry| entry.path.as_str()).collect()
}

const ALL: Listing = Listing {
    recursive: true,
    limit: 10_000,
};

#[tokio::test]
async fn a_listing_follows_gits_rules() {
    let fixture = Fixture::new().await;
    for at in [
        ".git/config",
        ".github/ci.yml",
        ".env",
        "src/main.rs",
        "src/gen/code.rs",
        "src/gen/keep.rs",
        "target/debug/x",
        "logs/a.log",
        "logs/important.log",
        "sub/.git",
        "sub/build/out",
        "build/out",
    ] {
        fixture.put(at, "x");
    }
    fixture.put(
        ".gitignore",
        "\u{feff}/target\n*.log\n!important.log\n# comment\n",
    );
    fixture.put("src/.gitignore", "gen/*\n!gen/keep.rs\n");
    fixture.put("sub/.gitignore", "build/\n[bad\n");
    std::fs::create_dir_all(fixture.root.join(".git/info")).unwrap();
    fixture.put(".git/info/exclude", "/build\n");
    let listed = fixture.files.list(None, ALL).await.unwrap();
    let expected = [
        ".env",
        ".github",
        ".github/ci.yml",
        ".gitignore",
        "logs",
        "logs/important.log",
        "src",
        "src/.gitignore",
        "src/gen",
        "src/gen/keep.rs",
        "src/main.rs",
        "sub",
        "sub/.gitignore",
    ];
    assert_eq!(names(&listed), expected);
    let below = fixture.files.list(Some(&path("src")), ALL).await.unwrap();
    assert_eq!(
        names(&below),
        ["src/.gitignore", "src/gen", "src/gen/keep.rs", "src/main.rs"]
    );
    let ignored = fixture.files.list(Some(&path("target")), ALL).await.unwrap();
    assert_eq!(names(&ignored), ["target/debug", "target/debug/x"]);
}

#[tokio::test]
async fn a_project_inside_a_repository_follows_the_rules_above_it() {
    let fixture = Fixture::new().await;
    fixture.put(".git/HEAD", "ref: refs/heads/main");
    fixture.put(".gitignore", "*.tmp\n/inner/secret\n");
    fixture.put("inner/a.tmp", "x");
    fixture.put("inner/a.txt", "x");
    fixture.put("inner/secret/a.txt", "x");
    let inner = fixture.root.join("inner");
    fixture
        .workspace
        .attach(fixture.project.id, &inner)
        .await
        .unwrap();
    let files = fixture.workspace.files(fixture.project.id).await.unwrap();
    assert_eq!(names(&files.list(None, ALL).await.unwrap()), ["a.txt"]);
    // Without a repository around it, what lies above a project does not concern it.
    std::fs::remove_dir_all(fixture.root.join(".git")).unwrap();
    assert_eq!(
        names(&files.list(None, ALL).await.unwrap()),
        ["a.tmp", "a.txt", "secret", "secret/a.txt"]
    );
}

#[tokio::test]
async fn an_ignore_file_that_is_a_link_is_no_ignore_file() {
    let fixture = Fixture::new().await;
    fixture.put("a.txt", "x");
    symlink("/dev/zero", fixture.root.join(".gitignore")).unwrap();
    let listed = fixture.files.list(None, ALL).await.unwrap();
    assert_eq!(names(&listed), [".gitignore", "a.txt"]);
}

#[tokio::test]
async fn links_are_shown_and_not_entered() {
    let fixture = Fixture::new().await;
    fixture.put("dir/a.txt", "four");
    symlink("..", fixture.root.join("dir/loop")).unwrap();
    symlink("dir/a.txt", fixture.root.join("file")).unwrap();
    symlink("dir", fixture.root.join("folder")).unwrap();
    symlink("../dir/a.txt", fixture.root.join("dir/near")).unwrap();
    symlink(&fixture.outside, fixture.root.join("out")).unwrap();
    let entry = |at: &str, kind, size| Entry {
        path: path(at),
        kind,
        size,
    };
    let listed = fixture.files.list(None, ALL).await.unwrap();
    let expected = [
        entry("dir", Kind::Directory, 0),
        entry("dir/a.txt", Kind::File, 4),
        entry("dir/loop", Kind::Other, 0),
        entry("dir/near", Kind::File, 4),
        entry("file", Kind::File, 4),
        entry("folder", Kind::Directory, 0),
        entry("out", Kind::Other, 0),
    ];
    assert_eq!(listed.entries, expected);
    let outline = fixture.files.outline(10).await.unwrap();
    assert_eq!(outline.files.len(), 1);
}

#[tokio::test]
async fn a_listing_can_be_of_one_directory() {
    let fixture = Fixture::new().await;
    fixture.put("a/b/c.txt", "x");
    fixture.put("a/d.txt", "x");
    let flat = Listing {
        recursive: false,
        limit: 10,
    };
    assert_eq!(names(&fixture.files.list(None, flat).await.unwrap()), ["a"]);
    let listed = fixture.files.list(Some(&path("a")), flat).await.unwrap();
    assert_eq!(names(&listed), ["a/b", "a/d.txt"]);
    let error = fixture
        .files
        .list(Some(&path("a/d.txt")), flat)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotADirectory { .. }), "{error:?}");
    let error = fixture.files.list(Some(&path("none")), flat).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn a_tree_is_nested_with_directories_first() {
    let fixture = Fixture::new().await;
    fixture.put("a.txt", "x");
    fixture.put("src/b/c.rs", "");
    fixture.put("src/a.rs", "");
    let tree = fixture.files.tree(100).await.unwrap();
    let node = |at: &str, kind, children| Node {
        path: path(at),
        kind,
        size: u64::from(at == "a.txt"),
        children,
    };
    let c = node("src/b/c.rs", Kind::File, vec![]);
    let b = node("src/b", Kind::Directory, vec![c]);
    let src = node(
        "src",
        Kind::Directory,
        vec![b, node("src/a.rs", Kind::File, vec![])],
    );
    assert_eq!(tree.nodes, [src, node("a.txt", Kind::File, vec![])]);
    assert!(!tree.truncated);
}

#[tokio::test]
async fn a_large_project_is_cut_at_its_depths() {
    let fixture = Fixture::new().await;
    for number in 0..1000 {
        fixture.put(
            &format!("d{}/e{}/f{}.rs", number / 100, number / 10 % 10, number % 10),
            "",
        );
    }
    let all = fixture.files.list(None, ALL).await.unwrap();
    assert_eq!((all.entries.len(), all.truncated), (1110, false));
    let exactly = fixture.files.tree(1110).await.unwrap();
    assert!(!exactly.truncated);
    let cut = fixture.files.tree(15).await.unwrap();
    let children: Vec<usize> = cut.nodes.iter().map(|node| node.children.len()).collect();
    assert_eq!(
        (children, cut.truncated),
        (vec![5, 0, 0, 0, 0, 0, 0, 0, 0, 0], true)
    );
    let outline = fixture.files.outline(999).await.unwrap();
    assert_eq!((outline.files.len(), outline.truncated), (999, true));
}

#[tokio::test]
async fn an_outline_names_size_and_language() {
    let fixture = Fixture::new().await;
    fixture.put("src/main.rs", "fn main() {}\n");
    fixture.put("LICENSE", "");
    let file = |at: &str, size, language| OutlineFile {
        path: path(at),
        size,
        language,
    };
    let outline = fixture.files.outline(10).await.unwrap();
    assert_eq!(
        outline.files,
        [file("LICENSE", 0, None), file("src/main.rs", 13, Some("rust"))]
    );
}
