//! Turning text into vectors.

#[cfg(feature = "local-embeddings")]
mod local;
mod openai;

use std::fmt::Debug;

use futures_util::future::BoxFuture;

use crate::failure::Failure;
use crate::{Error, Usage, tokens};

#[cfg(feature = "local-embeddings")]
pub use self::local::{LocalEmbeddings, ModelError};
pub use self::openai::{EmbeddingOptions, OpenAiEmbeddings};

/// The future of [`Embedder::embed`]: one vector for each text, in the order of the texts.
pub type Vectors<'a> = BoxFuture<'a, Result<Vec<Vec<f32>>, Error>>;

/// A model that turns text into vectors.
pub trait Embedder: Send + Sync + Debug {
    /// What to stamp on the vectors: vectors of embedders with different names cannot be compared.
    fn name(&self) -> &str;

    /// The length of every vector.
    fn dimension(&self) -> usize;

    /// One vector of [`Self::dimension`] finite numbers for each text, in the order of the texts. A text that is
    /// longer than the model reads is embedded by its beginning; one that is blank is an error. Dropping the future
    /// cancels the work and leaves nothing behind. Must be polled inside a tokio runtime.
    fn embed<'a>(&'a self, texts: &'a [String]) -> Vectors<'a>;

    /// What this embedder has consumed since it was made; zero for one that runs locally.
    fn usage(&self) -> Usage {
        Usage::default()
    }
}

/// The most that is embedded in one go.
#[derive(Debug, Clone, Copy)]
struct Batch {
    max_texts: usize,
    /// By estimate.
    max_tokens: usize,
}

/// Cuts the texts into runs that fit into one batch each. A text that is too long for any batch gets one of its own.
fn batches<T: AsRef<str>>(texts: &[T], limit: Batch) -> impl Iterator<Item = &[T]> {
    let mut rest = texts;
    std::iter::from_fn(move || {
        let mut tokens = 0;
        let fitting = rest.iter().take(limit.max_texts).take_while(|text| {
            tokens += tokens::estimate(text.as_ref());
            tokens <= limit.max_tokens
        });
        let len = fitting.count().max(1).min(rest.len());
        let (batch, after) = rest.split_at(len);
        rest = after;
        (!batch.is_empty()).then_some(batch)
    })
}

/// Refuses blank texts: they mean nothing, and some upstreams do not take them.
fn check_blank(texts: &[String]) -> Result<(), Failure> {
    match texts.iter().position(|text| text.trim().is_empty()) {
        Some(at) => Err(Failure::invalid_request(format!("text {at} is empty"))),
        None => Ok(()),
    }
}
