//! Projects and the history of their files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

/// A project: a name and, once attached, a directory on the server's disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct Project {
    /// The project.
    pub project_id: String,
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Labels of the user.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Where its files are; absent until a directory is attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// When it was created.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

/// Parameters of `project.create`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ProjectCreateParams {
    /// Its name; not blank.
    pub name: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// An existing directory on the server to attach at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A result that is a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ProjectResult {
    /// The project as it is now.
    pub project: Project,
}

/// Result of `project.list`, last changed first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ProjectListResult {
    /// All projects.
    pub projects: Vec<Project>,
}

/// Parameters that name a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ProjectRef {
    /// The project.
    #[serde(alias = "id")]
    pub project_id: String,
}

/// Parameters of `project.update`; what is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ProjectUpdateParams {
    /// The project.
    #[serde(alias = "id")]
    pub project_id: String,
    /// Its new name; not blank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is; an empty text clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// All of its labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Parameters of `project.delete`. Files that Mira did not create stay on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ProjectDeleteParams {
    /// The project.
    #[serde(alias = "id")]
    pub project_id: String,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Parameters of `project.attach_local`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ProjectAttachLocalParams {
    /// The project.
    #[serde(alias = "id")]
    pub project_id: String,
    /// An existing directory on the server; replaces the one before.
    pub directory_path: String,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Parameters of `project.undo_file`: puts the file back to before Mira's last change of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ProjectUndoFileParams {
    /// The project.
    #[serde(alias = "id")]
    pub project_id: String,
    /// The file, relative to the project.
    pub file_path: String,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Result of `project.undo_file`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ProjectUndoFileResult {
    /// The file, relative to the project.
    pub path: String,
    /// The change that was undone.
    pub change_id: String,
    /// Whether the file exists now; a file that the change had created is gone again.
    pub exists: bool,
}

/// Parameters of `project.file_history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ProjectFileHistoryParams {
    /// The project.
    #[serde(alias = "id")]
    pub project_id: String,
    /// The file, relative to the project.
    pub file_path: String,
    /// How many changes at most; the server caps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Result of `project.file_history`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ProjectFileHistoryResult {
    /// The file, relative to the project.
    pub path: String,
    /// What Mira did to it.
    pub changes: Vec<FileChange>,
}

/// A change of a file that Mira made and can undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FileChange {
    /// The change.
    pub change_id: String,
    /// When it was made.
    pub time_ms: i64,
    /// The text before; absent when there was no file or it was not text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The text after; absent when the change deleted the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Whether it was undone.
    pub undone: bool,
}

/// Result of `project.modified_files`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ProjectModifiedFilesResult {
    /// Files that Mira changed and that still differ from before, relative to the project.
    pub files: Vec<String>,
}
