//! The seam to similarity search: points with a vector in one of five heads, and a payload to filter by.
//!
//! A [`VectorStore`] is derived data. Whoever owns the points keeps the embeddings elsewhere (mira-memory keeps them in
//! SQLite) and brings a store up to date by comparing its [`VectorStore::inventory`] with that truth; so a store may lose
//! everything at any time without loss.

#[cfg(feature = "embedded")]
mod embedded;
pub mod f16;
#[cfg(feature = "qdrant")]
mod qdrant;

use std::fmt::{self, Debug};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

#[cfg(feature = "embedded")]
pub use self::embedded::EmbeddedVectors;
#[cfg(feature = "qdrant")]
pub use self::qdrant::{QdrantOptions, QdrantVectors};
use crate::{ProjectId, SessionId, Timestamp};

/// What a vector is for. Points of one head are compared with each other only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// What was said, by meaning.
    Semantic,
    /// Source code and talk about it.
    Code,
    /// Summaries of conversations.
    Summary,
    /// Pieces of documents.
    Documents,
    /// What is known of the user.
    Relationship,
}

impl Head {
    /// Every head, in a fixed order.
    pub const ALL: [Self; 5] = [
        Self::Semantic,
        Self::Code,
        Self::Summary,
        Self::Documents,
        Self::Relationship,
    ];

    /// The stored form, also the name of the vector in a server.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Semantic => "semantic",
            Self::Code => "code",
            Self::Summary => "summary",
            Self::Documents => "documents",
            Self::Relationship => "relationship",
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Identifies a point over all heads: the ULID of the thing that was embedded. ULIDs of different kinds of things do not
/// collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PointId(pub Ulid);

/// What a set of vectors was made with. Vectors of different spaces cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// [`Embedder::name`] of the embedder; a store never interprets it.
    ///
    /// [`Embedder::name`]: https://docs.rs/mira-llm
    pub embedder: String,
    /// Length of every vector.
    pub dimension: usize,
    /// Version of the way in which a thing becomes the text that is embedded.
    pub text_form: u32,
}

/// What a point can be filtered by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// The kind of thing: `message`, `summary`, `fact`, `document`, `element`.
    pub kind: String,
    pub session: Option<SessionId>,
    pub project: Option<ProjectId>,
    pub user: String,
    pub role: Option<String>,
    pub time: Timestamp,
    pub tags: Vec<String>,
    /// 0 to 1.
    pub salience: f32,
}

/// A vector of one head with what it can be found and filtered by.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    pub id: PointId,
    pub head: Head,
    /// Rises whenever the vector or the payload of this id and head changes, so that an inventory shows what is stale.
    pub version: i64,
    /// [`Space::dimension`] finite numbers; compared by cosine, so the length does not matter.
    pub vector: Vec<f32>,
    pub payload: Payload,
}

/// Which points count. Every part that is given must hold; an empty filter takes all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// One of these ids.
    pub ids: Option<Vec<PointId>>,
    /// One of these sessions.
    pub sessions: Option<Vec<SessionId>>,
    /// None of these sessions.
    pub not_sessions: Vec<SessionId>,
    pub project: Option<ProjectId>,
    pub user: Option<String>,
    /// One of these roles.
    pub roles: Option<Vec<String>>,
    /// One of these kinds.
    pub kinds: Option<Vec<String>>,
    /// Has this tag.
    pub tag: Option<String>,
    /// From this time on.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// At least this salience.
    pub min_salience: Option<f32>,
}

/// A question for the nearest points of one head.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    pub head: Head,
    pub vector: Vec<f32>,
    pub filter: Filter,
    pub limit: usize,
    /// Compare with every point that passes the filter instead of walking the graph.
    pub exact: bool,
}

/// A point that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    pub id: PointId,
    /// Cosine similarity, -1 to 1.
    pub similarity: f32,
}

/// How a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whether searches are answered.
    pub ready: bool,
    /// For people: where it is, and what is wrong.
    pub detail: String,
}

/// The future of a store's method.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, VectorError>>;

/// A place to search for similar vectors.
///
/// All methods are cancel safe in that a dropped future leaves each point either as it was or as it should become.
pub trait VectorStore: Send + Sync + Debug {
    /// Makes ready to keep vectors of this space; does nothing when it is ready. Vectors of another space are refused with
    /// [`VectorError::OtherSpace`]; `replace` throws them away instead.
    fn ensure<'a>(&'a self, space: &'a Space, replace: bool) -> Answer<'a, ()>;

    /// Adds points, or replaces those with the same id and head. Points that cannot be kept (a vector of another length, a
    /// number that is not finite) are refused together and nothing is changed.
    fn upsert(&self, points: Vec<Point>) -> Answer<'_, ()>;

    /// Removes, from every head or one, the points that pass the filter.
    fn delete<'a>(&'a self, head: Option<Head>, filter: &'a Filter) -> Answer<'a, ()>;

    /// The nearest points for each search, best first; equal similarities by id.
    fn search<'a>(&'a self, searches: &'a [Search]) -> Answer<'a, Vec<Vec<Hit>>>;

    /// How many points of a head pass the filter, exactly.
    fn count<'a>(&'a self, head: Head, filter: &'a Filter) -> Answer<'a, u64>;

    /// Every point of a head with its version.
    fn inventory(&self, head: Head) -> Answer<'_, Vec<(PointId, i64)>>;

    /// Makes what was written survive a restart, where the store can.
    fn flush(&self) -> Answer<'_, ()>;

    /// Never fails: what is wrong stands in the answer.
    fn health(&self) -> BoxFuture<'_, Health>;

    /// Flushes and lets go. Later calls fail.
    fn close(&self) -> Answer<'_, ()>;
}

/// What can go wrong with a vector store.
#[derive(Debug, thiserror::Error)]
pub enum VectorError {
    /// The store holds vectors of another embedder, dimension or text form.
    #[error("the vectors were made with {found}, not with {wanted}; run `mira-backend reindex`")]
    OtherSpace { found: Space, wanted: Space },
    /// [`VectorStore::ensure`] has not been called.
    #[error("the vector store was not told which vectors it keeps")]
    NotReady,
    /// A vector of the wrong length, or one that is not made of finite numbers.
    #[error("a vector of {found} numbers instead of {expected} finite ones")]
    BadVector { expected: usize, found: usize },
    /// The index in the process failed.
    #[error("the vector index could not {attempted}: {detail}")]
    Index { attempted: &'static str, detail: String },
    /// A file of the index could not be read or written.
    #[error("could not access the vector index {path}")]
    File {
        path: std::path::PathBuf,
        source: std::io::Error,
    },
    /// The vector server refused, or cannot be reached.
    #[error("the vector server at {url} could not {attempted}")]
    Server {
        url: String,
        attempted: &'static str,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store was closed.
    #[error("the vector store is closed")]
    Closed,
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({} dimensions, text form {})",
            self.embedder, self.dimension, self.text_form
        )
    }
}
