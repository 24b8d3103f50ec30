//! The routes of the upstream.

use std::fmt;

use hyper::Method;
use serde::Deserialize;

/// What a request asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `POST {base}/responses`.
    Responses,
    /// `POST {base}/chat/completions`.
    #[serde(alias = "chat")]
    ChatCompletions,
    /// `POST {base}/embeddings`.
    Embeddings,
    /// `GET {base}/models`.
    Models,
    /// Anything else, answered with 404.
    #[serde(skip)]
    Other,
}

impl Endpoint {
    pub(super) fn of(method: &Method, path: &str) -> Self {
        match (method, path) {
            (&Method::POST, "/v1/responses") => Self::Responses,
            (&Method::POST, "/v1/chat/completions") => Self::ChatCompletions,
            (&Method::POST, "/v1/embeddings") => Self::Embeddings,
            (&Method::GET, "/v1/models") => Self::Models,
            _ => Self::Other,
        }
    }

    pub(super) fn is_conversation(self) -> bool {
        match self {
            Self::Responses | Self::ChatCompletions => true,
            Self::Embeddings | Self::Models | Self::Other => false,
        }
    }
}

/// The name that a script uses.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Responses => "responses",
            Self::ChatCompletions => "chat_completions",
            Self::Embeddings => "embeddings",
            Self::Models => "models",
            Self::Other => "other",
        })
    }
}
