//! The body of a request to the Responses API. The same request always gives the same bytes.

use serde::Serialize;
use serde_json::Value;

use super::{ResponsesOptions, Verbosity};
use crate::Effort;
use crate::chat::{Item, Output, Request, Tool, ToolChoice};

#[derive(Debug, Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    instructions: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Function<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    input: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Reasoning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    include: Option<[&'static str; 1]>,
    store: bool,
    stream: bool,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "function")]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
    strict: bool,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Typed(Typed<'a>),
    /// A provider's item on its way back.
    Raw(&'a Value),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Typed<'a> {
    Message {
        role: &'static str,
        content: &'a str,
    },
    FunctionCall {
        call_id: &'a str,
        name: &'a str,
        arguments: &'a str,
    },
    FunctionCallOutput {
        call_id: &'a str,
        output: &'a str,
    },
}

#[derive(Debug, Serialize)]
struct Reasoning {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<Effort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Text<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Format<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<Verbosity>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "json_schema")]
struct Format<'a> {
    name: &'a str,
    schema: &'a Value,
    strict: bool,
}

impl<'a> Body<'a> {
    pub(super) fn new(options: &'a ResponsesOptions, request: &'a Request) -> Self {
        let has_tools = !request.tools.is_empty();
        let summary = options.reasoning_summary.then_some("auto");
        let format = match &request.output {
            Output::Text => None,
            Output::JsonSchema { name, schema } => Some(Format {
                name,
                schema,
                strict: true,
            }),
        };
        Self {
            model: &options.model,
            instructions: &request.instructions,
            tools: request.tools.iter().map(Function::new).collect(),
            tool_choice: has_tools.then_some(request.tool_choice),
            parallel_tool_calls: has_tools.then_some(true),
            input: entries(&request.input, options.store),
            reasoning: (options.effort.is_some() || summary.is_some()).then_some(Reasoning {
                effort: options.effort,
                summary,
            }),
            text: (format.is_some() || options.verbosity.is_some()).then_some(Text {
                format,
                verbosity: options.verbosity,
            }),
            max_output_tokens: request.max_output_tokens,
            prompt_cache_key: request.cache_key.as_deref(),
            include: (!options.store && reasons(&options.model)).then_some(["reasoning.encrypted_content"]),
            store: options.store,
            stream: true,
        }
    }
}

impl<'a> Function<'a> {
    fn new(tool: &'a Tool) -> Self {
        Self {
            name: &tool.name,
            description: &tool.description,
            parameters: &tool.parameters,
            strict: tool.strict,
        }
    }
}

/// Asking a model that does not reason for its encrypted reasoning is an error. These are the ones that OpenAI
/// still serves; whatever comes new reasons.
fn reasons(model: &str) -> bool {
    let older = ["gpt-3", "gpt-4", "chatgpt-"]
        .iter()
        .any(|prefix| model.starts_with(prefix));
    !older && !model.ends_with("-chat-latest")
}

fn entries(items: &[Item], stored_upstream: bool) -> Vec<Entry<'_>> {
    let message = |role, content| Entry::Typed(Typed::Message { role, content });
    items
        .iter()
        .enumerate()
        .filter_map(|(at, item)| {
            Some(match item {
                Item::User(text) => message("user", text),
                Item::Assistant(text) => message("assistant", text),
                Item::Developer(text) => message("developer", text),
                Item::Reasoning(reasoning) => {
                    let raw = reasoning.raw.as_ref()?;
                    let sendable = is_readable(raw, stored_upstream) && led_somewhere(&items[at + 1..]);
                    return sendable.then_some(Entry::Raw(raw));
                }
                Item::ToolCall(call) => Entry::Typed(Typed::FunctionCall {
                    call_id: &call.call_id,
                    name: &call.name,
                    arguments: &call.arguments,
                }),
                Item::ToolOutput { call_id, output } => {
                    Entry::Typed(Typed::FunctionCallOutput { call_id, output })
                }
            })
        })
        .collect()
}

/// Whether the upstream can make anything of a reasoning item: it has stored it, or the item carries the
/// reasoning. A bare id of something that was never stored is an error there.
fn is_readable(raw: &Value, stored_upstream: bool) -> bool {
    let carried = raw.get("encrypted_content").is_some_and(Value::is_string)
        || raw
            .get("content")
            .and_then(Value::as_array)
            .is_some_and(|parts| !parts.is_empty());
    raw.get("type").is_some_and(|kind| kind == "reasoning") && (stored_upstream || carried)
}

/// Whether reasoning is followed by what it led to. The upstream refuses reasoning that was cut off before.
fn led_somewhere(following: &[Item]) -> bool {
    let next = following.iter().find(|item| !matches!(item, Item::Reasoning(_)));
    matches!(next, Some(Item::Assistant(_) | Item::ToolCall(_)))
}
