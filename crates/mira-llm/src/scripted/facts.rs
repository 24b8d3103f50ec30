//! What the conditions of a rule look at, the same for both kinds of conversation.

use std::collections::HashMap;

use serde_json::Value;

use super::endpoint::Endpoint;
use super::script::When;

/// The texts of a request by their role. Reads any JSON; what is misplaced is not found.
#[derive(Debug, Default)]
pub(super) struct Facts<'a> {
    model: &'a str,
    instructions: Vec<&'a str>,
    /// Texts of each user message.
    users: Vec<Vec<&'a str>>,
    /// Whatever else the conversation says: assistant texts, calls, their arguments.
    others: Vec<&'a str>,
    /// All tool outputs.
    outputs: Vec<&'a str>,
    /// The tools whose outputs end the request, with these outputs.
    answered: Vec<(&'a str, Vec<&'a str>)>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(endpoint: Endpoint, body: &'a Value) -> Self {
        let mut facts = Self {
            model: body["model"].as_str().unwrap_or_default(),
            ..Self::default()
        };
        match endpoint {
            Endpoint::Responses => facts.read_responses(body),
            Endpoint::ChatCompletions => facts.read_messages(body),
            Endpoint::Embeddings => facts.others = texts(&body["input"]),
            Endpoint::Models | Endpoint::Other => {}
        }
        facts
    }

    /// The last user message, its parts joined by line feeds.
    pub(super) fn last_user(&self) -> String {
        self.users
            .last()
            .map(|texts| texts.join("\n"))
            .unwrap_or_default()
    }

    /// The size of the whole conversation.
    pub(super) fn text_bytes(&self) -> usize {
        self.all().map(|text| text.len()).sum()
    }

    pub(super) fn satisfy(&self, endpoint: Endpoint, when: &When) -> bool {
        let last_user = self.users.last().map(Vec::as_slice).unwrap_or_default();
        when.endpoint
            .map_or(endpoint.is_conversation(), |wanted| wanted == endpoint)
            && when.model.as_ref().is_none_or(|model| model == self.model)
            && found(when.user_contains.as_ref(), self.users.iter().flatten())
            && found(when.last_user_contains.as_ref(), last_user)
            && found(when.instructions_contains.as_ref(), &self.instructions)
            && found(when.any_contains.as_ref(), self.all())
            && when
                .tool_output
                .as_ref()
                .is_none_or(|tool| self.answered.iter().any(|(name, _)| name == tool))
            && found(
                when.tool_output_contains.as_ref(),
                self.answered.iter().flat_map(|(_, outputs)| outputs),
            )
            && (!when.no_tool_output || self.answered.is_empty())
    }

    fn all(&self) -> impl Iterator<Item = &&'a str> {
        let users = self.users.iter().flatten();
        self.instructions
            .iter()
            .chain(users)
            .chain(&self.others)
            .chain(&self.outputs)
    }

    fn read_responses(&mut self, body: &'a Value) {
        self.instructions.extend(body["instructions"].as_str());
        if let Some(text) = body["input"].as_str() {
            self.users.push(vec![text]);
        }
        let mut tools = HashMap::new();
        for item in body["input"].as_array().into_iter().flatten() {
            match item["type"].as_str() {
                Some("function_call_output") => {
                    let tool = tools.get(&item["call_id"].as_str()).copied().unwrap_or_default();
                    self.tool_output(tool, &item["output"]);
                    continue;
                }
                Some("function_call") => {
                    tools.insert(
                        item["call_id"].as_str(),
                        item["name"].as_str().unwrap_or_default(),
                    );
                    self.others.extend(item["name"].as_str());
                    self.others.extend(item["arguments"].as_str());
                }
                Some("reasoning") => self.others.extend(texts(&item["summary"])),
                Some(_) | None => self.message(item),
            }
            self.answered.clear();
        }
    }

    fn read_messages(&mut self, body: &'a Value) {
        let mut tools = HashMap::new();
        for message in body["messages"].as_array().into_iter().flatten() {
            if message["role"] == "tool" {
                let tool = tools
                    .get(&message["tool_call_id"].as_str())
                    .copied()
                    .unwrap_or_default();
                self.tool_output(tool, &message["content"]);
                continue;
            }
            for call in message["tool_calls"].as_array().into_iter().flatten() {
                let function = &call["function"];
                tools.insert(call["id"].as_str(), function["name"].as_str().unwrap_or_default());
                self.others.extend(function["name"].as_str());
                self.others.extend(function["arguments"].as_str());
            }
            self.others.extend(message["reasoning_content"].as_str());
            self.message(message);
            self.answered.clear();
        }
    }

    fn message(&mut self, message: &'a Value) {
        let texts = texts(&message["content"]);
        match message["role"].as_str() {
            Some("user") => self.users.push(texts),
            Some("system" | "developer") => self.instructions.extend(texts),
            Some(_) | None => self.others.extend(texts),
        }
    }

    fn tool_output(&mut self, tool: &'a str, output: &'a Value) {
        let texts = texts(output);
        self.outputs.extend(&texts);
        self.answered.push((tool, texts));
    }
}

/// A string, or the texts of an array of strings or parts.
fn texts(content: &Value) -> Vec<&str> {
    match content {
        Value::String(text) => vec![text],
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part.as_str().or_else(|| part["text"].as_str()))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

fn found<'a>(wanted: Option<&String>, texts: impl IntoIterator<Item = &'a &'a str>) -> bool {
    wanted.is_none_or(|wanted| texts.into_iter().any(|text| text.contains(wanted)))
}
