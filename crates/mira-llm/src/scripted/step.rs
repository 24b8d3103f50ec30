//! One step of a reply: content, a pause, or something going wrong.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::form::StepForm;

/// One step of a reply.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "StepForm")]
pub struct Step {
    pub action: Action,
    /// Unicode scalar values per delta of a content step; the whole content is one delta when `None`.
    pub chunk: Option<NonZeroUsize>,
    /// Waited before each delta of a content step, and before any other step.
    pub delay: Duration,
}

/// What a step does.
///
/// Consecutive steps of the same kind of content, but for tool calls, continue one item. An item is closed only
/// when another begins or the reply ends, so a hold or a fault after a content step happens inside its item:
/// a tool call followed by [`Fault::Cut`] is cut before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Reasoning, as far as the request lets it be seen: a summary in the Responses API when
    /// `reasoning.summary` is set, `reasoning_content` in chat completions unless thinking is disabled.
    Reasoning(String),
    Text(String),
    Refusal(String),
    ToolCall {
        name: String,
        /// Sent as it is, valid JSON or not.
        arguments: String,
    },
    /// Waits for [`Upstream::release`](super::Upstream::release) of this name.
    Hold(String),
    /// Waits for the step's delay.
    Pause,
    Fault(Fault),
}

/// What can go wrong with a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// An HTTP error instead of the reply. As a later step of a stream, whose status is already sent, an error
    /// event.
    Http(HttpFault),
    /// An error inside the stream, which then ends.
    ErrorEvent(ErrorEvent),
    /// `response.failed`; in chat completions the same as `ErrorEvent`.
    Failed(ErrorEvent),
    /// The connection is dropped; as the first step, before the head of the response.
    Cut,
    /// Nothing more is sent until the client leaves.
    Stall,
    /// These bytes, as they are, between two events.
    Garbage(Vec<u8>),
    /// An event of a type nobody knows.
    UnknownEvent(String),
    /// A comment of the event stream, as servers send to keep a connection alive.
    Comment(String),
    /// From here on the stream is sent so many bytes at a time, across events and characters.
    SplitBytes(NonZeroUsize),
    /// The stream ends here, properly for HTTP, without its terminal event.
    NoTerminalEvent,
    /// The reply ends here, for this reason. In the Responses API it is the reason of `response.incomplete`; in
    /// chat completions the `finish_reason`, where `max_output_tokens` is called `length`.
    Incomplete(String),
}

/// An HTTP error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpFault {
    pub status: u16,
    /// The `retry-after` header, in seconds.
    pub retry_after: Option<u64>,
    /// The provider's error envelope for the status when `None`. A body that is not JSON goes out as HTML.
    pub body: Option<String>,
}

/// An error inside a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorEvent {
    pub code: String,
    pub message: String,
    /// Under `error`, as the Responses API has been seen to send it, instead of at the top level. Chat
    /// completions always do so.
    pub nested: bool,
}

impl Step {
    pub fn new(action: Action) -> Self {
        Self {
            action,
            chunk: None,
            delay: Duration::ZERO,
        }
    }

    pub fn reasoning(text: impl Into<String>) -> Self {
        Self::new(Action::Reasoning(text.into()))
    }

    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Action::Text(text.into()))
    }

    pub fn refusal(text: impl Into<String>) -> Self {
        Self::new(Action::Refusal(text.into()))
    }

    pub fn tool_call(name: impl Into<String>, arguments: &Value) -> Self {
        Self::tool_call_text(name, arguments.to_string())
    }

    /// A tool call whose arguments are this text, valid JSON or not.
    pub fn tool_call_text(name: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self::new(Action::ToolCall {
            name: name.into(),
            arguments: arguments.into(),
        })
    }

    pub fn hold(name: impl Into<String>) -> Self {
        Self::new(Action::Hold(name.into()))
    }

    pub fn pause(delay: Duration) -> Self {
        Self::new(Action::Pause).delay(delay)
    }

    pub fn fault(fault: Fault) -> Self {
        Self::new(Action::Fault(fault))
    }

    /// Sends the content in deltas of so many scalar values; in one when 0.
    #[must_use]
    pub fn chunk(mut self, scalars: usize) -> Self {
        self.chunk = NonZeroUsize::new(scalars);
        self
    }

    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

impl Fault {
    /// An HTTP error with the provider's envelope.
    pub fn http(status: u16) -> Self {
        Self::Http(HttpFault {
            status,
            retry_after: None,
            body: None,
        })
    }

    /// An error event at the top level.
    pub fn error_event(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::ErrorEvent(ErrorEvent {
            code: code.into(),
            message: message.into(),
            nested: false,
        })
    }
}
