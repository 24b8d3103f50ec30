//! What can go wrong between a program and the server.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use mira_proto::error::ErrorBody;
use mira_proto::native::SessionClosedReason;
use tokio_tungstenite::tungstenite;

/// Why connecting, calling or following did not work. Cheap to clone: one broken connection fails many calls.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The address cannot be used.
    #[error("`{url}` is not a WebSocket address such as ws://127.0.0.1:8080/ws")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        source: Arc<tungstenite::Error>,
    },
    /// The token has characters that a header cannot carry.
    #[error("the token has characters that an HTTP header cannot carry")]
    Token,
    /// Nobody answered at the address.
    #[error("cannot reach {url}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why; `ConnectionRefused` when nothing listens there.
        source: Arc<io::Error>,
    },
    /// Something answered at the address, and did not open a WebSocket.
    #[error("{url} refused the connection with HTTP status {status}")]
    Refused {
        /// Where.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the server said about it, where it was a Mira server.
        error: Option<Box<ErrorBody>>,
    },
    /// The WebSocket handshake failed.
    #[error("the handshake with {url} failed")]
    Handshake {
        /// Where.
        url: String,
        /// Why.
        source: Arc<tungstenite::Error>,
    },
    /// The connection was not ready in time.
    #[error("{url} did not answer within {} ms", .after.as_millis())]
    ConnectTimeout {
        /// Where.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// The server answered a call with an error.
    #[error("`{method}` was refused: {}", .error.message)]
    Rpc {
        /// What was called.
        method: &'static str,
        /// What the server says: code, message, whether a repeat may help, hint, field at fault.
        error: Box<ErrorBody>,
    },
    /// A call got no answer in time. The server may have done it all the same.
    #[error("`{method}` got no answer within {} ms", .after.as_millis())]
    CallTimeout {
        /// What was called.
        method: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// A call is larger than the server takes.
    #[error("`{method}` takes {bytes} bytes, and the server takes at most {limit}")]
    TooLarge {
        /// What was called.
        method: &'static str,
        /// The size of the frame.
        bytes: usize,
        /// The largest frame of the server.
        limit: u64,
    },
    /// The parameters of a call cannot be written as JSON.
    #[error("the parameters of `{method}` cannot be written as JSON")]
    Encode {
        /// What was called.
        method: &'static str,
        /// Why.
        source: Arc<serde_json::Error>,
    },
    /// The result of a call does not have the shape that the method promises.
    #[error("the result of `{method}` has an unexpected shape")]
    Decode {
        /// What was called.
        method: &'static str,
        /// Why.
        source: Arc<serde_json::Error>,
    },
    /// The server sent a frame that the protocol does not allow.
    #[error("the server sent something unreadable: {problem}")]
    Unreadable {
        /// What is wrong with the frame.
        problem: String,
    },
    /// The server closed the connection.
    #[error("the server closed the connection (code {code}{})", reason_suffix(.reason))]
    Disconnected {
        /// The close code.
        code: u16,
        /// What the server said; may be empty.
        reason: String,
    },
    /// The connection ended without a word.
    #[error("the connection ended without a word from the server")]
    Lost,
    /// The connection failed.
    #[error("the connection failed")]
    Socket {
        /// Why.
        source: Arc<tungstenite::Error>,
    },
    /// The server has not been heard for three heartbeats.
    #[error("nothing was heard from the server for {} s", .after.as_secs())]
    Silent {
        /// How long was waited.
        after: Duration,
    },
    /// The server stopped sending a session's events on this connection.
    #[error("the server stopped sending the events of the session ({reason})")]
    SessionClosed {
        /// Why.
        reason: SessionClosedReason,
    },
    /// An event is missing.
    #[error("event {got} came where {expected} was expected")]
    Gap {
        /// The event that was to come.
        expected: u64,
        /// The event that came.
        got: u64,
    },
    /// This side closed the connection.
    #[error("the connection was closed by this program")]
    Closed,
}

/// The WebSocket close code that says that connecting again does not help.
const CLOSE_UNAUTHORIZED: u16 = 4401;

/// HTTP statuses of something that is only busy or starting.
const PASSING_STATUSES: [u16; 6] = [408, 425, 429, 502, 503, 504];

impl Error {
    /// What the server says, for an error that comes from it.
    pub fn body(&self) -> Option<&ErrorBody> {
        match self {
            Self::Rpc { error, .. } => Some(error),
            Self::Refused { error, .. } => error.as_deref(),
            Self::Url { .. }
            | Self::Token
            | Self::Unreachable { .. }
            | Self::Handshake { .. }
            | Self::ConnectTimeout { .. }
            | Self::CallTimeout { .. }
            | Self::TooLarge { .. }
            | Self::Encode { .. }
            | Self::Decode { .. }
            | Self::Unreadable { .. }
            | Self::Disconnected { .. }
            | Self::Lost
            | Self::Socket { .. }
            | Self::Silent { .. }
            | Self::SessionClosed { .. }
            | Self::Gap { .. }
            | Self::Closed => None,
        }
    }

    /// Whether doing the same again may work without anybody changing anything: connecting again, or for a call that
    /// was refused, calling again.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Rpc { error, .. } => error.retryable,
            Self::Refused { status, .. } => PASSING_STATUSES.contains(status),
            Self::Disconnected { code, .. } => *code != CLOSE_UNAUTHORIZED,
            Self::Unreachable { .. }
            | Self::ConnectTimeout { .. }
            | Self::CallTimeout { .. }
            | Self::Lost
            | Self::Socket { .. }
            | Self::Silent { .. }
            | Self::SessionClosed { .. }
            | Self::Gap { .. }
            // A proxy that is restarting breaks handshakes too.
            | Self::Handshake { .. } => true,
            Self::Url { .. }
            | Self::Token
            | Self::TooLarge { .. }
            | Self::Encode { .. }
            | Self::Decode { .. }
            | Self::Unreadable { .. }
            | Self::Closed => false,
        }
    }
}

fn reason_suffix(reason: &str) -> String {
    if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    }
}
