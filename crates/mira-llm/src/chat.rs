//! A conversation with a model: what is asked, what streams back, and the seam between the two.

use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};

use crate::error::Detail;
use crate::{Error, Usage};

/// One turn asked of a model: the whole conversation so far, and what the model may do with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// Who the model is and how it should behave; empty for nothing. Keep it stable between the turns of a
    /// conversation, because providers cache the prefix of a request.
    pub instructions: String,
    /// The conversation, oldest first. Append [`Reply::items`] and one [`Item::ToolOutput`] for each tool call to
    /// continue it.
    pub input: Vec<Item>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// Whether it may, must or must not call a tool. Without meaning if `tools` is empty.
    pub tool_choice: ToolChoice,
    /// The form of the answer.
    pub output: Output,
    /// The most tokens the model may write, reasoning included; `None` leaves it to the provider.
    pub max_output_tokens: Option<u32>,
    /// Requests with the same key are routed to the same prefix cache, where the provider offers that.
    pub cache_key: Option<String>,
}

/// One entry of a conversation. Serialisable, so that a caller can keep conversations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum Item {
    /// What the user said.
    User(String),
    /// What the model said.
    Assistant(String),
    /// What the program says to the model in the middle of a conversation.
    Developer(String),
    /// What the model thought.
    Reasoning(Reasoning),
    /// A tool that the model called.
    ToolCall(ToolCall),
    /// What that tool returned.
    ToolOutput {
        /// The `call_id` of the [`ToolCall`] that this answers.
        call_id: String,
        /// The result, in whatever text the model is to read.
        output: String,
    },
}

/// What the model thought before it spoke or acted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reasoning {
    /// The readable part, which may be a summary or empty.
    pub text: String,
    /// The provider's own item, carried back to the same provider verbatim; encrypted reasoning lives here.
    /// Other providers ignore it.
    pub raw: Option<serde_json::Value>,
}

/// A tool that the model wants called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Ties the [`Item::ToolOutput`] to this call; unique within a conversation.
    pub call_id: String,
    /// The name of a [`Tool`], if the model kept to those it was given.
    pub name: String,
    /// JSON text exactly as the model wrote it, valid or not; `{}` if it wrote nothing.
    pub arguments: String,
}

/// A function that the model may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// Letters, digits, `_` and `-`.
    pub name: String,
    /// What it does and when to use it, for the model to read.
    pub description: String,
    /// A JSON Schema of type `object`.
    pub parameters: serde_json::Value,
    /// Whether the provider is to enforce the schema, where it can. Needs `additionalProperties: false` and every
    /// property required.
    pub strict: bool,
}

/// Whether the model calls tools.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    /// As the model sees fit.
    #[default]
    Auto,
    /// Not at all.
    None,
    /// At least one.
    Required,
}

/// The form of the answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Prose.
    #[default]
    Text,
    /// One JSON document. Not every provider enforces the schema: validate what comes back.
    JsonSchema {
        /// A short name for the schema: letters, digits, `_` and `-`.
        name: String,
        /// A JSON Schema of type `object`, in the strict form that [`Tool::strict`] describes.
        schema: serde_json::Value,
    },
}

/// What happens while a model answers.
#[derive(Debug, Clone)]
pub enum Event {
    /// A further piece of the model's thoughts; never empty.
    Reasoning(String),
    /// A further piece of its answer; never empty.
    Text(String),
    /// An attempt failed and the next one starts after a wait. Only before the first content.
    Retrying {
        /// The number of the attempt about to be made; the first retry is attempt 2.
        attempt: u32,
        /// How long the wait is.
        delay: Duration,
        /// Why the attempt before it failed.
        error: Error,
    },
    /// The whole reply. Always the last item of a stream that succeeds.
    Completed(Reply),
}

/// A complete reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Reasoning, text and tool calls in the order the model made them, ready to be appended to the next request's
    /// input.
    pub items: Vec<Item>,
    /// What it consumed; zero where the upstream reports nothing.
    pub usage: Usage,
    /// Why the model stopped.
    pub stop: StopReason,
    /// The model that answered, in the upstream's words.
    pub model: String,
    /// The upstream's id of this reply.
    pub response_id: Option<String>,
}

/// Why a model stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It had said everything.
    Completed,
    /// It waits for the results of tool calls.
    ToolCalls,
    /// It ran into [`Request::max_output_tokens`] or its own limit. A tool call that was cut off is left out of
    /// the reply.
    MaxOutputTokens,
    /// A content filter cut it off.
    ContentFilter,
    /// It declined; its words are the reply's text.
    Declined,
    /// A reason that this version does not know, in the upstream's words.
    Other(String),
}

/// A reply as it streams: any number of events and then, unless an error ended it, [`Event::Completed`].
///
/// An error is the last item. The stream is driven by whoever polls it, reads no further ahead than one network
/// chunk, and drops the connection when it is dropped, which cancels the request upstream.
pub type ReplyStream = Pin<Box<dyn Stream<Item = Result<Event, Error>> + Send>>;

/// A model that can be talked to.
pub trait ChatModel: Send + Sync + Debug {
    /// The model's name as the provider knows it.
    fn model(&self) -> &str;

    /// Sends the request and streams the reply. Nothing is sent before the stream is polled; dropping the stream
    /// cancels the HTTP request. Must be polled within a Tokio runtime.
    fn stream(&self, request: Request) -> ReplyStream;
}

/// Sends the request and waits for the whole reply. Dropping the future cancels the HTTP request.
pub async fn complete(model: &dyn ChatModel, request: Request) -> Result<Reply, Error> {
    let mut events = model.stream(request);
    while let Some(event) = events.next().await {
        match event? {
            Event::Completed(reply) => return Ok(reply),
            Event::Reasoning(_) | Event::Text(_) | Event::Retrying { .. } => {}
        }
    }
    Err(Error::Malformed(Box::new(Detail {
        model: model.model().to_owned(),
        message: "the stream ended without a reply".to_owned(),
        ..Detail::default()
    })))
}

impl Reply {
    /// Everything the model said, joined.
    pub fn text(&self) -> String {
        self.items
            .iter()
            .filter_map(|item| match item {
                Item::Assistant(text) => Some(text.as_str()),
                Item::User(_)
                | Item::Developer(_)
                | Item::Reasoning(_)
                | Item::ToolCall(_)
                | Item::ToolOutput { .. } => None,
            })
            .collect()
    }

    /// The tools it wants called, in order.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.items.iter().filter_map(|item| match item {
            Item::ToolCall(call) => Some(call),
            Item::User(_)
            | Item::Assistant(_)
            | Item::Developer(_)
            | Item::Reasoning(_)
            | Item::ToolOutput { .. } => None,
        })
    }
}
