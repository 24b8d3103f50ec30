#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod completions;
mod conversations;
mod embeddings;
mod failures;
#[cfg(feature = "local-embeddings")]
mod local;
mod oracle;
mod patience;
mod player;
mod responses;
mod scripted;
mod tokens;
