//! The three parts of the demonstration, told from the client's side of the socket.

use anyhow::{Context as _, bail, ensure};
use mira_client::{Client, Options, Texts};
use mira_proto::native::{
    Artifact, ArtifactApply, ArtifactApplyParams, ArtifactUndo, ArtifactUndoParams, ChatSend, ChatSendParams,
    Event, EventNotification, ModelUsage, Notification, OperationGet, OperationRef, Project, SessionResume,
    SessionResumeParams,
};

use super::Scratch;
use super::screen::Screen;
use super::script::{Plan, QUESTION};

/// How much of the answer is heard before the connection is broken, in events.
const HEARD_BEFORE_THE_BREAK: u64 = 14;

/// Asks for a change and shows what comes of it, to the end of the turn.
pub(super) async fn change(
    screen: &mut Screen,
    client: &mut Client,
    session: &str,
    project: &Project,
    plan: &Plan,
) -> anyhow::Result<Artifact> {
    let request = plan.request();
    screen.user(&request)?;
    send(client, session, Some(project), &request).await?;
    let mut delivered = None;
    loop {
        match next_event(client).await?.event {
            Event::Reasoning { delta, .. } => screen.reasoning(&delta)?,
            Event::Streaming { delta, .. } => screen.answer(&delta)?,
            Event::ToolFinished { tool, summary, .. } => screen.step(&tool, &summary)?,
            Event::Delegated { model, tool, .. } => {
                screen.step("delegated", &format!("{tool} to {model}"))?;
            }
            Event::ArtifactCompleted { artifact, .. } => {
                screen.artifact(&artifact)?;
                delivered = Some(*artifact);
            }
            Event::Completed { usage, .. } => {
                screen.note(&spent(&usage))?;
                break;
            }
            event => stop_on_failure(&event)?,
        }
    }
    delivered.context("the turn ended without an artifact")
}

/// Applies an artifact to a copy of its file, then takes it back.
pub(super) async fn apply_and_undo(
    screen: &mut Screen,
    client: &Client,
    artifact: &Artifact,
    copy: &Project,
    scratch: &Scratch,
) -> anyhow::Result<()> {
    let apply = ArtifactApplyParams {
        artifact_id: artifact.summary.artifact_id.clone(),
        project_id: Some(copy.project_id.clone()),
        ..ArtifactApplyParams::default()
    };
    let applied = client.call::<ArtifactApply>(apply).await?;
    ensure!(
        scratch.now().as_deref() == Some(artifact.content.as_bytes()),
        "the file is not the artifact"
    );
    screen.step(
        "applied",
        &format!("{}, byte for byte the artifact", applied.path),
    )?;

    let undo = ArtifactUndoParams {
        artifact_id: artifact.summary.artifact_id.clone(),
        ..ArtifactUndoParams::default()
    };
    let undone = client.call::<ArtifactUndo>(undo).await?;
    ensure!(scratch.now() == scratch.before, "the file is not what it was");
    screen.step("undone", &format!("{}, byte for byte what it was", undone.path))
}

