//! The Responses API: what is sent, and what is made of the answer.

use mira_llm::chat::{Item, Output, Reasoning, Reply, Request, StopReason, Tool, ToolCall, ToolChoice};
use mira_llm::openai::{Responses, ResponsesOptions, Verbosity};
use mira_llm::{Effort, Error, Usage};
use serde_json::{Value, json};

use crate::player::{Answer, Player, converse, said, thought};

fn options() -> ResponsesOptions {
    ResponsesOptions::new("gpt-5.5")
}

fn asking(text: &str) -> Request {
    Request {
        input: vec![Item::User(text.to_owned())],
        ..Request::default()
    }
}

fn call(call_id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall {
        call_id: call_id.to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    }
}

fn reasoning_item() -> Value {
    json!({"id": "rs_1", "type": "reasoning", "encrypted_content": "gAAAA==",
           "summary": [{"type": "summary_text", "text": "Look."}, {"type": "summary_text", "text": "Then leap."}]})
}

fn call_item(status: &str) -> Value {
    json!({"id": "fc_1", "type": "function_call", "status": status, "call_id": "call_1", "name": "read_file",
           "arguments": "{\"path\": \"a.rs\"}"})
}

fn message_item(part: &Value) -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]})
}

fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": []})
}

fn delta(kind: &str, text: &str) -> Value {
    json!({"type": format!("response.{kind}.delta"), "item_id": "x", "output_index": 0, "delta": text})
}

fn terminal(kind: &str, response: &Value) -> Value {
    json!({"type": format!("response.{kind}"), "sequence_number": 9, "response": response})
}

/// What the model makes of a request to a server that answers with these events.
async fn play(answer: Answer) -> (Vec<crate::player::Seen>, Result<Reply, Error>) {
    let player = Player::start([answer]).await;
    let model = Responses::new(player.endpoint(), options()).unwrap();
    converse(&model, asking("Hello")).await
}

#[tokio::test]
async fn a_request_says_everything_in_the_wire_format_and_always_in_the_same_bytes() {
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"],
                        "additionalProperties": false});
    let request = Request {
        instructions: "Be brief.".to_owned(),
        input: vec![
            Item::Developer("The user is on Windows.".to_owned()),
            Item::User("What is in a.rs?".to_owned()),
            Item::Reasoning(Reasoning {
                text: "Look.".to_owned(),
                raw: Some(reasoning_item()),
            }),
            Item::ToolCall(call("call_1", "read_file", "{\"path\": \"a.rs\"}")),
            Item::ToolOutput {
                call_id: "call_1".to_owned(),
                output: "fn main() {}".to_owned(),
            },
            Item::Assistant("A main function.".to_owned()),
            Item::User("Thanks".to_owned()),
        ],
        tools: vec![Tool {
            name: "read_file".to_owned(),
            description: "Reads a file.".to_owned(),
            parameters: schema.clone(),
            strict: true,
        }],
        tool_choice: ToolChoice::Required,
        output: Output::JsonSchema {
            name: "answer".to_owned(),
            schema: schema.clone(),
        },
        max_output_tokens: Some(1000),
        cache_key: Some("session-1".to_owned()),
    };
    let done = terminal("completed", &json!({"output": [message_item(&text_part("{}"))]}));
    let player = Player::start([Answer::events([done.clone()]), Answer::events([done])]).await;
    let model = Responses::new(
        player.endpoint().header("OpenAI-Project", "proj_1"),
        ResponsesOptions {
            effort: Some(Effort::High),
            reasoning_summary: true,
            verbosity: Some(Verbosity::Low),
            ..options()
        },
    )
    .unwrap();
    converse(&model, request.clone()).await.1.unwrap();
    converse(&model, request).await.1.unwrap();

    let received = player.received();
    assert_eq!(received[0].body, received[1].body);
    let head = received[0].head.to_lowercase();
    for line in [
        "post /v1/responses http/1.1",
        "authorization: bearer sk-test-0123456789",
        "content-type: application/json",
        "accept: text/event-stream",
        "openai-project: proj_1",
    ] {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
    assert_eq!(
        received[0].json(),
        json!({
            "model": "gpt-5.5",
            "instructions": "Be brief.",
            "tools": [{"type": "function", "name": "read_file", "description": "Reads a file.",
                       "parameters": schema, "strict": true}],
            "tool_choice": "required",
            "parallel_tool_calls": true,
            "input": [
                {"type": "message", "role": "developer", "content": "The user is on Windows."},
                {"type": "message", "role": "user", "content": "What is in a.rs?"},
                reasoning_item(),
                {"type": "function_call", "call_id": "call_1", "name": "read_file",
                 "arguments": "{\"path\": \"a.rs\"}"},
                {"type": "function_call_output", "call_id": "call_1", "output": "fn main() {}"},
                {"type": "message", "role": "assistant", "content": "A main function."},
                {"type": "message", "role": "user", "content": "Thanks"},
            ],
            "reasoning": {"effort": "high", "summary": "auto"},
            "text": {"format": {"type": "json_schema", "name": "answer", "schema": schema, "strict": true},
                     "verbosity": "low"},
            "max_output_tokens": 1000,
            "prompt_cache_key": "session-1",
            "include": ["reasoning.encrypted_content"],
            "store": false,
            "stream": true,
        })
    );
}

