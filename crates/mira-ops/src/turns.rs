//! Accepting, ordering, running and ending turns: one at a time in a session, several sessions side by side.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use mira_memory::{NewMessage, Role};
use mira_store::{MessageId, OperationId, ProjectId, SessionId};
use mira_workspace::hash;
use tokio_util::sync::CancellationToken;

use crate::event::Event;
use crate::failure::Failure;
use crate::hub::join_parts;
use crate::journal::{Change, Entry};
use crate::operation::{Kind, Limit, ModelRole, Operation, Status};
use crate::table::operations::NewOperation;
use crate::table::{events, operations, usage};
use crate::{Error, Operations, turn};

/// Turns of one session that may wait behind the running one.
pub const MAX_WAITING_TURNS: usize = 8;

/// The longest message of a user, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// The largest file that may come with a message, in bytes.
pub const MAX_EDITOR_BYTES: usize = 4 * 1024 * 1024;

/// How often the end of a turn is tried to be written before it is left to the next start.
const FINISH_ATTEMPTS: u32 = 5;

/// What a user says, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    pub session: SessionId,
    pub content: String,
    pub project: Option<ProjectId>,
    pub editor: Option<Editor>,
    /// A repeat of the same request under the same key, in the same session, is answered like the first one and does
    /// nothing.
    pub idempotency_key: Option<String>,
}

/// The file that the user has open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Editor {
    /// Relative to the project.
    pub path: Option<String>,
    /// As it stands in the editor; read from disk when absent.
    pub content: Option<String>,
    pub language: Option<String>,
    pub selection: Option<Selection>,
}

/// Selected lines, from 1, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    pub start_line: u32,
    pub end_line: u32,
    pub text: Option<String>,
}

/// A part of a turn that has a limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnPart {
    Message,
    /// The content of the file that the user has open.
    EditorFile,
}

/// A turn that is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    pub message: MessageId,
    pub operation: OperationId,
    /// The event that announced the operation.
    pub seq: i64,
    /// Turns that run before it.
    pub queued: usize,
}

/// An accepted turn on its way to the models.
#[derive(Debug)]
pub(crate) struct Job {
    pub operation: OperationId,
    pub message: MessageId,
    pub turn: Turn,
    pub cancel: CancellationToken,
}

/// The turns of one session: the first one runs, the others wait.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    running: Option<(OperationId, CancellationToken)>,
    waiting: VecDeque<Job>,
}

impl Queue {
    /// Whether a turn of the project runs or waits. Which project the running turn is about is not known here, so it counts.
    pub(crate) fn works_on(&self, project: ProjectId) -> bool {
        self.running.is_some() || self.waiting.iter().any(|job| job.turn.project == Some(project))
    }

    /// Turns that run before this one; none when it runs or has ended.
    fn before(&self, operation: OperationId) -> usize {
        let place = self.waiting.iter().position(|job| job.operation == operation);
        place.map_or(0, |place| place + usize::from(self.running.is_some()))
    }
}

pub(crate) type Queues = HashMap<SessionId, Queue>;

/// How a turn ended.
#[derive(Debug)]
pub(crate) enum End {
    Completed(Option<Limit>),
    Failed(Failure),
    Cancelled,
    Interrupted,
}

impl std::fmt::Display for TurnPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Message => "the message",
            Self::EditorFile => "the attached file",
        })
    }
}

impl Operations {
    /// Stores a turn and queues it. Once this returns the message is on disk and the operation will end with exactly
    /// one terminal event. Cancel safe: a turn is either accepted or not.
    pub async fn send(&self, turn: Turn) -> Result<Accepted, Error> {
        check(&turn)?;
        self.inner.models.get(ModelRole::Reasoner)?;
        if self.inner.halt.is_cancelled() || self.inner.tasks.is_closed() {
            return Err(Error::ShuttingDown);
        }
        if let Some(project) = turn.project
            && self.inner.workspace.project(project).await?.is_none()
        {
            return Err(mira_workspace::Error::UnknownProject { project }.into());
        }
        // Accepting runs to its end even when the caller goes away, so that what is on disk is also in the queue.
        let this = self.clone();
        self.inner
            .tasks
            .spawn(async move { this.accept(turn).await })
            .await
            .map_err(|_| Error::ShuttingDown)?
    }

