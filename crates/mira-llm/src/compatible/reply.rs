//! The chunks of a chat completion, put together to a reply.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::chat::{self, Event, Item, Reasoning, StopReason, ToolCall};
use crate::failure::Failure;
use crate::replies::Assembly;
use crate::{Usage, sse};

#[derive(Debug, Default)]
pub(super) struct Reply {
    id: Option<String>,
    model: String,
    reasoning: String,
    text: String,
    calls: Vec<PartialCall>,
    finish_reason: Option<String>,
    usage: Usage,
    declined: bool,
    call_bytes: usize,
}

#[derive(Debug, Default)]
struct PartialCall {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    usage: Option<Value>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: Option<u64>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

/// Servers put other things than text into these fields, which is no reason to fail: [`text`] takes what is text.
#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<CallDelta<'a>>>,
}

#[derive(Deserialize)]
struct CallDelta<'a> {
    #[serde(default)]
    index: Option<u64>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function: Option<FunctionDelta<'a>>,
}

#[derive(Deserialize)]
struct FunctionDelta<'a> {
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

impl Assembly for Reply {
    fn accept(&mut self, event: &sse::Event, ready: &mut VecDeque<Event>) -> Result<(), Failure> {
        if event.data == "[DONE]" {
            return self.end(ready);
        }
        if event.data.is_empty() {
            return Ok(());
        }
        let chunk: Chunk = serde_json::from_str(&event.data)
            .map_err(|error| Failure::malformed(format!("a chunk cannot be read: {error}")))?;
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return Err(Failure::from_json(None, &error));
        }
        if self.id.is_none() {
            self.id = text(chunk.id).map(Cow::into_owned);
        }
        if self.model.is_empty() {
            self.model = text(chunk.model).unwrap_or_default().into_owned();
        }
        if let Some(usage) = chunk.usage.filter(|usage| !usage.is_null()) {
            self.usage = read_usage(&usage);
        }
        // More than one choice is never asked for.
        let first = chunk
            .choices
            .into_iter()
            .flatten()
            .find(|choice| choice.index.unwrap_or(0) == 0);
        let Some(Choice {
            delta, finish_reason, ..
        }) = first
        else {
            return Ok(());
        };
        if let Some(delta) = delta {
            self.grow(delta, ready);
        }
        match finish_reason.as_deref() {
            Some("insufficient_system_resource") => {
                return Err(Failure::overloaded(
                    "the upstream ran out of capacity while it answered",
                ));
            }
            Some("error") => return Err(Failure::server("the upstream broke the reply off")),
            Some(reason) if !reason.is_empty() => self.finish_reason = Some(reason.to_owned()),
            Some(_) | None => {}
        }
        Ok(())
    }

    /// Some servers end without `[DONE]`; the finish reason is what makes a reply complete.
    fn end(&mut self, ready: &mut VecDeque<Event>) -> Result<(), Failure> {
        let reason = self.finish_reason.take().ok_or_else(Failure::cut)?;
        ready.push_back(Event::Completed(std::mem::take(self).finish(reason)?));
        Ok(())
    }

    fn content(&self) -> usize {
        self.reasoning.len() + self.text.len() + self.call_bytes
    }
}

impl Reply {
    fn grow(&mut self, delta: Delta, ready: &mut VecDeque<Event>) {
        let thought = text(delta.reasoning_content).or_else(|| text(delta.reasoning));
        if let Some(thought) = thought.filter(|thought| !thought.is_empty()) {
            self.reasoning.push_str(&thought);
            ready.push_back(Event::Reasoning(thought.into_owned()));
        }
        let refusal = text(delta.refusal).filter(|refusal| !refusal.is_empty());
        self.declined |= refusal.is_some();
        for said in text(delta.content)
            .into_iter()
            .chain(refusal)
            .filter(|said| !said.is_empty())
        {
            self.text.push_str(&said);
            ready.push_back(Event::Text(said.into_owned()));
        }
        for call in delta.tool_calls.into_iter().flatten() {
            self.grow_call(&call);
        }
    }

