//! Requests of the Responses API.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::fields::{Fields, elements};
use super::schema;
use crate::scripted::shared::Shared;
use crate::scripted::violation::Problem;

pub(super) fn check(fields: &mut Fields<'_>, shared: &Shared) {
    let body = fields.body;
    fields.check_common();
    fields.check_limit("max_output_tokens");
    fields.check_effort(&body["reasoning"]["effort"], "reasoning.effort");
    let instructions = &body["instructions"];
    fields.expect(
        instructions.is_null() || instructions.is_string(),
        "instructions",
        "a text",
    );
    let include = &body["include"];
    let names = include
        .as_array()
        .is_some_and(|names| names.iter().all(Value::is_string));
    fields.expect(include.is_null() || names, "include", "an array of texts");

    fields.expect(
        body["tools"].is_null() || body["tools"].is_array(),
        "tools",
        "an array",
    );
    for (index, tool) in elements(&body["tools"]).enumerate() {
        let path = format!("tools[{index}]");
        fields.expect(tool["type"] == "function", format!("{path}.type"), "function");
        schema::check(fields, tool, "parameters", &path);
    }
    let format = &body["text"]["format"];
    if format["type"] == "json_schema" {
        schema::check(fields, format, "schema", "text.format");
    }

    match &body["input"] {
        Value::String(text) => fields.expect(!text.is_empty(), "input", "a text that is not empty"),
        Value::Array(items) => Conversation::new(fields, shared).check(items),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            fields.expect(false, "input", "a text or an array of items");
        }
    }
}

/// The items of the input up to the one that is looked at.
struct Conversation<'f, 'a> {
    fields: &'f mut Fields<'a>,
    shared: &'f Shared,
    /// Calls without an output so far, in order.
    open: Vec<String>,
    made: HashSet<String>,
    answered: HashSet<&'a str>,
    reasoning: HashMap<&'a str, &'a Value>,
}

impl<'f, 'a> Conversation<'f, 'a> {
    /// Goes on from the previous response, when the request names one.
    fn new(fields: &'f mut Fields<'a>, shared: &'f Shared) -> Self {
        let mut open = Vec::new();
        if let Some(id) = fields.body["previous_response_id"].as_str() {
            match shared.sent_response(id) {
                Some(sent) => open.extend(sent.calls.iter().map(|(call_id, _)| call_id.clone())),
                None => fields
                    .problems
                    .push(Problem::UnknownPreviousResponse { id: id.to_owned() }),
            }
        }
        let made = open.iter().cloned().collect();
        Self {
            fields,
            shared,
            open,
            made,
            answered: HashSet::new(),
            reasoning: HashMap::new(),
        }
    }

    fn check(mut self, items: &'a [Value]) {
        let turn = items.iter().rposition(|item| item["role"] == "user").unwrap_or(0);
        for (index, item) in items.iter().enumerate() {
            let path = format!("input[{index}]");
            match (item["type"].as_str(), item["role"].is_string()) {
                (Some("message"), _) | (None, true) => self.message(item, &path),
                (Some("function_call"), _) => self.call(item, &path, index >= turn),
                (Some("function_call_output"), _) => self.output(item, &path),
                (Some("reasoning"), _) => self.reasoning(item, &path),
                (kind, _) => {
                    let kind = kind.unwrap_or_default().to_owned();
                    self.fields.problems.push(Problem::UnknownItem { path, kind });
                }
            }
        }
        self.settle();
    }

    /// Outputs may come after other items of the assistant, but before the user goes on.
    fn settle(&mut self) {
        let unanswered = self
            .open
            .drain(..)
            .map(|call_id| Problem::UnansweredCall { call_id });
        self.fields.problems.extend(unanswered);
    }

