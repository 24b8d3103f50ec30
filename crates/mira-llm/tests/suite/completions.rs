//! Chat completions: what is sent in each dialect, and what is made of the chunks.

mod replies;
mod requests;

use mira_llm::chat::{Item, Reasoning, ToolCall};
use serde_json::{Value, json};

fn call(call_id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall {
        call_id: call_id.to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    }
}

fn user(text: &str) -> Item {
    Item::User(text.to_owned())
}

fn assistant(text: &str) -> Item {
    Item::Assistant(text.to_owned())
}

fn reasoning(text: &str) -> Item {
    Item::Reasoning(Reasoning {
        text: text.to_owned(),
        raw: None,
    })
}

fn chunk(delta: &Value, finish_reason: Option<&str>) -> Value {
    json!({"id": "chat_1", "object": "chat.completion.chunk", "model": "deepseek-v4-flash",
           "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})
}
