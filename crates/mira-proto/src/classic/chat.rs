//! A turn of the user.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;
#[cfg(feature = "ts")]
use ts_rs::TS;

use crate::native::Selection;

/// `chat`: what the user says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct Chat {
    /// The text.
    pub content: String,
    /// The selected project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// What the user is looking at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Box<ChatMetadata>>,
}

/// What the user is looking at while writing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct ChatMetadata {
    /// The session that the turn belongs to; the server's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The client's clock, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Number>,
    /// The file in the editor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_path: Option<String>,
    /// Its whole text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_content: Option<String>,
    /// Its language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The marked lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
    /// The selected project's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_name: Option<String>,
    /// Whether the project has files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_repository: Option<bool>,
    /// The git branch; older clients say `branch`.
    #[serde(default, alias = "branch", skip_serializing_if = "Option::is_none")]
    pub current_branch: Option<String>,
    /// How many files have changed, as far as the client knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_files_count: Option<Number>,
    /// A clone that the turn is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo_id: Option<String>,
    /// An attachment that the turn is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment_id: Option<String>,
    /// Where the clone is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo_root: Option<String>,
    /// Whether the client wants the repository looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_repo_context: Option<bool>,
}
