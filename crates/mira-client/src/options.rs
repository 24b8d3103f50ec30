//! Where to connect, and as whom.

use std::time::Duration;

use secrecy::SecretString;

/// Where to connect, and as whom.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server's socket, `ws://` or `wss://`, with its path.
    pub url: String,
    /// The server's token, where one is set. Sent in the `Authorization` header and in `initialize`.
    pub token: Option<SecretString>,
    /// The name of the program, for the server's log.
    pub client_name: String,
    /// The version of the program, for the server's log.
    pub client_version: String,
    /// Time from the first byte to the answer to `initialize`.
    pub connect_timeout: Duration,
    /// Time that a call may take, waiting for a reconnect included.
    pub call_timeout: Duration,
}

impl Options {
    /// The socket at `url`, with no token, ten seconds to connect and a minute for each call.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            token: None,
            client_name: env!("CARGO_PKG_NAME").to_owned(),
            client_version: env!("CARGO_PKG_VERSION").to_owned(),
            connect_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_mins(1),
        }
    }
}
