//! Commands of the frontend.

use serde_json::{Value, json};

use super::{Classic, command};
use crate::harness::{Mira, answering};

/// `error.code`, the code beside it, and whether both carry the same message.
fn error(frame: &Value) -> (&str, &str) {
    assert_eq!(frame["type"], "error", "{frame}");
    assert_eq!(frame["message"], frame["error"]["message"], "{frame}");
    assert!(frame["error"]["statusCode"].is_u64(), "{frame}");
    (
        frame["code"].as_str().unwrap(),
        frame["error"]["code"].as_str().unwrap(),
    )
}

#[tokio::test]
async fn what_is_not_built_yet_says_so() {
    let mira = Mira::start(answering("Hi.")).await;
    let (mut client, _) = Classic::attach(&mira.server, "peter-eternal").await;
    let project = client.project(&mira.directory()).await;
    let cases = [
        ("git", "git.attach", "GIT_ERROR"),
        ("git", "git.clone", "GIT_ERROR"),
        ("git", "git.tree", "GIT_ERROR"),
        ("document", "documents.list", "DOCUMENT_ERROR"),
        ("document", "documents.download", "DOCUMENT_ERROR"),
        ("code_intelligence", "code.search", "CODE_INTELLIGENCE_ERROR"),
        ("project", "project.run", "PROJECT_ERROR"),
    ];
    for (family, method, code) in cases {
        let answer = client
            .ask(
                family,
                method,
                json!({"project_id": project, "request_id": method}),
            )
            .await;
        assert_eq!(error(&answer), (code, "NOT_IMPLEMENTED"), "{method}");
        assert_eq!(answer["request_id"], method);
    }
    client
        .send(&json!({"type": "code_intelligence", "method": "code.search", "params": {}}))
        .await;
    let expected = ("CODE_INTELLIGENCE_ERROR", "NOT_IMPLEMENTED");
    assert_eq!(error(&client.frame().await), expected);
    let transfer = json!({"type": "file_transfer", "operation": "upload_start", "data": {}});
    client.send(&transfer).await;
    assert_eq!(error(&client.frame().await), ("FILE_ERROR", "NOT_IMPLEMENTED"));
    mira.close(client).await;
}

#[tokio::test]
async fn bad_frames_are_answered_and_the_connection_goes_on() {
    let mira = Mira::start(answering("Hi.")).await;
    let (mut client, _) = Classic::attach(&mira.server, "peter-eternal").await;
    let gone = "01K9ZZZZZZZZZZZZZZZZZZZZZZ";
    let files = |method: &str, params: Value| command("file_system", method, &params).to_string();
    let projects = |method: &str, params: Value| command("project", method, &params).to_string();
    let cases = [
        ("not json".to_owned(), "CHAT_ERROR", "BAD_REQUEST"),
        ("[]".to_owned(), "CHAT_ERROR", "BAD_REQUEST"),
        (json!({"type": "dance"}).to_string(), "CHAT_ERROR", "BAD_REQUEST"),
        (json!({"type": 7}).to_string(), "CHAT_ERROR", "BAD_REQUEST"),
        (
            json!({"type": "project_command", "params": {}}).to_string(),
            "PROJECT_ERROR",
            "INVALID_PARAMS",
        ),
        (
            projects("project.dance", json!({})),
            "PROJECT_ERROR",
            "UNKNOWN_METHOD",
        ),
        (
            command("memory", "memory.dance", &json!({})).to_string(),
            "MEMORY_ERROR",
            "UNKNOWN_METHOD",
        ),
        (
            command("memory", "memory.search", &json!({})).to_string(),
            "MEMORY_ERROR",
            "INVALID_PARAMS",
        ),
        (
            command("memory", "memory.pin", &json!({"id": 12345})).to_string(),
            "MEMORY_ERROR",
            "NOT_FOUND",
        ),
        (
            command("memory", "memory.trigger_snapshot_summary", &json!({})).to_string(),
            "MEMORY_ERROR",
            "CONFLICT",
        ),
        (
            projects("project.create", json!({})),
            "PROJECT_ERROR",
            "INVALID_PARAMS",
        ),
        (
            projects("project.create", json!({"name": " "})),
            "PROJECT_ERROR",
            "INVALID_PARAMS",
        ),
        (
            projects("project.get", json!({"id": gone})),
            "PROJECT_ERROR",
            "NOT_FOUND",
        ),
        (
            projects("project.get", json!({"id": "p1"})),
            "PROJECT_ERROR",
            "INVALID_PARAMS",
        ),
        (
            files("files.write", json!({"path": "/etc/passwd", "content": ""})),
            "FILESYSTEM_ERROR",
            "INVALID_PARAMS",
        ),
        (
            files("files.write", json!({"path": 7, "content": ""})),
            "FILESYSTEM_ERROR",
            "INVALID_PARAMS",
        ),
    ];
    for (frame, family, code) in cases {
        client.socket.send(&*frame).await;
        assert_eq!(error(&client.frame().await), (family, code), "{frame}");
    }
    for chat in [json!({"type": "chat"}), json!({"type": "chat", "content": "  "})] {
        client.send(&chat).await;
        assert_eq!(
            error(&client.frame().await),
            ("CHAT_ERROR", "INVALID_PARAMS"),
            "{chat}"
        );
        // A turn that is refused must unlock the input.
        assert_eq!(
            client.frame().await,
            json!({"type": "response", "complete": true}),
            "{chat}"
        );
    }
    // These have no answer.
    for silent in [
        json!({"type": "typing", "active": true}),
        json!({"type": "status", "message": "here"}),
        json!({"type": "command", "command": "dance"}),
    ] {
        client.send(&silent).await;
    }
    client
        .send(&json!({"type": "cancel_operation", "operation_id": gone}))
        .await;
    assert_eq!(error(&client.frame().await), ("CHAT_ERROR", "NOT_FOUND"));
    mira.close(client).await;
}

