//! Operations: what a turn became.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use super::{ArtifactSummary, EventNotification, ModelRole};
use crate::error::ErrorBody;
use crate::open_enum::open_enum;

open_enum! {
    /// What an operation does.
    pub enum OperationKind {
        /// Answers in words.
        Chat = "chat",
        /// Writes code too.
        CodeGeneration = "code_generation",
    }
}

open_enum! {
    /// Where an operation stands.
    pub enum OperationStatus {
        /// Accepted, waiting for its turn.
        Pending = "pending",
        /// Running; the reasoner works.
        Started = "started",
        /// The reasoner hands work to the code model.
        Delegating = "delegating",
        /// The code model works.
        Generating = "generating",
        /// Ended well.
        Completed = "completed",
        /// Ended with an error.
        Failed = "failed",
        /// Ended by the user.
        Cancelled = "cancelled",
        /// Ended by a stop of the server.
        Interrupted = "interrupted",
    }
}

impl OperationStatus {
    /// Whether no further event of the operation's run will come.
    pub fn is_terminal(&self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Cancelled | Self::Interrupted => true,
            Self::Pending | Self::Started | Self::Delegating | Self::Generating | Self::Other(_) => false,
        }
    }
}

/// An operation: one turn of the user and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct Operation {
    /// The operation.
    pub operation_id: String,
    /// The session that it belongs to.
    pub session_id: String,
    /// The user's message that it answers.
    pub message_id: String,
    /// The project that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// What it does.
    pub kind: OperationKind,
    /// Where it stands.
    pub status: OperationStatus,
    /// When it was accepted.
    pub created_ms: i64,
    /// When it began to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_ms: Option<i64>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_ms: Option<i64>,
    /// The number of its newest event.
    pub last_seq: u64,
    /// Tokens by role and model.
    #[serde(default)]
    pub usage: Vec<ModelUsage>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
    /// The answer, or as much of it as there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The files that it proposes.
    #[serde(default)]
    pub artifacts: Vec<ArtifactSummary>,
    /// What it handed to the code model.
    #[serde(default)]
    pub delegations: Vec<Delegation>,
}

/// Tokens that one model used in one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ModelUsage {
    /// What the model was used for.
    pub role: ModelRole,
    /// Its name at its provider.
    pub model: String,
    /// How many calls.
    pub calls: u32,
    /// The tokens of all of them.
    #[serde(flatten)]
    pub tokens: TokenUsage,
}

/// Tokens by class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
#[serde(default)]
pub struct TokenUsage {
    /// All that went in, cached ones included.
    pub input_tokens: u64,
    /// Those of the input that the provider had in its cache.
    pub cached_input_tokens: u64,
    /// Those of the input that the provider charged for writing to its cache.
    pub cache_write_tokens: u64,
    /// All that came out, reasoning included.
    pub output_tokens: u64,
    /// Those of the output that were reasoning.
    pub reasoning_tokens: u64,
}

open_enum! {
    /// Where a delegation stands.
    pub enum DelegationStatus {
        /// The code model works.
        Running = "running",
        /// It delivered.
        Completed = "completed",
        /// It did not deliver.
        Failed = "failed",
        /// Ended by the user.
        Cancelled = "cancelled",
        /// Ended by a stop of the server.
        Interrupted = "interrupted",
    }
}

/// A piece of work that the reasoner handed to the code model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct Delegation {
    /// The delegation.
    pub delegation_id: String,
    /// The tool that the reasoner called, such as `generate_code`.
    pub tool: String,
    /// The model that did the work.
    pub model: String,
    /// The file that was asked for, relative to the project.
    pub path: String,
    /// What the reasoner asked for, in its words.
    pub brief: String,
    /// Where it stands.
    pub status: DelegationStatus,
    /// What it cost.
    #[serde(flatten)]
    pub usage: TokenUsage,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

/// Parameters that name an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct OperationRef {
    /// The operation.
    pub operation_id: String,
}

/// A result that is an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct OperationResult {
    /// The operation as it is now.
    pub operation: Operation,
}

/// Parameters of `operation.list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct OperationListParams {
    /// The session.
    pub session_id: String,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many at most; the server caps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Result of `operation.list`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct OperationListResult {
    /// One page.
    pub operations: Vec<Operation>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Parameters of `operation.events`: reads the journal without subscribing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct OperationEventsParams {
    /// The session.
    pub session_id: String,
    /// Only events with a greater number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// How many at most; the server caps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Result of `operation.events`, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct OperationEventsResult {
    /// One page.
    pub events: Vec<EventNotification>,
    /// `after` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_after: Option<u64>,
}
