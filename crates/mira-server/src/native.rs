//! The native profile on one connection: JSON-RPC requests, their answers, and the events of the sessions it follows.

use std::collections::HashMap;
use std::sync::Arc;

use mira_ops::{Step, Tail};
use mira_proto::error::ErrorCode;
use mira_proto::native::{
    Call, Empty, HeartbeatNotification, Implementation, InitializeParams, InitializeResult, Notification,
    PROTOCOL_VERSION, ServerCapabilities, SessionOpenParams, SessionOpenResult, SessionRef,
    SessionResumeParams, SessionResumeResult, SessionSyncedNotification,
};
use mira_proto::rpc::{Id, Message, Response};
use mira_store::SessionId;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::api::Mira;
use crate::dispatch::Laned as _;
use crate::events;
use crate::fault::{Fault, chain};
use crate::transport::{Connection, Frame, Incoming, Outgoing, Received};
use crate::wire;

/// Requests of one connection that are handled at the same time; beyond that the next one waits to be read.
const IN_FLIGHT: usize = 64;

/// Serves a connection whose first frame was of this profile.
pub(crate) async fn serve(mira: Mira, first: Frame, connection: Connection) {
    let Connection {
        mut incoming,
        outgoing,
        ..
    } = connection;
    let mut client = Client {
        mira,
        outgoing,
        initialized: false,
        following: HashMap::new(),
        requests: TaskTracker::new(),
        in_flight: Arc::new(Semaphore::new(IN_FLIGHT)),
    };
    client.take(first).await;
    client.run(&mut incoming).await;
    client.finish().await;
}

struct Client {
    mira: Mira,
    outgoing: Outgoing,
    initialized: bool,
    /// The sessions whose events this connection receives.
    following: HashMap<SessionId, AbortOnDropHandle<()>>,
    requests: TaskTracker,
    in_flight: Arc<Semaphore>,
}

impl Client {
    async fn run(&mut self, incoming: &mut Incoming) {
        let drained = self.mira.drained.clone();
        loop {
            let received = tokio::select! {
                received = incoming.next() => received,
                () = drained.cancelled() => return,
            };
            match received {
                Received::Frame(frame) => self.take(frame).await,
                Received::Tick => self.heartbeat(),
                // The turns that run are given time; their events still go out.
                Received::Stopping => {}
                Received::Closed => {
                    self.following.clear();
                    return;
                }
            }
        }
    }

    /// Waits for what is under way: answers to requests, and events up to the last.
    async fn finish(self) {
        self.requests.close();
        self.requests.wait().await;
        for (_, follower) in self.following {
            // A follower ends by itself when the server has drained; it does not panic.
            let _ = follower.await;
        }
    }

    /// Beats without holding up the reader: a peer that takes nothing for several beats is let go anyway.
    fn heartbeat(&self) {
        if !self.initialized {
            return;
        }
        let outgoing = self.outgoing.clone();
        let frame = notification(&Notification::Heartbeat(HeartbeatNotification {
            time_ms: self.mira.now().ms(),
        }));
        self.requests.spawn(async move {
            // A connection that is gone needs no heartbeat.
            let _ = outgoing.send(frame).await;
        });
    }

    async fn take(&mut self, frame: Frame) {
        let request = match Message::parse(frame.text()) {
            Ok(Message::Request(request)) => request,
            // Nothing that a client tells unasked has a meaning yet, and the server asks nothing.
            Ok(Message::Notification(_) | Message::Response(_)) => return,
            Err(error) => {
                let response = text(&error.response());
                // A connection that is gone needs no answer.
                let _ = self.outgoing.send(response).await;
                return;
            }
        };
        let id = request.id;
        let call = match Call::parse(&request.method, request.params.as_deref()) {
            _ if !self.initialized && request.method != "initialize" => Err(Fault::new(
                ErrorCode::NotInitialized,
                "initialize must come first",
            )
            .hint("send initialize {protocol_version, client: {name, version}}")),
            Ok(call) => Ok(call),
            Err(error) => Err(error.into()),
        };
        match call {
            Err(fault) => self.answer(id, Err::<Empty, _>(fault)).await,
            Ok(Call::Initialize(params)) => {
                let result = self.initialize(&params);
                self.answer(id, result).await;
            }
            Ok(Call::SessionOpen(params)) => self.open(id, params).await,
            Ok(Call::SessionResume(params)) => self.resume(id, params).await,
            Ok(Call::SessionClose(params)) => {
                let result = self.close(&params);
                self.answer(id, result).await;
            }
            Ok(call) => self.dispatch(id, call, frame).await,
        }
    }

