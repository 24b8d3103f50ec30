//! Notifications and events.

use std::collections::BTreeSet;

use mira_proto::native::{
    Event, EventNotification, HeartbeatNotification, Notification, OperationStatus, ParseError,
};
use mira_proto::rpc::Message;
use serde_json::{Value, json};

use crate::assert_fits_schema;
use crate::methods::artifact;

/// One complete example of every kind of event, in the order of the documentation.
fn events() -> Vec<Value> {
    let error = json!({"code": "model_rate_limited", "message": "slow down", "retryable": true});
    let examples = [
        json!({"type": "operation.started", "message_id": "m1", "kind": "chat"}),
        json!({"type": "operation.status_changed", "from": "started", "to": "delegating"}),
        json!({
            "type": "operation.context", "purpose": "reasoner", "model": "gpt-5", "total_tokens": 812,
            "parts": [{
                "name": "file", "detail": "src/a.rs", "tokens": 812, "cap_tokens": 4000, "truncated": false,
                "reason": "open in the editor",
            }, {
                "name": "recalled", "tokens": 30, "cap_tokens": 4000, "truncated": true, "reason": "they fit",
                "sources": [
                    {"kind": "memory", "id": "m1", "score": 0.75, "why": "meaning"},
                    {"kind": "profile", "why": "always"},
                ],
            }],
        }),
        json!({"type": "operation.reasoning", "item_id": "i1", "offset": 0, "delta": "Let me"}),
        json!({"type": "operation.streaming", "item_id": "i2", "offset": 6, "delta": "schön 🎉"}),
        json!({"type": "operation.tool_started", "call_id": "t1", "tool": "read_file", "summary": "src/a.rs"}),
        json!({
            "type": "operation.tool_finished", "call_id": "t1", "tool": "read_file", "ok": true,
            "summary": "9 lines", "duration_ms": 4,
        }),
        json!({
            "type": "operation.delegated", "delegation_id": "d1", "call_id": "t2", "tool": "generate_code",
            "model": "deepseek-v4-flash", "path": "src/jwt.rs", "brief": "sign tokens",
        }),
        json!({
            "type": "operation.artifact_preview", "artifact_id": "a1", "path": "src/jwt.rs", "language": "rust",
            "preview": "pub fn",
        }),
        json!({"type": "operation.artifact_completed", "artifact": artifact()}),
        json!({"type": "operation.artifact_applied", "artifact_id": "a1", "path": "src/jwt.rs"}),
        json!({"type": "operation.artifact_undone", "artifact_id": "a1", "path": "src/jwt.rs"}),
        json!({
            "type": "operation.retrying", "model": "gpt-5", "attempt": 2, "delay_ms": 1500, "error": error,
        }),
        json!({
            "type": "operation.completed", "message_id": "m2", "limit": "iterations",
            "usage": [{
                "role": "coder", "model": "deepseek-v4-flash", "calls": 1, "input_tokens": 5,
                "cached_input_tokens": 4, "cache_write_tokens": 3, "output_tokens": 2, "reasoning_tokens": 1,
            }],
        }),
        json!({"type": "operation.failed", "error": error}),
        json!({"type": "operation.cancelled"}),
        json!({"type": "operation.interrupted", "reason": "the server was stopped"}),
        json!({"type": "operation.erased"}),
    ];
    let of_operation = |mut event: Value| {
        event["operation_id"] = json!("o1");
        event
    };
    examples.into_iter().map(of_operation).collect()
}

#[test]
fn every_event_round_trips() {
    let events = events();
    let names: Vec<&str> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    let all: Vec<&str> = Event::TYPES.iter().map(|info| info.name).collect();
    assert_eq!(names, all);

    for (event, info) in events.iter().zip(Event::TYPES) {
        assert_fits_schema("/native/$defs/Event", event);
        let members: BTreeSet<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
        let described: BTreeSet<&str> = info
            .fields
            .iter()
            .map(|field| field.split_once(": ").unwrap().0)
            .chain(["type"])
            .collect();
        assert_eq!(members, described, "{}: the example must be complete", info.name);

        let typed: Event = serde_json::from_value(event.clone()).unwrap();
        assert_eq!(serde_json::to_value(&typed).unwrap(), *event);
        assert_eq!((typed.name(), typed.operation_id()), (info.name, Some("o1")));
    }
}

#[test]
fn an_event_ends_a_run_exactly_when_it_is_named_like_a_terminal_status() {
    for event in events() {
        let typed: Event = serde_json::from_value(event).unwrap();
        let status = OperationStatus::from(typed.name().trim_start_matches("operation."));
        assert_eq!(typed.is_terminal(), status.is_terminal(), "{}", typed.name());
    }
}

#[test]
fn an_event_of_a_newer_server_is_unknown() {
    for event in [
        json!({"type": "operation.sang", "operation_id": "o1", "song": "la"}),
        json!({"type": "session.renamed", "name": "x"}),
    ] {
        let notification = json!({"session_id": "s", "seq": 1, "time_ms": 2, "event": event});
        let typed: EventNotification = serde_json::from_value(notification).unwrap();
        assert_eq!(
            typed,
            EventNotification {
                session_id: "s".to_owned(),
                seq: 1,
                time_ms: 2,
                event: Event::Unknown
            }
        );
        assert_eq!(
            (typed.event.operation_id(), typed.event.is_terminal()),
            (None, false)
        );
    }
    let known_but_broken = json!({"type": "operation.failed", "operation_id": "o1"});
    assert!(serde_json::from_value::<Event>(known_but_broken).is_err());
}

#[test]
fn every_notification_round_trips() {
    let examples = [
        (
            "event",
            json!({"session_id": "s1", "seq": 8, "time_ms": 9, "event": events()[0]}),
        ),
        ("session.synced", json!({"session_id": "s1", "seq": 8})),
        ("heartbeat", json!({"time_ms": 9})),
        (
            "session.closed",
            json!({"session_id": "s1", "reason": "slow_client", "resume_after": 8}),
        ),
    ];
    let all: Vec<&str> = Notification::TYPES.iter().map(|info| info.name).collect();
    assert_eq!(examples.each_ref().map(|(name, _)| *name).as_slice(), all);

    for ((name, params), info) in examples.into_iter().zip(Notification::TYPES) {
        assert_fits_schema(&format!("/native/$defs/{}", info.params), &params);
        let frame = json!({"jsonrpc": "2.0", "method": name, "params": params});
        let Ok(Message::Notification(received)) = Message::parse(&frame.to_string()) else {
            panic!("{frame}")
        };
        let typed = Notification::parse(&received.method, received.params.as_deref()).unwrap();
        let sent: Value = serde_json::from_str(&typed.to_frame().unwrap()).unwrap();
        assert_eq!(sent, frame);
    }
}

#[test]
fn a_notification_of_a_newer_server_can_be_told_from_a_broken_one() {
    assert!(matches!(
        Notification::parse("weather", None),
        Err(ParseError::UnknownMethod { method }) if method == "weather"
    ));
    assert!(matches!(
        Notification::parse("heartbeat", None),
        Err(ParseError::InvalidParams { field: Some(field), .. }) if field == "time_ms"
    ));
    let heartbeat = Notification::Heartbeat(HeartbeatNotification { time_ms: 1 });
    assert_eq!(
        heartbeat.to_frame().unwrap(),
        r#"{"jsonrpc":"2.0","method":"heartbeat","params":{"time_ms":1}}"#
    );
}
