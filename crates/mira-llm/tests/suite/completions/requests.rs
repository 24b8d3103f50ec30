//! What is sent.

use mira_llm::chat::{Item, Output, Request, Tool, ToolChoice};
use mira_llm::compatible::{Canonical, ChatCompletions, ChatOptions, Dialect, canonical_model};
use mira_llm::{ChatModel as _, Effort};
use serde_json::{Value, json};

use super::{assistant, call, chunk, reasoning, user};
use crate::player::{Answer, Player, converse};

fn output(call_id: &str) -> Item {
    Item::ToolOutput {
        call_id: call_id.to_owned(),
        output: "done".to_owned(),
    }
}

fn stop() -> Answer {
    Answer::events([chunk(&json!({"content": "Ok."}), Some("stop"))]).done()
}

/// The body that a request becomes.
async fn sent(options: ChatOptions, request: Request) -> Value {
    let player = Player::start([stop()]).await;
    let model = ChatCompletions::new(player.endpoint(), options).unwrap();
    converse(&model, request).await.1.unwrap();
    let received = player.received();
    assert!(received[0].head.starts_with("POST /v1/chat/completions HTTP/1.1"));
    received[0].json()
}

/// A request that uses everything.
fn rich_request() -> Request {
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false, "required": []});
    Request {
        instructions: "Be brief.".to_owned(),
        input: vec![user("Hello"), Item::Developer("Hurry.".to_owned())],
        tools: vec![Tool {
            name: "now".to_owned(),
            description: "The time.".to_owned(),
            parameters: schema.clone(),
            strict: true,
        }],
        tool_choice: ToolChoice::None,
        output: Output::JsonSchema {
            name: "answer".to_owned(),
            schema,
        },
        max_output_tokens: Some(1000),
        cache_key: Some("session-1".to_owned()),
    }
}

#[tokio::test]
async fn each_dialect_has_its_own_words_for_the_same_request() {
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false, "required": []});
    let options = |dialect| ChatOptions {
        thinking: Some(true),
        effort: Some(Effort::XHigh),
        ..ChatOptions::new("some-model", dialect)
    };
    let strict_tool = json!([{"type": "function", "function": {
        "name": "now", "description": "The time.", "parameters": schema, "strict": true}}]);
    let format = json!({"type": "json_schema",
                        "json_schema": {"name": "answer", "schema": schema, "strict": true}});

    let prompt = format!(
        "Be brief.\n\nAnswer with one JSON object that is valid under this JSON Schema, and with nothing else:\n{schema}"
    );
    assert_eq!(
        sent(options(Dialect::DeepSeek), rich_request()).await,
        json!({
            "model": "some-model",
            "messages": [{"role": "system", "content": prompt}, {"role": "user", "content": "Hello"},
                         {"role": "system", "content": "Hurry."}],
            "tools": [{"type": "function", "function": {
                "name": "now", "description": "The time.", "parameters": schema}}],
            "tool_choice": "none",
            "response_format": {"type": "json_object"},
            "max_tokens": 1000,
            "reasoning_effort": "high",
            "thinking": {"type": "enabled"},
            "stream": true,
            "stream_options": {"include_usage": true},
        })
    );
    assert_eq!(
        sent(options(Dialect::OpenAi), rich_request()).await,
        json!({
            "model": "some-model",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"},
                         {"role": "developer", "content": "Hurry."}],
            "tools": strict_tool,
            "tool_choice": "none",
            "response_format": format,
            "max_completion_tokens": 1000,
            "reasoning_effort": "xhigh",
            "prompt_cache_key": "session-1",
            "stream": true,
            "stream_options": {"include_usage": true},
        })
    );
    assert_eq!(
        sent(options(Dialect::Generic), rich_request()).await,
        json!({
            "model": "some-model",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"},
                         {"role": "system", "content": "Hurry."}],
            "tools": strict_tool,
            "tool_choice": "none",
            "response_format": format,
            "max_tokens": 1000,
            "reasoning_effort": "xhigh",
            "chat_template_kwargs": {"enable_thinking": true},
            "stream": true,
            "stream_options": {"include_usage": true},
        })
    );
}

