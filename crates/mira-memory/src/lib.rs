//! What Mira remembers: sessions and their messages, in SQLite.
//!
//! [`Memory`] is a handle over a [`Database`]; the functions of [`session`] and [`message`] take a connection, so that a
//! caller composes them with writes of its own in one transaction. The crate knows nothing of operations, sockets or
//! source code.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use std::sync::Arc;
//! use mira_memory::{Memory, NewMessage, Role};
//! use mira_store::{Database, SystemClock};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! let database = Database::open(&folder.path().join("memory.db")).await?;
//! let memory = Memory::open(database, Arc::new(SystemClock)).await?;
//!
//! let (session, _created) = memory.open_session("holidays").await?;
//! memory.save(NewMessage::new(session.id, Role::User, "We leave on Friday.")).await?;
//!
//! let recent = memory.page(session.id, None, 10).await?;
//! assert_eq!(recent[0].content, "We leave on Friday.");
//! # Ok::<(), mira_memory::Error>(()) }).unwrap();
//! ```

pub mod analysis;
mod curate;
mod embedding;
pub mod erase;
mod error;
mod expression;
pub mod fact;
mod form;
mod jobs;
mod lexical;
mod memory;
pub mod message;
mod names;
mod options;
pub mod outbox;
pub mod pattern;
pub mod portable;
pub mod profile;
pub mod recall;
pub mod relationship;
mod row;
pub mod salience;
mod scope;
pub mod secret;
mod semantic;
pub mod session;
pub mod stats;
pub mod summary;

pub use error::Error;
pub use jobs::{Job, Jobs, Record, Schedule, Status};
pub use memory::{Helpers, Memory};
pub use message::{Message, NewMessage, Role};
pub use options::Options;
pub use scope::Scope;
pub use semantic::IndexState;
pub use session::Session;
