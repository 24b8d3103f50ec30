//! What goes wrong on purpose, and who notices.

use std::time::Duration;

use mira_llm::scripted::{Endpoint, ErrorEvent, Fault, HttpFault, Outcome, Rule, Script, Step};
use serde_json::{Value, json};

use super::{
    body, chat_request, data, post, read_until, received, responses_request, start, text, try_post, user,
    within_deadline,
};

/// The stream that a rule gives to a plain question.
async fn stream(rule: Rule) -> String {
    let upstream = start(Script::new().rule(rule)).await;
    text(post(&upstream, "/responses", &responses_request(&user("hi"))).await).await
}

/// The types of the events of a stream.
fn types(stream: &str) -> Vec<&str> {
    stream
        .lines()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect()
}

#[tokio::test]
async fn http_errors_carry_status_headers_and_body() {
    let html = HttpFault {
        status: 403,
        retry_after: None,
        body: Some("<h1>no</h1>".to_owned()),
    };
    let busy = HttpFault {
        status: 429,
        retry_after: Some(7),
        body: Some("{\"detail\":1}".to_owned()),
    };
    let cases = [
        (
            Fault::Http(html),
            403,
            "text/html; charset=utf-8",
            None,
            "<h1>no</h1>",
        ),
        (
            Fault::Http(busy),
            429,
            "application/json",
            Some("7"),
            "{\"detail\":1}",
        ),
        (
            Fault::http(503),
            503,
            "application/json",
            None,
            "{\"error\":{\"message\":\"the server is overloaded, try again later\",\"type\":\"server_error\",\
             \"param\":null,\"code\":\"server_overloaded\"}}",
        ),
    ];
    for (fault, status, content_type, retry_after, body) in cases {
        let upstream = start(Script::new().rule(Rule::new("").fault(fault))).await;
        for path in ["/responses", "/chat/completions"] {
            let request = if path == "/responses" {
                responses_request(&user("hi"))
            } else {
                chat_request(&user("hi"))
            };
            let response = post(&upstream, path, &request).await;
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()["content-type"], content_type);
            let header = response
                .headers()
                .get("retry-after")
                .map(|value| value.to_str().unwrap());
            assert_eq!(header, retry_after);
            assert_eq!(text(response).await, body);
        }
        assert_eq!(upstream.violations(), []);
    }
}

#[tokio::test]
async fn an_http_error_after_the_head_is_an_error_event() {
    let stream = stream(Rule::new("").text("so far").fault(Fault::http(500))).await;
    let last: Value = serde_json::from_str(data(&stream).pop().unwrap()).unwrap();
    assert_eq!(
        last,
        json!({"type": "error", "sequence_number": 5, "code": "server_error", "message": "the server had an error",
            "param": null})
    );
}

#[tokio::test]
async fn a_cut_drops_the_connection_inside_the_tool_call() {
    let rule = Rule::new("")
        .step(Step::tool_call_text("read_file", "{\"path\": \"sr"))
        .fault(Fault::Cut);
    let upstream = start(Script::new().rule(rule)).await;
    let response = post(&upstream, "/responses", &responses_request(&user("hi"))).await;
    let (stream, complete) = received(response).await;
    assert!(!complete);
    assert_eq!(
        types(&stream),
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.function_call_arguments.delta",
        ]
    );
    assert_eq!(within_deadline(upstream.ended(0)).await, Outcome::Finished);

    let response = post(&upstream, "/chat/completions", &chat_request(&user("hi"))).await;
    let (stream, complete) = received(response).await;
    assert!(!complete);
    assert!(data(&stream).pop().unwrap().contains("{\\\"path\\\": \\\"sr"));
}

#[tokio::test]
async fn a_cut_as_the_first_step_sends_no_head() {
    let upstream = start(Script::new().rule(Rule::new("").fault(Fault::Cut))).await;
    for stream in [true, false] {
        let request = json!({"model": "m", "input": "hi", "stream": stream});
        let error = try_post(&upstream, "/responses", &request).await.unwrap_err();
        assert!(error.is_request(), "{error:?}");
    }
}

