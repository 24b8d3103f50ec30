//! Errors of the domain as errors of the wire: one place for codes, messages and hints.

use mira_ops::TurnPart;
use mira_ops::failure::{Failure, FailureCode};
use mira_proto::error::{ErrorBody, ErrorCode};
use mira_proto::native::ParseError;
use mira_store::{InvalidId, chain};

/// A refusal on its way to the client. Whatever becomes one through `?` gets its code and hint here.
#[derive(Debug)]
pub(crate) struct Fault(pub ErrorBody);

impl Fault {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(ErrorBody::new(code, message))
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self(self.0.with_hint(hint))
    }

    pub(crate) fn field(self, field: impl Into<String>) -> Self {
        Self(self.0.with_field(field))
    }

    /// Something named by a parameter does not exist.
    pub(crate) fn not_found(what: &str, id: impl std::fmt::Display, field: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is no {what} {id}")).field(field)
    }

    /// The server failed. The client learns that it did, the log learns why.
    fn internal(code: ErrorCode, error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %chain(error), "a request failed");
        match code {
            ErrorCode::Storage => Self::new(code, "the server could not read or write its data")
                .hint("check the disk of the data directory, and the server's log"),
            code => Self::new(code, "the server failed").hint("the server's log says more"),
        }
    }
}

impl From<ParseError> for Fault {
    fn from(error: ParseError) -> Self {
        let unknown = matches!(error, ParseError::UnknownMethod { .. });
        let fault = Self(error.into());
        if unknown {
            fault.hint("docs/PROTOCOL.md lists the methods")
        } else {
            fault
        }
    }
}

impl From<InvalidId> for Fault {
    fn from(error: InvalidId) -> Self {
        Self::new(ErrorCode::InvalidParams, error.to_string())
    }
}

impl From<mira_store::Error> for Fault {
    fn from(error: mira_store::Error) -> Self {
        Self::internal(ErrorCode::Storage, &error)
    }
}

impl From<mira_memory::Error> for Fault {
    fn from(error: mira_memory::Error) -> Self {
        use mira_memory::Error;
        match error {
            Error::UnknownSession(session) => Self::not_found("session", session, "session_id"),
            Error::InvalidName => Self::new(ErrorCode::InvalidParams, error.to_string()).field("name"),
            Error::NothingToSummarise { .. } => Self::new(ErrorCode::Conflict, error.to_string())
                .field("session_id")
                .hint("memory.summaries shows the summaries that cover it"),
            Error::InvalidSalience(_) => {
                Self::new(ErrorCode::InvalidParams, error.to_string()).field("salience")
            }
            Error::EmptyFact => Self::new(ErrorCode::InvalidParams, error.to_string()).field("value"),
            Error::SecretFact => Self::new(ErrorCode::InvalidParams, error.to_string())
                .field("value")
                .hint("keep secrets elsewhere; Mira puts facts into prompts"),
            Error::Interrupted => Self::new(ErrorCode::ShuttingDown, error.to_string()),
            // Somebody reads what is to be overwritten.
            Error::Store(inner @ mira_store::Error::Read { .. }) => {
                Self::new(ErrorCode::Conflict, chain(&inner)).hint("try again when the export has ended")
            }
            Error::Store(error) => error.into(),
            Error::Vectors(_) | Error::Import(_) => Self::internal(ErrorCode::Storage, &error),
        }
    }
}

impl From<mira_ops::Error> for Fault {
    fn from(error: mira_ops::Error) -> Self {
        use mira_ops::Error;
        let error = match error {
            Error::Workspace(inner) => return inner.into(),
            Error::Memory(inner) => return inner.into(),
            Error::Store(inner) => return inner.into(),
            other => other,
        };
        let message = error.to_string();
        let told = |code| Self::new(code, message.clone());
        match &error {
            Error::UnknownSession(_) => told(ErrorCode::NotFound)
                .field("session_id")
                .hint("session.open makes a session; session.list shows those there are"),
            Error::UnknownOperation(_) => told(ErrorCode::NotFound)
                .field("operation_id")
                .hint("operation.list shows those of a session"),
            Error::UnknownArtifact(_) => told(ErrorCode::NotFound)
                .field("artifact_id")
                .hint("artifact.list shows those of a session"),
            Error::EmptyMessage => told(ErrorCode::InvalidParams).field("content"),
            Error::TooLarge { part, .. } => told(ErrorCode::TooLarge)
                .field(match part {
                    TurnPart::Message => "content",
                    TurnPart::EditorFile => "context.file_content",
                })
                .hint("send less; a file of the project can be named instead of sent"),
            Error::QueueFull { .. } => {
                told(ErrorCode::QueueFull).hint("wait for a turn to end, or cancel one")
            }
            Error::ModelNotConfigured { variable, .. } => {
                told(ErrorCode::ModelNotConfigured).hint(format!("set {variable} and restart the server"))
            }
            Error::IdempotencyConflict => told(ErrorCode::IdempotencyConflict)
                .field("idempotency_key")
                .hint("use a new key for a new request"),
            Error::UnknownCursor { .. } => told(ErrorCode::CursorUnknown)
                .field("after")
                .hint("open the session afresh"),
            Error::NoProject(_) => told(ErrorCode::InvalidParams)
                .field("project_id")
                .hint("say with project_id where the artifact is to be applied"),
            Error::Busy => {
                told(ErrorCode::Conflict).hint("wait for the turn to end, or cancel it with operation.cancel")
            }
            Error::BaseChanged { .. } => told(ErrorCode::Conflict)
                .hint("look at artifact.diff, then apply with force to overwrite; it can be undone"),
            Error::NotApplied(_) => told(ErrorCode::Conflict),
            Error::ShuttingDown => told(ErrorCode::ShuttingDown).hint("connect again in a moment"),
            Error::IllegalStep { .. } => Self::internal(ErrorCode::Internal, &error),
            Error::Corrupt { .. } | Error::Workspace(_) | Error::Memory(_) | Error::Store(_) => {
                Self::internal(ErrorCode::Storage, &error)
            }
        }
    }
}

