//! Starting a connection, and the sessions it listens to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use super::Empty;
use crate::open_enum::open_enum;

/// Parameters of `initialize`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct InitializeParams {
    /// The version that the client speaks; 1 is the only one.
    pub protocol_version: u32,
    /// Who is calling; for logs.
    pub client: Implementation,
    /// The server's token, where one is set and the upgrade request could not carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// What the client can do beyond the basics; nothing is defined yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Empty>,
}

/// The name and version of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct Implementation {
    /// Its name.
    pub name: String,
    /// Its version, in whatever form it uses.
    pub version: String,
}

/// Result of `initialize`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct InitializeResult {
    /// The version that both sides speak from here on.
    pub protocol_version: u32,
    /// Who answers.
    pub server: Implementation,
    /// What this server can do.
    pub capabilities: ServerCapabilities,
    /// A `heartbeat` notification comes this often; after three silent intervals the connection is dead.
    pub heartbeat_seconds: u32,
    /// How much it takes.
    pub limits: Limits,
    /// Which models are bound to which role, and what is missing.
    pub models: Vec<ModelBinding>,
}

/// What a server can do. A member that is present is supported; its object may gain details later.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ServerCapabilities {
    /// `session.resume` and `operation.events`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Empty>,
    /// Code generation by a second model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<Empty>,
    /// `artifact.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifacts: Option<Empty>,
    /// `project.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projects: Option<Empty>,
    /// `files.*` and `directory.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Empty>,
    /// `memory.*`, `facts.*`, `profile.*` and `patterns.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Empty>,
}

/// How much a server takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct Limits {
    /// The largest frame it reads, in bytes.
    pub max_frame_bytes: u64,
    /// How many turns of one session may wait.
    pub max_queued_turns: u32,
    /// How many events may wait for a slow reader before its connection is closed.
    pub max_buffered_events: u32,
}

open_enum! {
    /// What a model is used for.
    pub enum ModelRole {
        /// Talks, plans and decides.
        Reasoner = "reasoner",
        /// Writes code when the reasoner delegates.
        Coder = "coder",
        /// Small background work.
        Utility = "utility",
        /// Turns text into vectors.
        Embedder = "embedder",
    }
}

/// Which model serves a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ModelBinding {
    /// The role.
    pub role: ModelRole,
    /// The model's name at its provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Whether it can be called.
    pub configured: bool,
    /// What to set if it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Parameters of `session.open`: an existing session by id, one by name that is created when missing, or a new one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct SessionOpenParams {
    /// Opens this session; `not_found` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Without an id: opens the session of that name, creating it when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whose session it is, when it is made; the server's own user when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// Result of `session.open`. Events after `last_seq` follow as they happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct SessionOpenResult {
    /// The session.
    pub session_id: String,
    /// Its name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether this call created it.
    pub created: bool,
    /// The number of its newest event; 0 when it has none.
    pub last_seq: u64,
    /// Operations that have not ended, oldest first.
    pub running: Vec<String>,
    /// Texts that are being streamed, as far as they had come at `last_seq`.
    pub in_flight: Vec<InFlightItem>,
}

open_enum! {
    /// What a streamed item is.
    pub enum ItemKind {
        /// The answer.
        Text = "text",
        /// The model's summary of its reasoning.
        Reasoning = "reasoning",
    }
}

/// A text that is being streamed, so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct InFlightItem {
    /// The operation that streams it.
    pub operation_id: String,
    /// The item; its coming deltas carry the same id.
    pub item_id: String,
    /// What it is.
    pub kind: ItemKind,
    /// All of it so far; the next delta's `offset` is its length in Unicode scalar values.
    pub text: String,
}

/// Parameters of `session.resume`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct SessionResumeParams {
    /// The session.
    pub session_id: String,
    /// The number of the last event that the client has; 0 for all. `cursor_unknown` if there is no such event.
    pub after: u64,
}

/// Result of `session.resume`. The events in `(after, watermark]` follow, then `session.synced`, then live events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct SessionResumeResult {
    /// The number of the newest event when the request was taken.
    pub watermark: u64,
    /// Operations that have not ended, oldest first.
    pub running: Vec<String>,
    /// Texts that are being streamed, as far as they had come at `watermark`; they replace what the client has of them.
    #[serde(default)]
    pub in_flight: Vec<InFlightItem>,
}

/// Parameters of `session.list`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct SessionListParams {
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many at most; the server caps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Result of `session.list`, most recently used first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct SessionListResult {
    /// One page.
    pub sessions: Vec<SessionSummary>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct SessionSummary {
    /// The session.
    pub session_id: String,
    /// Its name, if it was opened by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was created.
    pub created_ms: i64,
    /// When it last had a message or an event.
    pub updated_ms: i64,
    /// How many messages it holds.
    pub message_count: u64,
    /// The number of its newest event.
    pub last_seq: u64,
    /// A few words of what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// Parameters that name a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct SessionRef {
    /// The session.
    pub session_id: String,
}
