//! Replies of chat completions, as DeepSeek and OpenAI-compatible servers send them.

mod wire;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use serde_json::Value;

use self::wire::{Call, CallDelta, Choice, Completion, Delta, Function, FunctionDelta, Message, Usage};
use super::dialect::{CREATED, Dialect, Item};
use super::envelope::{Envelope, ErrorObject, json, write_json};
use super::ledger::SentReply;
use super::shared::Shared;
use super::step::ErrorEvent;
use super::tally::Tally;

#[derive(Debug)]
pub(super) struct ChatReply {
    shared: Arc<Shared>,
    id: String,
    model: String,
    /// Off, reasoning is left out.
    thinking: bool,
    include_usage: bool,
    tally: Tally,
    open: Option<Open>,
    reasoning: String,
    content: String,
    refusal: String,
    calls: Vec<MadeCall>,
}

#[derive(Debug, Clone, Copy)]
enum Open {
    Reasoning,
    Text,
    Refusal,
    Call,
}

#[derive(Debug)]
struct MadeCall {
    id: String,
    name: String,
    arguments: String,
}

impl MadeCall {
    fn as_wire(&self) -> Call<'_> {
        let function = Function {
            name: &self.name,
            arguments: &self.arguments,
        };
        Call {
            id: &self.id,
            kind: "function",
            function,
        }
    }
}

impl ChatReply {
    pub(super) fn new(body: &Value, tally: Tally, shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            id: shared.ids.completion(),
            model: body["model"].as_str().unwrap_or_default().to_owned(),
            thinking: body["thinking"]["type"] != "disabled" && body["reasoning_effort"] != "none",
            include_usage: body["stream_options"]["include_usage"] == true,
            tally,
            open: None,
            reasoning: String::new(),
            content: String::new(),
            refusal: String::new(),
            calls: Vec::new(),
        }
    }

    fn chunk(&self, delta: Delta<'_>, finish_reason: Option<&str>, out: &mut BytesMut) {
        let choice = Choice {
            index: 0,
            delta: Some(delta),
            message: None,
            logprobs: None,
            finish_reason,
        };
        self.write_chunk("chat.completion.chunk", &[choice], None, out);
    }

    fn write_chunk(&self, object: &str, choices: &[Choice<'_>], usage: Option<Usage>, out: &mut BytesMut) {
        let chunk = Completion {
            id: &self.id,
            object,
            created: CREATED,
            model: &self.model,
            choices,
            usage,
        };
        write_data(&chunk, out);
    }

    fn finish_reason<'a>(&self, incomplete: Option<&'a str>) -> &'a str {
        match incomplete {
            Some("max_output_tokens") => "length",
            Some(reason) => reason,
            None if self.calls.is_empty() => "stop",
            None => "tool_calls",
        }
    }

    /// Notes the reasoning that has to come back with the calls.
    fn remember(&self) {
        self.shared.remember(SentReply {
            id: self.id.clone(),
            calls: self.calls.iter().map(|call| (call.id.clone(), 0)).collect(),
            reasoning: Vec::new(),
            reasoning_content: self.reasoning.clone(),
        });
    }
}

impl Dialect for ChatReply {
    fn begin(&mut self, out: &mut BytesMut) {
        self.chunk(
            Delta {
                role: Some("assistant"),
                content: Some(""),
                ..Delta::default()
            },
            None,
            out,
        );
    }

    fn open(&mut self, item: Item<'_>, out: &mut BytesMut) {
        self.open = Some(match item {
            Item::Reasoning => Open::Reasoning,
            Item::Text => Open::Text,
            Item::Refusal => Open::Refusal,
            Item::ToolCall { name } => {
                let id = self.shared.ids.call();
                let call = CallDelta {
                    index: self.calls.len(),
                    id: Some(&id),
                    kind: Some("function"),
                    function: FunctionDelta {
                        name: Some(name),
                        arguments: "",
                    },
                };
                self.chunk(
                    Delta {
                        tool_calls: Some([call]),
                        ..Delta::default()
                    },
                    None,
                    out,
                );
                self.calls.push(MadeCall {
                    id,
                    name: name.to_owned(),
                    arguments: String::new(),
                });
                Open::Call
            }
        });
    }

    fn delta(&mut self, text: &str, out: &mut BytesMut) {
        let delta = match self.open {
            None => return,
            Some(Open::Reasoning) if !self.thinking => return,
            Some(Open::Reasoning) => {
                self.tally.add_reasoning(text);
                self.reasoning.push_str(text);
                Delta {
                    reasoning_content: Some(text),
                    ..Delta::default()
                }
            }
            Some(Open::Text) => {
                self.tally.add_answer(text);
                self.content.push_str(text);
                Delta {
                    content: Some(text),
                    ..Delta::default()
                }
            }
            Some(Open::Refusal) => {
                self.tally.add_answer(text);
                self.refusal.push_str(text);
                Delta {
                    refusal: Some(text),
                    ..Delta::default()
                }
            }
            Some(Open::Call) => {
                self.tally.add_answer(text);
                let Some(call) = self.calls.last_mut() else { return };
                call.arguments.push_str(text);
                let function = FunctionDelta {
                    name: None,
                    arguments: text,
                };
                let call = CallDelta {
                    index: self.calls.len() - 1,
                    id: None,
                    kind: None,
                    function,
                };
                Delta {
                    tool_calls: Some([call]),
                    ..Delta::default()
                }
            }
        };
        self.chunk(delta, None, out);
    }

    fn unknown_event(&mut self, name: &str, out: &mut BytesMut) {
        self.write_chunk(name, &[], None, out);
    }

    fn error(&mut self, error: &ErrorEvent, out: &mut BytesMut) {
        write_data(
            &Envelope {
                error: ErrorObject::of_event(error),
            },
            out,
        );
    }

    fn failed(&mut self, error: &ErrorEvent, out: &mut BytesMut) {
        self.error(error, out);
    }

    fn finish(&mut self, incomplete: Option<&str>, out: &mut BytesMut) {
        self.remember();
        let reason = self.finish_reason(incomplete);
        self.chunk(Delta::default(), Some(reason), out);
        if self.include_usage {
            self.write_chunk("chat.completion.chunk", &[], Some(self.tally.usage().into()), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn whole(&mut self, incomplete: Option<&str>) -> Bytes {
        self.remember();
        let message = Message {
            role: "assistant",
            content: given(&self.content),
            reasoning_content: given(&self.reasoning),
            refusal: given(&self.refusal),
            tool_calls: self.calls.iter().map(MadeCall::as_wire).collect(),
        };
        let finish_reason = Some(self.finish_reason(incomplete));
        let choice = Choice {
            index: 0,
            delta: None,
            message: Some(message),
            logprobs: None,
            finish_reason,
        };
        json(&Completion {
            id: &self.id,
            object: "chat.completion",
            created: CREATED,
            model: &self.model,
            choices: &[choice],
            usage: Some(self.tally.usage().into()),
        })
    }
}

/// `None` for a text that was never sent.
fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn write_data(value: &impl Serialize, out: &mut BytesMut) {
    out.extend_from_slice(b"data: ");
    write_json(out, value);
    out.extend_from_slice(b"\n\n");
}
