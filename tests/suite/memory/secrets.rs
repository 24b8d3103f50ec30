//! Keys and passwords that a user lets slip go to no model in the background, and into no fact or summary.

use mira_llm::scripted::Endpoint as Route;
use serde_json::json;

use super::{UTILITY, UTILITY_MODEL, VECTORS, analysis, asked_of, embedded, settled, utility};
use crate::harness::{Mira, reasoner, script};
use crate::native::Native;

const KEY: &str = "sk-proj-9fK2mQ7xR4tZ8wB1nL6v";
const PASSWORD: &str = "correct7horse9staple";

#[tokio::test]
async fn they_are_masked() {
    let careless = json!([{
        "subject": "user", "key": "api_key", "value": KEY, "category": "technical", "confidence": 0.9,
        "retracted": false, "context": null, "since": null,
    }]);
    let rules = [
        utility("summarises")
            .user_contains("<conversation>")
            .text(format!("They use {KEY} in production.")),
        utility("is careless")
            .last_user_contains("Remember")
            .once()
            .text(analysis(&careless)),
        utility("finds nothing").text(analysis(&json!([]))),
        reasoner("answer").text("Noted."),
    ];
    let mira = Mira::start_with(script(rules), &[VECTORS, UTILITY].concat()).await;
    let (mut client, session) = Native::in_session(&mira.server, "one").await;
    let said = format!("Remember that our production gateway takes {KEY}, and the password is {PASSWORD}.");
    client.turn(&session, &said).await;
    settled(&mut client).await;
    client
        .call("memory.trigger_rolling_summary", json!({"session_id": session}))
        .await;
    client.call("memory.search", json!({"query": said})).await;
    settled(&mut client).await;

    assert_eq!(
        client.messages(&session).await[0].1,
        said,
        "what was said is kept as it is"
    );
    let texts = embedded(&mira);
    assert!(
        texts
            .iter()
            .any(|text| text.contains("production gateway takes [secret]")),
        "{texts:?}"
    );
    assert!(asked_of(&mira, UTILITY_MODEL).len() >= 2);
    let background = [asked_of(&mira, UTILITY_MODEL), mira.asked(Route::Embeddings)].concat();
    let listed = client.call("facts.list", json!({"include_ended": true})).await;
    let summaries = client
        .call("memory.summaries", json!({"session_id": session}))
        .await;
    assert!(
        summaries["summaries"][0]["text"]
            .as_str()
            .unwrap()
            .contains("[secret]"),
        "{summaries}"
    );
    for text in background
        .iter()
        .chain([&listed, &summaries])
        .map(ToString::to_string)
    {
        assert!(!text.contains(KEY) && !text.contains(PASSWORD), "{text}");
    }
    assert!(!mira.server.log().contains(KEY), "the log tells the key");
    mira.close(client).await;
}

#[tokio::test]
async fn they_are_no_facts() {
    let mira = Mira::start(crate::harness::answering("Noted.")).await;
    let mut client = Native::hello(&mira.server).await;
    for (key, value) in [("gateway", KEY), ("login", &format!("password: {PASSWORD}"))] {
        let refused = client
            .refused("facts.add", json!({"key": key, "value": value}))
            .await;
        assert_eq!(
            (&refused["data"]["code"], &refused["data"]["field"]),
            (&json!("invalid_params"), &json!("value"))
        );
    }
    mira.close(client).await;
}
