//! What can go wrong on the floor.

use std::path::PathBuf;

/// A failure of storage.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory could not be created or its lock file not be opened.
    #[error("could not prepare the data directory {path}")]
    Directory { path: PathBuf, source: std::io::Error },
    /// Another process holds the data directory.
    #[error("the data directory {path} is in use by another process")]
    Locked { path: PathBuf },
    /// The database file could not be opened.
    #[error("could not open the database {path}")]
    Open { path: PathBuf, source: sqlx::Error },
    /// The tables of one crate could not be brought to this version. Nothing of the failed step is left behind.
    #[error("could not migrate the tables of {owner}")]
    Migrate {
        owner: &'static str,
        source: sqlx::migrate::MigrateError,
    },
    /// The online copy failed; the target may be left incomplete and is not a backup.
    #[error("could not copy the database to {path}")]
    Backup { path: PathBuf, source: sqlx::Error },
    /// The file could not be rewritten without what was deleted. Nothing that is stored was touched.
    #[error("could not compact the database {path}")]
    Compact { path: PathBuf, source: sqlx::Error },
    /// The file was rewritten, but somebody still reads the state before, so that its pages had to stay beside it.
    #[error(
        "the database {path} is still being read in an earlier state, which keeps deleted content on disk"
    )]
    Read { path: PathBuf },
    /// A statement failed.
    #[error("the database refused a statement")]
    Statement(#[from] sqlx::Error),
}

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {kind} id, which has 26 characters (a ULID)")]
pub struct InvalidId {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

/// An error and its causes in one line. A cause that an error repeats is not said twice.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
