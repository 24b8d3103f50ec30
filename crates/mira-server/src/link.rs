//! What a connection does whichever profile it speaks: it takes frames, handles requests side by side, and follows
//! sessions.

use std::collections::HashMap;
use std::sync::Arc;

use mira_store::SessionId;
use tokio::sync::Semaphore;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::api::Mira;
use crate::lanes::Lanes;
use crate::transport::{Connection, Frame, Incoming, Outgoing, Received};

/// Requests of one connection that are handled at the same time; beyond that the next one waits to be read.
const IN_FLIGHT: usize = 64;

/// One client and the work that is under way for it.
pub(crate) struct Link {
    pub mira: Mira,
    pub outgoing: Outgoing,
    incoming: Incoming,
    /// The sessions whose events this client receives.
    following: HashMap<SessionId, AbortOnDropHandle<()>>,
    requests: TaskTracker,
    /// The answers to requests of one lane, in its order. Apart from the lanes of the server, so that a client that takes
    /// no answers holds up nobody else.
    answers: Lanes,
    in_flight: Arc<Semaphore>,
}

/// What a client's reader has to deal with.
pub(crate) enum Next {
    Frame(Frame),
    /// The moment for a heartbeat.
    Beat,
    /// The client is gone, or the server has drained.
    End,
}

impl Link {
    pub(crate) fn new(mira: Mira, connection: Connection) -> Self {
        let Connection {
            incoming, outgoing, ..
        } = connection;
        Self {
            mira,
            outgoing,
            incoming,
            following: HashMap::new(),
            requests: TaskTracker::new(),
            answers: Lanes::default(),
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT)),
        }
    }

    /// Waits for something to deal with.
    pub(crate) async fn next(&mut self) -> Next {
        loop {
            let received = tokio::select! {
                received = self.incoming.next() => received,
                () = self.mira.drained.cancelled() => return Next::End,
            };
            match received {
                Received::Frame(frame) => return Next::Frame(frame),
                Received::Tick => return Next::Beat,
                // The turns that run are given time; their events still go out.
                Received::Stopping => {}
                Received::Closed => {
                    self.following.clear();
                    return Next::End;
                }
            }
        }
    }

    /// Waits for what is under way: answers to requests, and events up to the last.
    pub(crate) async fn finish(self) {
        self.requests.close();
        self.requests.wait().await;
        for (_, follower) in self.following {
            // A follower ends by itself when the server has drained; it does not panic.
            let _ = follower.await;
        }
    }

    /// Sends an answer, waiting while the client takes none.
    pub(crate) async fn send(&self, text: String) {
        // A connection that is gone needs no answer.
        let _ = self.outgoing.send(text).await;
    }

    /// Beats without holding up the reader: a peer that takes nothing for several beats is let go anyway.
    pub(crate) fn beat(&self, text: String) {
        let outgoing = self.outgoing.clone();
        self.requests.spawn(async move {
            // A connection that is gone needs no heartbeat.
            let _ = outgoing.send(text).await;
        });
    }

    /// Handles a request beside others, after those in the same lane, and sends the texts that answer it, also after
    /// theirs. Its frame counts against the server's buffers until it is done.
    pub(crate) async fn handle(
        &self,
        lane: Option<String>,
        frame: Frame,
        answer: impl Future<Output = Vec<String>> + Send + 'static,
    ) {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.in_flight).acquire_owned().await.ok();
        let mut places = lane.map(|lane| (self.mira.lanes.join(lane.clone()), self.answers.join(lane)));
        let outgoing = self.outgoing.clone();
        self.requests.spawn(async move {
            if let Some((place, _)) = &mut places {
                place.turn().await;
            }
            let texts = answer.await;
            drop(frame);
            // From here on the next one may be handled.
            let mut to_answer = places.map(|(_, to_answer)| to_answer);
            if let Some(place) = &mut to_answer {
                place.turn().await;
            }
            for text in texts {
                // A connection that is gone needs no answer; what was asked is done.
                if outgoing.send(text).await.is_err() {
                    break;
                }
            }
            drop((to_answer, permit));
        });
    }

    pub(crate) fn follows(&self, session: SessionId) -> bool {
        self.following.contains_key(&session)
    }

    /// Runs what tells a session's events. Whatever did so before is to be stopped before the place is taken from which
    /// this one goes on, or events come from both.
    pub(crate) fn follow(&mut self, session: SessionId, forward: impl Future<Output = ()> + Send + 'static) {
        self.following
            .insert(session, AbortOnDropHandle::new(tokio::spawn(forward)));
    }

    /// Stops telling a session's events; none is sent once this returns.
    pub(crate) async fn unfollow(&mut self, session: SessionId) {
        if let Some(follower) = self.following.remove(&session) {
            follower.abort();
            // It ends as cancelled, which is what was asked for.
            let _ = follower.await;
        }
    }
}
