//! A turn as the frontend shows it: live text, one bubble, artifacts with buttons, and input that is unlocked in the end.
//!
//! The frontend has one text buffer and reacts to sequences of frames rather than to single ones. A conversation is shown
//! as `thinking`, `stream`…, `thinking`, `chat_complete`; once code is delegated as `operation.started`,
//! `operation.streaming`…, `artifact_completed`…, `thinking`, `chat_complete`, `operation.completed`. The second `thinking`
//! empties the buffer, so that the text does not become a bubble twice. A failure is an error followed by the frame that
//! unlocks the input.

use std::collections::{HashMap, HashSet};

use mira_ops::operation::{Kind, Status};
use mira_ops::{Event, Opened, Recorded, TextKind};
use mira_proto::classic::{ChatComplete, ErrorFrame, Family, OperationData, OperationEvent, ServerFrame};
use mira_proto::error::{ErrorBody, ErrorCode};
use mira_store::{ItemId, OperationId};

use super::show;
use crate::api::Mira;
use crate::fault::{Fault, of_failure};

/// The turns of one session, as one client has seen them.
#[derive(Debug, Default)]
pub(super) struct Turns {
    running: HashMap<OperationId, Shown>,
    /// Turns whose answer the client has as history.
    answered: HashSet<OperationId>,
}

/// What a client has seen of a running turn.
#[derive(Debug, Default)]
struct Shown {
    /// Whether code was delegated, which changes the frames.
    delegating: bool,
    /// The item that is being streamed, and everything that was.
    item: Option<ItemId>,
    text: String,
}

impl Turns {
    /// Joins a session that may be in the middle of a turn.
    pub(super) async fn joining(mira: &Mira, opened: &Opened, answered: HashSet<OperationId>) -> Self {
        let mut running = HashMap::new();
        for operation in &opened.running {
            // A turn that waits is not shown before it starts.
            let Ok(found) = mira.operations.operation(*operation).await else {
                continue;
            };
            if matches!(found.status, Status::Pending) {
                continue;
            }
            let mut shown = Shown {
                delegating: matches!(found.kind, Kind::CodeGeneration),
                ..Shown::default()
            };
            for text in &opened.texts {
                if text.operation == *operation && text.kind == TextKind::Answer {
                    shown.say(text.item, &text.text);
                }
            }
            running.insert(*operation, shown);
        }
        Self { running, answered }
    }

    /// The frames that bring a client up to the turn that it joined.
    pub(super) fn begin(&self) -> Vec<ServerFrame> {
        let mut frames = Vec::new();
        for (operation, shown) in &self.running {
            if shown.delegating {
                frames.push(told(*operation, 0, OperationEvent::Started));
            } else {
                frames.push(ServerFrame::thinking());
            }
            frames.extend(shown.delta(*operation, 0, shown.text.clone()));
        }
        frames
    }

    /// The frames that show an event.
    pub(super) async fn show(&mut self, mira: &Mira, recorded: &Recorded) -> Result<Vec<ServerFrame>, Fault> {
        let (operation, time) = (recorded.operation, recorded.time.seconds());
        let tell = |event| told(operation, time, event);
        Ok(match &recorded.event {
            Event::StatusChanged {
                from: Status::Pending,
                ..
            } => {
                self.running.insert(operation, Shown::default());
                vec![ServerFrame::thinking()]
            }
            Event::StatusChanged { from, to } => {
                let shown = self.running.entry(operation).or_default();
                let mut frames = Vec::new();
                if !shown.delegating && matches!(to, Status::Delegating) {
                    shown.delegating = true;
                    frames.push(tell(OperationEvent::Started));
                    frames.extend(shown.delta(operation, time, shown.text.clone()));
                }
                frames.push(tell(OperationEvent::StatusChanged {
                    old_status: from.as_str().to_owned(),
                    new_status: to.as_str().to_owned(),
                    status: Some(to.as_str().to_owned()),
                }));
                frames
            }
            Event::Streaming { item, delta, .. } => {
                let shown = self.running.entry(operation).or_default();
                let said = shown.say(*item, delta);
                shown.delta(operation, time, said).into_iter().collect()
            }
            Event::ToolFinished {
                tool, ok, summary, ..
            } => vec![tell(OperationEvent::ToolExecuted {
                tool_name: tool.clone(),
                tool_type: "function".to_owned(),
                summary: summary.clone(),
                success: *ok,
            })],
            Event::Delegated { model, tool, .. } => vec![tell(OperationEvent::Delegated {
                delegated_to: model.clone(),
                reason: format!("Tool call: {tool}"),
            })],
            Event::ArtifactPreview {
                artifact,
                path,
                preview,
                ..
            } => {
                vec![tell(OperationEvent::ArtifactPreview {
                    artifact_id: artifact.to_string(),
                    path: path.clone(),
                    preview: preview.clone(),
                })]
            }
            Event::ArtifactCompleted { artifact } => {
                let artifact = show::artifact(mira.operations.artifact(*artifact).await?);
                vec![tell(OperationEvent::ArtifactCompleted { artifact })]
            }
            Event::Retrying {
                model,
                delay_ms,
                error,
                ..
            } => {
                let seconds = delay_ms.div_ceil(1000);
                let message = format!("{model} has trouble, trying again in {seconds} s");
                vec![ServerFrame::status(message, Some(error.message.clone()))]
            }
            Event::Completed { .. } => {
                let shown = self.running.remove(&operation).unwrap_or_default();
                self.completed(mira, recorded, &shown).await?
            }
            Event::Failed { error } => self.ended(recorded, &of_failure(error)),
            Event::Interrupted { reason } => {
                let body = ErrorBody::new(ErrorCode::Interrupted, reason.clone())
                    .with_hint("send the message again to go on");
                self.ended(recorded, &body)
            }
            Event::Cancelled => {
                self.running.remove(&operation);
                vec![tell(OperationEvent::Cancelled), ServerFrame::terminator()]
            }
            // Told when it starts to run; the frontend has nothing for the others.
            Event::Started { .. }
            | Event::Context { .. }
            | Event::Reasoning { .. }
            | Event::ToolStarted { .. }
            | Event::ArtifactApplied { .. }
            | Event::ArtifactUndone { .. }
            | Event::Erased => vec![],
        })
    }

