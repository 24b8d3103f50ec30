//! What happens in a session, as it is journaled and told to every client.

use mira_store::{ArtifactId, DelegationId, ItemId, MessageId, OperationId, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::operation::{ContextPart, Kind, Limit, ModelRole, ModelUsage, Status};

/// One thing that happened to an operation.
///
/// Offsets and lengths of texts count Unicode scalar values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The turn was accepted and its message is on disk. Always the first event of an operation.
    Started {
        message: MessageId,
        kind: Kind,
    },
    /// It moved on. The end is told by an event of its own, not by this one.
    StatusChanged {
        from: Status,
        to: Status,
    },
    /// What a model was shown before it was called.
    Context {
        purpose: ModelRole,
        model: String,
        parts: Vec<ContextPart>,
    },
    /// More of what the reasoner thought.
    Reasoning {
        item: ItemId,
        offset: u64,
        delta: String,
    },
    /// More of what the reasoner said.
    Streaming {
        item: ItemId,
        offset: u64,
        delta: String,
    },
    ToolStarted {
        call: String,
        tool: String,
        summary: String,
    },
    ToolFinished {
        call: String,
        tool: String,
        ok: bool,
        summary: String,
        duration_ms: u64,
    },
    /// The coder is about to be called.
    Delegated {
        delegation: DelegationId,
        call: String,
        tool: String,
        model: String,
        path: String,
        brief: String,
    },
    /// The beginning of an artifact that is stored.
    ArtifactPreview {
        artifact: ArtifactId,
        path: String,
        language: Option<String>,
        preview: String,
    },
    /// An artifact is ready.
    ArtifactCompleted {
        artifact: ArtifactId,
    },
    /// An artifact was written to its project. May follow the end of the operation.
    ArtifactApplied {
        artifact: ArtifactId,
        path: String,
    },
    /// An applied artifact was taken back. May follow the end of the operation.
    ArtifactUndone {
        artifact: ArtifactId,
        path: String,
    },
    /// A model call failed in a way that a retry may mend; it is tried again after the delay.
    Retrying {
        model: String,
        attempt: u32,
        delay_ms: u64,
        error: Failure,
    },
    Completed {
        answer: Option<MessageId>,
        usage: Vec<ModelUsage>,
        limit: Option<Limit>,
    },
    Failed {
        error: Failure,
    },
    Cancelled,
    /// The server stopped while it ran.
    Interrupted {
        reason: String,
    },
    /// In the place of an event whose content was erased.
    Erased,
}

impl Event {
    /// Whether this is the end of its operation.
    pub const fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Completed { .. } | Self::Failed { .. } | Self::Cancelled | Self::Interrupted { .. }
        )
    }
}

/// An event with its place in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    pub session: SessionId,
    pub operation: OperationId,
    /// The number of the event in its session: from 1, without a gap.
    pub seq: i64,
    pub time: Timestamp,
    pub event: Event,
}
