//! A foreign crate's request types as a check on ours: they must know every field that is sent.

use async_openai::types::chat::CreateChatCompletionRequest;
use async_openai::types::responses::CreateResponse;
use mira_llm::chat::{Item, Output, Reasoning, Request, Tool, ToolCall, ToolChoice};
use mira_llm::compatible::{ChatCompletions, ChatOptions, Dialect};
use mira_llm::openai::{Responses, ResponsesOptions, Verbosity};
use mira_llm::{ChatModel, Effort};
use serde_json::{Value, json};

use crate::player::{Answer, Player, converse};

/// The places in `ours` that `theirs`, the same request after a journey through foreign types, has lost or changed.
fn lost(ours: &Value, theirs: &Value, at: &str) -> Vec<String> {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => ours
            .iter()
            .flat_map(|(key, value)| {
                lost(
                    value,
                    theirs.get(key).unwrap_or(&Value::Null),
                    &format!("{at}/{key}"),
                )
            })
            .collect(),
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => ours
            .iter()
            .zip(theirs)
            .enumerate()
            .flat_map(|(index, (ours, theirs))| lost(ours, theirs, &format!("{at}/{index}")))
            .collect(),
        _ if ours == theirs => Vec::new(),
        _ => vec![at.to_owned()],
    }
}

fn requests() -> Vec<Request> {
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"],
                        "additionalProperties": false});
    let raw = json!({"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Look."}],
                     "encrypted_content": "gAAAA=="});
    let call = ToolCall {
        call_id: "call_1".to_owned(),
        name: "read_file".to_owned(),
        arguments: "{\"path\": \"a.rs\"}".to_owned(),
    };
    let conversation = vec![
        Item::Developer("Hurry.".to_owned()),
        Item::User("What is in a.rs?".to_owned()),
        Item::Reasoning(Reasoning {
            text: "Look.".to_owned(),
            raw: Some(raw),
        }),
        Item::Assistant("I look.".to_owned()),
        Item::ToolCall(call),
        Item::ToolOutput {
            call_id: "call_1".to_owned(),
            output: "fn main() {}".to_owned(),
        },
        Item::Assistant("A main function.".to_owned()),
    ];
    let tool = Tool {
        name: "read_file".to_owned(),
        description: "Reads a file.".to_owned(),
        parameters: schema.clone(),
        strict: true,
    };
    let plain = Request {
        input: vec![Item::User("Hello".to_owned())],
        ..Request::default()
    };
    let mut requests = vec![plain.clone()];
    for tool_choice in [ToolChoice::Auto, ToolChoice::None, ToolChoice::Required] {
        requests.push(Request {
            instructions: "Be brief.".to_owned(),
            input: conversation.clone(),
            tools: vec![tool.clone()],
            tool_choice,
            max_output_tokens: Some(1000),
            cache_key: Some("session-1".to_owned()),
            ..plain.clone()
        });
    }
    requests.push(Request {
        output: Output::JsonSchema {
            name: "answer".to_owned(),
            schema,
        },
        ..plain
    });
    requests
}

/// Sends every request and gives back what arrived.
async fn bodies(answer: Answer, model: impl Fn(&Player) -> Box<dyn ChatModel>) -> Vec<Value> {
    let mut bodies = Vec::new();
    for request in requests() {
        let player = Player::start([answer.clone()]).await;
        converse(&*model(&player), request).await.1.unwrap();
        bodies.push(player.received()[0].json());
    }
    bodies
}

#[tokio::test]
async fn every_responses_request_is_one_to_a_foreign_crate() {
    let answer = Answer::events([json!({"type": "response.completed", "response": {}})]);
    for store in [true, false] {
        let options = ResponsesOptions {
            effort: Some(Effort::XHigh),
            reasoning_summary: true,
            verbosity: Some(Verbosity::Medium),
            store,
            ..ResponsesOptions::new("gpt-5.5")
        };
        let model = |player: &Player| -> Box<dyn ChatModel> {
            Box::new(Responses::new(player.endpoint(), options.clone()).unwrap())
        };
        for body in bodies(answer.clone(), model).await {
            let foreign: CreateResponse = serde_json::from_value(body.clone()).unwrap();
            assert_eq!(
                lost(&body, &serde_json::to_value(foreign).unwrap(), ""),
                Vec::<String>::new()
            );
        }
    }
}

#[tokio::test]
async fn every_chat_completions_request_is_one_to_a_foreign_crate() {
    let answer = Answer::events([json!({"choices": [{"delta": {}, "finish_reason": "stop"}]})]).done();
    // What the other dialects have beyond OpenAI's own.
    let extensions = ["/thinking", "/chat_template_kwargs", "/reasoning_content"];
    for dialect in [Dialect::OpenAi, Dialect::DeepSeek, Dialect::Generic] {
        let options = ChatOptions {
            thinking: Some(true),
            effort: Some(Effort::High),
            ..ChatOptions::new("some-model", dialect)
        };
        let model = |player: &Player| -> Box<dyn ChatModel> {
            Box::new(ChatCompletions::new(player.endpoint(), options.clone()).unwrap())
        };
        for body in bodies(answer.clone(), model).await {
            let foreign: CreateChatCompletionRequest = serde_json::from_value(body.clone()).unwrap();
            let mut lost = lost(&body, &serde_json::to_value(foreign).unwrap(), "");
            if dialect != Dialect::OpenAi {
                lost.retain(|place| !extensions.iter().any(|extension| place.ends_with(extension)));
            }
            assert_eq!(lost, Vec::<String>::new(), "{dialect:?}");
        }
    }
}
