//! The bytes of both dialects.

use async_openai::types::chat::{CreateChatCompletionResponse, CreateChatCompletionStreamResponse};
use async_openai::types::responses::{Response as OpenAiResponse, ResponseStreamEvent};
use mira_llm::scripted::{ErrorEvent, Fault, Rule, Script, Step, TokenUsage};
use serde_json::{Value, json};

use super::{CLIENT, body, chat_request, data, post, responses_request, start, text, user, within_deadline};

/// Every kind of content but a refusal, one of them in two deltas.
fn rich() -> Rule {
    Rule::new("rich")
        .usage(TokenUsage {
            input: 1200,
            cached_input: 1000,
            output: 80,
            reasoning: 30,
        })
        .reasoning("Look first.")
        .step(Step::text("Grüß \"dich\"").chunk(6))
        .tool_call("read_file", &json!({"path": "src/lib.rs"}))
}

#[tokio::test]
async fn responses_sends_every_event_in_order() {
    let upstream = start(Script::new().rule(rich())).await;
    let response = post(&upstream, "/responses", &responses_request(&user("hi"))).await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["content-type"],
        "text/event-stream; charset=utf-8"
    );
    assert_eq!(response.headers()["x-request-id"], "req_1");
    assert_eq!(text(response).await, include_str!("responses.sse"));
    assert_eq!(upstream.violations(), []);
}

#[tokio::test]
async fn chat_completions_sends_chunks_usage_and_done() {
    let upstream = start(Script::new().rule(rich())).await;
    let response = post(&upstream, "/chat/completions", &chat_request(&user("hi"))).await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["content-type"],
        "text/event-stream; charset=utf-8"
    );
    assert_eq!(text(response).await, include_str!("chat.sse"));
    assert_eq!(upstream.violations(), []);
}

#[tokio::test]
async fn every_frame_is_what_a_foreign_client_expects() {
    let failure = ErrorEvent {
        code: "server_error".into(),
        message: "broken".into(),
        nested: false,
    };
    let rules = [
        rich(),
        Rule::new("refusal").step(Step::refusal("I will not.").chunk(3)),
        Rule::new("incomplete")
            .text("It is")
            .fault(Fault::Incomplete("max_output_tokens".into())),
        Rule::new("filtered")
            .text("It is")
            .fault(Fault::Incomplete("content_filter".into())),
        Rule::new("failed").text("It is").fault(Fault::Failed(failure)),
        Rule::new("empty"),
        Rule::new("two calls")
            .tool_call("list_files", &json!({}))
            .tool_call("read_file", &json!({"path": "a"})),
    ];
    for rule in rules {
        let name = rule.name.clone();
        let upstream = start(Script::new().rule(rule)).await;
        let stream = text(post(&upstream, "/responses", &responses_request(&user("hi"))).await).await;
        for (number, event) in data(&stream).into_iter().enumerate() {
            let parsed: Result<ResponseStreamEvent, _> = serde_json::from_str(event);
            assert!(parsed.is_ok(), "{name}: {parsed:?} in {event}");
            let event: Value = serde_json::from_str(event).unwrap();
            assert_eq!(event["sequence_number"], number, "{name}");
        }
        if name == "failed" {
            continue; // In chat completions this is an error object, not a chunk.
        }
        let stream = text(post(&upstream, "/chat/completions", &chat_request(&user("hi"))).await).await;
        let mut chunks = data(&stream);
        assert_eq!(chunks.pop(), Some("[DONE]"), "{name}");
        for chunk in chunks {
            let parsed: Result<CreateChatCompletionStreamResponse, _> = serde_json::from_str(chunk);
            assert!(parsed.is_ok(), "{name}: {parsed:?} in {chunk}");
        }
    }
}

#[tokio::test]
async fn without_stream_the_same_reply_comes_whole() {
    let upstream = start(Script::new().rule(rich())).await;
    let mut request = responses_request(&user("hi"));
    request["stream"] = json!(false);
    let whole = body(post(&upstream, "/responses", &request).await).await;
    let events = data(include_str!("responses.sse"));
    let completed: Value = serde_json::from_str(events.last().unwrap()).unwrap();
    assert_eq!(whole, completed["response"]);
    serde_json::from_value::<OpenAiResponse>(whole).unwrap();

    let request = json!({"model": "deepseek-v4-flash", "messages": user("hi")});
    let whole = body(post(&upstream, "/chat/completions", &request).await).await;
    assert_eq!(
        whole,
        json!({
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_790_000_000,
            "model": "deepseek-v4-flash",
            "choices": [{
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Grüß \"dich\"",
                    "reasoning_content": "Look first.",
                    "tool_calls": [{
                        "id": "call_2",
                        "type": "function",
                        "function": {"name": "read_file", "arguments": "{\"path\":\"src/lib.rs\"}"},
                    }],
                },
                "logprobs": null,
                "finish_reason": "tool_calls",
            }],
            "usage": {
                "prompt_tokens": 1200,
                "completion_tokens": 80,
                "total_tokens": 1280,
                "prompt_tokens_details": {"cached_tokens": 1000},
                "completion_tokens_details": {"reasoning_tokens": 30},
                "prompt_cache_hit_tokens": 1000,
                "prompt_cache_miss_tokens": 200,
            },
        })
    );
    serde_json::from_value::<CreateChatCompletionResponse>(whole).unwrap();
}

