//! The native profile on one connection: JSON-RPC requests, their answers, and the events of the sessions it follows.

use mira_ops::{Step, Tail};
use mira_proto::error::ErrorCode;
use mira_proto::native::{
    Call, Empty, HeartbeatNotification, Implementation, InitializeParams, InitializeResult, Notification,
    PROTOCOL_VERSION, ServerCapabilities, SessionOpenParams, SessionOpenResult, SessionRef,
    SessionResumeParams, SessionResumeResult, SessionSyncedNotification,
};
use mira_proto::rpc::{Id, Message, Response};
use mira_store::chain;
use serde::Serialize;

use crate::api::{self, Mira};
use crate::dispatch::Laned as _;
use crate::events;
use crate::fault::Fault;
use crate::link::{Link, Next};
use crate::transport::{Connection, Frame, Outgoing, close_code};
use crate::wire;

/// Serves a connection whose first frame was of this profile.
pub(crate) async fn serve(mira: Mira, first: Frame, connection: Connection) {
    let mut client = Client {
        link: Link::new(mira, connection),
        initialized: false,
    };
    client.take(first).await;
    loop {
        match client.link.next().await {
            Next::Frame(frame) => client.take(frame).await,
            Next::Beat => client.heartbeat(),
            Next::End => break,
        }
    }
    client.link.finish().await;
}

struct Client {
    link: Link,
    initialized: bool,
}

impl Client {
    fn heartbeat(&self) {
        if self.initialized {
            let time_ms = self.link.mira.now().ms();
            let beat = Notification::Heartbeat(HeartbeatNotification { time_ms });
            self.link.beat(notification(&beat));
        }
    }

    async fn take(&mut self, frame: Frame) {
        let request = match Message::parse(frame.text()) {
            Ok(Message::Request(request)) => request,
            // Nothing that a client tells unasked has a meaning yet, and the server asks nothing.
            Ok(Message::Notification(_) | Message::Response(_)) => return,
            Err(error) => return self.link.send(text(&error.response())).await,
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
                let result = self.close(&params).await;
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
            heartbeat_seconds: self.link.mira.about.heartbeat_seconds,
            limits: self.link.mira.limits(),
            models: self.link.mira.about.models.clone(),
        })
    }

    async fn open(&mut self, id: Id, params: SessionOpenParams) {
        let opened = async {
            let (session, created) = self.link.mira.session_to_open(&params).await?;
            self.link.unfollow(session.id).await;
            let opened = self.link.mira.operations.open_session(session.id).await?;
            Ok::<_, Fault>((session, created, opened))
        }
        .await;
        match opened {
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
        let resumed = async {
            let session = api::id(&params.session_id, "session_id")?;
            let after = wire::from_seq(params.after);
            // Tried first: a refusal leaves the session followed as it is.
            drop(self.link.mira.operations.resume_session(session, after).await?);
            self.link.unfollow(session).await;
            Ok::<_, Fault>(self.link.mira.operations.resume_session(session, after).await?)
        }
        .await;
        match resumed {
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

    async fn close(&mut self, params: &SessionRef) -> Result<Empty, Fault> {
        let session = api::id(&params.session_id, "session_id")?;
        self.link.unfollow(session).await;
        Ok(Empty {})
    }

    fn follow(&mut self, tail: Tail) {
        let (mira, outgoing) = (self.link.mira.clone(), self.link.outgoing.clone());
        self.link.follow(tail.session(), forward(mira, tail, outgoing));
    }

    async fn dispatch(&self, id: Id, call: Call, frame: Frame) {
        let mira = self.link.mira.clone();
        let lane = call.lane();
        let answer = async move { vec![response(id, mira.handle_once(call).await)] };
        self.link.handle(lane, frame, answer).await;
    }

    async fn answer<R: Serialize>(&self, id: Id, result: Result<R, Fault>) {
        self.link.send(response(id, result)).await;
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
                outgoing.close(close_code::INTERNAL, "resume the session");
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
