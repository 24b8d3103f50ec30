//! Showing what happens in operations.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use mira_client::Texts;
use mira_proto::error::ErrorBody;
use mira_proto::native::{
    Event, EventNotification, InFlightItem, ItemKind, LimitKind, ModelUsage, OperationStatus,
};

use crate::artifacts::{self, Shelf};
use crate::clean::clean_line;
use crate::screen::{Screen, Tone};
use crate::spinner::shortened;
use crate::usage;

/// Characters of a delegation's brief, or of a tool's summary, that are shown.
const SUMMARY_LENGTH: usize = 100;

/// The conversation as it is shown.
#[derive(Debug)]
pub(crate) struct Transcript {
    show_reasoning: bool,
    texts: Texts,
    /// The item that was shown last.
    item: Option<String>,
    started_ms: HashMap<String, i64>,
    pub(crate) shelf: Shelf,
}

impl Transcript {
    pub(crate) fn new(show_reasoning: bool) -> Self {
        Self {
            show_reasoning,
            texts: Texts::default(),
            item: None,
            started_ms: HashMap::new(),
            shelf: Shelf::default(),
        }
    }

    /// Takes note of an event without showing it.
    pub(crate) fn note(&mut self, notification: &EventNotification) {
        match &notification.event {
            Event::Started { operation_id, .. } => {
                self.started_ms.insert(operation_id.clone(), notification.time_ms);
            }
            Event::ArtifactCompleted { artifact, .. } => {
                self.shelf.put(artifact.summary.clone());
            }
            Event::ArtifactApplied { artifact_id, .. } => {
                self.shelf.note_applied(artifact_id, notification.time_ms);
            }
            Event::ArtifactUndone { artifact_id, .. } => {
                self.shelf.note_undone(artifact_id, notification.time_ms);
            }
            event if event.is_terminal() => {
                event
                    .operation_id()
                    .map(|operation| self.started_ms.remove(operation));
            }
            _ => {}
        }
    }

    /// Shows an event.
    pub(crate) fn show(&mut self, notification: &EventNotification, screen: &mut Screen) -> io::Result<()> {
        let time_ms = notification.time_ms;
        let elapsed = notification
            .event
            .operation_id()
            .and_then(|operation| self.started_ms.get(operation))
            .and_then(|started| u64::try_from(time_ms - started).ok())
            .map(Duration::from_millis);
        self.note(notification);
        match &notification.event {
            Event::Started { .. } => screen.activity("thinking"),
            Event::StatusChanged { to, .. } => {
                if let Some(label) = label(to) {
                    screen.activity(label);
                }
            }
            Event::Reasoning {
                item_id,
                offset,
                delta,
                ..
            } => self.part((&ItemKind::Reasoning, item_id), *offset, delta, screen)?,
            Event::Streaming {
                item_id,
                offset,
                delta,
                ..
            } => self.part((&ItemKind::Text, item_id), *offset, delta, screen)?,
            Event::ToolStarted { tool, summary, .. } => {
                screen.activity(&format!("{tool}: {}", shortened(summary, SUMMARY_LENGTH)));
            }
            Event::ToolFinished {
                tool,
                ok,
                summary,
                duration_ms,
                ..
            } => {
                let (mark, tone) = if *ok {
                    ("✓", Tone::Dim)
                } else {
                    ("✗", Tone::Yellow)
                };
                let summary = shortened(&clean_line(summary), SUMMARY_LENGTH);
                let seconds = Duration::from_millis(*duration_ms).as_secs_f64();
                screen.note(
                    tone,
                    &format!("{mark} {}: {summary} ({seconds:.1} s)", clean_line(tool)),
                )?;
                screen.activity("thinking");
            }
            Event::Delegated {
                model, path, brief, ..
            } => {
                let (model, path) = (clean_line(model), clean_line(path));
                let brief = shortened(&clean_line(brief), SUMMARY_LENGTH);
                screen.note(Tone::Cyan, &format!("→ {model} writes {path}: {brief}"))?;
                screen.activity(&format!("{model} is writing {path}"));
            }
            Event::ArtifactCompleted { artifact, .. } => {
                let number = self.shelf.put(artifact.summary.clone());
                artifacts::show(artifact, number, screen)?;
                screen.activity("thinking");
            }
            Event::Retrying {
                model,
                attempt,
                delay_ms,
                error,
                ..
            } => {
                let seconds = Duration::from_millis(*delay_ms).as_secs_f64();
                let model = clean_line(model);
                let message = clean_line(&error.message);
                screen.note(
                    Tone::Yellow,
                    &format!("{model}: {message}; trying again in {seconds:.1} s"),
                )?;
                screen.activity(&format!("waiting for {model}, attempt {attempt}"));
            }
            Event::Completed { usage, limit, .. } => {
                self.completed((usage, elapsed), limit.as_ref(), screen)?;
            }
            Event::Failed { error, .. } => self.failed(error, screen)?,
            Event::Cancelled { .. } => self.end("cancelled", screen)?,
            Event::Interrupted { reason, .. } => self.end(&format!("interrupted: {reason}"), screen)?,
            Event::ArtifactPreview { path, .. } => {
                screen.activity(&format!("{} takes shape", clean_line(path)));
            }
            // Applying and undoing are answered where they are asked for; contexts are for those who debug them.
            Event::Context { .. }
            | Event::ArtifactApplied { .. }
            | Event::ArtifactUndone { .. }
            | Event::Erased { .. }
            | Event::Unknown => {}
        }
        Ok(())
    }

