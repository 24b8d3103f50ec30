//! The journal: every event of a session gets its number in the transaction of the state change that it reports.
//!
//! One task writes. It commits whatever has queued up since the last commit in one transaction, so that many streams
//! share the cost of a commit, and publishes in commit order.

use std::sync::Arc;

use mira_memory::NewMessage;
use mira_store::{
    ArtifactId, ChangeId, Clock, Database, MessageId, OperationId, ProjectId, SessionId, Timestamp,
};
use sqlx::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use crate::Error;
use crate::artifact::Artifact;
use crate::event::{Event, Recorded};
use crate::failure::Failure;
use crate::hub::Hub;
use crate::operation::{ModelRole, Status};
use crate::table::delegations::{DelegationEnd, NewDelegation};
use crate::table::operations::NewOperation;
use crate::table::{artifacts, delegations, events, operations, usage};

/// Entries that may wait to be written; whoever submits more waits.
const QUEUE: usize = 1024;

/// The most entries that one transaction carries.
const BATCH: usize = 256;

/// Something that happened to an operation: what changes and what is told.
#[derive(Debug)]
pub(crate) struct Entry {
    pub session: SessionId,
    pub operation: OperationId,
    pub change: Option<Change>,
    pub events: Vec<Event>,
}

/// A change of state, written in one transaction with its events.
#[derive(Debug)]
pub(crate) enum Change {
    Accept {
        message: (MessageId, NewMessage),
        operation: NewOperation,
    },
    Status(Status),
    Spent {
        role: ModelRole,
        model: String,
        usage: mira_llm::Usage,
    },
    Delegate(NewDelegation),
    DelegationEnded(DelegationEnd),
    /// A new artifact, and the end of the delegation that made it.
    Artifact {
        artifact: Box<Artifact>,
        delegation: Option<DelegationEnd>,
    },
    Applied {
        artifact: ArtifactId,
        project: ProjectId,
        change: ChangeId,
    },
    Undone {
        artifact: ArtifactId,
    },
    /// The end. Ignored, with its events, when the operation has ended before.
    Finish {
        status: Status,
        failure: Option<Failure>,
        answer: Option<(MessageId, NewMessage)>,
    },
}

/// What has been committed of an entry: its events with their numbers; none when it was ignored.
pub(crate) type Committed = Vec<Arc<Recorded>>;

struct Submitted {
    entry: Entry,
    reply: oneshot::Sender<Result<Committed, Error>>,
}

/// A handle to the writing task. The task ends when the last handle is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    queue: mpsc::Sender<Submitted>,
}

/// An entry on its way to the disk. Dropping this does not take the entry back.
#[derive(Debug)]
pub(crate) struct Pending(oneshot::Receiver<Result<Committed, Error>>);

impl Pending {
    /// Waits until the entry is committed. Cancel safe.
    pub(crate) async fn committed(&mut self) -> Result<Committed, Error> {
        // The writing task answers every entry, unless the runtime itself goes down.
        (&mut self.0).await.unwrap_or(Err(Error::ShuttingDown))
    }
}

impl Journal {
    /// Makes the handle and the writing task, which the caller spawns.
    pub(crate) fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        hub: Arc<Hub>,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (queue, received) = mpsc::channel(QUEUE);
        (Self { queue }, write_all(received, database, clock, hub))
    }

    /// Hands an entry over; waits only while the queue is full. Once this returns the entry will be written.
    pub(crate) async fn submit(&self, entry: Entry) -> Result<Pending, Error> {
        let (reply, committed) = oneshot::channel();
        self.queue
            .send(Submitted { entry, reply })
            .await
            .map_err(|_| Error::ShuttingDown)?;
        Ok(Pending(committed))
    }

    /// Writes an entry and waits for the commit.
    pub(crate) async fn commit(&self, entry: Entry) -> Result<Committed, Error> {
        self.submit(entry).await?.committed().await
    }
}