    async fn accept(&self, turn: Turn) -> Result<Accepted, Error> {
        let request_hash = hash(format!("{:?}", (&turn.content, turn.project, &turn.editor)).as_bytes());
        // Held over the commit, so that the order of the queue is that of the journal.
        let mut queues = self.inner.queues.lock().await;
        if let Some(key) = &turn.idempotency_key {
            let mut reader = self.inner.database.readers().acquire().await?;
            if let Some((operation, hash)) = operations::by_key(&mut reader, turn.session, key).await? {
                if hash != request_hash {
                    return Err(Error::IdempotencyConflict);
                }
                let Operation {
                    id,
                    message,
                    first_seq,
                    ..
                } = operation;
                let queued = queues.get(&turn.session).map_or(0, |queue| queue.before(id));
                return Ok(Accepted {
                    message,
                    operation: id,
                    seq: first_seq,
                    queued,
                });
            }
        }
        let queued = queues.get(&turn.session).map_or(0, |queue| {
            queue.waiting.len() + usize::from(queue.running.is_some())
        });
        if queued > MAX_WAITING_TURNS {
            return Err(Error::QueueFull {
                limit: MAX_WAITING_TURNS,
            });
        }

        let now = self.inner.clock.now();
        let (operation, message) = (OperationId::at(now), MessageId::at(now));
        let said = NewMessage {
            project: turn.project,
            ..NewMessage::new(turn.session, Role::User, turn.content.clone())
        };
        let new = NewOperation {
            id: operation,
            session: turn.session,
            message,
            project: turn.project,
            idempotency_key: turn.idempotency_key.clone(),
            request_hash,
        };
        let committed = self
            .inner
            .journal
            .commit(Entry {
                session: turn.session,
                operation,
                change: Some(Change::Accept {
                    message: (message, said),
                    operation: new,
                }),
                events: vec![Event::Started {
                    message,
                    kind: Kind::Chat,
                }],
            })
            .await?;
        let seq = committed.first().map_or(0, |recorded| recorded.seq);
        self.inner.memory.stored();

        let session = turn.session;
        let queue = queues.entry(session).or_default();
        let idle = queue.running.is_none() && queue.waiting.is_empty();
        queue.waiting.push_back(Job {
            operation,
            message,
            turn,
            cancel: CancellationToken::new(),
        });
        if idle {
            let this = self.clone();
            self.inner
                .tasks
                .spawn(async move { this.run_session(session).await });
        }
        Ok(Accepted {
            message,
            operation,
            seq,
            queued,
        })
    }

    /// Runs the turns of a session one after another until none waits.
    async fn run_session(&self, session: SessionId) {
        loop {
            let job = {
                let mut queues = self.inner.queues.lock().await;
                let Some(queue) = queues.get_mut(&session) else {
                    return;
                };
                queue.running = None;
                let Some(job) = queue.waiting.pop_front() else {
                    queues.remove(&session);
                    return;
                };
                queue.running = Some((job.operation, job.cancel.clone()));
                job
            };
            let end = tokio::select! {
                biased;
                () = self.inner.halt.cancelled() => End::Interrupted,
                () = job.cancel.cancelled() => End::Cancelled,
                end = turn::run(&self.inner, &job) => end.unwrap_or_else(End::Failed),
            };
            self.finish(&job, end).await;
        }
    }

    /// Asks an operation to stop, at whatever it does. Its end is told by the event `Cancelled`; an operation that has
    /// ended already stays as it is. Returns the operation as it stands.
    pub async fn cancel(&self, id: OperationId) -> Result<Operation, Error> {
        let operation = self.operation(id).await?;
        let removed = {
            let mut queues = self.inner.queues.lock().await;
            let Some(queue) = queues.get_mut(&operation.session) else {
                return Ok(operation);
            };
            if let Some((running, cancel)) = &queue.running
                && *running == id
            {
                cancel.cancel();
            }
            let place = queue.waiting.iter().position(|job| job.operation == id);
            place.and_then(|place| queue.waiting.remove(place))
        };
        if let Some(job) = removed {
            // On a task of its own, so that a caller who goes away does not leave it without an end.
            let this = self.clone();
            let finished = self
                .inner
                .tasks
                .spawn(async move { this.finish(&job, End::Cancelled).await });
            finished.await.map_err(|_| Error::ShuttingDown)?;
        }
        self.operation(id).await
    }

    /// Writes the end of a turn, with what it had said as the answer.
    async fn finish(&self, job: &Job, end: End) {
        for attempt in 1..=FINISH_ATTEMPTS {
            match self.try_finish(job, &end).await {
                Ok(()) => return,
                Err(error) if attempt < FINISH_ATTEMPTS => {
                    tracing::warn!(operation = %job.operation, attempt, error = %crate::error::chain(&error),
                        "could not write the end of a turn, trying again");
                    tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
                }
                Err(error) => {
                    tracing::error!(operation = %job.operation, error = %crate::error::chain(&error),
                        "could not write the end of a turn; it will count as interrupted at the next start");
                }
            }
        }
    }

