//! Following a session: what was journaled before, then what happens now, without gap or repeat.

use std::collections::VecDeque;
use std::sync::Arc;

use mira_store::{Database, SessionId};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::Error;
use crate::event::Recorded;
use crate::hub::{Hub, Joined};
use crate::table::events;

/// Events read from the journal at a time.
const PAGE: u32 = 256;

/// What a [`Tail`] meets next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Event(Arc<Recorded>),
    /// Everything up to this seq has been told; what follows happens now. Comes once, after a resume.
    Synced(i64),
}

/// A reader of one session's events. A reader that is slow goes back to the journal and misses nothing.
#[derive(Debug)]
pub struct Tail {
    session: SessionId,
    database: Database,
    hub: Arc<Hub>,
    receiver: Option<broadcast::Receiver<Arc<Recorded>>>,
    /// The last event that was told.
    told: i64,
    /// Events up to here are read from the journal rather than heard.
    read_until: i64,
    page: VecDeque<Arc<Recorded>>,
    announce_synced: bool,
}

impl Tail {
    /// Follows from `after` on, which everything up to `until` follows in the journal.
    pub(crate) fn new(
        database: Database,
        hub: Arc<Hub>,
        session: SessionId,
        joined: Joined,
        (after, until): (i64, i64),
    ) -> Self {
        Self {
            session,
            database,
            hub,
            receiver: Some(joined.receiver),
            told: after,
            read_until: until,
            page: VecDeque::new(),
            announce_synced: false,
        }
    }

    /// Announces where the past ends.
    pub(crate) fn announcing_synced(mut self) -> Self {
        self.announce_synced = true;
        self
    }

    /// The session that is followed.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Whether there is a past to tell first.
    pub fn is_behind(&self) -> bool {
        self.announce_synced || self.told < self.read_until
    }

    /// The last event that was told; whoever stops here resumes after it.
    pub fn position(&self) -> i64 {
        self.told
    }

    /// Waits for the next step. Cancel safe.
    pub async fn next(&mut self) -> Result<Step, Error> {
        loop {
            if let Some(recorded) = self.page.pop_front() {
                self.told = recorded.seq;
                return Ok(Step::Event(recorded));
            }
            if self.told < self.read_until {
                let mut reader = self.database.readers().acquire().await?;
                let page = events::page(&mut reader, self.session, self.told, self.read_until, PAGE).await?;
                if page.is_empty() {
                    self.read_until = self.told;
                }
                self.page.extend(page.into_iter().map(Arc::new));
                continue;
            }
            if std::mem::take(&mut self.announce_synced) {
                return Ok(Step::Synced(self.told));
            }
            let Some(receiver) = &mut self.receiver else {
                return Err(Error::ShuttingDown);
            };
            match receiver.recv().await {
                Ok(recorded) if recorded.seq <= self.told => {}
                Ok(recorded) if recorded.seq == self.told + 1 => {
                    self.told = recorded.seq;
                    return Ok(Step::Event(recorded));
                }
                // Missed some: they are in the journal, up to and with this one.
                Ok(recorded) => self.read_until = recorded.seq,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Err(Error::ShuttingDown),
            }
        }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        // The hub counts receivers, so this one has to be gone before it looks.
        self.receiver = None;
        self.hub.left(self.session);
    }
}
