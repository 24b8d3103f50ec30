//! The handle to everything that this crate does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use mira_memory::Memory;
use mira_store::{Clock, Database, MessageId, OperationId, SessionId};
use mira_workspace::Workspace;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Error;
use crate::artifact::Artifact;
use crate::event::Recorded;
use crate::hub::{Hub, LiveText};
use crate::journal::Journal;
use crate::models::Models;
use crate::operation::{Operation, OperationDetail};
use crate::table::artifacts::ArtifactFilter;
use crate::table::{MIGRATIONS, artifacts, delegations, events, operations, usage};
use crate::tail::Tail;
use crate::turns::{Queues, said_so_far};

/// How turns are run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Who the assistant is. Comes first in every request and should not change between them.
    pub persona: String,
    /// How often the reasoner may come back from its tools within one turn.
    pub max_iterations: u32,
    /// Tokens that one turn may read and write over all its model calls.
    pub max_turn_tokens: u64,
    /// The fewest messages of the conversation that a request shows, where there are as many; up to twice as many
    /// are shown, so that the beginning of the request stays the same over several turns and providers can cache it.
    pub recent_messages: u32,
    /// The most tokens of a request that those messages take, a quarter of them for one message. What does not fit is
    /// cut from a long message, and left out from the oldest on.
    pub recent_tokens: usize,
    /// Whether summaries of the conversation are shown.
    pub summaries: bool,
    /// The most earlier messages that are recalled for a request; 0 for none.
    pub recalled_messages: usize,
    /// The most tokens of a request that those messages take, a quarter of them for one message.
    pub recalled_tokens: usize,
    /// The most tokens that one reply of the reasoner may have, reasoning included; the provider's own limit when none.
    pub reasoner_output_tokens: Option<u32>,
    /// The same for the coder.
    pub coder_output_tokens: Option<u32>,
    /// How long a tool that works on this machine may take.
    pub tool_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            persona: include_str!("../prompts/persona.md").trim_end().to_owned(),
            max_iterations: 25,
            max_turn_tokens: 2_000_000,
            recent_messages: 10,
            recent_tokens: 24_000,
            summaries: true,
            recalled_messages: 10,
            recalled_tokens: 4_000,
            reasoner_output_tokens: None,
            coder_output_tokens: None,
            tool_timeout: Duration::from_secs(30),
        }
    }
}

/// What the work is done with.
#[derive(Debug, Clone)]
pub struct Parts {
    pub database: Database,
    pub memory: Memory,
    pub workspace: Workspace,
    pub models: Models,
    pub clock: Arc<dyn Clock>,
}

/// A handle to the operations of all sessions. Clones share them.
#[derive(Debug, Clone)]
pub struct Operations {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) database: Database,
    pub(crate) memory: Memory,
    pub(crate) workspace: Workspace,
    pub(crate) models: Models,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: Options,
    pub(crate) journal: Journal,
    pub(crate) hub: Arc<Hub>,
    pub(crate) queues: tokio::sync::Mutex<Queues>,
    /// Held while an artifact is applied or undone, so that two at once do not take the same file for unchanged.
    pub(crate) applying: tokio::sync::Mutex<()>,
    pub(crate) tasks: TaskTracker,
    /// Ends every turn as interrupted.
    pub(crate) halt: CancellationToken,
}

/// A session that was opened: what it is doing, and its events from now on.
#[derive(Debug)]
pub struct Opened {
    /// The last event that `running` and `texts` reflect; the tail goes on after it.
    pub last_seq: i64,
    pub running: Vec<OperationId>,
    /// What running operations have said so far.
    pub texts: Vec<LiveText>,
    pub tail: Tail,
}

/// A session that is resumed: the past after a cursor, then what happens now.
#[derive(Debug)]
pub struct Resumed {
    /// The last event of the past.
    pub watermark: i64,
    pub running: Vec<OperationId>,
    /// What running operations have said up to the watermark.
    pub texts: Vec<LiveText>,
    pub tail: Tail,
}

/// What made a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Behind {
    pub operation: OperationId,
    /// The files that came with an answer.
    pub artifacts: Vec<Artifact>,
}

impl Operations {
    /// Brings the tables to this version, ends as interrupted whatever an earlier process left running, and starts the
    /// task that writes the journal.
    pub async fn open(parts: Parts, options: Options) -> Result<Self, Error> {
        let Parts {
            database,
            memory,
            workspace,
            models,
            clock,
        } = parts;
        MIGRATIONS.run(&database).await?;
        let hub = Arc::new(Hub::default());
        let (journal, writer) = Journal::new(database.clone(), Arc::clone(&clock), Arc::clone(&hub));
        // Ends by itself when the last handle to the journal is gone.
        tokio::spawn(writer);
        let operations = Self {
            inner: Arc::new(Inner {
                database,
                memory,
                workspace,
                models,
                clock,
                options,
                journal,
                hub,
                queues: tokio::sync::Mutex::default(),
                applying: tokio::sync::Mutex::default(),
                tasks: TaskTracker::new(),
                halt: CancellationToken::new(),
            }),
        };
        let left = operations.recover().await?;
        if left > 0 {
            tracing::warn!(
                operations = left,
                "ended what an earlier process left running as interrupted"
            );
        }
        Ok(operations)
    }

