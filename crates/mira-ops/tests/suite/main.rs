//! Operations on real files, with a scripted upstream behind both models.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod artifacts;
mod cancel;
mod chat;
mod delegation;
mod faults;
mod harness;
mod limits;
mod many;
mod queue;
mod restart;
mod storage;
mod story;
mod tail;
mod tools;