#[tokio::test]
async fn a_stall_lasts_until_the_client_leaves() {
    let upstream = start(Script::new().rule(Rule::new("").text("so far").fault(Fault::Stall))).await;
    let mut response = post(&upstream, "/responses", &responses_request(&user("hi"))).await;
    read_until(&mut response, "so far").await;
    assert_eq!(upstream.requests()[0].outcome, Outcome::InProgress);
    drop(response);
    assert_eq!(within_deadline(upstream.ended(0)).await, Outcome::ClientGone);
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_wherever_the_reply_waits() {
    let long = Duration::from_hours(1);
    let endless = "endless ".repeat(1_000_000);
    let cases = [
        ("at a hold", Rule::new("").text("so far").hold("h")),
        ("at a pause", Rule::new("").text("so far").step(Step::pause(long))),
        (
            "before a delta",
            Rule::new("").text("so far").step(Step::text("later").delay(long)),
        ),
        (
            "with a full connection",
            Rule::new("").text("so far").step(Step::text(endless).chunk(8)),
        ),
    ];
    for (place, rule) in cases {
        let upstream = start(Script::new().rule(rule)).await;
        let mut response = post(&upstream, "/responses", &responses_request(&user("hi"))).await;
        read_until(&mut response, "so far").await;
        drop(response);
        assert_eq!(
            within_deadline(upstream.ended(0)).await,
            Outcome::ClientGone,
            "{place}"
        );
        within_deadline(upstream.shutdown()).await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_before_the_head_is_noticed() {
    let upstream = start(Script::new().rule(Rule::new("").hold("h").text("ok"))).await;
    let request = json!({"model": "m", "input": "hi"});
    let posted = try_post(&upstream, "/responses", &request);
    tokio::select! {
        _ = posted => panic!("the reply is held"),
        () = within_deadline(upstream.arrived("h")) => {}
    }
    assert_eq!(within_deadline(upstream.ended(0)).await, Outcome::ClientGone);
}

#[tokio::test]
async fn a_hold_stops_the_reply_until_it_is_released() {
    let upstream = start(Script::new().rule(Rule::new("").text("before").hold("h").text("after"))).await;
    let mut response = post(&upstream, "/responses", &responses_request(&user("hi"))).await;
    within_deadline(upstream.arrived("h")).await;
    let before = read_until(&mut response, "before").await;
    assert_eq!(types(&before).last(), Some(&"response.output_text.delta"));
    upstream.release("h");
    let after = text(response).await;
    assert_eq!(types(&after).first(), Some(&"response.output_text.delta"));
    assert_eq!(types(&after).last(), Some(&"response.completed"));

    let again = text(post(&upstream, "/responses", &responses_request(&user("hi"))).await).await;
    assert!(
        again.contains("\"text\":\"beforeafter\""),
        "a released hold stays open"
    );
}

#[tokio::test]
async fn split_bytes_come_few_at_a_time_across_characters() {
    let whole = stream(Rule::new("").text("Grüße 🦀")).await;
    let rule = Rule::new("")
        .fault(Fault::SplitBytes(3.try_into().unwrap()))
        .text("Grüße 🦀");
    let upstream = start(Script::new().rule(rule)).await;
    let mut response = post(&upstream, "/responses", &responses_request(&user("hi"))).await;
    let mut bytes = Vec::new();
    let mut sizes = Vec::new();
    let mut splits_a_character = false;
    while let Some(chunk) = within_deadline(response.chunk()).await.unwrap() {
        sizes.push(chunk.len());
        splits_a_character |= std::str::from_utf8(&chunk).is_err();
        bytes.extend_from_slice(&chunk);
    }
    assert_eq!(String::from_utf8(bytes).unwrap(), whole);
    assert!(sizes.iter().skip(1).all(|size| *size <= 3), "{sizes:?}");
    assert!(splits_a_character);
}

#[tokio::test]
async fn noise_stands_between_the_events() {
    let rule = Rule::new("")
        .text("a")
        .fault(Fault::Comment("keepalive".to_owned()))
        .fault(Fault::UnknownEvent("response.hologram.delta".to_owned()))
        .fault(Fault::Garbage(b"}{\n\n".to_vec()))
        .text("b");
    let upstream = start(Script::new().rule(rule)).await;
    let stream = text(post(&upstream, "/responses", &responses_request(&user("hi"))).await).await;
    let noise = ": keepalive\n\n\
                 event: response.hologram.delta\n\
                 data: {\"type\":\"response.hologram.delta\",\"sequence_number\":5}\n\n\
                 }{\n\n\
                 event: response.output_text.delta\n";
    assert!(stream.contains(noise), "{stream}");

    let stream = text(post(&upstream, "/chat/completions", &chat_request(&user("hi"))).await).await;
    let noise = ": keepalive\n\n\
                 data: {\"id\":\"chatcmpl-1\",\"object\":\"response.hologram.delta\",\"created\":1790000000,\
                 \"model\":\"deepseek-v4-flash\",\"choices\":[],\"usage\":null}\n\n\
                 }{\n\n";
    assert!(stream.contains(noise), "{stream}");
}

#[tokio::test]
async fn the_last_event_tells_how_a_reply_ended() {
    let error = |nested| ErrorEvent {
        code: "server_error".into(),
        message: "broken".into(),
        nested,
    };
    let cases = [
        (
            Fault::ErrorEvent(error(false)),
            json!({"type": "error", "sequence_number": 5, "code": "server_error",
            "message": "broken", "param": null}),
        ),
        (
            Fault::ErrorEvent(error(true)),
            json!({"type": "error", "sequence_number": 5,
            "error": {"code": "server_error", "message": "broken", "param": null}}),
        ),
        (
            Fault::NoTerminalEvent,
            json!({"type": "response.output_text.delta", "sequence_number": 4,
            "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "a", "logprobs": []}),
        ),
        (
            Fault::Failed(error(false)),
            json!({"type": "response.failed", "sequence_number": 5, "response": {
            "id": "resp_1", "object": "response", "created_at": 1_790_000_000, "status": "failed",
            "error": {"code": "server_error", "message": "broken"}, "incomplete_details": null,
            "model": "gpt-5.5", "output": [], "parallel_tool_calls": true, "usage": null}}),
        ),
    ];
    for (fault, expected) in cases {
        let stream = stream(Rule::new("").text("a").fault(fault)).await;
        let last: Value = serde_json::from_str(data(&stream).pop().unwrap()).unwrap();
        assert_eq!(last, expected);
    }
}

#[tokio::test]
async fn an_incomplete_reply_says_why() {
    let cases = [
        ("max_output_tokens", "length"),
        ("content_filter", "content_filter"),
        ("insufficient_system_resource", "insufficient_system_resource"),
    ];
    for (reason, finish_reason) in cases {
        let rule = Rule::new("")
            .step(Step::tool_call_text("read_file", "{\"path"))
            .fault(Fault::Incomplete(reason.to_owned()));
        let upstream = start(Script::new().rule(rule)).await;
        let stream = text(post(&upstream, "/responses", &responses_request(&user("hi"))).await).await;
        let last: Value = serde_json::from_str(data(&stream).pop().unwrap()).unwrap();
        assert_eq!(last["type"], "response.incomplete");
        assert_eq!(last["response"]["status"], "incomplete");
        assert_eq!(last["response"]["incomplete_details"], json!({"reason": reason}));
        assert_eq!(last["response"]["output"][0]["status"], "incomplete");

        let request = json!({"model": "m", "messages": user("hi")});
        let whole = body(post(&upstream, "/chat/completions", &request).await).await;
        assert_eq!(whole["choices"][0]["finish_reason"], finish_reason);
    }
}

#[tokio::test]
async fn embeddings_and_models_fail_when_a_rule_for_them_says_so() {
    let script = Script::new()
        .rule(
            Rule::new("")
                .on(Endpoint::Embeddings)
                .once()
                .fault(Fault::http(500)),
        )
        .rule(Rule::new("").on(Endpoint::Models).once().fault(Fault::http(401)));
    let upstream = start(script).await;
    let request = json!({"model": "text-embedding-3-small", "input": "hi"});
    assert_eq!(post(&upstream, "/embeddings", &request).await.status(), 500);
    assert_eq!(post(&upstream, "/embeddings", &request).await.status(), 200);
    assert_eq!(super::get(&upstream, "/models").await.status(), 401);
    assert_eq!(super::get(&upstream, "/models").await.status(), 200);
}

#[tokio::test]
async fn shutdown_ends_replies_that_wait() {
    let upstream = start(Script::new().rule(Rule::new("").text("so far").fault(Fault::Stall))).await;
    let mut response = post(&upstream, "/responses", &responses_request(&user("hi"))).await;
    read_until(&mut response, "so far").await;
    within_deadline(upstream.shutdown()).await;
    let (_, complete) = received(response).await;
    assert!(!complete);
}
