//! `document_command`: what answers it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

/// What answers a command about documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DocumentData {
    /// First to `documents.upload`.
    DocumentProcessingStarted {
        /// The file.
        file_name: String,
        /// How far it has come, 0 to 1.
        progress: f64,
        /// `starting`.
        status: String,
    },
    /// Then, as often as there is something to say; never after the final answer.
    DocumentProcessingProgress {
        /// The file.
        file_name: String,
        /// How far it has come, 0 to 1.
        progress: f64,
        /// `processing`.
        status: String,
    },
    /// The final answer to `documents.upload`.
    DocumentProcessed {
        /// The document.
        document: ProcessedDocument,
    },
    /// To `documents.search`.
    DocumentSearchResults {
        /// What was looked for.
        query: String,
        /// How many were found.
        total: u64,
        /// Best first.
        results: Vec<DocumentHit>,
    },
    /// To `documents.list`.
    DocumentList {
        /// The project.
        project_id: String,
        /// Newest first.
        documents: Vec<Document>,
    },
    /// To `documents.download`.
    DocumentContent {
        /// The document.
        document_id: String,
        /// The file.
        file_name: String,
        /// Its media type.
        file_type: String,
        /// Its bytes, in Base64.
        content: String,
        /// How many they are.
        size_bytes: u64,
    },
    /// To `documents.delete`.
    DocumentDeleted {
        /// The document.
        document_id: String,
        /// `success`.
        status: String,
    },
}

/// A document that has just been read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ProcessedDocument {
    /// The document.
    pub id: String,
    /// The file.
    pub file_name: String,
    /// Its media type.
    pub file_type: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// How many words it has.
    pub word_count: u64,
    /// Into how many passages it was cut.
    pub chunk_count: u64,
    /// What it says about itself.
    pub metadata: DocumentMetadata,
}

/// What a document says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct DocumentMetadata {
    /// Its title.
    pub title: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// When it was written.
    pub creation_date: Option<String>,
    /// How many pages it has.
    pub page_count: Option<u32>,
    /// Its language, as a two-letter code.
    pub language: Option<String>,
}

/// A document in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct Document {
    /// The document.
    pub id: String,
    /// The file.
    pub file_name: String,
    /// Its media type.
    pub file_type: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// How many words it has.
    pub word_count: u64,
    /// Into how many passages it was cut.
    pub chunk_count: u64,
    /// When it was uploaded, RFC 3339.
    pub created_at: String,
    /// The project.
    pub project_id: String,
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct DocumentHit {
    /// The document.
    pub document_id: String,
    /// The passage.
    pub chunk_id: String,
    /// Its place in the document, counted from 0.
    pub chunk_index: u64,
    /// The file.
    pub file_name: String,
    /// Its text.
    pub content: String,
    /// How well it fits, 0 to 1.
    pub score: f64,
    /// The page that it is on.
    pub page_number: Option<u32>,
}
