//! One connection to the server.

use std::time::Duration;

use mira_proto::native::{InitializeResult, Method, Notification};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::caller::{Caller, Command, Link};
use crate::connection::Connection;
use crate::error::Error;
use crate::options::Options;
use crate::socket;

/// Notifications that may wait to be taken. When it is full the connection is not read, answers included.
const NOTIFICATIONS: usize = 1024;

/// Calls that may wait to be sent.
const COMMANDS: usize = 64;

/// How long saying goodbye may take.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// One connection to the server. When it breaks it stays broken; a [`Session`](crate::Session) comes back.
///
/// Dropping it closes the connection. Operations go on without it.
#[derive(Debug)]
pub struct Client {
    server: InitializeResult,
    commands: mpsc::Sender<Command>,
    caller: Caller,
    notifications: mpsc::Receiver<Notification>,
    tasks: TaskTracker,
    open: DropGuard,
}

impl Client {
    /// Connects, presents the token, and agrees on the protocol. Needs a Tokio runtime with I/O and time.
    pub async fn connect(options: Options) -> Result<Self, Error> {
        let (socket, server) = socket::open(&options).await?;
        let (commands, received) = mpsc::channel(COMMANDS);
        let (delivered, notifications) = mpsc::channel(NOTIFICATIONS);
        let (link, caller) = watch::channel(Link::Up(commands.clone()));
        let (connection, writer) = Connection::new(socket, &server, received, delivered);

        let open = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(writer.run());
        let dropped = open.clone();
        tasks.spawn(async move {
            let ended = dropped.run_until_cancelled(connection.run()).await;
            link.send_replace(Link::Ended(ended.unwrap_or(Error::Closed)));
        });
        tasks.close();
        Ok(Self {
            server,
            commands,
            caller: Caller::new(caller, options.call_timeout),
            notifications,
            tasks,
            open: open.drop_guard(),
        })
    }

    /// What the server said about itself: name, version, abilities, limits, models.
    pub fn server(&self) -> &InitializeResult {
        &self.server
    }

    /// Calls a method and waits for its result; see [`Caller::call`].
    pub async fn call<M: Method>(&self, params: M::Params) -> Result<M::Result, Error> {
        self.caller.call::<M>(params).await
    }

    /// A handle for calls that go on while somebody else waits for notifications.
    pub fn caller(&self) -> Caller {
        self.caller.clone()
    }

    /// Waits for the next notification, heartbeats left out. An error says why there will be none any more.
    ///
    /// Whoever opens a session has to keep taking them: while more than a thousand wait, nothing is read from the
    /// server, and calls get no answer. Cancel safe.
    pub async fn next_notification(&mut self) -> Result<Notification, Error> {
        match self.notifications.recv().await {
            Some(notification) => Ok(notification),
            None => Err(self.caller.ended().await),
        }
    }

    /// Closes the connection and waits until that is done.
    pub async fn close(self) {
        drop(self.open);
        self.tasks.wait().await;
    }

    pub(crate) fn commands(&self) -> mpsc::Sender<Command> {
        self.commands.clone()
    }
}
