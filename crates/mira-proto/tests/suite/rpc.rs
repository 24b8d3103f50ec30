//! The JSON-RPC envelope.

use mira_proto::error::{ErrorBody, ErrorCode};
use mira_proto::native::{Call, ParseError, SessionRef};
use mira_proto::rpc::{self, FrameError, Id, Message, Outcome, Request, Response, RpcError};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Says in one line what became of a frame.
fn reading(text: &str) -> String {
    match Message::parse(text) {
        Ok(Message::Request(request)) => {
            format!(
                "request {} {} {}",
                request.id,
                request.method,
                request.params.as_deref().map_or("-", RawValue::get)
            )
        }
        Ok(Message::Notification(notification)) => format!(
            "notification {} {}",
            notification.method,
            notification.params.as_deref().map_or("-", RawValue::get)
        ),
        Ok(Message::Response(Response {
            id,
            outcome: Outcome::Result(result),
            ..
        })) => {
            format!(
                "result {} {}",
                id.map_or("-".to_owned(), |id| id.to_string()),
                result.get()
            )
        }
        Ok(Message::Response(Response {
            id,
            outcome: Outcome::Error(error),
            ..
        })) => {
            format!(
                "error {} {}",
                id.map_or("-".to_owned(), |id| id.to_string()),
                error.code
            )
        }
        Err(FrameError::NotJson(_)) => "not json".to_owned(),
        Err(FrameError::NotAMessage { id, .. }) => {
            format!("not a message {}", id.map_or("-".to_owned(), |id| id.to_string()))
        }
    }
}

