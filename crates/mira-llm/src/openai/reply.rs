//! The events of the Responses API, put together to a reply.
//!
//! Everything that is not needed is skipped: unknown events, unknown items, unknown fields, unknown values. What is
//! needed is read field by field, because upstreams differ in the rest.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;
use serde_json::Value;

use crate::chat::{self, Event, Item, Reasoning, StopReason, ToolCall};
use crate::failure::Failure;
use crate::replies::Assembly;
use crate::{Usage, sse};

#[derive(Debug, Default)]
pub(super) struct Reply {
    /// Finished items by their place in the output.
    done: BTreeMap<u64, Value>,
    content: usize,
    declined: bool,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    delta: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    summary_index: u64,
}

#[derive(Deserialize)]
struct Done {
    #[serde(default)]
    output_index: Option<u64>,
    item: Value,
}

#[derive(Deserialize)]
struct Terminal {
    response: Value,
}

/// Between the parts of a reasoning summary, which come without a separator.
const PARAGRAPH: &str = "\n\n";

impl Assembly for Reply {
    fn accept(&mut self, event: &sse::Event, ready: &mut VecDeque<Event>) -> Result<(), Failure> {
        if event.data == "[DONE]" || event.data.is_empty() {
            return Ok(());
        }
        let head: Head = parse(&event.data)?;
        let kind = head.kind.as_deref().unwrap_or(&event.name);
        match kind {
            "response.output_text.delta" => self.text(&event.data, ready)?,
            "response.refusal.delta" => {
                self.declined = true;
                self.text(&event.data, ready)?;
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                let Delta { delta } = parse(&event.data)?;
                self.content += delta.len();
                if !delta.is_empty() {
                    ready.push_back(Event::Reasoning(delta.into_owned()));
                }
            }
            "response.reasoning_summary_part.added" => {
                let Part { summary_index } = parse(&event.data)?;
                if summary_index > 0 {
                    ready.push_back(Event::Reasoning(PARAGRAPH.to_owned()));
                }
            }
            // The call is delivered whole when its item is done; until then its growth shows that the model works.
            "response.function_call_arguments.delta" => {
                let Delta { delta } = parse(&event.data)?;
                self.content += delta.len();
            }
            "response.output_item.done" => {
                let Done { output_index, item } = parse(&event.data)?;
                let next = self
                    .done
                    .last_key_value()
                    .map_or(0, |(last, _)| last.saturating_add(1));
                self.content += event.data.len();
                self.done.insert(output_index.unwrap_or(next), item);
            }
            "response.completed" | "response.incomplete" | "response.failed" | "response.done" => {
                let Terminal { response } = parse(&event.data)?;
                ready.push_back(Event::Completed(self.finish(response, kind)?));
            }
            "error" => return Err(Failure::from_json(None, &parse(&event.data)?)),
            "" => {
                let json: Value = parse(&event.data)?;
                if json.get("error").is_some_and(|error| !error.is_null()) {
                    return Err(Failure::from_json(None, &json));
                }
            }
            other => tracing::debug!(kind = other, "an event that is not used"),
        }
        Ok(())
    }

    fn end(&mut self, _ready: &mut VecDeque<Event>) -> Result<(), Failure> {
        Err(Failure::cut())
    }

    fn content(&self) -> usize {
        self.content
    }
}

impl Reply {
    fn text(&mut self, data: &str, ready: &mut VecDeque<Event>) -> Result<(), Failure> {
        let Delta { delta } = parse(data)?;
        self.content += delta.len();
        if !delta.is_empty() {
            ready.push_back(Event::Text(delta.into_owned()));
        }
        Ok(())
    }

