//! The Mira server: the only crate that knows sockets and the environment.
//!
//! - [`config`] reads the environment and an optional file into a typed [`Config`](config::Config), and says everything
//!   that is wrong with them at once.
//! - [`transport`] owns the port: HTTP probes, WebSocket handshakes, limits, slow and dead peers, shutdown. It hands
//!   text frames to an application and knows nothing about what they mean.
//!
//! ```no_run
//! use mira_server::{
//!     config::Config,
//!     transport::{self, App, Listener, Stop},
//! };
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::from_environment()?;
//! let server = config.server;
//! let listener = Listener::bind(&server.host, server.port, server.transport).await?;
//! let farewell = App::new(|connection| async move { connection.outgoing.close(1000, "nobody is at home") });
//! transport::serve(listener, farewell, Stop::default()).await;
//! # Ok(())
//! # }
//! ```

mod api;
mod classic;
pub mod config;
mod dispatch;
mod events;
mod fault;
mod lanes;
mod link;
mod metrics;
mod native;
mod profile;
mod server;
pub mod transport;
mod wire;

/// A scripted model upstream, for demonstrations and tests without a key.
#[cfg(feature = "scripted")]
pub use mira_llm::scripted;
pub use server::{Progress, ReindexError, Reindexed, Server, StartError, reindex};