/// Breaks the connection in the middle of an answer, comes back, and compares.
pub(super) async fn break_and_resume(
    screen: &mut Screen,
    url: &str,
    mut client: Client,
    session: &str,
) -> anyhow::Result<()> {
    screen.user(QUESTION)?;
    let accepted = send(&client, session, None, QUESTION).await?;
    let mut heard = Heard {
        last_seq: accepted.seq.saturating_sub(1),
        ..Heard::default()
    };
    while heard.streamed < HEARD_BEFORE_THE_BREAK {
        let event = next_event(&mut client).await?;
        // What happened before this turn was told before.
        if event.seq >= accepted.seq {
            heard.take(screen, &event)?;
        }
    }
    drop(client);
    screen.step(
        "broken",
        &format!("the socket is gone after event {}", heard.last_seq),
    )?;

    let mut client = Client::connect(Options::new(url)).await?;
    let resume = SessionResumeParams {
        session_id: session.to_owned(),
        after: heard.last_seq,
    };
    let resumed = client.call::<SessionResume>(resume).await?;
    screen.step(
        "resumed",
        &format!(
            "after event {}, up to {} at once, then live",
            heard.last_seq, resumed.watermark
        ),
    )?;
    while !heard.ended {
        let event = next_event(&mut client).await?;
        heard.take(screen, &event)?;
    }

    let operation = OperationRef {
        operation_id: accepted.operation_id,
    };
    let stored = client
        .call::<OperationGet>(operation)
        .await?
        .operation
        .text
        .unwrap_or_default();
    ensure!(
        heard.text() == stored,
        "the text that was heard is not the answer that is stored"
    );
    screen.step(
        "compared",
        &format!(
            "{} events, numbered without a gap; {} characters, the same as on disk",
            heard.events,
            stored.chars().count()
        ),
    )?;
    client.close().await;
    Ok(())
}

/// What a client has heard of one turn.
#[derive(Debug, Default)]
struct Heard {
    last_seq: u64,
    events: u64,
    streamed: u64,
    texts: Texts,
    items: Vec<String>,
    ended: bool,
}

impl Heard {
    fn take(&mut self, screen: &mut Screen, notification: &EventNotification) -> anyhow::Result<()> {
        ensure!(
            notification.seq == self.last_seq + 1,
            "event {} came after event {}",
            notification.seq,
            self.last_seq
        );
        self.last_seq = notification.seq;
        self.events += 1;
        match &notification.event {
            Event::Streaming {
                item_id,
                offset,
                delta,
                ..
            } => {
                self.streamed += 1;
                if self.items.last() != Some(item_id) {
                    self.items.push(item_id.clone());
                }
                let new = self.texts.apply(item_id, *offset, delta)?;
                ensure!(new == delta, "a part of the text came twice");
                screen.answer(new)?;
            }
            Event::Completed { .. } => self.ended = true,
            event => stop_on_failure(event)?,
        }
        Ok(())
    }

    fn text(&self) -> String {
        let parts: Vec<&str> = self
            .items
            .iter()
            .filter_map(|item| self.texts.get(item))
            .collect();
        parts.join("\n\n")
    }
}

async fn send(
    client: &Client,
    session: &str,
    project: Option<&Project>,
    content: &str,
) -> anyhow::Result<mira_proto::native::ChatSendResult> {
    let turn = ChatSendParams {
        session_id: session.to_owned(),
        content: content.to_owned(),
        project_id: project.map(|project| project.project_id.clone()),
        ..ChatSendParams::default()
    };
    Ok(client.call::<ChatSend>(turn).await?)
}

async fn next_event(client: &mut Client) -> anyhow::Result<EventNotification> {
    loop {
        match client.next_notification().await? {
            Notification::Event(event) => return Ok(event),
            Notification::SessionSynced(_) | Notification::Heartbeat(_) => {}
            Notification::SessionClosed(closed) => {
                bail!("the server let go of the session: {:?}", closed.reason)
            }
        }
    }
}

fn stop_on_failure(event: &Event) -> anyhow::Result<()> {
    match event {
        Event::Failed { error, .. } => bail!("the turn failed: {}", error.message),
        Event::Cancelled { .. } => bail!("the turn was cancelled"),
        Event::Interrupted { reason, .. } => bail!("the turn was interrupted: {reason}"),
        _ => Ok(()),
    }
}

fn spent(usage: &[ModelUsage]) -> String {
    let models = usage.iter().map(|spent| {
        format!(
            "{} {}: {} calls, {} tokens in ({} cached), {} out",
            spent.role.as_str(),
            spent.model,
            spent.calls,
            spent.tokens.input_tokens,
            spent.tokens.cached_input_tokens,
            spent.tokens.output_tokens
        )
    });
    models.collect::<Vec<_>>().join("; ")
}
