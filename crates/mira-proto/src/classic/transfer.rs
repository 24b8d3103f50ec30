//! `file_transfer`: uploads in pieces, and downloads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
#[cfg(feature = "ts")]
use ts_rs::TS;

/// `file_transfer`: one step of a transfer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FileTransfer {
    /// Which step.
    pub operation: String,
    /// What the step needs.
    #[serde(default)]
    pub data: Value,
}

/// What answers a step of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TransferData {
    /// To `upload_start`.
    UploadStarted {
        /// The upload.
        session_id: String,
        /// The file.
        filename: String,
        /// The project.
        project_id: Option<String>,
    },
    /// To `upload_chunk`.
    ChunkReceived {
        /// The upload.
        session_id: String,
        /// The piece.
        chunk_index: u64,
        /// How much has come, in per cent.
        progress: u32,
        /// Whether that was the last piece.
        is_final: bool,
    },
    /// To `upload_complete`.
    UploadComplete {
        /// The file.
        filename: String,
        /// Its size in bytes.
        size: u64,
        /// Where it is.
        path: String,
    },
    /// To `download_request`.
    DownloadReady {
        /// The bytes, in Base64.
        content: String,
        /// How many they are.
        size: u64,
    },
}
