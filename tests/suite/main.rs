//! The server program from outside: a real process over real sockets, SQLite and project directories, with a scripted
//! model upstream on the other side.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod chat;
mod classic;
mod harness;
mod native;
mod refusals;
mod socket;
mod story;
