//! Replies of the Responses API: the events that OpenAI sends, in its order.

mod items;
mod wire;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use serde_json::Value;

use self::items::text_part;
use self::wire::{
    ContentEvent, ErrorFields, Event, IncompleteDetails, ItemEvent, NestedError, NoFields, OutputItem, Part,
    ResponseError, ResponseEvent, ResponseObject, Status,
};
use super::dialect::{CREATED, Dialect, Item};
use super::envelope::{json, write_json};
use super::ledger::SentReply;
use super::shared::Shared;
use super::step::ErrorEvent;
use super::tally::Tally;

#[derive(Debug)]
pub(super) struct ResponsesReply {
    shared: Arc<Shared>,
    id: String,
    model: String,
    wants: Wants,
    tally: Tally,
    sequence_number: u64,
    open: Option<Open>,
    output: Vec<OutputItem>,
}

/// How the request wants reasoning.
#[derive(Debug)]
struct Wants {
    reasoning: bool,
    summary: bool,
    encrypted: bool,
}

#[derive(Debug)]
struct Open {
    kind: Kind,
    id: String,
    content: String,
}

#[derive(Debug)]
enum Kind {
    Reasoning,
    Text,
    Refusal,
    Call {
        call_id: String,
        name: String,
    },
    /// Reasoning in a request that wants none.
    Dropped,
}

/// How far a reply is.
#[derive(Debug, Clone, Copy)]
enum Progress<'a> {
    Begun,
    Completed,
    Incomplete(&'a str),
    Failed(&'a ErrorEvent),
}

impl ResponsesReply {
    pub(super) fn new(body: &Value, tally: Tally, shared: &Arc<Shared>) -> Self {
        let reasoning = &body["reasoning"];
        let mut include = body["include"].as_array().into_iter().flatten();
        Self {
            shared: Arc::clone(shared),
            id: shared.ids.response(),
            model: body["model"].as_str().unwrap_or_default().to_owned(),
            wants: Wants {
                reasoning: reasoning["effort"] != "none",
                summary: reasoning["summary"].is_string(),
                encrypted: include.any(|field| field == "reasoning.encrypted_content"),
            },
            tally,
            sequence_number: 0,
            open: None,
            output: Vec::new(),
        }
    }

    fn content_event<'a>(&self, item_id: &'a str) -> ContentEvent<'a> {
        ContentEvent {
            item_id,
            output_index: self.output.len(),
            ..ContentEvent::default()
        }
    }

    fn item_event(&mut self, kind: &str, item: &OutputItem, out: &mut BytesMut) {
        self.event(
            kind,
            ItemEvent {
                output_index: self.output.len(),
                item,
            },
            out,
        );
    }

    fn response_event(&mut self, kind: &str, progress: Progress<'_>, out: &mut BytesMut) {
        let event = Event {
            kind,
            sequence_number: self.sequence_number,
            rest: ResponseEvent {
                response: self.object(progress),
            },
        };
        write_event(&event, out);
        self.sequence_number += 1;
    }

    fn event<T: Serialize>(&mut self, kind: &str, rest: T, out: &mut BytesMut) {
        write_event(
            &Event {
                kind,
                sequence_number: self.sequence_number,
                rest,
            },
            out,
        );
        self.sequence_number += 1;
    }

    fn object<'a>(&'a self, progress: Progress<'a>) -> ResponseObject<'a> {
        let (status, error, reason) = match progress {
            Progress::Begun => (Status::InProgress, None, None),
            Progress::Completed => (Status::Completed, None, None),
            Progress::Incomplete(reason) => (Status::Incomplete, None, Some(reason)),
            Progress::Failed(error) => (Status::Failed, Some(error), None),
        };
        ResponseObject {
            id: &self.id,
            object: "response",
            created_at: CREATED,
            status,
            error: error.map(|error| ResponseError {
                code: &error.code,
                message: &error.message,
            }),
            incomplete_details: reason.map(|reason| IncompleteDetails { reason }),
            model: &self.model,
            output: &self.output,
            parallel_tool_calls: true,
            usage: match progress {
                Progress::Begun | Progress::Failed(_) => None,
                Progress::Completed | Progress::Incomplete(_) => Some(self.tally.usage().into()),
            },
        }
    }

    /// Notes what has to come back with the outputs of the calls.
    fn remember(&self) {
        let mut sent = SentReply {
            id: self.id.clone(),
            ..SentReply::default()
        };
        for item in &self.output {
            match item {
                OutputItem::Reasoning { .. } => sent.reasoning.extend(serde_json::to_value(item)),
                OutputItem::FunctionCall {
                    call_id,
                    status: Status::Completed,
                    ..
                } => {
                    sent.calls.push((call_id.clone(), sent.reasoning.len()));
                }
                OutputItem::FunctionCall { .. } | OutputItem::Message { .. } => {}
            }
        }
        self.shared.remember(sent);
    }

    /// Closes the open item and returns the name of the terminal event with the state it reports.
    fn end<'a>(&mut self, incomplete: Option<&'a str>, out: &mut BytesMut) -> (&'static str, Progress<'a>) {
        let (status, name, progress) = match incomplete {
            None => (Status::Completed, "response.completed", Progress::Completed),
            Some(reason) => (
                Status::Incomplete,
                "response.incomplete",
                Progress::Incomplete(reason),
            ),
        };
        self.close(status, out);
        self.remember();
        (name, progress)
    }
}

