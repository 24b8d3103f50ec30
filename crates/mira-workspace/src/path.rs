//! A path inside a project, as text that means the same on every system.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// The longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 4096;

/// The longest name between two slashes, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// The most names in a path. What is nested in a project is walked recursively by those who show it.
const MAX_NAMES: usize = 128;

/// A path below the root of a project: UTF-8, `/` between names, at least one name, none of them `.` or `..`.
///
/// Names that Windows reads as something else (devices such as `nul.txt`, alternate streams `a:b`, a trailing dot or
/// space) are refused on every system, so that a path accepted here names the same file wherever a project is
/// checked out. It says nothing about what is on disk: [`Files`](crate::Files) checks links and `.git` at each use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativePath(String);

/// A text that names nothing inside a project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} {problem}")]
pub struct InvalidPath {
    /// The text, cut when it is very long.
    pub path: String,
    pub problem: PathProblem,
}

/// Why a text is not a [`RelativePath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    #[error("names no file")]
    Empty,
    #[error("is too long or too deep")]
    TooLong,
    #[error("is absolute; paths start at the root of the project")]
    Absolute,
    #[error("leads above the root of the project")]
    AboveRoot,
    #[error("contains a character that no file name may have")]
    ForbiddenCharacter,
    #[error("ends a name with a dot or a space")]
    TrailingDotOrSpace,
    #[error("is a device name on Windows")]
    DeviceName,
}

impl RelativePath {
    /// Reads a path as people and models write it: `./a`, `a//b`, `a\b`, `a/` and `a/x/../b` are cleaned up.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        let refused = |problem| InvalidPath {
            path: text.chars().take(200).collect(),
            problem,
        };
        if text.len() > MAX_PATH_BYTES {
            return Err(refused(PathProblem::TooLong));
        }
        let bytes = text.as_bytes();
        let drive = bytes.first().is_some_and(u8::is_ascii_alphabetic) && bytes.get(1) == Some(&b':');
        if text.starts_with(['/', '\\']) || drive {
            return Err(refused(PathProblem::Absolute));
        }
        let mut names: Vec<&str> = Vec::new();
        for name in text.split(['/', '\\']) {
            match name {
                "" | "." => {}
                ".." => {
                    names.pop().ok_or_else(|| refused(PathProblem::AboveRoot))?;
                }
                name => {
                    check_name(name).map_err(refused)?;
                    names.push(name);
                }
            }
        }
        if names.is_empty() {
            return Err(refused(PathProblem::Empty));
        }
        if names.len() > MAX_NAMES {
            return Err(refused(PathProblem::TooLong));
        }
        Ok(Self(names.join("/")))
    }

    /// The path of a file found on disk, relative to the root; `None` when this type cannot hold it.
    pub(crate) fn from_disk(path: &Path) -> Option<Self> {
        let names: Option<Vec<&str>> = path
            .components()
            .map(|component| component.as_os_str().to_str())
            .collect();
        let names = names?;
        let plain = |name: &&str| !name.contains(['/', '\\']) && *name != "." && *name != "..";
        let fits = names.iter().all(|name| plain(name) && check_name(name).is_ok());
        let path = names.join("/");
        let size = (1..=MAX_PATH_BYTES).contains(&path.len()) && names.len() <= MAX_NAMES;
        (fits && size).then_some(Self(path))
    }

    /// The entry `name` of this directory; `None` when this type cannot hold it.
    pub(crate) fn child(parent: Option<&Self>, name: &str) -> Option<Self> {
        match parent {
            Some(parent) => Self::from_disk(&parent.as_path().join(name)),
            None => Self::from_disk(Path::new(name)),
        }
    }

    /// The path with `/` between names.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last name.
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&*self.0, |(_, name)| name)
    }

    /// The directory that holds it; `None` directly below the root.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// The names from the root down.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    pub(crate) fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// Whether some name on the way is git's own directory, however a file system may let it be spelled.
    pub(crate) fn is_git(&self) -> bool {
        self.names().any(is_git_name)
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RelativePath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        Self::parse(text)
    }
}

fn check_name(name: &str) -> Result<(), PathProblem> {
    if name.len() > MAX_NAME_BYTES {
        return Err(PathProblem::TooLong);
    }
    if name.chars().any(|c| c.is_control() || c == ':') {
        return Err(PathProblem::ForbiddenCharacter);
    }
    if name.ends_with(['.', ' ']) {
        return Err(PathProblem::TrailingDotOrSpace);
    }
    if is_device(name) {
        return Err(PathProblem::DeviceName);
    }
    Ok(())
}

/// `CON`, `nul.txt`, `COM1 .log`: Windows takes the part before the first dot, without trailing spaces.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end_matches(' ');
    let stem = stem.to_ascii_lowercase();
    if ["con", "prn", "aux", "nul", "conin$", "conout$"].contains(&stem.as_str()) {
        return true;
    }
    let mut rest = match stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt")) {
        Some(rest) => rest.chars(),
        None => return false,
    };
    matches!(
        (rest.next(), rest.next()),
        (Some('0'..='9' | '¹' | '²' | '³'), None)
    )
}

/// `.git`, its short name on Windows, and the spellings that macOS folds into it by skipping invisible characters.
pub(crate) fn is_git_name(name: &str) -> bool {
    let skipped = |c: &char| !matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let name: String = name.chars().filter(skipped).collect();
    let name = name.trim_end_matches(['.', ' ']);
    name.eq_ignore_ascii_case(".git") || name.eq_ignore_ascii_case("git~1")
}
