//! What a client sends, and reading it.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
#[cfg(feature = "ts")]
use ts_rs::TS;

use super::command::raw;
use super::{Chat, FileCommand, FileTransfer, MemoryCommand, ProjectCommand, RawCommand};
use crate::error::{ErrorBody, ErrorCode};
use crate::params::{self, Fault};
use crate::rpc::Id;

/// A frame from a client, told apart by `type`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// A turn of the user.
    Chat(Chat),
    /// A command about projects.
    ProjectCommand(ProjectCommand),
    /// A command about memory.
    MemoryCommand(MemoryCommand),
    /// A command about files.
    FileSystemCommand(FileCommand),
    /// A command about git.
    GitCommand(RawCommand),
    /// A command about code.
    CodeIntelligenceCommand(RawCommand),
    /// A command about documents.
    DocumentCommand(RawCommand),
    /// A step of an upload or download.
    FileTransfer(FileTransfer),
    /// Cancels an operation; also sent as the command `cancel`.
    CancelOperation(CancelOperation),
    /// Any other command; it has no answer.
    Command(Command),
    /// A notice; it has no answer.
    Status(ClientStatus),
    /// Whether the user is typing; it has no answer.
    Typing(Typing),
}

/// Cancels an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct CancelOperation {
    /// The operation.
    pub operation_id: String,
}

/// A command without a family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct Command {
    /// Its name.
    pub command: String,
    /// What it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Value>,
}

/// A notice from a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ClientStatus {
    /// What it says.
    pub message: String,
}

/// Whether the user is typing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct Typing {
    /// Whether the user is typing.
    pub active: bool,
}

/// What a frame is about, which is what the classic error codes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// A turn of the user, or nothing in particular.
    Chat,
    /// Projects and artifacts.
    Project,
    /// Memory.
    Memory,
    /// Files.
    FileSystem,
    /// Uploads and downloads.
    FileTransfer,
    /// Git.
    Git,
    /// Code.
    CodeIntelligence,
    /// Documents.
    Document,
}

impl Family {
    /// The code of an error frame.
    pub fn error_code(self) -> &'static str {
        match self {
            Self::Chat => "CHAT_ERROR",
            Self::Project => "PROJECT_ERROR",
            Self::Memory => "MEMORY_ERROR",
            Self::FileSystem => "FILESYSTEM_ERROR",
            Self::FileTransfer => "FILE_ERROR",
            Self::Git => "GIT_ERROR",
            Self::CodeIntelligence => "CODE_INTELLIGENCE_ERROR",
            Self::Document => "DOCUMENT_ERROR",
        }
    }
}

impl ClientFrame {
    /// What the frame is about.
    pub fn family(&self) -> Family {
        match self {
            Self::ProjectCommand(_) => Family::Project,
            Self::MemoryCommand(_) => Family::Memory,
            Self::FileSystemCommand(_) => Family::FileSystem,
            Self::GitCommand(_) => Family::Git,
            Self::CodeIntelligenceCommand(_) => Family::CodeIntelligence,
            Self::DocumentCommand(_) => Family::Document,
            Self::FileTransfer(_) => Family::FileTransfer,
            Self::Chat(_)
            | Self::CancelOperation(_)
            | Self::Command(_)
            | Self::Status(_)
            | Self::Typing(_) => Family::Chat,
        }
    }
}

/// Why a client's frame could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// The text is not JSON.
    #[error("the frame is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The text is JSON, but not an object with a `type`.
    #[error("the frame is not an object with a text `type`")]
    NoType,
    /// There is no such type.
    #[error("there is no frame of type `{kind}`")]
    UnknownType {
        /// What it said.
        kind: String,
    },
    /// A parameter is missing or has the wrong shape.
    #[error("the `{subject}` frame does not fit: {message}")]
    InvalidParams {
        /// What the frame is about.
        family: Family,
        /// The method, or the frame's type where it has none.
        subject: String,
        /// The parameter at fault, where one can be named.
        field: Option<String>,
        /// What is wrong with it.
        message: String,
    },
}

impl ParseError {
    /// What the frame was about, as far as that could be told.
    pub fn family(&self) -> Family {
        match self {
            Self::InvalidParams { family, .. } => *family,
            Self::NotJson(_) | Self::NoType | Self::UnknownType { .. } => Family::Chat,
        }
    }
}

impl From<ParseError> for ErrorBody {
    fn from(error: ParseError) -> Self {
        let message = error.to_string();
        match error {
            ParseError::InvalidParams { field, .. } => Self {
                field,
                ..Self::new(ErrorCode::InvalidParams, message)
            },
            ParseError::NotJson(_) | ParseError::NoType | ParseError::UnknownType { .. } => {
                Self::new(ErrorCode::BadRequest, message)
            }
        }
    }
}

