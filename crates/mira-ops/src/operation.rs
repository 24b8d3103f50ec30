//! An operation: one turn of a user and everything that it sets off.

use mira_llm::Usage;
use mira_store::{DelegationId, MessageId, OperationId, ProjectId, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::artifact::ArtifactSummary;
use crate::failure::Failure;

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Accepted and stored; waits for the turns before it.
    Pending,
    /// The reasoner works.
    Started,
    /// A call of the coder is being prepared: its brief and context.
    Delegating,
    /// The coder writes.
    Generating,
    Completed,
    Failed,
    Cancelled,
    /// The server stopped while it ran.
    Interrupted,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Started,
        Self::Delegating,
        Self::Generating,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::Interrupted,
    ];

    /// Whether nothing follows any more.
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Failed | Self::Cancelled | Self::Interrupted
        )
    }

    /// Whether an operation may go from this status to `next`: the one statement of an operation's life.
    ///
    /// `pending → started → (delegating ⇄ generating)* → completed | failed | cancelled | interrupted`
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Pending => {
                matches!(
                    next,
                    Self::Started | Self::Failed | Self::Cancelled | Self::Interrupted
                )
            }
            Self::Started => next.is_terminal() || matches!(next, Self::Delegating),
            // A delegation that fails before the coder writes goes straight back to the reasoner.
            Self::Delegating => next.is_terminal() || matches!(next, Self::Generating | Self::Started),
            Self::Generating => next.is_terminal() || matches!(next, Self::Delegating | Self::Started),
            Self::Completed | Self::Failed | Self::Cancelled | Self::Interrupted => false,
        }
    }

    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Started => "started",
            Self::Delegating => "delegating",
            Self::Generating => "generating",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What an operation turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A conversation.
    Chat,
    /// Code was delegated.
    CodeGeneration,
}

impl Kind {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::CodeGeneration => "code_generation",
        }
    }
}

/// Which model did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelRole {
    /// Converses, plans, decides.
    Reasoner,
    /// Writes code.
    Coder,
}

impl ModelRole {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reasoner => "reasoner",
            Self::Coder => "coder",
        }
    }
}

/// What one model cost an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelUsage {
    pub role: ModelRole,
    pub model: String,
    pub calls: u64,
    pub usage: Usage,
}

/// A limit that ended a turn before the model was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// It called tools as often as is allowed; the model was then made to answer with what it had.
    Iterations,
    /// It used the tokens that one turn may use; nothing more was asked of a model.
    Tokens,
}

/// An operation as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    pub id: OperationId,
    pub session: SessionId,
    /// The seq of the event that announced it.
    pub first_seq: i64,
    /// What the user said.
    pub message: MessageId,
    /// The answer, once there is one; also the part of an answer that a cancelled or failed turn left.
    pub answer: Option<MessageId>,
    pub project: Option<ProjectId>,
    pub kind: Kind,
    pub status: Status,
    pub failure: Option<Failure>,
    pub created: Timestamp,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
}

/// An operation with all that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationDetail {
    pub operation: Operation,
    /// The answer, or what has been said so far.
    pub text: String,
    pub usage: Vec<ModelUsage>,
    pub artifacts: Vec<ArtifactSummary>,
    pub delegations: Vec<Delegation>,
}

/// How a delegation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DelegationStatus {
    Running,
    Completed,
    Failed,
    Cancelled,
}

impl DelegationStatus {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One piece of work handed to the coder, with what it was told and what it cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Delegation {
    pub id: DelegationId,
    /// The reasoner's tool call that asked for it.
    pub call: String,
    pub tool: String,
    pub model: String,
    pub path: String,
    /// What was asked, as the coder read it.
    pub brief: String,
    /// What the coder was shown besides the brief.
    pub manifest: Vec<ContextPart>,
    pub status: DelegationStatus,
    pub failure: Option<Failure>,
    pub usage: Usage,
    pub created: Timestamp,
    pub finished: Option<Timestamp>,
}

/// One part of what a model was shown, as the receipt reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContextPart {
    /// `persona`, `known`, `project`, `summaries`, `recent_turns`, `recalled`, `outline`, `editor`, `request`, `file`.
    pub name: String,
    /// Which one: a path, a count.
    pub detail: Option<String>,
    /// Size in tokens as counted or estimated here.
    pub tokens: usize,
    /// The most tokens this part may take.
    pub cap: usize,
    /// Whether something was left out to stay under the cap.
    pub truncated: bool,
    /// Why it is there.
    pub reason: String,
    /// What it was made of, where that came out of memory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<ContextSource>,
}

/// Something remembered that went into a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContextSource {
    /// `memory`, `fact`, `pattern`, `profile` or `summary`.
    pub kind: String,
    pub id: Option<String>,
    /// How well it fits; comparable within one part.
    pub score: Option<f64>,
    /// Why it was chosen.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_of_an_operation_is_this_table() {
        use Status::*;
        let allowed = |from| -> Vec<Status> {
            Status::ALL
                .into_iter()
                .filter(|next| Status::may_become(from, *next))
                .collect()
        };
        assert_eq!(allowed(Pending), [Started, Failed, Cancelled, Interrupted]);
        assert_eq!(
            allowed(Started),
            [Delegating, Completed, Failed, Cancelled, Interrupted]
        );
        assert_eq!(
            allowed(Delegating),
            [Started, Generating, Completed, Failed, Cancelled, Interrupted]
        );
        assert_eq!(
            allowed(Generating),
            [Started, Delegating, Completed, Failed, Cancelled, Interrupted]
        );
        for terminal in [Completed, Failed, Cancelled, Interrupted] {
            assert!(terminal.is_terminal() && allowed(terminal).is_empty());
        }
    }
}
