//! A fact is forgotten: by itself, or with everything that said it.

use serde_json::{Value, json};

use super::{UTILITY, VECTORS, export, facts, found, last_asked, on_disk, restart, search, settled, utility};
use crate::harness::{Mira, Settings, reasoner, script};
use crate::native::Native;

const EDITOR: &str = "Quibblewick";
const TOLD: &str = "My favourite editor is Quibblewick.";

/// A Mira that was told of the editor in one session, wrote it into a file, and has spoken of editors in another session;
/// the client and the fact.
async fn told(settings: Settings<'_>) -> (Mira, Native, Value) {
    let favourite = json!([{
        "subject": "user", "key": "favourite_editor", "value": EDITOR, "category": "preference",
        "confidence": 0.9, "retracted": false, "context": null, "since": null,
    }]);
    let note = json!({"path": "editor.md", "content": format!("{EDITOR}\n"), "language": "markdown"});
    let rules = [
        utility("summarises")
            .instructions_contains("summary")
            .user_contains("<conversation>")
            .text("They spoke of tools."),
        utility("finds it")
            .last_user_contains(TOLD)
            .once()
            .text(super::analysis(&favourite)),
        utility("finds nothing").text(super::analysis(&json!([]))),
        reasoner("notes it")
            .last_user_contains(TOLD)
            .no_tool_output()
            .tool_call("create_artifact", &note),
        reasoner("answer").text("A fine choice."),
    ];
    let mira = Mira::start_with(script(rules), settings).await;
    let (mut client, one) = Native::in_session(&mira.server, "one").await;
    let project = client.project(&mira).await;
    let turn = json!({"session_id": one, "content": TOLD, "project_id": project});
    let turn = client.run(turn).await;
    let operation = json!({"operation_id": turn.accepted["operation_id"]});
    let offered = client.call("artifact.list", operation).await;
    let artifact = json!({"artifact_id": offered["artifacts"][0]["artifact_id"]});
    client.call("artifact.apply", artifact).await;
    settled(&mut client).await;
    for kind in [
        "memory.trigger_rolling_summary",
        "memory.trigger_snapshot_summary",
    ] {
        client.call(kind, json!({"session_id": one})).await;
    }
    let two = client.open("two").await;
    client.turn(&two, "Which editor suits me?").await;
    assert!(last_asked(&mira).to_string().contains(EDITOR));
    settled(&mut client).await;
    let mut listed = client.call("facts.list", json!({})).await;
    let fact = listed["facts"][0].take();
    assert_eq!(fact["value"], EDITOR);
    (mira, client, fact)
}

async fn nothing_is_left(mira: &Mira, client: &mut Native) {
    assert_eq!(facts(client, json!({"include_ended": true})).await, []);
    let hits = search(client, TOLD).await.to_string();
    assert!(!hits.contains(EDITOR), "{hits}");
    let lines = json!(export(client, json!({})).await).to_string();
    assert!(
        lines.contains("Which editor suits me?") && !lines.contains(EDITOR),
        "{lines}"
    );
    assert_eq!(on_disk(mira, &[EDITOR]), [""; 0]);
    let two = client.open("two").await;
    client.turn(&two, "And which editor now?").await;
    let request = last_asked(mira).to_string();
    assert!(!request.contains(EDITOR), "{request}");
    settled(client).await;
    assert_eq!(on_disk(mira, &[EDITOR]), [""; 0]);
}

async fn with_its_sources(settings: Settings<'_>) {
    let (mut mira, mut client, fact) = told(settings).await;
    assert!(!on_disk(&mira, &[EDITOR]).is_empty());
    let forget = json!({"fact_id": fact["fact_id"], "erase_sources": true, "idempotency_key": "forget"});
    let forgotten = client.call("facts.forget", forget.clone()).await;
    assert_eq!(forgotten, json!({"forgotten": 1, "messages": 2}));
    assert_eq!(
        client.call("facts.forget", forget).await,
        forgotten,
        "a repeat is harmless"
    );
    nothing_is_left(&mira, &mut client).await;
    restart(&mut mira, client, &[]).await;
    let mut client = Native::hello(&mira.server).await;
    settled(&mut client).await;
    nothing_is_left(&mira, &mut client).await;
    assert!(!mira.server.log().contains(EDITOR), "the log tells what was said");
    mira.close(client).await;
}

#[tokio::test]
async fn with_its_sources_by_words_and_rules() {
    with_its_sources(&[]).await;
}

#[tokio::test]
async fn with_its_sources_by_meaning_and_a_small_model() {
    with_its_sources(&[VECTORS, UTILITY].concat()).await;
}

#[tokio::test]
async fn alone_it_does_not_come_back_from_its_message_but_may_be_told_again() {
    let (mut mira, mut client, fact) = told(&[]).await;
    let forget = json!({"fact_id": fact["fact_id"]});
    let forgotten = client.call("facts.forget", forget).await;
    assert_eq!(forgotten, json!({"forgotten": 1, "messages": 0}));
    restart(&mut mira, client, &[]).await;
    let (mut client, one) = Native::in_session(&mira.server, "one").await;
    settled(&mut client).await;
    assert_eq!(facts(&mut client, json!({"include_ended": true})).await, []);
    assert_eq!(found(&mut client, "favourite").await[0], TOLD);
    client.turn(&one, TOLD).await;
    settled(&mut client).await;
    assert_eq!(facts(&mut client, json!({})).await, [(EDITOR.to_owned(), None)]);
    mira.close(client).await;
}

#[tokio::test]
async fn while_its_turn_runs_a_source_cannot_be_erased() {
    let rules = [
        reasoner("waits")
            .last_user_contains("another")
            .hold("turn")
            .text("Yes."),
        reasoner("answer").text("A fine choice."),
    ];
    let mira = Mira::start(script(rules)).await;
    let (mut client, session) = Native::in_session(&mira.server, "one").await;
    let accepted = client
        .say(
            &session,
            "My favourite editor is Quibblewick. Is there another one?",
        )
        .await;
    mira.arrived("turn").await;
    settled(&mut client).await;
    let listed = client.call("facts.list", json!({})).await;
    let fact = &listed["facts"][0];
    let forget = json!({"fact_id": fact["fact_id"], "erase_sources": true});
    let refused = client.refused("facts.forget", forget.clone()).await;
    assert_eq!(refused["data"]["code"], "conflict");
    assert!(
        refused["data"]["hint"]
            .as_str()
            .unwrap()
            .contains("operation.cancel"),
        "{refused}"
    );
    let kept = client
        .call("facts.explain", json!({"fact_id": fact["fact_id"]}))
        .await;
    assert_eq!(kept["fact"], *fact, "a refusal changes nothing");
    mira.upstream.release("turn");
    client.until_end(&accepted["operation_id"]).await;
    settled(&mut client).await;
    client.call("facts.forget", forget).await;
    assert_eq!(on_disk(&mira, &[EDITOR]), [""; 0]);
    mira.close(client).await;
}
