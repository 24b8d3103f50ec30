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
        /// Finds messages of the session. Answer: `memory_search_results`.
        Search(MemorySearch) = "memory.search",
        /// Gets what memory has for a turn. Answer: `context`.
        GetContext(MemoryGetContext) = "memory.get_context",
        /// Counts what the session holds. Answer: `stats`.
        GetStats(MemorySession) = "memory.get_stats" | "memory.stats",
        /// Summarises what no rolling summary covers yet. Answer: the summary as `message`.
        TriggerRollingSummary(MemoryRollingSummary) = "memory.trigger_rolling_summary",
        /// Summarises the latest messages. Answer: `summary`.
        TriggerSnapshotSummary(MemorySession) = "memory.trigger_snapshot_summary",
        /// Stores messages from elsewhere. Answer: their ids.
        Import(MemoryImport) = "memory.import",
        /// Gets messages in a form that can be imported. Answer: `memories`.
        Export(MemoryExport) = "memory.export",
        /// Tells where vectors are kept and whether texts can be embedded.
        CheckQdrant(MemorySession) = "memory.check_qdrant",
        /// Keeps a message above others, and from fading.
        Pin(MemoryRef) = "memory.pin",
        /// Takes that back.
        Unpin(MemoryRef) = "memory.unpin",
        /// Deletes a message.
        Delete(MemoryRef) = "memory.delete",
        /// Says how much a message matters.
        UpdateSalience(MemorySalience) = "memory.update_salience",
    }
}

/// Parameters that name a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct MemorySession {
    /// The session; the server's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Parameters of `memory.get_recent`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct MemoryGetRecent {
    /// The session; the server's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// How many at most; 20 when absent. Also called `limit`.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "limit")]
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

/// Parameters of `memory.search`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct MemorySearch {
    /// The session; the server's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What to look for.
    pub query: String,
    /// How many at most; 10 when absent. Also called `limit`.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "limit")]
    pub max_results: Option<u32>,
}

/// Parameters of `memory.get_context`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct MemoryGetContext {
    /// The session; the server's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// How many latest messages; 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recent_count: Option<u32>,
    /// How many others that fit; 5 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub semantic_count: Option<u32>,
    /// What the user is about to say; without it nothing is searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_text: Option<String>,
}

/// Parameters of `memory.trigger_rolling_summary`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct MemoryRollingSummary {
    /// The session; the server's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// 10 for a short one, 100 for a long one; 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_size: Option<u32>,
}

/// Parameters of `memory.import`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct MemoryImport {
    /// The session; the server's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What to store.
    pub memories: Vec<MemoryToImport>,
}

/// A message from elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryToImport {
    /// What was said.
    pub content: String,
    /// Who said it.
    pub role: Role,
    /// How much it matters, 0 to 1, or up to 10 as earlier versions counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salience: Option<f64>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// What kind of memory it is, kept as a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_type: Option<String>,
}

/// Parameters of `memory.export`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields = nullable))]
pub struct MemoryExport {
    /// The session; the server's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// How many at most, the latest; 1,000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "limit")]
    pub count: Option<u32>,
}

/// Parameters that name a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct MemoryRef {
    /// The message, as `id` of an entry. Also called `memory_id`, `entry_id` or `message_id`.
    #[serde(alias = "memory_id", alias = "entry_id", alias = "message_id")]
    pub id: Id,
}

/// Parameters of `memory.update_salience`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct MemorySalience {
    /// The message, as `id` of an entry. Also called `memory_id`, `entry_id` or `message_id`.
    #[serde(alias = "memory_id", alias = "entry_id", alias = "message_id")]
    pub id: Id,
    /// How much it matters, 0 to 1.
    pub salience: f64,
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
    /// Labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
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
    /// To `memory.export`.
    Exported {
        /// Newest first.
        memories: Vec<MemoryEntry>,
        /// How many there are.
        count: u64,
        /// The session.
        session_id: String,
        /// Always `json`.
        format: String,
    },
    /// To `memory.pin`, `memory.unpin`, `memory.delete` and `memory.update_salience`.
    Curated {
        /// Always true.
        success: bool,
        /// What was done.
        method: String,
        /// The message.
        entry_id: Id,
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
    /// To `memory.get_recent`. Clients take any `memories` for the history, so nothing but `memory.export` has them too.
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
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryHit {
    /// The message.
    pub id: Id,
    /// What was said.
    pub content: String,
    /// How well it fits; comparable within one answer.
    pub score: f64,
    /// Who said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// When, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
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
