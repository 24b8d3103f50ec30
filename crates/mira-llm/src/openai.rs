//! OpenAI's Responses API, and servers that speak it.
//!
//! Nothing is stored upstream by default: reasoning comes back encrypted, is part of
//! [`Reply::items`](crate::chat::Reply::items), and goes up again with the next request of the conversation.

mod reply;
mod request;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};

use crate::chat::{ChatModel, ReplyStream, Request};
use crate::failure::Failure;
use crate::transport::Transport;
use crate::{Effort, Endpoint, Error, replies};

/// A model behind `{base_url}/responses`.
#[derive(Debug)]
pub struct Responses {
    transport: Arc<Transport>,
    options: ResponsesOptions,
}

/// What stays the same over all requests to a [`Responses`] model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponsesOptions {
    /// The model's name, for example `gpt-5.5`.
    pub model: String,
    /// How hard the model thinks; `None` leaves it to the provider.
    pub effort: Option<Effort>,
    /// Whether the model summarises its reasoning in [`Event::Reasoning`](crate::chat::Event::Reasoning). OpenAI
    /// does this for verified organisations only and refuses the request of others.
    pub reasoning_summary: bool,
    /// How much the model says; `None` leaves it to the provider.
    pub verbosity: Option<Verbosity>,
    /// Whether the provider may keep the conversation.
    pub store: bool,
}

/// How much a model says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verbosity {
    /// Terse.
    Low,
    /// As usual.
    Medium,
    /// Thorough.
    High,
}

impl ResponsesOptions {
    /// The provider's defaults, and nothing stored upstream.
    pub fn new(model: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            effort: None,
            reasoning_summary: false,
            verbosity: None,
            store: false,
        }
    }
}

impl Responses {
    /// Makes ready to talk to a model. Connects to nothing yet.
    pub fn new(endpoint: Endpoint, options: ResponsesOptions) -> Result<Self, Error> {
        let transport = Arc::new(Transport::new(endpoint, &["responses"], &options.model)?);
        Ok(Self { transport, options })
    }
}

impl ChatModel for Responses {
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
