//! A session that is followed across broken connections.

use std::time::Duration;

use mira_proto::native::{
    EventNotification, InFlightItem, InitializeResult, Method, Notification, SessionOpen, SessionOpenParams,
    SessionResume, SessionResumeParams,
};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::backoff::Backoff;
use crate::caller::{Caller, Link};
use crate::client::Client;
use crate::error::Error;
use crate::options::Options;

/// Updates that may wait to be taken. When it is full, the connection is not read.
const UPDATES: usize = 256;

/// A connection that held for this long was a good one: the next break starts with short waits again.
const STEADY: Duration = Duration::from_secs(10);

/// Which session to follow, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// A new session, from now on.
    New,
    /// The session of this name, from now on; created when there is none.
    Named(String),
    /// The session with this id, from now on.
    Existing(String),
    /// The session with this id, from the event that follows `seq`; 0 for the first.
    After {
        /// The session.
        session_id: String,
        /// The last event that is not wanted.
        seq: u64,
    },
}

/// What a [`Session`] tells.
#[derive(Debug, Clone)]
pub enum Update {
    /// Something happened. Events come in order, each of them once, whatever the connection does.
    Event(EventNotification),
    /// The past is complete; what follows happens now. Comes first after [`Start::New`], [`Start::Named`] and
    /// [`Start::Existing`]; after the replay on [`Start::After`] and on every [`Update::Resumed`].
    Synced(Synced),
    /// The connection broke, or connecting again failed. It is tried again after `delay`.
    Reconnecting {
        /// The attempt that comes, counted from 1.
        attempt: u32,
        /// How long until then.
        delay: Duration,
        /// What went wrong last.
        cause: Error,
    },
    /// The connection is back. This many missed events follow, then [`Update::Synced`].
    Resumed {
        /// How many.
        missed: u64,
    },
}

/// Where a session stands at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// The number of its newest event at that moment; 0 when it has none.
    pub seq: u64,
    /// Operations that have not ended, oldest first.
    pub running: Vec<String>,
    /// Texts that are being streamed, all of them so far; see [`Texts`](crate::Texts).
    pub in_flight: Vec<InFlightItem>,
}

/// A session that is followed across broken connections.
///
/// A task in the background connects again, with growing and jittered waits, and resumes after the last event that was
/// told. Dropping the session ends that and closes the connection. Operations go on without it.
#[derive(Debug)]
pub struct Session {
    id: String,
    name: Option<String>,
    server: InitializeResult,
    caller: Caller,
    updates: mpsc::Receiver<Result<Update, Error>>,
    tasks: TaskTracker,
    open: DropGuard,
}

impl Session {
    /// Connects and begins to follow. An error here is final; later breaks are mended where that is possible.
    pub async fn open(options: Options, start: Start) -> Result<Self, Error> {
        let client = Client::connect(options.clone()).await?;
        let opening = Opening::of(start, &client).await?;
        let (id, name) = (opening.session_id.clone(), opening.name);
        let server = client.server().clone();
        let (link, callers) = watch::channel(Link::Up(client.commands()));
        let (told, updates) = mpsc::channel(UPDATES);
        let caller = Caller::new(callers, options.call_timeout);
        let follower = Follower {
            options,
            session_id: opening.session_id,
            last_seq: opening.after,
            replay: Some(opening.synced),
            updates: told,
            link,
        };

        let open = CancellationToken::new();
        let tasks = TaskTracker::new();
        let dropped = open.clone();
        tasks.spawn(async move {
            // Cancelled together with whoever could still be told anything.
            dropped.run_until_cancelled(follower.run(client)).await;
        });
        tasks.close();
        Ok(Self {
            id,
            name,
            server,
            caller,
            updates,
            tasks,
            open: open.drop_guard(),
        })
    }

    /// The id of the session.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its name, where it has one and was not opened with [`Start::After`].
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What the server said about itself on the first connection.
    pub fn server(&self) -> &InitializeResult {
        &self.server
    }

    /// Calls a method and waits for its result, across a reconnect if need be; see [`Caller::call`].
    pub async fn call<M: Method>(&self, params: M::Params) -> Result<M::Result, Error> {
        self.caller.call::<M>(params).await
    }

    /// A handle for calls that go on while somebody else waits for updates.
    pub fn caller(&self) -> Caller {
        self.caller.clone()
    }

    /// Waits for the next update. An error is final: the server refuses, or speaks in a way that cannot be read.
    ///
    /// Keep taking them: while some hundreds wait, nothing is read from the server, calls get no answer, and a broken
    /// connection is not mended. Cancel safe.
    pub async fn next(&mut self) -> Result<Update, Error> {
        self.updates.recv().await.unwrap_or(Err(Error::Closed))
    }

    /// Stops following, closes the connection, and waits until that is done.
    pub async fn close(self) {
        drop(self.open);
        self.tasks.wait().await;
    }
}

/// A session as it was when it was opened.
struct Opening {
    session_id: String,
    name: Option<String>,
    /// The last event that will not be told.
    after: u64,
    synced: Synced,
}

