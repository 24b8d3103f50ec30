//! Parameters and results of every method.

mod memory;

use std::collections::BTreeSet;

use mira_proto::native::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::{SCHEMA, assert_fits_schema};

/// Reads and writes one complete example of a method, and returns the method's name.
fn check<M: Method>(params: &Value, result: &Value) -> &'static str {
    let info = METHODS.iter().find(|info| info.name == M::NAME).unwrap();
    for (example, kind) in [(params, info.params), (result, info.result)] {
        let pointer = format!("/native/$defs/{kind}");
        assert_fits_schema(&pointer, example);
        assert_eq!(
            member_names(example),
            schema_members(&pointer),
            "{kind}: the example must be complete"
        );
    }

    let typed: M::Params = serde_json::from_value(params.clone()).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), *params, "{}", M::NAME);
    let typed: M::Result = serde_json::from_value(with_strangers(result)).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), *result, "{}", M::NAME);

    let raw = RawValue::from_string(with_strangers(params).to_string()).unwrap();
    let call = Call::parse(M::NAME, Some(&raw)).unwrap();
    assert_eq!(call.method(), M::NAME);
    assert_eq!(call.idempotency_key(), info.mutates.then_some("k"), "{}", M::NAME);
    M::NAME
}

/// The same object from a newer peer.
fn with_strangers(object: &Value) -> Value {
    let mut object = object.clone();
    object["not_invented_yet"] = json!({"deep": [1, null]});
    object
}

fn member_names(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

fn schema_members(pointer: &str) -> BTreeSet<String> {
    let members = SCHEMA
        .pointer(pointer)
        .unwrap()
        .get("properties")
        .and_then(Value::as_object);
    members
        .map(|members| members.keys().cloned().collect())
        .unwrap_or_default()
}

fn usage() -> Value {
    json!({
        "role": "reasoner", "model": "gpt-5", "calls": 2, "input_tokens": 900, "cached_input_tokens": 512,
        "cache_write_tokens": 0, "output_tokens": 80, "reasoning_tokens": 30,
    })
}

fn error() -> Value {
    json!({"code": "model_stalled", "message": "the model stopped", "retryable": true, "hint": "try again", "field": "f"})
}

fn artifact_summary() -> Value {
    json!({
        "artifact_id": "a1", "operation_id": "o1", "session_id": "s1", "project_id": "p1", "path": "src/jwt.rs",
        "language": "rust", "content_hash": "9f86", "is_new_file": false, "base_hash": "60f4", "origin": "coder",
        "created_ms": 1_762_000_000_000_i64, "applied_ms": 1_762_000_100_000_i64,
        "undone_ms": 1_762_000_200_000_i64, "size_bytes": 16,
    })
}

/// An artifact with every member.
pub(crate) fn artifact() -> Value {
    let mut artifact = artifact_summary();
    artifact["content"] = json!("pub fn sign() {}\n");
    artifact["diff"] = json!("--- a/src/jwt.rs\n+++ b/src/jwt.rs\n");
    artifact
}

fn operation() -> Value {
    json!({
        "operation_id": "o1", "session_id": "s1", "message_id": "m1", "project_id": "p1", "kind": "code_generation",
        "status": "failed", "created_ms": 1, "started_ms": 2, "finished_ms": 3, "last_seq": 17, "usage": [usage()],
        "error": error(), "text": "I will", "artifacts": [artifact_summary()],
        "delegations": [{
            "delegation_id": "d1", "tool": "generate_code", "model": "deepseek-v4-flash", "path": "src/jwt.rs",
            "brief": "sign tokens", "status": "failed", "input_tokens": 1, "cached_input_tokens": 2,
            "cache_write_tokens": 3, "output_tokens": 4, "reasoning_tokens": 5, "latency_ms": 1200, "error": error(),
        }],
    })
}

fn project() -> Value {
    json!({
        "project_id": "p1", "name": "Demo", "description": "toy", "tags": ["x"], "directory": "/src/demo",
        "created_ms": 1, "updated_ms": 2,
    })
}

fn message() -> Value {
    json!({
        "message_id": "m1", "session_id": "s1", "role": "assistant", "content": "hi", "time_ms": 5,
        "project_id": "p1", "operation_id": "o1", "artifacts": [artifact_summary()], "speaker": "Ada",
        "tags": ["x"], "pinned": true, "salience": 0.5, "topics": ["greeting"], "mood": "happy",
        "intent": "statement", "summary": "A greeting.", "contains_code": true, "programming_lang": "rust",
    })
}

fn in_flight() -> Value {
    json!({"operation_id": "o1", "item_id": "i1", "kind": "reasoning", "text": "so far"})
}

fn written() -> Value {
    json!({"path": "src/a.rs", "content_hash": "9f86", "created": true, "change_id": "c1"})
}

#[test]
fn every_method_round_trips() {
    let checked = [
        session_methods(),
        operation_methods(),
        artifact_methods(),
        project_methods(),
        file_methods(),
        memory::memory_methods(),
        memory::fact_methods(),
        vec![memory::system_status()],
    ]
    .concat();
    let all: Vec<&str> = METHODS.iter().map(|info| info.name).collect();
    assert_eq!(checked, all);
}

fn session_methods() -> Vec<&'static str> {
    vec![
        check::<Initialize>(
            &json!({
                "protocol_version": 1, "client": {"name": "web", "version": "2.1"}, "token": "t", "capabilities": {},
            }),
            &json!({
                "protocol_version": 1, "server": {"name": "mira", "version": "0.1.0"},
                "capabilities": {
                    "resume": {}, "delegation": {}, "artifacts": {}, "projects": {}, "files": {}, "memory": {},
                },
                "heartbeat_seconds": 15,
                "limits": {"max_frame_bytes": 83_886_080, "max_queued_turns": 16, "max_buffered_events": 1024},
                "models": [
                    {"role": "reasoner", "model": "gpt-5", "configured": true},
                    {"role": "coder", "configured": false, "hint": "set DEEPSEEK_API_KEY"},
                ],
            }),
        ),
        check::<SessionOpen>(
            &json!({"session_id": "s1", "name": "main", "user": "ada"}),
            &json!({
                "session_id": "s1", "name": "main", "created": false, "last_seq": 12, "running": ["o1"],
                "in_flight": [in_flight()],
            }),
        ),
        check::<SessionResume>(
            &json!({"session_id": "s1", "after": 7}),
            &json!({"watermark": 12, "running": ["o1"], "in_flight": [in_flight()]}),
        ),
        check::<SessionList>(
            &json!({"cursor": "c", "limit": 20}),
            &json!({
                "sessions": [{
                    "session_id": "s1", "name": "main", "created_ms": 1, "updated_ms": 2, "message_count": 3,
                    "last_seq": 4, "title": "Signing tokens",
                }],
                "next_cursor": "d",
            }),
        ),
        check::<SessionClose>(&json!({"session_id": "s1"}), &json!({})),
        check::<ChatSend>(
            &json!({
                "session_id": "s1", "content": "why?", "project_id": "p1",
                "context": {
                    "file_path": "src/a.rs", "file_content": "fn a() {}", "language": "rust",
                    "selection": {"start_line": 1, "end_line": 1, "text": "fn"},
                },
                "idempotency_key": "k",
            }),
            &json!({"message_id": "m1", "operation_id": "o1", "seq": 12, "queued": 0}),
        ),
    ]
}