/// A received frame, with the id that its answer must carry whether or not it could be read.
#[derive(Debug)]
pub struct Incoming {
    /// `params.request_id`.
    pub request_id: Option<Id>,
    /// The frame.
    pub frame: Result<ClientFrame, ParseError>,
}

impl Incoming {
    /// Reads one text frame. The tags `memory` and `code_intelligence` stand for the commands, and a method's other
    /// names for the method.
    pub fn parse(text: &str) -> Self {
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(rename = "type")]
            kind: String,
            #[serde(borrow)]
            params: Option<&'a RawValue>,
        }
        #[derive(Deserialize)]
        struct Numbered {
            request_id: Option<Id>,
        }

        let head: Head<'_> = match serde_json::from_str(text) {
            Ok(head) => head,
            Err(error) if error.is_data() => {
                return Self {
                    request_id: None,
                    frame: Err(ParseError::NoType),
                };
            }
            Err(error) => {
                return Self {
                    request_id: None,
                    frame: Err(ParseError::NotJson(error)),
                };
            }
        };
        let params = head.params.map_or("{}", RawValue::get);
        // A request id of another type cannot be echoed, and is no reason to refuse the command.
        let request_id = serde_json::from_str::<Numbered>(params)
            .ok()
            .and_then(|numbered| numbered.request_id);
        Self {
            request_id,
            frame: read_frame(text, head.kind, params),
        }
    }
}

fn read_frame(text: &str, kind: String, params: &str) -> Result<ClientFrame, ParseError> {
    match kind.as_str() {
        "chat" => whole(text, kind, Family::Chat).map(ClientFrame::Chat),
        "project_command" => {
            command(text, params, Family::Project, ProjectCommand::parse).map(ClientFrame::ProjectCommand)
        }
        "memory_command" | "memory" => {
            command(text, params, Family::Memory, MemoryCommand::parse).map(ClientFrame::MemoryCommand)
        }
        "file_system_command" => {
            command(text, params, Family::FileSystem, FileCommand::parse).map(ClientFrame::FileSystemCommand)
        }
        "git_command" => command(text, params, Family::Git, raw).map(ClientFrame::GitCommand),
        "code_intelligence_command" | "code_intelligence" => {
            command(text, params, Family::CodeIntelligence, raw).map(ClientFrame::CodeIntelligenceCommand)
        }
        "document_command" => command(text, params, Family::Document, raw).map(ClientFrame::DocumentCommand),
        "file_transfer" => whole(text, kind, Family::FileTransfer).map(ClientFrame::FileTransfer),
        "cancel_operation" => whole(text, kind, Family::Chat).map(ClientFrame::CancelOperation),
        "command" => free_command(whole(text, kind, Family::Chat)?),
        "status" => whole(text, kind, Family::Chat).map(ClientFrame::Status),
        "typing" => whole(text, kind, Family::Chat).map(ClientFrame::Typing),
        _ => Err(ParseError::UnknownType { kind }),
    }
}

/// Reads a frame whose parameters stand beside its `type`.
fn whole<T: DeserializeOwned>(text: &str, kind: String, family: Family) -> Result<T, ParseError> {
    params::read(text).map_err(|fault| misfit(family, kind, fault))
}

/// Reads a frame with a method and parameters.
fn command<T>(
    text: &str,
    params: &str,
    family: Family,
    parse: fn(String, &str) -> Result<T, Fault>,
) -> Result<T, ParseError> {
    #[derive(Deserialize)]
    struct Called {
        method: String,
    }

    let Called { method } =
        params::read(text).map_err(|fault| misfit(family, "command".to_owned(), fault))?;
    parse(method.clone(), params).map_err(|fault| misfit(family, method, fault))
}

/// Tells `cancel` from the commands that mean nothing.
fn free_command(command: Command) -> Result<ClientFrame, ParseError> {
    match command {
        Command { command, args } if command == "cancel" => {
            let args = args.unwrap_or_default().to_string();
            params::read(&args)
                .map(ClientFrame::CancelOperation)
                .map_err(|fault| misfit(Family::Chat, command, fault))
        }
        command => Ok(ClientFrame::Command(command)),
    }
}

fn misfit(family: Family, subject: String, Fault { field, message }: Fault) -> ParseError {
    ParseError::InvalidParams {
        family,
        subject,
        field,
        message,
    }
}
