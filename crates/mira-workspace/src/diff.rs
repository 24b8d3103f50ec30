//! Differences between two texts, as git shows them.

use std::fmt::Write;
use std::time::Duration;

use similar::TextDiff;

use crate::RelativePath;

/// After this time the rest of two very different texts is shown as replaced in larger pieces.
const DIFF_TIME: Duration = Duration::from_millis(500);

const CONTEXT_LINES: usize = 3;

/// The unified diff from `before` to `after` with three lines of context, which `git apply` accepts; empty when the
/// two are equal. `before` is `None` for a new file.
///
/// ```
/// # use mira_workspace::{RelativePath, unified_diff};
/// let path = RelativePath::parse("src/a.rs")?;
/// assert_eq!(
///     unified_diff(&path, Some("fn a() {}"), "fn a() {}\n"),
///     "--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1 +1 @@\n-fn a() {}\n\\ No newline at end of file\n+fn a() {}\n"
/// );
/// # Ok::<(), mira_workspace::InvalidPath>(())
/// ```
pub fn unified_diff(path: &RelativePath, before: Option<&str>, after: &str) -> String {
    // Only `\n` ends a line here, as it does for git; a lone `\r` is a character like others.
    let old: Vec<&str> = before.unwrap_or_default().split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let diff = TextDiff::configure().timeout(DIFF_TIME).diff_slices(&old, &new);
    let mut shown = String::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT_LINES).iter_hunks() {
        if shown.is_empty() {
            // A tab ends a name that has a space in it.
            let end = if path.as_str().contains(' ') { "\t" } else { "" };
            let old = before.map_or("/dev/null".to_owned(), |_| format!("a/{path}{end}"));
            put(&mut shown, format_args!("--- {old}\n+++ b/{path}{end}\n"));
        }
        put(&mut shown, format_args!("{}\n", hunk.header()));
        for change in hunk.iter_changes() {
            put(&mut shown, format_args!("{}{}", change.tag(), change.value()));
            if !change.value().ends_with('\n') {
                shown.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    shown
}

fn put(text: &mut String, piece: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = text.write_fmt(piece);
}