    fn message(&mut self, item: &'a Value, path: &str) {
        let (parts, expected): (&[&str], _) = match item["role"].as_str() {
            Some("user") => {
                self.settle();
                (
                    &["input_text", "input_image", "input_file"],
                    "input_text, input_image or input_file",
                )
            }
            Some("system" | "developer") => (&["input_text"], "input_text"),
            Some("assistant") => (&["output_text", "refusal"], "output_text or refusal"),
            Some(_) | None => {
                let path = format!("{path}.role");
                self.fields
                    .expect(false, path, "user, assistant, system or developer");
                return;
            }
        };
        let content = &item["content"];
        self.fields.expect(
            content.is_string() || content.is_array(),
            format!("{path}.content"),
            "a text or an array of parts",
        );
        for (index, part) in elements(content).enumerate() {
            let known = part["type"].as_str().is_some_and(|kind| parts.contains(&kind));
            self.fields
                .expect(known, format!("{path}.content[{index}].type"), expected);
        }
    }

    fn call(&mut self, item: &'a Value, path: &str, in_this_turn: bool) {
        self.fields.text(&item["name"], format!("{path}.name"));
        self.fields.expect(
            item["arguments"].is_string(),
            format!("{path}.arguments"),
            "a text",
        );
        let call_id = self.fields.text(&item["call_id"], format!("{path}.call_id"));
        if !self.made.insert(call_id.to_owned()) {
            self.fields.problems.push(Problem::DuplicateCall {
                call_id: call_id.to_owned(),
            });
            return;
        }
        self.open.push(call_id.to_owned());
        self.check_reasoning_before(call_id, in_this_turn);
    }

    /// The reasoning that led to a call of this turn comes back before it; reasoning of earlier turns may be left
    /// out, and nothing may be changed.
    fn check_reasoning_before(&mut self, call_id: &str, in_this_turn: bool) {
        let Some(sent) = self.shared.sent_call(call_id) else {
            return;
        };
        let before = sent
            .calls
            .iter()
            .find(|(id, _)| id == call_id)
            .map_or(0, |(_, count)| *count);
        for sent in sent.reasoning.iter().take(before) {
            let id = sent["id"].as_str().unwrap_or_default();
            let problem = match self.reasoning.get(id) {
                Some(found) if same_item(sent, found) => continue,
                Some(_) => Problem::ReasoningAltered {
                    reasoning: id.to_owned(),
                },
                None if in_this_turn && (is_sealed(sent) || !self.stores_nothing()) => {
                    Problem::ReasoningMissing {
                        call_id: call_id.to_owned(),
                        reasoning: id.to_owned(),
                    }
                }
                None => continue,
            };
            self.fields.problems.push(problem);
        }
    }

    fn output(&mut self, item: &'a Value, path: &str) {
        let output = &item["output"];
        let readable = output.is_string() || output.is_array();
        self.fields
            .expect(readable, format!("{path}.output"), "a text or an array of parts");
        let call_id = self.fields.text(&item["call_id"], format!("{path}.call_id"));
        if !self.made.contains(call_id) {
            self.fields.problems.push(Problem::OrphanOutput {
                call_id: call_id.to_owned(),
            });
        } else if !self.answered.insert(call_id) {
            self.fields.problems.push(Problem::DuplicateOutput {
                call_id: call_id.to_owned(),
            });
        }
        self.open.retain(|open| open != call_id);
    }

    fn reasoning(&mut self, item: &'a Value, path: &str) {
        self.fields
            .expect(item["summary"].is_array(), format!("{path}.summary"), "an array");
        let id = self.fields.text(&item["id"], format!("{path}.id"));
        self.fields.expect(
            is_sealed(item) || !self.stores_nothing(),
            format!("{path}.encrypted_content"),
            "the content, since nothing is stored",
        );
        self.reasoning.insert(id, item);
    }

    fn stores_nothing(&self) -> bool {
        self.fields.body["store"] == false
    }
}

fn is_sealed(reasoning: &Value) -> bool {
    reasoning["encrypted_content"].is_string()
}

/// Equal but for fields that are null in one and absent in the other.
fn same_item(sent: &Value, found: &Value) -> bool {
    let has_all = |left: &Value, right: &Value| {
        left.as_object()
            .into_iter()
            .flatten()
            .all(|(key, value)| value.is_null() || *value == right[key])
    };
    has_all(sent, found) && has_all(found, sent)
}
