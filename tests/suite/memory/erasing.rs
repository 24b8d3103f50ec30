//! What is erased is gone from the tables, the indices, the journal, the undo history and the disk.

use mira_llm::scripted::Script;
use serde_json::{Value, json};

use super::{
    LOOK, UTILITY, VECTORS, analysis, embedder, facts, found, on_disk, restart, search, settled, utility,
};
use crate::harness::{Mira, coder, file, reasoner, script, soon};
use crate::native::Native;

/// Words that stand nowhere but in one kind of thing each.
const SAID: &str = "Zanzibarle";
const ANSWERED: &str = "Flimborade";
const WRITTEN: &str = "Wobbleknack";
const OVERWRITTEN: &str = "Grimthorpel";
const BRIEFED: &str = "Marzipolta";
const KNOWN: &str = "Quibblewick";
const TAGGED: &str = "Tanglewisp";
const EVERYTHING: [&str; 7] = [SAID, ANSWERED, WRITTEN, OVERWRITTEN, BRIEFED, KNOWN, TAGGED];

/// What is said elsewhere and stays.
const STAYS: &str = "The lighthouse stands on the northern cliff.";

fn models() -> Script {
    let brief = json!({
        "path": "notes.rs",
        "description": format!("Write {BRIEFED}."),
        "language": "rust",
        "framework": null,
        "dependencies": null,
        "style_guide": null,
        "context_files": null,
    });
    script([
        reasoner("delegates")
            .last_user_contains(SAID)
            .no_tool_output()
            .tool_call("generate_code", &brief),
        reasoner("answers")
            .tool_output("generate_code")
            .text(format!("{ANSWERED} is done.")),
        coder("writes").tool_call("submit_file", &file("notes.rs", &format!("// {WRITTEN}\n"))),
        reasoner("waits")
            .last_user_contains("wait")
            .hold("turn")
            .text("Here."),
        reasoner("answer").text("I see."),
    ])
}

/// Puts every word somewhere: a turn that delegates a file over an older one, which is applied; a fact; a note with a tag;
/// summaries.
async fn fill(mira: &Mira, client: &mut Native, session: &str, project: &str) {
    mira.put("notes.rs", format!("// {OVERWRITTEN}\n"));
    let said = format!("{SAID} please. My favourite editor is {KNOWN}.");
    let turn = client
        .run(json!({"session_id": session, "content": said, "project_id": project}))
        .await;
    assert_eq!(turn.end()["type"], "operation.completed");
    let operation = json!({"operation_id": turn.accepted["operation_id"]});
    let listed = client.call("artifact.list", operation).await;
    let artifact = json!({"artifact_id": listed["artifacts"][0]["artifact_id"]});
    client.call("artifact.apply", artifact).await;
    client.event().await;
    let note = json!({
        "session_id": session,
        "project_id": project,
        "content": "A note.",
        "tags": [TAGGED],
        "idempotency_key": format!("note in {session}"),
    });
    client.call("memory.save", note).await;
    settled(client).await;
    for kind in [
        "memory.trigger_rolling_summary",
        "memory.trigger_snapshot_summary",
    ] {
        client.call(kind, json!({"session_id": session})).await;
    }
    settled(client).await;
    for word in EVERYTHING {
        assert!(!on_disk(mira, &[word]).is_empty(), "{word} is nowhere");
    }
}

async fn all_gone(mira: &Mira, client: &mut Native) {
    assert_eq!(on_disk(mira, &EVERYTHING), [""; 0]);
    assert_eq!(facts(client, json!({"include_ended": true})).await, []);
    for word in EVERYTHING {
        let hits = search(client, word).await.to_string();
        assert!(!hits.contains(word), "{hits}");
    }
    assert_eq!(
        mira.on_disk("notes.rs").unwrap(),
        format!("// {WRITTEN}\n").as_bytes(),
        "files stay as they are"
    );
}

fn erased(differences: &Value) -> Value {
    let mut erased = json!({
        "sessions": 1, "messages": 3, "summaries": 2, "facts": 1, "patterns": 0, "profiles": 0,
        "operations": 1, "undo_copies": 1,
    });
    for (name, value) in differences.as_object().unwrap() {
        erased[name] = value.clone();
    }
    erased
}