async fn write_all(
    mut received: mpsc::Receiver<Submitted>,
    database: Database,
    clock: Arc<dyn Clock>,
    hub: Arc<Hub>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while received.recv_many(&mut batch, BATCH).await > 0 {
        let now = clock.now();
        match commit(&database, &batch, now).await {
            Ok(committed) => {
                for (submitted, committed) in batch.drain(..).zip(committed) {
                    publish(&hub, submitted, Ok(committed));
                }
            }
            // One entry that cannot be written must not take the others with it.
            Err(_) if batch.len() > 1 => {
                for submitted in batch.drain(..) {
                    let alone = commit(&database, std::slice::from_ref(&submitted), now).await;
                    publish(
                        &hub,
                        submitted,
                        alone.map(|mut committed| committed.pop().unwrap_or_default()),
                    );
                }
            }
            Err(error) => {
                if let Some(submitted) = batch.pop() {
                    publish(&hub, submitted, Err(error));
                }
            }
        }
    }
}

fn publish(hub: &Hub, submitted: Submitted, committed: Result<Committed, Error>) {
    if let Ok(committed) = &committed {
        for recorded in committed {
            hub.publish(recorded);
        }
    }
    // Whoever submitted may have been cancelled meanwhile; the entry counts all the same.
    let _ = submitted.reply.send(committed);
}

async fn commit(database: &Database, batch: &[Submitted], now: Timestamp) -> Result<Vec<Committed>, Error> {
    let mut transaction = database.begin().await?;
    let mut told = Vec::with_capacity(batch.len());
    for Submitted { entry, .. } in batch {
        let counts = change(&mut transaction, entry, now).await?;
        told.push(if counts { entry.events.as_slice() } else { &[] });
    }
    let new = batch
        .iter()
        .zip(&told)
        .flat_map(|(Submitted { entry, .. }, events)| {
            events.iter().map(|event| (entry.session, entry.operation, event))
        });
    let mut recorded = events::append(&mut transaction, new.collect(), now)
        .await?
        .into_iter();
    let mut all = Vec::with_capacity(batch.len());
    for events in told {
        let committed: Committed = recorded.by_ref().take(events.len()).map(Arc::new).collect();
        for recorded in &committed {
            if let Event::Started { .. } = recorded.event {
                operations::announced(&mut transaction, recorded.operation, recorded.seq).await?;
            }
        }
        all.push(committed);
    }
    transaction.commit().await?;
    Ok(all)
}

/// Writes the change of an entry; false when it is to be ignored.
async fn change(connection: &mut SqliteConnection, entry: &Entry, now: Timestamp) -> Result<bool, Error> {
    let operation = entry.operation;
    match &entry.change {
        None => {}
        Some(Change::Accept {
            message: (id, message),
            operation,
        }) => {
            mira_memory::message::append(connection, *id, message.clone(), now).await?;
            operations::insert(connection, operation, now).await?;
        }
        Some(Change::Status(status)) => {
            operations::set_status(connection, operation, *status, now).await?;
        }
        Some(Change::Spent { role, model, usage }) => {
            usage::add(connection, operation, *role, model, *usage).await?;
        }
        Some(Change::Delegate(new)) => delegations::insert(connection, operation, new, now).await?,
        Some(Change::DelegationEnded(end)) => delegations::finish(connection, end, now).await?,
        Some(Change::Artifact { artifact, delegation }) => {
            artifacts::insert(connection, artifact).await?;
            if let Some(end) = delegation {
                delegations::finish(connection, end, now).await?;
            }
        }
        Some(Change::Applied {
            artifact,
            project,
            change,
        }) => {
            artifacts::set_applied(connection, *artifact, *project, *change, now).await?;
        }
        Some(Change::Undone { artifact }) => artifacts::set_undone(connection, *artifact, now).await?,
        Some(Change::Finish {
            status,
            failure,
            answer,
        }) => {
            let id = answer.as_ref().map(|(id, _)| *id);
            if !operations::finish(connection, operation, *status, failure.as_ref(), id, now).await? {
                return Ok(false);
            }
            if let Some((id, message)) = answer {
                mira_memory::message::append(connection, *id, message.clone(), now).await?;
            }
            delegations::cancel_running(connection, operation, now).await?;
        }
    }
    Ok(true)
}
