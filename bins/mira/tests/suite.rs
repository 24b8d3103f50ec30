//! The program with pipes for a terminal, against a server that the test plays.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "../../../crates/mira-client/tests/suite/fake.rs"]
#[allow(dead_code, reason = "shared with the client's own tests")]
mod fake;

use std::process::{Output, Stdio};

use fake::{DEADLINE, Fake, OPERATION, Peer, SESSION, completed, opened, part};
use mira_proto::error::{ErrorBody, ErrorCode};
use mira_proto::native::{
    Artifact, ArtifactApply, ArtifactApplyParams, ArtifactApplyResult, ArtifactOrigin, ArtifactSummary,
    ArtifactUndo, ArtifactUndoResult, ChatSend, ChatSendResult, Event, MemoryGetRecent,
    MemoryGetRecentResult, Message, ModelRole, ModelUsage, OperationKind, Project, ProjectCreate,
    ProjectList, ProjectListResult, ProjectResult, Role, SessionList, SessionListResult, SessionOpen,
    SessionOpenParams, SessionSummary, TokenUsage,
};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

/// Runs `mira` with these arguments and this input to its end.
async fn mira(url: &str, args: &[&str], input: &str) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mira"))
        .args(args)
        .env_remove("MIRA_AUTH_TOKEN")
        .env("MIRA_URL", url)
        .env("HOME", home.path())
        .env_remove("XDG_STATE_HOME")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    timeout(DEADLINE, child.wait_with_output())
        .await
        .unwrap()
        .unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn notes(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// Takes a turn and begins to run it; gives what was said.
async fn take_turn(peer: &mut Peer, seq: u64) -> String {
    let (id, params) = peer.expect::<ChatSend>().await;
    let accepted = ChatSendResult {
        message_id: "m".to_owned(),
        operation_id: OPERATION.to_owned(),
        seq: seq - 1,
        queued: 0,
    };
    peer.reply(id, accepted).await;
    let started = Event::Started {
        operation_id: OPERATION.to_owned(),
        message_id: "m".to_owned(),
        kind: OperationKind::Chat,
    };
    peer.event(seq, started).await;
    params.content
}

#[tokio::test]
async fn one_answer_survives_a_broken_connection() {
    let fake = Fake::start().await;
    let server = async {
        let mut peer = fake.accept().await;
        let (id, params) = peer.expect::<SessionOpen>().await;
        peer.reply(id, opened(0)).await;
        let said = take_turn(&mut peer, 1).await;
        peer.event(2, part(0, "Grü")).await;
        drop(peer);
        let (mut peer, _) = fake.accept_resume(vec![part(3, "ße,\u{1b}[31")]).await;
        peer.event(4, part(10, "m Welt\u{7}\n\tand more")).await;
        let usage = vec![ModelUsage {
            role: ModelRole::Reasoner,
            model: "gpt-5".to_owned(),
            calls: 1,
            tokens: TokenUsage {
                input_tokens: 1200,
                output_tokens: 45,
                ..TokenUsage::default()
            },
        }];
        let completed = Event::Completed {
            operation_id: OPERATION.to_owned(),
            message_id: None,
            usage,
            limit: None,
        };
        peer.event(5, completed).await;
        while peer.frame().await.is_some() {}
        (params, said)
    };
    let url = fake.url();
    let (output, (opened, said)) =
        tokio::join!(mira(&url, &["--once", "hello", "--session", "s"], ""), server);
    let named = SessionOpenParams {
        name: Some("s".to_owned()),
        ..SessionOpenParams::default()
    };
    assert_eq!((opened, said.as_str()), (named, "hello"));
    assert_eq!(out(&output), "Grüße, Welt\n\tand more\n");
    let notes = notes(&output);
    let lines: Vec<&str> = notes.lines().collect();
    assert!(lines[0].starts_with("connection lost ("), "{notes}");
    assert_eq!(lines[1..], ["connected again", "gpt-5 1.2k in, 45 out · 0.0 s"]);
    assert!(output.status.success());
}

#[tokio::test]
async fn a_failed_turn_is_a_failed_command() {
    let fake = Fake::start().await;
    let server = async {
        let mut peer = fake.accept_open(0).await;
        let said = take_turn(&mut peer, 1).await;
        let error =
            ErrorBody::new(ErrorCode::ModelNotConfigured, "no reasoner").with_hint("set OPENAI_API_KEY");
        let failed = Event::Failed {
            operation_id: OPERATION.to_owned(),
            error,
        };
        peer.event(2, failed).await;
        while peer.frame().await.is_some() {}
        said
    };
    let url = fake.url();
    let (output, said) = tokio::join!(
        mira(&url, &["chat", "--once", "-", "--new"], "from a pipe\n"),
        server
    );
    assert_eq!(said, "from a pipe\n");
    assert_eq!(out(&output), "");
    assert_eq!(notes(&output), "error: no reasoner\nhint: set OPENAI_API_KEY\n");
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn without_a_server_it_says_how_to_start_one() {
    let gone = Fake::start().await;
    let url = gone.url();
    drop(gone);
    for args in [&["--once", "x"][..], &["sessions"], &["watch", "x"]] {
        let output = mira(&url, args, "").await;
        let notes = notes(&output);
        assert!(
            notes.starts_with(&format!("error: cannot reach {url}: ")),
            "{notes}"
        );
        assert!(
            notes.contains("hint: is the server running? Start it with `mira-backend`"),
            "{notes}"
        );
        assert_eq!((out(&output), output.status.code()), ("", Some(1)));
    }
}

fn summary(applied_ms: Option<i64>, undone_ms: Option<i64>) -> ArtifactSummary {
    ArtifactSummary {
        artifact_id: "a1".to_owned(),
        operation_id: OPERATION.to_owned(),
        session_id: SESSION.to_owned(),
        project_id: None,
        path: "src/lib.rs".to_owned(),
        language: Some("rust".to_owned()),
        content_hash: "0".to_owned(),
        is_new_file: true,
        base_hash: None,
        origin: ArtifactOrigin::Coder,
        created_ms: 1,
        applied_ms,
        undone_ms,
        size_bytes: 4,
    }
}

#[tokio::test]
async fn a_proposed_file_is_shown_written_and_put_back() {
    let fake = Fake::start().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory
        .path()
        .canonicalize()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let project = Project {
        project_id: "p1".to_owned(),
        name: "shop".to_owned(),
        description: None,
        tags: Vec::new(),
        directory: Some(path.clone()),
        created_ms: 1,
        updated_ms: 1,
    };
    let server = async {
        let mut peer = fake.accept_open(0).await;
        let (id, _) = peer.expect::<ProjectList>().await;
        peer.reply(id, ProjectListResult { projects: Vec::new() }).await;
        let (id, created) = peer.expect::<ProjectCreate>().await;
        peer.reply(id, ProjectResult { project }).await;
        take_turn(&mut peer, 1).await;
        let artifact = Box::new(Artifact {
            summary: summary(None, None),
            content: "two\n".to_owned(),
            diff: "--- /dev/null\n+++ b/src/lib.rs\n@@ -0,0 +1 @@\n+two\n".to_owned(),
        });
        let events = [
            Event::Delegated {
                operation_id: OPERATION.to_owned(),
                delegation_id: "d".to_owned(),
                call_id: "c".to_owned(),
                tool: "generate_code".to_owned(),
                model: "deepseek".to_owned(),
                path: "src/lib.rs".to_owned(),
                brief: "write\ntwo".to_owned(),
            },
            Event::ArtifactCompleted {
                operation_id: OPERATION.to_owned(),
                artifact,
            },
            completed(),
        ];
        for (seq, event) in (2..).zip(events) {
            peer.event(seq, event).await;
        }
        let (id, applied) = peer.expect::<ArtifactApply>().await;
        let result = ArtifactApplyResult {
            artifact: summary(Some(2), None),
            path: "src/lib.rs".to_owned(),
            change_id: "1".to_owned(),
        };
        peer.reply(id, result).await;
        let (id, _) = peer.expect::<ArtifactUndo>().await;
        let result = ArtifactUndoResult {
            artifact: summary(Some(2), Some(3)),
            path: "src/lib.rs".to_owned(),
        };
        peer.reply(id, result).await;
        while peer.frame().await.is_some() {}
        (created, applied)
    };
    let url = fake.url();
    let args = ["--project", path.as_str()];
    let input = "write it\napply\nundo\n/undo\n/apply 2\n/nonsense\n/quit\nnever sent\n";
    let (output, (created, applied)) = tokio::join!(mira(&url, &args, input), server);
    assert_eq!(created.directory.as_deref(), Some(path.as_str()));
    let expected = ArtifactApplyParams {
        artifact_id: "a1".to_owned(),
        project_id: Some("p1".to_owned()),
        force: None,
        idempotency_key: applied.idempotency_key.clone(),
    };
    assert_eq!(applied, expected);
    let shown = "\
[1] src/lib.rs · rust · +1 −0 · new file
--- /dev/null
+++ b/src/lib.rs
@@ -0,0 +1 @@
+two
wrote src/lib.rs
put back src/lib.rs
";
    assert_eq!(out(&output), shown);
    let told = "\
→ deepseek writes src/lib.rs: write two
0.0 s
error: there is nothing to undo
error: there is no artifact 2; /artifacts lists them
error: there is no command /nonsense; /help lists them, and // at the start sends the line as text
";
    assert_eq!(notes(&output), told);
    assert!(output.status.success());
}

#[tokio::test]
async fn history_is_found_by_the_name_of_the_session() {
    let fake = Fake::start().await;
    let message = |role, content: &str| Message {
        message_id: "m".to_owned(),
        session_id: SESSION.to_owned(),
        role,
        content: content.to_owned(),
        time_ms: 1_700_000_000_000,
        project_id: None,
        operation_id: None,
        artifacts: None,
        speaker: None,
        tags: None,
        pinned: None,
        salience: None,
        topics: None,
        mood: None,
        intent: None,
        summary: None,
        contains_code: None,
        programming_lang: None,
    };
    let server = async {
        let mut peer = fake.accept().await;
        for (name, next_cursor) in [("other", Some("2".to_owned())), ("notes", None)] {
            let (id, _) = peer.expect::<SessionList>().await;
            let session = SessionSummary {
                session_id: SESSION.to_owned(),
                name: Some(name.to_owned()),
                created_ms: 0,
                updated_ms: 0,
                message_count: 2,
                last_seq: 0,
                title: None,
            };
            let result = SessionListResult {
                sessions: vec![session],
                next_cursor,
            };
            peer.reply(id, result).await;
        }
        let (id, params) = peer.expect::<MemoryGetRecent>().await;
        let messages = vec![
            message(Role::Assistant, "4\u{1b}[2J"),
            message(Role::User, "2 + 2?"),
        ];
        let result = MemoryGetRecentResult {
            messages,
            next_cursor: None,
        };
        peer.reply(id, result).await;
        while peer.frame().await.is_some() {}
        params
    };
    let url = fake.url();
    let (output, params) = tokio::join!(mira(&url, &["history", "--session", "notes"], ""), server);
    assert_eq!((params.session_id.as_str(), params.limit), (SESSION, Some(20)));
    let time = "2023-11-14 22:13 UTC";
    assert_eq!(
        out(&output),
        format!("you  {time}\n2 + 2?\n\nMira  {time}\n4\n\n")
    );
}
