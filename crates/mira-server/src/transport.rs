//! The socket: HTTP and WebSocket on one port, and nothing about what the frames mean.
//!
//! [`Listener::bind`] takes the port, [`serve`] accepts connections until it is told to stop. What a frame means is the
//! business of the [`App`]: a function that is given one [`Connection`] per accepted WebSocket. The transport answers
//! for everything that must hold whatever the application does: who may connect, how much one peer and all peers
//! together may make the server buffer, who is still alive, and that a slow peer is let go instead of waited for.
//!
//! ```no_run
//! use mira_server::transport::{self, App, Connection, Received};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = transport::Listener::bind("127.0.0.1", 0, transport::Options::default()).await?;
//! let echo = App::new(|Connection { mut incoming, outgoing, .. }| async move {
//!     loop {
//!         match incoming.next().await {
//!             Received::Frame(frame) => {
//!                 if outgoing.send(frame.text().to_owned()).await.is_err() {
//!                     return;
//!                 }
//!             }
//!             Received::Tick => {}
//!             Received::Stopping | Received::Closed => return,
//!         }
//!     }
//! });
//! transport::serve(listener, echo, transport::Stop::default()).await;
//! # Ok(())
//! # }
//! ```

mod channel;
mod connection;
mod http;
mod listener;
mod origin;
mod refusal;
mod socket;
mod token;

use std::time::Duration;

use secrecy::SecretString;

pub use channel::{Connection, Frame, Incoming, Outgoing, Peer, Received, SendError};
pub use listener::{App, BindError, Listener, Readiness, Stop, serve};
pub use origin::{AllowedOrigins, InvalidOrigin};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// WebSocket close codes that the server sends. Codes below 4000 are those of RFC 6455; a client may reconnect after
/// any of them except [`UNAUTHORIZED`](close_code::UNAUTHORIZED).
pub mod close_code {
    /// The conversation is over.
    pub const NORMAL: u16 = 1000;
    /// The server is going down, or has heard nothing from the peer for too long.
    pub const GOING_AWAY: u16 = 1001;
    /// The peer broke the WebSocket protocol.
    pub const PROTOCOL: u16 = 1002;
    /// A text frame was not UTF-8.
    pub const NOT_UTF8: u16 = 1007;
    /// A frame was over the limit; an error frame that names the limit precedes this code.
    pub const TOO_LARGE: u16 = 1009;
    /// The application failed.
    pub const INTERNAL: u16 = 1011;
    /// The server buffers as much as it may; an error frame precedes this code. Worth trying again later.
    pub const TRY_AGAIN: u16 = 1013;
    /// The peer did not read events as fast as they came; the reason says after which `seq` to resume.
    pub const SLOW_CLIENT: u16 = 4008;
    /// No valid token was presented in time.
    pub const UNAUTHORIZED: u16 = 4401;
}

/// Limits and rules of the transport. `Default` is right for one person on one machine.
#[derive(Debug, Clone)]
pub struct Options {
    /// What a peer must present before anything else is looked at. Without one, only loopback addresses can be bound.
    pub auth_token: Option<SecretString>,
    /// The web pages that may connect. Programs that send no `Origin` are not concerned.
    pub allowed_origins: AllowedOrigins,
    /// Sockets open at the same time.
    pub max_connections: usize,
    /// The largest text message of a peer, in bytes.
    pub max_frame_bytes: usize,
    /// The same before the peer has presented its token.
    pub max_unauthenticated_frame_bytes: usize,
    /// Bytes of messages that all peers together may have under way: received in part, queued, or being handled.
    /// At least `max_frame_bytes`, or the largest message can never arrive.
    pub max_buffered_bytes: usize,
    /// Bytes waiting to be sent to one peer; once for replies, which wait, and once more for events, which do not.
    pub max_outbound_bytes: usize,
    /// Time between pings, and between [`Received::Tick`]s.
    pub heartbeat: Duration,
    /// A peer from which nothing came, or that accepted no byte, for this long is gone. Several heartbeats.
    pub dead_after: Duration,
    /// Time from the TCP connection to a complete HTTP request, and again from there to the frame with the token.
    pub handshake_timeout: Duration,
    /// Time that applications are given to end after [`Stop::soft`].
    pub shutdown_grace: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            auth_token: None,
            allowed_origins: AllowedOrigins::default(),
            max_connections: 1024,
            max_frame_bytes: 80 * MIB,
            max_unauthenticated_frame_bytes: MIB,
            max_buffered_bytes: 320 * MIB,
            max_outbound_bytes: 16 * MIB,
            heartbeat: Duration::from_secs(15),
            dead_after: Duration::from_secs(45),
            handshake_timeout: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(20),
        }
    }
}
