//! Requests of chat completions.

use std::collections::HashSet;

use serde_json::Value;

use super::fields::{Fields, elements};
use super::schema;
use crate::scripted::shared::Shared;
use crate::scripted::violation::Problem;

pub(super) fn check(fields: &mut Fields<'_>, shared: &Shared) {
    let body = fields.body;
    fields.check_common();
    fields.check_limit("max_tokens");
    fields.check_limit("max_completion_tokens");
    fields.check_effort(&body["reasoning_effort"], "reasoning_effort");
    let thinking = &body["thinking"];
    let switch = thinking.is_null() || thinking["type"] == "enabled" || thinking["type"] == "disabled";
    fields.expect(switch, "thinking.type", "enabled or disabled");
    let options = &body["stream_options"];
    fields.expect(
        options.is_null() || body["stream"] == true,
        "stream_options",
        "none without stream",
    );

    fields.expect(
        body["tools"].is_null() || body["tools"].is_array(),
        "tools",
        "an array",
    );
    for (index, tool) in elements(&body["tools"]).enumerate() {
        let path = format!("tools[{index}]");
        fields.expect(tool["type"] == "function", format!("{path}.type"), "function");
        schema::check(
            fields,
            &tool["function"],
            "parameters",
            &format!("{path}.function"),
        );
    }
    let format = &body["response_format"];
    if format["type"] == "json_schema" {
        schema::check(
            fields,
            &format["json_schema"],
            "schema",
            "response_format.json_schema",
        );
    }
    if format["type"] == "json_object" && !mentions_json(&body["messages"]) {
        fields.problems.push(Problem::JsonNotMentioned);
    }

    match body["messages"].as_array() {
        Some(messages) if !messages.is_empty() => Conversation::new(fields, shared).check(messages),
        Some(_) | None => fields.expect(false, "messages", "an array that is not empty"),
    }
}

/// The messages up to the one that is looked at.
struct Conversation<'f, 'a> {
    fields: &'f mut Fields<'a>,
    shared: &'f Shared,
    /// Calls of the last assistant message without an output so far.
    open: Vec<&'a str>,
    made: HashSet<&'a str>,
    answered: HashSet<&'a str>,
}

impl<'f, 'a> Conversation<'f, 'a> {
    fn new(fields: &'f mut Fields<'a>, shared: &'f Shared) -> Self {
        Self {
            fields,
            shared,
            open: Vec::new(),
            made: HashSet::new(),
            answered: HashSet::new(),
        }
    }

    fn check(mut self, messages: &'a [Value]) {
        for (index, message) in messages.iter().enumerate() {
            let path = format!("messages[{index}]");
            if message["role"] == "tool" {
                self.output(message, &path);
                continue;
            }
            self.settle();
            match message["role"].as_str() {
                Some("system" | "developer" | "user") => self.content(&message["content"], &path),
                Some("assistant") => self.assistant(message, &path),
                Some(_) | None => {
                    self.fields.expect(
                        false,
                        format!("{path}.role"),
                        "system, developer, user, assistant or tool",
                    );
                }
            }
        }
        self.settle();
    }

    /// Outputs follow the message with the calls at once.
    fn settle(&mut self) {
        let unanswered = self.open.drain(..);
        let unanswered = unanswered.map(|call_id| Problem::UnansweredCall {
            call_id: call_id.to_owned(),
        });
        self.fields.problems.extend(unanswered);
    }

    fn content(&mut self, content: &Value, path: &str) {
        let readable = content.is_string() || content.is_array();
        self.fields
            .expect(readable, format!("{path}.content"), "a text or an array of parts");
    }

    fn assistant(&mut self, message: &'a Value, path: &str) {
        let calls = &message["tool_calls"];
        if elements(calls).next().is_none() {
            self.content(&message["content"], path);
        }
        for (index, call) in elements(calls).enumerate() {
            let path = format!("{path}.tool_calls[{index}]");
            self.fields
                .expect(call["type"] == "function", format!("{path}.type"), "function");
            self.fields
                .text(&call["function"]["name"], format!("{path}.function.name"));
            let arguments = &call["function"]["arguments"];
            self.fields.expect(
                arguments.is_string(),
                format!("{path}.function.arguments"),
                "a text",
            );
            let call_id = self.fields.text(&call["id"], format!("{path}.id"));
            if self.made.insert(call_id) {
                self.open.push(call_id);
            } else {
                self.fields.problems.push(Problem::DuplicateCall {
                    call_id: call_id.to_owned(),
                });
            }
        }
        self.check_reasoning_content(message);
    }

    /// In thinking mode a turn that made calls comes back with the reasoning that led to them.
    fn check_reasoning_content(&mut self, message: &Value) {
        if self.fields.body["thinking"]["type"] == "disabled" {
            return;
        }
        let Some(call_id) = message["tool_calls"][0]["id"].as_str() else {
            return;
        };
        let Some(sent) = self.shared.sent_call(call_id) else {
            return;
        };
        let found = message["reasoning_content"].as_str().unwrap_or_default();
        if !sent.reasoning_content.is_empty() && sent.reasoning_content != found {
            self.fields.problems.push(Problem::ReasoningContent {
                call_id: call_id.to_owned(),
            });
        }
    }

    fn output(&mut self, message: &'a Value, path: &str) {
        self.content(&message["content"], path);
        let call_id = self
            .fields
            .text(&message["tool_call_id"], format!("{path}.tool_call_id"));
        if let Some(place) = self.open.iter().position(|open| *open == call_id) {
            self.open.remove(place);
            self.answered.insert(call_id);
        } else if self.answered.contains(call_id) {
            self.fields.problems.push(Problem::DuplicateOutput {
                call_id: call_id.to_owned(),
            });
        } else {
            self.fields.problems.push(Problem::OrphanOutput {
                call_id: call_id.to_owned(),
            });
        }
    }
}

fn mentions_json(messages: &Value) -> bool {
    let mentions = |text: &str| text.to_lowercase().contains("json");
    elements(messages).any(|message| {
        message["content"].as_str().is_some_and(mentions)
            || elements(&message["content"]).any(|part| part["text"].as_str().is_some_and(mentions))
    })
}
