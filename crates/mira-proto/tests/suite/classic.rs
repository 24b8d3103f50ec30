//! The frames of the classic profile.

use mira_proto::classic::{
    ClientFrame, Data, ErrorFrame, Family, Incoming, OperationData, OperationEvent, ParseError, ServerFrame,
    TreeNode,
};
use mira_proto::error::{ErrorBody, ErrorCode};
use mira_proto::rpc::Id;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Side {
    Client,
    Server,
}

#[derive(Deserialize)]
struct Example {
    from: Side,
    frame: Value,
}

/// One frame of every kind, as the existing frontend sends and expects them.
fn examples() -> Vec<Example> {
    include_str!("classic_examples.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn client_frame(frame: &Value) -> ClientFrame {
    Incoming::parse(&frame.to_string()).frame.unwrap()
}

/// Compares JSON values whole: the order of members does not count, everything else does, `null`s too.
#[test]
fn every_example_reads_and_writes_the_same() {
    let examples = examples();
    assert!(examples.len() > 100, "only {} examples were read", examples.len());
    for Example { from, frame } in examples {
        match from {
            Side::Client => {
                let typed = client_frame(&frame);
                assert_eq!(serde_json::to_value(&typed).unwrap(), frame);
            }
            Side::Server => {
                let typed: ServerFrame = serde_json::from_value(frame.clone()).unwrap();
                assert_eq!(serde_json::to_value(&typed).unwrap(), frame);
            }
        }
    }
}

#[test]
fn every_example_fits_the_schema() {
    let validator = |side: &str| {
        let mut schema = crate::SCHEMA.clone();
        schema["$ref"] = Value::from(format!("#/classic/{side}"));
        jsonschema::validator_for(&schema).unwrap()
    };
    let (client, server) = (validator("client"), validator("server"));
    for Example { from, frame } in examples() {
        let validator = match from {
            Side::Client => &client,
            Side::Server => &server,
        };
        let problems: Vec<String> = validator
            .iter_errors(&frame)
            .map(|error| error.to_string())
            .collect();
        assert!(problems.is_empty(), "{frame}: {problems:?}");
    }
}

/// `Data` has no tag of its own, so an answer must not be taken for another one.
#[test]
fn an_answer_is_read_as_what_it_is() {
    let family =
        |data: Value| match serde_json::from_value::<ServerFrame>(json!({"type": "data", "data": data})) {
            Ok(ServerFrame::Data { data, .. }) => match data {
                Data::Operation(_) => "operation",
                Data::Project(_) => "project",
                Data::File(_) => "file",
                Data::Git(_) => "git",
                Data::Document(_) => "document",
                Data::Code(_) => "code",
                Data::Transfer(_) => "transfer",
                Data::Memory(_) => "memory",
            },
            other => panic!("{other:?}"),
        };
    for Example { frame, .. } in examples() {
        let Some(kind) = frame["data"]["type"].as_str() else {
            continue;
        };
        if frame["type"] != "data" {
            continue;
        }
        let expected = match kind {
            kind if kind.starts_with("operation.") => "operation",
            "file_content" | "file_list" | "file_exists" | "file_tree" => "file",
            "repo_attached" | "git_status" => "git",
            kind if kind.starts_with("memory_") => "memory",
            kind if kind.starts_with("document_") => "document",
            "upload_started" | "chunk_received" | "upload_complete" | "download_ready" => "transfer",
            "code_search_results"
            | "complexity_hotspots"
            | "repo_stats"
            | "elements_by_type"
            | "supported_languages"
            | "repository_data_deleted" => "code",
            _ => "project",
        };
        assert_eq!(family(frame["data"].clone()), expected, "{kind}");
    }
}

#[test]
fn other_spellings_mean_the_same() {
    let cases = [
        (
            json!({"type": "memory", "method": "memory.get_recent", "params": {"count": 5}}),
            json!({"type": "memory_command", "method": "memory.get_recent", "params": {"count": 5}}),
        ),
        (
            json!({"type": "memory", "method": "memory.search", "params": {"query": "q", "limit": 5}}),
            json!({"type": "memory_command", "method": "memory.search", "params": {"query": "q", "max_results": 5}}),
        ),
        (
            json!({"type": "memory", "method": "memory.stats", "params": {}}),
            json!({"type": "memory_command", "method": "memory.get_stats", "params": {}}),
        ),
        (
            json!({"type": "memory", "method": "memory.pin", "params": {"memory_id": 12}}),
            json!({"type": "memory_command", "method": "memory.pin", "params": {"id": 12}}),
        ),
        (
            json!({"type": "code_intelligence", "method": "code.stats", "params": {"project_id": "p"}}),
            json!({"type": "code_intelligence_command", "method": "code.stats", "params": {"project_id": "p"}}),
        ),
        (
            json!({"type": "command", "command": "cancel", "args": {"operation_id": "op-7"}}),
            json!({"type": "cancel_operation", "operation_id": "op-7"}),
        ),
        (
            json!({"type": "project_command", "method": "project.delete", "params": {"project_id": "p"}}),
            json!({"type": "project_command", "method": "project.delete", "params": {"id": "p"}}),
        ),
        (
            json!({"type": "project_command", "method": "project.update", "params": {"project_id": "p", "name": "n"}}),
            json!({"type": "project_command", "method": "project.update", "params": {"id": "p", "name": "n"}}),
        ),
        (
            json!({"type": "project_command", "method": "project.modified_files", "params": {"id": "p"}}),
            json!({"type": "project_command", "method": "project.modified_files", "params": {"project_id": "p"}}),
        ),
        (
            json!({"type": "project_command", "method": "project.list"}),
            json!({"type": "project_command", "method": "project.list", "params": {}}),
        ),
        (
            json!({"type": "file_system_command", "method": "file.save", "params": {"path": "a", "content": ""}}),
            json!({"type": "file_system_command", "method": "files.write", "params": {"path": "a", "content": ""}}),
        ),
        (
            json!({"type": "file_system_command", "method": "files.save", "params": {"path": "a", "content": ""}}),
            json!({"type": "file_system_command", "method": "files.write", "params": {"path": "a", "content": ""}}),
        ),
        (
            json!({"type": "file_system_command", "method": "files.read", "params": {"project_id": "p", "path": "a"}}),
            json!({"type": "file_system_command", "method": "file.read", "params": {"project_id": "p", "path": "a"}}),
        ),
        (
            json!({"type": "chat", "content": "hi", "project_id": null, "mood": 3,
                "metadata": {"file_path": null, "branch": "main", "unheard_of": true}}),
            json!({"type": "chat", "content": "hi", "metadata": {"current_branch": "main"}}),
        ),
    ];
    for (sent, meant) in cases {
        assert_eq!(
            serde_json::to_value(client_frame(&sent)).unwrap(),
            meant,
            "{sent}"
        );
    }
}

#[test]
fn methods_without_a_type_keep_their_parameters() {
    for (kind, method) in [
        ("project_command", "project.paint"),
        ("memory_command", "memory.dream"),
        ("file_system_command", "files.fold"),
        ("git_command", "git.pull"),
        ("document_command", "documents.list"),
    ] {
        let frame =
            json!({"type": kind, "method": method, "params": {"project_id": "p", "deep": [1, {"a": null}]}});
        assert_eq!(serde_json::to_value(client_frame(&frame)).unwrap(), frame);
    }
}

#[test]
fn the_request_id_is_found_even_when_the_frame_does_not_fit() {
    let cases = [
        (json!({"request_id": "r1"}), Some(Id::String("r1".to_owned()))),
        (json!({"request_id": 7}), Some(Id::Number(7))),
        (json!({"request_id": [7]}), None),
        (json!({}), None),
    ];
    for (params, expected) in cases {
        for method in ["project.list", "project.get"] {
            let frame = json!({"type": "project_command", "method": method, "params": params});
            assert_eq!(
                Incoming::parse(&frame.to_string()).request_id,
                expected,
                "{frame}"
            );
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let cases = [
        ("{", "BAD_REQUEST", "CHAT_ERROR", None),
        ("[]", "BAD_REQUEST", "CHAT_ERROR", None),
        ("null", "BAD_REQUEST", "CHAT_ERROR", None),
        ("{}", "BAD_REQUEST", "CHAT_ERROR", None),
        (r#"{"type":7}"#, "BAD_REQUEST", "CHAT_ERROR", None),
        (r#"{"type":"dance"}"#, "BAD_REQUEST", "CHAT_ERROR", None),
        (r#"["chat"]"#, "BAD_REQUEST", "CHAT_ERROR", None),
        (
            r#"{"type":"chat"}"#,
            "INVALID_PARAMS",
            "CHAT_ERROR",
            Some("content"),
        ),
        (
            r#"{"type":"chat","content":"c","metadata":{"language":1}}"#,
            "INVALID_PARAMS",
            "CHAT_ERROR",
            Some("metadata.language"),
        ),
        (
            r#"{"type":"git_command"}"#,
            "INVALID_PARAMS",
            "GIT_ERROR",
            Some("method"),
        ),
        (
            r#"{"type":"git_command","method":"git.pull","params":[]}"#,
            "INVALID_PARAMS",
            "GIT_ERROR",
            None,
        ),
        (
            r#"{"type":"project_command","method":"project.get","params":{}}"#,
            "INVALID_PARAMS",
            "PROJECT_ERROR",
            Some("id"),
        ),
        (
            r#"{"type":"file_system_command","method":"write_files","params":{"files":[{"path":"a"}]}}"#,
            "INVALID_PARAMS",
            "FILESYSTEM_ERROR",
            Some("files[0].content"),
        ),
        (
            r#"{"type":"memory","method":"memory.save"}"#,
            "INVALID_PARAMS",
            "MEMORY_ERROR",
            Some("content"),
        ),
        (
            r#"{"type":"command","command":"cancel"}"#,
            "INVALID_PARAMS",
            "CHAT_ERROR",
            None,
        ),
        (
            r#"{"type":"command","command":"cancel","args":{}}"#,
            "INVALID_PARAMS",
            "CHAT_ERROR",
            Some("operation_id"),
        ),
        (
            r#"{"type":"file_transfer"}"#,
            "INVALID_PARAMS",
            "FILE_ERROR",
            Some("operation"),
        ),
        (
            r#"{"type":"document_command"}"#,
            "INVALID_PARAMS",
            "DOCUMENT_ERROR",
            Some("method"),
        ),
        (
            r#"{"type":"code_intelligence"}"#,
            "INVALID_PARAMS",
            "CODE_INTELLIGENCE_ERROR",
            Some("method"),
        ),
    ];
    for (text, code, family, field) in cases {
        let error: ParseError = Incoming::parse(text).frame.unwrap_err();
        let family_of_error = error.family();
        let body = ErrorBody::from(error);
        assert_eq!(body.field.as_deref(), field, "{text}");
        let frame = ErrorFrame::new(family_of_error, &body);
        assert_eq!(
            (frame.error.unwrap().code.as_str(), frame.code.as_str()),
            (code, family),
            "{text}"
        );
    }
}

#[test]
fn a_frame_knows_its_family() {
    let cases = [
        (json!({"type": "chat", "content": "c"}), Family::Chat),
        (
            json!({"type": "project_command", "method": "project.list", "params": {}}),
            Family::Project,
        ),
        (
            json!({"type": "file_system_command", "method": "file.read", "params": {"path": "a"}}),
            Family::FileSystem,
        ),
        (json!({"type": "typing", "active": true}), Family::Chat),
        (json!({"type": "status", "message": "m"}), Family::Chat),
        (
            json!({"type": "git_command", "method": "git.pull", "params": {}}),
            Family::Git,
        ),
    ];
    for (frame, family) in cases {
        assert_eq!(client_frame(&frame).family(), family, "{frame}");
    }
}

#[test]
fn frames_made_by_the_server_have_the_shape_that_the_frontend_reads() {
    let error = ErrorBody::new(ErrorCode::NotFound, "there is no project `p`").with_hint("List the projects");
    let event = OperationData {
        operation_id: "op".to_owned(),
        timestamp: 1,
        event: OperationEvent::Streaming {
            content: "x".to_owned(),
            delta: Some("x".to_owned()),
        },
    };
    let cases = [
        (
            ServerFrame::thinking(),
            json!({"type": "status", "status": "thinking", "message": "thinking", "detail": null}),
        ),
        (
            ServerFrame::terminator(),
            json!({"type": "response", "complete": true}),
        ),
        (
            ServerFrame::status("Saved", None).answering(Some(Id::Number(4))),
            json!({"type": "status", "message": "Saved", "detail": null, "request_id": 4}),
        ),
        (
            ServerFrame::Error(ErrorFrame::new(Family::Project, &error))
                .answering(Some(Id::String("r".to_owned()))),
            json!({
                "type": "error", "code": "PROJECT_ERROR", "request_id": "r",
                "message": "there is no project `p`. List the projects",
                "error": {"message": "there is no project `p`. List the projects", "code": "NOT_FOUND", "statusCode": 404},
            }),
        ),
        (
            ServerFrame::data(event),
            json!({"type": "data", "data": {
                "type": "operation.streaming", "operation_id": "op", "timestamp": 1, "content": "x", "delta": "x",
            }}),
        ),
    ];
    for (frame, expected) in cases {
        assert_eq!(serde_json::to_value(&frame).unwrap(), expected);
        assert_eq!(serde_json::from_value::<ServerFrame>(expected).unwrap(), frame);
    }
}

#[test]
fn a_tree_says_three_times_what_a_node_is() {
    let tree = TreeNode::directory("src", "src", vec![TreeNode::file("a.rs", "src/a.rs")]);
    let expected = json!({
        "name": "src", "path": "src", "type": "directory", "node_type": "Directory", "is_directory": true,
        "children": [{
            "name": "a.rs", "path": "src/a.rs", "type": "file", "node_type": "File", "is_directory": false,
            "children": [],
        }],
    });
    assert_eq!(serde_json::to_value(tree).unwrap(), expected);
}
