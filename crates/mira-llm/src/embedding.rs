//! Turning text into vectors.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::transport::Transport;
use crate::{Endpoint, Error, Usage, tokens};

/// The most texts in one request. OpenAI takes 2048; smaller batches keep answers of long vectors small.
const MAX_BATCH_TEXTS: usize = 256;
/// The most tokens in one request, by estimate. OpenAI takes 300 000; the estimate may be off by a factor.
const MAX_BATCH_TOKENS: usize = 100_000;
/// The longest answer to one request: a full batch of long vectors in the most verbose notation.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// The future of [`Embedder::embed`]: one vector for each text, in the order of the texts.
pub type Vectors<'a> = BoxFuture<'a, Result<Vec<Vec<f32>>, Error>>;

/// A model that turns text into vectors.
pub trait Embedder: Send + Sync + Debug {
    /// What to stamp on the vectors: vectors of embedders with different names cannot be compared.
    fn name(&self) -> &str;

    /// The length of every vector.
    fn dimension(&self) -> usize;

    /// One vector of [`Self::dimension`] finite numbers for each text, in the order of the texts. Dropping the
    /// future cancels the work and leaves nothing behind.
    fn embed<'a>(&'a self, texts: &'a [String]) -> Vectors<'a>;

    /// What this embedder has consumed since it was made; zero for one that runs locally.
    fn usage(&self) -> Usage {
        Usage::default()
    }
}

/// An embedding model behind `{base_url}/embeddings`, at OpenAI or any compatible server.
///
/// Many texts are sent in several requests, one after the other. An error in one of them is the error of all.
#[derive(Debug)]
pub struct OpenAiEmbeddings {
    transport: Transport,
    options: EmbeddingOptions,
    input_tokens: AtomicU64,
}

/// Which embedding model, and how long its vectors are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingOptions {
    /// The model's name, for example `text-embedding-3-large`.
    pub model: String,
    /// The length of the vectors. An answer with any other length is an error.
    pub dimension: usize,
    /// Whether to ask for that length (`dimensions`) instead of expecting that the model has it by itself. Only
    /// models trained for it can shorten their vectors; servers refuse the parameter for others.
    pub shorten: bool,
}

impl EmbeddingOptions {
    /// Vectors of `dimension` numbers, asked for where the model is known to be able to shorten its vectors.
    pub fn new(model: impl Into<String>, dimension: usize) -> Self {
        let model = model.into();
        let shorten = model.starts_with("text-embedding-3");
        Self {
            model,
            dimension,
            shorten,
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
    encoding_format: &'static str,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Entry>,
    #[serde(default)]
    usage: Option<ReportedUsage>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    index: Option<usize>,
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct ReportedUsage {
    #[serde(default)]
    prompt_tokens: u64,
}

impl OpenAiEmbeddings {
    /// Makes ready to talk to a model. Connects to nothing yet.
    pub fn new(endpoint: Endpoint, options: EmbeddingOptions) -> Result<Self, Error> {
        let transport = Transport::new(endpoint, &["embeddings"], &options.model)?;
        Ok(Self {
            transport,
            options,
            input_tokens: AtomicU64::new(0),
        })
    }

    async fn embed_all(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, Error> {
        if let Some(at) = texts.iter().position(|text| text.trim().is_empty()) {
            return Err(self.error(Failure::invalid_request(format!("text {at} is empty"))));
        }
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in batches(texts) {
            vectors.extend(self.embed_batch(batch).await?);
        }
        Ok(vectors)
    }

    async fn embed_batch(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, Error> {
        let body = Body {
            model: &self.options.model,
            input: texts,
            dimensions: self.options.shorten.then_some(self.options.dimension),
            encoding_format: "float",
        };
        let body = serde_json::to_vec(&body).map_err(|error| {
            self.error(Failure::invalid_request(format!(
                "the texts cannot be written: {error}"
            )))
        })?;
        let answer = self.transport.call(Bytes::from(body), MAX_ANSWER_BYTES).await?;
        let answer: Answer = serde_json::from_slice(&answer).map_err(|error| {
            self.error(Failure::malformed(format!("the vectors cannot be read: {error}")))
        })?;
        let consumed = answer.usage.map_or(0, |usage| usage.prompt_tokens);
        self.input_tokens.fetch_add(consumed, Ordering::Relaxed);
        in_order(answer.data, texts.len(), self.options.dimension)
            .map_err(|complaint| self.error(Failure::malformed(complaint)))
    }

    fn error(&self, failure: Failure) -> Error {
        self.transport.error(failure, None)
    }
}

impl Embedder for OpenAiEmbeddings {
    fn name(&self) -> &str {
        &self.options.model
    }

    fn dimension(&self) -> usize {
        self.options.dimension
    }

    fn embed<'a>(&'a self, texts: &'a [String]) -> Vectors<'a> {
        Box::pin(self.embed_all(texts))
    }

    fn usage(&self) -> Usage {
        Usage {
            input: self.input_tokens.load(Ordering::Relaxed),
            ..Usage::default()
        }
    }
}

/// Cuts the texts into runs that fit into one request each. A text that is too long for any request gets one of
/// its own, so that the upstream can say so.
fn batches(texts: &[String]) -> impl Iterator<Item = &[String]> {
    let mut rest = texts;
    std::iter::from_fn(move || {
        let mut tokens = 0;
        let fitting = rest.iter().take(MAX_BATCH_TEXTS).take_while(|text| {
            tokens += tokens::estimate(text);
            tokens <= MAX_BATCH_TOKENS
        });
        let len = fitting.count().max(1).min(rest.len());
        let (batch, after) = rest.split_at(len);
        rest = after;
        (!batch.is_empty()).then_some(batch)
    })
}

/// The vectors in the order of the texts, if they are what was asked for.
fn in_order(entries: Vec<Entry>, count: usize, dimension: usize) -> Result<Vec<Vec<f32>>, String> {
    if entries.len() != count {
        return Err(format!("{} vectors for {count} texts", entries.len()));
    }
    let mut vectors: Vec<Vec<f32>> = vec![Vec::new(); count];
    for (position, entry) in entries.into_iter().enumerate() {
        let index = entry.index.unwrap_or(position);
        let slot = vectors
            .get_mut(index)
            .ok_or_else(|| format!("a vector for text {index} of {count}"))?;
        if !slot.is_empty() {
            return Err(format!("two vectors for text {index}"));
        }
        if entry.embedding.len() != dimension {
            return Err(format!(
                "a vector of {} numbers instead of {dimension}",
                entry.embedding.len()
            ));
        }
        *slot = entry.embedding;
    }
    Ok(vectors)
}
