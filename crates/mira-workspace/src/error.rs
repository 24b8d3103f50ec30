//! What can go wrong with a project on disk.

use std::io;
use std::path::PathBuf;

use mira_store::{ChangeId, ProjectId};

use crate::{InvalidPath, RelativePath};

/// A failure of projects or their files.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such project.
    #[error("there is no project {project}")]
    UnknownProject { project: ProjectId },
    /// The project has no directory yet.
    #[error("project {project} has no directory attached")]
    NotAttached { project: ProjectId },
    /// A project needs a name.
    #[error("the name of a project must not be blank")]
    BlankName,
    /// The directory does not exist, is not a directory or cannot be opened.
    #[error("could not open the project directory {directory}")]
    Directory { directory: PathBuf, source: io::Error },

    /// The text is not a path inside a project.
    #[error(transparent)]
    InvalidPath(#[from] InvalidPath),
    /// A symbolic link on the way leads out of the project.
    #[error("{path} leads out of the project")]
    Escapes { path: RelativePath },
    /// The path leads into a `.git`, which belongs to git alone.
    #[error("{path} belongs to git")]
    PathForbidden { path: RelativePath },
    /// There is nothing at the path.
    #[error("{path} does not exist")]
    NotFound { path: RelativePath },
    /// A file was wanted and the path is a directory.
    #[error("{path} is a directory")]
    IsDirectory { path: RelativePath },
    /// A directory was wanted, by the path or on the way, and something else is there.
    #[error("{path} is not a directory, or lies below something that is none")]
    NotADirectory { path: RelativePath },
    /// Neither file nor directory: a device, a pipe, a socket, a symbolic link that leads nowhere.
    #[error("{path} is not a regular file")]
    NotAFile { path: RelativePath },
    /// The bytes are not UTF-8 text; such a file is never rewritten.
    #[error("{path} is not UTF-8 text")]
    NotText { path: RelativePath },
    /// More bytes than this crate reads, or keeps for an undo.
    #[error("{path} has {size} bytes, more than {limit}")]
    TooLarge {
        path: RelativePath,
        size: u64,
        limit: u64,
    },
    /// The operating system refused access.
    #[error("no permission to {action} {path}")]
    PermissionDenied {
        action: &'static str,
        path: RelativePath,
        source: io::Error,
    },
    /// The operating system failed.
    #[error("could not {action} {path}")]
    Io {
        action: &'static str,
        path: RelativePath,
        source: io::Error,
    },

    /// The file is not what the writer expected it to be. Hashes are SHA-256 in hex; `None` means no file.
    #[error("{path} has changed")]
    Changed {
        path: RelativePath,
        expected: Option<String>,
        found: Option<String>,
    },
    /// One batch names the same file twice.
    #[error("{path} is to be written twice")]
    DuplicatePath { path: RelativePath },
    /// A batch failed, and these files could not be put back. Their changes stay in the history and can be undone.
    #[error("some files were written and could not be put back: {}", listed(.paths))]
    HalfWritten {
        paths: Vec<RelativePath>,
        source: Box<Error>,
    },
    /// The project's history has no such change.
    #[error("there is no change {change}")]
    UnknownChange { change: ChangeId },
    /// No change of the file is left to undo.
    #[error("{path} has no change to undo")]
    NothingToUndo { path: RelativePath },
    /// The change was undone before.
    #[error("change {change} of {path} is already undone")]
    AlreadyUndone { change: ChangeId, path: RelativePath },
    /// The file on disk is no longer what the change wrote.
    #[error("{path} has changed since change {change}")]
    ChangedSince { change: ChangeId, path: RelativePath },

    /// The search pattern is not a regular expression, or too large a one.
    #[error("the pattern {pattern:?} cannot be searched for")]
    Pattern {
        pattern: String,
        source: grep_regex::Error,
    },
    /// The glob of a search is malformed.
    #[error("{glob:?} is not a glob")]
    Glob { glob: String, source: ignore::Error },

    /// The database failed.
    #[error("the workspace tables failed")]
    Store(#[from] mira_store::Error),
    /// A stored row cannot be read back; something else has written to the database.
    #[error("table {table} holds a damaged row {row}")]
    Corrupt { table: &'static str, row: String },
    /// The work was cut short because the program shuts down, or by a defect.
    #[error("the work was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        Self::Store(source.into())
    }
}

fn listed(paths: &[RelativePath]) -> String {
    let paths: Vec<&str> = paths.iter().map(RelativePath::as_str).collect();
    paths.join(", ")
}
