//! What the upstream refuses, one case for each kind of problem.

use mira_llm::scripted::{Endpoint, Problem, Rule, Script, Upstream, Violation};
use serde_json::{Value, json};

use super::{CLIENT, body, chat_request, only, post, responses_request, start, user, within_deadline};

async fn anything_goes() -> Upstream {
    start(Script::new().rule(Rule::new("").text("ok"))).await
}

/// Sends each body and compares what was wrong with it.
pub(super) async fn check(path: &str, cases: Vec<(Value, Vec<Problem>)>) {
    for (request, expected) in cases {
        let upstream = anything_goes().await;
        let response = post(&upstream, path, &request).await;
        let found: Vec<Problem> = upstream
            .violations()
            .into_iter()
            .map(|violation| violation.problem)
            .collect();
        assert_eq!(found, expected, "{request}");
        assert_eq!(
            response.status(),
            if expected.is_empty() { 200 } else { 400 },
            "{request}"
        );
        if !expected.is_empty() {
            let messages: Vec<String> = expected.iter().map(Problem::to_string).collect();
            assert_eq!(body(response).await["error"]["message"], messages.join("; "));
        }
    }
}

pub(super) fn field(path: &str, expected: &'static str) -> Problem {
    Problem::Field {
        path: path.to_owned(),
        expected,
    }
}

pub(super) fn with(mut request: Value, key: &str, value: Value) -> Value {
    request[key] = value;
    request
}

fn strict_schema() -> Value {
    json!({
        "type": "object",
        "properties": {"path": {"type": "string"}, "lines": {"type": ["integer", "null"]}},
        "required": ["path", "lines"],
        "additionalProperties": false,
    })
}

const REQUEST: &str = r#"{"model": "m", "input": "hi"}"#;

