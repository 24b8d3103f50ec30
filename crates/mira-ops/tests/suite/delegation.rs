//! Handing work to the coder.

mod failures;

use mira_llm::Usage;
use mira_llm::scripted::{Endpoint as Route, Rule, Script, TokenUsage};
use mira_ops::artifact::{Artifact, ArtifactSummary};
use mira_ops::operation::{ContextPart, Delegation, DelegationStatus, Kind, ModelRole, ModelUsage};
use mira_ops::{Behind, Event};
use mira_workspace::hash;
use serde_json::{Value, json};

use crate::harness::{CODER, Mira, REASONER, START, Turned, brief, coder, reasoner, script, tool_outputs};

const USAGE: TokenUsage = TokenUsage {
    input: 50,
    cached_input: 10,
    output: 30,
    reasoning: 0,
};

fn submit(path: &str, content: &str) -> Value {
    json!({"path": path, "content": content, "language": "rust", "explanation": "It greets."})
}

/// A reasoner that delegates once and then answers; the coder follows these rules.
fn delegating(tool: &str, arguments: &Value, coder: impl IntoIterator<Item = Rule>) -> Script {
    let reasoner = [
        reasoner("delegates")
            .no_tool_output()
            .tool_call(tool, arguments)
            .usage(USAGE),
        reasoner("answers")
            .tool_output(tool)
            .text("It is ready.")
            .usage(USAGE),
    ];
    script(reasoner.into_iter().chain(coder))
}

/// What the coder was asked, in its last request.
fn asked(mira: &Mira) -> String {
    let request = mira.requests(Route::ChatCompletions).pop().unwrap();
    let message = request["messages"].as_array().unwrap().last().unwrap();
    message["content"].as_str().unwrap().to_owned()
}

/// The one tool output that the reasoner got.
fn told(mira: &Mira) -> Value {
    let request = mira.requests(Route::Responses).pop().unwrap();
    let outputs = tool_outputs(&request);
    assert_eq!(outputs.len(), 1);
    serde_json::from_str(outputs[0]).unwrap()
}

fn part(name: &str, detail: Option<&str>, cap: usize, reason: &str) -> ContextPart {
    ContextPart {
        name: name.to_owned(),
        detail: detail.map(str::to_owned),
        tokens: 0,
        cap,
        truncated: false,
        reason: reason.to_owned(),
        sources: Vec::new(),
    }
}

const GREETING: &str = "pub fn greet() {}\n";
const BRIEF: &str = "Write this file.\n\nA function greet() that says hello.\n\nFramework: none\n\nLibraries: std, \
                     core\n\nStyle: terse";

/// A new file that is delegated with all that a brief can say.
async fn greeting() -> (Mira, Turned) {
    let arguments = json!({
        "path": "src/greet.rs",
        "description": "A function greet() that says hello.",
        "language": "rust",
        "framework": "none",
        "dependencies": ["std", "core"],
        "style_guide": "terse",
        "context_files": ["src/main.rs"],
    });
    let writes = coder("writes")
        .reasoning("A short one.")
        .tool_call("submit_file", &submit("src/greet.rs", GREETING))
        .usage(USAGE);
    let mira = Mira::start(delegating("generate_code", &arguments, [writes])).await;
    mira.put("src/main.rs", "fn main() {}\n");
    let turned = mira.run(mira.project_turn("Write a greeting.")).await;
    (mira, turned)
}

#[tokio::test]
async fn a_new_file_is_briefed_and_written() {
    let (mira, turned) = greeting().await;
    assert_eq!(
        turned.story(),
        [
            "started",
            "pending to started",
            "shows the reasoner persona, project, recent_turns, outline, request",
            "calls generate_code (description: A function greet() that says hello., framework: none, \
             language: rust, path: src/greet.rs, style_guide: terse)",
            "started to delegating",
            "delegates generate_code src/greet.rs to deepseek-v4-flash",
            "shows the coder request, file",
            "delegating to generating",
            "previews src/greet.rs: pub fn greet() {}\n",
            "artifact",
            "generating to started",
            "generate_code gives src/greet.rs: 1 line",
            "says It is ready.",
            "completed",
        ]
    );
    assert_eq!(
        asked(&mira),
        format!(
            "Path: src/greet.rs\nLanguage: rust\n\n{BRIEF}\n\nThere is no such file yet.\n\nFor context, \
             src/main.rs:\n```\nfn main() {{}}\n\n```"
        )
    );
    assert_eq!(turned.detail.operation.kind, Kind::CodeGeneration);
    mira.close().await;
}

