//! `git_command`: what answers it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use crate::open_enum::open_enum;

/// What answers a command about git, beside `file_tree` and `file_content`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum GitData {
    /// To `git.attach`.
    RepoAttached {
        /// The attachment.
        attachment_id: String,
        /// Where it comes from.
        repo_url: String,
        /// Where it will be.
        local_path: String,
    },
    /// Pushed after every change of a project's files; it enables the Commit button.
    GitStatus {
        /// Whether anything is changed.
        status: GitState,
        /// What is changed, relative to the project.
        modified_files: Vec<String>,
    },
}

open_enum! {
    /// Whether a project has changes.
    pub enum GitState {
        /// It has none.
        Synced = "synced",
        /// It has some.
        Modified = "modified",
    }
}
