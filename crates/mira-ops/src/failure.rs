//! Why a turn or a delegation did not succeed, in a form that can be stored and shown.

use serde::{Deserialize, Serialize};

/// A failure, safe to show to a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub code: FailureCode,
    pub message: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    ModelNotConfigured,
    ModelAuthentication,
    ModelQuota,
    ModelRateLimited,
    ModelContextTooLong,
    ModelRefused,
    ModelInvalidRequest,
    ModelOverloaded,
    ModelNetwork,
    ModelStalled,
    ModelMalformed,
    /// The coder's answer could not be used.
    DelegationFailed,
    Interrupted,
    Storage,
    Internal,
}

impl Failure {
    /// A failure that a retry does not help.
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retryable: false,
            hint: None,
        }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What went wrong and what to do about it, in one sentence.
    pub(crate) fn with_hint(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}; {hint}", self.message),
            None => self.message.clone(),
        }
    }

    /// The server stopped while the turn ran.
    pub(crate) fn interrupted() -> Self {
        Self {
            code: FailureCode::Interrupted,
            message: "the server stopped while this turn was running".to_owned(),
            retryable: true,
            hint: Some("send the message again to go on".to_owned()),
        }
    }
}

impl From<&mira_llm::Error> for Failure {
    fn from(error: &mira_llm::Error) -> Self {
        use mira_llm::Error;
        let (code, hint) = match error {
            Error::Configuration(_) => (
                FailureCode::ModelInvalidRequest,
                "check the model's base URL and headers",
            ),
            Error::Authentication(_) => (
                FailureCode::ModelAuthentication,
                "check the API key of this model and what it may use",
            ),
            Error::Quota(_) => (
                FailureCode::ModelQuota,
                "top up the account of this model's provider",
            ),
            Error::RateLimited(_) => (
                FailureCode::ModelRateLimited,
                "wait a moment and send the message again",
            ),
            Error::ContextTooLong(_) => (
                FailureCode::ModelContextTooLong,
                "start a new session, or send a shorter message or file",
            ),
            Error::Refused(_) => (FailureCode::ModelRefused, "rephrase the request"),
            Error::InvalidRequest(_) => (
                FailureCode::ModelInvalidRequest,
                "check the configured model name and whether the provider serves it",
            ),
            Error::Overloaded(_) | Error::Server(_) => (
                FailureCode::ModelOverloaded,
                "the provider has trouble; send the message again later",
            ),
            Error::Network { .. } => (
                FailureCode::ModelNetwork,
                "check the network between this server and the provider",
            ),
            Error::Stalled { .. } => (
                FailureCode::ModelStalled,
                "send the message again, or raise the model's timeout",
            ),
            Error::Malformed(_) => (
                FailureCode::ModelMalformed,
                "check that the base URL serves this API",
            ),
            Error::WrongDimension { .. } => (
                FailureCode::ModelMalformed,
                "set the embedder's dimension to the length of the vectors that its model makes",
            ),
        };
        Self {
            code,
            message: error.to_string(),
            retryable: error.is_retryable(),
            hint: Some(hint.to_owned()),
        }
    }
}

impl From<&crate::Error> for Failure {
    fn from(error: &crate::Error) -> Self {
        use crate::Error;
        match error {
            Error::Store(_) | Error::Corrupt { .. } => Self {
                code: FailureCode::Storage,
                message: crate::error::chain(error),
                retryable: true,
                hint: Some("check the disk of the data directory: space, permissions".to_owned()),
            },
            Error::ModelNotConfigured { variable, .. } => {
                Self::new(FailureCode::ModelNotConfigured, error.to_string())
                    .hint(format!("set {variable} and restart the server"))
            }
            other => Self::new(FailureCode::Internal, crate::error::chain(other)),
        }
    }
}
