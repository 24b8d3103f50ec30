//! The configuration of memory.

use std::{path::PathBuf, time::Duration};

use mira_memory::Schedule;
use mira_store::vector::Head;
use secrecy::SecretString;

use super::{Endpoint, Problem, build::endpoint_or_openai, values::Values};

/// What is remembered, and how it is found again.
#[derive(Debug)]
pub struct Memory {
    /// What turns texts into vectors; without it, recall goes by words.
    pub embedder: Option<Embedder>,
    pub vectors: Vectors,
    pub heads: Vec<Head>,
    /// From 0 to 1.
    pub embed_min_salience: f64,
    pub query_embedding_timeout: Duration,
    /// Messages that are recalled for a prompt, and the most tokens that they take.
    pub recalled_messages: usize,
    pub recalled_tokens: usize,
    pub summaries: bool,
    pub summary_every: u32,
    pub schedule: Schedule,
}

/// What turns texts into vectors.
#[derive(Debug)]
pub enum Embedder {
    /// A server that speaks OpenAI's API.
    Server {
        endpoint: Endpoint,
        model: String,
        dimension: usize,
        timeout: Duration,
    },
    /// A model in this process, from its directory.
    Local(PathBuf),
}

/// Where vectors are searched.
#[derive(Debug)]
pub enum Vectors {
    /// In this process, from the data directory.
    Embedded,
    Qdrant(Qdrant),
}

/// A Qdrant server.
#[derive(Debug)]
pub struct Qdrant {
    pub url: String,
    pub api_key: Option<SecretString>,
    pub collection: String,
    pub timeout: Duration,
}

/// The name in the place of a model that switches embeddings off.
const NONE: &str = "none";

pub(super) fn memory(values: &mut Values) -> Memory {
    let vectors = match values.optional("QDRANT_URL") {
        None => Vectors::Embedded,
        Some(url) => Vectors::Qdrant(Qdrant {
            url,
            api_key: values.secret("QDRANT_API_KEY"),
            collection: values.text("QDRANT_COLLECTION"),
            timeout: values.seconds("QDRANT_TIMEOUT"),
        }),
    };
    let heads = values.list("EMBED_HEADS");
    Memory {
        embedder: embedder(values),
        vectors,
        heads: Head::ALL
            .into_iter()
            .filter(|head| heads.iter().any(|name| name == head.as_str()))
            .collect(),
        embed_min_salience: values.fraction("SALIENCE_MIN_FOR_EMBED"),
        query_embedding_timeout: values.milliseconds("MIRA_QUERY_EMBEDDING_TIMEOUT_MS"),
        recalled_messages: values.number("CONTEXT_SEMANTIC_MATCHES"),
        recalled_tokens: values.number("MIRA_MAX_RETRIEVAL_TOKENS"),
        summaries: values.flag("USE_ROLLING_SUMMARIES"),
        summary_every: values.number("SUMMARY_GENERATION_INTERVAL"),
        schedule: Schedule {
            analysis: interval(values, "TASK_ANALYSIS_ENABLED", "TASK_ANALYSIS_INTERVAL"),
            embedding: interval(values, "TASK_EMBEDDING_ENABLED", "TASK_EMBEDDING_INTERVAL"),
            summaries: interval(values, "TASK_SUMMARY_ENABLED", "TASK_SUMMARY_INTERVAL"),
            decay: interval(values, "TASK_DECAY_ENABLED", "TASK_DECAY_INTERVAL"),
            sweep: interval(
                values,
                "TASK_EMBEDDING_CLEANUP_ENABLED",
                "TASK_EMBEDDING_CLEANUP_INTERVAL",
            ),
            report: interval(values, "TASK_METRICS_ENABLED", "TASK_METRICS_INTERVAL"),
        },
    }
}

fn interval(values: &Values, enabled: &str, interval: &str) -> Option<Duration> {
    values.flag(enabled).then(|| values.seconds(interval))
}

fn embedder(values: &mut Values) -> Option<Embedder> {
    if let Some(directory) = values.path("MIRA_EMBED_DIRECTORY") {
        if values.optional("MIRA_EMBED_BASE_URL").is_some() {
            values.problems.push(Problem::Both {
                first: "MIRA_EMBED_DIRECTORY",
                second: "MIRA_EMBED_BASE_URL",
            });
        }
        return Some(Embedder::Local(directory));
    }
    let model = values.text("OPENAI_EMBEDDING_MODEL");
    let endpoint = endpoint_or_openai(values, "MIRA_EMBED_BASE_URL", "MIRA_EMBED_API_KEY");
    let has_server = endpoint.api_key.is_some() || values.optional("MIRA_EMBED_BASE_URL").is_some();
    if model == NONE || !has_server {
        return None;
    }
    let dimension = match values.optional("MIRA_EMBED_DIMENSIONS") {
        Some(_) => values.number("MIRA_EMBED_DIMENSIONS"),
        None => natural_dimension(&model).unwrap_or_else(|| {
            values.problems.push(Problem::Needed {
                name: "MIRA_EMBED_DIMENSIONS",
                reason: format!("the length of the vectors of {model} is not known"),
            });
            0
        }),
    };
    Some(Embedder::Server {
        endpoint,
        model,
        dimension,
        timeout: values.seconds("OPENAI_TIMEOUT"),
    })
}

/// The length of the vectors of a model of OpenAI's.
fn natural_dimension(model: &str) -> Option<usize> {
    match model {
        "text-embedding-3-large" => Some(3072),
        "text-embedding-3-small" | "text-embedding-ada-002" => Some(1536),
        _ => None,
    }
}
