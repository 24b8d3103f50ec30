//! Embeddings computed in this process.

mod bert;
mod directory;
mod error;
mod math;
mod model;
mod weights;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::sync::Semaphore;
use tokio::task;

use self::model::Model;
use super::{Batch, Embedder, Vectors};
use crate::Error;
use crate::failure::{Failure, Origin};

pub use self::error::ModelError;

/// How many batches are computed at once unless [`LocalEmbeddings::threads`] says otherwise.
const DEFAULT_THREADS: usize = 2;
/// What one batch holds. A batch cannot be interrupted, and a single text may have to wait for one, so that it is
/// no larger than it must be for the matrix product to be fast.
const BATCH: Batch = Batch {
    max_texts: 32,
    max_tokens: 256,
};

/// An embedding model of the BERT family that runs on the processor, read from a directory in the layout of
/// [sentence-transformers], such as `all-MiniLM-L6-v2`.
///
/// The vectors have length 1. A text that is longer than the model reads (`max_seq_length`, 256 tokens for that
/// model) is embedded by its beginning.
///
/// Texts are embedded in small batches on threads of tokio's blocking pool, at most [`Self::threads`] at a time for
/// all callers together, who get their turn in the order in which they asked. When a future is dropped, batches that
/// have been started are computed to their end, which takes some tens of milliseconds, and no others are started.
///
/// [sentence-transformers]: https://www.sbert.net
pub struct LocalEmbeddings {
    model: Arc<Model>,
    name: String,
    threads: usize,
    permits: Arc<Semaphore>,
    origin: Origin,
}

impl LocalEmbeddings {
    /// Reads a model into memory and tries it on a text. Blocks, for about half a second with a model of 90 MB.
    ///
    /// The directory holds `config.json` (of `model_type` `bert`), `tokenizer.json`, `model.safetensors` (of 32-bit
    /// numbers), `1_Pooling/config.json` (mean, or first token), and maybe `sentence_bert_config.json` and
    /// `modules.json`. [`Embedder::name`] is the name of the directory and a digest of these files, so that vectors
    /// of different weights are never compared.
    pub fn open(directory: &Path) -> Result<Self, ModelError> {
        // So that the name of the current directory is not a dot.
        let directory = directory.canonicalize().map_err(|source| ModelError::Read {
            path: directory.to_owned(),
            source,
        })?;
        let (model, digest) = directory::load(&directory)?;
        let title = directory.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{title}@{digest}");
        let origin = Origin::new("this process".to_owned(), &name, Vec::new());
        model
            .embed(&["one, two".to_owned()])
            .map_err(|failure| ModelError::Unusable {
                path: directory.clone(),
                source: origin.error(failure, None),
            })?;
        Ok(Self {
            model: Arc::new(model),
            name,
            threads: DEFAULT_THREADS,
            permits: Arc::new(Semaphore::new(DEFAULT_THREADS)),
            origin,
        })
    }

    /// Sets how many threads compute at once; two at first.
    #[must_use]
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads.get().min(Semaphore::MAX_PERMITS);
        self.permits = Arc::new(Semaphore::new(self.threads));
        self
    }

    async fn embed_all(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, Error> {
        super::check_blank(texts).map_err(|failure| self.origin.error(failure, None))?;
        // One more than can be computed, so that no thread waits for its next batch.
        let at_once = self.threads + 1;
        let batches: Vec<_> = super::batches(texts, BATCH)
            .map(|batch| self.embed_batch(batch))
            .collect();
        let vectors: Vec<_> = stream::iter(batches).buffered(at_once).try_collect().await?;
        Ok(vectors.into_iter().flatten().collect())
    }

    async fn embed_batch(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, Error> {
        let stopped = |what: &str| self.origin.error(Failure::server(what), None);
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_closed| stopped("no more texts are taken"))?;
        let model = Arc::clone(&self.model);
        let texts: Vec<String> = texts.iter().map(|text| model.head(text).to_owned()).collect();
        task::spawn_blocking(move || {
            let _permit = permit;
            model.embed(&texts)
        })
        .await
        .map_err(|_stopped| stopped("the computation was stopped"))?
        .map_err(|failure| self.origin.error(failure, None))
    }
}

impl Embedder for LocalEmbeddings {
    fn name(&self) -> &str {
        &self.name
    }

    fn dimension(&self) -> usize {
        self.model.bert.width()
    }

    fn embed<'a>(&'a self, texts: &'a [String]) -> Vectors<'a> {
        Box::pin(self.embed_all(texts))
    }
}

impl fmt::Debug for LocalEmbeddings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalEmbeddings")
            .field("name", &self.name)
            .field("dimension", &self.dimension())
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}
