//! The settings of memory.

use super::{Group, SECONDS, TOKENS, setting, unset};
use crate::config::kind::Kind;

/// Up to a year.
const INTERVAL: Kind = Kind::Seconds {
    min: 1,
    max: 31_536_000,
};

pub(super) const EMBEDDINGS: Group = Group {
    title: "Embeddings",
    note: Some(
        "What finds messages by their meaning. With OPENAI_API_KEY it is on by itself; without a key, give a local model's directory, or recall goes by words alone. After a change of the model or the length of its vectors, run `mira-backend reindex`.",
    ),
    settings: &[
        setting(
            "OPENAI_EMBEDDING_MODEL",
            Kind::Text,
            "text-embedding-3-large",
            "The model that turns text into vectors; `none` switches it off.",
        )
        .or(&["MIRA_EMBED_MODEL"]),
        unset(
            "MIRA_EMBED_DIMENSIONS",
            Kind::Integer { min: 8, max: 16_384 },
            "Length of the vectors. Without it 3072 for `text-embedding-3-large`, 1536 for `text-embedding-3-small` and `text-embedding-ada-002`; any other model needs it.",
        )
        .or(&["QDRANT_EMBEDDING_DIM"]),
        unset(
            "MIRA_EMBED_BASE_URL",
            Kind::Url,
            "Where vectors are made. Without it OPENAI_BASE_URL, with OPENAI_API_KEY.",
        ),
        unset(
            "MIRA_EMBED_API_KEY",
            Kind::Secret,
            "Key for where vectors are made. OPENAI_API_KEY is not sent to MIRA_EMBED_BASE_URL.",
        ),
        unset(
            "MIRA_EMBED_DIRECTORY",
            Kind::Path,
            "Directory of a model that makes the vectors in this process, such as a copy of `all-MiniLM-L6-v2`. Takes the place of OPENAI_EMBEDDING_MODEL.",
        ),
        setting(
            "OPENAI_TIMEOUT",
            SECONDS,
            "60",
            "Longest wait for vectors that are made in the background.",
        ),
        setting(
            "MIRA_QUERY_EMBEDDING_TIMEOUT_MS",
            Kind::Milliseconds { min: 1, max: 60_000 },
            "800",
            "Longest wait for the vector of a query; after that recall goes by words alone.",
        ),
        setting(
            "EMBED_HEADS",
            Kind::List(&["semantic", "code", "summary", "documents", "relationship"]),
            "semantic,code,summary,documents,relationship",
            "Kinds of vectors that are made.",
        )
        .or(&["MIRA_EMBED_HEADS"]),
        setting(
            "SALIENCE_MIN_FOR_EMBED",
            Kind::Fraction,
            "0.3",
            "Salience from which a message gets vectors. Below it, it is found by its words alone.",
        )
        .or(&["MEM_SALIENCE_MIN_FOR_EMBED", "MIN_SALIENCE_FOR_QDRANT"]),
        unset(
            "QDRANT_URL",
            Kind::Url,
            "The Qdrant server that keeps the vectors, by its gRPC port, such as `http://127.0.0.1:6334`. Without it they are in the data directory.",
        ),
        unset("QDRANT_API_KEY", Kind::Secret, "Key of the Qdrant server."),
        setting(
            "QDRANT_COLLECTION",
            Kind::Text,
            "mira",
            "The collection in Qdrant, which nobody else may use.",
        ),
        setting(
            "QDRANT_TIMEOUT",
            SECONDS,
            "10",
            "Longest wait for the Qdrant server.",
        ),
    ],
};

pub(super) const MEMORY: Group = Group {
    title: "Memory",
    note: None,
    settings: &[
        setting(
            "CONTEXT_SEMANTIC_MATCHES",
            Kind::Integer { min: 0, max: 1000 },
            "10",
            "The most earlier messages that are recalled for a prompt; 0 for none.",
        )
        .or(&[
            "MAX_RECALLED_MESSAGES",
            "MIRA_CONTEXT_SEMANTIC_MATCHES",
            "MIRA_RECALL_SEMANTIC",
        ]),
        setting(
            "MIRA_MAX_RETRIEVAL_TOKENS",
            TOKENS,
            "4000",
            "The most tokens of a prompt that they take.",
        ),
        setting(
            "USE_ROLLING_SUMMARIES",
            Kind::Flag,
            "true",
            "Whether conversations are summarised, and summaries put into prompts.",
        )
        .or(&[
            "MIRA_USE_ROLLING_SUMMARIES_IN_CONTEXT",
            "MIRA_ENABLE_SUMMARIZATION",
        ]),
        setting(
            "SUMMARY_GENERATION_INTERVAL",
            Kind::Integer { min: 2, max: 1000 },
            "10",
            "Messages that a short summary covers; a long one covers ten times as many.",
        )
        .or(&["MIRA_SUMMARIZE_AFTER_MESSAGES", "MEM_ROLLUP_EVERY"]),
        job("TASK_ANALYSIS_ENABLED", "Whether messages are analysed."),
        interval(
            "TASK_ANALYSIS_INTERVAL",
            "10",
            "How often is looked for what waits; a new message is analysed at once.",
        ),
        job("TASK_EMBEDDING_ENABLED", "Whether vectors are made."),
        interval(
            "TASK_EMBEDDING_INTERVAL",
            "10",
            "How often is looked for what waits; what was analysed is embedded at once.",
        ),
        job(
            "TASK_SUMMARY_ENABLED",
            "Whether summaries are made in the background.",
        ),
        interval(
            "TASK_SUMMARY_INTERVAL",
            "1800",
            "How often is looked for what waits; a conversation that has grown enough is summarised at once.",
        ),
        job(
            "TASK_DECAY_ENABLED",
            "Whether habits of the user fade that did not show for long. The fading of messages needs no job, and nothing is deleted.",
        ),
        interval("TASK_DECAY_INTERVAL", "14400", "How often that is looked at."),
        job(
            "TASK_EMBEDDING_CLEANUP_ENABLED",
            "Whether the vectors are compared with what is stored.",
        ),
        interval("TASK_EMBEDDING_CLEANUP_INTERVAL", "604800", "How often."),
        job(
            "TASK_METRICS_ENABLED",
            "Whether the log tells how memory keeps up.",
        ),
        interval("TASK_METRICS_INTERVAL", "300", "How often."),
    ],
};

const fn job(name: &'static str, doc: &'static str) -> super::Setting {
    setting(name, Kind::Flag, "true", doc)
}

const fn interval(name: &'static str, default: &'static str, doc: &'static str) -> super::Setting {
    setting(name, INTERVAL, default, doc)
}
