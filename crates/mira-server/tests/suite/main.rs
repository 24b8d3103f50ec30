//! The server's parts over real sockets and real files.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod config;
mod lifecycle;
mod limits;
mod support;
mod transport;
