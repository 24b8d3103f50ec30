//! The JSON-RPC 2.0 envelope of the native profile.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
#[cfg(feature = "ts")]
use ts_rs::TS;

use crate::error::{ErrorBody, ErrorCode};

/// The frame is not JSON.
pub const PARSE_ERROR: i32 = -32700;
/// The frame is JSON, but not a JSON-RPC 2.0 message.
pub const INVALID_REQUEST: i32 = -32600;
/// No such method.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// The parameters do not fit the method.
pub const INVALID_PARAMS: i32 = -32602;
/// A defect in the server.
pub const INTERNAL_ERROR: i32 = -32603;
/// Every other failure; `data.code` says which.
pub const APPLICATION_ERROR: i32 = -32000;

/// The protocol marker: always the string `2.0`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    /// JSON-RPC 2.0, the only version there is.
    #[default]
    #[serde(rename = "2.0")]
    V2,
}

/// What pairs a response with its request. Chosen by the side that asks, unique among its open requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
#[serde(untagged)]
pub enum Id {
    /// A whole number.
    Number(i64),
    /// Any text.
    String(String),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::String(text) => text.fmt(f),
        }
    }
}

/// A call that wants an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Request<P> {
    jsonrpc: Version,
    /// Comes back in the response.
    pub id: Id,
    /// The name of the method.
    pub method: String,
    /// An object.
    pub params: P,
}

impl<P> Request<P> {
    /// A request ready to serialise.
    pub fn new(id: Id, method: impl Into<String>, params: P) -> Self {
        Self {
            jsonrpc: Version::V2,
            id,
            method: method.into(),
            params,
        }
    }
}

/// A message that wants no answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notification<P> {
    jsonrpc: Version,
    /// The name of the notification.
    pub method: String,
    /// An object.
    pub params: P,
}

impl<P> Notification<P> {
    /// A notification ready to serialise.
    pub fn new(method: impl Into<String>, params: P) -> Self {
        Self {
            jsonrpc: Version::V2,
            method: method.into(),
            params,
        }
    }
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Response<R> {
    jsonrpc: Version,
    /// The id of the request; `null` when the frame was so broken that no id could be read.
    pub id: Option<Id>,
    /// What came of it, as the member `result` or `error`.
    #[serde(flatten)]
    pub outcome: Outcome<R>,
}

impl<R> Response<R> {
    /// The answer to a request that was done.
    pub fn result(id: Id, result: R) -> Self {
        Self {
            jsonrpc: Version::V2,
            id: Some(id),
            outcome: Outcome::Result(result),
        }
    }

