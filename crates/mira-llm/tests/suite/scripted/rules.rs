//! Which rule answers, and how scripts are written.

use std::time::Duration;

use mira_llm::scripted::{
    Endpoint, ErrorEvent, Fault, HttpFault, Outcome, Problem, Recorded, Rule, Script, Step, TokenUsage,
    Violation,
};
use serde_json::{Value, json};

use super::{body, chat_request, only, post, responses_request, start, text, user};

/// A conversation that ends with the outputs of two tools.
fn after_tools() -> Value {
    json!([
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "first question"},
        {"role": "assistant", "content": "first answer"},
        {"role": "user", "content": [{"type": "input_text", "text": "second question"}]},
        {"type": "function_call", "call_id": "a", "name": "read_file", "arguments": "{\"path\":\"x\"}"},
        {"type": "function_call", "call_id": "b", "name": "list_files", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "contents"},
        {"type": "function_call_output", "call_id": "b", "output": "names"},
    ])
}

/// The same for chat completions.
fn messages_after_tools() -> Value {
    let call = |id, name, arguments| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
    let calls = [
        call("a", "read_file", "{\"path\":\"x\"}"),
        call("b", "list_files", "{}"),
    ];
    json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "first question"},
        {"role": "assistant", "content": "first answer"},
        {"role": "user", "content": [{"type": "text", "text": "second question"}]},
        {"role": "assistant", "content": null, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "a", "content": "contents"},
        {"role": "tool", "tool_call_id": "b", "content": "names"},
    ])
}

#[tokio::test]
async fn all_conditions_of_a_rule_hold_for_both_dialects() {
    let new = || Rule::new("");
    let cases = [
        (new(), true, true),
        (new().on(Endpoint::Responses), true, false),
        (new().on(Endpoint::ChatCompletions), false, true),
        (new().on(Endpoint::Embeddings), false, false),
        (new().model("gpt-5.5"), true, false),
        (new().model("gpt-5"), false, false),
        (new().user_contains("first"), true, true),
        (new().user_contains("answer"), false, false),
        (new().last_user_contains("second"), true, true),
        (new().last_user_contains("first"), false, false),
        (new().instructions_contains("brief"), true, true),
        (new().instructions_contains("question"), false, false),
        (new().any_contains("first answer"), true, true),
        (new().any_contains("contents"), true, true),
        (new().any_contains("{\"path\":\"x\"}"), true, true),
        (new().any_contains("absent"), false, false),
        (new().tool_output("read_file"), true, true),
        (new().tool_output("list_files"), true, true),
        (new().tool_output("write_file"), false, false),
        (new().tool_output_contains("names"), true, true),
        (new().tool_output_contains("question"), false, false),
        (new().no_tool_output(), false, false),
        (new().user_contains("first").tool_output("read_file"), true, true),
        (new().user_contains("first").no_tool_output(), false, false),
    ];
    for (rule, responses, chat) in cases {
        let when = rule.when.to_string();
        let upstream = start(Script::new().rule(rule.text("ok"))).await;
        let response = post(&upstream, "/responses", &responses_request(&after_tools())).await;
        assert_eq!(response.status() == 200, responses, "{when}");
        let response = post(
            &upstream,
            "/chat/completions",
            &chat_request(&messages_after_tools()),
        )
        .await;
        assert_eq!(response.status() == 200, chat, "{when}");
    }
}

#[tokio::test]
async fn the_first_rule_with_uses_left_answers() {
    let script = Script::new()
        .rule(Rule::new("once").user_contains("hi").once().text("first"))
        .rule(Rule::new("twice").user_contains("hi").times(2).text("second"));
    let upstream = start(script).await;
    let request = json!({"model": "m", "input": "hi"});
    let mut answers = Vec::new();
    for _ in 0..3 {
        let reply = body(post(&upstream, "/responses", &request).await).await;
        answers.push(reply["output"][0]["content"][0]["text"].clone());
    }
    assert_eq!(answers, ["first", "second", "second"]);

    let refused = post(&upstream, "/responses", &request).await;
    assert_eq!(refused.status(), 400);
    let rules = "0 \"once\" (used up): user_contains = \"hi\"; 1 \"twice\" (used up): user_contains = \"hi\"";
    let problem = Problem::NoRule {
        last_user: "hi".to_owned(),
        rules: rules.to_owned(),
    };
    assert_eq!(body(refused).await["error"]["message"], problem.to_string());
    assert_eq!(
        upstream.violations(),
        [Violation {
            request: 3,
            endpoint: Endpoint::Responses,
            problem
        }]
    );

    upstream.replace(Script::new().rule(Rule::new("new").text("third")));
    let reply = body(post(&upstream, "/responses", &request).await).await;
    assert_eq!(reply["output"][0]["content"][0]["text"], "third");
    let rules: Vec<Option<usize>> = upstream.requests().iter().map(|request| request.rule).collect();
    assert_eq!(rules, [Some(0), Some(1), Some(1), None, Some(0)]);
}

#[tokio::test]
async fn a_request_is_recorded_without_its_key() {
    let upstream = start(Script::new().rule(Rule::new("").text("ok"))).await;
    let request = responses_request(&user("hi"));
    text(post(&upstream, "/responses", &request).await).await;
    assert_eq!(super::within_deadline(upstream.ended(0)).await, Outcome::Finished);
    let recorded = only(upstream.requests());
    assert_eq!(recorded.header("authorization"), Some("[redacted]"));
    assert_eq!(recorded.header("content-type"), Some("application/json"));
    let headers = recorded.headers.clone();
    assert_eq!(
        recorded,
        Recorded {
            endpoint: Endpoint::Responses,
            path: "/v1/responses".to_owned(),
            headers,
            body: request,
            rule: Some(0),
            outcome: Outcome::Finished,
        }
    );
}

