//! Finding text in the files of a project, with ripgrep's matcher and searcher.

use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use cap_std::fs::Dir;
use grep_matcher::Matcher;
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkMatch};
use ignore::overrides::{Override, OverrideBuilder};

use crate::root::{self, Kind, Root};
use crate::walk::walk;
use crate::{Error, RelativePath};

/// The longest line that is shown, in characters.
pub const MAX_LINE_CHARS: usize = 400;

/// How long one search may take before it returns what it has.
const SEARCH_TIME: Duration = Duration::from_secs(20);

/// The largest compiled pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 8 * 1024 * 1024;

/// What to look for, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    pub pattern: String,
    /// `pattern` is a regular expression of the `regex` crate, else the text itself. It is matched line by line.
    pub regex: bool,
    /// Only in files whose path matches this glob, in the sense of an ignore file: `*.rs`, `src/**`, `!*.md`.
    pub glob: Option<String>,
    pub case: Case,
    /// At most this many lines.
    pub limit: usize,
    /// Larger files are passed over.
    pub max_file_bytes: u64,
}

impl Search {
    /// A search for `text` as it stands, with smart case, 200 lines, files up to 2 MiB.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            pattern: text.into(),
            regex: false,
            glob: None,
            case: Case::Smart,
            limit: 200,
            max_file_bytes: 2 * 1024 * 1024,
        }
    }
}

/// Whether upper and lower case differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Case {
    /// Only when the pattern has an upper-case letter.
    #[default]
    Smart,
    Sensitive,
    Insensitive,
}

/// The lines found, in order of path and line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchResult {
    pub matches: Vec<LineMatch>,
    /// There may be more: the limit or the time was reached.
    pub truncated: bool,
}

/// A line that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineMatch {
    pub path: RelativePath,
    /// Counted from 1.
    pub line: u64,
    /// Without its ending. Of a line longer than [`MAX_LINE_CHARS`], the part around the match, with `…` where it
    /// was cut; bytes that are not UTF-8 are shown as U+FFFD.
    pub text: String,
}

pub(crate) fn search(root: &Root, search: &Search) -> Result<SearchResult, Error> {
    let matcher = matcher(search)?;
    let glob = search
        .glob
        .as_deref()
        .map(|glob| parse_glob(root, glob))
        .transpose()?;
    let mut searcher = SearcherBuilder::new()
        .binary_detection(BinaryDetection::quit(0))
        .build();
    let deadline = Instant::now() + SEARCH_TIME;
    let mut matches: Vec<LineMatch> = Vec::new();
    let mut truncated = false;
    walk(root, None, true, |visit| {
        let excluded = |glob: &Override| glob.matched(visit.path.as_path(), false).is_ignore();
        let searched = visit.kind == Kind::File
            && !visit.is_link
            && visit.size <= search.max_file_bytes
            && !glob.as_ref().is_some_and(excluded);
        if searched {
            let mut lines = Lines {
                matcher: &matcher,
                path: &visit.path,
                // One more than wanted tells that there are more.
                room: search.limit.saturating_sub(matches.len()).saturating_add(1),
                deadline,
                matches: Vec::new(),
                is_binary: false,
            };
            match lines.look_into(&mut searcher, visit.dir) {
                // A NUL may come after lines that looked like text.
                Ok(()) if lines.is_binary => {}
                Ok(()) => matches.append(&mut lines.matches),
                Err(error) => tracing::debug!(path = %visit.path, %error, "could not search a file"),
            }
        }
        truncated = matches.len() > search.limit || Instant::now() > deadline;
        if truncated {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    matches.truncate(search.limit);
    matches.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    Ok(SearchResult { matches, truncated })
}

fn matcher(search: &Search) -> Result<RegexMatcher, Error> {
    let mut builder = RegexMatcherBuilder::new();
    builder
        .fixed_strings(!search.regex)
        .line_terminator(Some(b'\n'))
        .size_limit(MAX_PATTERN_BYTES)
        .dfa_size_limit(MAX_PATTERN_BYTES);
    match search.case {
        Case::Smart => builder.case_smart(true),
        Case::Sensitive => &mut builder,
        Case::Insensitive => builder.case_insensitive(true),
    };
    builder.build(&search.pattern).map_err(|source| Error::Pattern {
        pattern: search.pattern.clone(),
        source,
    })
}

fn parse_glob(root: &Root, glob: &str) -> Result<Override, Error> {
    let malformed = |source| Error::Glob {
        glob: glob.to_owned(),
        source,
    };
    let mut builder = OverrideBuilder::new(root.path());
    builder.add(glob).map_err(malformed)?;
    builder.build().map_err(malformed)
}

/// The lines of one file that match.
struct Lines<'a> {
    matcher: &'a RegexMatcher,
    path: &'a RelativePath,
    room: usize,
    deadline: Instant,
    matches: Vec<LineMatch>,
    is_binary: bool,
}

impl Lines<'_> {
    fn look_into(&mut self, searcher: &mut Searcher, dir: &Dir) -> Result<(), Error> {
        let file = root::open_file(dir, self.path)?.into_std();
        let (matcher, path) = (self.matcher, self.path);
        searcher
            .search_file(matcher, &file, self)
            .map_err(|error| root::failed("search", path, error))
    }
}

impl Sink for &mut Lines<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> io::Result<bool> {
        let line = found.bytes();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // The matcher's error type has no values.
        let start = self
            .matcher
            .find(line)
            .ok()
            .flatten()
            .map_or(0, |found| found.start());
        self.matches.push(LineMatch {
            path: self.path.clone(),
            line: found.line_number().unwrap_or(0),
            text: excerpt(line, start),
        });
        Ok(self.matches.len() < self.room && Instant::now() <= self.deadline)
    }

    fn binary_data(&mut self, _: &Searcher, _: u64) -> io::Result<bool> {
        self.is_binary = true;
        Ok(false)
    }
}

/// The line, or the part of a long one that begins shortly before the byte `start`.
fn excerpt(line: &[u8], start: usize) -> String {
    let before = String::from_utf8_lossy(line.get(..start).unwrap_or_default());
    let after = String::from_utf8_lossy(line.get(start..).unwrap_or_default());
    let (lead, rest) = (before.chars().count(), after.chars().count());
    if lead + rest <= MAX_LINE_CHARS {
        return format!("{before}{after}");
    }
    // A quarter of the room shows what comes before the match, more when little comes after it.
    let skipped = lead.saturating_sub((MAX_LINE_CHARS / 4).max(MAX_LINE_CHARS.saturating_sub(rest)));
    let mut shown = String::from(if skipped > 0 { "…" } else { "" });
    shown.extend(
        before
            .chars()
            .chain(after.chars())
            .skip(skipped)
            .take(MAX_LINE_CHARS),
    );
    if lead + rest > skipped + MAX_LINE_CHARS {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_around_the_match_at_character_boundaries() {
        let line = format!("{}needle{}", "ä".repeat(1000), "ö".repeat(1000));
        let expected = format!("…{}needle{}…", "ä".repeat(100), "ö".repeat(294));
        assert_eq!(excerpt(line.as_bytes(), 2000), expected);
        let at_end = format!("{}needle", "ä".repeat(1000));
        assert_eq!(
            excerpt(at_end.as_bytes(), 2000),
            format!("…{}needle", "ä".repeat(394))
        );
        assert_eq!(excerpt(b"caf\xe9", 0), "caf\u{fffd}");
    }
}
