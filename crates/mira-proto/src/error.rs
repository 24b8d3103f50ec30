//! What can go wrong, as a client sees it: one list of codes for both profiles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use crate::open_enum::open_enum;

/// One row of the table of error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCodeInfo {
    /// The code as it is on the wire.
    pub code: &'static str,
    /// The HTTP-like status that the classic profile reports beside it.
    pub status: u16,
    /// Whether the same request may succeed later without a change by the user.
    pub retryable: bool,
    /// What it means, as a sentence.
    pub meaning: &'static str,
}

macro_rules! error_codes {
    ($($variant:ident = $code:literal, $status:literal, $retry:ident, $meaning:literal;)+) => {
        open_enum! {
            /// A stable name for what went wrong. Clients branch on it; the message is for people.
            pub enum ErrorCode {
                $(#[doc = $meaning] $variant = $code,)+
            }
        }

        impl ErrorCode {
            /// Every code with its classic status and meaning, in the order of the documentation.
            pub const ALL: &'static [ErrorCodeInfo] = &[
                $(ErrorCodeInfo { code: $code, status: $status, retryable: error_codes!(@$retry), meaning: $meaning },)+
            ];

            /// The HTTP-like status of the classic profile; 500 for a code that this version does not know.
            pub fn status(&self) -> u16 {
                match self {
                    $(Self::$variant => $status,)+
                    Self::Other(_) => 500,
                }
            }

            /// Whether the same request may succeed later without a change by the user.
            pub fn is_retryable(&self) -> bool {
                match self {
                    $(Self::$variant => error_codes!(@$retry),)+
                    Self::Other(_) => false,
                }
            }
        }
    };
    (@retry) => { true };
    (@final) => { false };
}

error_codes! {
    BadRequest = "bad_request", 400, final, "The frame is not a request that the server can read.";
    UnknownMethod = "unknown_method", 404, final, "There is no method of that name.";
    InvalidParams = "invalid_params", 400, final, "A parameter is missing or has the wrong shape; `field` names it.";
    NotInitialized = "not_initialized", 400, final, "`initialize` must come first on a connection, and only once.";
    Unauthorized = "unauthorized", 401, final, "The token is missing or wrong.";
    ForbiddenOrigin = "forbidden_origin", 403, final, "Pages of this origin may not connect.";
    ProtocolVersion = "protocol_version", 400, final, "The server does not speak the requested protocol version.";
    NotFound = "not_found", 404, final, "What the request names does not exist.";
    Conflict = "conflict", 409, final, "The thing has changed since the client last saw it, or is in the wrong state for this.";
    PathEscapesProject = "path_escapes_project", 403, final, "The path leads out of the project.";
    PathForbidden = "path_forbidden", 403, final, "The path is inside the project but may not be touched, such as `.git`.";
    NotText = "not_text", 415, final, "The file is not UTF-8 text.";
    TooLarge = "too_large", 413, final, "A frame, file or parameter is over its limit.";
    QueueFull = "queue_full", 429, retry, "Too many turns wait in this session, or too many clients are connected.";
    IdempotencyConflict = "idempotency_conflict", 409, final, "The idempotency key was used before with different parameters.";
    ModelNotConfigured = "model_not_configured", 503, final, "No key for the model that this needs; the hint says which setting is missing.";
    ModelAuthentication = "model_authentication", 502, final, "The model provider refused the key.";
    ModelQuota = "model_quota", 402, final, "The account at the model provider has no credit left.";
    ModelRateLimited = "model_rate_limited", 429, retry, "The model provider asks to slow down.";
    ModelContextTooLong = "model_context_too_long", 413, final, "The request does not fit the model's context window.";
    ModelRefused = "model_refused", 422, final, "The model declined to answer.";
    ModelInvalidRequest = "model_invalid_request", 502, final, "The model provider rejected the request as malformed.";
    ModelOverloaded = "model_overloaded", 503, retry, "The model provider is overloaded or failed internally.";
    ModelNetwork = "model_network", 502, retry, "The model provider could not be reached, or the connection broke.";
    ModelStalled = "model_stalled", 504, retry, "The model stopped sending and was given up on.";
    ModelMalformed = "model_malformed", 502, retry, "The model's answer could not be understood.";
    DelegationFailed = "delegation_failed", 502, retry, "The code model did not produce a usable result.";
    LimitReached = "limit_reached", 422, final, "The operation reached a limit on iterations, tokens, money or time.";
    Cancelled = "cancelled", 409, final, "The operation was cancelled by the user.";
    Interrupted = "interrupted", 503, retry, "The server stopped while the operation was running.";
    CursorUnknown = "cursor_unknown", 410, final, "The server has no event with that number; open the session afresh.";
    SlowClient = "slow_client", 503, retry, "The client read too slowly; connect again and resume.";
    NotImplemented = "not_implemented", 501, final, "The method is known but this server cannot do it yet.";
    ShuttingDown = "shutting_down", 503, retry, "The server is stopping and takes no new work.";
    Storage = "storage", 500, retry, "The server could not read or write its database or disk.";
    Internal = "internal", 500, final, "A defect in the server; its log says more.";
}

/// An error inside an event or an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ErrorBody {
    /// What went wrong, for programs.
    pub code: ErrorCode,
    /// What went wrong, for people; safe to show.
    pub message: String,
    /// Whether trying the same again may succeed without a change.
    pub retryable: bool,
    /// What the user can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The parameter at fault, as a path such as `context.selection.start_line`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl ErrorBody {
    /// An error with the retryability that its code usually has, and no hint.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            retryable: code.is_retryable(),
            code,
            message: message.into(),
            hint: None,
            field: None,
        }
    }

    /// The same error with advice for the user.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error naming the parameter at fault.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}