#[tokio::test]
async fn reasoning_is_shown_as_far_as_the_request_asks() {
    let sealed = "sealed-rs_1-";
    let cases = [
        (
            json!({"reasoning": {"summary": "auto"}, "include": ["reasoning.encrypted_content"]}),
            true,
            true,
            true,
        ),
        (json!({"reasoning": {"summary": "auto"}}), true, true, false),
        (
            json!({"include": ["reasoning.encrypted_content"]}),
            true,
            false,
            true,
        ),
        (
            json!({"reasoning": {"effort": "none", "summary": "auto"}}),
            false,
            false,
            false,
        ),
    ];
    for (fields, item, summary, encrypted) in cases {
        let upstream = start(Script::new().rule(Rule::new("").reasoning("Look first.").text("ok"))).await;
        let mut request = json!({"model": "gpt-5.5", "input": "hi", "stream": true});
        request
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let stream = text(post(&upstream, "/responses", &request).await).await;
        assert_eq!(stream.contains("\"type\":\"reasoning\""), item, "{fields}");
        assert_eq!(stream.contains("Look first."), summary, "{fields}");
        assert_eq!(
            stream.contains("response.reasoning_summary_text.delta"),
            summary,
            "{fields}"
        );
        assert_eq!(stream.contains(sealed), encrypted, "{fields}");
    }
    for (thinking, shown) in [("enabled", true), ("disabled", false)] {
        let upstream = start(Script::new().rule(Rule::new("").reasoning("Look first.").text("ok"))).await;
        let mut request = chat_request(&user("hi"));
        request["thinking"] = json!({"type": thinking});
        let stream = text(post(&upstream, "/chat/completions", &request).await).await;
        assert_eq!(stream.contains("Look first."), shown, "{thinking}");
    }
}

#[tokio::test]
async fn steps_of_one_kind_continue_one_item() {
    let rule = Rule::new("")
        .text("one ")
        .fault(Fault::Comment("ping".into()))
        .text("message");
    let upstream = start(Script::new().rule(rule)).await;
    let stream = text(post(&upstream, "/responses", &responses_request(&user("hi"))).await).await;
    assert_eq!(stream.matches("event: response.output_item.added").count(), 1);
    assert_eq!(stream.matches("event: response.output_text.delta").count(), 2);
    assert!(stream.contains("\"text\":\"one message\""));
}

#[tokio::test]
async fn tokens_are_estimated_when_the_rule_gives_none() {
    let upstream = start(Script::new().rule(Rule::new("").reasoning("12345678").text("1234"))).await;
    let request =
        json!({"model": "m", "instructions": "1234", "input": "12345", "reasoning": {"summary": "auto"}});
    let whole = body(post(&upstream, "/responses", &request).await).await;
    assert_eq!(
        whole["usage"],
        json!({
            "input_tokens": 3,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 3,
            "output_tokens_details": {"reasoning_tokens": 2},
            "total_tokens": 6,
        })
    );
}

#[tokio::test]
async fn hundreds_of_streams_run_side_by_side() {
    const STREAMS: usize = 300;
    let content = "word ".repeat(200);
    let rule = Rule::new("")
        .step(Step::text(&content).chunk(5))
        .hold("all")
        .text("end");
    let upstream = start(Script::new().rule(rule)).await;
    let url = format!("{}/responses", upstream.base_url());
    let request = responses_request(&user("hi"));
    let mut streams = tokio::task::JoinSet::new();
    for _ in 0..STREAMS {
        let request = CLIENT.post(&url).bearer_auth("key").json(&request);
        streams.spawn(async move { request.send().await.unwrap().text().await.unwrap() });
    }
    within_deadline(upstream.request_count_reaches(STREAMS)).await;
    within_deadline(upstream.arrived("all")).await;
    upstream.release("all");
    let ends = within_deadline(streams.join_all()).await;
    for stream in ends {
        let events = data(&stream);
        let deltas = events.iter().filter_map(|event| {
            let event: Value = serde_json::from_str(event).unwrap();
            event["delta"].as_str().map(str::to_owned)
        });
        assert_eq!(deltas.collect::<String>(), format!("{content}end"));
    }
}
