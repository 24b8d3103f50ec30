//! The reasoner's tools: what each gives back, and what happens when a call is wrong.

use mira_llm::scripted::{Endpoint as Route, Step};
use serde_json::json;

use crate::harness::{Mira, reasoner, script, tool_outputs};

const MAIN: &str = "fn main() {\n    println!(\"hi\");\n}\n";

/// Has the reasoner make these calls in one reply; returns what it was told, in order.
async fn outputs(mira: &Mira, calls: &[(&str, String)]) -> Vec<String> {
    let calling = calls.iter().fold(reasoner("calls"), |rule, (name, arguments)| {
        rule.step(Step::tool_call_text(*name, arguments))
    });
    let answer = reasoner("answer").text("Done.");
    mira.upstream.replace(script([calling.no_tool_output(), answer]));
    let turned = mira.run(mira.project_turn("Have a look.")).await;
    assert_eq!(turned.end(), "completed");
    let request = mira.requests(Route::Responses).pop().unwrap();
    tool_outputs(&request).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_project_can_be_read_listed_searched_and_outlined() {
    let mira = Mira::start(script([])).await;
    mira.put("src/main.rs", MAIN);
    mira.put("README.md", "# Garden\n");
    mira.put(".gitignore", "target\n");
    mira.put("target/out", "built");
    let cases = [
        (
            "read_file",
            json!({"path": "src/main.rs", "start_line": null, "end_line": null}),
            "src/main.rs, lines 1 to 3 of 3:\nfn main() {\n    println!(\"hi\");\n}",
        ),
        (
            "read_file",
            json!({"path": "src/main.rs", "start_line": 2, "end_line": 2}),
            "src/main.rs, lines 2 to 2 of 3:\n    println!(\"hi\");",
        ),
        (
            "list_files",
            json!({"path": null, "recursive": null}),
            ".gitignore (7 bytes)\nREADME.md (9 bytes)\nsrc/\n",
        ),
        (
            "list_files",
            json!({"path": "src", "recursive": true}),
            "src/main.rs (34 bytes)\n",
        ),
        (
            "search_text",
            json!({"pattern": "garden", "regex": null, "glob": null}),
            "README.md:1: # Garden\n",
        ),
        (
            "search_text",
            json!({"pattern": "^fn \\w+", "regex": true, "glob": "*.rs"}),
            "src/main.rs:1: fn main() {\n",
        ),
        (
            "search_text",
            json!({"pattern": "nowhere", "regex": null, "glob": null}),
            "(no match)",
        ),
        (
            "project_outline",
            json!({}),
            ".gitignore 7 -\nREADME.md 9 markdown\nsrc/main.rs 34 rust\n",
        ),
    ];
    let calls = cases
        .clone()
        .map(|(tool, arguments, _)| (tool, arguments.to_string()));
    let expected = cases.map(|(_, _, output)| output);
    assert_eq!(outputs(&mira, &calls).await, expected);
    mira.close().await;
}

#[tokio::test]
async fn a_wrong_call_is_told_to_the_model_and_the_turn_goes_on() {
    let mira = Mira::start(script([])).await;
    mira.put("src/main.rs", MAIN);
    mira.put("logo.png", [0xff, 0x00]);
    let path = |path: &str| json!({"path": path, "start_line": null, "end_line": null}).to_string();
    let cases = [
        (
            "read_file",
            "{\"path\": ".to_owned(),
            "the arguments of read_file cannot be read",
        ),
        ("read_file", "{}".to_owned(), "missing field `path`"),
        (
            "launch_rockets",
            "{}".to_owned(),
            "there is no tool \"launch_rockets\"; the tools are create_artifact",
        ),
        ("read_file", path("../outside.txt"), "../outside.txt"),
        ("read_file", path("/etc/passwd"), "/etc/passwd"),
        ("read_file", path(".git/config"), "git"),
        (
            "read_file",
            path("src/missing.rs"),
            "src/missing.rs does not exist",
        ),
        ("read_file", path("src"), "src is a directory"),
        ("read_file", path("logo.png"), "logo.png is not UTF-8 text"),
        (
            "search_text",
            json!({"pattern": "(", "regex": true, "glob": null}).to_string(),
            "the pattern \"(\" cannot be searched for",
        ),
        (
            "search_text",
            json!({"pattern": "", "regex": null, "glob": null}).to_string(),
            "the pattern is empty",
        ),
        (
            "create_artifact",
            json!({"path": "a.txt", "content": " \n", "language": null}).to_string(),
            "the content is empty",
        ),
        (
            "create_artifact",
            json!({"path": "../a.txt", "content": "a", "language": null}).to_string(),
            "../a.txt",
        ),
        (
            "generate_code",
            json!({"path": "src/lib.rs"}).to_string(),
            "the arguments of generate_code cannot be read",
        ),
    ];
    let calls = cases.clone().map(|(tool, arguments, _)| (tool, arguments));
    let outputs = outputs(&mira, &calls).await;
    assert_eq!(outputs.len(), cases.len(), "one result per call");
    for (output, (tool, arguments, expected)) in outputs.iter().zip(cases) {
        let output: serde_json::Value = serde_json::from_str(output).unwrap();
        let error = output["error"].as_str().unwrap();
        assert!(error.contains(expected), "{tool} {arguments}: {error}");
    }
    assert_eq!(
        mira.operations.list(mira.session, None, 10).await.unwrap().len(),
        1
    );
    mira.close().await;
}

#[tokio::test]
async fn calls_and_their_results_are_told_as_they_happen() {
    let calls = reasoner("calls")
        .no_tool_output()
        .text("Let me look.")
        .tool_call(
            "read_file",
            &json!({"path": "notes.txt", "start_line": null, "end_line": null}),
        )
        .tool_call("list_files", &json!({"path": "nowhere", "recursive": false}));
    let answer = reasoner("answer")
        .tool_output("read_file")
        .text("It says: water the roses.");
    let mira = Mira::start(script([calls, answer])).await;
    mira.put("notes.txt", "Water the roses.\n");
    let turned = mira.run(mira.project_turn("What is to do?")).await;
    assert_eq!(
        turned.story(),
        [
            "started",
            "pending to started",
            "shows the reasoner persona, project, recent_turns, outline, request",
            "says Let me look.",
            "calls read_file (path: notes.txt)",
            "read_file gives notes.txt: lines 1 to 1 of 1",
            "calls list_files (path: nowhere, recursive: false)",
            "list_files fails: nowhere does not exist",
            "says It says: water the roses.",
            "completed",
        ]
    );
    assert_eq!(turned.detail.text, "Let me look.\n\nIt says: water the roses.");
    assert_eq!(turned.detail.usage[0].calls, 2);
    mira.close().await;
}

#[tokio::test]
async fn a_long_file_is_read_in_pieces_by_following_the_hint() {
    let mira = Mira::start(script([])).await;
    let lines: Vec<String> = (1..=20_000).map(|n| format!("line {n}")).collect();
    mira.put("long.txt", lines.join("\n"));
    let read = |first: usize| {
        let arguments = json!({"path": "long.txt", "start_line": first, "end_line": null});
        [("read_file", arguments.to_string())]
    };
    let mut whole: Vec<String> = Vec::new();
    loop {
        let first = whole.len() + 1;
        let output = outputs(&mira, &read(first)).await.remove(0);
        let (head, text) = output.split_once('\n').unwrap();
        assert!(
            head.starts_with(&format!("long.txt, lines {first} to ")),
            "{head}"
        );
        let Some((text, hint)) = text.split_once("\n[… go on with start_line ") else {
            whole.extend(text.lines().map(str::to_owned));
            break;
        };
        let next: usize = hint.trim_end_matches(']').parse().unwrap();
        assert!(next > first, "each piece gets further");
        whole.extend(text.lines().take(next - first).map(str::to_owned));
    }
    assert!(whole == lines, "{} lines", whole.len());
    mira.close().await;
}

#[tokio::test]
async fn a_line_that_is_too_long_to_show_does_not_hold_up_the_rest() {
    let mira = Mira::start(script([])).await;
    mira.put("minified.js", format!("{}\nend();\n", "call(); ".repeat(10_000)));
    let read = |first: u32| {
        let arguments = json!({"path": "minified.js", "start_line": first, "end_line": null});
        ("read_file", arguments.to_string())
    };
    let outputs = outputs(&mira, &[read(1), read(2)]).await;
    assert!(outputs[0].ends_with("\n[… go on with start_line 2]"));
    assert_eq!(outputs[1], "minified.js, lines 2 to 2 of 2:\nend();");
    mira.close().await;
}

#[tokio::test]
async fn without_a_project_there_is_nothing_to_look_at_and_files_can_still_be_written() {
    let calls = reasoner("calls")
        .no_tool_output()
        .tool_call("project_outline", &json!({}))
        .tool_call(
            "create_artifact",
            &json!({"path": "a.txt", "content": "one\n", "language": null}),
        )
        .tool_call(
            "create_artifact",
            &json!({"path": "a.txt", "content": "two\n", "language": null}),
        );
    let mira = Mira::start(script([calls, reasoner("answer").text("Written.")])).await;
    let turned = mira.run(mira.turn("Write it.")).await;
    assert_eq!(turned.end(), "completed");
    let requests = mira.requests(Route::Responses);
    let offered = requests[0]["tools"].as_array().unwrap().iter();
    let offered: Vec<&str> = offered.map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(
        offered,
        [
            "create_artifact",
            "generate_code",
            "refactor_code",
            "debug_code",
            "search_memory"
        ]
    );
    let outputs = tool_outputs(&requests[1]);
    assert_eq!(
        outputs[0],
        json!({"error": "this needs a project with a directory, and the user has none selected"}).to_string()
    );

    let [second, first] = turned.detail.artifacts.as_slice() else {
        panic!("{:?}", turned.detail.artifacts);
    };
    assert!(first.is_new_file());
    assert_eq!(second.base_hash.as_ref(), Some(&first.content_hash));
    let second = mira.operations.artifact(second.id).await.unwrap();
    assert_eq!(second.diff, "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n");
    mira.close().await;
}