    /// Takes no more turns, waits up to `grace` for those that run, ends the others as interrupted.
    pub async fn shutdown(&self, grace: Duration) {
        self.inner.tasks.close();
        if tokio::time::timeout(grace, self.inner.tasks.wait())
            .await
            .is_err()
        {
            self.inner.halt.cancel();
            self.inner.tasks.wait().await;
        }
    }

    /// An operation.
    pub async fn operation(&self, id: OperationId) -> Result<Operation, Error> {
        let mut reader = self.inner.database.readers().acquire().await?;
        operations::get(&mut reader, id)
            .await?
            .ok_or(Error::UnknownOperation(id))
    }

    /// An operation with its text so far, costs, artifacts and delegations.
    pub async fn detail(&self, id: OperationId) -> Result<OperationDetail, Error> {
        let operation = self.operation(id).await?;
        let text = match operation.answer {
            Some(answer) => self
                .inner
                .memory
                .message(answer)
                .await?
                .map(|message| message.content),
            None => None,
        };
        let mut reader = self.inner.database.readers().acquire().await?;
        let text = match text {
            Some(text) => text,
            None => said_so_far(&mut reader, &operation).await?,
        };
        Ok(OperationDetail {
            text,
            usage: usage::of_operation(&mut reader, id).await?,
            artifacts: artifacts::page(&mut reader, ArtifactFilter::Operation(id), None, u32::MAX).await?,
            delegations: delegations::of_operation(&mut reader, id).await?,
            operation,
        })
    }

    /// Up to `limit` operations of a session older than `before`, newest first.
    pub async fn list(
        &self,
        session: SessionId,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Vec<Operation>, Error> {
        let mut reader = self.inner.database.readers().acquire().await?;
        operations::page(&mut reader, session, before, limit).await
    }

    /// What made these messages: their operations, and for answers the artifacts. Messages that no operation knows are
    /// left out.
    pub async fn behind(&self, messages: &[MessageId]) -> Result<HashMap<MessageId, Behind>, Error> {
        let mut reader = self.inner.database.readers().acquire().await?;
        let operations = operations::of_messages(&mut reader, messages).await?;
        let mut behind: HashMap<MessageId, Behind> = operations
            .into_iter()
            .map(|(message, operation)| {
                (
                    message,
                    Behind {
                        operation,
                        artifacts: Vec::new(),
                    },
                )
            })
            .collect();
        for (message, artifact) in artifacts::of_answers(&mut reader, messages).await? {
            if let Some(behind) = behind.get_mut(&message) {
                behind.artifacts.push(artifact);
            }
        }
        Ok(behind)
    }

    /// Up to `limit` events of a session after `after`, in order.
    pub async fn events(&self, session: SessionId, after: i64, limit: u32) -> Result<Vec<Recorded>, Error> {
        let mut reader = self.inner.database.readers().acquire().await?;
        events::page(&mut reader, session, after, i64::MAX, limit).await
    }

    /// The number of the last event of a session; 0 when there is none.
    pub async fn last_seq(&self, session: SessionId) -> Result<i64, Error> {
        let mut reader = self.inner.database.readers().acquire().await?;
        events::last_seq(&mut reader, session).await
    }

    /// Starts to follow a session from now on.
    pub async fn open_session(&self, session: SessionId) -> Result<Opened, Error> {
        self.known(session).await?;
        let (mut joined, last_seq) = loop {
            let joined = self.inner.hub.join(session);
            if let Some(seq) = joined.seq {
                break (joined, seq);
            }
            let mut reader = self.inner.database.readers().acquire().await?;
            if let Some(seq) = events::last_seq_at_rest(&mut reader, session).await? {
                break (joined, seq);
            }
            // A turn began after this joined, and its start may count as told: join again now that it runs.
            tokio::task::yield_now().await;
        };
        let (running, texts) = (
            std::mem::take(&mut joined.running),
            std::mem::take(&mut joined.texts),
        );
        Ok(Opened {
            last_seq,
            running,
            texts,
            tail: self.tail(session, joined, (last_seq, last_seq)),
        })
    }

    /// Follows a session from the event after `after` on: first the past, then [`crate::Step::Synced`], then what happens
    /// now. A position that the journal does not have is refused.
    pub async fn resume_session(&self, session: SessionId, after: i64) -> Result<Resumed, Error> {
        self.known(session).await?;
        let mut joined = self.inner.hub.join(session);
        let last = self.last_seq(session).await?;
        // What `running` and `texts` reflect, where anything runs; somebody may have read a little further already.
        let watermark = joined.seq.unwrap_or(last).max(after);
        let running = std::mem::take(&mut joined.running);
        let texts = std::mem::take(&mut joined.texts);
        let tail = self.tail(session, joined, (after, watermark)).announcing_synced();
        if after < 0 || after > last {
            return Err(Error::UnknownCursor { after, last });
        }
        Ok(Resumed {
            watermark,
            running,
            texts,
            tail,
        })
    }

    fn tail(&self, session: SessionId, joined: crate::hub::Joined, from_until: (i64, i64)) -> Tail {
        Tail::new(
            self.inner.database.clone(),
            Arc::clone(&self.inner.hub),
            session,
            joined,
            from_until,
        )
    }

    async fn known(&self, session: SessionId) -> Result<(), Error> {
        match self.inner.memory.session(session).await? {
            Some(_) => Ok(()),
            None => Err(Error::UnknownSession(session)),
        }
    }
}
