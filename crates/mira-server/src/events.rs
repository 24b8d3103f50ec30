//! Events of the journal as events of the wire.

use mira_ops::{Event, Recorded};
use mira_proto::native::{self, EventNotification};

use crate::api::Mira;
use crate::fault::{Fault, of_failure};
use crate::wire;

/// An event as the native profile tells it. An artifact that has been completed comes whole, as it is now.
pub(crate) async fn notification(mira: &Mira, recorded: &Recorded) -> Result<EventNotification, Fault> {
    Ok(EventNotification {
        session_id: recorded.session.to_string(),
        seq: wire::seq(recorded.seq),
        time_ms: recorded.time.ms(),
        event: event(mira, recorded).await?,
    })
}

async fn event(mira: &Mira, recorded: &Recorded) -> Result<native::Event, Fault> {
    use native::Event as Wire;
    let operation_id = recorded.operation.to_string();
    Ok(match &recorded.event {
        Event::Started { message, kind } => Wire::Started {
            operation_id,
            message_id: message.to_string(),
            kind: wire::kind(*kind),
        },
        Event::StatusChanged { from, to } => Wire::StatusChanged {
            operation_id,
            from: wire::status(*from),
            to: wire::status(*to),
        },
        Event::Context {
            purpose,
            model,
            parts,
        } => Wire::Context {
            operation_id,
            purpose: wire::purpose(*purpose),
            model: model.clone(),
            total_tokens: wire::size(parts.iter().map(|part| part.tokens).sum()),
            parts: parts.iter().map(wire::part).collect(),
        },
        Event::Reasoning { item, offset, delta } => Wire::Reasoning {
            operation_id,
            item_id: item.to_string(),
            offset: *offset,
            delta: delta.clone(),
        },
        Event::Streaming { item, offset, delta } => Wire::Streaming {
            operation_id,
            item_id: item.to_string(),
            offset: *offset,
            delta: delta.clone(),
        },
        Event::ToolStarted { call, tool, summary } => Wire::ToolStarted {
            operation_id,
            call_id: call.clone(),
            tool: tool.clone(),
            summary: summary.clone(),
        },
        Event::ToolFinished {
            call,
            tool,
            ok,
            summary,
            duration_ms,
        } => Wire::ToolFinished {
            operation_id,
            call_id: call.clone(),
            tool: tool.clone(),
            ok: *ok,
            summary: summary.clone(),
            duration_ms: *duration_ms,
        },
        Event::Delegated {
            delegation,
            call,
            tool,
            model,
            path,
            brief,
        } => Wire::Delegated {
            operation_id,
            delegation_id: delegation.to_string(),
            call_id: call.clone(),
            tool: tool.clone(),
            model: model.clone(),
            path: path.clone(),
            brief: brief.clone(),
        },
        Event::ArtifactPreview {
            artifact,
            path,
            language,
            preview,
        } => Wire::ArtifactPreview {
            operation_id,
            artifact_id: artifact.to_string(),
            path: path.clone(),
            language: language.clone(),
            preview: preview.clone(),
        },
        Event::ArtifactCompleted { artifact } => {
            let artifact = wire::artifact(mira.operations.artifact(*artifact).await?);
            Wire::ArtifactCompleted {
                operation_id,
                artifact: Box::new(artifact),
            }
        }
        Event::ArtifactApplied { artifact, path } => Wire::ArtifactApplied {
            operation_id,
            artifact_id: artifact.to_string(),
            path: path.clone(),
        },
        Event::ArtifactUndone { artifact, path } => Wire::ArtifactUndone {
            operation_id,
            artifact_id: artifact.to_string(),
            path: path.clone(),
        },
        Event::Retrying {
            model,
            attempt,
            delay_ms,
            error,
        } => Wire::Retrying {
            operation_id,
            model: model.clone(),
            attempt: *attempt,
            delay_ms: *delay_ms,
            error: of_failure(error),
        },
        Event::Completed { answer, usage, limit } => Wire::Completed {
            operation_id,
            message_id: answer.map(|answer| answer.to_string()),
            usage: usage.iter().map(wire::usage).collect(),
            limit: limit.map(wire::limit),
        },
        Event::Failed { error } => Wire::Failed {
            operation_id,
            error: of_failure(error),
        },
        Event::Cancelled => Wire::Cancelled { operation_id },
        Event::Interrupted { reason } => Wire::Interrupted {
            operation_id,
            reason: reason.clone(),
        },
        Event::Erased => Wire::Erased { operation_id },
    })
}
