//! Showing unified diffs.

use std::io;

use crate::clean::clean;
use crate::screen::{Screen, Tone};

/// Lines of a diff that are shown before the rest is folded away.
const FOLDED_LINES: usize = 40;

/// A diff that is a few lines longer is shown whole: a fold would save nothing.
const FOLD_SLACK: usize = 8;

/// How many lines a diff adds and removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) added: usize,
    pub(crate) removed: usize,
}

/// What a line of a diff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Hunk,
    Added,
    Removed,
    Context,
}

impl Kind {
    fn tone(self) -> Tone {
        match self {
            Self::File => Tone::Bold,
            Self::Hunk => Tone::Cyan,
            Self::Added => Tone::Green,
            Self::Removed => Tone::Red,
            Self::Context => Tone::Plain,
        }
    }
}

/// The lines of a diff with their kinds. A line such as `--- x` is a file's name only ahead of the first hunk, and a
/// removed line in it.
fn lines(diff: &str) -> impl Iterator<Item = (Kind, &str)> {
    let mut in_hunk = false;
    diff.lines().map(move |line| {
        let kind = match line.chars().next() {
            Some('@') => {
                in_hunk = true;
                Kind::Hunk
            }
            Some('+' | '-') if !in_hunk => Kind::File,
            Some('+') => Kind::Added,
            Some('-') => Kind::Removed,
            Some(_) | None => Kind::Context,
        };
        (kind, line)
    })
}

pub(crate) fn size(diff: &str) -> Size {
    let count = |wanted| lines(diff).filter(|(kind, _)| *kind == wanted).count();
    Size {
        added: count(Kind::Added),
        removed: count(Kind::Removed),
    }
}

/// Shows a diff with its beginning only when it is long, and says how to see the rest.
pub(crate) fn show_folded(diff: &str, number: usize, screen: &mut Screen) -> io::Result<()> {
    let total = diff.lines().count();
    if total <= FOLDED_LINES + FOLD_SLACK {
        return show(diff, screen);
    }
    show_lines(lines(diff).take(FOLDED_LINES), screen)?;
    let hidden = total - FOLDED_LINES;
    screen.line(
        Tone::Dim,
        &format!("… {hidden} more lines; /diff {number} shows all"),
    )
}

/// Shows all of a diff.
pub(crate) fn show(diff: &str, screen: &mut Screen) -> io::Result<()> {
    show_lines(lines(diff), screen)
}

fn show_lines<'d>(lines: impl Iterator<Item = (Kind, &'d str)>, screen: &mut Screen) -> io::Result<()> {
    for (kind, line) in lines {
        screen.line(kind.tone(), &clean(line))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::tests::recorded;

    const DIFF: &str = "\
--- a/x.sql
+++ b/x.sql
@@ -1,3 +1,3 @@
 SELECT 1;
--- an old comment
+++ new
\u{1b}[2Jcontext
";

    #[test]
    fn lines_have_their_colours() {
        let shown = recorded(|screen| show(DIFF, screen));
        let expected = "\
\u{1b}[1m--- a/x.sql\u{1b}[0m
\u{1b}[1m+++ b/x.sql\u{1b}[0m
\u{1b}[36m@@ -1,3 +1,3 @@\u{1b}[0m
 SELECT 1;
\u{1b}[31m--- an old comment\u{1b}[0m
\u{1b}[32m+++ new\u{1b}[0m
context
";
        assert_eq!(shown, expected);
        assert_eq!(size(DIFF), Size { added: 1, removed: 1 });
    }

    #[test]
    fn only_long_diffs_are_folded() {
        let diff = |lines: usize| format!("@@ -0,0 +1,{lines} @@\n{}", "+x\n".repeat(lines - 1));
        let shown = recorded(|screen| show_folded(&diff(FOLDED_LINES + FOLD_SLACK), 3, screen));
        assert_eq!(shown.lines().count(), FOLDED_LINES + FOLD_SLACK);
        let shown = recorded(|screen| show_folded(&diff(100), 3, screen));
        assert_eq!(shown.lines().count(), FOLDED_LINES + 1);
        assert!(
            shown.ends_with("\u{1b}[2m… 60 more lines; /diff 3 shows all\u{1b}[0m\n"),
            "{shown}"
        );
    }
}