#[tokio::test]
async fn what_the_coder_wrote_is_kept_as_an_artifact_and_told_to_the_reasoner() {
    let (mira, turned) = greeting().await;
    let [summary] = turned.detail.artifacts.as_slice() else {
        panic!("{:?}", turned.detail.artifacts);
    };
    let expected = Artifact {
        summary: ArtifactSummary {
            id: summary.id,
            operation: turned.detail.operation.id,
            session: mira.session,
            project: Some(mira.project),
            path: "src/greet.rs".to_owned(),
            language: Some("rust".to_owned()),
            content_hash: hash(GREETING.as_bytes()),
            size_bytes: 18,
            base_hash: None,
            origin: ModelRole::Coder,
            applied_in: None,
            change: None,
            created: START,
            applied: None,
            undone: None,
        },
        content: GREETING.to_owned(),
        diff: "--- /dev/null\n+++ b/src/greet.rs\n@@ -0,0 +1 @@\n+pub fn greet() {}\n".to_owned(),
    };
    assert_eq!(mira.operations.artifact(summary.id).await.unwrap(), expected);
    assert_eq!(
        told(&mira),
        json!({
            "artifact_id": summary.id,
            "path": "src/greet.rs",
            "new_file": true,
            "unchanged": false,
            "diff": expected.diff,
            "diff_cut": false,
            "explanation": "It greets.",
            "state": "waits for the user to review and apply it",
        })
    );
    let behind = Behind {
        operation: turned.detail.operation.id,
        artifacts: vec![expected],
    };
    let answer = turned.detail.operation.answer.unwrap();
    let found = mira.operations.behind(&[answer]).await.unwrap();
    assert_eq!(found, [(answer, behind)].into());
    assert_eq!(
        mira.on_disk("src/greet.rs"),
        None,
        "nothing touches the disk before it is applied"
    );
    mira.close().await;
}

#[tokio::test]
async fn a_delegation_records_what_was_asked_shown_and_spent() {
    let (mira, turned) = greeting().await;
    let spent = Usage {
        input: 50,
        cached_input: 10,
        output: 30,
        ..Usage::default()
    };
    let detail = turned.detail;
    let [delegation] = detail.delegations.as_slice() else {
        panic!("{:?}", detail.delegations);
    };
    assert!(delegation.manifest.iter().all(|part| part.tokens > 0));
    let uncounted = |part: &ContextPart| ContextPart {
        tokens: 0,
        ..part.clone()
    };
    let delegation = Delegation {
        manifest: delegation.manifest.iter().map(uncounted).collect(),
        ..delegation.clone()
    };
    let expected = Delegation {
        id: delegation.id,
        call: "call_1".to_owned(),
        tool: "generate_code".to_owned(),
        model: CODER.to_owned(),
        path: "src/greet.rs".to_owned(),
        brief: BRIEF.to_owned(),
        manifest: vec![
            part("request", None, 16_000, "the brief"),
            part("file", Some("src/main.rs"), 16_000, "named in the brief"),
        ],
        status: DelegationStatus::Completed,
        failure: None,
        usage: spent,
        created: START,
        finished: Some(START),
    };
    assert_eq!(delegation, expected);
    let cost = |role, model: &str, calls, usage| ModelUsage {
        role,
        model: model.to_owned(),
        calls,
        usage,
    };
    assert_eq!(
        detail.usage,
        [
            cost(ModelRole::Reasoner, REASONER, 2, spent + spent),
            cost(ModelRole::Coder, CODER, 1, spent),
        ]
    );
    mira.close().await;
}

