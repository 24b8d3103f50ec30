//! The two ends of a WebSocket as the application sees them.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;
use tungstenite::Utf8Bytes;

use super::{Options, close_code};

/// Received frames that wait for the application; beyond that the socket is not read.
const INBOX_FRAMES: usize = 16;

/// What the smallest outbound frame counts against the limit in bytes, so that it bounds the number of frames too.
const SMALLEST_FRAME_COST: usize = 1024;

/// The longest close reason in bytes (RFC 6455, 5.5: a control frame holds 125, two of them the code).
const CLOSE_REASON_BYTES: usize = 123;

/// One accepted WebSocket.
#[derive(Debug)]
pub struct Connection {
    pub peer: Peer,
    pub incoming: Incoming,
    pub outgoing: Outgoing,
}

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    pub address: SocketAddr,
    /// The page that opened the socket; none for a program.
    pub origin: Option<String>,
}

/// What the peer sends. Take frames promptly and handle them elsewhere: while several wait here, the socket is not read,
/// and a close of the peer goes unnoticed.
#[derive(Debug)]
pub struct Incoming {
    frames: mpsc::Receiver<Frame>,
    heartbeat: Interval,
    stopping: CancellationToken,
    stopping_told: bool,
}

/// What [`Incoming::next`] brings.
#[derive(Debug)]
pub enum Received {
    Frame(Frame),
    /// A heartbeat interval has passed: the moment to send a heartbeat of the application's own.
    Tick,
    /// The server is going down; told once. Finish what should not be cut and return: the connection is then closed
    /// with [`close_code::GOING_AWAY`]. Who has not returned when the grace time ends is cut off.
    Stopping,
    /// The socket is gone, and so is the peer. Told from then on.
    Closed,
}

/// A text message of the peer. It counts against the bytes that all peers may have buffered until it is dropped, so
/// keep it for as long as the request is being handled, and no longer.
#[derive(Debug)]
pub struct Frame {
    text: Utf8Bytes,
    _charge: Option<OwnedSemaphorePermit>,
}

/// The sending half; clones send to the same peer.
#[derive(Debug, Clone)]
pub struct Outgoing {
    queue: mpsc::UnboundedSender<Outbound>,
    lanes: Arc<Lanes>,
}

/// Why a frame was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error("the connection is closed")]
    Closed,
    #[error("the client does not read its events, and the connection is being closed")]
    SlowClient,
}

/// A queued frame, or the end.
#[derive(Debug)]
pub(super) enum Outbound {
    Frame {
        text: Bytes,
        seq: Option<u64>,
        permit: OwnedSemaphorePermit,
    },
    Close(Close),
}

/// A close frame to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: u16,
    pub(super) reason: String,
}

/// The connection's end of [`Outgoing`].
#[derive(Debug)]
pub(super) struct Outbox {
    queue: mpsc::UnboundedReceiver<Outbound>,
    lanes: Arc<Lanes>,
}

/// Bytes that may wait for one peer. Replies and events are counted apart: a long reply on its way over a slow line
/// must not make the first event after it look like a client that does not read.
#[derive(Debug)]
struct Lanes {
    capacity: usize,
    replies: Arc<Semaphore>,
    events: Arc<Semaphore>,
    overrun: CancellationToken,
    closing: OnceLock<()>,
}

impl Incoming {
    /// Waits for the next thing to happen. Cancel safe: nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Received {
        tokio::select! {
            () = self.stopping.cancelled(), if !self.stopping_told => {
                self.stopping_told = true;
                Received::Stopping
            }
            frame = self.frames.recv() => frame.map_or(Received::Closed, Received::Frame),
            _ = self.heartbeat.tick() => Received::Tick,
        }
    }
}

impl Frame {
    pub(super) fn new(text: Utf8Bytes, charge: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            text,
            _charge: charge,
        }
    }

    /// The message.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }
}

impl Outgoing {
    /// Queues a frame, waiting while the peer has more than its share outstanding. For replies: whoever asked can wait.
    /// A frame larger than the share goes out alone.
    ///
    /// Cancel safe: a dropped future has queued nothing.
    pub async fn send(&self, frame: String) -> Result<(), SendError> {
        let cost = self.lanes.cost(&frame);
        let permit = Arc::clone(&self.lanes.replies).acquire_many_owned(cost).await;
        let permit = permit.map_err(|_| SendError::Closed)?;
        self.queue_frame(frame, None, permit)
    }