    fn finish(&mut self, mut response: Value, event: &str) -> Result<chat::Reply, Failure> {
        let status = response.get("status").and_then(Value::as_str).unwrap_or(event);
        if status.ends_with("failed") {
            return Err(match response.get("error") {
                Some(error) if !error.is_null() => Failure::from_json(None, error),
                Some(_) | None => Failure::server("the response failed without an error"),
            });
        }
        let whole = !status.ends_with("incomplete");

        let collected = std::mem::take(&mut self.done);
        let output = match response.get_mut("output").map(Value::take) {
            Some(Value::Array(output)) if !output.is_empty() => output,
            // Some servers leave the output of the last event empty.
            Some(_) | None => collected.into_values().collect(),
        };
        let items: Vec<Item> = output
            .into_iter()
            .filter_map(|item| read_item(item, whole).transpose())
            .collect::<Result<_, _>>()?;

        let stop = if whole {
            if items.iter().any(|item| matches!(item, Item::ToolCall(_))) {
                StopReason::ToolCalls
            } else if self.declined {
                StopReason::Declined
            } else {
                StopReason::Completed
            }
        } else {
            match response
                .pointer("/incomplete_details/reason")
                .and_then(Value::as_str)
            {
                Some("max_output_tokens") => StopReason::MaxOutputTokens,
                Some("content_filter") => StopReason::ContentFilter,
                reason => StopReason::Other(reason.unwrap_or("incomplete").to_owned()),
            }
        };
        let text = |name: &str| response.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(chat::Reply {
            items,
            usage: read_usage(&response),
            stop,
            model: text("model").unwrap_or_default(),
            response_id: text("id"),
        })
    }
}

/// The item as a caller sees it; `None` for those without meaning here and for tool calls that were cut off.
fn read_item(item: Value, whole_reply: bool) -> Result<Option<Item>, Failure> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    Ok(match text("type").unwrap_or_default() {
        "message" => {
            let said = joined(item.get("content"), &["text", "refusal"], "");
            (!said.is_empty()).then_some(Item::Assistant(said))
        }
        "reasoning" => {
            let summary = joined(item.get("summary"), &["text"], PARAGRAPH);
            let text = if summary.is_empty() {
                joined(item.get("content"), &["text"], "")
            } else {
                summary
            };
            Some(Item::Reasoning(Reasoning {
                text,
                raw: Some(item),
            }))
        }
        "function_call" => {
            let complete = text("status").map_or(whole_reply, |status| status == "completed");
            let arguments = text("arguments")
                .filter(|arguments| !arguments.is_empty())
                .unwrap_or("{}");
            let (Some(call_id), Some(name)) = (text("call_id"), text("name")) else {
                return Err(Failure::malformed(
                    "a function call lacks its call_id or its name",
                ));
            };
            complete.then(|| {
                Item::ToolCall(ToolCall {
                    call_id: call_id.to_owned(),
                    name: name.to_owned(),
                    arguments: arguments.to_owned(),
                })
            })
        }
        other => {
            tracing::debug!(kind = other, "an output item of a kind that is not used");
            None
        }
    })
}

fn read_usage(response: &Value) -> Usage {
    let count = |path: &str| response.pointer(path).and_then(Value::as_u64).unwrap_or_default();
    Usage {
        input: count("/usage/input_tokens"),
        cached_input: count("/usage/input_tokens_details/cached_tokens"),
        cache_write: count("/usage/input_tokens_details/cache_write_tokens"),
        output: count("/usage/output_tokens"),
        reasoning: count("/usage/output_tokens_details/reasoning_tokens"),
    }
}

/// The texts under any of `fields` in a list of parts.
fn joined(parts: Option<&Value>, fields: &[&str], separator: &str) -> String {
    let parts = parts
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let texts: Vec<&str> = parts
        .iter()
        .filter_map(|part| fields.iter().find_map(|field| part.get(field)?.as_str()))
        .collect();
    texts.join(separator)
}

fn parse<'a, T: Deserialize<'a>>(data: &'a str) -> Result<T, Failure> {
    serde_json::from_str(data)
        .map_err(|error| Failure::malformed(format!("an event cannot be read: {error}")))
}