    /// The answer to a request that was not done.
    pub fn error(id: Option<Id>, error: impl Into<RpcError>) -> Self {
        Self {
            jsonrpc: Version::V2,
            id,
            outcome: Outcome::Error(error.into()),
        }
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome<R> {
    /// It was done.
    Result(R),
    /// It was not done.
    Error(RpcError),
}

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct RpcError {
    /// The number that JSON-RPC asks for; coarser than `data.code`.
    pub code: i32,
    /// What went wrong, for people; safe to show.
    pub message: String,
    /// What went wrong, for programs. Mira always sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<ErrorData>,
}

/// The part of an error that programs act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ErrorData {
    /// The stable name of what went wrong.
    pub code: ErrorCode,
    /// The parameter at fault, as a path such as `context.selection.start_line`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Whether the same request may succeed later without a change.
    pub retryable: bool,
    /// What the user can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The codes that JSON-RPC has a number for; all others are [`APPLICATION_ERROR`].
const NUMBERS: [(ErrorCode, i32); 5] = [
    (ErrorCode::BadRequest, INVALID_REQUEST),
    (ErrorCode::BadRequest, PARSE_ERROR),
    (ErrorCode::UnknownMethod, METHOD_NOT_FOUND),
    (ErrorCode::InvalidParams, INVALID_PARAMS),
    (ErrorCode::Internal, INTERNAL_ERROR),
];

impl From<ErrorBody> for RpcError {
    fn from(body: ErrorBody) -> Self {
        let ErrorBody {
            code: name,
            message,
            retryable,
            hint,
            field,
        } = body;
        let number = NUMBERS.into_iter().find(|(code, _)| *code == name);
        let code = number.map_or(APPLICATION_ERROR, |(_, number)| number);
        Self {
            code,
            message,
            data: Some(ErrorData {
                code: name,
                field,
                retryable,
                hint,
            }),
        }
    }
}

impl From<RpcError> for ErrorBody {
    fn from(error: RpcError) -> Self {
        let RpcError {
            code: number,
            message,
            data,
        } = error;
        if let Some(ErrorData {
            code,
            field,
            retryable,
            hint,
        }) = data
        {
            return Self {
                code,
                message,
                retryable,
                hint,
                field,
            };
        }
        let known = NUMBERS.into_iter().find(|(_, known)| *known == number);
        let code = known.map_or_else(|| ErrorCode::Other(number.to_string()), |(code, _)| code);
        Self::new(code, message)
    }
}

/// A received frame. What it carries stays raw JSON until the method is known.
#[derive(Debug, Clone)]
pub enum Message {
    /// A call; `params` is `None` when they were left out or `null`.
    Request(Request<Option<Box<RawValue>>>),
    /// A message that wants no answer.
    Notification(Notification<Option<Box<RawValue>>>),
    /// The answer to an earlier request.
    Response(Response<Box<RawValue>>),
}

/// Why a received frame is not a message.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The text is not JSON.
    #[error("the frame is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The text is JSON of another shape.
    #[error("the frame is not a JSON-RPC 2.0 message: {problem}")]
    NotAMessage {
        /// The id, where one could be read.
        id: Option<Id>,
        /// What is wrong with the frame.
        problem: &'static str,
    },
}

impl FrameError {
    /// The response that tells the peer.
    pub fn response(&self) -> Response<()> {
        let (id, code) = match self {
            Self::NotJson(_) => (None, PARSE_ERROR),
            Self::NotAMessage { id, .. } => (id.clone(), INVALID_REQUEST),
        };
        let error = RpcError {
            code,
            ..ErrorBody::new(ErrorCode::BadRequest, self.to_string()).into()
        };
        Response::error(id, error)
    }
}

#[derive(Deserialize)]
#[expect(
    clippy::option_option,
    reason = "an absent id, a null one and a given one mean three things"
)]
struct Frame {
    jsonrpc: Option<String>,
    #[serde(default, deserialize_with = "present")]
    id: Option<Option<Id>>,
    method: Option<String>,
    params: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    result: Option<Box<RawValue>>,
    error: Option<RpcError>,
}

/// Tells a member that is `null` from one that is absent.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Message {
    /// Reads one text frame. Batches are refused: the socket is the batch.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let frame: Frame = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) if error.is_data() => {
                return Err(FrameError::NotAMessage {
                    id: id_of(text),
                    problem: "a member has the wrong type",
                });
            }
            Err(error) => return Err(FrameError::NotJson(error)),
        };
        let Frame {
            jsonrpc,
            id,
            method,
            params,
            result,
            error,
        } = frame;
        let refuse = |id: Option<Option<Id>>, problem| {
            Err(FrameError::NotAMessage {
                id: id.flatten(),
                problem,
            })
        };
        if jsonrpc.as_deref() != Some("2.0") {
            return refuse(id, "`jsonrpc` must be \"2.0\"");
        }
        match (method, id, result, error) {
            (Some(method), Some(Some(id)), None, None) => Ok(Self::Request(Request::new(id, method, params))),
            (Some(method), None, None, None) => Ok(Self::Notification(Notification::new(method, params))),
            (Some(_), Some(None), None, None) => refuse(None, "`id` must be a string or a whole number"),
            (None, Some(Some(id)), Some(result), None) => Ok(Self::Response(Response::result(id, result))),
            (None, Some(id), None, Some(error)) => Ok(Self::Response(Response::error(id, error))),
            (_, id, _, _) => refuse(id, "it is neither a request nor a response"),
        }
    }
}

fn id_of(text: &str) -> Option<Id> {
    #[derive(Deserialize)]
    struct Identified {
        id: Option<Id>,
    }
    // The frame is refused either way; an id only lets the peer know which of its requests that was.
    serde_json::from_str::<Identified>(text).ok()?.id
}
