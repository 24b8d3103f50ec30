//! Whole conversations with an upstream that checks every request it receives.

use std::time::Duration;

use futures_util::StreamExt as _;
use mira_llm::chat::{Event, Item, Output, Reply, Request, StopReason, Tool};
use mira_llm::compatible::{ChatCompletions, ChatOptions, Dialect};
use mira_llm::embedding::{Embedder as _, EmbeddingOptions, OpenAiEmbeddings};
use mira_llm::openai::{Responses, ResponsesOptions};
use mira_llm::scripted::{Fault, Outcome, Rule, Script, Step, Upstream};
use mira_llm::{ChatModel, Endpoint, Error, Retry, complete};
use serde_json::json;

use crate::player::{Seen, converse, said, thought};

fn endpoint(upstream: &Upstream) -> Endpoint {
    Endpoint::new(upstream.base_url())
        .api_key("sk-test-0123456789")
        .retry(Retry::never())
}

/// The same upstream through each wire format.
fn models(upstream: &Upstream) -> [Box<dyn ChatModel>; 2] {
    let chat = ChatOptions {
        thinking: Some(true),
        ..ChatOptions::new("deepseek-v4-flash", Dialect::DeepSeek)
    };
    let responses = ResponsesOptions {
        reasoning_summary: true,
        ..ResponsesOptions::new("gpt-5.5")
    };
    [
        Box::new(Responses::new(endpoint(upstream), responses).unwrap()),
        Box::new(ChatCompletions::new(endpoint(upstream), chat).unwrap()),
    ]
}

fn request() -> Request {
    let parameters = json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"],
                            "additionalProperties": false});
    let tool = |name: &str| Tool {
        name: name.to_owned(),
        description: "Reads.".to_owned(),
        parameters: parameters.clone(),
        strict: true,
    };
    Request {
        instructions: "Be brief.".to_owned(),
        input: vec![Item::User("Compare a.rs and b.rs".to_owned())],
        tools: vec![tool("read_file"), tool("outline")],
        cache_key: Some("session-1".to_owned()),
        ..Request::default()
    }
}

#[tokio::test]
async fn a_conversation_with_parallel_tools_survives_being_stored() {
    let script = || {
        Script::new()
            .rule(Rule::new("say goodbye").last_user_contains("Thanks").text("Bye."))
            .rule(
                Rule::new("ask for both files")
                    .no_tool_output()
                    .reasoning("Read both.")
                    .text("Reading.")
                    .tool_call("read_file", &json!({"path": "a.rs"}))
                    .tool_call("read_file", &json!({"path": "b.rs"})),
            )
            .rule(
                Rule::new("ask for an outline")
                    .tool_output("read_file")
                    .reasoning("An outline too.")
                    .tool_call("outline", &json!({"path": "b.rs"})),
            )
            .rule(
                Rule::new("answer")
                    .tool_output("outline")
                    .once()
                    .reasoning("Enough.")
                    .text("Both are fine."),
            )
    };
    for which in 0..2 {
        let upstream = Upstream::start(script()).await.unwrap();
        let model = &models(&upstream)[which];
        let mut request = request();
        let mut replies = Vec::new();
        while replies
            .last()
            .is_none_or(|reply: &Reply| reply.stop == StopReason::ToolCalls)
        {
            let reply = complete(&**model, request.clone()).await.unwrap();
            request.input.extend(reply.items.clone());
            for call in reply.tool_calls() {
                let output = format!("contents for {}", call.arguments);
                request.input.push(Item::ToolOutput {
                    call_id: call.call_id.clone(),
                    output,
                });
            }
            replies.push(reply);
            let stored = serde_json::to_string(&request).unwrap();
            request = serde_json::from_str(&stored).unwrap();
        }
        request.input.push(Item::User("Thanks".to_owned()));
        replies.push(complete(&**model, request).await.unwrap());

        let texts: Vec<String> = replies.iter().map(Reply::text).collect();
        assert_eq!(texts, ["Reading.", "", "Both are fine.", "Bye."]);
        assert_eq!(
            replies
                .iter()
                .map(|reply| reply.tool_calls().count())
                .collect::<Vec<_>>(),
            [2, 1, 0, 0]
        );
        assert!(upstream.violations().is_empty(), "{:?}", upstream.violations());
        upstream.shutdown().await;
    }
}