#[tokio::test]
async fn a_session_a_project_and_a_user() {
    let mut mira = Mira::start_with(models(), VECTORS).await;
    let (mut client, other) = Native::in_session(&mira.server, "other").await;
    client.turn(&other, STAYS).await;
    let project = client.project(&mira).await;

    let session = client.open("one").await;
    fill(&mira, &mut client, &session, &project).await;
    client.turn(&other, "Which editor suits me?").await;
    settled(&mut client).await;
    let one = client.call("memory.erase", json!({"session_id": session})).await;
    assert_eq!(one, erased(&json!({})));
    all_gone(&mira, &mut client).await;
    let gone = client
        .refused("memory.get_recent", json!({"session_id": session}))
        .await;
    assert_eq!(gone["data"]["code"], "not_found");

    let session = client.open("two").await;
    let outside = client.turn(&session, "Outside of any project.").await;
    fill(&mira, &mut client, &session, &project).await;
    let two = client.call("memory.erase", json!({"project_id": project})).await;
    assert_eq!(two, erased(&json!({"sessions": 0})));
    all_gone(&mira, &mut client).await;
    let journal = client.journal(&session).await;
    assert_eq!(
        journal[..outside.events.len()],
        outside.events,
        "what was said outside stays"
    );
    let said: Vec<String> = client
        .messages(&session)
        .await
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(said, ["Outside of any project.", "I see."]);

    assert_eq!(found(&mut client, "lighthouse").await[0], STAYS);
    assert_eq!(client.messages(&other).await.len(), 4);
    restart(&mut mira, client, &[]).await;
    let (mut client, session) = Native::in_session(&mira.server, "three").await;
    settled(&mut client).await;
    all_gone(&mira, &mut client).await;
    assert_eq!(found(&mut client, "lighthouse").await[0], STAYS);

    fill(&mira, &mut client, &session, &project).await;
    client
        .call(
            "profile.set",
            json!({"coding_style": "Plain.", "tech_stack": ["Rust"]}),
        )
        .await;
    let user = client.call("memory.erase", json!({"user": "default"})).await;
    let differences = json!({"sessions": 3, "messages": 9, "profiles": 1, "operations": 5});
    assert_eq!(user, erased(&differences));
    all_gone(&mira, &mut client).await;
    assert_eq!(on_disk(&mira, &["lighthouse"]), [""; 0]);
    assert_eq!(
        client.call("session.list", json!({})).await["sessions"],
        json!([])
    );
    assert!(!mira.server.log().contains(SAID), "the log tells what was said");
    mira.close(client).await;
}

#[tokio::test]
async fn not_while_a_turn_runs() {
    let mira = Mira::start(models()).await;
    let (mut client, session) = Native::in_session(&mira.server, "one").await;
    let project = client.project(&mira).await;
    let turn = json!({"session_id": session, "project_id": project, "content": "Please wait."});
    let accepted = client.call("chat.send", turn).await;
    mira.arrived("turn").await;
    for scope in [
        json!({"session_id": session}),
        json!({"project_id": project}),
        json!({"user": "default"}),
    ] {
        let refused = client.refused("memory.erase", scope).await;
        assert_eq!(refused["data"]["code"], "conflict", "{refused}");
        assert!(
            refused["data"]["hint"]
                .as_str()
                .unwrap()
                .contains("operation.cancel"),
            "{refused}"
        );
    }
    let elsewhere = client.open("two").await;
    client
        .call(
            "memory.save",
            json!({"session_id": elsewhere, "content": "Brumblefig"}),
        )
        .await;
    client
        .call("memory.erase", json!({"session_id": elsewhere}))
        .await;
    assert_eq!(on_disk(&mira, &["Brumblefig"]), [""; 0]);
    mira.upstream.release("turn");
    client.until_end(&accepted["operation_id"]).await;
    let wanted = json!({"session_id": session, "idempotency_key": "erase"});
    let gone = client.call("memory.erase", wanted.clone()).await;
    assert_eq!(gone["messages"], 2);
    assert_eq!(
        client.call("memory.erase", wanted).await,
        gone,
        "a repeat is harmless"
    );
    mira.close(client).await;
}