    /// Queues an event, or gives the peer up: an event that finds no room closes the connection with
    /// [`close_code::SLOW_CLIENT`], because events cannot be left out and others must not wait. `seq` is the event's
    /// number in its session; the close reason tells the peer the last one that it is still given.
    pub fn try_send_event(&self, frame: String, seq: u64) -> Result<(), SendError> {
        let cost = self.lanes.cost(&frame);
        match Arc::clone(&self.lanes.events).try_acquire_many_owned(cost) {
            Ok(permit) => self.queue_frame(frame, Some(seq), permit),
            Err(_) if self.lanes.events.is_closed() => Err(SendError::Closed),
            Err(_) => {
                self.lanes.overrun.cancel();
                Err(SendError::SlowClient)
            }
        }
    }

    /// Closes the connection once everything queued so far is sent. The first call counts; `reason` is cut to the
    /// 123 bytes that fit.
    pub fn close(&self, code: u16, reason: &str) {
        if self.lanes.closing.set(()).is_ok() {
            // Fails only when the connection is gone, which is what was asked for.
            let _ = self.queue.send(Outbound::Close(Close::new(code, reason)));
        }
    }

    fn queue_frame(
        &self,
        text: String,
        seq: Option<u64>,
        permit: OwnedSemaphorePermit,
    ) -> Result<(), SendError> {
        let text = Bytes::from(text);
        self.queue
            .send(Outbound::Frame { text, seq, permit })
            .map_err(|_| SendError::Closed)
    }
}

impl Close {
    pub(super) fn new(code: u16, reason: &str) -> Self {
        let end = reason.floor_char_boundary(CLOSE_REASON_BYTES);
        Self {
            code,
            reason: reason.get(..end).unwrap_or_default().to_owned(),
        }
    }

    pub(super) fn slow_client(last_seq: Option<u64>) -> Self {
        let after = last_seq.map_or_else(|| "the last one received".to_owned(), |seq| seq.to_string());
        Self::new(
            close_code::SLOW_CLIENT,
            &format!("slow client, resume after seq {after}"),
        )
    }
}

impl Outbox {
    /// The next thing to send. Pends forever once every sender is gone.
    pub(super) async fn next(&mut self) -> Outbound {
        match self.queue.recv().await {
            Some(outbound) => outbound,
            None => std::future::pending().await,
        }
    }

    /// Cancelled when an event found no room.
    pub(super) fn overrun(&self) -> CancellationToken {
        self.lanes.overrun.clone()
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.lanes.replies.close();
        self.lanes.events.close();
    }
}

impl Lanes {
    fn cost(&self, frame: &str) -> u32 {
        let cost = frame.len().max(SMALLEST_FRAME_COST).min(self.capacity);
        u32::try_from(cost).unwrap_or(u32::MAX)
    }
}

/// Makes the application's ends and the connection's ends of one WebSocket.
pub(super) fn open(
    options: &Options,
    peer: Peer,
    stopping: CancellationToken,
) -> (Connection, mpsc::Sender<Frame>, Outbox) {
    let (inbox, frames) = mpsc::channel(INBOX_FRAMES);
    // Bounded by the permit that every frame in it holds.
    let (queue, queued) = mpsc::unbounded_channel();
    let lanes = Arc::new(Lanes {
        capacity: options.max_outbound_bytes,
        replies: Arc::new(Semaphore::new(options.max_outbound_bytes)),
        events: Arc::new(Semaphore::new(options.max_outbound_bytes)),
        overrun: CancellationToken::new(),
        closing: OnceLock::new(),
    });
    let mut heartbeat = interval_at(Instant::now() + options.heartbeat, options.heartbeat);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let incoming = Incoming {
        frames,
        heartbeat,
        stopping,
        stopping_told: false,
    };
    let outgoing = Outgoing {
        queue,
        lanes: Arc::clone(&lanes),
    };
    (
        Connection {
            peer,
            incoming,
            outgoing,
        },
        inbox,
        Outbox { queue: queued, lanes },
    )
}
