//! Memory as a whole: counting it, moving it, erasing it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use super::Role;

/// Parameters of `memory.get_stats`: at most one of these; without any, everything is counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryGetStatsParams {
    /// This session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What belongs to this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// What belongs to this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// Result of `memory.get_stats`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryGetStatsResult {
    /// Sessions; of a project, those in which it was spoken of.
    pub sessions: u64,
    /// Messages.
    pub messages: u64,
    /// Messages by role.
    pub messages_by_role: BTreeMap<String, u64>,
    /// Messages that were analysed.
    pub analysed: u64,
    /// Messages that are pinned.
    pub pinned: u64,
    /// When the first was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_ms: Option<i64>,
    /// When the last was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_ms: Option<i64>,
    /// Vectors of messages, summaries and facts, by head.
    pub vectors: BTreeMap<String, u64>,
    /// Summaries by kind.
    pub summaries: BTreeMap<String, u64>,
    /// Facts that hold now.
    pub current_facts: u64,
    /// Facts that held, will hold, or turned out never to have been true.
    pub other_facts: u64,
    /// Habits.
    pub patterns: u64,
    /// What waits to be analysed, whatever was asked for.
    pub waiting_for_analysis: u64,
    /// What waits for its vectors, whatever was asked for.
    pub waiting_for_embedding: u64,
    /// The size of the database, whatever was asked for.
    pub database_bytes: u64,
}

/// Parameters of `memory.import`: `memories`, `lines`, or both.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryImportParams {
    /// Where messages go that name no session; needed for `memories`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Messages to store as they are, in this order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memories: Option<Vec<ImportedMemory>>,
    /// Lines of an export. Things keep their ids; those that are there already are skipped and never changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<String>>,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A message from elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ImportedMemory {
    /// What was said.
    pub content: String,
    /// Who said it.
    pub role: Role,
    /// When; now when absent. With it, a message that is there already is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<i64>,
    /// The name of whoever spoke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// How much it matters, 0 to 1; found out when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salience: Option<f64>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// What kind of memory it is, kept as a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_type: Option<String>,
}

/// Result of `memory.import`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct MemoryImportResult {
    /// How many sessions are new.
    pub sessions: u64,
    /// How many messages are new.
    pub messages: u64,
    /// How many summaries are new.
    pub summaries: u64,
    /// How many facts are new.
    pub facts: u64,
    /// How many profiles are new.
    pub profiles: u64,
    /// How many patterns are new.
    pub patterns: u64,
    /// How many were there already.
    pub skipped: u64,
    /// How many could not be taken.
    pub refused: u64,
    /// Why, for the first thousand of them.
    pub errors: Vec<ImportError>,
}

/// Something that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ImportError {
    /// Which one, counted from 1: first `memories`, then `lines`.
    pub line: u64,
    /// Why, for people.
    pub message: String,
}

/// Parameters of `memory.export`: at most one of session, project and user; without any, everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryExportParams {
    /// This session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What belongs to this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// What belongs to this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many lines at most; the server caps it, and a page ends early when its lines are long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Result of `memory.export`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryExportResult {
    /// Lines of JSON, for `memory.import` of this server or another one. The first page begins with a line that names the format.
    pub lines: Vec<String>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Parameters of `memory.erase`: exactly one of session, project and user. While a turn runs in it, it is a `conflict`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryEraseParams {
    /// This session with all that belongs to it, and the facts that it told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The messages and facts that belong to this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The sessions of this user with all that belongs to them, and what is known of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Result of `memory.erase`: how much is gone, from the disk too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct MemoryEraseResult {
    /// Sessions.
    pub sessions: u64,
    /// Messages.
    pub messages: u64,
    /// Summaries.
    pub summaries: u64,
    /// Facts, in all their states.
    pub facts: u64,
    /// Habits.
    pub patterns: u64,
    /// Profiles.
    pub profiles: u64,
    /// Operations, with their events, artifacts and delegations.
    pub operations: u64,
    /// Copies of files that were kept to undo changes. The files themselves stay as they are.
    pub undo_copies: u64,
}
