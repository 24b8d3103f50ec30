//! The server's side of a connection, played by the test.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use mira_proto::error::ErrorBody;
use mira_proto::native::{
    Event, EventNotification, Implementation, Initialize, InitializeParams, InitializeResult, Limits, Method,
    Notification, PROTOCOL_VERSION, ServerCapabilities, SessionOpen, SessionOpenResult, SessionResume,
    SessionResumeParams, SessionResumeResult, SessionSyncedNotification,
};
use mira_proto::rpc::{Id, Message, Response};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// Everything that is waited for has to come within this.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// The session of all tests.
pub(crate) const SESSION: &str = "01SESSION";

/// The operation of all tests.
pub(crate) const OPERATION: &str = "01OPERATION";

/// A port that clients connect to.
pub(crate) struct Fake {
    listener: TcpListener,
}

/// One client.
pub(crate) struct Peer {
    socket: WebSocketStream<TcpStream>,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/ws", self.listener.local_addr().unwrap())
    }

    /// Accepts a client up to the WebSocket.
    pub(crate) async fn accept_socket(&self) -> Peer {
        let (stream, _) = timeout(DEADLINE, self.listener.accept()).await.unwrap().unwrap();
        let socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        Peer { socket }
    }

    /// Accepts a client up to and with `initialize`.
    pub(crate) async fn accept(&self) -> Peer {
        self.accept_with(hello()).await.0
    }

    /// The same, with an answer of the test's choice; also gives what the client said.
    pub(crate) async fn accept_with(&self, hello: InitializeResult) -> (Peer, InitializeParams) {
        let mut peer = self.accept_socket().await;
        let (id, params) = peer.expect::<Initialize>().await;
        peer.reply(id, hello).await;
        (peer, params)
    }

    /// Accepts a client that opens the session, which has `last_seq` events and nothing running.
    pub(crate) async fn accept_open(&self, last_seq: u64) -> Peer {
        let mut peer = self.accept().await;
        let (id, _) = peer.expect::<SessionOpen>().await;
        peer.reply(id, opened(last_seq)).await;
        peer
    }

    /// Accepts a client that comes back, and replays these events, numbered on from those that it has.
    pub(crate) async fn accept_resume(&self, replay: Vec<Event>) -> (Peer, SessionResumeParams) {
        let mut peer = self.accept().await;
        let (id, params) = peer.expect::<SessionResume>().await;
        let watermark = params.after + replay.len() as u64;
        let result = SessionResumeResult {
            watermark,
            running: Vec::new(),
            in_flight: Vec::new(),
        };
        peer.reply(id, result).await;
        for (seq, event) in (params.after + 1..).zip(replay) {
            peer.event(seq, event).await;
        }
        let synced = SessionSyncedNotification {
            session_id: SESSION.to_owned(),
            seq: watermark,
        };
        peer.notify(Notification::SessionSynced(synced)).await;
        (peer, params)
    }

    /// Accepts a connection, reads the head of its HTTP request, answers with these bytes, and hangs up.
    pub(crate) async fn answer_http(&self, answer: &str) -> String {
        let (mut stream, _) = timeout(DEADLINE, self.listener.accept()).await.unwrap().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        String::from_utf8(head).unwrap()
    }
}

impl Peer {
    /// The next frame; none when the connection has ended.
    pub(crate) async fn frame(&mut self) -> Option<tungstenite::Message> {
        timeout(DEADLINE, self.socket.next())
            .await
            .unwrap()
            .transpose()
            .unwrap_or(None)
    }

    /// Waits for a call of this method.
    pub(crate) async fn expect<M: Method>(&mut self) -> (Id, M::Params) {
        let frame = self.frame().await.expect("the client has closed");
        let text = frame.to_text().unwrap().to_owned();
        let Ok(Message::Request(request)) = Message::parse(&text) else {
            panic!("not a request: {text}");
        };
        assert_eq!(request.method, M::NAME, "{text}");
        let params = request.params.expect("no parameters");
        (request.id, serde_json::from_str(params.get()).unwrap())
    }

    pub(crate) async fn reply(&mut self, id: Id, result: impl Serialize) {
        self.send(serde_json::to_string(&Response::result(id, result)).unwrap())
            .await;
    }

    pub(crate) async fn refuse(&mut self, id: Option<Id>, error: ErrorBody) {
        self.send(serde_json::to_string(&Response::<()>::error(id, error)).unwrap())
            .await;
    }

    pub(crate) async fn notify(&mut self, notification: Notification) {
        self.send(notification.to_frame().unwrap()).await;
    }

    pub(crate) async fn event(&mut self, seq: u64, event: Event) {
        self.notify(Notification::Event(recorded(seq, event))).await;
    }

    pub(crate) async fn send(&mut self, text: String) {
        self.socket.send(tungstenite::Message::text(text)).await.unwrap();
    }

    /// Closes politely.
    pub(crate) async fn close(mut self, code: u16, reason: &str) {
        let frame = CloseFrame {
            code: code.into(),
            reason: reason.to_owned().into(),
        };
        self.socket.close(Some(frame)).await.unwrap();
        while self.frame().await.is_some() {}
    }
}

pub(crate) fn hello() -> InitializeResult {
    InitializeResult {
        protocol_version: PROTOCOL_VERSION,
        server: Implementation {
            name: "fake".to_owned(),
            version: "0".to_owned(),
        },
        capabilities: ServerCapabilities::default(),
        heartbeat_seconds: 15,
        limits: Limits {
            max_frame_bytes: 4096,
            max_queued_turns: 4,
            max_buffered_events: 4096,
        },
        models: Vec::new(),
    }
}

pub(crate) fn opened(last_seq: u64) -> SessionOpenResult {
    SessionOpenResult {
        session_id: SESSION.to_owned(),
        name: Some("test".to_owned()),
        created: last_seq == 0,
        last_seq,
        running: Vec::new(),
        in_flight: Vec::new(),
    }
}

pub(crate) fn recorded(seq: u64, event: Event) -> EventNotification {
    EventNotification {
        session_id: SESSION.to_owned(),
        seq,
        time_ms: 1_700_000_000_000,
        event,
    }
}

/// A part of the answer.
pub(crate) fn part(offset: u64, delta: &str) -> Event {
    Event::Streaming {
        operation_id: OPERATION.to_owned(),
        item_id: "item".to_owned(),
        offset,
        delta: delta.to_owned(),
    }
}

pub(crate) fn completed() -> Event {
    Event::Completed {
        operation_id: OPERATION.to_owned(),
        message_id: None,
        usage: Vec::new(),
        limit: None,
    }
}