#[tokio::test]
async fn what_is_worked_on_meanwhile_does_not_come_back() {
    let favourite = json!([{
        "subject": "user", "key": "favourite_editor", "value": KNOWN, "category": "preference",
        "confidence": 0.9, "retracted": false, "context": null, "since": null,
    }]);
    let rules = [
        utility("summarises")
            .user_contains("<conversation>")
            .hold("summary")
            .text(format!("{SAID}, it was said.")),
        utility("analyses").hold("analysis").text(analysis(&favourite)),
        embedder("embeds").hold("vectors"),
    ];
    let mira = Mira::start_with(script(rules), &[VECTORS, UTILITY].concat()).await;
    let mut client = Native::hello(&mira.server).await;
    let mut other = Native::hello(&mira.server).await;
    for work in ["analysis", "vectors", "summary"] {
        let session = client.open("one").await;
        let save =
            json!({"session_id": session, "content": format!("{SAID} and {KNOWN}."), "tags": [TAGGED]});
        client.call("memory.save", save).await;
        let summary = match work {
            "summary" => {
                settled(&mut client).await;
                let params = json!({"session_id": session});
                Some(other.ask("memory.trigger_rolling_summary", &params).await)
            }
            _ => None,
        };
        mira.arrived(work).await;
        let gone = client.call("memory.erase", json!({"user": "default"})).await;
        assert_eq!(gone["messages"], 1, "{work}");
        mira.upstream.release(work);
        if let Some(summary) = summary {
            let answer = other.answer(&summary.into()).await;
            assert_eq!(answer["error"]["data"]["code"], "not_found", "{answer}");
        }
        settled(&mut client).await;
        assert_eq!(on_disk(&mira, &EVERYTHING), [""; 0], "{work}");
        let stats = client.call("memory.get_stats", json!({})).await;
        let counted =
            ["messages", "analysed", "current_facts", "vectors", "summaries"].map(|name| stats[name].clone());
        assert_eq!(
            counted,
            [json!(0), json!(0), json!(0), json!({}), json!({})],
            "{work}"
        );
    }
    mira.close((client, other)).await;
}

#[tokio::test]
async fn it_must_be_said_what() {
    let mira = Mira::start(models()).await;
    let (mut client, session) = Native::in_session(&mira.server, "one").await;
    for params in [json!({}), json!({"session_id": session, "user": "default"})] {
        let refused = client.refused("memory.erase", params).await;
        assert_eq!(refused["data"]["code"], "invalid_params");
        assert_eq!(refused["data"]["field"], "session_id");
    }
    let unknown = client
        .refused(
            "memory.erase",
            json!({"session_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}),
        )
        .await;
    assert_eq!(unknown["data"]["code"], "not_found");
    mira.close(client).await;
}

#[tokio::test]
async fn also_when_the_server_is_killed_in_the_middle() {
    let mut mira = Mira::start_with(models(), VECTORS).await;
    let mut erased = 0;
    for round in 0..8 {
        let (mut client, session) = Native::in_session(&mira.server, "one").await;
        for number in 0..10 {
            let content = format!("{SAID} number {number} of them is quite important.");
            let save = json!({"session_id": session, "content": content, "tags": [TAGGED]});
            client.call("memory.save", save).await;
        }
        settled(&mut client).await;
        client.ask("memory.erase", &json!({"session_id": session})).await;
        // Each round a little later.
        for _ in 0..2 * round {
            client.ask("session.list", &json!({})).await;
            client.socket.frame().await;
        }
        mira.server.kill().await;
        mira.start_again(&[]).await;
        let mut client = Native::hello(&mira.server).await;
        settled(&mut client).await;
        if client.call("session.list", json!({})).await["sessions"] == json!([]) {
            erased += 1;
        } else {
            client.call("memory.erase", json!({"session_id": session})).await;
        }
        soon("the disk to be clean", async {
            while !on_disk(&mira, &[SAID, TAGGED]).is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        })
        .await;
    }
    assert!(erased > 0, "no erasure had begun when the server was killed");
    mira.close(()).await;
}
