//! Files of a project. Every path is relative to the project and uses `/`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use crate::open_enum::open_enum;

/// Parameters that name a file or directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FileRef {
    /// The project.
    pub project_id: String,
    /// The path.
    pub path: String,
}

/// Result of `files.read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FilesReadResult {
    /// The path, normalised.
    pub path: String,
    /// The text, without a byte order mark.
    pub content: String,
    /// SHA-256 of the bytes on disk, in hexadecimal; `expected_hash` of a later write.
    pub content_hash: String,
    /// The size on disk in bytes.
    pub size_bytes: u64,
    /// Its language, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// Parameters of `files.write`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FilesWriteParams {
    /// The project.
    pub project_id: String,
    /// The path; missing directories are created.
    pub path: String,
    /// The whole new text.
    pub content: String,
    /// Refuses with `conflict` unless the file has this hash; the empty text means that it must not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_hash: Option<String>,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct WrittenFile {
    /// The path, normalised.
    pub path: String,
    /// SHA-256 of the bytes now on disk, in hexadecimal.
    pub content_hash: String,
    /// Whether the file is new.
    pub created: bool,
    /// The entry in the undo history.
    pub change_id: String,
}

/// Parameters of `files.write_many`: all of the files are written, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FilesWriteManyParams {
    /// The project.
    pub project_id: String,
    /// What to write.
    pub files: Vec<FileContent>,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A path and the text to put there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FileContent {
    /// The path; missing directories are created.
    pub path: String,
    /// The whole new text.
    pub content: String,
}

/// Result of `files.write_many`, in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FilesWriteManyResult {
    /// What was written.
    pub files: Vec<WrittenFile>,
}

/// Parameters of `files.list`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FilesListParams {
    /// The project.
    pub project_id: String,
    /// The directory; the project's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whether to go into directories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recursive: Option<bool>,
}

open_enum! {
    /// What stands at a path.
    pub enum FileKind {
        /// A file.
        File = "file",
        /// A directory.
        Directory = "directory",
    }
}

/// Something in a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FileEntry {
    /// The last part of its path.
    pub name: String,
    /// Its path.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
    /// The size of a file in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
}

/// Result of `files.list`. What git ignores is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FilesListResult {
    /// The directory, normalised; empty for the project's own.
    pub path: String,
    /// What is in it, by path.
    pub entries: Vec<FileEntry>,
    /// Whether there was more than the server's limit.
    #[serde(default)]
    pub truncated: bool,
}

/// Parameters of `files.tree`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FilesTreeParams {
    /// The project.
    pub project_id: String,
    /// The directory to begin at; the project's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// A file or directory with all that is below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FileNode {
    /// The last part of its path.
    pub name: String,
    /// Its path.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
    /// What is in a directory, directories first, then by name; empty for a file.
    #[serde(default)]
    pub children: Vec<FileNode>,
}

/// Result of `files.tree`. What git ignores is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FilesTreeResult {
    /// What is in the directory.
    pub nodes: Vec<FileNode>,
    /// Whether there was more than the server's limit.
    #[serde(default)]
    pub truncated: bool,
}

/// Parameters of `files.delete`: deletes one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FilesDeleteParams {
    /// The project.
    pub project_id: String,
    /// The path.
    pub path: String,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Result of `files.delete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FilesDeleteResult {
    /// The path, normalised.
    pub path: String,
    /// The entry in the undo history.
    pub change_id: String,
}

/// Result of `files.exists`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FilesExistsResult {
    /// The path, normalised.
    pub path: String,
    /// Whether there is something.
    pub exists: bool,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FileKind>,
}

/// Parameters of `files.search`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FilesSearchParams {
    /// The project.
    pub project_id: String,
    /// What to look for, within one line.
    pub pattern: String,
    /// Whether the pattern is a regular expression; plain text when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<bool>,
    /// Only files whose path matches, such as `src/*.rs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glob: Option<String>,
    /// Whether case counts; when absent it counts if the pattern has a capital letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_sensitive: Option<bool>,
    /// How many matches at most; the server caps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Result of `files.search`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FilesSearchResult {
    /// The lines that match, by path and line.
    pub matches: Vec<FileMatch>,
    /// Whether there were more than the limit.
    #[serde(default)]
    pub truncated: bool,
}

/// A line that matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FileMatch {
    /// The file.
    pub path: String,
    /// The line, counted from 1.
    pub line: u64,
    /// Its text, cut when very long.
    pub text: String,
}

/// Parameters of `directory.create`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct DirectoryCreateParams {
    /// The project.
    pub project_id: String,
    /// The path; missing parents are created too.
    pub path: String,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Result of `directory.create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct DirectoryCreateResult {
    /// The path, normalised.
    pub path: String,
}
