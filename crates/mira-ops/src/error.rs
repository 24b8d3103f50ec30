//! Why a request to this crate was refused or failed.

pub(crate) use mira_store::chain;
use mira_store::{ArtifactId, OperationId, SessionId};

use crate::operation::{ModelRole, Status};
use crate::turns::TurnPart;

/// A refused or failed request. Nothing was changed unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no session {0}")]
    UnknownSession(SessionId),
    #[error("there is no operation {0}")]
    UnknownOperation(OperationId),
    #[error("there is no artifact {0}")]
    UnknownArtifact(ArtifactId),
    /// A message without text.
    #[error("the message is empty")]
    EmptyMessage,
    /// A message or an attached file beyond what a turn may carry.
    #[error("{part} has {bytes} bytes, more than the {limit} that are allowed")]
    TooLarge {
        part: TurnPart,
        bytes: usize,
        limit: usize,
    },
    /// As many turns of the session wait as may wait.
    #[error("{limit} turns of this session are waiting already")]
    QueueFull { limit: usize },
    /// Something is to be erased in which a turn runs or waits.
    #[error("a turn runs or waits in what is to be erased")]
    Busy,
    /// No model is bound to the role.
    #[error("no model is configured as the {}", role.as_str())]
    ModelNotConfigured { role: ModelRole, variable: String },
    /// The idempotency key was used before with another request.
    #[error("the idempotency key was used before for another request")]
    IdempotencyConflict,
    /// A resume from a position that this session's journal does not have.
    #[error("the journal of this session has events 1 to {last}, not {after}")]
    UnknownCursor { after: i64, last: i64 },
    /// The artifact names no project, and the request did not either.
    #[error("artifact {0} belongs to no project")]
    NoProject(ArtifactId),
    /// The file changed since the artifact was made from it.
    #[error("{path} changed since this artifact was made")]
    BaseChanged { path: String },
    /// Undo of an artifact that is not applied.
    #[error("artifact {0} is not applied")]
    NotApplied(ArtifactId),
    /// The server is stopping and takes no new turns.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// A defect: an operation was to take a step that [`Status::may_become`] does not allow.
    #[error("operation {operation} cannot go from {} to {}", from.as_str(), to.as_str())]
    IllegalStep {
        operation: OperationId,
        from: Status,
        to: Status,
    },
    /// A stored row cannot be read back.
    #[error("a stored {what} cannot be read")]
    Corrupt {
        what: &'static str,
        source: serde_json::Error,
    },
    #[error(transparent)]
    Workspace(#[from] mira_workspace::Error),
    #[error(transparent)]
    Memory(mira_memory::Error),
    #[error(transparent)]
    Store(#[from] mira_store::Error),
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        Self::Store(source.into())
    }
}

impl From<mira_memory::Error> for Error {
    fn from(error: mira_memory::Error) -> Self {
        match error {
            mira_memory::Error::UnknownSession(session) => Self::UnknownSession(session),
            mira_memory::Error::Store(source) => Self::Store(source),
            other => Self::Memory(other),
        }
    }
}