#[test]
fn a_script_reads_the_same_from_toml() {
    let toml = r#"
        api_key = "secret"

        [[rule]]
        name = "everything"
        when = { endpoint = "chat_completions", model = "m", user_contains = "a", last_user_contains = "b", instructions_contains = "c", any_contains = "d", tool_output = "e", tool_output_contains = "f" }
        times = 2
        usage = { input = 4, cached_input = 3, output = 2, reasoning = 1 }
        step = [
            { reasoning = "r", chunk = 5, delay_ms = 10 },
            { text = "t" },
            { refusal = "no" },
            { tool_call = { name = "x", arguments = { path = "p" } } },
            { tool_call = { name = "x", arguments_text = '{"path": "p' } },
            { hold = "h" },
            { delay_ms = 7 },
        ]

        [[rule]]
        when = { endpoint = "chat", no_tool_output = true }
        step = [
            { fault = { http = 429, retry_after = 1, body = "slow" } },
            { fault = { http = 500 } },
            { fault = { error_event = "code", message = "m", nested = true } },
            { fault = { failed = "code", message = "m" } },
            { fault = { cut = true } },
            { fault = { stall = true } },
            { fault = { garbage = "ab" } },
            { fault = { garbage = [255, 254] } },
            { fault = { unknown_event = "response.new" } },
            { fault = { comment = "keepalive" } },
            { fault = { split_bytes = 3 } },
            { fault = { no_terminal_event = true } },
            { fault = { incomplete = "max_output_tokens" } },
        ]
    "#;
    let everything = Rule::new("everything")
        .on(Endpoint::ChatCompletions)
        .model("m")
        .user_contains("a")
        .last_user_contains("b")
        .instructions_contains("c")
        .any_contains("d")
        .tool_output("e")
        .tool_output_contains("f")
        .times(2)
        .usage(TokenUsage {
            input: 4,
            cached_input: 3,
            output: 2,
            reasoning: 1,
        })
        .step(Step::reasoning("r").chunk(5).delay(Duration::from_millis(10)))
        .text("t")
        .step(Step::refusal("no"))
        .tool_call("x", &json!({"path": "p"}))
        .step(Step::tool_call_text("x", "{\"path\": \"p"))
        .hold("h")
        .step(Step::pause(Duration::from_millis(7)));
    let error = |nested| ErrorEvent {
        code: "code".to_owned(),
        message: "m".to_owned(),
        nested,
    };
    let faults = Rule::new("")
        .on(Endpoint::ChatCompletions)
        .no_tool_output()
        .fault(Fault::Http(HttpFault {
            status: 429,
            retry_after: Some(1),
            body: Some("slow".to_owned()),
        }))
        .fault(Fault::http(500))
        .fault(Fault::ErrorEvent(error(true)))
        .fault(Fault::Failed(error(false)))
        .fault(Fault::Cut)
        .fault(Fault::Stall)
        .fault(Fault::Garbage(b"ab".to_vec()))
        .fault(Fault::Garbage(vec![255, 254]))
        .fault(Fault::UnknownEvent("response.new".to_owned()))
        .fault(Fault::Comment("keepalive".to_owned()))
        .fault(Fault::SplitBytes(3.try_into().unwrap()))
        .fault(Fault::NoTerminalEvent)
        .fault(Fault::Incomplete("max_output_tokens".to_owned()));
    let script = Script::new().api_key("secret").rule(everything).rule(faults);
    assert_eq!(Script::from_toml(toml), Ok(script));
}

#[test]
fn a_wrong_script_says_what_is_wrong() {
    let cases = [
        ("rules = []", "unknown field `rules`"),
        ("[[rule]]\nwhen = { user = \"x\" }", "unknown field `user`"),
        (
            "[[rule]]\nwhen = { endpoint = \"other\" }",
            "unknown variant `other`",
        ),
        (
            "[[rule]]\nstep = [{ text = \"a\", hold = \"b\" }]",
            "a step is one of",
        ),
        ("[[rule]]\nstep = [{ chunk = 5 }]", "a step is one of"),
        ("[[rule]]\nstep = [{ text = \"a\", chunk = 0 }]", "nonzero"),
        (
            "[[rule]]\nstep = [{ tool_call = { name = \"x\" } }]",
            "either arguments or arguments_text",
        ),
        ("[[rule]]\nstep = [{ fault = {} }]", "a fault is one of"),
        (
            "[[rule]]\nstep = [{ fault = { cut = true, stall = true } }]",
            "a fault is one of",
        ),
        (
            "[[rule]]\nstep = [{ fault = { error_event = \"a\", failed = \"b\" } }]",
            "a fault is one of",
        ),
        (
            "[[rule]]\nstep = [{ fault = { cut = true, body = \"x\" } }]",
            "body does not belong",
        ),
        (
            "[[rule]]\nstep = [{ fault = { failed = \"x\", nested = true } }]",
            "nested does not belong",
        ),
    ];
    for (toml, expected) in cases {
        let error = Script::from_toml(toml).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(expected), "{toml}: {source}");
    }
}
