//! The server program from outside: a real process over real sockets, SQLite and project directories, with a scripted
//! model upstream on the other side.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod cancel;
mod chat;
mod classic;
mod doors;
mod faults;
mod harness;
mod memory;
mod native;
mod refusals;
mod resume;
mod shutdown;
mod socket;
mod story;
mod transcripts;
