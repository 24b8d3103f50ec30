//! Requests of the native profile that cannot be done: each is answered with a code, the parameter at fault and what to
//! do, and the connection goes on.

use mira_llm::scripted::Script;
use serde_json::{Value, json};

use crate::harness::{Mira, answering, reasoner, script};
use crate::native::Native;

/// The numbers, code and field of an error, which must have a message.
fn gist(error: &Value) -> (i64, &str, Option<&str>) {
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|message| !message.is_empty()),
        "{error}"
    );
    assert!(error["data"]["retryable"].is_boolean(), "{error}");
    let code = error["data"]["code"].as_str().unwrap();
    (
        error["code"].as_i64().unwrap(),
        code,
        error["data"]["field"].as_str(),
    )
}

#[tokio::test]
async fn frames_that_are_no_requests() {
    let mira = Mira::start(Script::new()).await;
    let mut client = Native::hello(&mira.server).await;
    let cases = [
        ("not json", -32700),
        ("", -32700),
        ("{\"jsonrpc\":\"2.0\",\"id\":1", -32700),
        ("[]", -32600),
        ("7", -32600),
        ("{}", -32600),
        (
            "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.list\"}]",
            -32600,
        ),
        (
            "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"session.list\"}",
            -32600,
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"session.list\"}",
            -32600,
        ),
        ("{\"type\":\"chat\",\"content\":\"hello\"}", -32600),
    ];
    for (frame, number) in cases {
        client.socket.send(frame).await;
        let answer = client.socket.frame().await;
        assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
        assert_eq!(gist(&answer["error"]), (number, "bad_request", None), "{frame}");
    }
    client.call("session.list", json!({})).await;
    mira.close(client).await;
}

