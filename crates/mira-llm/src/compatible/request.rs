//! The body of a chat completions request. The same request always gives the same bytes.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use super::{ChatOptions, Dialect};
use crate::Effort;
use crate::chat::{Item, Output, Request, Tool, ToolCall, ToolChoice};

#[derive(Debug, Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Callable<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<Effort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_template_kwargs: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<&'a str>,
    stream: bool,
    stream_options: Value,
}

#[derive(Debug, Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
enum Message<'a> {
    System {
        content: Cow<'a, str>,
    },
    Developer {
        content: &'a str,
    },
    User {
        content: &'a str,
    },
    Assistant {
        content: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reasoning_content: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<Called<'a>>,
    },
    Tool {
        tool_call_id: &'a str,
        content: &'a str,
    },
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "function")]
struct Callable<'a> {
    function: Function<'a>,
}

#[derive(Debug, Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    strict: bool,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "function")]
struct Called<'a> {
    id: &'a str,
    function: CalledFunction<'a>,
}

#[derive(Debug, Serialize)]
struct CalledFunction<'a> {
    name: &'a str,
    arguments: &'a str,
}

impl<'a> Body<'a> {
    pub(super) fn new(options: &'a ChatOptions, request: &'a Request) -> Self {
        let dialect = options.dialect;
        let max = request.max_output_tokens;
        let mut body = Self {
            model: &options.model,
            messages: messages(dialect, request),
            tools: request
                .tools
                .iter()
                .map(|tool| Callable::new(tool, dialect))
                .collect(),
            // Auto is the default everywhere, and some servers refuse to be told.
            tool_choice: Some(request.tool_choice)
                .filter(|choice| !request.tools.is_empty() && *choice != ToolChoice::Auto),
            response_format: response_format(dialect, &request.output),
            max_tokens: max,
            max_completion_tokens: None,
            reasoning_effort: options.effort,
            thinking: None,
            chat_template_kwargs: None,
            prompt_cache_key: None,
            stream: true,
            stream_options: json!({"include_usage": true}),
        };
        match dialect {
            Dialect::DeepSeek => {
                let forced = body.tool_choice == Some(ToolChoice::Required);
                let off = forced || options.effort == Some(Effort::None);
                let thinking = if off { Some(false) } else { options.thinking };
                body.thinking = thinking.map(|on| json!({"type": if on { "enabled" } else { "disabled" }}));
                body.reasoning_effort = if thinking == Some(false) {
                    None
                } else {
                    options.effort.map(rounded)
                };
            }
            Dialect::OpenAi => {
                (body.max_tokens, body.max_completion_tokens) = (None, max);
                body.prompt_cache_key = request.cache_key.as_deref();
            }
            Dialect::Generic => {
                body.chat_template_kwargs = options.thinking.map(|on| json!({"enable_thinking": on}));
            }
        }
        body
    }
}

/// The level that DeepSeek itself takes a level for.
fn rounded(effort: Effort) -> Effort {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => Effort::Low,
        Effort::Medium | Effort::High | Effort::XHigh => Effort::High,
        Effort::Max => Effort::Max,
    }
}

impl<'a> Callable<'a> {
    fn new(tool: &'a Tool, dialect: Dialect) -> Self {
        Self {
            function: Function {
                name: &tool.name,
                description: &tool.description,
                parameters: &tool.parameters,
                strict: tool.strict && dialect != Dialect::DeepSeek,
            },
        }
    }
}

fn response_format(dialect: Dialect, output: &Output) -> Option<Value> {
    match (output, dialect) {
        (Output::Text, _) => None,
        (Output::JsonSchema { .. }, Dialect::DeepSeek) => Some(json!({"type": "json_object"})),
        (Output::JsonSchema { name, schema }, Dialect::OpenAi | Dialect::Generic) => Some(json!({
            "type": "json_schema",
            "json_schema": {"name": name, "schema": schema, "strict": true},
        })),
    }
}

fn messages(dialect: Dialect, request: &Request) -> Vec<Message<'_>> {
    let mut messages = Vec::new();
    let instructions = instructions(dialect, request);
    if !instructions.is_empty() {
        messages.push(Message::System {
            content: instructions,
        });
    }
    // The rule about reasoning speaks of everything between two messages of the user.
    for turn in request.input.chunk_by(|_, next| !matches!(next, Item::User(_))) {
        let called_tools = turn.iter().any(|item| matches!(item, Item::ToolCall(_)));
        for group in turn.chunk_by(|item, next| is_assistant(item) && is_assistant(next)) {
            match group {
                [Item::User(content)] => messages.push(Message::User { content }),
                [Item::Developer(content)] => messages.push(match dialect {
                    Dialect::OpenAi => Message::Developer { content },
                    Dialect::DeepSeek | Dialect::Generic => Message::System {
                        content: content.into(),
                    },
                }),
                [Item::ToolOutput { call_id, output }] => {
                    messages.push(Message::Tool {
                        tool_call_id: call_id,
                        content: output,
                    });
                }
                said => messages.extend(assistant(dialect, said, called_tools)),
            }
        }
    }
    messages
}

fn instructions(dialect: Dialect, request: &Request) -> Cow<'_, str> {
    match (&request.output, dialect) {
        (Output::JsonSchema { schema, .. }, Dialect::DeepSeek) => {
            let gap = if request.instructions.is_empty() {
                ""
            } else {
                "\n\n"
            };
            Cow::Owned(format!(
                "{}{gap}Answer with one JSON object that is valid under this JSON Schema, and with nothing else:\n\
                 {schema}",
                request.instructions
            ))
        }
        (Output::Text, _) | (Output::JsonSchema { .. }, Dialect::OpenAi | Dialect::Generic) => {
            Cow::Borrowed(&request.instructions)
        }
    }
}

fn is_assistant(item: &Item) -> bool {
    match item {
        Item::Assistant(_) | Item::Reasoning(_) | Item::ToolCall(_) => true,
        Item::User(_) | Item::Developer(_) | Item::ToolOutput { .. } => false,
    }
}

/// One message out of what the model thought, said and called without interruption; none if only thoughts are left.
fn assistant(dialect: Dialect, items: &[Item], called_tools: bool) -> Option<Message<'_>> {
    let mut said: Vec<&str> = Vec::new();
    let mut thought: Vec<&str> = Vec::new();
    let mut tool_calls = Vec::new();
    for item in items {
        match item {
            Item::Assistant(text) => said.push(text),
            Item::Reasoning(reasoning) if !reasoning.text.is_empty() => thought.push(&reasoning.text),
            Item::ToolCall(call) => tool_calls.push(Called::new(call)),
            Item::Reasoning(_) | Item::User(_) | Item::Developer(_) | Item::ToolOutput { .. } => {}
        }
    }
    if said.is_empty() && tool_calls.is_empty() {
        return None;
    }
    let reasoning_content = match dialect {
        // The field has to be there even for turns that another model took without showing its thoughts.
        Dialect::DeepSeek => called_tools.then(|| thought.join("\n\n")),
        Dialect::Generic => (called_tools && !thought.is_empty()).then(|| thought.join("\n\n")),
        Dialect::OpenAi => None,
    };
    let content = (!said.is_empty()).then(|| said.join("\n\n"));
    Some(Message::Assistant {
        content,
        reasoning_content,
        tool_calls,
    })
}

impl<'a> Called<'a> {
    fn new(call: &'a ToolCall) -> Self {
        Self {
            id: &call.call_id,
            function: CalledFunction {
                name: &call.name,
                arguments: &call.arguments,
            },
        }
    }
}