#[tokio::test]
async fn content_arrives_as_it_is_written_however_the_bytes_are_cut() {
    let script = Script::new().rule(
        Rule::new("speak")
            .fault(Fault::SplitBytes(std::num::NonZeroUsize::new(3).unwrap()))
            .reasoning("Hm 🦀.")
            .text("Grüße, 世界!"),
    );
    let upstream = Upstream::start(script).await.unwrap();
    for model in models(&upstream) {
        let (seen, reply) = converse(&*model, request()).await;
        assert_eq!(seen, [thought("Hm 🦀."), said("Grüße, 世界!")]);
        assert_eq!(reply.unwrap().text(), "Grüße, 世界!");
    }
    upstream.shutdown().await;
}

#[tokio::test]
async fn a_tool_call_that_is_cut_off_is_not_delivered() {
    let script = Script::new().rule(
        Rule::new("cut")
            .text("Reading.")
            .step(Step::tool_call("read_file", &json!({"path": "a.rs"})).chunk(4))
            .fault(Fault::Cut),
    );
    let upstream = Upstream::start(script).await.unwrap();
    for model in models(&upstream) {
        let (seen, end) = converse(&*model, request()).await;
        assert_eq!(seen, [said("Reading.")]);
        assert!(matches!(end, Err(Error::Network { .. })), "{end:?}");
    }
    upstream.shutdown().await;
}

#[tokio::test]
async fn a_refused_request_is_tried_again_and_then_answered() {
    let script = || {
        let refused = Rule::new("refuse").once().fault(Fault::http(429));
        Script::new().rule(refused).rule(Rule::new("answer").text("Ok."))
    };
    for which in 0..2 {
        let upstream = Upstream::start(script()).await.unwrap();
        let retry = Retry {
            attempts: 2,
            base: Duration::from_millis(1),
            max: Duration::from_secs(1),
        };
        let endpoint = endpoint(&upstream).retry(retry);
        let model: Box<dyn ChatModel> = if which == 0 {
            Box::new(Responses::new(endpoint, ResponsesOptions::new("gpt-5.5")).unwrap())
        } else {
            let options = ChatOptions::new("deepseek-v4-flash", Dialect::DeepSeek);
            Box::new(ChatCompletions::new(endpoint, options).unwrap())
        };
        let (seen, reply) = converse(&*model, request()).await;
        assert_eq!(seen, [Seen::Retrying(2), said("Ok.")]);
        assert_eq!(reply.unwrap().stop, StopReason::Completed);
        upstream.shutdown().await;
    }
}

#[tokio::test]
async fn dropping_a_stream_is_noticed_upstream() {
    let script = Script::new().rule(Rule::new("wait").text("Hal").hold("forever"));
    let upstream = Upstream::start(script).await.unwrap();
    for (index, model) in models(&upstream).into_iter().enumerate() {
        let mut events = model.stream(request());
        assert!(matches!(events.next().await, Some(Ok(Event::Text(_)))));
        drop(events);
        let ended = tokio::time::timeout(Duration::from_secs(10), upstream.ended(index))
            .await
            .unwrap();
        assert_eq!(ended, Outcome::ClientGone);
    }
    upstream.shutdown().await;
}

#[tokio::test]
async fn a_json_document_is_asked_for_in_every_dialect() {
    let schema = json!({"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"],
                        "additionalProperties": false});
    let script = Script::new().rule(Rule::new("answer").text("{\"ok\": true}"));
    let upstream = Upstream::start(script).await.unwrap();
    for model in models(&upstream) {
        let output = Output::JsonSchema {
            name: "verdict".to_owned(),
            schema: schema.clone(),
        };
        let reply = complete(&*model, Request { output, ..request() }).await.unwrap();
        assert_eq!(reply.text(), "{\"ok\": true}");
    }
    assert!(upstream.violations().is_empty(), "{:?}", upstream.violations());
    upstream.shutdown().await;
}

#[tokio::test]
async fn similar_texts_get_similar_vectors() {
    let upstream = Upstream::start(Script::new()).await.unwrap();
    let options = EmbeddingOptions::new("text-embedding-3-large", 256);
    let embedder = OpenAiEmbeddings::new(endpoint(&upstream), options).unwrap();
    let texts = [
        "the cat sat on the mat",
        "the cat sat on a mat",
        "compile errors in Rust",
    ]
    .map(str::to_owned);
    let vectors = embedder.embed(&texts).await.unwrap();
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    assert!(dot(&vectors[0], &vectors[1]) > dot(&vectors[0], &vectors[2]) + 0.2);
    assert!(embedder.usage().input > 0);
    upstream.shutdown().await;
}
