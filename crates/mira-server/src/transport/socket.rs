//! One WebSocket on one TCP stream, without a task: bytes in, messages out, and the count of what is buffered.
//!
//! tungstenite's protocol machine reads straight from the socket through [`Pipe`], which is where bytes are counted
//! while a message grows. Outbound data frames do not go through it: a server's frames are a header and the payload as
//! it is, so they are written from where they lie. The machine's own buffer keeps the size of the largest frame it ever
//! held, and draining it in parts is quadratic.

use std::{
    collections::VecDeque,
    io::{self, IoSlice, Read, Write},
    sync::Arc,
    time::Duration,
};

use bytes::{Buf, Bytes};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};
use tungstenite::{
    Message,
    protocol::{
        CloseFrame, Role, WebSocketConfig, WebSocketContext,
        frame::{
            Frame as WireFrame, FrameHeader,
            coding::{Data, OpCode},
        },
    },
};

use super::{
    KIB, MIB,
    channel::{Close, Frame},
    close_code,
    refusal::Refusal,
};

/// Read buffer of a connection, allocated for as long as it is open.
const READ_BUFFER_BYTES: usize = 8 * KIB;

/// Answers to pings that may wait in the protocol machine; beyond that only the latest ping is answered.
const CONTROL_BUFFER_BYTES: usize = KIB;

/// Read at most this much before other connections get their turn.
const READ_BURST_BYTES: usize = 256 * KIB;

/// Bytes of a message that count against no budget, so that somebody else's upload never stands in the way of a prompt
/// or a cancellation.
const UNCHARGED_BYTES: usize = 16 * KIB;

/// Chunks handed to the kernel at once.
const WRITE_SLICES: usize = 8;

/// What a control frame adds to its payload on the way from a client: two bytes and the mask.
const CONTROL_HEADER_BYTES: usize = 6;

/// How long the end of a connection may take: the last frames out, and the peer's data in until it has seen them.
const CLOSE_LINGER: Duration = Duration::from_secs(2);

pub(super) struct Socket {
    stream: TcpStream,
    protocol: WebSocketContext,
    meter: Meter,
    unsent: VecDeque<Chunk>,
    progress: Instant,
    /// Set by a failed read: from there on frames can no longer be told apart, and the protocol machine must be left alone.
    broken: bool,
}

/// What one call of [`Socket::read`] brought.
pub(super) enum Inbound {
    Text(Frame),
    Binary,
    /// A ping or a pong; dealt with.
    Control,
    /// The peer closes; the answer is queued.
    Close,
    /// Nothing more until the socket is readable.
    Nothing,
}

/// Why a connection cannot go on.
pub(super) enum Failure {
    Lost,
    TooLarge { limit: usize },
    OverBudget,
    NotUtf8,
    Protocol(String),
}

/// How a connection ends.
pub(super) enum End {
    /// The peer is gone or has closed: there is nobody to talk to.
    Gone,
    /// We close, after an error frame where the peer ought to know more than fits a close reason.
    Close { refusal: Option<Refusal>, close: Close },
}

struct Chunk {
    bytes: Bytes,
    _permit: Option<OwnedSemaphorePermit>,
}

/// Counts the message that is being received.
struct Meter {
    received: usize,
    charge: Option<OwnedSemaphorePermit>,
    budget: Arc<Semaphore>,
    heard: Instant,
}

