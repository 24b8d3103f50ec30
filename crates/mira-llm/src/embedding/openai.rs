//! Embeddings from an upstream that speaks OpenAI's API.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::task;

use super::{Batch, Embedder, Vectors};
use crate::failure::Failure;
use crate::transport::Transport;
use crate::{Endpoint, Error, Usage, tokens};

/// What one request holds. OpenAI takes 2048 texts and 300 000 tokens; smaller batches keep answers of long vectors
/// small, and the estimate of tokens may be off by a factor.
const BATCH: Batch = Batch {
    max_texts: 256,
    max_tokens: 100_000,
};
/// The longest answer to one request: a full batch of long vectors in the most verbose notation.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// What OpenAI's models read of a text; a longer one is refused.
const OPENAI_MAX_TOKENS: usize = 8191;

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
    /// How many tokens of a text the model reads. A longer text is cut there before it is sent, because OpenAI and
    /// others refuse it. Tokens are counted as [`tokens::counter_for`] counts them: exactly for OpenAI's models, about
    /// right for others, which may need a lower limit than they state.
    pub max_tokens: usize,
}

impl EmbeddingOptions {
    /// Vectors of `dimension` numbers, asked for where the model is known to be able to shorten its vectors, from at
    /// most the 8191 tokens of a text that OpenAI's models read.
    pub fn new(model: impl Into<String>, dimension: usize) -> Self {
        let model = model.into();
        let shorten = model.starts_with("text-embedding-3");
        Self {
            model,
            dimension,
            shorten,
            max_tokens: OPENAI_MAX_TOKENS,
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [Cow<'a, str>],
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
        super::check_blank(texts).map_err(|failure| self.error(failure))?;
        let texts = self.cut(texts).await?;
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in super::batches(&texts, BATCH) {
            vectors.extend(self.embed_batch(batch).await?);
        }
        Ok(vectors)
    }

    /// The texts, each cut off where the model would refuse to read on.
    async fn cut<'a>(&self, texts: &'a [String]) -> Result<Vec<Cow<'a, str>>, Error> {
        let max_tokens = self.options.max_tokens;
        let mut heads = Vec::with_capacity(texts.len());
        for text in texts {
            // No token is shorter than a byte.
            if text.len() <= max_tokens {
                heads.push(Cow::Borrowed(text.as_str()));
                continue;
            }
            let counter = tokens::counter_for(&self.options.model);
            let text = text.clone();
            let head = task::spawn_blocking(move || counter.truncate(&text, max_tokens).0.to_owned());
            let stopped = |_| self.error(Failure::server("the tokens of a text could not be counted"));
            heads.push(Cow::Owned(head.await.map_err(stopped)?));
        }
        Ok(heads)
    }

    async fn embed_batch(&self, texts: &[Cow<'_, str>]) -> Result<Vec<Vec<f32>>, Error> {
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
        in_order(answer.data, texts.len(), self.options.dimension).map_err(|failure| self.error(failure))
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

/// The vectors in the order of the texts, if they are what was asked for.
fn in_order(entries: Vec<Entry>, count: usize, dimension: usize) -> Result<Vec<Vec<f32>>, Failure> {
    if entries.len() != count {
        return Err(Failure::malformed(format!(
            "{} vectors for {count} texts",
            entries.len()
        )));
    }
    let mut vectors: Vec<Vec<f32>> = vec![Vec::new(); count];
    for (position, entry) in entries.into_iter().enumerate() {
        let index = entry.index.unwrap_or(position);
        let slot = vectors
            .get_mut(index)
            .ok_or_else(|| Failure::malformed(format!("a vector for text {index} of {count}")))?;
        if !slot.is_empty() {
            return Err(Failure::malformed(format!("two vectors for text {index}")));
        }
        if entry.embedding.len() != dimension {
            return Err(Failure::wrong_dimension(dimension, entry.embedding.len()));
        }
        *slot = entry.embedding;
    }
    Ok(vectors)
}
