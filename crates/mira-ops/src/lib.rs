//! What Mira does with a user's turn: it is stored, queued, run against the models, journaled event by event, and ended
//! exactly once.
//!
//! [`Operations`] is the handle. [`Operations::send`] accepts a [`Turn`]; [`Operations::open_session`] and
//! [`Operations::resume_session`] give a [`Tail`] of the session's [events](event::Event); artifacts are reviewed, applied
//! and undone through [`Operations::apply`] and [`Operations::undo`].
//!
//! The crate knows nothing of the wire, of sockets or of the environment: models, directories and limits are given to it.
//! Its tables live in the database of [`mira_memory`] and [`mira_workspace`], because a message and the event that reports
//! it are written in one transaction.
//!
//! See `examples/offline.rs` for a whole turn against a scripted model.

pub mod artifact;
mod artifacts;
mod context;
mod delegation;
mod erase;
mod error;
pub mod event;
pub mod failure;
mod hub;
mod journal;
mod listen;
mod models;
mod once;
pub mod operation;
mod operations;
mod remembered;
mod table;
mod tail;
mod tool;
mod turn;
mod turns;

pub use artifacts::Apply;
pub use erase::{Erased, Forgotten, Sources};
pub use error::Error;
pub use event::{Event, Recorded};
pub use hub::{LiveText, TextKind};
pub use models::{Binding, Models};
pub use once::Keyed;
pub use operations::{Behind, Opened, Operations, Options, Parts, Resumed};
pub use table::artifacts::ArtifactFilter;
pub use tail::{Step, Tail};
pub use turns::{
    Accepted, Editor, MAX_EDITOR_BYTES, MAX_MESSAGE_BYTES, MAX_WAITING_TURNS, Selection, Turn, TurnPart,
};