#[tokio::test]
async fn paths_stay_in_the_project() {
    let mira = Mira::start(answering("Hi.")).await;
    mira.put(".git/config", "[core]\n");
    mira.put("binary", [0, 159, 146, 150]);
    let (mut client, _) = Classic::attach(&mira.server, "peter-eternal").await;
    let project = client.project(&mira.directory()).await;
    let cases = [
        ("files.read", "../data/mira.db", "PATH_ESCAPES_PROJECT"),
        ("files.read", "/etc/passwd", "PATH_ESCAPES_PROJECT"),
        ("files.read", ".git/config", "PATH_FORBIDDEN"),
        ("files.read", "binary", "NOT_TEXT"),
        ("files.read", "missing", "NOT_FOUND"),
        ("files.write", ".git/hooks/post-commit", "PATH_FORBIDDEN"),
        ("files.write", "a/../../b", "PATH_ESCAPES_PROJECT"),
    ];
    for (method, path, code) in cases {
        let params = json!({"project_id": project, "path": path, "content": "x"});
        let answer = client.ask("file_system", method, params).await;
        assert_eq!(error(&answer), ("FILESYSTEM_ERROR", code), "{method} {path}");
    }
    mira.close(client).await;
}

#[tokio::test]
async fn commands_of_a_project_are_answered_in_order() {
    let mira = Mira::start(answering("Hi.")).await;
    let (mut client, _) = Classic::attach(&mira.server, "peter-eternal").await;
    let project = client.project(&mira.directory()).await;
    for number in 0..50 {
        let write = json!({"project_id": project, "path": "a.txt", "content": number.to_string()});
        client.send(&command("file_system", "files.write", &write)).await;
        let read = json!({"project_id": project, "path": "a.txt", "request_id": number});
        client.send(&command("file_system", "files.read", &read)).await;
    }
    for number in 0..50 {
        assert_eq!(client.frame().await["type"], "status");
        assert_eq!(client.frame().await["data"]["type"], "git_status");
        let read = client.frame().await;
        assert_eq!(
            (&read["data"]["content"], &read["request_id"]),
            (&json!(number.to_string()), &json!(number))
        );
    }
    mira.close(client).await;
}

/// The frontend allows files of 50 MB, in one frame.
#[tokio::test]
async fn a_file_of_50_megabytes_is_refused_and_the_connection_goes_on() {
    let mira = Mira::start(answering("Hi.")).await;
    let (mut client, _) = Classic::attach(&mira.server, "peter-eternal").await;
    let project = client.project(&mira.directory()).await;
    let before = mira.server.peak_memory_bytes();
    let size = 50_000_000;
    let write = json!({"project_id": project, "path": "big.txt", "content": "x".repeat(size)});
    let write = command("file_system", "files.write", &write).to_string();
    for _ in 0..2 {
        client.socket.send(&*write).await;
        assert_eq!(error(&client.frame().await), ("FILESYSTEM_ERROR", "TOO_LARGE"));
    }
    assert_eq!(mira.on_disk("big.txt"), None);
    let grown = mira.server.peak_memory_bytes() - before;
    assert!(grown < 5 * size, "grew by {grown} bytes");
    let listed = client.ask("project", "project.list", json!({})).await;
    assert_eq!(listed["data"]["type"], "project_list");
    mira.close(client).await;
}