impl Dialect for ResponsesReply {
    fn begin(&mut self, out: &mut BytesMut) {
        self.response_event("response.created", Progress::Begun, out);
        self.response_event("response.in_progress", Progress::Begun, out);
    }

    fn open(&mut self, item: Item<'_>, out: &mut BytesMut) {
        if self.continues(item) {
            return;
        }
        self.close(Status::Completed, out);
        self.open = Some(match item {
            Item::Reasoning if !self.wants.reasoning => Open {
                kind: Kind::Dropped,
                id: String::new(),
                content: String::new(),
            },
            Item::Reasoning => self.open_reasoning(out),
            Item::Text => self.open_message(Kind::Text, &text_part(String::new()), out),
            Item::Refusal => self.open_message(
                Kind::Refusal,
                &Part::Refusal {
                    refusal: String::new(),
                },
                out,
            ),
            Item::ToolCall { name } => self.open_call(name, out),
        });
    }

    fn delta(&mut self, text: &str, out: &mut BytesMut) {
        let Some(open) = &mut self.open else { return };
        let about = ContentEvent {
            item_id: &open.id,
            output_index: self.output.len(),
            delta: Some(text),
            ..ContentEvent::default()
        };
        let (kind, rest) = match open.kind {
            Kind::Dropped => return,
            Kind::Reasoning => {
                self.tally.add_reasoning(text);
                if !self.wants.summary {
                    open.content.push_str(text);
                    return;
                }
                (
                    "response.reasoning_summary_text.delta",
                    ContentEvent {
                        summary_index: Some(0),
                        ..about
                    },
                )
            }
            Kind::Text => {
                self.tally.add_answer(text);
                let rest = ContentEvent {
                    content_index: Some(0),
                    logprobs: Some([]),
                    ..about
                };
                ("response.output_text.delta", rest)
            }
            Kind::Refusal => {
                self.tally.add_answer(text);
                (
                    "response.refusal.delta",
                    ContentEvent {
                        content_index: Some(0),
                        ..about
                    },
                )
            }
            Kind::Call { .. } => {
                self.tally.add_answer(text);
                ("response.function_call_arguments.delta", about)
            }
        };
        write_event(
            &Event {
                kind,
                sequence_number: self.sequence_number,
                rest,
            },
            out,
        );
        self.sequence_number += 1;
        open.content.push_str(text);
    }

    fn unknown_event(&mut self, name: &str, out: &mut BytesMut) {
        self.event(name, NoFields {}, out);
    }

    fn error(&mut self, error: &ErrorEvent, out: &mut BytesMut) {
        let fields = ErrorFields {
            code: &error.code,
            message: &error.message,
            param: None,
        };
        if error.nested {
            self.event("error", NestedError { error: fields }, out);
        } else {
            self.event("error", fields, out);
        }
    }

    fn failed(&mut self, error: &ErrorEvent, out: &mut BytesMut) {
        self.response_event("response.failed", Progress::Failed(error), out);
    }

    fn finish(&mut self, incomplete: Option<&str>, out: &mut BytesMut) {
        let (name, progress) = self.end(incomplete, out);
        self.response_event(name, progress, out);
    }

    fn whole(&mut self, incomplete: Option<&str>) -> Bytes {
        let (_, progress) = self.end(incomplete, &mut BytesMut::new());
        json(&self.object(progress))
    }
}

fn write_event<T: Serialize>(event: &Event<'_, T>, out: &mut BytesMut) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(event.kind.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    write_json(out, event);
    out.extend_from_slice(b"\n\n");
}