#[tokio::test]
async fn deepseek_is_told_to_think_only_as_it_allows() {
    // (model, thinking, effort, tool choice) → (model, thinking, effort, tool choice) as sent
    let cases = [
        (
            ("deepseek-v4-pro", None, None, ToolChoice::Auto),
            json!(["deepseek-v4-pro", null, null, null]),
        ),
        (
            ("deepseek-chat", None, None, ToolChoice::Auto),
            json!(["deepseek-v4-flash", "disabled", null, null]),
        ),
        (
            ("deepseek-reasoner", None, None, ToolChoice::Auto),
            json!(["deepseek-v4-flash", "enabled", null, null]),
        ),
        (
            ("deepseek-chat", Some(true), None, ToolChoice::Auto),
            json!(["deepseek-v4-flash", "enabled", null, null]),
        ),
        (
            ("m", None, Some(Effort::Minimal), ToolChoice::Auto),
            json!(["m", null, "low", null]),
        ),
        (
            ("m", None, Some(Effort::Medium), ToolChoice::Auto),
            json!(["m", null, "high", null]),
        ),
        (
            ("m", None, Some(Effort::Max), ToolChoice::Auto),
            json!(["m", null, "max", null]),
        ),
        (
            ("m", None, Some(Effort::None), ToolChoice::Auto),
            json!(["m", "disabled", null, null]),
        ),
        (
            ("m", Some(false), Some(Effort::Max), ToolChoice::Auto),
            json!(["m", "disabled", null, null]),
        ),
        (
            ("m", Some(true), Some(Effort::Max), ToolChoice::Required),
            json!(["m", "disabled", null, "required"]),
        ),
        (
            ("m", Some(true), None, ToolChoice::None),
            json!(["m", "enabled", null, "none"]),
        ),
    ];
    for ((model, thinking, effort, tool_choice), expected) in cases {
        let options = ChatOptions {
            thinking,
            effort,
            ..ChatOptions::new(model, Dialect::DeepSeek)
        };
        let body = sent(
            options,
            Request {
                tool_choice,
                ..rich_request()
            },
        )
        .await;
        let found = json!([
            body["model"],
            body["thinking"]["type"],
            body["reasoning_effort"],
            body["tool_choice"]
        ]);
        assert_eq!(found, expected, "{model} {thinking:?} {effort:?} {tool_choice:?}");
    }
}

#[tokio::test]
async fn what_the_model_did_in_one_go_is_one_message() {
    let input = vec![
        user("First"),
        reasoning("No tools needed."),
        assistant("Done."),
        user("Second"),
        reasoning("Two tools."),
        assistant("Looking."),
        Item::ToolCall(call("call_1", "read", "{}")),
        Item::ToolCall(call("call_2", "list", "{")),
        output("call_1"),
        output("call_2"),
        Item::ToolCall(call("call_3", "read", "{}")),
        output("call_3"),
        reasoning("Enough."),
        assistant("All good."),
        user("Third"),
        reasoning("Cut off before it led to anything."),
    ];
    let tool_call = |id: &str, name: &str, arguments: &str| json!({"type": "function", "id": id, "function": {"name": name, "arguments": arguments}});
    let tool = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "done"});
    let message = |content: Option<&str>, reasoning: Option<&str>, calls: Value| {
        let mut message = json!({"role": "assistant", "content": content});
        if let Some(reasoning) = reasoning {
            message["reasoning_content"] = reasoning.into();
        }
        if !calls.is_null() {
            message["tool_calls"] = calls;
        }
        message
    };
    let both = json!([
        tool_call("call_1", "read", "{}"),
        tool_call("call_2", "list", "{")
    ]);
    let third = json!([tool_call("call_3", "read", "{}")]);
    // The reasoning of the three assistant messages of the second turn.
    let cases = [
        (Dialect::DeepSeek, [Some("Two tools."), Some(""), Some("Enough.")]),
        (Dialect::Generic, [Some("Two tools."), None, Some("Enough.")]),
        (Dialect::OpenAi, [None, None, None]),
    ];
    for (dialect, thoughts) in cases {
        let request = Request {
            input: input.clone(),
            ..Request::default()
        };
        let body = sent(ChatOptions::new("m", dialect), request).await;
        assert_eq!(
            body["messages"],
            json!([
                {"role": "user", "content": "First"},
                message(Some("Done."), None, Value::Null),
                {"role": "user", "content": "Second"},
                message(Some("Looking."), thoughts[0], both.clone()),
                tool("call_1"),
                tool("call_2"),
                message(None, thoughts[1], third.clone()),
                tool("call_3"),
                message(Some("All good."), thoughts[2], Value::Null),
                {"role": "user", "content": "Third"},
            ]),
            "{dialect:?}"
        );
    }
}

#[test]
fn retired_model_names_have_successors() {
    let replaced = |thinking: bool, notice: &str| Canonical {
        name: "deepseek-v4-flash".to_owned(),
        thinking: Some(thinking),
        notice: Some(notice.to_owned()),
    };
    assert_eq!(
        canonical_model("deepseek-chat"),
        replaced(
            false,
            "the model name deepseek-chat is retired; deepseek-v4-flash with thinking off is used instead"
        )
    );
    assert_eq!(
        canonical_model("deepseek-reasoner"),
        replaced(
            true,
            "the model name deepseek-reasoner is retired; deepseek-v4-flash with thinking on is used instead"
        )
    );
    let own = Canonical {
        name: "deepseek-v4-pro".to_owned(),
        thinking: None,
        notice: None,
    };
    assert_eq!(canonical_model("deepseek-v4-pro"), own);
    let options = |dialect| ChatOptions::new("deepseek-chat", dialect);
    let endpoint = || mira_llm::Endpoint::new("http://127.0.0.1:1/v1");
    assert_eq!(
        ChatCompletions::new(endpoint(), options(Dialect::DeepSeek))
            .unwrap()
            .model(),
        "deepseek-v4-flash"
    );
    assert_eq!(
        ChatCompletions::new(endpoint(), options(Dialect::Generic))
            .unwrap()
            .model(),
        "deepseek-chat"
    );
}
