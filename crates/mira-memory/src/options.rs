//! How a memory behaves.

use std::time::Duration;

use mira_store::vector::Head;

/// What can be chosen. The defaults are those of the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The heads that vectors are made for.
    pub heads: Vec<Head>,
    /// Salience, 0 to 1, from which a message gets vectors; below it, it is found by its words alone.
    pub embed_min_salience: f64,
    /// Longest wait for the embedding of a query; after that recall goes by words alone and says so.
    pub query_embedding_timeout: Duration,
    /// Whether rolling summaries are made.
    pub summaries: bool,
    /// Messages that a rolling summary covers, 2 to 1,000; a long one covers ten times as many. Other values count as the
    /// nearest of these.
    pub summary_every: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            heads: Head::ALL.to_vec(),
            embed_min_salience: 0.3,
            query_embedding_timeout: Duration::from_millis(800),
            summaries: true,
            summary_every: 10,
        }
    }
}
