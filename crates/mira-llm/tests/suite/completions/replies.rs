//! What is made of the chunks.

use mira_llm::chat::{Item, Reply, Request, StopReason};
use mira_llm::compatible::{ChatCompletions, ChatOptions, Dialect};
use mira_llm::{Error, Usage};
use serde_json::json;

use super::{assistant, call, chunk, reasoning, user};
use crate::player::{Answer, Player, Seen, converse, said, thought};

async fn play(answer: Answer) -> (Vec<Seen>, Result<Reply, Error>) {
    let player = Player::start([answer]).await;
    let model = ChatCompletions::new(
        player.endpoint(),
        ChatOptions::new("deepseek-v4-flash", Dialect::DeepSeek),
    )
    .unwrap();
    converse(
        &model,
        Request {
            input: vec![user("Hello")],
            ..Request::default()
        },
    )
    .await
}

#[tokio::test]
async fn a_reply_streams_and_ends_whole() {
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 50, "prompt_cache_hit_tokens": 60,
                       "completion_tokens_details": {"reasoning_tokens": 20}});
    let (seen, reply) = play(
        Answer::events([
            chunk(
                &json!({"role": "assistant", "content": null, "reasoning_content": ""}),
                None,
            ),
            chunk(&json!({"reasoning_content": "Let me "}), None),
            chunk(&json!({"reasoning_content": "see."}), None),
            chunk(&json!({"content": "I ", "reasoning_content": null}), None),
            chunk(&json!({"content": "look."}), None),
            chunk(
                &json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "function",
                          "function": {"name": "read", "arguments": ""}}]}),
                None,
            ),
            chunk(
                &json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"pa"}}]}),
                None,
            ),
            chunk(
                &json!({"tool_calls": [{"index": 1, "id": "call_2", "function": {"name": "now"}}]}),
                None,
            ),
            chunk(
                &json!({"tool_calls": [{"index": 0, "function": {"arguments": "th\": 1}"}}]}),
                None,
            ),
            chunk(&json!({}), Some("tool_calls")),
            json!({"id": "chat_1", "choices": [], "usage": usage}),
        ])
        .done(),
    )
    .await;
    assert_eq!(
        seen,
        [thought("Let me "), thought("see."), said("I "), said("look.")]
    );
    assert_eq!(
        reply.unwrap(),
        Reply {
            items: vec![
                reasoning("Let me see."),
                assistant("I look."),
                Item::ToolCall(call("call_1", "read", "{\"path\": 1}")),
                Item::ToolCall(call("call_2", "now", "{}")),
            ],
            usage: Usage {
                input: 100,
                cached_input: 60,
                cache_write: 0,
                output: 50,
                reasoning: 20
            },
            stop: StopReason::ToolCalls,
            model: "deepseek-v4-flash".to_owned(),
            response_id: Some("chat_1".to_owned()),
        }
    );
}

#[tokio::test]
async fn tool_calls_are_put_together_however_servers_split_them() {
    let cases = [
        // The id and the name come late.
        (
            vec![
                json!([{"index": 0, "function": {"arguments": "{\"a\""}}]),
                json!([{"index": 0, "id": "c1", "function": {"arguments": ": 1}"}}]),
                json!([{"index": 0, "function": {"name": "read"}}]),
            ],
            vec![call("c1", "read", "{\"a\": 1}")],
        ),
        // The id and the name are repeated in every piece.
        (
            vec![
                json!([{"index": 0, "id": "c1", "function": {"name": "read", "arguments": "{"}}]),
                json!([{"index": 0, "id": "c1", "function": {"name": "read", "arguments": "}"}}]),
            ],
            vec![call("c1", "read", "{}")],
        ),
        // No index at all.
        (
            vec![
                json!([{"id": "c1", "function": {"name": "read", "arguments": "{"}}]),
                json!([{"function": {"arguments": "}"}}]),
                json!([{"id": "c2", "function": {"name": "list", "arguments": "[]"}}]),
            ],
            vec![call("c1", "read", "{}"), call("c2", "list", "[]")],
        ),
        // The same index for different calls.
        (
            vec![
                json!([{"index": 0, "id": "c1", "function": {"name": "read", "arguments": "{}"}},
                        {"index": 0, "id": "c2", "function": {"name": "list", "arguments": "{}"}}]),
            ],
            vec![call("c1", "read", "{}"), call("c2", "list", "{}")],
        ),
        // Arguments that are an object instead of text, and nulls.
        (
            vec![
                json!([{"index": 0, "id": "c1", "function": {"name": "read", "arguments": {"a": 1}}}]),
                json!([{"index": 0, "id": null, "function": {"name": null, "arguments": null}}]),
            ],
            vec![call("c1", "read", "{\"a\":1}")],
        ),
        // Arguments that are no JSON reach the caller as they are.
        (
            vec![json!([{"index": 0, "id": "c1", "function": {"name": "read", "arguments": "{oops"}}])],
            vec![call("c1", "read", "{oops")],
        ),
    ];
    for (deltas, expected) in cases {
        let chunks = deltas
            .iter()
            .map(|calls| chunk(&json!({"tool_calls": calls}), None));
        let (_, reply) =
            play(Answer::events(chunks.chain([chunk(&json!({}), Some("tool_calls"))])).done()).await;
        let items: Vec<Item> = expected.into_iter().map(Item::ToolCall).collect();
        assert_eq!(reply.unwrap().items, items);
    }
}

