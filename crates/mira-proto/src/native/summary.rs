//! Summaries of a session.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use crate::open_enum::open_enum;

open_enum! {
    /// What a summary covers.
    pub enum SummaryKind {
        /// The next few messages, ten unless the server is set otherwise.
        Rolling10 = "rolling_10",
        /// Ten times as many.
        Rolling100 = "rolling_100",
        /// The last fifty messages, made on request.
        Snapshot = "snapshot",
    }
}

/// A summary of messages of one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct Summary {
    /// The summary.
    pub summary_id: String,
    /// The session.
    pub session_id: String,
    /// What it covers.
    pub kind: SummaryKind,
    /// What it says.
    pub text: String,
    /// How many messages it covers.
    pub message_count: u32,
    /// Who wrote it: the name of a model, or `extractive`.
    pub author: String,
    /// When.
    pub created_ms: i64,
}

/// Parameters of `memory.trigger_rolling_summary`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryTriggerRollingSummaryParams {
    /// The session.
    pub session_id: String,
    /// 10 for a short one, 100 for a long one; 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_size: Option<u32>,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Parameters of `memory.trigger_snapshot_summary`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryTriggerSnapshotSummaryParams {
    /// The session.
    pub session_id: String,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A summary that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct SummaryResult {
    /// The summary.
    pub summary: Summary,
}

/// Parameters of `memory.summaries`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemorySummariesParams {
    /// The session.
    pub session_id: String,
    /// How many at most; the server caps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Result of `memory.summaries`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct MemorySummariesResult {
    /// The last made first.
    pub summaries: Vec<Summary>,
}