    async fn completed(
        &self,
        mira: &Mira,
        recorded: &Recorded,
        shown: &Shown,
    ) -> Result<Vec<ServerFrame>, Fault> {
        let operation = recorded.operation;
        let mut frames = Vec::new();
        let detail = mira.operations.detail(operation).await?;
        if self.answered.contains(&operation) {
            // The history has the bubble; only the input has to be unlocked.
            frames.extend([ServerFrame::thinking(), ServerFrame::terminator()]);
        } else {
            let mut artifacts = Vec::with_capacity(detail.artifacts.len());
            for artifact in detail.artifacts.iter().rev() {
                artifacts.push(show::artifact(mira.operations.artifact(artifact.id).await?));
            }
            let content = if detail.text.is_empty() {
                let paths: Vec<&str> = artifacts.iter().map(|artifact| artifact.path.as_str()).collect();
                format!("Ready for review: {}", paths.join(", "))
            } else {
                detail.text.clone()
            };
            frames.extend([
                ServerFrame::thinking(),
                ServerFrame::ChatComplete(ChatComplete {
                    user_message_id: detail.operation.message.to_string(),
                    assistant_message_id: detail
                        .operation
                        .answer
                        .map(|answer| answer.to_string())
                        .unwrap_or_default(),
                    content,
                    artifacts,
                    thinking: None,
                }),
            ]);
        }
        if shown.delegating {
            let completed = OperationEvent::Completed {
                result: Some(detail.text),
                artifacts: vec![],
            };
            frames.push(told(operation, recorded.time.seconds(), completed));
        }
        Ok(frames)
    }

    fn ended(&mut self, recorded: &Recorded, body: &ErrorBody) -> Vec<ServerFrame> {
        let shown = self.running.remove(&recorded.operation).unwrap_or_default();
        let mut frames = Vec::new();
        if shown.delegating {
            let failed = OperationEvent::Failed {
                error: body.message.clone(),
            };
            frames.push(told(recorded.operation, recorded.time.seconds(), failed));
        }
        frames.push(ServerFrame::Error(ErrorFrame::new(Family::Chat, body)));
        frames.push(ServerFrame::terminator());
        frames
    }
}

impl Shown {
    /// Adds to the text, an empty line between items, and says what that added.
    fn say(&mut self, item: ItemId, delta: &str) -> String {
        let begins = self.item.replace(item) != Some(item);
        let gap = if begins && !self.text.is_empty() {
            "\n\n"
        } else {
            ""
        };
        let said = format!("{gap}{delta}");
        self.text.push_str(&said);
        said
    }

    /// The frame for more text; none for none.
    fn delta(&self, operation: OperationId, time: i64, text: String) -> Option<ServerFrame> {
        if text.is_empty() {
            return None;
        }
        Some(if self.delegating {
            told(
                operation,
                time,
                OperationEvent::Streaming {
                    delta: Some(text.clone()),
                    content: text,
                },
            )
        } else {
            ServerFrame::Stream { delta: text }
        })
    }
}

fn told(operation: OperationId, timestamp: i64, event: OperationEvent) -> ServerFrame {
    ServerFrame::data(OperationData {
        operation_id: operation.to_string(),
        timestamp,
        event,
    })
}
