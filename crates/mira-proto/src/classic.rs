//! The classic profile: one JSON object per frame, told apart by `type`.
//!
//! The frames keep the names, spellings and `null`s of the frontend that they were made for. A client's frame is read
//! by [`Incoming::parse`]; a server's is a [`ServerFrame`], and what answers a command is its `data`.

mod chat;
mod client;
mod code;
mod command;
mod documents;
mod files;
mod git;
mod memory;
mod operation;
mod project;
mod server;
mod transfer;

pub use chat::*;
pub use client::*;
pub use code::*;
pub use command::RawCommand;
pub use documents::*;
pub use files::*;
pub use git::*;
pub use memory::*;
pub use operation::*;
pub use project::*;
pub use server::*;
pub use transfer::*;
