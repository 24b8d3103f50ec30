//! An artifact: a file that a model wrote, to be reviewed, applied and undone by a person.

use mira_store::{ArtifactId, ChangeId, OperationId, ProjectId, SessionId, Timestamp};

use crate::operation::ModelRole;

/// How much of a file a preview shows, in characters.
pub(crate) const PREVIEW_CHARS: usize = 200;

/// The largest artifact, in bytes.
pub const MAX_ARTIFACT_BYTES: usize = 2 * 1024 * 1024;

/// An artifact as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    pub summary: ArtifactSummary,
    /// The whole file.
    pub content: String,
    /// Unified diff against the file on disk when the artifact was made; empty when they were equal.
    pub diff: String,
}

/// An artifact without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactSummary {
    pub id: ArtifactId,
    pub operation: OperationId,
    pub session: SessionId,
    pub project: Option<ProjectId>,
    /// Relative to the project, with `/` between components.
    pub path: String,
    pub language: Option<String>,
    /// SHA-256 of the content, in hexadecimal.
    pub content_hash: String,
    /// Size of the content.
    pub size_bytes: u64,
    /// SHA-256 of the file that the diff is against; none when there was no such file.
    pub base_hash: Option<String>,
    /// Who wrote it.
    pub origin: ModelRole,
    /// The project it is applied in, while it is applied.
    pub applied_in: Option<ProjectId>,
    /// The recorded change of the file, while it is applied.
    pub change: Option<ChangeId>,
    pub created: Timestamp,
    pub applied: Option<Timestamp>,
    pub undone: Option<Timestamp>,
}

impl ArtifactSummary {
    /// Whether the file did not exist when the artifact was made.
    pub fn is_new_file(&self) -> bool {
        self.base_hash.is_none()
    }
}

/// How an artifact differs from the disk at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactDiff {
    pub path: String,
    /// Unified diff; empty when they are equal.
    pub diff: String,
    /// Whether the file does not exist now.
    pub is_new_file: bool,
    /// Whether the file is no longer the one that the artifact was made from.
    pub base_changed: bool,
}