/// Method, parameters, number, code, field.
type Case = (&'static str, Value, i64, &'static str, Option<&'static str>);

const PARAMS: i64 = -32602;
const OTHER: i64 = -32000;

/// An id that nothing has.
const GONE: &str = "01K9ZZZZZZZZZZZZZZZZZZZZZZ";

async fn check(cases: impl IntoIterator<Item = Case>, client: &mut Native) {
    for (method, params, number, code, field) in cases {
        let error = client.refused(method, params).await;
        assert_eq!(gist(&error), (number, code, field), "{method}: {error}");
    }
}

#[tokio::test]
async fn parameters_that_do_not_fit() {
    let mira = Mira::start(Script::new()).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let again = json!({"protocol_version": 1, "client": {"name": "a", "version": "1"}});
    let lines = json!({"selection": {"start_line": "one", "end_line": 2}});
    let invalid = "invalid_params";
    let cases: [Case; 17] = [
        ("dance", json!({}), -32601, "unknown_method", None),
        ("initialize", again, OTHER, "not_initialized", None),
        (
            "chat.send",
            json!({"session_id": session}),
            PARAMS,
            invalid,
            Some("content"),
        ),
        (
            "chat.send",
            json!({"session_id": session, "content": 7}),
            PARAMS,
            invalid,
            Some("content"),
        ),
        (
            "chat.send",
            json!({"session_id": session, "content": " \n"}),
            PARAMS,
            invalid,
            Some("content"),
        ),
        ("chat.send", json!([session, "hello"]), PARAMS, invalid, None),
        (
            "chat.send",
            json!({"session_id": session, "content": "a", "context": lines}),
            PARAMS,
            invalid,
            Some("context.selection.start_line"),
        ),
        (
            "chat.send",
            json!({"session_id": "main", "content": "a"}),
            PARAMS,
            invalid,
            Some("session_id"),
        ),
        (
            "session.open",
            json!({"session_id": session, "name": "main"}),
            PARAMS,
            invalid,
            Some("name"),
        ),
        (
            "session.open",
            json!({"name": "x".repeat(201)}),
            PARAMS,
            invalid,
            Some("name"),
        ),
        (
            "session.resume",
            json!({"session_id": session, "after": -1}),
            PARAMS,
            invalid,
            Some("after"),
        ),
        (
            "session.list",
            json!({"cursor": "there"}),
            PARAMS,
            invalid,
            Some("cursor"),
        ),
        (
            "operation.cancel",
            json!({"operation_id": "7"}),
            PARAMS,
            invalid,
            Some("operation_id"),
        ),
        ("artifact.list", json!({}), PARAMS, invalid, Some("session_id")),
        (
            "project.create",
            json!({"name": ""}),
            PARAMS,
            invalid,
            Some("name"),
        ),
        (
            "project.create",
            json!({"name": "a", "directory": "/no/such"}),
            PARAMS,
            invalid,
            Some("directory"),
        ),
        (
            "memory.save",
            json!({"session_id": session, "content": "a", "role": "king"}),
            PARAMS,
            invalid,
            Some("role"),
        ),
    ];
    check(cases, &mut client).await;
    assert_eq!(
        client.call("project.list", json!({})).await,
        json!({"projects": []})
    );
    mira.close(client).await;
}

#[tokio::test]
async fn things_that_do_not_exist() {
    let mira = Mira::start(Script::new()).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let of_session = json!({"session_id": GONE});
    let cases = [
        (
            "chat.send",
            json!({"session_id": GONE, "content": "a"}),
            "session_id",
        ),
        (
            "chat.send",
            json!({"session_id": session, "content": "a", "project_id": GONE}),
            "project_id",
        ),
        ("session.open", of_session.clone(), "session_id"),
        (
            "session.resume",
            json!({"session_id": GONE, "after": 0}),
            "session_id",
        ),
        ("operation.get", json!({"operation_id": GONE}), "operation_id"),
        ("operation.cancel", json!({"operation_id": GONE}), "operation_id"),
        ("operation.events", of_session.clone(), "session_id"),
        ("operation.list", of_session.clone(), "session_id"),
        ("artifact.get", json!({"artifact_id": GONE}), "artifact_id"),
        ("artifact.diff", json!({"artifact_id": GONE}), "artifact_id"),
        ("artifact.apply", json!({"artifact_id": GONE}), "artifact_id"),
        ("artifact.undo", json!({"artifact_id": GONE}), "artifact_id"),
        ("project.get", json!({"project_id": GONE}), "project_id"),
        ("project.delete", json!({"project_id": GONE}), "project_id"),
        (
            "files.read",
            json!({"project_id": GONE, "path": "a"}),
            "project_id",
        ),
        ("memory.get_recent", of_session, "session_id"),
        (
            "memory.save",
            json!({"session_id": GONE, "content": "a"}),
            "session_id",
        ),
    ];
    let cases = cases.map(|(method, params, field)| (method, params, OTHER, "not_found", Some(field)));
    check(cases, &mut client).await;
    let after = |after: u64| json!({"session_id": session, "after": after});
    let unknown = [7, u64::MAX].map(|seq| {
        (
            "session.resume",
            after(seq),
            OTHER,
            "cursor_unknown",
            Some("after"),
        )
    });
    check(unknown, &mut client).await;
    let long = json!({"session_id": session, "content": "a".repeat(1024 * 1024 + 1)});
    check(
        [("chat.send", long, OTHER, "too_large", Some("content"))],
        &mut client,
    )
    .await;
    assert_eq!(
        client.messages(&session).await,
        [],
        "nothing that is refused is stored"
    );
    mira.close(client).await;
}

#[tokio::test]
async fn depth_and_number_of_requests_do_no_harm() {
    let mira = Mira::start(Script::new()).await;
    let mut client = Native::hello(&mira.server).await;
    let deep = "[".repeat(200_000);
    client.socket.send(&*deep).await;
    let refused = client.socket.frame().await;
    assert_eq!(gist(&refused["error"]).1, "bad_request");
    let closed = format!("{deep}{}", "]".repeat(200_000));
    let deep =
        format!(r#"{{"jsonrpc":"2.0","id":"deep","method":"session.list","params":{{"unknown":{closed}}}}}"#);
    client.socket.send(deep).await;
    assert_eq!(client.socket.frame().await["id"], "deep");

    let mut waiting = std::collections::BTreeSet::new();
    for _ in 0..1_000 {
        waiting.insert(client.ask("session.list", &json!({})).await);
    }
    while !waiting.is_empty() {
        let answer = client.socket.frame().await;
        assert!(waiting.remove(&answer["id"].as_u64().unwrap()), "{answer}");
        assert!(answer["result"]["sessions"].is_array(), "{answer}");
    }
    mira.close(client).await;
}

#[tokio::test]
async fn files_that_cannot_be_had() {
    let mira = Mira::start(Script::new()).await;
    mira.put(".git/config", "[core]\n");
    mira.put("binary", [0, 1, 2, 255]);
    mira.put("latin", b"caf\xe9\n");
    mira.put("directory/file", "");
    let huge = std::fs::File::create(mira.directory().join("huge")).unwrap();
    huge.set_len(1 << 32).unwrap();
    let mut client = Native::hello(&mira.server).await;
    let project = client.project(&mira).await;
    let outside = client.call("project.create", json!({"name": "Nowhere"})).await;
    let nowhere = outside["project"]["project_id"].as_str().unwrap().to_owned();
    let cases = [
        ("files.read", "../log", "path_escapes_project"),
        ("files.read", "/etc/passwd", "path_escapes_project"),
        ("files.read", "C:\\Windows\\system.ini", "path_escapes_project"),
        ("files.read", "", "invalid_params"),
        ("files.read", "a\0b", "invalid_params"),
        ("files.read", ".git/config", "path_forbidden"),
        ("files.read", ".GIT/config", "path_forbidden"),
        ("files.read", "binary", "not_text"),
        ("files.read", "latin", "not_text"),
        ("files.read", "huge", "too_large"),
        ("files.read", "directory", "invalid_params"),
        ("files.read", "directory/file/below", "invalid_params"),
        ("files.read", "missing", "not_found"),
        ("files.write", ".git/hooks/post-commit", "path_forbidden"),
        ("files.write", "../escaped", "path_escapes_project"),
        ("files.write", "latin", "not_text"),
        ("files.delete", "missing", "not_found"),
        ("directory.create", ".git/x", "path_forbidden"),
    ];
    for (method, path, code) in cases {
        let params = json!({"project_id": project, "path": path, "content": "x"});
        let error = client.refused(method, params).await;
        let number = if code == "invalid_params" { -32602 } else { -32000 };
        assert_eq!(
            gist(&error),
            (number, code, Some("path")),
            "{method} {path}: {error}"
        );
    }
    let unattached = client
        .refused("files.read", json!({"project_id": nowhere, "path": "a"}))
        .await;
    assert_eq!(gist(&unattached), (-32000, "conflict", Some("project_id")));
    let twice = json!([{"path": "a", "content": ""}, {"path": "./a", "content": ""}]);
    let twice = client
        .refused("files.write_many", json!({"project_id": project, "files": twice}))
        .await;
    assert_eq!(gist(&twice), (-32602, "invalid_params", Some("files")));
    let pattern = json!({"project_id": project, "pattern": "(", "regex": true});
    let pattern = client.refused("files.search", pattern).await;
    assert_eq!(gist(&pattern), (-32602, "invalid_params", Some("pattern")));
    assert_eq!(mira.on_disk("latin").unwrap(), b"caf\xe9\n");
    mira.close(client).await;
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let mira = Mira::start(answering("Yes.")).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let turn = json!({"session_id": session, "content": "Hello", "idempotency_key": "k1"});
    let first = client.run(turn.clone()).await.accepted;
    assert_eq!(client.call("chat.send", turn).await, first);
    let other = json!({"session_id": session, "content": "Goodbye", "idempotency_key": "k1"});
    let refused = client.refused("chat.send", other).await;
    assert_eq!(
        gist(&refused),
        (-32000, "idempotency_conflict", Some("idempotency_key"))
    );
    assert_eq!(client.messages(&session).await.len(), 2);

    let project = client.project(&mira).await;
    let write = |content: &str| json!({"project_id": project, "path": "a.txt", "content": content, "idempotency_key": "k2"});
    let first = client.call("files.write", write("one")).await;
    mira.put("a.txt", "changed since");
    assert_eq!(client.call("files.write", write("one")).await, first);
    assert_eq!(mira.on_disk("a.txt").unwrap(), b"changed since");
    let refused = client.refused("files.write", write("two")).await;
    assert_eq!(
        gist(&refused),
        (-32000, "idempotency_conflict", Some("idempotency_key"))
    );

    let create = json!({"name": "Once", "idempotency_key": "k3"});
    let first = client.call("project.create", create.clone()).await;
    assert_eq!(client.call("project.create", create).await, first);
    mira.close(client).await;
}

#[tokio::test]
async fn turns_wait_in_a_queue_that_ends() {
    let slow = reasoner("slow")
        .last_user_contains("turn 0")
        .hold("running")
        .text("Done.");
    let mira = Mira::start(script([slow, reasoner("quick").text("Done.")])).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let mut operations = Vec::new();
    for number in 0..9 {
        let params = json!({"session_id": session, "content": format!("turn {number}"), "idempotency_key": format!("k{number}")});
        let accepted = client.call("chat.send", params.clone()).await;
        assert_eq!(accepted["queued"], number);
        assert_eq!(
            client.call("chat.send", params).await,
            accepted,
            "a repeat is answered like the first"
        );
        operations.push(accepted["operation_id"].clone());
    }
    let error = client
        .refused("chat.send", json!({"session_id": session, "content": "turn 9"}))
        .await;
    assert_eq!(gist(&error), (-32000, "queue_full", None));
    assert_eq!(error["data"]["retryable"], true);
    let cancelled = client
        .call("operation.cancel", json!({"operation_id": operations[8]}))
        .await;
    assert_eq!(cancelled["operation"]["status"], "cancelled");
    mira.upstream.release("running");
    client.until_end(&operations[7]).await;
    mira.close(client).await;
}

#[tokio::test]
async fn a_turn_without_a_model_says_what_to_set() {
    let mira = Mira::start_with(Script::new(), &[("OPENAI_API_KEY", ""), ("OPENAI_BASE_URL", "")]).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let error = client
        .refused("chat.send", json!({"session_id": session, "content": "Hello"}))
        .await;
    assert_eq!(gist(&error), (-32000, "model_not_configured", None));
    assert_eq!(error["data"]["hint"], "set OPENAI_API_KEY and restart the server");
    assert_eq!(
        client.messages(&session).await,
        [],
        "nothing that is refused is stored"
    );
    let saved = json!({"session_id": session, "content": "But this is."});
    client.call("memory.save", saved).await;
    assert_eq!(client.messages(&session).await.len(), 1);
    mira.close(client).await;
}
