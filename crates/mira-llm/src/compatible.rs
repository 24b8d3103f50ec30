//! The chat completions API as DeepSeek, OpenAI and the many compatible servers speak it.
//!
//! What they have in common is less than the name says; [`Dialect`] holds the differences.

mod alias;
mod reply;
mod request;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};

pub use self::alias::{Canonical, canonical_model};
use crate::chat::{ChatModel, ReplyStream, Request};
use crate::failure::Failure;
use crate::transport::Transport;
use crate::{Effort, Endpoint, Error, replies};

/// A model behind `{base_url}/chat/completions`.
#[derive(Debug)]
pub struct ChatCompletions {
    transport: Arc<Transport>,
    options: ChatOptions,
}

/// What stays the same over all requests to a [`ChatCompletions`] model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatOptions {
    /// The model's name, for example `deepseek-v4-flash`.
    pub model: String,
    /// Whether the model thinks before it answers, where that can be switched; `None` leaves it to the provider.
    /// DeepSeek thinks unless told otherwise.
    pub thinking: Option<bool>,
    /// How hard the model thinks; `None` leaves it to the provider.
    pub effort: Option<Effort>,
    /// Whose chat completions these are.
    pub dialect: Dialect,
}

/// Whose chat completions these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// DeepSeek's own API. Thinking is switched by `thinking`, effort is rounded to low, high or max, and the
    /// reasoning of turns that called tools goes back with every later request, as the API demands. A JSON schema
    /// becomes part of the instructions, because the API only knows that JSON is wanted. A
    /// [`ToolChoice::Required`](crate::chat::ToolChoice::Required) turns thinking off for that request, because
    /// the API refuses the two together. [`Tool::strict`](crate::chat::Tool::strict) is not sent.
    DeepSeek,
    /// OpenAI's own API. Prefer [`openai::Responses`](crate::openai::Responses) there: chat completions return no
    /// reasoning, so none is carried between tool calls.
    OpenAi,
    /// Any other server: vLLM, llama.cpp, Ollama, aggregators. Thinking is switched by
    /// `chat_template_kwargs` and only if [`ChatOptions::thinking`] says so; reasoning goes back as
    /// `reasoning_content` in turns that called tools.
    Generic,
}

impl ChatOptions {
    /// The provider's defaults.
    pub fn new(model: impl Into<String>, dialect: Dialect) -> Self {
        Self {
            model: model.into(),
            thinking: None,
            effort: None,
            dialect,
        }
    }
}

impl ChatCompletions {
    /// Makes ready to talk to a model. Connects to nothing yet.
    ///
    /// In the DeepSeek dialect a retired model name is replaced as [`canonical_model`] says, with a warning in the
    /// log; an explicit [`ChatOptions::thinking`] wins over what the old name implied.
    pub fn new(endpoint: Endpoint, mut options: ChatOptions) -> Result<Self, Error> {
        if options.dialect == Dialect::DeepSeek {
            let canonical = canonical_model(&options.model);
            if let Some(notice) = canonical.notice {
                tracing::warn!("{notice}");
            }
            options.model = canonical.name;
            options.thinking = options.thinking.or(canonical.thinking);
        }
        let transport = Arc::new(Transport::new(
            endpoint,
            &["chat", "completions"],
            &options.model,
        )?);
        Ok(Self { transport, options })
    }
}

impl ChatModel for ChatCompletions {
    fn model(&self) -> &str {
        &self.options.model
    }

    fn stream(&self, request: Request) -> ReplyStream {
        match serde_json::to_vec(&request::Body::new(&self.options, &request)) {
            Ok(body) => replies::stream::<reply::Reply>(Arc::clone(&self.transport), Bytes::from(body)),
            Err(error) => {
                let failure = Failure::invalid_request(format!("the request cannot be written: {error}"));
                Box::pin(stream::iter([Err(self.transport.error(failure, None))]))
            }
        }
    }
}
