//! What a client may ask, whichever profile it speaks: the typed requests of [`mira_proto::native`], answered.

mod artifact;
mod chat;
mod fact;
mod files;
mod memory;
mod portable;
mod project;
mod recall;
mod session;
mod summary;
mod system;

use std::str::FromStr;
use std::sync::Arc;

use mira_memory::{Memory, Schedule};
use mira_ops::{MAX_WAITING_TURNS, Operations};
use mira_proto::native::{Limits, ModelBinding};
use mira_store::vector::Head;
use mira_store::{Clock, Database, InvalidId, Timestamp};
use mira_workspace::Workspace;
use tokio_util::sync::CancellationToken;

use crate::fault::Fault;
use crate::lanes::Lanes;
use crate::metrics::{Embeddings, Metrics};
pub(crate) use system::lag;

/// Everything that requests are answered with. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Mira {
    pub operations: Operations,
    pub database: Database,
    pub memory: Memory,
    pub workspace: Workspace,
    pub clock: Arc<dyn Clock>,
    pub lanes: Lanes,
    pub about: Arc<About>,
    pub metrics: Arc<Metrics>,
    /// Set once no turn runs any more, when the server stops: what is to be told has been published.
    pub drained: CancellationToken,
}

/// What the server says of itself.
#[derive(Debug)]
pub(crate) struct About {
    pub models: Vec<ModelBinding>,
    pub memory: AboutMemory,
    pub max_frame_bytes: usize,
    /// Bytes of events that may wait for one client.
    pub max_outbound_bytes: usize,
    pub heartbeat_seconds: u32,
    /// The session of a classic client that names none.
    pub default_session: String,
}

/// How memory is set up.
#[derive(Debug)]
pub(crate) struct AboutMemory {
    pub embeddings: Option<Arc<Embeddings>>,
    /// The address and the collection of the Qdrant server, where there is one.
    pub qdrant: Option<(String, String)>,
    pub heads: Vec<Head>,
    pub schedule: Schedule,
}

/// Entries of a page when the client does not say.
const PAGE: u32 = 50;

/// Entries of a page at most.
pub(crate) const MAX_PAGE: u32 = 500;

impl Mira {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            max_frame_bytes: crate::wire::size(self.about.max_frame_bytes),
            max_queued_turns: u32::try_from(MAX_WAITING_TURNS).unwrap_or(u32::MAX),
            max_buffered_events: u32::try_from(self.about.max_outbound_bytes / SMALLEST_EVENT_COST)
                .unwrap_or(u32::MAX),
        }
    }
}

/// Bytes that the transport counts for an event at least.
const SMALLEST_EVENT_COST: usize = 1024;

/// An id in a parameter.
pub(crate) fn id<T: FromStr<Err = InvalidId>>(text: &str, field: &str) -> Result<T, Fault> {
    text.parse()
        .map_err(|error: InvalidId| Fault::from(error).field(field))
}

/// An id in a parameter that may be left out.
fn optional_id<T: FromStr<Err = InvalidId>>(text: Option<&str>, field: &str) -> Result<Option<T>, Fault> {
    text.map(|text| id(text, field)).transpose()
}

/// The page size that a client asks for, within bounds.
fn page_size(limit: Option<u32>) -> u32 {
    limit.unwrap_or(PAGE).clamp(1, MAX_PAGE)
}

/// Where the next page goes on: after the last entry of a full page.
fn next_cursor<T>(page: &[T], size: u32, cursor: impl Fn(&T) -> String) -> Option<String> {
    (u32::try_from(page.len()) == Ok(size))
        .then(|| page.last().map(cursor))
        .flatten()
}
