//! Who listens to a session, and the texts that are being streamed in it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mira_store::{ItemId, OperationId, SessionId};
use tokio::sync::broadcast;

use crate::event::{Event, Recorded};

/// Events that a listener may be behind before it has to read them from the journal again.
const RING: usize = 512;

/// What a streamed text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// Part of the answer.
    Answer,
    Reasoning,
}

/// A text of a running operation, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveText {
    pub operation: OperationId,
    pub item: ItemId,
    pub kind: TextKind,
    pub text: String,
}

/// The listeners of all sessions.
///
/// The lock is a plain one: it is held for a few instructions and never across an await.
#[derive(Debug, Default)]
pub(crate) struct Hub(Mutex<HashMap<SessionId, Channel>>);

#[derive(Debug)]
struct Channel {
    sender: broadcast::Sender<Arc<Recorded>>,
    last_seq: i64,
    running: Vec<OperationId>,
    texts: Vec<LiveText>,
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(RING),
            last_seq: 0,
            running: Vec::new(),
            texts: Vec::new(),
        }
    }
}

/// What a session is doing at one moment of its journal.
#[derive(Debug)]
pub(crate) struct Joined {
    pub receiver: broadcast::Receiver<Arc<Recorded>>,
    /// The last event that `running` and `texts` reflect; none when nothing runs.
    pub seq: Option<i64>,
    pub running: Vec<OperationId>,
    pub texts: Vec<LiveText>,
}

impl Hub {
    fn channels(&self) -> MutexGuard<'_, HashMap<SessionId, Channel>> {
        // Nothing panics while the lock is held; even so, its content would still be whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells an event that has been committed to everybody who listens.
    pub(crate) fn publish(&self, recorded: &Arc<Recorded>) {
        let mut channels = self.channels();
        let channel = channels.entry(recorded.session).or_default();
        channel.last_seq = recorded.seq;
        channel.follow(recorded);
        // Nobody listening is fine: the journal has it.
        let _ = channel.sender.send(Arc::clone(recorded));
        if channel.is_idle() {
            channels.remove(&recorded.session);
        }
    }

    /// Starts to listen.
    pub(crate) fn join(&self, session: SessionId) -> Joined {
        let mut channels = self.channels();
        let channel = channels.entry(session).or_default();
        Joined {
            receiver: channel.sender.subscribe(),
            seq: (!channel.running.is_empty()).then_some(channel.last_seq),
            running: channel.running.clone(),
            texts: channel.texts.clone(),
        }
    }

    /// Forgets a session that nobody listens to and nothing runs in.
    pub(crate) fn left(&self, session: SessionId) {
        let mut channels = self.channels();
        if channels.get(&session).is_some_and(Channel::is_idle) {
            channels.remove(&session);
        }
    }

    /// What a running operation has said so far, its parts separated by an empty line.
    pub(crate) fn answer(&self, session: SessionId, operation: OperationId) -> String {
        let channels = self.channels();
        let texts = channels
            .get(&session)
            .map(|channel| channel.texts.as_slice())
            .unwrap_or_default();
        let parts = texts
            .iter()
            .filter(|text| text.operation == operation && text.kind == TextKind::Answer)
            .map(|text| text.text.as_str());
        join_parts(parts)
    }
}

/// The parts of an answer as one text.
pub(crate) fn join_parts<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n\n")
}

impl Channel {
    fn is_idle(&self) -> bool {
        self.running.is_empty() && self.sender.receiver_count() == 0
    }

    fn follow(&mut self, recorded: &Recorded) {
        let operation = recorded.operation;
        match &recorded.event {
            Event::Started { .. } => self.running.push(operation),
            Event::Streaming { item, delta, .. } => self.extend(operation, *item, TextKind::Answer, delta),
            Event::Reasoning { item, delta, .. } => self.extend(operation, *item, TextKind::Reasoning, delta),
            event if event.is_terminal() => {
                self.running.retain(|running| *running != operation);
                self.texts.retain(|text| text.operation != operation);
            }
            _ => {}
        }
    }

    fn extend(&mut self, operation: OperationId, item: ItemId, kind: TextKind, delta: &str) {
        match self.texts.iter_mut().rev().find(|text| text.item == item) {
            Some(text) => text.text.push_str(delta),
            None => self.texts.push(LiveText {
                operation,
                item,
                kind,
                text: delta.to_owned(),
            }),
        }
    }
}