#[test]
fn frames_are_told_apart() {
    let cases = [
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1}}"#,
            "request 1 m {\"a\":1}",
        ),
        (r#"{"jsonrpc":"2.0","id":"x","method":"m"}"#, "request x m -"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":null,"later":true}"#,
            "request 1 m -",
        ),
        (
            r#"{"jsonrpc":"2.0","method":"m","params":{}}"#,
            "notification m {}",
        ),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "result 1 {}"),
        (r#"{"jsonrpc":"2.0","id":1,"result":null}"#, "result 1 null"),
        (
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}"#,
            "error - -32700",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m"}}"#,
            "error 1 -1",
        ),
        ("", "not json"),
        ("{", "not json"),
        ("hello", "not json"),
        ("[]", "not a message -"),
        ("7", "not a message -"),
        ("{}", "not a message -"),
        (r#"{"id":4,"method":"m"}"#, "not a message 4"),
        (r#"{"jsonrpc":"1.0","id":4,"method":"m"}"#, "not a message 4"),
        (r#"{"jsonrpc":"2.0","id":4,"method":5}"#, "not a message 4"),
        (r#"{"jsonrpc":"2.0","id":4}"#, "not a message 4"),
        (r#"{"jsonrpc":"2.0","id":null,"method":"m"}"#, "not a message -"),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"m"}"#, "not a message -"),
        (
            r#"{"jsonrpc":"2.0","id":4,"result":1,"error":{"code":1,"message":"m"}}"#,
            "not a message 4",
        ),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"m"}]"#, "not a message -"),
    ];
    for (text, expected) in cases {
        assert_eq!(reading(text), expected, "{text}");
    }
}

#[test]
fn what_is_sent_reads_back() {
    let params = SessionRef {
        session_id: "s".to_owned(),
    };
    let request = serde_json::to_string(&Request::new(Id::Number(3), "session.close", &params)).unwrap();
    assert_eq!(
        request,
        r#"{"jsonrpc":"2.0","id":3,"method":"session.close","params":{"session_id":"s"}}"#
    );
    assert_eq!(reading(&request), r#"request 3 session.close {"session_id":"s"}"#);

    let result = RawValue::from_string("{\"a\":1}".to_owned()).unwrap();
    let response = serde_json::to_string(&Response::result(Id::String("x".to_owned()), result)).unwrap();
    assert_eq!(response, r#"{"jsonrpc":"2.0","id":"x","result":{"a":1}}"#);
    assert_eq!(reading(&response), r#"result x {"a":1}"#);

    let error = ErrorBody::new(ErrorCode::NotFound, "there is no session `s`").with_hint("open one");
    let response = serde_json::to_value(Response::<()>::error(Some(Id::Number(3)), error.clone())).unwrap();
    let expected = json!({
        "jsonrpc": "2.0", "id": 3,
        "error": {
            "code": -32000, "message": "there is no session `s`",
            "data": {"code": "not_found", "retryable": false, "hint": "open one"},
        },
    });
    assert_eq!(response, expected);
    let Ok(Message::Response(Response {
        outcome: Outcome::Error(received),
        ..
    })) = Message::parse(&response.to_string())
    else {
        panic!("{response}");
    };
    assert_eq!(ErrorBody::from(received), error);
}

#[test]
fn a_broken_frame_has_an_answer() {
    let answer =
        |text: &str| -> Value { serde_json::to_value(Message::parse(text).unwrap_err().response()).unwrap() };
    let data = json!({"code": "bad_request", "retryable": false});
    assert_eq!(
        answer("{"),
        json!({"jsonrpc": "2.0", "id": null,
            "error": {"code": rpc::PARSE_ERROR, "message": "the frame is not JSON", "data": data}})
    );
    assert_eq!(
        answer(r#"{"jsonrpc":"2.0","id":9}"#),
        json!({"jsonrpc": "2.0", "id": 9, "error": {
            "code": rpc::INVALID_REQUEST,
            "message": "the frame is not a JSON-RPC 2.0 message: it is neither a request nor a response",
            "data": data,
        }})
    );
}

#[test]
fn a_call_that_does_not_fit_names_the_parameter() {
    let cases = [
        ("chat.send", "{}", -32602, "invalid_params", Some("session_id")),
        (
            "chat.send",
            r#"{"session_id":"s"}"#,
            -32602,
            "invalid_params",
            Some("content"),
        ),
        (
            "chat.send",
            r#"{"session_id":"s","content":7}"#,
            -32602,
            "invalid_params",
            Some("content"),
        ),
        (
            "chat.send",
            r#"{"session_id":"s","content":"c","context":{"selection":{"start_line":-1,"end_line":2}}}"#,
            -32602,
            "invalid_params",
            Some("context.selection.start_line"),
        ),
        (
            "chat.send",
            r#"{"session_id":"s","content":"c","context":{"selection":{"start_line":1}}}"#,
            -32602,
            "invalid_params",
            Some("context.selection.end_line"),
        ),
        (
            "files.write_many",
            r#"{"project_id":"p","files":[{"path":"a","content":"1"},{"path":"b"}]}"#,
            -32602,
            "invalid_params",
            Some("files[1].content"),
        ),
        ("chat.send", r#"["s","c"]"#, -32602, "invalid_params", None),
        ("chat.sing", "{}", -32601, "unknown_method", None),
        ("", "{}", -32601, "unknown_method", None),
    ];
    for (method, params, code, name, field) in cases {
        let raw = RawValue::from_string(params.to_owned()).unwrap();
        let error = RpcError::from(ErrorBody::from(Call::parse(method, Some(&raw)).unwrap_err()));
        let data = error.data.unwrap();
        assert_eq!(
            (error.code, data.code.as_str(), data.field.as_deref()),
            (code, name, field),
            "{method} {params}: {}",
            error.message
        );
    }
    assert!(
        matches!(Call::parse("memory.save", None), Err(ParseError::InvalidParams { field: Some(field), .. }) if field == "session_id")
    );
}

#[test]
fn an_error_without_data_still_has_a_code() {
    let plain = |code| RpcError {
        code,
        message: "m".to_owned(),
        data: None,
    };
    let cases = [
        (rpc::PARSE_ERROR, ErrorCode::BadRequest),
        (rpc::INVALID_REQUEST, ErrorCode::BadRequest),
        (rpc::METHOD_NOT_FOUND, ErrorCode::UnknownMethod),
        (rpc::INVALID_PARAMS, ErrorCode::InvalidParams),
        (rpc::INTERNAL_ERROR, ErrorCode::Internal),
        (-5, ErrorCode::Other("-5".to_owned())),
    ];
    for (number, code) in cases {
        assert_eq!(ErrorBody::from(plain(number)), ErrorBody::new(code, "m"));
    }
}
