//! Conversations that grow are summarised, and summaries go into prompts.

use serde_json::{Value, json};

use super::{LOOK, UTILITY, UTILITY_MODEL, analysis, last_asked, part, restart, utility};
use crate::harness::{Mira, Settings, answering, reasoner, script, soon};
use crate::native::Native;

const TOPICS: [&str; 5] = [
    "The greenhouse needs a thermometer by March.",
    "We decided to write the irrigation controller in Rust.",
    "The tomatoes are in bed four, the cucumbers in bed five.",
    "The pump failed yesterday with error E42.",
    "My sister Ada waters the plants in August.",
];

async fn summaries(client: &mut Native, session: &str) -> Vec<Value> {
    let listed = client
        .call("memory.summaries", json!({"session_id": session}))
        .await;
    listed["summaries"].as_array().unwrap().clone()
}

/// Ten messages, and what became of them: the session, the summary of them, and the request of the turn after.
async fn ten_messages(mira: &mut Mira) -> (Native, String, Value, Value) {
    let (mut client, session) = Native::in_session(&mira.server, "one").await;
    for topic in TOPICS {
        client.turn(&session, topic).await;
    }
    let summary = soon("a summary", async {
        loop {
            if let Some(summary) = summaries(&mut client, &session).await.pop() {
                return summary;
            }
            tokio::time::sleep(LOOK).await;
        }
    })
    .await;
    assert_eq!(
        (
            &summary["kind"],
            &summary["message_count"],
            &summary["session_id"]
        ),
        (&json!("rolling_10"), &json!(10), &json!(session))
    );
    restart(mira, client, &[]).await;
    let (mut client, session) = Native::in_session(&mira.server, "one").await;
    let turn = client.turn(&session, "What is still to be done?").await;
    let part = part(&turn, "summaries").unwrap();
    let source = &part["sources"][0];
    assert_eq!(
        (&source["kind"], &source["id"]),
        (&json!("summary"), &summary["summary_id"]),
        "{part}"
    );
    (client, session, summary, last_asked(mira))
}

async fn check(mira: &mut Mira, author: &str) -> (Native, String, String) {
    let (client, session, summary, request) = ten_messages(mira).await;
    assert_eq!(summary["author"], author);
    let text = summary["text"].as_str().unwrap().to_owned();
    let shown = request["input"].as_array().unwrap().iter();
    let shown: Vec<String> = shown.map(Value::to_string).collect();
    let lines = text
        .lines()
        .map(|line| json!(line).to_string().trim_matches('"').to_owned());
    let told = lines.filter(|line| !line.is_empty());
    for line in told {
        assert!(
            shown.iter().any(|item| item.contains(&line)),
            "{line} is not in {request}"
        );
    }
    (client, session, text)
}

#[tokio::test]
async fn of_sentences_that_were_said() {
    let mut mira = Mira::start(answering("I see.")).await;
    let (client, _, text) = check(&mut mira, "extractive").await;
    let told = TOPICS.iter().filter(|topic| text.contains(*topic)).count();
    assert!(told >= 3, "{text}");
    mira.close(client).await;
}

#[tokio::test]
async fn by_a_small_model() {
    let settings: Settings<'_> = &[UTILITY, &[("USE_ROLLING_SUMMARIES", "true")]].concat();
    let rules = [
        utility("summarises")
            .user_contains("<conversation>")
            .text("The user plans a greenhouse with Ada."),
        utility("finds nothing").text(analysis(&json!([]))),
        reasoner("answer").text("I see."),
    ];
    let mut mira = Mira::start_with(script(rules), settings).await;
    let (mut client, session, text) = check(&mut mira, UTILITY_MODEL).await;
    assert_eq!(text, "The user plans a greenhouse with Ada.");

    mira.upstream.replace(script([
        utility("fails").fault(mira_llm::scripted::Fault::http(503)),
        reasoner("answer").text("I see."),
    ]));
    let made = client
        .call("memory.trigger_snapshot_summary", json!({"session_id": session}))
        .await;
    assert_eq!(
        made["summary"]["author"], "extractive",
        "a model that fails is done without"
    );
    assert_eq!(made["summary"]["message_count"], 12);
    mira.close(client).await;
}

#[tokio::test]
async fn not_when_they_are_switched_off() {
    let settings = [
        ("USE_ROLLING_SUMMARIES", "false"),
        ("SUMMARY_GENERATION_INTERVAL", "2"),
    ];
    let mira = Mira::start_with(answering("I see."), &settings).await;
    let (mut client, session) = Native::in_session(&mira.server, "one").await;
    client.turn(&session, TOPICS[0]).await;
    super::settled(&mut client).await;
    // Asked for, one is made all the same; it stays out of prompts.
    client
        .call("memory.trigger_rolling_summary", json!({"session_id": session}))
        .await;
    assert_eq!(summaries(&mut client, &session).await.len(), 1);
    let turn = client.turn(&session, TOPICS[1]).await;
    assert_eq!(part(&turn, "summaries"), None);
    mira.close(client).await;
}
