//! Making the vectors of a data directory anew.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mira_memory::{IndexState, Memory, Schedule};
use mira_store::{DataDirectory, Database, SystemClock};

use super::{StartError, memory, memory::EMBEDDER_HINT};
use crate::config::Config;

/// The pause between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(200);

/// How often work that failed is taken up again.
const RETRY: Duration = Duration::from_secs(2);

/// How long it may go on with nothing but failures.
const PATIENCE: Duration = Duration::from_secs(30);

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Stored vectors are put into the index.
    Indexing { done: u64, total: u64 },
    /// Texts are embedded.
    Embedding { done: u64, total: u64 },
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reindexed {
    /// Whether all vectors were thrown away, because another embedder had made them.
    pub renewed: bool,
    /// Things that were embedded.
    pub embedded: u64,
}

/// Why vectors were not made.
#[derive(Debug, thiserror::Error)]
pub enum ReindexError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("there is no embedder: {EMBEDDER_HINT}")]
    NoEmbedder,
    #[error("the vectors could not be made")]
    Memory(#[from] mira_memory::Error),
    /// What was embedded before is kept; running it again goes on from there.
    #[error("{waiting} texts could not be embedded: {error}; run it again to go on")]
    Embedding { waiting: u64, error: String },
    #[error("the index is not complete: {0}")]
    Index(String),
}

/// Makes vectors for everything that deserves them, with the configured embedder: those of another embedder are thrown
/// away, those that fit are kept. No server may run on the data directory. Can be killed at any time and run again.
pub async fn reindex(
    config: Config,
    progress: impl Fn(Progress) + Send + Sync,
) -> Result<Reindexed, ReindexError> {
    let Config {
        storage,
        models,
        memory: configured,
        ..
    } = config;
    if configured.embedder.is_none() {
        return Err(ReindexError::NoEmbedder);
    }
    let directory = DataDirectory::lock(&storage.data_dir).map_err(StartError::from)?;
    let database = Database::open(&storage.database)
        .await
        .map_err(StartError::from)?;
    let place = (&database, directory.path());
    let opened = memory::open(&configured, &models.calls, None, place, Arc::new(SystemClock)).await?;
    let done = make(&opened.memory, &progress).await;
    if let Some(vectors) = opened.vectors {
        let closed = vectors.close().await;
        closed.map_err(mira_memory::Error::from)?;
    }
    database.close().await;
    done
}

async fn make(
    memory: &Memory,
    progress: &(impl Fn(Progress) + Send + Sync),
) -> Result<Reindexed, ReindexError> {
    let renewed = memory.renew_embeddings().await? > 0;
    memory
        .refill(|done, total| progress(Progress::Indexing { done, total }))
        .await?;
    let embedding_alone = Schedule {
        analysis: None,
        embedding: Some(RETRY),
        summaries: None,
        decay: None,
        sweep: None,
        report: None,
    };
    let jobs = memory.start_jobs(embedding_alone);
    let embedded = embed(memory, progress).await;
    jobs.stop().await;
    let embedded = embedded?;
    match memory.index() {
        IndexState::Ready => Ok(Reindexed { renewed, embedded }),
        unfinished => Err(ReindexError::Index(unfinished.problem().unwrap_or_default())),
    }
}

/// Waits until everything is embedded, and says how much that was.
async fn embed(memory: &Memory, progress: &(impl Fn(Progress) + Send + Sync)) -> Result<u64, ReindexError> {
    let total = memory.status().await?.embedding.waiting;
    let mut left = total;
    let mut moved = Instant::now();
    loop {
        let backlog = memory.status().await?.embedding;
        if backlog.waiting != left {
            moved = Instant::now();
            left = backlog.waiting;
        }
        progress(Progress::Embedding {
            done: total.saturating_sub(left),
            total,
        });
        match backlog.error {
            _ if left == 0 => return Ok(total),
            Some(error) if moved.elapsed() >= PATIENCE => {
                return Err(ReindexError::Embedding { waiting: left, error });
            }
            _ => tokio::time::sleep(LOOK).await,
        }
    }
}
