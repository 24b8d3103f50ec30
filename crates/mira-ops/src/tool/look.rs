//! Tools that look at the project and change nothing.

use std::fmt::Write as _;

use mira_workspace::{Case, Kind, Listing, RelativePath, Search};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Arguments, OUTPUT_CAP, Outcome, ToolError, Toolbox};

/// Entries of a directory that are shown at most.
const LISTED: usize = 1_000;

/// Lines that a search shows at most.
const MATCHES: usize = 200;

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ReadFile {
    /// Relative to the project's root.
    path: String,
    /// The first line to read, from 1; null for the beginning.
    start_line: Option<u32>,
    /// The last line to read; null for the end.
    end_line: Option<u32>,
}

impl Arguments for ReadFile {
    const NAME: &'static str = "read_file";
    const DESCRIPTION: &'static str = "Read a text file of the project, whole or a range of lines.";
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListFiles {
    /// A directory relative to the project's root; null for the root.
    path: Option<String>,
    /// Everything below it, or only what lies directly in it; null for the latter.
    recursive: Option<bool>,
}

impl Arguments for ListFiles {
    const NAME: &'static str = "list_files";
    const DESCRIPTION: &'static str =
        "List files and directories of the project; what git ignores is left out.";
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SearchText {
    /// What to look for. Lower case matches any case.
    pattern: String,
    /// Whether the pattern is a regular expression; null for plain text.
    regex: Option<bool>,
    /// Only in files that match, such as *.rs or src/**; null for all.
    glob: Option<String>,
}

impl Arguments for SearchText {
    const NAME: &'static str = "search_text";
    const DESCRIPTION: &'static str = "Find lines in the files of the project. Use it to find where a name is \
                                       defined or used.";
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ProjectOutline {}

impl Arguments for ProjectOutline {
    const NAME: &'static str = "project_outline";
    const DESCRIPTION: &'static str = "All files of the project with size and language, as far as they fit.";
}

pub(super) async fn read_file(toolbox: &Toolbox<'_>, wanted: ReadFile) -> Result<Outcome, ToolError> {
    let path = parse(&wanted.path)?;
    let file = toolbox.files()?.read(&path).await?;
    let lines: Vec<&str> = file.content.lines().collect();
    let total = lines.len();
    let line = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let first = wanted.start_line.map_or(1, line).max(1);
    let last = wanted.end_line.map_or(total, line).min(total);
    let shown = lines.get(first - 1..last.max(first - 1)).unwrap_or_default();
    let text = shown.join("\n");
    let (kept, cut) = toolbox.counter.truncate(&text, OUTPUT_CAP - 200);
    let until = if cut {
        first + kept.lines().count().saturating_sub(1)
    } else {
        last
    };
    let mut output = format!("{path}, lines {first} to {until} of {total}:\n{kept}");
    if cut {
        // The last line shown may not be whole, so it is read again; unless it is all there was room for.
        let next = until.max(first + 1);
        // Writing to a string cannot fail.
        let _ = write!(output, "\n[… go on with start_line {next}]");
    }
    Ok(Outcome::told(
        output,
        format!("{path}: lines {first} to {until} of {total}"),
    ))
}

pub(super) async fn list_files(toolbox: &Toolbox<'_>, wanted: ListFiles) -> Result<Outcome, ToolError> {
    let start = wanted
        .path
        .as_deref()
        .filter(|path| !matches!(path.trim(), "" | "." | "./" | "/"));
    let start = start.map(parse).transpose()?;
    let listing = Listing {
        recursive: wanted.recursive.unwrap_or(false),
        limit: LISTED,
    };
    let found = toolbox.files()?.list(start.as_ref(), listing).await?;
    let mut output = String::new();
    for entry in &found.entries {
        // Writing to a string cannot fail.
        let _ = match entry.kind {
            Kind::Directory => writeln!(output, "{}/", entry.path),
            Kind::File | Kind::Other => writeln!(output, "{} ({} bytes)", entry.path, entry.size),
        };
    }
    if found.entries.is_empty() {
        output.push_str("(empty)");
    }
    if found.truncated {
        output.push_str("[… more than can be shown; list a directory further down]");
    }
    Ok(Outcome::told(output, format!("{} entries", found.entries.len())))
}

pub(super) async fn search_text(toolbox: &Toolbox<'_>, wanted: SearchText) -> Result<Outcome, ToolError> {
    if wanted.pattern.is_empty() {
        return Err(ToolError::Empty("the pattern"));
    }
    let search = Search {
        regex: wanted.regex.unwrap_or(false),
        glob: wanted.glob,
        case: Case::Smart,
        limit: MATCHES,
        ..Search::text(wanted.pattern)
    };
    let found = toolbox.files()?.search(search).await?;
    let mut output = String::new();
    for line in &found.matches {
        // Writing to a string cannot fail.
        let _ = writeln!(output, "{}:{}: {}", line.path, line.line, line.text);
    }
    if found.matches.is_empty() {
        output.push_str("(no match)");
    }
    if found.truncated {
        output.push_str("[… more matches than can be shown; narrow the pattern or the glob]");
    }
    Ok(Outcome::told(output, format!("{} matches", found.matches.len())))
}

pub(super) async fn project_outline(toolbox: &Toolbox<'_>) -> Result<Outcome, ToolError> {
    let outline = toolbox.files()?.outline(LISTED * 5).await?;
    let mut output = String::new();
    for file in &outline.files {
        // Writing to a string cannot fail.
        let _ = writeln!(
            output,
            "{} {} {}",
            file.path,
            file.size,
            file.language.unwrap_or("-")
        );
    }
    if outline.truncated {
        output.push_str("[… more files than can be shown]");
    }
    Ok(Outcome::told(output, format!("{} files", outline.files.len())))
}

fn parse(path: &str) -> Result<RelativePath, ToolError> {
    RelativePath::parse(path).map_err(|error| ToolError::Workspace(error.into()))
}
