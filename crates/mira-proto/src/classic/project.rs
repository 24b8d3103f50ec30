//! `project_command`: projects, the history of their files, and their artifacts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use super::Artifact;
use super::command::commands;
use crate::native::Empty;
use crate::rpc::Id;

commands! {
    /// A command about projects.
    pub enum ProjectCommand {
        /// Creates a project. Answer: `project_created`.
        Create(ProjectCreate) = "project.create",
        /// Lists projects. Answer: `project_list`.
        List(Empty) = "project.list",
        /// Gets a project. Answer: `project`.
        Get(ProjectId) = "project.get",
        /// Changes a project. Answer: `project_updated`.
        Update(ProjectUpdate) = "project.update",
        /// Deletes a project. Answer: a status.
        Delete(ProjectId) = "project.delete",
        /// Says which project the user looks at. Answer: a status.
        SetActive(ProjectRef) = "project.set_active",
        /// Asks to run a command in the project. Answer: a status.
        Run(ProjectRun) = "project.run",
        /// Attaches a directory on the server. Answer: `local_directory_attached`.
        AttachLocal(ProjectAttachLocal) = "project.attach_local",
        /// Undoes the last change of a file. Answer: a status.
        UndoFile(ProjectFile) = "project.undo_file",
        /// Lists the changes of a file. Answer: `file_history`.
        FileHistory(ProjectFileHistory) = "project.file_history",
        /// Lists the changed files. Answer: `modified_files`.
        ModifiedFiles(ProjectRef) = "project.modified_files",
        /// Stores an artifact. Answer: `artifact_created`.
        ArtifactCreate(ArtifactCreate) = "artifact.create",
        /// Gets an artifact. Answer: `artifact`.
        ArtifactGet(ArtifactId) = "artifact.get",
        /// Changes an artifact. Answer: `artifact_updated`.
        ArtifactUpdate(ArtifactUpdate) = "artifact.update",
        /// Lists a project's artifacts. Answer: `artifact_list`.
        ArtifactList(ProjectRef) = "artifact.list",
        /// Deletes an artifact. Answer: a status.
        ArtifactDelete(ArtifactId) = "artifact.delete",
    }
}

/// Parameters of `project.create`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct ProjectCreate {
    /// Its name; not blank.
    pub name: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
}

/// Parameters that name a project as `id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ProjectId {
    /// The project; `project_id` is accepted too.
    #[serde(alias = "project_id")]
    pub id: String,
}

/// Parameters that name a project as `project_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ProjectRef {
    /// The project; `id` is accepted too.
    #[serde(alias = "id")]
    pub project_id: String,
}

/// Parameters of `project.update`; what is absent or `null` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct ProjectUpdate {
    /// The project; `project_id` is accepted too.
    #[serde(alias = "project_id")]
    pub id: String,
    /// Its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// All of its labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
}

/// Parameters of `project.run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct ProjectRun {
    /// The project; `id` is accepted too.
    #[serde(alias = "id")]
    pub project_id: String,
    /// The command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// Parameters of `project.attach_local`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ProjectAttachLocal {
    /// The project; `id` is accepted too.
    #[serde(alias = "id")]
    pub project_id: String,
    /// An existing directory on the server.
    pub directory_path: String,
}

/// Parameters that name a file of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ProjectFile {
    /// The project; `id` is accepted too.
    #[serde(alias = "id")]
    pub project_id: String,
    /// The file, relative to the project.
    pub file_path: String,
}

/// Parameters of `project.file_history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct ProjectFileHistory {
    /// The project; `id` is accepted too.
    #[serde(alias = "id")]
    pub project_id: String,
    /// The file, relative to the project.
    pub file_path: String,
    /// How many at most; 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Parameters of `artifact.create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct ArtifactCreate {
    /// The project.
    pub project_id: String,
    /// Its name, mostly a path.
    pub name: String,
    /// `code`, `image`, `log`, `note` or `markdown`; anything else is a note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// Parameters that name an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ArtifactId {
    /// The artifact; `artifact_id` is accepted too.
    #[serde(alias = "artifact_id")]
    pub id: String,
}

/// Parameters of `artifact.update`; what is absent or `null` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct ArtifactUpdate {
    /// The artifact; `artifact_id` is accepted too.
    #[serde(alias = "artifact_id")]
    pub id: String,
    /// Its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its new text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// A project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct Project {
    /// The project.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub description: Option<String>,
    /// Labels; `null` when there are none.
    pub tags: Option<Vec<String>>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub owner: Option<String>,
    /// When it was created, RFC 3339.
    pub created_at: String,
    /// When it was last changed, RFC 3339.
    pub updated_at: String,
}

/// A project in a list, with what there is of its files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ListedProject {
    /// The project; its members stand beside the ones below.
    #[serde(flatten)]
    pub project: Project,
    /// Whether there are files: a clone or a local directory.
    pub has_repository: bool,
    /// Where it was cloned from; empty for a local directory.
    pub repository_url: String,
    /// `Pending`, `Cloned`, `Imported` or `Synced`.
    pub import_status: String,
    /// When it was last synchronised, RFC 3339.
    pub last_sync_at: Option<String>,
}

/// What answers a command about projects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ProjectData {
    /// To `project.create`.
    ProjectCreated {
        /// The new project.
        project: Project,
    },
    /// To `project.list`.
    ProjectList {
        /// All projects, last changed first.
        projects: Vec<ListedProject>,
    },
    /// To `project.get`.
    Project {
        /// The project.
        project: Project,
    },
    /// To `project.update`.
    ProjectUpdated {
        /// The project as it is now.
        project: Project,
    },
    /// To `project.attach_local`.
    LocalDirectoryAttached {
        /// The project.
        project_id: String,
        /// The directory.
        path: String,
        /// For people.
        message: String,
    },
    /// To `project.file_history`.
    FileHistory {
        /// The project.
        project_id: String,
        /// The file.
        file_path: String,
        /// Its changes, newest first.
        history: Vec<FileHistoryEntry>,
        /// How many there are.
        count: u64,
    },
    /// To `project.modified_files`.
    ModifiedFiles {
        /// The project.
        project_id: String,
        /// The files.
        files: Vec<String>,
        /// How many there are.
        count: u64,
    },
    /// To `artifact.create`.
    ArtifactCreated {
        /// The new artifact.
        artifact: Artifact,
    },
    /// To `artifact.get`.
    Artifact {
        /// The artifact.
        artifact: Artifact,
    },
    /// To `artifact.update`.
    ArtifactUpdated {
        /// The artifact as it is now.
        artifact: Artifact,
    },
    /// To `artifact.list`.
    ArtifactList {
        /// The project's artifacts, newest first.
        artifacts: Vec<Artifact>,
    },
}

/// A change of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FileHistoryEntry {
    /// The change.
    pub id: Id,
    /// The project.
    pub project_id: String,
    /// The file.
    pub file_path: String,
    /// The text before.
    pub original_content: String,
    /// The text after.
    pub modified_content: String,
    /// When, in seconds since 1970.
    pub modification_time: i64,
    /// Whether it was undone.
    pub reverted: bool,
}