impl From<mira_workspace::Error> for Fault {
    fn from(error: mira_workspace::Error) -> Self {
        use mira_workspace::Error;
        let message = chain(&error);
        let told = |code| Self::new(code, message.clone());
        match &error {
            Error::UnknownProject { .. } => told(ErrorCode::NotFound)
                .field("project_id")
                .hint("project.list shows those there are"),
            Error::NotAttached { .. } => told(ErrorCode::Conflict)
                .field("project_id")
                .hint("attach a directory with project.attach_local"),
            Error::BlankName => told(ErrorCode::InvalidParams).field("name"),
            Error::Directory { .. } => told(ErrorCode::InvalidParams)
                .field("directory_path")
                .hint("give the absolute path of a directory that the server can read"),
            Error::InvalidPath(invalid) => match invalid.problem {
                mira_workspace::PathProblem::Absolute | mira_workspace::PathProblem::AboveRoot => {
                    told(ErrorCode::PathEscapesProject)
                }
                _ => told(ErrorCode::InvalidParams),
            }
            .field("path")
            .hint("paths are relative to the project's root, with / between names"),
            Error::Escapes { .. } => told(ErrorCode::PathEscapesProject).field("path"),
            Error::PathForbidden { .. } => told(ErrorCode::PathForbidden).field("path"),
            Error::NotFound { .. } => told(ErrorCode::NotFound).field("path"),
            Error::IsDirectory { .. } | Error::NotADirectory { .. } | Error::NotAFile { .. } => {
                told(ErrorCode::InvalidParams).field("path")
            }
            Error::NotText { .. } => told(ErrorCode::NotText).field("path"),
            Error::TooLarge { .. } => told(ErrorCode::TooLarge).field("path"),
            Error::PermissionDenied { .. } => told(ErrorCode::PathForbidden)
                .field("path")
                .hint("the account that runs the server may not do this; check the file's permissions"),
            Error::Changed { .. } => told(ErrorCode::Conflict)
                .field("path")
                .hint("read the file again, then decide"),
            Error::DuplicatePath { .. } => told(ErrorCode::InvalidParams).field("files"),
            Error::HalfWritten { .. } => {
                told(ErrorCode::Storage).hint("project.file_history shows what was written; undo it there")
            }
            Error::UnknownChange { .. } => told(ErrorCode::NotFound),
            Error::NothingToUndo { .. } | Error::AlreadyUndone { .. } => told(ErrorCode::Conflict),
            Error::ChangedSince { .. } => told(ErrorCode::Conflict)
                .hint("the file was changed after this; undo or commit the later change first"),
            Error::Pattern { .. } => told(ErrorCode::InvalidParams).field("pattern"),
            Error::Glob { .. } => told(ErrorCode::InvalidParams).field("glob"),
            Error::Io { .. } | Error::Store(_) | Error::Corrupt { .. } => {
                Self::internal(ErrorCode::Storage, &error)
            }
            Error::Interrupted(_) => told(ErrorCode::ShuttingDown),
        }
    }
}

/// Why an operation or a delegation failed, as the wire tells it.
pub(crate) fn of_failure(failure: &Failure) -> ErrorBody {
    let code = match failure.code {
        FailureCode::ModelNotConfigured => ErrorCode::ModelNotConfigured,
        FailureCode::ModelAuthentication => ErrorCode::ModelAuthentication,
        FailureCode::ModelQuota => ErrorCode::ModelQuota,
        FailureCode::ModelRateLimited => ErrorCode::ModelRateLimited,
        FailureCode::ModelContextTooLong => ErrorCode::ModelContextTooLong,
        FailureCode::ModelRefused => ErrorCode::ModelRefused,
        FailureCode::ModelInvalidRequest => ErrorCode::ModelInvalidRequest,
        FailureCode::ModelOverloaded => ErrorCode::ModelOverloaded,
        FailureCode::ModelNetwork => ErrorCode::ModelNetwork,
        FailureCode::ModelStalled => ErrorCode::ModelStalled,
        FailureCode::ModelMalformed => ErrorCode::ModelMalformed,
        FailureCode::DelegationFailed => ErrorCode::DelegationFailed,
        FailureCode::Interrupted => ErrorCode::Interrupted,
        FailureCode::Storage => ErrorCode::Storage,
        FailureCode::Internal => ErrorCode::Internal,
    };
    ErrorBody {
        code,
        message: failure.message.clone(),
        retryable: failure.retryable,
        hint: failure.hint.clone(),
        field: None,
    }
}