#[tokio::test]
async fn a_plain_request_leaves_out_what_was_not_asked_for() {
    let done = terminal("completed", &json!({"output": []}));
    let player = Player::start([Answer::events([done.clone()]), Answer::events([done])]).await;
    let stored = ResponsesOptions {
        store: true,
        ..options()
    };
    for options in [stored, ResponsesOptions::new("gpt-4.1")] {
        let model = Responses::new(player.endpoint(), options).unwrap();
        converse(&model, asking("Hello")).await.1.unwrap();
    }
    let input = json!([{"type": "message", "role": "user", "content": "Hello"}]);
    let bodies: Vec<Value> = player
        .received()
        .iter()
        .map(crate::player::Received::json)
        .collect();
    assert_eq!(
        bodies,
        [
            json!({"model": "gpt-5.5", "input": input, "store": true, "stream": true}),
            json!({"model": "gpt-4.1", "input": input, "store": false, "stream": true}),
        ]
    );
}

#[tokio::test]
async fn reasoning_goes_back_only_where_the_upstream_can_use_it() {
    let reasoning = |raw: Option<Value>| {
        Item::Reasoning(Reasoning {
            text: "Hm.".to_owned(),
            raw,
        })
    };
    let answer = Item::Assistant("Yes.".to_owned());
    let bare = json!({"id": "rs_1", "type": "reasoning", "summary": []});
    let open = json!({"id": "rs_1", "type": "reasoning", "summary": [],
                      "content": [{"type": "reasoning_text", "text": "Hm."}]});
    // (stored upstream, items, how many reasoning items are sent)
    let cases = [
        (false, vec![reasoning(Some(reasoning_item())), answer.clone()], 1),
        (false, vec![reasoning(Some(open)), answer.clone()], 1),
        (false, vec![reasoning(Some(bare.clone())), answer.clone()], 0),
        (true, vec![reasoning(Some(bare)), answer.clone()], 1),
        (false, vec![reasoning(None), answer.clone()], 0),
        (
            false,
            vec![
                reasoning(Some(json!({"type": "thinking", "encrypted_content": "x"}))),
                answer,
            ],
            0,
        ),
        (
            false,
            vec![reasoning(Some(reasoning_item())), Item::User("Go on".to_owned())],
            0,
        ),
        (false, vec![reasoning(Some(reasoning_item()))], 0),
    ];
    for (store, items, expected) in cases {
        let player = Player::start([Answer::events([terminal("completed", &json!({}))])]).await;
        let model = Responses::new(player.endpoint(), ResponsesOptions { store, ..options() }).unwrap();
        let request = Request {
            input: items.clone(),
            ..Request::default()
        };
        converse(&model, request).await.1.unwrap();
        let body = player.received()[0].json();
        let sent = body["input"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|item| item["type"] == "reasoning")
            .count();
        assert_eq!(sent, expected, "{items:?}");
    }
}

