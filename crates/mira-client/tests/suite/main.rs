//! The client against a server that the test plays, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod client;
mod fake;
mod session;
