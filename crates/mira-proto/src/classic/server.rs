//! What the server sends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
#[cfg(feature = "ts")]
use ts_rs::TS;

use super::{
    Artifact, CodeData, DocumentData, Family, FileData, GitData, MemoryData, OperationData, ProjectData,
    TransferData,
};
use crate::error::ErrorBody;
use crate::rpc::Id;

/// A frame from the server, told apart by `type`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// A notice, or the answer to a command that has no data.
    Status(Status),
    /// Something went wrong.
    Error(ErrorFrame),
    /// The connection can be used.
    ConnectionReady,
    /// The server is alive.
    Heartbeat {
        /// `ping`.
        message: String,
        /// The server's clock, in seconds since 1970.
        timestamp: i64,
    },
    /// More of the answer, outside an operation.
    Stream {
        /// The new text.
        delta: String,
    },
    /// The whole answer, with its artifacts.
    ChatComplete(ChatComplete),
    /// Ends a streamed text and unlocks the client's input.
    Response(Response),
    /// What a command asked for, or something that happened.
    Data {
        /// The payload.
        data: Data,
        /// The command's `params.request_id`, if it had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        request_id: Option<Id>,
    },
}

impl ServerFrame {
    /// A payload that answers no command with a `request_id`.
    pub fn data(data: impl Into<Data>) -> Self {
        Self::Data {
            data: data.into(),
            request_id: None,
        }
    }

    /// A notice.
    pub fn status(message: impl Into<String>, detail: Option<String>) -> Self {
        Self::Status(Status {
            status: None,
            message: message.into(),
            detail,
            request_id: None,
        })
    }

    /// Begins a streamed text, and throws away what was streamed before it.
    pub fn thinking() -> Self {
        let thinking = "thinking".to_owned();
        Self::Status(Status {
            status: Some(thinking.clone()),
            message: thinking,
            detail: None,
            request_id: None,
        })
    }

    /// Ends a streamed text and unlocks the client's input.
    pub fn terminator() -> Self {
        Self::Response(Response {
            complete: Some(true),
            ..Response::default()
        })
    }

    /// The same frame as the answer to a command; frames that answer none stay as they are.
    #[must_use]
    pub fn answering(mut self, request: Option<Id>) -> Self {
        match &mut self {
            Self::Status(Status { request_id, .. })
            | Self::Error(ErrorFrame { request_id, .. })
            | Self::Data { request_id, .. } => *request_id = request,
            Self::ConnectionReady
            | Self::Heartbeat { .. }
            | Self::Stream { .. }
            | Self::ChatComplete(_)
            | Self::Response(_) => {}
        }
        self
    }
}

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct Status {
    /// `thinking` begins a streamed text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub status: Option<String>,
    /// For people. A client that reads `deleted` in it asks for the list of projects again.
    pub message: String,
    /// More, for people.
    pub detail: Option<String>,
    /// The command's `params.request_id`, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub request_id: Option<Id>,
}

/// Something went wrong. Old clients read the members beside `error`, newer ones those in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ErrorFrame {
    /// For people.
    pub message: String,
    /// The family of the command, such as `PROJECT_ERROR`.
    pub code: String,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorDetail>,
    /// The command's `params.request_id`, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Id>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ErrorDetail {
    /// For people.
    pub message: String,
    /// The code of the native profile in capitals, such as `NOT_FOUND`.
    pub code: String,
    /// The HTTP-like status of the code.
    #[serde(rename = "statusCode")]
    pub status_code: u16,
    /// How long to wait before trying again, in seconds.
    #[serde(rename = "retryAfter", default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

impl ErrorFrame {
    /// The frame for an error of a command of that family. A hint follows the message, since clients show no other text.
    pub fn new(family: Family, error: &ErrorBody) -> Self {
        let message = match &error.hint {
            Some(hint) => format!("{}. {hint}", error.message.trim_end_matches('.')),
            None => error.message.clone(),
        };
        let detail = ErrorDetail {
            message: message.clone(),
            code: error.code.as_str().to_ascii_uppercase(),
            status_code: error.code.status(),
            retry_after: None,
        };
        Self {
            message,
            code: family.error_code().to_owned(),
            error: Some(detail),
            request_id: None,
        }
    }
}

/// The whole answer to a turn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ChatComplete {
    /// The user's message.
    pub user_message_id: String,
    /// The answer.
    pub assistant_message_id: String,
    /// Its text.
    pub content: String,
    /// The files that come with it; a client shows Apply buttons for them.
    pub artifacts: Vec<Artifact>,
    /// The model's summary of its reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<String>,
}

/// A text, a piece of one, or the end of one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct Response {
    /// Ends a streamed text and unlocks the client's input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
    /// Appends `content` to a streamed text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streaming: Option<bool>,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The text, for readers of this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The text and artifacts, for readers of this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

macro_rules! data {
    ($($(#[$meta:meta])* $variant:ident($type:ident),)+) => {
        /// The payload of a `data` frame; mostly told apart by its own `type`.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[cfg_attr(feature = "ts", derive(TS))]
        #[serde(untagged)]
        pub enum Data {
            $($(#[$meta])* $variant($type),)+
        }

        $(impl From<$type> for Data {
            fn from(data: $type) -> Self {
                Self::$variant(data)
            }
        })+
    };
}

data! {
    /// Something happened in an operation.
    Operation(OperationData),
    /// About projects and their artifacts.
    Project(ProjectData),
    /// About files.
    File(FileData),
    /// About git.
    Git(GitData),
    /// About documents.
    Document(DocumentData),
    /// About code.
    Code(CodeData),
    /// About transfers.
    Transfer(TransferData),
    /// About memory. Last, since most of it has no `type`.
    Memory(MemoryData),
}