impl Opening {
    async fn of(start: Start, client: &Client) -> Result<Self, Error> {
        let params = match start {
            Start::New => SessionOpenParams::default(),
            Start::Named(name) => SessionOpenParams {
                name: Some(name),
                ..SessionOpenParams::default()
            },
            Start::Existing(session_id) => SessionOpenParams {
                session_id: Some(session_id),
                ..SessionOpenParams::default()
            },
            Start::After { session_id, seq } => {
                let synced = resume(client, &session_id, seq).await?;
                return Ok(Self {
                    session_id,
                    name: None,
                    after: seq,
                    synced,
                });
            }
        };
        let opened = client.call::<SessionOpen>(params).await?;
        Ok(Self {
            session_id: opened.session_id,
            name: opened.name,
            after: opened.last_seq,
            synced: Synced {
                seq: opened.last_seq,
                running: opened.running,
                in_flight: opened.in_flight,
            },
        })
    }
}

async fn resume(client: &Client, session_id: &str, after: u64) -> Result<Synced, Error> {
    let params = SessionResumeParams {
        session_id: session_id.to_owned(),
        after,
    };
    let resumed = client.call::<SessionResume>(params).await?;
    Ok(Synced {
        seq: resumed.watermark,
        running: resumed.running,
        in_flight: resumed.in_flight,
    })
}

/// The task behind a [`Session`].
struct Follower {
    options: Options,
    session_id: String,
    last_seq: u64,
    /// What to tell once the replay has been told; none when the session is live.
    replay: Option<Synced>,
    updates: mpsc::Sender<Result<Update, Error>>,
    link: watch::Sender<Link>,
}

/// Why a follower stops telling.
enum Stop {
    /// Something failed; connecting again may mend it.
    Failed(Error),
    /// Nobody takes updates any more.
    Unheard,
}

impl Follower {
    async fn run(mut self, client: Client) {
        let stop = self.follow(client).await;
        let error = match stop {
            Stop::Failed(error) => error,
            Stop::Unheard => Error::Closed,
        };
        self.link.send_replace(Link::Ended(error.clone()));
        // Whoever is gone needs no last word.
        let _ = self.updates.send(Err(error)).await;
    }

    async fn follow(&mut self, mut client: Client) -> Stop {
        let mut backoff = Backoff::default();
        loop {
            let connected = Instant::now();
            let cause = match self.tell_all(&mut client).await {
                Stop::Failed(cause) => cause,
                Stop::Unheard => return Stop::Unheard,
            };
            drop(client);
            if connected.elapsed() >= STEADY {
                backoff.reset();
            }
            self.link.send_replace(Link::Down);
            client = match self.reconnect(&mut backoff, cause).await {
                Ok(client) => client,
                Err(stop) => return stop,
            };
        }
    }

    /// Tells what comes over one connection until it breaks.
    async fn tell_all(&mut self, client: &mut Client) -> Stop {
        // After `session.open` there is no replay, and nothing that announces its end.
        if self
            .replay
            .as_ref()
            .is_some_and(|synced| synced.seq == self.last_seq)
            && let Err(stop) = self.tell_synced().await
        {
            return stop;
        }
        loop {
            let told = match client.next_notification().await {
                Ok(notification) => self.tell(notification).await,
                Err(error) => Err(Stop::Failed(error)),
            };
            if let Err(stop) = told {
                return stop;
            }
        }
    }

    async fn tell(&mut self, notification: Notification) -> Result<(), Stop> {
        match notification {
            Notification::Event(event) if event.session_id == self.session_id => {
                let expected = self.last_seq + 1;
                if event.seq < expected {
                    return Ok(());
                }
                // A replay is all there is; live, a gap means that something was lost on the way.
                if event.seq > expected && self.replay.is_none() {
                    return Err(Stop::Failed(Error::Gap {
                        expected,
                        got: event.seq,
                    }));
                }
                self.last_seq = event.seq;
                self.send(Update::Event(event)).await
            }
            Notification::SessionSynced(synced) if synced.session_id == self.session_id => {
                self.tell_synced().await
            }
            Notification::SessionClosed(closed) if closed.session_id == self.session_id => {
                Err(Stop::Failed(Error::SessionClosed {
                    reason: closed.reason,
                }))
            }
            Notification::Event(_)
            | Notification::SessionSynced(_)
            | Notification::SessionClosed(_)
            | Notification::Heartbeat(_) => Ok(()),
        }
    }

    async fn tell_synced(&mut self) -> Result<(), Stop> {
        match self.replay.take() {
            Some(synced) => self.send(Update::Synced(synced)).await,
            None => Ok(()),
        }
    }

    async fn reconnect(&mut self, backoff: &mut Backoff, mut cause: Error) -> Result<Client, Stop> {
        loop {
            if !cause.is_retryable() {
                return Err(Stop::Failed(cause));
            }
            let (attempt, delay) = backoff.next();
            tracing::debug!(attempt, ?delay, error = %cause, "connecting again");
            self.send(Update::Reconnecting {
                attempt,
                delay,
                cause,
            })
            .await?;
            sleep(delay).await;
            cause = match self.resume().await {
                Ok((client, synced)) => {
                    let missed = synced.seq.saturating_sub(self.last_seq);
                    self.replay = Some(synced);
                    self.link.send_replace(Link::Up(client.commands()));
                    self.send(Update::Resumed { missed }).await?;
                    return Ok(client);
                }
                Err(error) => error,
            };
        }
    }

    async fn resume(&self) -> Result<(Client, Synced), Error> {
        let client = Client::connect(self.options.clone()).await?;
        let synced = resume(&client, &self.session_id, self.last_seq).await?;
        Ok((client, synced))
    }

    async fn send(&self, update: Update) -> Result<(), Stop> {
        self.updates.send(Ok(update)).await.map_err(|_| Stop::Unheard)
    }
}
