//! `file_system_command`: the files of a project.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use super::command::commands;
use crate::native::FileContent;

commands! {
    /// A command about files.
    pub enum FileCommand {
        /// Writes a file. Answer: a status.
        Write(FileWrite) = "files.write" | "files.save" | "file.save" | "file.write",
        /// Writes several files, all or none. Answer: a status.
        WriteMany(FileWriteMany) = "write_files" | "files.write_many",
        /// Reads a file. Answer: `file_content`.
        Read(FilePath) = "file.read" | "files.read",
        /// Lists a directory. Answer: `file_list`.
        List(FileList) = "file.list" | "files.list",
        /// Deletes a file. Answer: a status.
        Delete(FilePath) = "file.delete" | "files.delete",
        /// Tells whether there is something. Answer: `file_exists`.
        Exists(FilePath) = "file.exists" | "files.exists",
        /// Creates a directory. Answer: a status.
        CreateDirectory(FilePath) = "directory.create",
        /// Searches file names and text. Answer: `file_search_results`.
        Search(FileSearch) = "files.search" | "file.search",
    }
}

/// Parameters of `files.write`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct FileWrite {
    /// The project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The path, relative to the project.
    pub path: String,
    /// The whole new text.
    pub content: String,
}

/// Parameters of `write_files`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct FileWriteMany {
    /// The project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// What to write.
    pub files: Vec<FileContent>,
}

/// Parameters that name a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct FilePath {
    /// The project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The path, relative to the project.
    pub path: String,
}

/// Parameters of `file.list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct FileList {
    /// The project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The directory, relative to the project; the project's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whether to go into directories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recursive: Option<bool>,
}

/// Parameters of `files.search`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct FileSearch {
    /// The project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// What to look for.
    pub query: String,
}

/// What answers a command about files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FileData {
    /// To `file.read` and `git.file`.
    FileContent {
        /// The path, normalised: no `./`, no `\`, no `//`.
        path: String,
        /// The text.
        content: String,
    },
    /// To `file.list`.
    FileList {
        /// The directory.
        path: String,
        /// What is in it.
        files: Vec<FileListEntry>,
        /// How many there are.
        count: u64,
    },
    /// To `file.exists`.
    FileExists {
        /// The path.
        path: String,
        /// Whether there is something.
        exists: bool,
        /// Whether that is a file.
        is_file: bool,
        /// Whether that is a directory.
        is_dir: bool,
    },
    /// To `git.tree`.
    FileTree {
        /// What is in the project.
        tree: Vec<TreeNode>,
    },
    /// To `files.search`.
    FileSearchResults {
        /// What was looked for.
        query: String,
        /// The lines that match.
        results: Vec<FileSearchResult>,
        /// How many there are.
        count: u64,
    },
}

/// Something in a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FileListEntry {
    /// The last part of its path.
    pub name: String,
    /// Its path.
    pub path: String,
    /// Whether it is a file.
    pub is_file: bool,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Its size in bytes; 0 for a directory.
    pub size: u64,
}

/// A line that matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FileSearchResult {
    /// The file.
    pub path: String,
    /// The line, counted from 1.
    pub line: u64,
    /// Its text.
    pub text: String,
}

/// A file or directory with all that is below it. It says three times which of both it is, for three readers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct TreeNode {
    /// The last part of its path.
    pub name: String,
    /// Its path.
    pub path: String,
    /// `file` or `directory`.
    #[serde(rename = "type")]
    pub kind: TreeNodeKind,
    /// `File` or `Directory`.
    pub node_type: TreeNodeType,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// What is in a directory; empty for a file.
    pub children: Vec<TreeNode>,
}

/// What a node is, in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
#[serde(rename_all = "lowercase")]
pub enum TreeNodeKind {
    /// A file.
    File,
    /// A directory.
    Directory,
}

/// What a node is, capitalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub enum TreeNodeType {
    /// A file.
    File,
    /// A directory.
    Directory,
}

impl TreeNode {
    /// A file.
    pub fn file(name: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            kind: TreeNodeKind::File,
            node_type: TreeNodeType::File,
            is_directory: false,
            children: Vec::new(),
        }
    }

    /// A directory and what is in it.
    pub fn directory(name: impl Into<String>, path: impl Into<String>, children: Vec<Self>) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            kind: TreeNodeKind::Directory,
            node_type: TreeNodeType::Directory,
            is_directory: true,
            children,
        }
    }
}