    fn initialize(&mut self, params: &InitializeParams) -> Result<InitializeResult, Fault> {
        if self.initialized {
            return Err(Fault::new(
                ErrorCode::NotInitialized,
                "this connection is initialized already",
            ));
        }
        if params.protocol_version != PROTOCOL_VERSION {
            return Err(Fault::new(
                ErrorCode::ProtocolVersion,
                format!(
                    "this server speaks protocol version {PROTOCOL_VERSION}, not {}",
                    params.protocol_version
                ),
            )
            .field("protocol_version"));
        }
        self.initialized = true;
        tracing::debug!(client = %params.client.name, version = %params.client.version, "initialized");
        Ok(InitializeResult {
            protocol_version: PROTOCOL_VERSION,
            server: Implementation {
                name: "mira".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            capabilities: ServerCapabilities {
                resume: Some(Empty {}),
                delegation: Some(Empty {}),
                artifacts: Some(Empty {}),
                projects: Some(Empty {}),
                files: Some(Empty {}),
                memory: Some(Empty {}),
            },
            heartbeat_seconds: self.mira.about.heartbeat_seconds,
            limits: self.mira.limits(),
            models: self.mira.about.models.clone(),
        })
    }

    async fn open(&mut self, id: Id, params: SessionOpenParams) {
        match self.mira.session_to_open(&params).await {
            Ok((session, created, opened)) => {
                let result = SessionOpenResult {
                    session_id: session.id.to_string(),
                    name: session.name,
                    created,
                    last_seq: wire::seq(opened.last_seq),
                    running: opened.running.iter().map(ToString::to_string).collect(),
                    in_flight: opened.texts.into_iter().map(wire::in_flight).collect(),
                };
                self.answer(id, Ok(result)).await;
                self.follow(opened.tail);
            }
            Err(fault) => self.answer(id, Err::<Empty, _>(fault)).await,
        }
    }

    async fn resume(&mut self, id: Id, params: SessionResumeParams) {
        match self.mira.session_to_resume(&params).await {
            Ok(resumed) => {
                let result = SessionResumeResult {
                    watermark: wire::seq(resumed.watermark),
                    running: resumed.running.iter().map(ToString::to_string).collect(),
                    in_flight: resumed.texts.into_iter().map(wire::in_flight).collect(),
                };
                self.answer(id, Ok(result)).await;
                self.follow(resumed.tail);
            }
            Err(fault) => self.answer(id, Err::<Empty, _>(fault)).await,
        }
    }

    fn close(&mut self, params: &SessionRef) -> Result<Empty, Fault> {
        let session: SessionId = params
            .session_id
            .parse()
            .map_err(|error| Fault::from(error).field("session_id"))?;
        self.following.remove(&session);
        Ok(Empty {})
    }

    /// Sends a session's events from now on, in place of whoever did it before.
    fn follow(&mut self, tail: Tail) {
        let session = tail.session();
        // First gone, then replaced, so that no event comes from both.
        self.following.remove(&session);
        let forward = forward(self.mira.clone(), tail, self.outgoing.clone());
        self.following
            .insert(session, AbortOnDropHandle::new(tokio::spawn(forward)));
    }

    /// Handles a request beside others, after those about the same thing. The frame counts against the server's buffers
    /// until then.
    async fn dispatch(&self, id: Id, call: Call, frame: Frame) {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.in_flight).acquire_owned().await.ok();
        let place = call.lane().map(|lane| self.mira.lanes.join(lane));
        let (mira, outgoing) = (self.mira.clone(), self.outgoing.clone());
        self.requests.spawn(async move {
            let mut place = place;
            if let Some(place) = &mut place {
                place.turn().await;
            }
            let result = mira.handle_once(call).await;
            drop((place, frame));
            // A connection that is gone needs no answer; what was asked is done.
            let _ = outgoing.send(response(id, result)).await;
            drop(permit);
        });
    }

    async fn answer<R: Serialize>(&self, id: Id, result: Result<R, Fault>) {
        // A connection that is gone needs no answer.
        let _ = self.outgoing.send(response(id, result)).await;
    }
}

/// Tells the events of a session until the connection goes, or the server has drained.
async fn forward(mira: Mira, mut tail: Tail, outgoing: Outgoing) {
    // The past waits for the client; what happens now does not, and a client that is too slow for it is let go.
    let mut past = tail.is_behind();
    loop {
        let step = tokio::select! {
            biased;
            step = tail.next() => step,
            () = mira.drained.cancelled() => return,
        };
        let told = match step {
            Ok(Step::Event(recorded)) => events::notification(&mira, &recorded)
                .await
                .map(|event| (Notification::Event(event), recorded.seq)),
            Ok(Step::Synced(seq)) => {
                past = false;
                let synced = SessionSyncedNotification {
                    session_id: tail.session().to_string(),
                    seq: wire::seq(seq),
                };
                Ok((Notification::SessionSynced(synced), seq))
            }
            Err(error) => Err(error.into()),
        };
        let sent = match told {
            Ok((told, _)) if past => outgoing.send(notification(&told)).await,
            Ok((told, seq)) => outgoing.try_send_event(notification(&told), wire::seq(seq)),
            Err(fault) => {
                tracing::error!(session = %tail.session(), error = %fault.0.message, "cannot follow a session");
                // The client resumes where it was, and meets the error by itself if it is still there.
                outgoing.close(crate::transport::close_code::INTERNAL, "resume the session");
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

fn response<R: Serialize>(id: Id, result: Result<R, Fault>) -> String {
    match result {
        Ok(result) => text(&Response::result(id, result)),
        Err(Fault(body)) => text(&Response::<Empty>::error(Some(id), body)),
    }
}

fn notification(told: &Notification) -> String {
    told.to_frame().unwrap_or_else(|error| unwritable(&error))
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| unwritable(&error))
}

/// Types of the wire have string keys and no fallible parts, so this is a defect; the client hears of it all the same.
fn unwritable(error: &serde_json::Error) -> String {
    tracing::error!(error = %chain(error), "a frame could not be written");
    r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"the server could not write its answer"}}"#
        .to_owned()
}
