//! Plays the steps of a rule.

use std::future::{Future, pending};
use std::num::NonZeroUsize;

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

use super::body::Cut;
use super::dialect::{Dialect, Item};
use super::script::Rule;
use super::shared::Shared;
use super::step::{Action, ErrorEvent, Fault, HttpFault, Step};

/// Deltas without a delay between them are sent together in chunks of about so many bytes.
pub(super) const BATCH: usize = 16 * 1024;

/// How the steps ended.
#[derive(Debug)]
pub(super) enum Ending {
    Complete,
    Incomplete(String),
    Http(HttpFault),
    Error(ErrorEvent),
    Failed(ErrorEvent),
    Cut,
    NoTerminalEvent,
    ClientGone,
}

#[derive(Debug)]
pub(super) struct ClientGone;

/// Where the frames of a reply go.
#[derive(Debug)]
pub(super) struct Out {
    pub(super) buffer: BytesMut,
    /// `None` when the reply is not streamed.
    client: Option<mpsc::Sender<Result<Bytes, Cut>>>,
    /// Bytes per chunk since [`Fault::SplitBytes`].
    split: Option<NonZeroUsize>,
}

pub(super) async fn play(rule: &Rule, dialect: &mut dyn Dialect, out: &mut Out, shared: &Shared) -> Ending {
    match play_steps(&rule.steps, dialect, out, shared).await {
        Ok(ending) => ending,
        Err(ClientGone) => Ending::ClientGone,
    }
}

async fn play_steps(
    steps: &[Step],
    dialect: &mut dyn Dialect,
    out: &mut Out,
    shared: &Shared,
) -> Result<Ending, ClientGone> {
    for step in steps {
        let (item, content) = match &step.action {
            Action::Reasoning(text) => (Item::Reasoning, text),
            Action::Text(text) => (Item::Text, text),
            Action::Refusal(text) => (Item::Refusal, text),
            Action::ToolCall { name, arguments } => (Item::ToolCall { name }, arguments),
            Action::Hold(name) => {
                out.delay(step).await?;
                out.flush().await?;
                let released = shared.arrive(name);
                out.wait(released.cancelled()).await?;
                continue;
            }
            Action::Pause => {
                out.delay(step).await?;
                continue;
            }
            Action::Fault(fault) => {
                out.delay(step).await?;
                match commit(fault, dialect, out).await? {
                    Some(ending) => return Ok(ending),
                    None => continue,
                }
            }
        };
        dialect.open(item, &mut out.buffer);
        for delta in deltas(content, step.chunk) {
            out.delay(step).await?;
            dialect.delta(delta, &mut out.buffer);
            if out.buffer.len() >= BATCH {
                out.flush().await?;
            }
        }
    }
    Ok(Ending::Complete)
}

/// Returns how the reply ends, when the fault ends it.
async fn commit(
    fault: &Fault,
    dialect: &mut dyn Dialect,
    out: &mut Out,
) -> Result<Option<Ending>, ClientGone> {
    match fault {
        Fault::Http(fault) => return Ok(Some(Ending::Http(fault.clone()))),
        Fault::ErrorEvent(error) => return Ok(Some(Ending::Error(error.clone()))),
        Fault::Failed(error) => return Ok(Some(Ending::Failed(error.clone()))),
        Fault::Cut => return Ok(Some(Ending::Cut)),
        Fault::NoTerminalEvent => return Ok(Some(Ending::NoTerminalEvent)),
        Fault::Incomplete(reason) => return Ok(Some(Ending::Incomplete(reason.clone()))),
        Fault::Stall => {
            out.flush().await?;
            out.wait(pending()).await?;
        }
        Fault::Garbage(bytes) => out.buffer.extend_from_slice(bytes),
        Fault::UnknownEvent(name) => dialect.unknown_event(name, &mut out.buffer),
        Fault::Comment(text) => out.buffer.extend_from_slice(format!(": {text}\n\n").as_bytes()),
        Fault::SplitBytes(size) => {
            out.flush().await?;
            out.split = Some(*size);
        }
    }
    Ok(None)
}

/// The text in pieces of so many scalar values; an empty text is one empty piece.
fn deltas(text: &str, chunk: Option<NonZeroUsize>) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let end = chunk.and_then(|chunk| text.char_indices().nth(chunk.get()));
        let Some((end, _)) = end else { return Some(text) };
        let (delta, after) = text.split_at(end);
        rest = Some(after);
        Some(delta)
    })
}

impl Out {
    pub(super) fn to(client: mpsc::Sender<Result<Bytes, Cut>>) -> Self {
        Self {
            buffer: BytesMut::with_capacity(BATCH),
            client: Some(client),
            split: None,
        }
    }

    pub(super) fn nowhere() -> Self {
        Self {
            buffer: BytesMut::new(),
            client: None,
            split: None,
        }
    }

    /// Hands what is buffered to the connection, and waits while a slow client has too much before it.
    pub(super) async fn flush(&mut self) -> Result<(), ClientGone> {
        let Some(client) = &self.client else {
            self.buffer.clear();
            return Ok(());
        };
        let size = self.split.map_or(usize::MAX, NonZeroUsize::get);
        while !self.buffer.is_empty() {
            let chunk = self.buffer.split_to(size.min(self.buffer.len())).freeze();
            client.send(Ok(chunk)).await.map_err(|_| ClientGone)?;
        }
        Ok(())
    }

    /// Sends what is buffered and then drops the connection.
    pub(super) async fn cut(mut self) {
        if self.flush().await.is_ok()
            && let Some(client) = self.client
        {
            // A client that left first has cut the connection itself.
            client.send(Err(Cut)).await.unwrap_or_default();
        }
    }

    async fn delay(&mut self, step: &Step) -> Result<(), ClientGone> {
        if step.delay.is_zero() {
            return Ok(());
        }
        self.flush().await?;
        self.wait(tokio::time::sleep(step.delay)).await
    }

    /// Waits, but no longer than the client stays.
    async fn wait(&self, what: impl Future<Output = ()>) -> Result<(), ClientGone> {
        let Some(client) = &self.client else {
            what.await;
            return Ok(());
        };
        tokio::select! {
            biased;
            () = client.closed() => Err(ClientGone),
            () = what => Ok(()),
        }
    }
}
