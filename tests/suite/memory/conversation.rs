//! A preference is told, survives a restart, reaches another conversation, and changes.

use mira_llm::scripted::Rule;
use serde_json::{Value, json};

use super::{
    UTILITY, UTILITY_MODEL, VECTORS, analysis, asked_of, embedded, facts, instructions, last_asked, part,
    restart, settled, utility,
};
use crate::classic::Classic;
use crate::harness::{Mira, Settings, answering, reasoner, script};
use crate::native::Native;

const TABS: &str = "I prefer tabs for indentation.";
const SPACES: &str = "Actually I switched to spaces for indentation.";

fn indentation(value: &str) -> Value {
    json!([{
        "subject": "user", "key": "indentation", "value": value, "category": "preference", "confidence": 0.9,
        "retracted": false, "context": null, "since": null,
    }])
}

/// A reasoner, and a small model that finds in both messages what rules would.
fn models() -> Vec<Rule> {
    vec![
        utility("tabs")
            .last_user_contains(TABS)
            .once()
            .text(analysis(&indentation("tabs"))),
        utility("spaces")
            .last_user_contains(SPACES)
            .once()
            .text(analysis(&indentation("spaces"))),
        utility("nothing").text(analysis(&json!([]))),
        reasoner("answer").text("Noted."),
    ]
}

/// The whole story, from the second session on; the first one was told the preference in this message.
async fn goes_on(mira: &Mira, message: &Value) {
    let (mut client, session) = Native::in_session(&mira.server, "two").await;
    let turn = client
        .turn(&session, "How should the indentation of this file look?")
        .await;
    let request = last_asked(mira);
    assert!(instructions(&request).contains("indentation: tabs"), "{request}");
    assert!(request["input"].to_string().contains(TABS), "{request}");
    let listed = client.call("facts.list", json!({})).await;
    let tabs = &listed["facts"][0];
    assert_eq!(
        (
            &tabs["key"],
            &tabs["value"],
            &tabs["category"],
            &tabs["source_message_id"]
        ),
        (
            &json!("indentation"),
            &json!("tabs"),
            &json!("preference"),
            message
        )
    );
    assert_eq!(
        part(&turn, "known").unwrap()["sources"],
        json!([{
            "kind": "fact",
            "id": tabs["fact_id"],
            "score": tabs["confidence"],
            "why": "user · indentation",
        }])
    );
    let recalled = part(&turn, "recalled").unwrap();
    let source = &recalled["sources"][0];
    assert_eq!(
        (&source["kind"], &source["id"]),
        (&json!("memory"), message),
        "{recalled}"
    );
    assert!(source["score"].as_f64().unwrap() > 0.0, "{source}");
    assert!(source["why"].as_str().unwrap().contains("its words"), "{source}");

    let changed = client.turn(&session, SPACES).await;
    settled(&mut client).await;
    let value = |value: &str, ended: Option<&str>| (value.to_owned(), ended.map(str::to_owned));
    assert_eq!(facts(&mut client, json!({})).await, [value("spaces", None)]);
    assert_eq!(
        facts(&mut client, json!({"key": "indentation", "include_ended": true})).await,
        [value("spaces", None), value("tabs", Some("superseded"))]
    );
    let then = json!({"as_of_ms": tabs["valid_from_ms"]});
    assert_eq!(
        facts(&mut client, then).await,
        [value("tabs", Some("superseded"))]
    );
    let unknown = json!({"known_at_ms": tabs["valid_from_ms"].as_i64().unwrap() - 1});
    assert_eq!(facts(&mut client, unknown).await, []);

    let listed = client.call("facts.list", json!({})).await;
    let spaces = &listed["facts"][0];
    let explained = client
        .call("facts.explain", json!({"fact_id": spaces["fact_id"]}))
        .await;
    assert_eq!(explained["predecessors"][0]["fact_id"], tabs["fact_id"]);
    assert_eq!(explained["predecessors"][0]["replaced_by"], spaces["fact_id"]);
    assert_eq!(explained["source"]["message_id"], changed.accepted["message_id"]);

    client.turn(&session, "Indent it, please.").await;
    let request = last_asked(mira);
    assert!(
        instructions(&request).contains("indentation: spaces"),
        "{request}"
    );
    assert!(!instructions(&request).contains("tabs"), "{request}");
    settled(&mut client).await;
}

async fn natively(script: Vec<Rule>, settings: Settings<'_>) -> Mira {
    let mut mira = Mira::start_with(crate::harness::script(script), settings).await;
    let (mut client, session) = Native::in_session(&mira.server, "one").await;
    let told = client.turn(&session, TABS).await;
    settled(&mut client).await;
    restart(&mut mira, client, &[]).await;
    goes_on(&mira, &told.accepted["message_id"]).await;
    mira
}

#[tokio::test]
async fn by_words_and_rules() {
    let mira = natively(vec![reasoner("answer").text("Noted.")], &[]).await;
    assert_eq!(embedded(&mira), [""; 0]);
    mira.close(()).await;
}

#[tokio::test]
async fn by_meaning_and_a_small_model() {
    let mira = natively(models(), &[VECTORS, UTILITY].concat()).await;
    assert!(embedded(&mira).iter().any(|text| text.contains(TABS)));
    assert!(!asked_of(&mira, UTILITY_MODEL).is_empty());
    mira.close(()).await;
}

#[tokio::test]
async fn told_by_the_frontend() {
    let mut mira = Mira::start_with(answering("Noted."), VECTORS).await;
    let (mut classic, _) = Classic::attach(&mira.server, "peter-eternal").await;
    classic.say("peter-eternal", TABS).await;
    classic.until(&json!({"type": "chat_complete"})).await;
    let (mut client, session) = Native::in_session(&mira.server, "peter-eternal").await;
    settled(&mut client).await;
    let recent = client
        .call("memory.get_recent", json!({"session_id": session}))
        .await;
    let message = recent["messages"][1]["message_id"].clone();
    drop(classic);
    restart(&mut mira, client, &[]).await;
    goes_on(&mira, &message).await;
    mira.close(()).await;
}

#[tokio::test]
async fn the_reasoner_can_look_into_memory_itself() {
    let rules = [
        reasoner("stores").last_user_contains("turnip").text("Noted."),
        reasoner("looks")
            .no_tool_output()
            .tool_call("search_memory", &json!({"query": "turnip", "limit": null})),
        reasoner("answers")
            .tool_output_contains("The turnip grows in bed seven.")
            .text("In bed seven."),
    ];
    let mira = Mira::start(script(rules)).await;
    let (mut client, one) = Native::in_session(&mira.server, "one").await;
    client.turn(&one, "The turnip grows in bed seven.").await;
    let two = client.open("two").await;
    let turn = client.turn(&two, "Where is it?").await;
    assert_eq!(
        turn.story()[3..],
        [
            "calls search_memory",
            "search_memory gives 2 messages",
            "says In bed seven.",
            "completed"
        ]
    );
    mira.close(client).await;
}
