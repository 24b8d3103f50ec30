//! Events as short lines, and what must hold for every journal.

use mira_ops::event::Event;
use mira_ops::operation::Status;
use mira_ops::{Recorded, failure::Failure};
use mira_store::{ItemId, OperationId};

/// One line per event; the deltas of one text are one line, however they were cut.
pub(crate) fn story(events: &[Event]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut speaking = None;
    for event in events {
        let (item, delta, verb) = match event {
            Event::Streaming { item, delta, .. } => (*item, delta, "says"),
            Event::Reasoning { item, delta, .. } => (*item, delta, "thinks"),
            other => {
                speaking = None;
                lines.push(line(other));
                continue;
            }
        };
        match lines.last_mut() {
            Some(last) if speaking == Some(item) => last.push_str(delta),
            _ => lines.push(format!("{verb} {delta}")),
        }
        speaking = Some(item);
    }
    lines
}

fn line(event: &Event) -> String {
    match event {
        Event::Started { .. } => "started".to_owned(),
        Event::StatusChanged { from, to } => format!("{} to {}", from.as_str(), to.as_str()),
        Event::Context { purpose, parts, .. } => {
            let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
            format!("shows the {} {}", purpose.as_str(), names.join(", "))
        }
        Event::Reasoning { delta, .. } | Event::Streaming { delta, .. } => delta.clone(),
        Event::ToolStarted { tool, summary, .. } => format!("calls {tool} ({summary})"),
        Event::ToolFinished {
            tool,
            ok: true,
            summary,
            ..
        } => format!("{tool} gives {summary}"),
        Event::ToolFinished { tool, summary, .. } => format!("{tool} fails: {summary}"),
        Event::Delegated {
            tool, model, path, ..
        } => format!("delegates {tool} {path} to {model}"),
        Event::ArtifactPreview { path, preview, .. } => format!("previews {path}: {preview}"),
        Event::ArtifactCompleted { .. } => "artifact".to_owned(),
        Event::ArtifactApplied { path, .. } => format!("applied {path}"),
        Event::ArtifactUndone { path, .. } => format!("undone {path}"),
        Event::Retrying {
            model,
            attempt,
            error,
            ..
        } => {
            format!("tries {model} again, attempt {attempt}: {}", failure(error))
        }
        Event::Completed { limit: None, .. } => "completed".to_owned(),
        Event::Completed {
            limit: Some(limit), ..
        } => format!("completed at the limit of {limit:?}"),
        Event::Failed { error } => format!("failed: {}", failure(error)),
        Event::Cancelled => "cancelled".to_owned(),
        Event::Interrupted { .. } => "interrupted".to_owned(),
        Event::Erased => "erased".to_owned(),
    }
}

fn failure(failure: &Failure) -> String {
    let retryable = if failure.retryable { ", retryable" } else { "" };
    format!("{:?}{retryable}", failure.code)
}

/// The answer that the events of an operation stream: its texts in order, each put together by its offsets.
pub(crate) fn answer(events: &[Event]) -> String {
    let mut texts: Vec<(ItemId, String)> = Vec::new();
    for event in events {
        if let Event::Streaming { item, offset, delta } = event {
            extend(&mut texts, *item, *offset, delta);
        }
    }
    let texts: Vec<String> = texts.into_iter().map(|(_, text)| text).collect();
    texts.join("\n\n")
}

/// Adds a delta to the text it belongs to, which must be as long as the offset says.
pub(crate) fn extend(texts: &mut Vec<(ItemId, String)>, item: ItemId, offset: u64, delta: &str) {
    if texts.iter().all(|(known, _)| *known != item) {
        texts.push((item, String::new()));
    }
    let (_, text) = texts.iter_mut().find(|(known, _)| *known == item).unwrap();
    assert_eq!(
        offset,
        text.chars().count() as u64,
        "{delta:?} goes on where the text ends"
    );
    text.push_str(delta);
}

/// Numbers without gap; each operation begins once, moves as its life allows, ends once; one turn runs at a time.
pub(crate) fn check_journal(events: &[Recorded]) {
    let numbers: Vec<i64> = events.iter().map(|recorded| recorded.seq).collect();
    let expected: Vec<i64> = (1..).take(events.len()).collect();
    assert_eq!(numbers, expected, "the journal is numbered from 1 without a gap");

    let mut lives: Vec<(OperationId, Status)> = Vec::new();
    for Recorded { operation, event, .. } in events {
        if let Event::Started { .. } = event {
            assert!(
                lives.iter().all(|(known, _)| known != operation),
                "{operation} started twice"
            );
            lives.push((*operation, Status::Pending));
            continue;
        }
        let life = lives.iter_mut().find(|(known, _)| known == operation);
        let (_, status) = life.expect("the first event of an operation is its start");
        match event {
            Event::StatusChanged { from, to } => {
                assert_eq!(from, status, "a change of status begins where the last one ended");
                assert!(from.may_become(*to), "{from:?} may become {to:?}");
                *status = *to;
            }
            Event::ArtifactApplied { .. } | Event::ArtifactUndone { .. } => {}
            end if end.is_terminal() => {
                assert!(!status.is_terminal(), "{operation} ends once");
                *status = Status::Completed;
            }
            other => {
                let running = !status.is_terminal() && *status != Status::Pending;
                assert!(running, "{other:?} of an operation that does not run");
            }
        }
        let running = lives
            .iter()
            .filter(|(_, status)| !status.is_terminal() && *status != Status::Pending);
        assert!(running.count() <= 1, "a session runs one turn at a time");
    }
    for (operation, status) in lives {
        assert!(status.is_terminal(), "{operation} has an end");
    }
}