#[tokio::test]
async fn a_reply_streams_and_ends_whole() {
    let output = json!([
        reasoning_item(),
        message_item(&text_part("I look.")),
        {"type": "hologram_call", "id": "holo_1"},
        call_item("completed"),
        {"id": "fc_2", "type": "function_call", "status": "completed", "call_id": "call_2", "name": "now",
         "arguments": ""},
    ]);
    let (seen, reply) = play(Answer::events([
        json!({"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}),
        json!({"type": "response.reasoning_summary_part.added", "summary_index": 0}),
        delta("reasoning_summary_text", "Look."),
        json!({"type": "response.reasoning_summary_part.added", "summary_index": 1}),
        delta("reasoning_summary_text", "Then leap."),
        delta("output_text", "I "),
        delta("output_text", ""),
        json!({"type": "response.hologram.delta", "delta": {"x": 1}}),
        delta("output_text", "look."),
        delta("function_call_arguments", "{\"path\""),
        json!({"type": "response.output_item.done", "output_index": 3, "item": call_item("completed")}),
        terminal(
            "completed",
            &json!({"id": "resp_1", "model": "gpt-5.5-2026-04-23", "status": "completed", "output": output,
                    "service_tier": "warp",
                    "usage": {"input_tokens": 1200, "input_tokens_details": {"cached_tokens": 1000},
                              "output_tokens": 80, "output_tokens_details": {"reasoning_tokens": 30},
                              "total_tokens": 1280}}),
        ),
    ]))
    .await;
    assert_eq!(
        seen,
        [
            thought("Look."),
            thought("\n\n"),
            thought("Then leap."),
            said("I "),
            said("look.")
        ]
    );
    let reply = reply.unwrap();
    assert_eq!(
        reply,
        Reply {
            items: vec![
                Item::Reasoning(Reasoning {
                    text: "Look.\n\nThen leap.".to_owned(),
                    raw: Some(reasoning_item())
                }),
                Item::Assistant("I look.".to_owned()),
                Item::ToolCall(call("call_1", "read_file", "{\"path\": \"a.rs\"}")),
                Item::ToolCall(call("call_2", "now", "{}")),
            ],
            usage: Usage {
                input: 1200,
                cached_input: 1000,
                cache_write: 0,
                output: 80,
                reasoning: 30
            },
            stop: StopReason::ToolCalls,
            model: "gpt-5.5-2026-04-23".to_owned(),
            response_id: Some("resp_1".to_owned()),
        }
    );
    assert_eq!(reply.text(), "I look.");
    assert_eq!(reply.tool_calls().count(), 2);
}

#[tokio::test]
async fn items_are_taken_from_their_own_events_if_the_last_event_repeats_none() {
    let item_done = |index: u64, item: Value| json!({"type": "response.output_item.done", "output_index": index, "item": item});
    let (_, reply) = play(Answer::events([
        item_done(1, call_item("completed")),
        item_done(0, message_item(&text_part("First."))),
        terminal("completed", &json!({"id": "resp_1", "output": []})),
    ]))
    .await;
    let reply = reply.unwrap();
    assert_eq!(
        (reply.items, reply.model.as_str()),
        (
            vec![
                Item::Assistant("First.".to_owned()),
                Item::ToolCall(call("call_1", "read_file", "{\"path\": \"a.rs\"}"))
            ],
            "gpt-5.5"
        )
    );
}

#[tokio::test]
async fn the_end_of_a_reply_is_told_by_what_it_holds() {
    let incomplete = |reason: &str, output: Value| {
        terminal(
            "incomplete",
            &json!({"status": "incomplete", "incomplete_details": {"reason": reason},
                                       "output": output}),
        )
    };
    let refusal = message_item(&json!({"type": "refusal", "refusal": "No."}));
    let cases = [
        (
            vec![incomplete(
                "max_output_tokens",
                json!([message_item(&text_part("Half")), call_item("incomplete")]),
            )],
            StopReason::MaxOutputTokens,
            vec![Item::Assistant("Half".to_owned())],
        ),
        (
            vec![incomplete("max_output_tokens", json!([call_item("completed")]))],
            StopReason::MaxOutputTokens,
            vec![Item::ToolCall(call(
                "call_1",
                "read_file",
                "{\"path\": \"a.rs\"}",
            ))],
        ),
        (
            vec![incomplete("content_filter", json!([]))],
            StopReason::ContentFilter,
            vec![],
        ),
        (
            vec![incomplete("boredom", json!([]))],
            StopReason::Other("boredom".to_owned()),
            vec![],
        ),
        (
            vec![
                delta("refusal", "No."),
                terminal("completed", &json!({"output": [refusal]})),
            ],
            StopReason::Declined,
            vec![Item::Assistant("No.".to_owned())],
        ),
    ];
    for (events, stop, items) in cases {
        let (_, reply) = play(Answer::events(events)).await;
        let reply = reply.unwrap();
        assert_eq!((reply.stop, reply.items), (stop, items));
    }
}

#[tokio::test]
async fn a_stream_that_does_not_end_as_it_should_is_an_error() {
    let failed = |code: &str| {
        terminal(
            "failed",
            &json!({"status": "failed", "error": {"code": code, "message": "Sorry."}}),
        )
    };
    let cases = [
        (Answer::events([failed("server_error")]), "Server"),
        (Answer::events([failed("rate_limit_exceeded")]), "RateLimited"),
        (Answer::events([failed("insufficient_quota")]), "Quota"),
        (
            Answer::events([failed("context_length_exceeded")]),
            "ContextTooLong",
        ),
        (Answer::events([failed("invalid_prompt")]), "Refused"),
        (Answer::events([failed("never_heard_of")]), "Server"),
        (
            Answer::events([json!({"type": "error", "code": "rate_limit_exceeded", "message": "Slow."})]),
            "RateLimited",
        ),
        (
            Answer::events([
                json!({"type": "error", "error": {"type": "insufficient_quota", "message": "Pay."}}),
            ]),
            "Quota",
        ),
        (
            Answer::events([json!({"error": {"code": 429, "message": "Slow."}})]),
            "RateLimited",
        ),
        (Answer::events([delta("output_text", "Hal")]), "Network"),
        (Answer::events([delta("output_text", "Hal")]).done(), "Network"),
        (
            Answer::events([delta("function_call_arguments", "{\"pa")]).cut(),
            "Network",
        ),
        (
            Answer::stream(["data: {\"type\": \"response.completed\", "]).cut(),
            "Network",
        ),
        (
            Answer::stream(["data: {\"type\": \"response.completed\", \"resp\n\n"]),
            "Malformed",
        ),
        (Answer::stream([b"data: \xff\n\n"]), "Malformed"),
        (
            Answer::events([terminal(
                "completed",
                &json!({"output": [{"type": "function_call"}]}),
            )]),
            "Malformed",
        ),
    ];
    for (answer, expected) in cases {
        let error = play(answer).await.1.unwrap_err();
        assert!(
            format!("{error:?}").starts_with(expected),
            "{expected}: {error:?}"
        );
        let detail = error.detail().unwrap();
        assert_eq!(
            (detail.model.as_str(), detail.request_id.as_deref()),
            ("gpt-5.5", Some("req_1"))
        );
    }
}