fn operation_methods() -> Vec<&'static str> {
    vec![
        check::<OperationGet>(&json!({"operation_id": "o1"}), &json!({"operation": operation()})),
        check::<OperationList>(
            &json!({"session_id": "s1", "cursor": "c", "limit": 2}),
            &json!({"operations": [operation()], "next_cursor": "d"}),
        ),
        check::<OperationCancel>(&json!({"operation_id": "o1"}), &json!({"operation": operation()})),
        check::<OperationEvents>(
            &json!({"session_id": "s1", "after": 3, "limit": 100}),
            &json!({
                "events": [{
                    "session_id": "s1", "seq": 4, "time_ms": 5,
                    "event": {"type": "operation.cancelled", "operation_id": "o1"},
                }],
                "next_after": 4,
            }),
        ),
    ]
}

fn artifact_methods() -> Vec<&'static str> {
    vec![
        check::<ArtifactGet>(&json!({"artifact_id": "a1"}), &json!({"artifact": artifact()})),
        check::<ArtifactList>(
            &json!({"session_id": "s1", "project_id": "p1", "operation_id": "o1", "cursor": "c", "limit": 5}),
            &json!({"artifacts": [artifact_summary()], "next_cursor": "d"}),
        ),
        check::<ArtifactDiff>(
            &json!({"artifact_id": "a1"}),
            &json!({
                "artifact_id": "a1", "path": "src/jwt.rs", "diff": "", "is_new_file": false, "base_changed": true,
            }),
        ),
        check::<ArtifactApply>(
            &json!({"artifact_id": "a1", "project_id": "p1", "force": true, "idempotency_key": "k"}),
            &json!({"artifact": artifact_summary(), "path": "src/jwt.rs", "change_id": "c1"}),
        ),
        check::<ArtifactUndo>(
            &json!({"artifact_id": "a1", "idempotency_key": "k"}),
            &json!({"artifact": artifact_summary(), "path": "src/jwt.rs"}),
        ),
    ]
}

