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
    /// A summary that would cover no message.
    #[error("session {session} has nothing left for a {kind} summary")]
    NothingToSummarise {
        session: SessionId,
        kind: crate::summary::Kind,
    },
    /// A salience that is not a number from 0 to 1.
    #[error("a salience is a number from 0 to 1, not {0}")]
    InvalidSalience(f64),
    /// What was to be imported could not be read any further. The lines before are stored.
    #[error("could not read on in what was to be imported")]
    Import(#[source] std::io::Error),
    /// The vector store failed.
    #[error("the vector store failed")]
    Vectors(#[from] mira_store::vector::VectorError),
    /// The program is stopping.
    #[error("the work was interrupted because the program stops")]
    Interrupted,
    /// A fact without a key or a value.
    #[error("a fact has a key and a value")]
    EmptyFact,
    /// A fact with a password, key or token in it.
    #[error("a fact never holds a password, a key or a token")]
    SecretFact,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] mira_store::Error),
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        Self::Store(source.into())
    }
}