    /// Shows a text that began before we came.
    pub(crate) fn in_flight(&mut self, item: &InFlightItem, screen: &mut Screen) -> io::Result<()> {
        self.part((&item.kind, &item.item_id), 0, &item.text, screen)
    }

    fn part(
        &mut self,
        (kind, item_id): (&ItemKind, &str),
        offset: u64,
        delta: &str,
        screen: &mut Screen,
    ) -> io::Result<()> {
        let new = if let Ok(new) = self.texts.apply(item_id, offset, delta) {
            new
        } else {
            screen.note(Tone::Yellow, "(a part of this text did not arrive)")?;
            delta
        };
        let tone = match kind {
            ItemKind::Reasoning if self.show_reasoning && screen.is_terminal() => Tone::Dim,
            ItemKind::Reasoning => {
                screen.activity("thinking");
                return Ok(());
            }
            ItemKind::Text | ItemKind::Other(_) => Tone::Plain,
        };
        if new.is_empty() {
            return Ok(());
        }
        if self.item.as_deref() != Some(item_id) {
            screen.end_text()?;
            if self.item.is_some() {
                screen.text(Tone::Plain, "\n")?;
            }
            self.item = Some(item_id.to_owned());
        }
        screen.text(tone, new)
    }

    fn completed(
        &mut self,
        (usage, elapsed): (&[ModelUsage], Option<Duration>),
        limit: Option<&LimitKind>,
        screen: &mut Screen,
    ) -> io::Result<()> {
        if let Some(limit) = limit {
            screen.end_text()?;
            screen.note(
                Tone::Yellow,
                &format!("stopped early: the limit on {limit} was reached"),
            )?;
        }
        self.end(&usage::line(usage, elapsed), screen)
    }

    fn failed(&mut self, error: &ErrorBody, screen: &mut Screen) -> io::Result<()> {
        self.end("", screen)?;
        screen.error(&error.message, error.hint.as_deref())
    }

    fn end(&mut self, note: &str, screen: &mut Screen) -> io::Result<()> {
        self.texts.clear();
        self.item = None;
        screen.idle()?;
        if note.is_empty() {
            Ok(())
        } else {
            screen.note(Tone::Dim, note)
        }
    }
}

/// What is shown of a status; none where another event says more.
fn label(status: &OperationStatus) -> Option<&'static str> {
    match status {
        OperationStatus::Pending => Some("waiting"),
        OperationStatus::Started => Some("thinking"),
        OperationStatus::Delegating => Some("handing over to the code model"),
        OperationStatus::Generating
        | OperationStatus::Completed
        | OperationStatus::Failed
        | OperationStatus::Cancelled
        | OperationStatus::Interrupted
        | OperationStatus::Other(_) => None,
    }
}
