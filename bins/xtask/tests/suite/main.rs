//! Checks of the whole workspace.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod layers;
mod tidy;
mod workspace;
