//! The turns of a conversation that the upstream refuses, and what has to come back.

use mira_llm::scripted::{Problem, Rule, Script, Upstream};
use serde_json::{Value, json};

use super::checks::{check, field, with};
use super::{chat_request, data, post, responses_request, start, text, user};

fn call(call_id: &str) -> Value {
    json!({"type": "function_call", "call_id": call_id, "name": "read_file", "arguments": "{}"})
}

fn output(call_id: &str) -> Value {
    json!({"type": "function_call_output", "call_id": call_id, "output": "x"})
}

fn says(role: &str) -> Value {
    json!({"role": role, "content": "x"})
}

#[tokio::test]
async fn the_items_of_responses_are_checked() {
    let id = || "a".to_owned();
    let input = |items: Value| responses_request(&items);
    let reasoning = json!({"type": "reasoning", "id": "rs_9", "summary": [], "encrypted_content": "x"});
    let bare = json!({"type": "reasoning", "id": "rs_9", "summary": []});
    let part = |role, kind| json!([{"role": role, "content": [{"type": kind, "text": "x"}]}]);
    check(
        "/responses",
        vec![
            (input(json!([says("user"), call("a"), call("b"), output("b"), output("a")])), vec![]),
            (input(json!([says("user"), call("a"), says("assistant"), output("a"), says("user")])), vec![]),
            (input(json!([says("user"), reasoning, says("assistant")])), vec![]),
            (
                input(json!([says("user"), bare])),
                vec![field("input[1].encrypted_content", "the content, since nothing is stored")],
            ),
            (input(json!([says("user"), output("a")])), vec![Problem::OrphanOutput { call_id: id() }]),
            (
                input(json!([says("user"), output("a"), call("a")])),
                vec![Problem::OrphanOutput { call_id: id() }, Problem::UnansweredCall { call_id: id() }],
            ),
            (
                input(json!([says("user"), call("a"), output("a"), output("a")])),
                vec![Problem::DuplicateOutput { call_id: id() }],
            ),
            (
                input(json!([says("user"), call("a"), call("a"), output("a")])),
                vec![Problem::DuplicateCall { call_id: id() }],
            ),
            (input(json!([says("user"), call("a")])), vec![Problem::UnansweredCall { call_id: id() }]),
            (
                input(json!([says("user"), call("a"), says("user"), output("a")])),
                vec![Problem::UnansweredCall { call_id: id() }],
            ),
            (input(json!([says("tool")])), vec![field("input[0].role", "user, assistant, system or developer")]),
            (input(json!([{"role": "user"}])), vec![field("input[0].content", "a text or an array of parts")]),
            (
                input(part("assistant", "input_text")),
                vec![field("input[0].content[0].type", "output_text or refusal")],
            ),
            (
                input(part("user", "output_text")),
                vec![field("input[0].content[0].type", "input_text, input_image or input_file")],
            ),
            (
                input(json!([says("user"), {"type": "hologram"}])),
                vec![Problem::UnknownItem { path: "input[1]".to_owned(), kind: "hologram".to_owned() }],
            ),
            (
                input(json!([says("user"), {"type": "function_call", "call_id": "a", "arguments": {}}, output("a")])),
                vec![field("input[1].name", "a text that is not empty"), field("input[1].arguments", "a text")],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_messages_of_chat_completions_are_checked() {
    let id = || "a".to_owned();
    let request = || chat_request(&user("hi"));
    let messages = |messages: Value| chat_request(&messages);
    let calls = |ids: &[&str]| {
        let call =
            |id: &&str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
        json!({"role": "assistant", "content": null, "tool_calls": ids.iter().map(call).collect::<Vec<_>>()})
    };
    let tool = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "x"});
    let json_object = json!({"type": "json_object"});
    let efforts = "none, minimal, low, medium, high, xhigh or max";
    check(
        "/chat/completions",
        vec![
            (
                messages(json!([says("user"), calls(&["a", "b"]), tool("b"), tool("a")])),
                vec![],
            ),
            (
                messages(json!([])),
                vec![field("messages", "an array that is not empty")],
            ),
            (
                with(request(), "stream", json!(false)),
                vec![field("stream_options", "none without stream")],
            ),
            (
                with(request(), "max_tokens", json!(-1)),
                vec![field("max_tokens", "a positive integer")],
            ),
            (
                with(request(), "thinking", json!({"type": "on"})),
                vec![field("thinking.type", "enabled or disabled")],
            ),
            (
                with(request(), "reasoning_effort", json!("huge")),
                vec![field("reasoning_effort", efforts)],
            ),
            (
                with(request(), "response_format", json_object.clone()),
                vec![Problem::JsonNotMentioned],
            ),
            (
                with(
                    messages(json!([{"role": "user", "content": "Answer in JSON"}])),
                    "response_format",
                    json_object,
                ),
                vec![],
            ),
            (
                messages(json!([{"role": "critic", "content": "x"}])),
                vec![field(
                    "messages[0].role",
                    "system, developer, user, assistant or tool",
                )],
            ),
            (
                messages(json!([says("user"), {"role": "assistant", "content": null}])),
                vec![field("messages[1].content", "a text or an array of parts")],
            ),
            (
                messages(json!([says("user"), tool("a")])),
                vec![Problem::OrphanOutput { call_id: id() }],
            ),
            (
                messages(json!([says("user"), calls(&["a"]), tool("a"), tool("a")])),
                vec![Problem::DuplicateOutput { call_id: id() }],
            ),
            (
                messages(json!([says("user"), calls(&["a", "a"]), tool("a")])),
                vec![Problem::DuplicateCall { call_id: id() }],
            ),
            (
                messages(json!([says("user"), calls(&["a"])])),
                vec![Problem::UnansweredCall { call_id: id() }],
            ),
            (
                messages(json!([says("user"), calls(&["a"]), says("user"), tool("a")])),
                vec![
                    Problem::UnansweredCall { call_id: id() },
                    Problem::OrphanOutput { call_id: id() },
                ],
            ),
        ],
    )
    .await;
}

/// An upstream that reasons and calls a tool, and then answers; with the items that it sent.
async fn after_a_call() -> (Upstream, Vec<Value>) {
    let script = Script::new()
        .rule(
            Rule::new("")
                .no_tool_output()
                .reasoning("Look first.")
                .tool_call("read_file", &json!({})),
        )
        .rule(Rule::new("").text("done"));
    let upstream = start(script).await;
    let stream = text(post(&upstream, "/responses", &responses_request(&user("hi"))).await).await;
    let completed: Value = serde_json::from_str(data(&stream).pop().unwrap()).unwrap();
    let items = completed["response"]["output"].as_array().unwrap().clone();
    (upstream, items)
}

#[tokio::test]
async fn reasoning_comes_back_before_the_call_it_led_to() {
    let (_, sent) = after_a_call().await;
    let [reasoning, call] = <[Value; 2]>::try_from(sent).unwrap();
    let altered = with(reasoning.clone(), "encrypted_content", json!("other"));
    let with_nulls = with(reasoning.clone(), "status", Value::Null);
    let missing = || Problem::ReasoningMissing {
        call_id: "call_1".to_owned(),
        reasoning: "rs_1".to_owned(),
    };
    let is_altered = Problem::ReasoningAltered {
        reasoning: "rs_1".to_owned(),
    };
    let output = output("call_1");
    let cases = [
        (json!([says("user"), reasoning, call, output]), vec![]),
        (json!([says("user"), with_nulls, call, output]), vec![]),
        (json!([says("user"), call, output]), vec![missing()]),
        (json!([says("user"), call, reasoning, output]), vec![missing()]),
        (json!([says("user"), altered, call, output]), vec![is_altered]),
        (
            json!([says("user"), call, output, says("assistant"), says("user")]),
            vec![],
        ),
    ];
    for (input, expected) in cases {
        let (upstream, _) = after_a_call().await;
        post(&upstream, "/responses", &responses_request(&input)).await;
        let found: Vec<Problem> = upstream
            .violations()
            .into_iter()
            .map(|violation| violation.problem)
            .collect();
        assert_eq!(found, expected, "{input}");
    }
}

#[tokio::test]
async fn a_previous_response_stands_for_its_items() {
    let (upstream, _) = after_a_call().await;
    let request = |input| with(responses_request(&input), "previous_response_id", json!("resp_1"));
    let response = post(&upstream, "/responses", &request(json!([output("call_1")]))).await;
    assert_eq!(response.status(), 200);
    assert_eq!(upstream.violations(), []);
    let response = post(&upstream, "/responses", &request(json!([says("user")]))).await;
    assert_eq!(response.status(), 400);
    assert_eq!(
        upstream.violations()[0].problem,
        Problem::UnansweredCall {
            call_id: "call_1".to_owned()
        }
    );
}

#[tokio::test]
async fn reasoning_content_comes_back_with_the_calls_it_led_to() {
    let function = json!({"name": "read_file", "arguments": "{}"});
    let call = json!({"id": "call_1", "type": "function", "function": function});
    let turn = |reasoning: Value| {
        let assistant =
            json!({"role": "assistant", "content": "", "reasoning_content": reasoning, "tool_calls": [call]});
        json!([says("user"), assistant, {"role": "tool", "tool_call_id": "call_1", "content": "x"}])
    };
    let wrong = Problem::ReasoningContent {
        call_id: "call_1".to_owned(),
    };
    let off = json!({"type": "disabled"});
    let cases = [
        (chat_request(&turn(json!("Look first."))), vec![]),
        (chat_request(&turn(Value::Null)), vec![wrong.clone()]),
        (chat_request(&turn(json!("Look"))), vec![wrong]),
        (with(chat_request(&turn(Value::Null)), "thinking", off), vec![]),
    ];
    for (request, expected) in cases {
        let script = Script::new()
            .rule(
                Rule::new("")
                    .no_tool_output()
                    .reasoning("Look first.")
                    .tool_call("read_file", &json!({})),
            )
            .rule(Rule::new("").text("done"));
        let upstream = start(script).await;
        text(post(&upstream, "/chat/completions", &chat_request(&user("hi"))).await).await;
        post(&upstream, "/chat/completions", &request).await;
        let found: Vec<Problem> = upstream
            .violations()
            .into_iter()
            .map(|violation| violation.problem)
            .collect();
        assert_eq!(found, expected, "{request}");
    }
}
