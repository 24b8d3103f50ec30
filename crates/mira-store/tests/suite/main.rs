//! The floor on real files, and the vector stores behind their seam.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod contract;
#[cfg(feature = "embedded")]
mod embedded;
#[cfg(feature = "embedded")]
mod filters;
mod floor;
mod points;
