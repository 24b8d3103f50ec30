//! What happens in an operation, and the artifacts that come of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

/// A file that Mira proposes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct Artifact {
    /// The artifact. A client merges those with the same id, and those with the same path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The file, relative to the project.
    pub path: String,
    /// The whole text. Not empty: clients drop an artifact without text, so that an empty file is a line break.
    pub content: String,
    /// Its language, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What it is, such as `code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// A badge: `primary`, `import`, `type` or `cascade`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_type: Option<String>,
    /// Its name, where that is not its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Unified diff against the file on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// Whether the file did not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_new_file: Option<bool>,
}

/// Something that happened in an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct OperationData {
    /// The operation.
    pub operation_id: String,
    /// When, in seconds since 1970.
    pub timestamp: i64,
    /// What; its members stand beside the ones above.
    #[serde(flatten)]
    pub event: OperationEvent,
}

/// What happened in an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
#[serde(tag = "type")]
pub enum OperationEvent {
    /// It began; a client shows an empty answer.
    #[serde(rename = "operation.started")]
    Started,
    /// It moved on.
    #[serde(rename = "operation.status_changed")]
    StatusChanged {
        /// Where it stood.
        old_status: String,
        /// Where it stands.
        new_status: String,
        /// Where it stands, for readers of this key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        status: Option<String>,
    },
    /// More of the answer.
    #[serde(rename = "operation.streaming")]
    Streaming {
        /// The new text.
        content: String,
        /// The new text, for readers of this key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "ts", ts(optional))]
        delta: Option<String>,
    },
    /// Work was handed to the code model.
    #[serde(rename = "operation.delegated")]
    Delegated {
        /// To whom.
        delegated_to: String,
        /// Why.
        reason: String,
    },
    /// A tool was used.
    #[serde(rename = "operation.tool_executed")]
    ToolExecuted {
        /// Its name.
        tool_name: String,
        /// Of what kind it is.
        tool_type: String,
        /// What came of it.
        summary: String,
        /// Whether it did what it was asked.
        success: bool,
    },
    /// An artifact begins to take shape.
    #[serde(rename = "operation.artifact_preview")]
    ArtifactPreview {
        /// The artifact.
        artifact_id: String,
        /// The file.
        path: String,
        /// The first lines.
        preview: String,
    },
    /// An artifact is ready; a client opens it.
    #[serde(rename = "operation.artifact_completed")]
    ArtifactCompleted {
        /// The artifact.
        artifact: Artifact,
    },
    /// It ended; a client turns what was streamed into a message.
    #[serde(rename = "operation.completed")]
    Completed {
        /// The whole answer; clients do not show it.
        result: Option<String>,
        /// Artifacts to open.
        artifacts: Vec<Artifact>,
    },
    /// It failed. A client unlocks its input only by `response` with `complete`, which must follow.
    #[serde(rename = "operation.failed")]
    Failed {
        /// Why.
        error: String,
    },
    /// The user ended it; `response` with `complete` must follow.
    #[serde(rename = "operation.cancelled")]
    Cancelled,
}