    /// Finds the call that a delta belongs to and adds to it. The index says which, but some servers leave it out
    /// and some give every call the same; a new id then starts a new call.
    fn grow_call(&mut self, delta: &CallDelta) {
        let id = text(delta.id).unwrap_or_default();
        let belongs = |call: &PartialCall| {
            (delta.index.is_none() || call.index == delta.index)
                && (id.is_empty() || call.id.is_empty() || call.id == id)
        };
        let at = self.calls.iter().rposition(belongs).unwrap_or_else(|| {
            self.calls.push(PartialCall {
                index: delta.index,
                ..PartialCall::default()
            });
            self.calls.len() - 1
        });
        let call = &mut self.calls[at];
        if call.id.is_empty() {
            call.id = id.into_owned();
        }
        self.call_bytes += 1;
        let Some(function) = &delta.function else { return };
        if call.name.is_empty() {
            call.name = text(function.name).unwrap_or_default().into_owned();
        }
        let arguments = match (text(function.arguments), function.arguments) {
            (Some(piece), _) => piece,
            // Arguments that are not text are the JSON itself.
            (None, Some(json)) if json.get() != "null" => Cow::Borrowed(json.get()),
            (None, Some(_) | None) => Cow::Borrowed(""),
        };
        call.arguments.push_str(&arguments);
        self.call_bytes += arguments.len();
    }

    fn finish(self, reason: String) -> Result<chat::Reply, Failure> {
        let stop = match reason.as_str() {
            "stop" | "tool_calls" | "function_call" if !self.calls.is_empty() => StopReason::ToolCalls,
            "stop" | "tool_calls" | "function_call" if self.declined => StopReason::Declined,
            "stop" | "tool_calls" | "function_call" => StopReason::Completed,
            "length" => StopReason::MaxOutputTokens,
            "content_filter" => StopReason::ContentFilter,
            _ => StopReason::Other(reason),
        };
        let mut items = Vec::new();
        if !self.reasoning.is_empty() {
            items.push(Item::Reasoning(Reasoning {
                text: self.reasoning,
                raw: None,
            }));
        }
        if !self.text.is_empty() {
            items.push(Item::Assistant(self.text));
        }
        for call in self.calls {
            if stop == StopReason::ToolCalls || is_json(&call.arguments) {
                items.push(Item::ToolCall(call.finish()?));
            }
        }
        Ok(chat::Reply {
            items,
            usage: self.usage,
            stop,
            model: self.model,
            response_id: self.id,
        })
    }
}

impl PartialCall {
    fn finish(self) -> Result<ToolCall, Failure> {
        if self.name.is_empty() {
            return Err(Failure::malformed("a tool call lacks its name"));
        }
        let call_id = if self.id.is_empty() {
            format!("call_{:016x}", fastrand::u64(..))
        } else {
            self.id
        };
        let arguments = if self.arguments.is_empty() {
            "{}".to_owned()
        } else {
            self.arguments
        };
        Ok(ToolCall {
            call_id,
            name: self.name,
            arguments,
        })
    }
}

/// Whether the arguments of a call are whole, in a reply that was cut short.
fn is_json(arguments: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(arguments).is_ok()
}

/// The string that a JSON value is, if it is one.
fn text(value: Option<&RawValue>) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    let Text(text) = serde_json::from_str(value?.get()).ok()?;
    Some(text)
}

fn read_usage(usage: &Value) -> Usage {
    let count = |path: &str| usage.pointer(path).and_then(Value::as_u64);
    Usage {
        input: count("/prompt_tokens").unwrap_or_default(),
        cached_input: count("/prompt_tokens_details/cached_tokens")
            .or_else(|| count("/prompt_cache_hit_tokens"))
            .unwrap_or_default(),
        cache_write: count("/prompt_tokens_details/cache_write_tokens").unwrap_or_default(),
        output: count("/completion_tokens").unwrap_or_default(),
        reasoning: count("/completion_tokens_details/reasoning_tokens").unwrap_or_default(),
    }
}