    async fn try_finish(&self, job: &Job, end: &End) -> Result<(), Error> {
        let inner = &self.inner;
        let (session, operation) = (job.turn.session, job.operation);
        // What a stopped turn left in the journal's queue is told before its end, and belongs to the answer.
        let barrier = Entry {
            session,
            operation,
            change: None,
            events: vec![],
        };
        inner.journal.commit(barrier).await?;
        let text = inner.hub.answer(session, operation);
        let answer = answer(inner.clock.now(), session, job.turn.project, job.message, &text);
        let answer_id = answer.as_ref().map(|(id, _)| *id);
        let outcome = match end {
            End::Completed(limit) => {
                let mut reader = inner.database.readers().acquire().await?;
                let usage = usage::of_operation(&mut reader, job.operation).await?;
                let event = Event::Completed {
                    answer: answer_id,
                    usage,
                    limit: *limit,
                };
                (Status::Completed, None, event)
            }
            End::Failed(failure) => (
                Status::Failed,
                Some(failure.clone()),
                Event::Failed {
                    error: failure.clone(),
                },
            ),
            End::Cancelled => (Status::Cancelled, None, Event::Cancelled),
            End::Interrupted => interrupted(),
        };
        let ending = ending(session, operation, answer, outcome);
        inner.journal.commit(ending).await?;
        inner.memory.stored();
        Ok(())
    }

    /// Ends what a process that is gone left running. Called once, before anything else.
    pub(crate) async fn recover(&self) -> Result<usize, Error> {
        let inner = &self.inner;
        let mut reader = inner.database.readers().acquire().await?;
        let left = operations::unfinished(&mut reader).await?;
        for operation in &left {
            let text = said_so_far(&mut reader, operation).await?;
            let answer = answer(
                inner.clock.now(),
                operation.session,
                operation.project,
                operation.message,
                &text,
            );
            let ending = ending(operation.session, operation.id, answer, interrupted());
            inner.journal.commit(ending).await?;
        }
        Ok(left.len())
    }
}

fn check(turn: &Turn) -> Result<(), Error> {
    if turn.content.trim().is_empty() {
        return Err(Error::EmptyMessage);
    }
    let said = (TurnPart::Message, turn.content.len(), MAX_MESSAGE_BYTES);
    let open_file = turn.editor.as_ref().and_then(|editor| editor.content.as_ref());
    let file = open_file.map(|file| (TurnPart::EditorFile, file.len(), MAX_EDITOR_BYTES));
    for (part, bytes, limit) in std::iter::once(said).chain(file) {
        if bytes > limit {
            return Err(Error::TooLarge { part, bytes, limit });
        }
    }
    Ok(())
}

/// How an operation ends: where it then stands, why, and what is told.
type Outcome = (Status, Option<Failure>, Event);

/// The end of an operation, for the journal.
fn ending(
    session: SessionId,
    operation: OperationId,
    answer: Option<(MessageId, NewMessage)>,
    (status, failure, event): Outcome,
) -> Entry {
    Entry {
        session,
        operation,
        change: Some(Change::Finish {
            status,
            failure,
            answer,
        }),
        events: vec![event],
    }
}

fn interrupted() -> Outcome {
    let failure = Failure::interrupted();
    let event = Event::Interrupted {
        reason: failure.message.clone(),
    };
    (Status::Interrupted, Some(failure), event)
}

/// The assistant's message; none when nothing was said.
fn answer(
    now: mira_store::Timestamp,
    session: SessionId,
    project: Option<ProjectId>,
    question: MessageId,
    text: &str,
) -> Option<(MessageId, NewMessage)> {
    (!text.is_empty()).then(|| {
        let message = NewMessage {
            project,
            reply_to: Some(question),
            ..NewMessage::new(session, Role::Assistant, text)
        };
        (MessageId::at(now), message)
    })
}

/// The answer of an operation as far as its events in the journal tell it.
pub(crate) async fn said_so_far(
    reader: &mut sqlx::SqliteConnection,
    operation: &Operation,
) -> Result<String, Error> {
    let mut parts: Vec<(mira_store::ItemId, String)> = Vec::new();
    let mut after = operation.first_seq - 1;
    loop {
        let page = events::page(reader, operation.session, after, i64::MAX, 256).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for recorded in page.iter().filter(|recorded| recorded.operation == operation.id) {
            match &recorded.event {
                Event::Streaming { item, delta, .. } => match parts.iter_mut().find(|(id, _)| id == item) {
                    Some((_, text)) => text.push_str(delta),
                    None => parts.push((*item, delta.clone())),
                },
                event if event.is_terminal() => return Ok(join_parts(parts.iter().map(|(_, t)| t.as_str()))),
                _ => {}
            }
        }
    }
    Ok(join_parts(parts.iter().map(|(_, text)| text.as_str())))
}
