//! Opening and closing the items of a reply.

use bytes::BytesMut;

use super::wire::{ContentEvent, OutputItem, Part, Status};
use super::{Kind, Open, ResponsesReply};
use crate::scripted::dialect::Item;
use crate::scripted::embedding::fnv1a;

impl ResponsesReply {
    /// Whether the open item takes content of this kind too.
    pub(super) fn continues(&self, item: Item<'_>) -> bool {
        let open = self.open.as_ref().map(|open| &open.kind);
        match item {
            Item::Reasoning => matches!(open, Some(Kind::Reasoning | Kind::Dropped)),
            Item::Text => matches!(open, Some(Kind::Text)),
            Item::Refusal => matches!(open, Some(Kind::Refusal)),
            Item::ToolCall { .. } => false,
        }
    }

    pub(super) fn open_reasoning(&mut self, out: &mut BytesMut) -> Open {
        let id = self.shared.ids.reasoning();
        let item = OutputItem::Reasoning {
            id: id.clone(),
            summary: Vec::new(),
            encrypted_content: None,
        };
        self.item_event("response.output_item.added", &item, out);
        if self.wants.summary {
            let part = Part::SummaryText { text: String::new() };
            let added = ContentEvent {
                summary_index: Some(0),
                part: Some(&part),
                ..self.content_event(&id)
            };
            self.event("response.reasoning_summary_part.added", added, out);
        }
        Open {
            kind: Kind::Reasoning,
            id,
            content: String::new(),
        }
    }

    pub(super) fn open_message(&mut self, kind: Kind, part: &Part, out: &mut BytesMut) -> Open {
        let id = self.shared.ids.message();
        let item = message(id.clone(), Status::InProgress, Vec::new());
        self.item_event("response.output_item.added", &item, out);
        let added = ContentEvent {
            content_index: Some(0),
            part: Some(part),
            ..self.content_event(&id)
        };
        self.event("response.content_part.added", added, out);
        Open {
            kind,
            id,
            content: String::new(),
        }
    }

    pub(super) fn open_call(&mut self, name: &str, out: &mut BytesMut) -> Open {
        let id = self.shared.ids.function_call();
        let call_id = self.shared.ids.call();
        let item = OutputItem::FunctionCall {
            id: id.clone(),
            status: Status::InProgress,
            arguments: String::new(),
            call_id: call_id.clone(),
            name: name.to_owned(),
        };
        self.item_event("response.output_item.added", &item, out);
        Open {
            kind: Kind::Call {
                call_id,
                name: name.to_owned(),
            },
            id,
            content: String::new(),
        }
    }

    pub(super) fn close(&mut self, status: Status, out: &mut BytesMut) {
        let Some(Open { kind, id, content }) = self.open.take() else {
            return;
        };
        let item = match kind {
            Kind::Dropped => return,
            Kind::Reasoning => self.close_reasoning(id, content, out),
            Kind::Text => {
                let about = ContentEvent {
                    content_index: Some(0),
                    ..self.content_event(&id)
                };
                let done = ContentEvent {
                    text: Some(&content),
                    logprobs: Some([]),
                    ..about
                };
                self.event("response.output_text.done", done, out);
                self.close_message(id, status, text_part(content), out)
            }
            Kind::Refusal => {
                let about = ContentEvent {
                    content_index: Some(0),
                    ..self.content_event(&id)
                };
                let done = ContentEvent {
                    refusal: Some(&content),
                    ..about
                };
                self.event("response.refusal.done", done, out);
                self.close_message(id, status, Part::Refusal { refusal: content }, out)
            }
            Kind::Call { call_id, name } => {
                let done = ContentEvent {
                    arguments: Some(&content),
                    ..self.content_event(&id)
                };
                self.event("response.function_call_arguments.done", done, out);
                OutputItem::FunctionCall {
                    id,
                    status,
                    arguments: content,
                    call_id,
                    name,
                }
            }
        };
        self.item_event("response.output_item.done", &item, out);
        self.output.push(item);
    }

    fn close_reasoning(&mut self, id: String, content: String, out: &mut BytesMut) -> OutputItem {
        let sealed = format!("sealed-{id}-{:016x}", fnv1a(content.as_bytes()));
        let mut summary = Vec::new();
        if self.wants.summary {
            let about = ContentEvent {
                summary_index: Some(0),
                ..self.content_event(&id)
            };
            let done = ContentEvent {
                text: Some(&content),
                ..about
            };
            self.event("response.reasoning_summary_text.done", done, out);
            let part = Part::SummaryText { text: content };
            let about = ContentEvent {
                summary_index: Some(0),
                ..self.content_event(&id)
            };
            let done = ContentEvent {
                part: Some(&part),
                ..about
            };
            self.event("response.reasoning_summary_part.done", done, out);
            summary.push(part);
        }
        OutputItem::Reasoning {
            id,
            summary,
            encrypted_content: self.wants.encrypted.then_some(sealed),
        }
    }

    fn close_message(&mut self, id: String, status: Status, part: Part, out: &mut BytesMut) -> OutputItem {
        let done = ContentEvent {
            content_index: Some(0),
            part: Some(&part),
            ..self.content_event(&id)
        };
        self.event("response.content_part.done", done, out);
        message(id, status, vec![part])
    }
}

fn message(id: String, status: Status, content: Vec<Part>) -> OutputItem {
    OutputItem::Message {
        id,
        status,
        role: "assistant",
        content,
    }
}

pub(super) fn text_part(text: String) -> Part {
    Part::OutputText {
        text,
        annotations: [],
        logprobs: [],
    }
}
