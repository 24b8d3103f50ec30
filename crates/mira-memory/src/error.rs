//! What can go wrong with memory.

use mira_store::SessionId;

/// A failure of memory.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A message for a session that does not exist.
    #[error("there is no session {0}")]
    UnknownSession(SessionId),
    /// A session name that is blank, too long, or has control characters.
    #[error("a session name has 1 to {max} characters, not only blanks, and no control characters", max = crate::session::MAX_NAME_CHARS)]
    InvalidName,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] mira_store::Error),
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        Self::Store(source.into())
    }
}
