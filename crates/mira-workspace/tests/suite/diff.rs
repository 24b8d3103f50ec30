//! Differences, as git understands them.

use std::process::Command;
use std::time::{Duration, Instant};

use mira_workspace::unified_diff;

use crate::fixture::path;

fn lines(numbers: impl IntoIterator<Item = u64>) -> String {
    numbers
        .into_iter()
        .fold(String::new(), |text, number| text + &format!("{number}\n"))
}

#[test]
fn a_diff_has_three_lines_of_context() {
    let before = lines(1..=20);
    let after = before.replace("10\n", "ten\n");
    let expected = "--- a/n.txt\n+++ b/n.txt\n@@ -7,7 +7,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n";
    assert_eq!(unified_diff(&path("n.txt"), Some(&before), &after), expected);
    assert_eq!(unified_diff(&path("n.txt"), Some(&before), &before), "");
    assert_eq!(
        unified_diff(&path("n.txt"), None, "a\nb"),
        "--- /dev/null\n+++ b/n.txt\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n"
    );
}

#[test]
fn git_applies_every_diff_to_the_text_it_was_made_for() {
    let long = lines(0..=299);
    let edited = long
        .replace("\n5\n", "\n")
        .replace("\n150\n", "\nnew\nnewer\n")
        .replace("\n299\n", "\nend");
    let cases: [(&str, Option<&str>, &str); 9] = [
        ("a.txt", Some("a\nb\n"), "a\nc\n"),
        ("dir/a.txt", None, "new\n"),
        ("no newline.txt", Some("a"), "b"),
        ("a.txt", Some("a\n"), "a"),
        ("a.txt", Some("a\r\nb\r\n"), "a\r\nb\n"),
        ("a.txt", Some("a\rb\r"), "a\rc\r"),
        ("a.txt", Some("a\n"), ""),
        ("ä.txt", Some("ä\n\n\n"), "\nö\n\n"),
        ("long.txt", Some(&long), &edited),
    ];
    for (at, before, after) in cases {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(at);
        if let Some(before) = before {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, before).unwrap();
        }
        let diff = unified_diff(&path(at), before, after);
        std::fs::write(folder.path().join("it.diff"), &diff).unwrap();
        let applied = Command::new("git")
            .args(["apply", "--whitespace=nowarn", "it.diff"])
            .env("GIT_CEILING_DIRECTORIES", folder.path().parent().unwrap())
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(
            applied.status.success(),
            "{diff:?}: {}",
            String::from_utf8_lossy(&applied.stderr)
        );
        assert_eq!(std::fs::read_to_string(&file).unwrap(), after, "{diff:?}");
    }
}

#[test]
fn two_huge_texts_are_compared_in_bounded_time() {
    let text = |seed: u64| lines((0..40_000).map(|line| line * seed % 977));
    let (before, after) = (text(7919), text(104_729));
    let begun = Instant::now();
    let diff = unified_diff(&path("a.txt"), Some(&before), &after);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(diff.starts_with("--- a/a.txt\n+++ b/a.txt\n@@ "));
}
