//! How failures are told apart, and what an error may say.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use mira_llm::openai::{Responses, ResponsesOptions};
use mira_llm::{Endpoint, Error, Retry, complete};
use serde_json::json;

use crate::player::{Answer, Player, converse, generic, hello};

#[tokio::test]
async fn http_errors_are_told_apart() {
    let cases = [
        (
            401,
            r#"{"error": {"message": "Bad key.", "code": "invalid_api_key"}}"#,
            "Authentication",
        ),
        (
            403,
            "<html><head><title>403</title></head><body>Forbidden</body></html>",
            "Authentication",
        ),
        (402, r#"{"error": {"message": "Insufficient Balance"}}"#, "Quota"),
        (
            429,
            r#"{"error": {"message": "No money.", "type": "insufficient_quota"}}"#,
            "Quota",
        ),
        (
            429,
            r#"{"error": {"message": "Slow down.", "code": "rate_limit_exceeded"}}"#,
            "RateLimited",
        ),
        (429, "", "RateLimited"),
        (
            400,
            r#"{"error": {"message": "Long.", "code": "context_length_exceeded"}}"#,
            "ContextTooLong",
        ),
        (
            400,
            r#"{"error": {"message": "This model's maximum context length is 8192."}}"#,
            "ContextTooLong",
        ),
        (
            400,
            r#"{"message": "the request exceeds the available context size"}"#,
            "ContextTooLong",
        ),
        (413, "", "ContextTooLong"),
        (
            400,
            r#"{"error": {"message": "No.", "code": "content_policy_violation"}}"#,
            "Refused",
        ),
        (
            400,
            r#"{"error": {"message": "Bad schema.", "type": "invalid_request_error"}}"#,
            "InvalidRequest",
        ),
        (
            404,
            r#"{"error": {"message": "Which?", "code": "model_not_found"}}"#,
            "InvalidRequest",
        ),
        (
            422,
            r#"{"detail": [{"msg": "field required"}]}"#,
            "InvalidRequest",
        ),
        (400, r#"{"error": "plain words"}"#, "InvalidRequest"),
        (302, "", "InvalidRequest"),
        (500, r#"{"error": {"message": "Oops."}}"#, "Server"),
        (502, "Bad Gateway", "Server"),
        (503, r#"{"error": {"message": "Busy."}}"#, "Overloaded"),
        (200, "<html>Sign in to the hotel network</html>", "Malformed"),
        (200, r#"{"choices": []}"#, "Malformed"),
        (
            200,
            r#"{"error": {"message": "Slow down.", "code": "rate_limit_exceeded"}}"#,
            "RateLimited",
        ),
    ];
    for (status, body, expected) in cases {
        let kind = if body.starts_with('<') {
            "text/html"
        } else {
            "application/json"
        };
        let answer = Answer::document(
            status,
            &format!("content-type: {kind}\r\nlocation: /elsewhere\r\n"),
            body,
        );
        let player = Player::start([answer]).await;
        let error = converse(&generic(player.endpoint()), hello())
            .await
            .1
            .unwrap_err();
        assert!(
            format!("{error:?}").starts_with(expected),
            "{status} {body}: {error:?}"
        );
        let passing = ["RateLimited", "Server", "Overloaded"].contains(&expected);
        assert_eq!(error.is_retryable(), passing, "{error:?}");
        let detail = error.detail().unwrap();
        assert_eq!(
            (detail.status, detail.request_id.as_deref()),
            (Some(status), Some("req_1"))
        );
    }
}

#[tokio::test]
async fn an_error_reads_as_one_short_line() {
    let page = format!(
        "<html>\n<h1>Forbidden\u{7}</h1>\n<p>{}</p></html>",
        "very ".repeat(1000)
    );
    let player = Player::start([Answer::document(403, "content-type: text/html\r\n", &page)]).await;
    let address = player
        .endpoint()
        .base_url
        .replace("http://", "")
        .replace("/v1", "");
    let error = converse(&generic(player.endpoint()), hello())
        .await
        .1
        .unwrap_err();
    let start =
        format!("{address} (some-model, http 403, request req_1) refused the credentials: Forbidden very");
    let line = error.to_string();
    assert!(line.starts_with(&start) && line.ends_with('…'), "{line}");
    assert!(
        line.chars().count() < 450 && !line.contains(char::is_control),
        "{line}"
    );
    assert!(error.source().is_none());
}

#[tokio::test]
async fn no_secret_is_in_an_error_whatever_the_upstream_echoes() {
    let echo = "you sent Bearer sk-test-0123456789 and hush-hush-header";
    let answers = [
        Answer::document(
            401,
            "",
            &json!({"error": {"message": echo, "code": "sk-test-0123456789"}}).to_string(),
        ),
        Answer::document(403, "", &format!("<p>{echo}<p>")),
        Answer::document(500, "x-ds-trace-id: sk-test-0123456789\r\n", echo),
        Answer::events([json!({"error": {"message": echo}})]),
        Answer::events([json!({"choices": echo})]),
    ];
    for answer in answers {
        let player = Player::start([answer]).await;
        let endpoint = player.endpoint().header("x-token", "hush-hush-header");
        let model = generic(endpoint.clone());
        let error = converse(&model, hello()).await.1.unwrap_err();
        for text in [
            format!("{error}"),
            format!("{error:?}"),
            format!("{endpoint:?}"),
            format!("{model:?}"),
        ] {
            assert!(!text.contains("sk-test") && !text.contains("hush-hush"), "{text}");
        }
        assert!(error.to_string().contains("[redacted]"), "{error}");
    }
}

#[tokio::test]
async fn the_upstream_says_how_long_to_wait() {
    let in_an_hour = httpdate::fmt_http_date(SystemTime::now() + Duration::from_hours(1));
    let cases = [
        ("retry-after: 7\r\n".to_owned(), Some((7.0, 7.0))),
        ("retry-after: 0.5\r\n".to_owned(), Some((0.5, 0.5))),
        (
            "retry-after-ms: 250\r\nretry-after: 7\r\n".to_owned(),
            Some((0.25, 0.25)),
        ),
        (format!("retry-after: {in_an_hour}\r\n"), Some((3590.0, 3600.0))),
        (
            "retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n".to_owned(),
            Some((0.0, 0.0)),
        ),
        ("retry-after: soon\r\n".to_owned(), None),
        ("retry-after: -1\r\n".to_owned(), None),
        (String::new(), None),
    ];
    for (headers, expected) in cases {
        let player = Player::start([Answer::document(429, &headers, "")]).await;
        let error = converse(&generic(player.endpoint()), hello())
            .await
            .1
            .unwrap_err();
        let found = error.retry_after().map(|wait| wait.as_secs_f64());
        match expected {
            Some((least, most)) => assert!(
                found.is_some_and(|wait| (least..=most).contains(&wait)),
                "{headers}"
            ),
            None => assert_eq!(found, None, "{headers}"),
        }
    }
}

#[tokio::test]
async fn an_unreachable_upstream_is_a_network_error() {
    // Bound and dropped, so that nobody listens there.
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let endpoint = Endpoint::new(format!("http://{address}/v1?key=hush-hush")).retry(Retry::never());
    let error = complete(&generic(endpoint), hello()).await.unwrap_err();
    let expected = format!("the connection to {address} (some-model) failed: could not connect");
    assert_eq!(error.to_string(), expected);
    let source = error.source().unwrap();
    assert!(!format!("{source:?}").contains("hush-hush") && !source.to_string().is_empty());
}

#[test]
fn an_unusable_endpoint_is_refused_at_once() {
    let url = "http://127.0.0.1:1/v1";
    let cases = [
        Endpoint::new("not a url"),
        Endpoint::new("file:///etc/passwd"),
        Endpoint::new("mailto:someone@example.com"),
        Endpoint::new("ftp://user:line-break@example.com/v1?key=line-break"),
        Endpoint::new(url).api_key("line\nbreak"),
        Endpoint::new(url).header("bad name", "x"),
        Endpoint::new(url).header("x-token", "line\nbreak"),
    ];
    for endpoint in cases {
        let error = Responses::new(endpoint, ResponsesOptions::new("gpt-5.5")).unwrap_err();
        assert!(matches!(error, Error::Configuration(_)), "{error:?}");
        assert!(!error.to_string().contains("break"), "{error}");
    }
}
