//! Artifacts: files that Mira proposes and a person reviews.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use crate::open_enum::open_enum;

open_enum! {
    /// Who wrote an artifact.
    pub enum ArtifactOrigin {
        /// The conversing model.
        Reasoner = "reasoner",
        /// The code model.
        Coder = "coder",
    }
}

/// An artifact without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ArtifactSummary {
    /// The artifact.
    pub artifact_id: String,
    /// The operation that made it.
    pub operation_id: String,
    /// The session that it belongs to.
    pub session_id: String,
    /// The project that it is meant for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The file, relative to the project.
    pub path: String,
    /// Its language, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// SHA-256 of the content, in hexadecimal.
    pub content_hash: String,
    /// Whether the file did not exist when the artifact was made.
    pub is_new_file: bool,
    /// SHA-256 of the file that it was made against; absent for a new file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_hash: Option<String>,
    /// Who wrote it.
    pub origin: ArtifactOrigin,
    /// When it was made.
    pub created_ms: i64,
    /// When it was last written to disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_ms: Option<i64>,
    /// When that was last undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_ms: Option<i64>,
    /// The size of the content in bytes.
    pub size_bytes: u64,
}

/// An artifact with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct Artifact {
    /// All but the text; its members stand beside the ones below.
    #[serde(flatten)]
    pub summary: ArtifactSummary,
    /// The whole file.
    pub content: String,
    /// Unified diff against the file on disk when the artifact was made; against nothing for a new file.
    pub diff: String,
}

/// Parameters that name an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ArtifactRef {
    /// The artifact.
    pub artifact_id: String,
}

/// Result of `artifact.get`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ArtifactGetResult {
    /// The artifact.
    pub artifact: Artifact,
}

/// Parameters of `artifact.list`; each given member narrows the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ArtifactListParams {
    /// Only of this session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Only of this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Only of this operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many at most; the server caps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Result of `artifact.list`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ArtifactListResult {
    /// One page.
    pub artifacts: Vec<ArtifactSummary>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Result of `artifact.diff`: the artifact against the disk as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ArtifactDiffResult {
    /// The artifact.
    pub artifact_id: String,
    /// The file, relative to the project.
    pub path: String,
    /// Unified diff; empty when the file already has the content.
    pub diff: String,
    /// Whether the file does not exist now.
    pub is_new_file: bool,
    /// Whether the file has changed since the artifact was made, so that applying it needs `force`.
    pub base_changed: bool,
}

/// Parameters of `artifact.apply`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ArtifactApplyParams {
    /// The artifact.
    pub artifact_id: String,
    /// The project to write to, where the artifact names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Writes even though the file has changed since; otherwise that is a `conflict`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Result of `artifact.apply`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ArtifactApplyResult {
    /// The artifact as it is now.
    pub artifact: ArtifactSummary,
    /// The file that was written, relative to the project.
    pub path: String,
    /// The entry in the undo history.
    pub change_id: String,
}

/// Parameters of `artifact.undo`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ArtifactUndoParams {
    /// The artifact.
    pub artifact_id: String,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Result of `artifact.undo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ArtifactUndoResult {
    /// The artifact as it is now.
    pub artifact: ArtifactSummary,
    /// The file that was put back, relative to the project.
    pub path: String,
}