#[tokio::test]
async fn a_call_without_an_id_gets_one_of_its_own() {
    let calls = json!([{"index": 0, "function": {"name": "read", "arguments": "{}"}},
                       {"index": 1, "function": {"name": "read", "arguments": "{}"}}]);
    let (_, reply) = play(Answer::events([chunk(&json!({"tool_calls": calls}), Some("stop"))]).done()).await;
    let reply = reply.unwrap();
    assert_eq!(reply.stop, StopReason::ToolCalls);
    let ids: Vec<&str> = reply.tool_calls().map(|call| call.call_id.as_str()).collect();
    assert!(
        ids.len() == 2 && ids[0] != ids[1] && ids.iter().all(|id| id.len() == 21),
        "{ids:?}"
    );
}

#[tokio::test]
async fn the_end_of_a_reply_is_told_by_its_finish_reason() {
    let text = json!({"content": "Ok."});
    let whole =
        json!({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "read", "arguments": "{}"}}]});
    let half =
        json!({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "read", "arguments": "{\"a"}}]});
    let ok = vec![assistant("Ok.")];
    let cases = [
        (&text, "stop", StopReason::Completed, ok.clone()),
        (&text, "length", StopReason::MaxOutputTokens, ok.clone()),
        (&text, "content_filter", StopReason::ContentFilter, ok.clone()),
        (
            &text,
            "boredom",
            StopReason::Other("boredom".to_owned()),
            ok.clone(),
        ),
        (
            &json!({"refusal": "No."}),
            "stop",
            StopReason::Declined,
            vec![assistant("No.")],
        ),
        (
            &whole,
            "length",
            StopReason::MaxOutputTokens,
            vec![Item::ToolCall(call("c1", "read", "{}"))],
        ),
        (&half, "length", StopReason::MaxOutputTokens, vec![]),
    ];
    for (delta, finish_reason, stop, items) in cases {
        let answer = Answer::events([chunk(delta, None), chunk(&json!({}), Some(finish_reason))]);
        for answer in [answer.clone().done(), answer] {
            let reply = play(answer).await.1.unwrap();
            assert_eq!((reply.stop, reply.items), (stop.clone(), items.clone()));
        }
    }
}

#[tokio::test]
async fn a_stream_that_does_not_end_as_it_should_is_an_error() {
    let text = json!({"content": "Hal"});
    let half =
        json!({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "read", "arguments": "{\"a"}}]});
    let nameless = json!({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]});
    let cases = [
        (Answer::events([chunk(&text, None)]), "Network"),
        (Answer::events([chunk(&text, None)]).done(), "Network"),
        (Answer::events([chunk(&half, None)]).cut(), "Network"),
        (
            Answer::events([chunk(&text, Some("insufficient_system_resource"))]),
            "Overloaded",
        ),
        (Answer::events([chunk(&text, Some("error"))]), "Server"),
        (
            Answer::events([json!({"error": {"message": "Slow.", "code": 429}})]),
            "RateLimited",
        ),
        (
            Answer::events([json!({"error": {"message": "Pay.", "code": "insufficient_quota"}})]),
            "Quota",
        ),
        (
            Answer::events([chunk(&nameless, Some("tool_calls"))]).done(),
            "Malformed",
        ),
        (Answer::stream(["data: <html>\n\n"]), "Malformed"),
        (Answer::events([json!({"choices": "none"})]), "Malformed"),
    ];
    for (answer, expected) in cases {
        let error = play(answer).await.1.unwrap_err();
        assert!(
            format!("{error:?}").starts_with(expected),
            "{expected}: {error:?}"
        );
    }
}

#[tokio::test]
async fn what_is_not_understood_is_skipped() {
    let (seen, reply) = play(
        Answer::stream([
            ": queued\n\n",
            "event: ping\ndata:\n\n",
            "data: {\"choices\": null, \"usage\": null, \"error\": null}\n\n",
            "data: {\"choices\": [{\"index\": 1, \"delta\": {\"content\": \"another choice\"}}]}\n\n",
            "data: {\"choices\": [{\"delta\": {\"content\": [{\"type\": \"image\"}], \"reasoning\": {}, \"x\": 1}}]}\n\n",
            "data: {\"choices\": [{\"delta\": {\"reasoning\": \"Hm.\"}}]}\n\n",
            "data: {\"choices\": [{\"delta\": {\"content\": \"caf\\u00e9 \\ud83e\\udd80\"}, \"finish_reason\": \"\"}]}\n\n",
            "data: {\"choices\": [{\"delta\": null, \"finish_reason\": \"stop\"}]}\n\n",
        ])
        .done(),
    )
    .await;
    assert_eq!(seen, [thought("Hm."), said("café 🦀")]);
    assert_eq!(reply.unwrap().items, [reasoning("Hm."), assistant("café 🦀")]);
}