impl Socket {
    /// Takes over a stream after its handshake; `read_ahead` is what came right behind it.
    pub(super) fn new(
        stream: TcpStream,
        read_ahead: Bytes,
        max_frame_bytes: usize,
        budget: Arc<Semaphore>,
    ) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(CONTROL_BUFFER_BYTES)
            .max_frame_size(Some(max_frame_bytes))
            .max_message_size(Some(max_frame_bytes));
        let now = Instant::now();
        Self {
            stream,
            protocol: WebSocketContext::from_partially_read(read_ahead.into(), Role::Server, Some(config)),
            meter: Meter {
                received: 0,
                charge: None,
                budget,
                heard: now,
            },
            unsent: VecDeque::new(),
            progress: now,
            broken: false,
        }
    }

    /// From now on messages may be this large.
    pub(super) fn set_max_frame_bytes(&mut self, max_frame_bytes: usize) {
        self.protocol.set_config(|config| {
            config.max_frame_size = Some(max_frame_bytes);
            config.max_message_size = Some(max_frame_bytes);
        });
    }

    /// Takes the next message without waiting. Call again until it brings [`Inbound::Nothing`].
    pub(super) fn read(&mut self) -> Result<Inbound, Failure> {
        let mut pipe = Pipe {
            stream: &self.stream,
            meter: &mut self.meter,
            unsent: &mut self.unsent,
            burst: READ_BURST_BYTES,
        };
        match self.protocol.read(&mut pipe) {
            Ok(Message::Text(text)) => Ok(Inbound::Text(Frame::new(text, self.meter.finish()))),
            Ok(Message::Binary(_)) => {
                drop(self.meter.finish());
                Ok(Inbound::Binary)
            }
            Ok(Message::Ping(payload) | Message::Pong(payload)) => {
                self.meter.received = self
                    .meter
                    .received
                    .saturating_sub(CONTROL_HEADER_BYTES + payload.len());
                Ok(Inbound::Control)
            }
            Ok(Message::Close(_)) => Ok(Inbound::Close),
            // Never read from a stream, by its own account.
            Ok(Message::Frame(_)) => Ok(Inbound::Control),
            Err(error) => match Failure::from_error(error, self.protocol.get_config()) {
                Some(failure) => {
                    self.broken = true;
                    Err(failure)
                }
                None => Ok(Inbound::Nothing),
            },
        }
    }

    /// Queues a text message; its permit is given back when the kernel has the last byte.
    pub(super) fn queue_text(&mut self, text: Bytes, permit: Option<OwnedSemaphorePermit>) {
        let header = FrameHeader {
            opcode: OpCode::Data(Data::Text),
            ..FrameHeader::default()
        };
        let mut head = Vec::new();
        if header.format(text.len() as u64, &mut head).is_ok() {
            self.unsent.push_back(Chunk {
                bytes: head.into(),
                _permit: None,
            });
            self.unsent.push_back(Chunk {
                bytes: text,
                _permit: permit,
            });
        }
    }

    pub(super) fn queue_ping(&mut self) {
        self.queue_control(WireFrame::ping(Bytes::new()));
    }

    fn queue_close(&mut self, close: Close) {
        let frame = CloseFrame {
            code: close.code.into(),
            reason: close.reason.into(),
        };
        self.queue_control(WireFrame::close(Some(frame)));
    }

    fn queue_control(&mut self, frame: WireFrame) {
        let mut bytes = Vec::new();
        // Writing to memory cannot fail.
        if frame.format(&mut bytes).is_ok() {
            self.unsent.push_back(Chunk {
                bytes: bytes.into(),
                _permit: None,
            });
        }
    }

    /// Writes what the kernel takes, without waiting.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        loop {
            while !self.unsent.is_empty() {
                let slices: Vec<IoSlice<'_>> = self
                    .unsent
                    .iter()
                    .take(WRITE_SLICES)
                    .map(|chunk| IoSlice::new(&chunk.bytes))
                    .collect();
                match self.stream.try_write_vectored(&slices) {
                    Ok(written) => self.advance(written),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
            // Nothing else waits, so it is the turn of the pongs that the protocol machine holds.
            let mut pipe = Pipe {
                stream: &self.stream,
                meter: &mut self.meter,
                unsent: &mut self.unsent,
                burst: 0,
            };
            match self.protocol.flush(&mut pipe) {
                // The errors say that the close handshake is over. What was to be written has been.
                Ok(()) | Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed) => {}
                Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(io::Error::other(error)),
            }
            if self.unsent.is_empty() {
                return Ok(());
            }
        }
    }

    fn advance(&mut self, mut written: usize) {
        self.progress = Instant::now();
        while let Some(chunk) = self.unsent.front_mut() {
            if chunk.bytes.len() > written {
                chunk.bytes.advance(written);
                return;
            }
            written -= chunk.bytes.len();
            self.unsent.pop_front();
        }
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        self.stream.readable().await
    }

    pub(super) async fn writable(&self) -> io::Result<()> {
        self.stream.writable().await
    }

    /// Whether everything queued is with the kernel.
    pub(super) fn is_drained(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Says that the peer could not be heard because we did not listen.
    pub(super) fn not_listening(&mut self) {
        self.meter.heard = Instant::now();
    }

    /// Whether the peer has been silent, or has taken nothing of what waits for it, for this long.
    pub(super) fn is_dead(&self, after: Duration) -> bool {
        self.meter.heard.elapsed() >= after || (!self.is_drained() && self.progress.elapsed() >= after)
    }

    /// Ends the connection. What was queued goes out first.
    pub(super) async fn finish(mut self, end: End) {
        let parting = async {
            match end {
                End::Gone => self.send_rest().await,
                End::Close { refusal, close } => {
                    if let Some(refusal) = refusal {
                        self.queue_text(refusal.frame().into(), None);
                    }
                    self.queue_close(close);
                    self.send_rest().await?;
                    self.await_answer().await
                }
            }
        };
        // A peer that is gone or takes too long is left; there is nothing further to do about it.
        let _ = timeout(CLOSE_LINGER, parting).await;
    }

    async fn send_rest(&mut self) -> io::Result<()> {
        loop {
            self.flush()?;
            if self.is_drained() {
                return self.stream.shutdown().await;
            }
            self.writable().await?;
        }
    }

    /// Reads on until the peer has seen the close frame. Closing a socket with unread data would reset it, and the
    /// reset would overtake the frames just sent.
    async fn await_answer(&mut self) -> io::Result<()> {
        while !self.broken {
            match self.read() {
                Ok(Inbound::Nothing) => self.readable().await?,
                Ok(Inbound::Close) | Err(Failure::Lost) => return Ok(()),
                Ok(Inbound::Text(_) | Inbound::Binary | Inbound::Control) | Err(_) => {}
            }
        }
        let mut discarded = [0; KIB];
        loop {
            self.readable().await?;
            match self.stream.try_read(&mut discarded) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Failure {
    /// None when the error only says that there is nothing to read now.
    fn from_error(error: tungstenite::Error, config: &WebSocketConfig) -> Option<Self> {
        use tungstenite::{Error, error::ProtocolError};
        Some(match error {
            Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Error::Io(error) if error.kind() == io::ErrorKind::QuotaExceeded => Self::OverBudget,
            Error::Capacity(_) => Self::TooLarge {
                limit: config.max_message_size.unwrap_or(usize::MAX),
            },
            Error::Utf8(_) => Self::NotUtf8,
            Error::Io(_)
            | Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Lost,
            error => Self::Protocol(error.to_string()),
        })
    }
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Lost => Self::Gone,
            Failure::TooLarge { limit } => {
                let size = if limit >= MIB {
                    format!("{} MiB", limit / MIB)
                } else {
                    format!("{limit} bytes")
                };
                let message = format!("the frame is larger than the limit of {size}");
                Self::refuse(close_code::TOO_LARGE, Refusal::new(413, "too_large", message))
            }
            Failure::OverBudget => Self::refuse(
                close_code::TRY_AGAIN,
                Refusal::new(
                    503,
                    "queue_full",
                    "the server is receiving as much as it may hold; try again shortly",
                )
                .retryable(),
            ),
            Failure::NotUtf8 => Self::close(close_code::NOT_UTF8, "text frames are UTF-8"),
            Failure::Protocol(violation) => Self::close(close_code::PROTOCOL, &violation),
        }
    }
}

impl End {
    pub(super) fn close(code: u16, reason: &str) -> Self {
        Self::Close {
            refusal: None,
            close: Close::new(code, reason),
        }
    }

    pub(super) fn refuse(code: u16, refusal: Refusal) -> Self {
        let close = Close::new(code, &refusal.message);
        Self::Close {
            refusal: Some(refusal),
            close,
        }
    }
}

impl Meter {
    fn count(&mut self, bytes: usize) -> io::Result<()> {
        self.heard = Instant::now();
        let before = self.received;
        self.received += bytes;
        let charge = self.received.saturating_sub(UNCHARGED_BYTES.max(before));
        if charge == 0 {
            return Ok(());
        }
        let charge = u32::try_from(charge).ok();
        let permit = charge.and_then(|charge| Arc::clone(&self.budget).try_acquire_many_owned(charge).ok());
        let permit = permit.ok_or(io::ErrorKind::QuotaExceeded)?;
        match &mut self.charge {
            Some(charge) => charge.merge(permit),
            none @ None => *none = Some(permit),
        }
        Ok(())
    }

    /// A message is complete and takes its charge along. What has come of the next one is at most a read buffer.
    fn finish(&mut self) -> Option<OwnedSemaphorePermit> {
        self.received = 0;
        self.charge.take()
    }
}

/// The stream as the protocol machine sees it.
struct Pipe<'a> {
    stream: &'a TcpStream,
    meter: &'a mut Meter,
    unsent: &'a mut VecDeque<Chunk>,
    burst: usize,
}

impl Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(self.burst);
        let Some(buffer) = buffer.get_mut(..room).filter(|buffer| !buffer.is_empty()) else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let received = self.stream.try_read(buffer)?;
        self.burst -= received;
        self.meter.count(received)?;
        Ok(received)
    }
}

impl Write for Pipe<'_> {
    /// Takes answers to pings only when nothing else waits, so that a peer which pings and does not read cannot make
    /// them pile up.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.unsent.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.unsent.push_back(Chunk {
            bytes: Bytes::copy_from_slice(bytes),
            _permit: None,
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