fn project_methods() -> Vec<&'static str> {
    vec![
        check::<ProjectCreate>(
            &json!({
                "name": "Demo", "description": "toy", "tags": ["x"], "directory": "/src/demo", "idempotency_key": "k",
            }),
            &json!({"project": project()}),
        ),
        check::<ProjectList>(&json!({}), &json!({"projects": [project()]})),
        check::<ProjectGet>(&json!({"project_id": "p1"}), &json!({"project": project()})),
        check::<ProjectUpdate>(
            &json!({"project_id": "p1", "name": "Demo", "description": "", "tags": [], "idempotency_key": "k"}),
            &json!({"project": project()}),
        ),
        check::<ProjectDelete>(&json!({"project_id": "p1", "idempotency_key": "k"}), &json!({})),
        check::<ProjectAttachLocal>(
            &json!({"project_id": "p1", "directory_path": "/src/demo", "idempotency_key": "k"}),
            &json!({"project": project()}),
        ),
        check::<ProjectUndoFile>(
            &json!({"project_id": "p1", "file_path": "src/a.rs", "idempotency_key": "k"}),
            &json!({"path": "src/a.rs", "change_id": "c1", "exists": true}),
        ),
        check::<ProjectFileHistory>(
            &json!({"project_id": "p1", "file_path": "src/a.rs", "limit": 3}),
            &json!({
                "path": "src/a.rs",
                "changes": [
                    {"change_id": "c2", "time_ms": 2, "before": "a", "after": "b", "undone": false},
                    {"change_id": "c1", "time_ms": 1, "after": "a", "undone": true},
                ],
            }),
        ),
        check::<ProjectModifiedFiles>(&json!({"project_id": "p1"}), &json!({"files": ["src/a.rs"]})),
    ]
}

fn file_methods() -> Vec<&'static str> {
    vec![
        check::<FilesRead>(
            &json!({"project_id": "p1", "path": "src/a.rs"}),
            &json!({
                "path": "src/a.rs", "content": "fn a() {}", "content_hash": "9f86", "size_bytes": 9,
                "language": "rust",
            }),
        ),
        check::<FilesWrite>(
            &json!({
                "project_id": "p1", "path": "src/a.rs", "content": "", "expected_hash": "9f86",
                "idempotency_key": "k",
            }),
            &written(),
        ),
        check::<FilesWriteMany>(
            &json!({"project_id": "p1", "files": [{"path": "a", "content": "1"}], "idempotency_key": "k"}),
            &json!({"files": [written()]}),
        ),
        check::<FilesList>(
            &json!({"project_id": "p1", "path": "src", "recursive": true}),
            &json!({
                "path": "src",
                "entries": [
                    {"name": "a.rs", "path": "src/a.rs", "kind": "file", "size_bytes": 9},
                    {"name": "api", "path": "src/api", "kind": "directory"},
                ],
                "truncated": false,
            }),
        ),
        check::<FilesTree>(
            &json!({"project_id": "p1", "path": "src"}),
            &json!({
                "nodes": [{
                    "name": "api", "path": "src/api", "kind": "directory",
                    "children": [{"name": "x.rs", "path": "src/api/x.rs", "kind": "file", "children": []}],
                }],
                "truncated": true,
            }),
        ),
        check::<FilesDelete>(
            &json!({"project_id": "p1", "path": "src/a.rs", "idempotency_key": "k"}),
            &json!({"path": "src/a.rs", "change_id": "c1"}),
        ),
        check::<FilesExists>(
            &json!({"project_id": "p1", "path": "src"}),
            &json!({"path": "src", "exists": true, "kind": "directory"}),
        ),
        check::<FilesSearch>(
            &json!({
                "project_id": "p1", "pattern": "fn", "regex": true, "glob": "*.rs", "case_sensitive": false,
                "limit": 9,
            }),
            &json!({"matches": [{"path": "src/a.rs", "line": 1, "text": "fn a() {}"}], "truncated": false}),
        ),
        check::<DirectoryCreate>(
            &json!({"project_id": "p1", "path": "src/api", "idempotency_key": "k"}),
            &json!({"path": "src/api"}),
        ),
    ]
}

/// Optional parameters may be left out or `null`, and are then not sent.
#[test]
fn the_least_that_a_call_needs() {
    let cases = [
        ("session.open", json!({})),
        ("session.list", json!({"cursor": null, "limit": null})),
        (
            "chat.send",
            json!({"session_id": "s", "content": "c", "context": null}),
        ),
        ("artifact.apply", json!({"artifact_id": "a", "force": null})),
        ("artifact.list", json!({})),
        ("project.get", json!({"id": "p"})),
        ("project.update", json!({"id": "p", "name": null})),
        (
            "project.attach_local",
            json!({"id": "p", "directory_path": "/src"}),
        ),
        ("files.tree", json!({"project_id": "p"})),
        ("memory.get_recent", json!({"session_id": "s"})),
        ("memory.search", json!({"query": "q", "heads": null})),
        ("memory.get_stats", json!({})),
        ("memory.import", json!({})),
        ("memory.erase", json!({})),
        ("facts.list", json!({})),
        ("facts.add", json!({"key": "k", "value": "v"})),
        ("profile.set", json!({})),
    ];
    for (method, params) in cases {
        let raw = RawValue::from_string(params.to_string()).unwrap();
        let call = Call::parse(method, Some(&raw)).unwrap();
        assert_eq!((call.method(), call.idempotency_key()), (method, None));
    }
    assert_eq!(
        Call::parse("session.open", None).unwrap(),
        Call::SessionOpen(SessionOpenParams::default())
    );
    assert_eq!(
        serde_json::to_value(ChatSendParams {
            session_id: "s".to_owned(),
            content: "c".to_owned(),
            ..ChatSendParams::default()
        })
        .unwrap(),
        json!({"session_id": "s", "content": "c"})
    );
}
