//! Settings of parts that do not exist yet. Their names are kept, so that a configuration written for them stays valid.

use super::{Group, SECONDS, TOKENS, later};
use crate::config::kind::Kind;

/// Of one prompt or one search.
const MATCHES: Kind = Kind::Integer { min: 0, max: 1000 };

pub(super) const LATER: Group = Group {
    title: "Accepted for later",
    note: Some(
        "These belong to parts that are not built yet: accepted now, without effect until then. A value is checked all the same, and a variable that is set is named in a warning at start.",
    ),
    settings: &[
        later(
            "OPENAI_EMBEDDING_MODEL",
            Kind::Text,
            "Embeddings: the model that turns text into vectors.",
        )
        .or(&["MIRA_EMBED_MODEL"]),
        later(
            "MIRA_EMBED_DIMENSIONS",
            Kind::Integer { min: 8, max: 16_384 },
            "Embeddings: length of the vectors.",
        )
        .or(&["QDRANT_EMBEDDING_DIM"]),
        later(
            "MIRA_EMBED_BASE_URL",
            Kind::Url,
            "Embeddings: where they are made, when elsewhere than OPENAI_BASE_URL.",
        ),
        later(
            "MIRA_EMBED_API_KEY",
            Kind::Secret,
            "Embeddings: key for MIRA_EMBED_BASE_URL.",
        ),
        later("OPENAI_TIMEOUT", SECONDS, "Embeddings: longest wait for a reply."),
        later(
            "EMBED_HEADS",
            Kind::List(&["semantic", "code", "summary", "documents", "relationship"]),
            "Embeddings: kinds of vectors that are made.",
        )
        .or(&["MIRA_EMBED_HEADS"]),
        later(
            "SALIENCE_MIN_FOR_EMBED",
            Kind::Fraction,
            "Embeddings: salience from which a message gets a vector.",
        )
        .or(&["MEM_SALIENCE_MIN_FOR_EMBED", "MIN_SALIENCE_FOR_QDRANT"]),
        later(
            "QDRANT_URL",
            Kind::Url,
            "Vectors: the Qdrant server that keeps them, instead of the data directory.",
        ),
        later(
            "QDRANT_API_KEY",
            Kind::Secret,
            "Vectors: key of the Qdrant server.",
        ),
        later(
            "QDRANT_COLLECTION",
            Kind::Text,
            "Vectors: beginning of the names of the collections in Qdrant.",
        ),
        later(
            "QDRANT_TIMEOUT",
            SECONDS,
            "Vectors: longest wait for the Qdrant server.",
        ),
        later(
            "CONTEXT_SEMANTIC_MATCHES",
            MATCHES,
            "Recall: earlier messages close in meaning that are considered for a prompt.",
        )
        .or(&["MIRA_CONTEXT_SEMANTIC_MATCHES", "MIRA_RECALL_SEMANTIC"]),
        later(
            "MAX_RECALLED_MESSAGES",
            MATCHES,
            "Recall: messages recalled for a prompt.",
        ),
        later(
            "MIRA_MAX_RETRIEVAL_TOKENS",
            TOKENS,
            "Recall: the most tokens of a prompt for what was recalled.",
        ),
        later(
            "USE_ROLLING_SUMMARIES",
            Kind::Flag,
            "Summaries: whether they are made and put into prompts.",
        )
        .or(&[
            "MIRA_USE_ROLLING_SUMMARIES_IN_CONTEXT",
            "MIRA_ENABLE_SUMMARIZATION",
        ]),
        later(
            "SUMMARY_GENERATION_INTERVAL",
            Kind::Integer { min: 2, max: 1000 },
            "Summaries: messages after which a conversation is summarised.",
        )
        .or(&["MIRA_SUMMARIZE_AFTER_MESSAGES", "MEM_ROLLUP_EVERY"]),
        later(
            "GIT_ENABLED",
            Kind::Flag,
            "Git: whether projects can be attached to repositories.",
        ),
        later(
            "DEFAULT_REPO_PATH",
            Kind::Path,
            "Git: where repositories are cloned to.",
        ),
    ],
};
