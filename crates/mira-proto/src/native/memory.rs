//! What was said: messages, and what may be done with them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use super::ArtifactSummary;
use crate::open_enum::open_enum;

open_enum! {
    /// Who said something.
    pub enum Role {
        /// The user.
        User = "user",
        /// Mira.
        Assistant = "assistant",
    }
}

/// A stored message. From `salience` on, the members are what its analysis found, which comes a moment after the message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct Message {
    /// The message.
    pub message_id: String,
    /// The session that it belongs to.
    pub session_id: String,
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub content: String,
    /// When.
    pub time_ms: i64,
    /// The project that it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The operation that it began or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// The files that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifacts: Option<Vec<ArtifactSummary>>,
    /// The name of whoever spoke, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// Labels of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Whether it is kept above others and never fades; absent when not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// How much it matters now, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salience: Option<f64>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topics: Option<Vec<String>>,
    /// The mood of whoever spoke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mood: Option<String>,
    /// What whoever spoke wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// It in a sentence, where it is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Whether there is code in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains_code: Option<bool>,
    /// The language of that code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programming_lang: Option<String>,
}

/// Parameters of `memory.get_recent`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryGetRecentParams {
    /// The session.
    pub session_id: String,
    /// How many at most; the server caps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Result of `memory.get_recent`, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryGetRecentResult {
    /// One page.
    pub messages: Vec<Message>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Parameters of `memory.save`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemorySaveParams {
    /// The session.
    pub session_id: String,
    /// What to remember.
    pub content: String,
    /// Who says it; the user when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The project that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A message as it is stored now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct MessageResult {
    /// The message.
    pub message: Message,
}

/// Parameters that name a message to change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MessageChangeParams {
    /// The message.
    pub message_id: String,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Parameters of `memory.update_salience`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryUpdateSalienceParams {
    /// The message.
    pub message_id: String,
    /// How much it matters, 0 to 1.
    pub salience: f64,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Result of `memory.delete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct MemoryDeleteResult {
    /// The message that is gone.
    pub message_id: String,
}
