//! Listening to a model: what it streams goes into the journal, what it made of the request comes back.

use futures_util::StreamExt as _;
use mira_llm::chat::{ChatModel, Event as ModelEvent, Reply, Request};
use mira_store::ItemId;

use crate::Error;
use crate::event::Event;
use crate::failure::{Failure, FailureCode};
use crate::journal::{Change, Entry, Pending};
use crate::operation::ModelRole;
use crate::operations::Inner;
use crate::turns::Job;

/// The most text that one reply may stream, in bytes; beyond that the model is taken to have run wild.
const MAX_REPLY_BYTES: usize = 8 * 1024 * 1024;

/// Asks a model and journals its retries and what it cost; for the reasoner also what it thinks and says, as it comes.
/// Dropping the future cancels the request.
pub(crate) async fn reply(
    inner: &Inner,
    job: &Job,
    role: ModelRole,
    model: &dyn ChatModel,
    request: Request,
) -> Result<Reply, Failure> {
    let mut recorder = Recorder::new(inner, job);
    let mut streamed = 0;
    let mut stream = model.stream(request);
    let reply = loop {
        // A commit that is done makes room for what has come meanwhile; nothing waits for it but the end.
        let event = tokio::select! {
            biased;
            flushed = recorder.flushed() => {
                flushed?;
                recorder.flush().await?;
                continue;
            }
            event = stream.next() => event,
        };
        match event {
            Some(Ok(ModelEvent::Text(delta) | ModelEvent::Reasoning(delta)))
                if streamed + delta.len() > MAX_REPLY_BYTES =>
            {
                return Err(Failure::new(
                    FailureCode::ModelMalformed,
                    format!(
                        "{} streamed more than {MAX_REPLY_BYTES} bytes in one reply",
                        model.model()
                    ),
                ));
            }
            Some(Ok(ModelEvent::Text(delta))) => {
                streamed += delta.len();
                if role == ModelRole::Reasoner {
                    recorder.push(Voice::Answer, delta).await?;
                }
            }
            Some(Ok(ModelEvent::Reasoning(delta))) => {
                streamed += delta.len();
                if role == ModelRole::Reasoner {
                    recorder.push(Voice::Reasoning, delta).await?;
                }
            }
            Some(Ok(ModelEvent::Retrying {
                attempt,
                delay,
                error,
            })) => {
                let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
                let event = Event::Retrying {
                    model: model.model().to_owned(),
                    attempt,
                    delay_ms,
                    error: (&error).into(),
                };
                recorder.pending.push(event);
                recorder.flush().await?;
            }
            Some(Ok(ModelEvent::Completed(reply))) => break reply,
            Some(Err(error)) => {
                recorder.drain().await?;
                return Err((&error).into());
            }
            None => {
                recorder.drain().await?;
                return Err(Failure::new(
                    FailureCode::ModelMalformed,
                    format!("{} ended its stream without a reply", model.model()),
                ));
            }
        }
    };
    recorder.drain().await?;
    let change = Change::Spent {
        role,
        model: model.model().to_owned(),
        usage: reply.usage,
    };
    note(inner, job, Some(change), vec![]).await?;
    Ok(reply)
}

/// Writes something that happened to the operation of a job.
pub(crate) async fn note(
    inner: &Inner,
    job: &Job,
    change: Option<Change>,
    events: Vec<Event>,
) -> Result<(), Failure> {
    inner
        .journal
        .commit(entry(job, change, events))
        .await
        .map(drop)
        .map_err(|error| (&error).into())
}

fn entry(job: &Job, change: Option<Change>, events: Vec<Event>) -> Entry {
    Entry {
        session: job.turn.session,
        operation: job.operation,
        change,
        events,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    Answer,
    Reasoning,
}

/// Journals a stream of deltas with at most one commit under way: what comes during a commit goes into the next one,
/// joined, so that a slow disk makes fewer and larger events instead of a queue.
struct Recorder<'a> {
    inner: &'a Inner,
    job: &'a Job,
    commit: Option<Pending>,
    pending: Vec<Event>,
    item: Option<(Voice, ItemId, u64)>,
}

impl<'a> Recorder<'a> {
    fn new(inner: &'a Inner, job: &'a Job) -> Self {
        Self {
            inner,
            job,
            commit: None,
            pending: Vec::new(),
            item: None,
        }
    }

    async fn push(&mut self, voice: Voice, delta: String) -> Result<(), Failure> {
        let (item, offset) = match self.item {
            Some((speaking, item, offset)) if speaking == voice => (item, offset),
            _ => (ItemId::at(self.inner.clock.now()), 0),
        };
        let chars = u64::try_from(delta.chars().count()).unwrap_or(u64::MAX);
        self.item = Some((voice, item, offset + chars));
        match (voice, self.pending.last_mut()) {
            (
                Voice::Answer,
                Some(Event::Streaming {
                    item: last,
                    delta: text,
                    ..
                }),
            )
            | (
                Voice::Reasoning,
                Some(Event::Reasoning {
                    item: last,
                    delta: text,
                    ..
                }),
            ) if *last == item => {
                text.push_str(&delta);
            }
            (Voice::Answer, _) => self.pending.push(Event::Streaming { item, offset, delta }),
            (Voice::Reasoning, _) => self.pending.push(Event::Reasoning { item, offset, delta }),
        }
        self.flush().await
    }

    /// Begins a commit of what is pending, unless one is under way.
    async fn flush(&mut self) -> Result<(), Failure> {
        if self.commit.is_none() && !self.pending.is_empty() {
            let events = std::mem::take(&mut self.pending);
            let submitted = self.inner.journal.submit(entry(self.job, None, events)).await;
            self.commit = Some(submitted.map_err(|error| Failure::from(&error))?);
        }
        Ok(())
    }

    /// Waits for the commit under way; for ever when there is none. Cancel safe.
    async fn flushed(&mut self) -> Result<(), Failure> {
        match &mut self.commit {
            Some(commit) => {
                let committed = commit.committed().await;
                self.commit = None;
                committed.map(drop).map_err(|error: Error| (&error).into())
            }
            None => std::future::pending().await,
        }
    }

    /// Commits everything.
    async fn drain(&mut self) -> Result<(), Failure> {
        while self.commit.is_some() || !self.pending.is_empty() {
            self.flush().await?;
            self.flushed().await?;
        }
        Ok(())
    }
}
