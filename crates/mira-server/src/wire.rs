//! Types of the domain as types of the wire.

mod memory;

use std::time::Duration;

use mira_llm::Usage;
use mira_ops::artifact::{Artifact, ArtifactSummary};
use mira_ops::operation::{
    ContextPart, Delegation, DelegationStatus, Kind, Limit, ModelRole, ModelUsage, Operation,
    OperationDetail, Status,
};
use mira_ops::{LiveText, TextKind};
use mira_proto::native;

use crate::fault::of_failure;
pub(crate) use memory::{fact, hit, message, pattern, profile, rounded, source, stats, summary};

/// Sequence numbers start at 1 and are never negative.
pub(crate) fn seq(seq: i64) -> u64 {
    u64::try_from(seq).unwrap_or(0)
}

/// A seq of the wire as the journal counts; beyond its range it is simply unknown to the journal.
pub(crate) fn from_seq(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

pub(crate) fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn status(status: Status) -> native::OperationStatus {
    match status {
        Status::Pending => native::OperationStatus::Pending,
        Status::Started => native::OperationStatus::Started,
        Status::Delegating => native::OperationStatus::Delegating,
        Status::Generating => native::OperationStatus::Generating,
        Status::Completed => native::OperationStatus::Completed,
        Status::Failed => native::OperationStatus::Failed,
        Status::Cancelled => native::OperationStatus::Cancelled,
        Status::Interrupted => native::OperationStatus::Interrupted,
    }
}

pub(crate) fn kind(kind: Kind) -> native::OperationKind {
    match kind {
        Kind::Chat => native::OperationKind::Chat,
        Kind::CodeGeneration => native::OperationKind::CodeGeneration,
    }
}

pub(crate) fn role(role: ModelRole) -> native::ModelRole {
    match role {
        ModelRole::Reasoner => native::ModelRole::Reasoner,
        ModelRole::Coder => native::ModelRole::Coder,
    }
}

pub(crate) fn purpose(role: ModelRole) -> native::ContextPurpose {
    match role {
        ModelRole::Reasoner => native::ContextPurpose::Reasoner,
        ModelRole::Coder => native::ContextPurpose::Coder,
    }
}

pub(crate) fn limit(limit: Limit) -> native::LimitKind {
    match limit {
        Limit::Iterations => native::LimitKind::Iterations,
        Limit::Tokens => native::LimitKind::Tokens,
    }
}

pub(crate) fn tokens(usage: Usage) -> native::TokenUsage {
    native::TokenUsage {
        input_tokens: usage.input,
        cached_input_tokens: usage.cached_input,
        cache_write_tokens: usage.cache_write,
        output_tokens: usage.output,
        reasoning_tokens: usage.reasoning,
    }
}

pub(crate) fn usage(usage: &ModelUsage) -> native::ModelUsage {
    native::ModelUsage {
        role: role(usage.role),
        model: usage.model.clone(),
        calls: u32::try_from(usage.calls).unwrap_or(u32::MAX),
        tokens: tokens(usage.usage),
    }
}

pub(crate) fn part(part: &ContextPart) -> native::ContextPart {
    native::ContextPart {
        name: part.name.clone(),
        detail: part.detail.clone(),
        tokens: size(part.tokens),
        cap_tokens: size(part.cap),
        truncated: part.truncated,
        reason: part.reason.clone(),
        sources: part.sources.iter().map(source).collect(),
    }
}

pub(crate) fn artifact_summary(artifact: &ArtifactSummary) -> native::ArtifactSummary {
    native::ArtifactSummary {
        artifact_id: artifact.id.to_string(),
        operation_id: artifact.operation.to_string(),
        session_id: artifact.session.to_string(),
        project_id: artifact.project.map(|project| project.to_string()),
        path: artifact.path.clone(),
        language: artifact.language.clone(),
        content_hash: artifact.content_hash.clone(),
        is_new_file: artifact.is_new_file(),
        base_hash: artifact.base_hash.clone(),
        origin: match artifact.origin {
            ModelRole::Reasoner => native::ArtifactOrigin::Reasoner,
            ModelRole::Coder => native::ArtifactOrigin::Coder,
        },
        created_ms: artifact.created.ms(),
        applied_ms: artifact.applied.map(mira_store::Timestamp::ms),
        undone_ms: artifact.undone.map(mira_store::Timestamp::ms),
        size_bytes: artifact.size_bytes,
    }
}

pub(crate) fn artifact(artifact: Artifact) -> native::Artifact {
    native::Artifact {
        summary: artifact_summary(&artifact.summary),
        content: artifact.content,
        diff: artifact.diff,
    }
}

fn delegation(delegation: &Delegation) -> native::Delegation {
    let status = match delegation.status {
        DelegationStatus::Running => native::DelegationStatus::Running,
        DelegationStatus::Completed => native::DelegationStatus::Completed,
        DelegationStatus::Failed => native::DelegationStatus::Failed,
        DelegationStatus::Cancelled => native::DelegationStatus::Cancelled,
    };
    let latency = delegation
        .finished
        .map(|finished| finished.since(delegation.created));
    native::Delegation {
        delegation_id: delegation.id.to_string(),
        tool: delegation.tool.clone(),
        model: delegation.model.clone(),
        path: delegation.path.clone(),
        brief: delegation.brief.clone(),
        status,
        usage: tokens(delegation.usage),
        latency_ms: latency.map(milliseconds),
        error: delegation.failure.as_ref().map(of_failure),
    }
}

/// An operation as lists show it: without text, costs and artifacts.
pub(crate) fn operation(operation: &Operation, last_seq: i64) -> native::Operation {
    native::Operation {
        operation_id: operation.id.to_string(),
        session_id: operation.session.to_string(),
        message_id: operation.message.to_string(),
        project_id: operation.project.map(|project| project.to_string()),
        kind: kind(operation.kind),
        status: status(operation.status),
        created_ms: operation.created.ms(),
        started_ms: operation.started.map(mira_store::Timestamp::ms),
        finished_ms: operation.finished.map(mira_store::Timestamp::ms),
        last_seq: seq(last_seq),
        usage: vec![],
        error: operation.failure.as_ref().map(of_failure),
        text: None,
        artifacts: vec![],
        delegations: vec![],
    }
}

/// An operation with everything.
pub(crate) fn detail(detail: &OperationDetail, last_seq: i64) -> native::Operation {
    native::Operation {
        usage: detail.usage.iter().map(usage).collect(),
        text: Some(detail.text.clone()).filter(|text| !text.is_empty()),
        artifacts: detail.artifacts.iter().map(artifact_summary).collect(),
        delegations: detail.delegations.iter().map(delegation).collect(),
        ..operation(&detail.operation, last_seq)
    }
}

pub(crate) fn in_flight(text: LiveText) -> native::InFlightItem {
    native::InFlightItem {
        operation_id: text.operation.to_string(),
        item_id: text.item.to_string(),
        kind: match text.kind {
            TextKind::Answer => native::ItemKind::Text,
            TextKind::Reasoning => native::ItemKind::Reasoning,
        },
        text: text.text,
    }
}
