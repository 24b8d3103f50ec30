//! Requests that cannot be done.
