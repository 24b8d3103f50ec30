//! One open connection: pairs answers with calls, delivers notifications, notices silence.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use mira_proto::native::{InitializeResult, Notification, ParseError};
use mira_proto::rpc::{Id, Message, Outcome, Request, Response};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite;

use crate::caller::Command;
use crate::error::Error;
use crate::socket::{self, Socket};

/// Frames that may wait to be written.
const OUTGOING_FRAMES: usize = 64;

/// Calls that may wait for their answers; whoever calls beyond that waits.
const MAX_OPEN_CALLS: usize = 1024;

/// A server that takes no byte for this long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Heartbeats that may be missed before the connection counts as broken.
const SILENT_HEARTBEATS: u32 = 3;

type Reply = oneshot::Sender<Result<Box<RawValue>, Error>>;

/// The reading and pairing half.
pub(crate) struct Connection {
    incoming: Incoming,
    commands: mpsc::Receiver<Command>,
    outgoing: mpsc::Sender<String>,
    open_calls: HashMap<i64, (&'static str, Reply)>,
    last_id: i64,
    max_frame_bytes: u64,
}

/// The writing half.
pub(crate) struct Writer {
    sink: SplitSink<Socket, tungstenite::Message>,
    frames: mpsc::Receiver<String>,
}

struct Incoming {
    stream: SplitStream<Socket>,
    notifications: mpsc::Sender<Notification>,
    silence: Duration,
    /// When the connection counts as broken unless something is heard; none while reading pauses.
    deadline: Option<Instant>,
    /// What the server said about closing the connection, ahead of doing it.
    refusal: Option<String>,
}

impl Connection {
    pub(crate) fn new(
        socket: Socket,
        server: &InitializeResult,
        commands: mpsc::Receiver<Command>,
        notifications: mpsc::Sender<Notification>,
    ) -> (Self, Writer) {
        let (sink, stream) = socket.split();
        let (outgoing, frames) = mpsc::channel(OUTGOING_FRAMES);
        let connection = Self {
            incoming: Incoming {
                stream,
                notifications,
                silence: Duration::from_secs(server.heartbeat_seconds.max(1).into()) * SILENT_HEARTBEATS,
                deadline: None,
                refusal: None,
            },
            commands,
            outgoing,
            open_calls: HashMap::new(),
            last_id: 0,
            max_frame_bytes: server.limits.max_frame_bytes,
        };
        (connection, Writer { sink, frames })
    }

    /// Serves calls and notifications until the connection breaks, and says why it did.
    pub(crate) async fn run(mut self) -> Error {
        loop {
            if self.open_calls.len() >= MAX_OPEN_CALLS {
                self.open_calls.retain(|_, (_, reply)| !reply.is_closed());
            }
            tokio::select! {
                command = next_command(&mut self.commands, &self.outgoing), if self.open_calls.len() < MAX_OPEN_CALLS => {
                    match command {
                        Some(command) => self.send(command),
                        None => return Error::Lost,
                    }
                }
                message = self.incoming.next() => match message {
                    Ok(Message::Response(response)) => self.answer(response),
                    Ok(Message::Notification(notification)) => {
                        if let Err(error) = self.incoming.deliver(&notification.method, notification.params.as_deref()) {
                            return error;
                        }
                    }
                    // The profile has no requests from the server; a newer one may try.
                    Ok(Message::Request(request)) => {
                        tracing::debug!(method = request.method, "ignoring a request of the server");
                    }
                    Err(error) => return error,
                },
            }
        }
    }

    fn send(&mut self, command: Command) {
        let Command {
            method,
            params,
            reply,
        } = command;
        self.last_id += 1;
        let failure = match serde_json::to_string(&Request::new(Id::Number(self.last_id), method, params)) {
            Ok(frame) if frame.len() as u64 <= self.max_frame_bytes => {
                self.open_calls.insert(self.last_id, (method, reply));
                // Room was waited for, and nobody else sends. If the writer has just gone, the next call will tell.
                let _ = self.outgoing.try_send(frame);
                return;
            }
            Ok(frame) => Error::TooLarge {
                method,
                bytes: frame.len(),
                limit: self.max_frame_bytes,
            },
            Err(source) => Error::Encode {
                method,
                source: Arc::new(source),
            },
        };
        // Whoever called may have given up.
        let _ = reply.send(Err(failure));
    }

    fn answer(&mut self, response: Response<Box<RawValue>>) {
        let call = match &response.id {
            Some(Id::Number(id)) => self.open_calls.remove(id),
            Some(Id::String(_)) => None,
            None => {
                if let Outcome::Error(error) = response.outcome {
                    tracing::warn!(code = error.code, "the server refused a frame: {}", error.message);
                    self.incoming.refusal = Some(error.message);
                }
                return;
            }
        };
        let Some((method, reply)) = call else {
            return;
        };
        let answer = match response.outcome {
            Outcome::Result(result) => Ok(result),
            Outcome::Error(error) => Err(Error::Rpc {
                method,
                error: Box::new(error.into()),
            }),
        };
        // Whoever called may have given up.
        let _ = reply.send(answer);
    }
}

/// Takes a call once there is room to send it; none when the writer is gone. Cancel safe.
async fn next_command(
    commands: &mut mpsc::Receiver<Command>,
    outgoing: &mpsc::Sender<String>,
) -> Option<Command> {
    drop(outgoing.reserve().await.ok()?);
    commands.recv().await
}

impl Incoming {
    /// Reads the next message, once there is room for a notification. Cancel safe.
    async fn next(&mut self) -> Result<Message, Error> {
        loop {
            if self.notifications.capacity() == 0 {
                self.deadline = None;
                // An error means that nobody takes them any more, and no room is needed.
                let _ = self.notifications.reserve().await;
            }
            let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + self.silence);
            let frame = timeout_at(deadline, socket::read(&mut self.stream)).await;
            match frame {
                Ok(Ok(message)) => {
                    self.deadline = None;
                    if let Some(message) = message {
                        return Ok(message);
                    }
                }
                Ok(Err(Error::Disconnected { code, reason })) => {
                    let reason = self.refusal.take().unwrap_or(reason);
                    return Err(Error::Disconnected { code, reason });
                }
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(Error::Silent { after: self.silence }),
            }
        }
    }

    fn deliver(&self, method: &str, params: Option<&RawValue>) -> Result<(), Error> {
        let notification = match Notification::parse(method, params) {
            // Having been heard is all that a heartbeat is for; what is unknown comes from a newer server.
            Ok(Notification::Heartbeat(_)) | Err(ParseError::UnknownMethod { .. }) => return Ok(()),
            Ok(notification) => notification,
            Err(error @ ParseError::InvalidParams { .. }) => {
                return Err(Error::Unreadable {
                    problem: format!("notification `{method}`: {error}"),
                });
            }
        };
        // Room was waited for, and nobody else sends. If nobody takes them any more, nobody misses them.
        let _ = self.notifications.try_send(notification);
        Ok(())
    }
}

impl Writer {
    /// Writes frames until there will be none or the socket fails, then says goodbye.
    pub(crate) async fn run(mut self) {
        while let Some(frame) = self.frames.recv().await {
            let sent = timeout(WRITE_TIMEOUT, self.sink.send(tungstenite::Message::text(frame))).await;
            if !matches!(sent, Ok(Ok(()))) {
                // The reading half says what is wrong; this one only stops taking frames.
                return;
            }
        }
        // A courtesy to a server that may be gone.
        let _ = timeout(crate::client::CLOSE_TIMEOUT, self.sink.close()).await;
    }
}
