//! Projects on a real disk with a real database.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod containment;
mod crash;
mod diff;
mod fixture;
mod listing;
mod projects;
mod searching;
mod undo;
mod writing;
