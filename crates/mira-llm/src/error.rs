//! Why a model call failed, told so that a caller can act on it.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why a model call failed.
///
/// Cheap to clone, so that it can travel in events. No variant carries an API key or the value of a configured
/// header: both are cut out of whatever the upstream answered.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The endpoint cannot be used as configured: a malformed base URL, a header that HTTP cannot carry.
    #[error("the model endpoint is misconfigured: {0}")]
    Configuration(Arc<str>),
    /// The key is missing, wrong, or not allowed to do this (HTTP 401 or 403).
    #[error("{} refused the credentials{}", .0, .0.said())]
    Authentication(Box<Detail>),
    /// The account has no money or allowance left; waiting does not help.
    #[error("the quota at {} is used up{}", .0, .0.said())]
    Quota(Box<Detail>),
    /// Too many requests or tokens for now; [`Error::retry_after`] says how long to wait where the upstream did.
    #[error("{} limits the rate{}", .0, .0.said())]
    RateLimited(Box<Detail>),
    /// The request has more tokens than the model reads.
    #[error("the request is too long for {}{}", .0, .0.said())]
    ContextTooLong(Box<Detail>),
    /// The upstream's content policy does not let it answer this request.
    #[error("{} refused to answer{}", .0, .0.said())]
    Refused(Box<Detail>),
    /// The upstream does not accept the request as it stands: unknown model, bad parameter, bad schema.
    #[error("{} rejected the request{}", .0, .0.said())]
    InvalidRequest(Box<Detail>),
    /// The upstream has no capacity at the moment.
    #[error("{} is overloaded{}", .0, .0.said())]
    Overloaded(Box<Detail>),
    /// The upstream failed while it worked on the request.
    #[error("{} failed on its side{}", .0, .0.said())]
    Server(Box<Detail>),
    /// The connection could not be made, broke, or ended before the reply was complete.
    #[error("the connection to {detail} failed{}", detail.said())]
    Network {
        /// Who was talked to, and what happened.
        detail: Box<Detail>,
        /// What the transport reported, if it reported anything.
        source: Option<Arc<dyn StdError + Send + Sync>>,
    },
    /// The upstream kept the connection open and stayed silent for too long.
    #[error("{detail} was silent for {}", Seconds(*after))]
    Stalled {
        /// Who was talked to.
        detail: Box<Detail>,
        /// Whether any content had arrived.
        phase: Phase,
        /// The time limit that ran out.
        after: Duration,
    },
    /// The upstream sent something that is not the protocol.
    #[error("{} sent an answer that cannot be read{}", .0, .0.said())]
    Malformed(Box<Detail>),
    /// The embedding model answered with vectors of another length than was configured.
    #[error("{detail} made a vector of {actual} numbers instead of {expected}")]
    WrongDimension {
        /// Who was asked.
        detail: Box<Detail>,
        /// The configured length.
        expected: usize,
        /// The length of the vector that arrived.
        actual: usize,
    },
}

/// What a stalled stream was waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The first piece of content.
    FirstToken,
    /// More content after some had arrived.
    BetweenChunks,
}

/// Who failed and what was said about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detail {
    /// The upstream's host, with its port where that is unusual.
    pub provider: String,
    /// The model that was asked.
    pub model: String,
    /// The HTTP status, if an answer arrived.
    pub status: Option<u16>,
    /// The upstream's own error code, for example `insufficient_quota`.
    pub code: Option<String>,
    /// The upstream's words, or ours where it had none. At most a few hundred characters, without control
    /// characters.
    pub message: String,
    /// The upstream's id for the request, to quote to its support.
    pub request_id: Option<String>,
    /// How long the upstream asks to wait.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::RateLimited(_)
            | Self::Overloaded(_)
            | Self::Server(_)
            | Self::Network { .. }
            | Self::Stalled { .. } => true,
            Self::Configuration(_)
            | Self::Authentication(_)
            | Self::Quota(_)
            | Self::ContextTooLong(_)
            | Self::Refused(_)
            | Self::InvalidRequest(_)
            | Self::Malformed(_)
            | Self::WrongDimension { .. } => false,
        }
    }

    /// How long the upstream asks to wait before the next request, where it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.detail().and_then(|detail| detail.retry_after)
    }

    /// Who failed and what was said; `None` for [`Error::Configuration`], where nobody was asked.
    pub fn detail(&self) -> Option<&Detail> {
        match self {
            Self::Configuration(_) => None,
            Self::Authentication(detail)
            | Self::Quota(detail)
            | Self::RateLimited(detail)
            | Self::ContextTooLong(detail)
            | Self::Refused(detail)
            | Self::InvalidRequest(detail)
            | Self::Overloaded(detail)
            | Self::Server(detail)
            | Self::Malformed(detail)
            | Self::Network { detail, .. }
            | Self::Stalled { detail, .. }
            | Self::WrongDimension { detail, .. } => Some(detail),
        }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.provider, self.model)?;
        if let Some(status) = self.status {
            write!(f, ", http {status}")?;
        }
        if let Some(code) = &self.code {
            write!(f, ", {code}")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        f.write_str(")")
    }
}

impl Detail {
    /// The message as the end of a sentence about it.
    fn said(&self) -> String {
        if self.message.is_empty() {
            String::new()
        } else {
            format!(": {}", self.message)
        }
    }
}

/// A duration as a person says it: `90 s`, `0.25 s`.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs_f64())
    }
}