/// Posts to a route as it is, and returns the status.
async fn post_raw(upstream: &Upstream, path: &str, headers: &[(&str, &str)], body: &'static str) -> u16 {
    let mut request = CLIENT.post(format!("{}{path}", upstream.base_url())).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    within_deadline(request.send()).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn the_key_is_checked() {
    let cases = [
        (Some("Bearer right"), 200, None),
        (None, 401, Some(Problem::AuthorizationMissing)),
        (Some("right"), 401, Some(Problem::AuthorizationMissing)),
        (Some("Bearer "), 401, Some(Problem::AuthorizationMissing)),
        (Some("Bearer wrong"), 401, Some(Problem::AuthorizationWrong)),
    ];
    for (key, status, problem) in cases {
        let upstream = start(Script::new().api_key("right").rule(Rule::new("").text("ok"))).await;
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(key.map(|key| ("authorization", key)));
        assert_eq!(
            post_raw(&upstream, "/responses", &headers, REQUEST).await,
            status,
            "{key:?}"
        );
        let violation = |problem| Violation {
            request: 0,
            endpoint: Endpoint::Responses,
            problem,
        };
        assert_eq!(
            upstream.violations(),
            Vec::from_iter(problem.map(violation)),
            "{key:?}"
        );
    }
}

#[tokio::test]
async fn the_route_the_content_type_and_the_json_are_checked() {
    let plain = Problem::ContentType {
        found: "text/plain".to_owned(),
    };
    let broken = Problem::Json {
        reason: "EOF while parsing an object at line 1 column 1".to_owned(),
    };
    let route = Problem::Route {
        method: "POST".to_owned(),
        path: "/v1/completions".to_owned(),
    };
    let cases = [
        (
            "/responses",
            "application/json; charset=utf-8",
            REQUEST,
            200,
            None,
        ),
        ("/responses", "text/plain", REQUEST, 400, Some(plain)),
        ("/responses", "application/json", "{", 400, Some(broken)),
        ("/completions", "application/json", REQUEST, 404, Some(route)),
    ];
    for (path, content_type, body, status, problem) in cases {
        let upstream = anything_goes().await;
        let headers = [("authorization", "Bearer key"), ("content-type", content_type)];
        assert_eq!(
            post_raw(&upstream, path, &headers, body).await,
            status,
            "{path} {content_type} {body}"
        );
        let found: Vec<Problem> = upstream
            .violations()
            .into_iter()
            .map(|found| found.problem)
            .collect();
        assert_eq!(found, Vec::from_iter(problem));
        let recorded = only(upstream.requests());
        let expected = serde_json::from_str(body).unwrap_or_else(|_| json!(body));
        assert_eq!(recorded.body, expected);
        assert_eq!(recorded.endpoint == Endpoint::Other, status == 404);
    }
}

#[tokio::test]
async fn the_fields_of_responses_are_checked() {
    let request = || responses_request(&user("hi"));
    let efforts = "none, minimal, low, medium, high, xhigh or max";
    check(
        "/responses",
        vec![
            (request(), vec![]),
            (
                with(request(), "model", json!("")),
                vec![field("model", "a text that is not empty")],
            ),
            (
                with(request(), "stream", json!("yes")),
                vec![field("stream", "a boolean")],
            ),
            (
                with(request(), "max_output_tokens", json!(0)),
                vec![field("max_output_tokens", "a positive integer")],
            ),
            (
                with(request(), "reasoning", json!({"effort": "huge"})),
                vec![field("reasoning.effort", efforts)],
            ),
            (
                with(request(), "include", json!("all")),
                vec![field("include", "an array of texts")],
            ),
            (
                with(request(), "instructions", json!(1)),
                vec![field("instructions", "a text")],
            ),
            (
                with(request(), "input", json!("")),
                vec![field("input", "a text that is not empty")],
            ),
            (
                with(request(), "input", Value::Null),
                vec![field("input", "a text or an array of items")],
            ),
            (
                with(request(), "previous_response_id", json!("resp_99")),
                vec![Problem::UnknownPreviousResponse {
                    id: "resp_99".to_owned(),
                }],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_tools_of_both_dialects_are_checked() {
    let flat = |strict: bool, schema: Value| {
        let tool = json!({"type": "function", "name": "f", "description": "d", "parameters": schema, "strict": strict});
        with(responses_request(&user("hi")), "tools", json!([tool]))
    };
    let nested_tool = json!({"type": "function", "function": {"name": "f", "parameters": strict_schema()}});
    let not_strict = |path: &str, rule| Problem::NotStrict {
        name: "f".to_owned(),
        path: path.to_owned(),
        rule,
    };
    let optional = json!({"type": "object", "properties": {"path": {"type": "string"}}});
    let deep = json!({
        "type": "object",
        "properties": {
            "list": {"type": "array", "items": {"type": "object", "properties": {}}},
            "either": {"anyOf": [{"type": "string", "default": "x"}, {"type": "null"}]},
        },
        "required": ["list", "either"],
        "additionalProperties": false,
    });
    let named = |name: &str| {
        let tool = json!({"type": "function", "name": name, "parameters": strict_schema()});
        with(responses_request(&user("hi")), "tools", json!([tool]))
    };
    let empty_name = "a text that is not empty";
    check(
        "/responses",
        vec![
            (flat(true, strict_schema()), vec![]),
            (flat(false, optional.clone()), vec![]),
            (
                flat(true, optional),
                vec![
                    not_strict("parameters", "additionalProperties must be false"),
                    not_strict("parameters", "every property must be required"),
                ],
            ),
            (
                flat(true, deep),
                vec![
                    not_strict("parameters.properties.either.anyOf[0]", "a default is not allowed"),
                    not_strict("parameters.properties.list.items", "additionalProperties must be false"),
                ],
            ),
            (
                flat(false, json!({"type": "string"})),
                vec![field("tools[0].parameters", "a schema of type object")],
            ),
            (
                with(responses_request(&user("hi")), "tools", json!([nested_tool])),
                vec![field("tools[0].name", empty_name), field("tools[0].parameters", "a schema of type object")],
            ),
            (
                named("read file"),
                vec![field("tools[0].name", "at most 64 letters, digits, underscores and hyphens")],
            ),
            (
                with(
                    responses_request(&user("hi")),
                    "text",
                    json!({"format": {"type": "json_schema", "name": "f", "schema": {"type": "object"}, "strict": true}}),
                ),
                vec![not_strict("schema", "additionalProperties must be false")],
            ),
        ],
    )
    .await;

    let flat_tool = json!({"type": "function", "name": "f", "parameters": strict_schema()});
    check(
        "/chat/completions",
        vec![
            (
                with(chat_request(&user("hi")), "tools", json!([nested_tool])),
                vec![],
            ),
            (
                with(chat_request(&user("hi")), "tools", json!([flat_tool])),
                vec![
                    field("tools[0].function.name", empty_name),
                    field("tools[0].function.parameters", "a schema of type object"),
                ],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_schema_that_does_not_compile_is_refused() {
    let upstream = anything_goes().await;
    let schema = json!({"type": "object", "properties": {"path": {"type": "text"}}});
    let tool = json!({"type": "function", "name": "f", "parameters": schema});
    let request = with(responses_request(&user("hi")), "tools", json!([tool]));
    assert_eq!(post(&upstream, "/responses", &request).await.status(), 400);
    let violations = upstream.violations();
    assert!(
        matches!(&violations[0].problem, Problem::Schema { name, .. } if name == "f"),
        "{violations:?}"
    );
}

#[tokio::test]
async fn the_fields_of_embeddings_are_checked() {
    let request = |input: Value| json!({"model": "m", "input": input});
    let inputs = "a text or 1 to 2048 texts, none of them empty";
    let dimensions = "an integer from 1 to 8192";
    check(
        "/embeddings",
        vec![
            (request(json!(["a", "b"])), vec![]),
            (request(json!("")), vec![field("input", inputs)]),
            (request(json!([])), vec![field("input", inputs)]),
            (request(json!(["a", ""])), vec![field("input", inputs)]),
            (request(json!([1, 2])), vec![field("input", inputs)]),
            (request(json!(vec!["a"; 2049])), vec![field("input", inputs)]),
            (
                with(request(json!("a")), "dimensions", json!(0)),
                vec![field("dimensions", dimensions)],
            ),
            (
                with(request(json!("a")), "dimensions", json!(8193)),
                vec![field("dimensions", dimensions)],
            ),
            (
                with(request(json!("a")), "encoding_format", json!("base64")),
                vec![field("encoding_format", "float")],
            ),
        ],
    )
    .await;
}