#[tokio::test]
async fn a_file_is_refactored_from_what_is_on_disk() {
    let arguments = json!({
        "path": "src/a.rs",
        "changes_requested": "Rename a to b.",
        "language": "rust",
        "current_code": "fn remembered_wrongly() {}",
        "preserve_behavior": null,
        "context_files": null,
    });
    let writes = coder("writes").tool_call("submit_file", &submit("src/a.rs", "fn b() {}\n"));
    let mira = Mira::start(delegating("refactor_code", &arguments, [writes])).await;
    mira.put("src/a.rs", "fn a() {}\n");
    let turned = mira.run(mira.project_turn("Rename it.")).await;
    assert_eq!(turned.end(), "completed");
    assert_eq!(
        asked(&mira),
        "Path: src/a.rs\nLanguage: rust\n\nRefactor this file. Its behaviour must stay exactly the same.\n\n\
         Rename a to b.\n\nThe file as it stands:\n```rust\nfn a() {}\n\n```"
    );
    let artifact = mira
        .operations
        .artifact(turned.detail.artifacts[0].id)
        .await
        .unwrap();
    assert_eq!(artifact.summary.base_hash, Some(hash(b"fn a() {}\n")));
    assert!(!artifact.summary.is_new_file());
    let diff = "--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1 +1 @@\n-fn a() {}\n+fn b() {}\n";
    assert_eq!(artifact.diff, diff);
    assert_eq!(told(&mira)["new_file"], false);
    mira.close().await;
}

#[tokio::test]
async fn a_fault_is_mended_in_code_that_is_not_on_disk() {
    let arguments = json!({
        "path": "src/a.rs",
        "error_message": "index out of bounds",
        "language": "rust",
        "buggy_code": "fn a() { [0][1] }",
        "expected_behavior": "It returns 0.",
        "context_files": null,
    });
    let writes = coder("writes").tool_call("submit_file", &submit("src/a.rs", "fn a() { [0][0] }\n"));
    let mira = Mira::start(delegating("debug_code", &arguments, [writes])).await;
    let turned = mira.run(mira.turn("It panics.")).await;
    assert_eq!(turned.end(), "completed");
    assert_eq!(
        asked(&mira),
        "Path: src/a.rs\nLanguage: rust\n\nFind the fault in this file and mend it, changing as little as \
         possible.\n\nWhat goes wrong:\nindex out of bounds\n\nWhat should happen:\nIt returns 0.\n\nThe file as \
         it stands:\n```rust\nfn a() { [0][1] }\n```"
    );
    assert!(turned.detail.artifacts[0].is_new_file());
    mira.close().await;
}

#[tokio::test]
async fn a_coder_that_calls_no_tools_delivers_json() {
    let file = submit("src/a.rs", "fn a() {}\n");
    let writes = coder("writes").text(format!("Here it is:\n```json\n{file}\n```\nEnjoy."));
    let mira = Mira::start(delegating(
        "generate_code",
        &brief("src/a.rs", "Anything."),
        [writes],
    ))
    .await;
    let turned = mira.run(mira.project_turn("Write it.")).await;
    let artifact = mira
        .operations
        .artifact(turned.detail.artifacts[0].id)
        .await
        .unwrap();
    assert_eq!(artifact.content, "fn a() {}\n");
    assert_eq!(mira.requests(Route::ChatCompletions).len(), 1);
    mira.close().await;
}

#[tokio::test]
async fn several_delegations_in_one_turn_follow_one_another() {
    let call = |rule: Rule, path: &str| rule.tool_call("generate_code", &brief(path, "Anything."));
    let reasoner = [
        call(
            call(reasoner("two files").no_tool_output(), "src/a.rs"),
            "src/b.rs",
        ),
        reasoner("answers").text("Both are ready."),
    ];
    let writes = ["src/a.rs", "src/b.rs"].map(|path| {
        coder("writes")
            .last_user_contains(format!("Path: {path}"))
            .tool_call("submit_file", &submit(path, "fn f() {}\n"))
    });
    let mira = Mira::start(script(reasoner.into_iter().chain(writes))).await;
    let turned = mira.run(mira.project_turn("Write both.")).await;
    let statuses: Vec<String> = turned
        .events
        .iter()
        .filter(|event| matches!(event, Event::StatusChanged { .. }))
        .map(|event| crate::story::story(std::slice::from_ref(event)).remove(0))
        .collect();
    let once = [
        "started to delegating",
        "delegating to generating",
        "generating to started",
    ];
    assert_eq!(statuses, [&["pending to started"], &once[..], &once[..]].concat());
    let paths: Vec<&str> = turned
        .detail
        .delegations
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(paths, ["src/a.rs", "src/b.rs"]);
    assert_eq!(turned.detail.artifacts.len(), 2);
    mira.close().await;
}
