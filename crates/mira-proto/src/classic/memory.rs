//! `memory_command`: what was said, and what answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
#[cfg(feature = "ts")]
use ts_rs::TS;

use super::Artifact;
use super::command::commands;
use crate::native::Role;
use crate::rpc::Id;

commands! {
    /// A command about memory.
    pub enum MemoryCommand {
        /// Gets the latest messages. Answer: `memory_data`.
        GetRecent(MemoryGetRecent) = "memory.get_recent",
        /// Stores a message. Answer: the new entry's id.
        Save(MemorySave) = "memory.save",
    }
}

/// Parameters of `memory.get_recent`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct MemoryGetRecent {
    /// The session; the server's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// How many at most; 20 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// Parameters of `memory.save`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct MemorySave {
    /// The session; the server's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What to remember.
    pub content: String,
    /// Who says it; the user when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The project that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
}

/// A message of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryEntry {
    /// The message.
    pub id: Id,
    /// The session that it belongs to.
    pub session_id: String,
    /// Who said it: only the user's and the assistant's belong in a history.
    pub role: Role,
    /// What was said; clients skip an entry without text.
    pub content: String,
    /// When, RFC 3339.
    pub timestamp: String,
    /// How much it matters, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salience: Option<f64>,
    /// Its mood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mood: Option<String>,
    /// What the speaker wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// What it is about.
    #[serde(default)]
    pub topics: Vec<String>,
    /// The language of the code in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programming_lang: Option<String>,
    /// Whether there is code in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains_code: Option<bool>,
    /// The files that came with it.
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
}

/// What answers a command about memory: some answers have a `type`, most have none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
#[serde(untagged)]
pub enum MemoryData {
    /// An answer with a `type`.
    Tagged(MemoryList),
    /// To `memory.save`.
    Saved {
        /// Always true.
        success: bool,
        /// The session.
        session_id: String,
        /// The new message.
        entry_id: Id,
        /// For people.
        message: String,
    },
    /// To `memory.get_context`.
    Context {
        /// What a model would be given.
        context: MemoryContext,
        /// The session.
        session_id: String,
        /// How much that is.
        stats: MemoryContextStats,
    },
    /// To `memory.trigger_snapshot_summary`.
    SnapshotSummary {
        /// Always true.
        success: bool,
        /// The session.
        session_id: String,
        /// The summary.
        summary: String,
    },
    /// To `memory.trigger_rolling_summary`.
    RollingSummary {
        /// Always true.
        success: bool,
        /// The session.
        session_id: String,
        /// The summary.
        message: String,
    },
    /// To `memory.import`.
    Imported {
        /// How many were stored.
        imported: u64,
        /// Their ids.
        imported_ids: Vec<Id>,
        /// What is wrong with the others.
        errors: Vec<String>,
        /// The session.
        session_id: String,
    },
    /// To `memory.check_qdrant`.
    VectorStore {
        /// Where the vector server is; `null` when the vectors are in the process.
        qdrant_url: Option<String>,
        /// Whether a vector server is configured.
        qdrant_configured: bool,
        /// Whether texts can be embedded.
        openai_embedding_key_configured: bool,
        /// The kinds of vectors that are kept.
        embedding_heads: Vec<String>,
        /// What the collections' names begin with.
        collection_name: String,
        /// What came of embedding a text.
        embedding_test: EmbeddingTest,
    },
    /// To `memory.get_stats`.
    Stats {
        /// Numbers by name.
        stats: Value,
    },
}

/// Lists of what is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
#[serde(tag = "type")]
pub enum MemoryList {
    /// To `memory.get_recent`. Nothing else may have a member `memories`: clients take it for the history.
    #[serde(rename = "memory_data")]
    Recent {
        /// Newest first.
        memories: Vec<MemoryEntry>,
        /// How many there are.
        count: u64,
        /// The session.
        session_id: String,
    },
    /// To `memory.search`.
    #[serde(rename = "memory_search_results")]
    Found {
        /// Best first.
        results: Vec<MemoryHit>,
        /// How many there are.
        count: u64,
        /// The session.
        session_id: String,
    },
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct MemoryHit {
    /// The message.
    pub id: Id,
    /// What was said.
    pub content: String,
    /// How well it fits; comparable within one answer.
    pub score: f64,
}

/// What a model would be given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct MemoryContext {
    /// The latest messages.
    pub recent: Vec<MemoryEntry>,
    /// Messages that fit the user's text.
    pub semantic: Vec<MemoryEntry>,
}

/// How much a model would be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct MemoryContextStats {
    /// How many latest messages.
    pub recent_count: u64,
    /// How many that fit.
    pub semantic_count: u64,
}

/// What came of embedding a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct EmbeddingTest {
    /// Whether it worked.
    pub success: bool,
    /// The length of the vector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<u64>,
    /// Why it did not work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
