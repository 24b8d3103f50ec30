//! A client of the Mira server for Rust programs.
//!
//! A [`Session`] is what most programs want: it follows one session of the server, comes back by itself when the
//! connection breaks, and tells every event in order and once. Calls go through [`Session::call`], typed by the methods
//! of [`mira_proto::native`]; the answer to a turn comes as events.
//!
//! ```no_run
//! use mira_client::{Options, Session, Start, Texts, Update};
//! use mira_proto::native::{ChatSend, ChatSendParams, Event};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let options = Options::new("ws://127.0.0.1:8080/ws");
//! let mut session = Session::open(options, Start::Named("notes".into())).await?;
//! let turn = session
//!     .call::<ChatSend>(ChatSendParams {
//!         session_id: session.id().into(),
//!         content: "What did we decide about the index?".into(),
//!         ..ChatSendParams::default()
//!     })
//!     .await?;
//!
//! let mut texts = Texts::default();
//! loop {
//!     match session.next().await? {
//!         Update::Event(event) => match event.event {
//!             Event::Streaming { operation_id, item_id, offset, delta } if operation_id == turn.operation_id => {
//!                 print!("{}", texts.apply(&item_id, offset, &delta)?);
//!             }
//!             event if event.is_terminal() && event.operation_id() == Some(&turn.operation_id) => break,
//!             _ => {}
//!         },
//!         Update::Reconnecting { delay, cause, .. } => eprintln!("{cause}; trying again in {delay:?}"),
//!         Update::Resumed { missed } => eprintln!("connected again, {missed} events behind"),
//!         Update::Synced(_) => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A [`Client`] is one connection and nothing more, for programs that only call, or that mend connections themselves.
//!
//! Three things to know:
//!
//! - Queues are bounded. A program that opens a session takes its notifications or updates all the time; to call
//!   meanwhile, use a [`Caller`] in another task.
//! - A connection that says nothing for three of the server's heartbeats is broken. Nothing is asked of the program.
//! - Calls that change something carry an idempotency key, made here unless given, so that repeating one whose answer
//!   was lost does nothing twice.

mod backoff;
mod caller;
mod client;
mod connection;
mod error;
mod options;
mod session;
mod socket;
mod text;

pub use caller::Caller;
pub use client::Client;
pub use error::Error;
pub use options::Options;
pub use session::{Session, Start, Synced, Update};
pub use text::{MissingText, Texts};
