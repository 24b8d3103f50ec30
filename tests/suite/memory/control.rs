//! What a client of the native profile can do with memory.

use serde_json::{Value, json};

use super::{VECTORS, export, facts, found, search, settled};
use crate::harness::{Mira, answering};
use crate::native::Native;

const PLUM: &str = "The plum tree bears fruit in September.";
const PEAR: &str = "The pear tree was planted by my grandmother in Łódź.";

/// A Mira with two messages in a session.
async fn orchard() -> (Mira, Native, String, Vec<Value>) {
    let mira = Mira::start_with(answering("I see."), VECTORS).await;
    let (mut client, session) = Native::in_session(&mira.server, "orchard").await;
    let mut messages = Vec::new();
    for content in [PLUM, PEAR] {
        let save =
            json!({"session_id": session, "content": content, "tags": ["tree"], "idempotency_key": content});
        let mut saved = client.call("memory.save", save.clone()).await;
        assert_eq!(
            client.call("memory.save", save).await,
            saved,
            "a repeat is harmless"
        );
        messages.push(saved["message"].take());
    }
    settled(&mut client).await;
    (mira, client, session, messages)
}

#[tokio::test]
async fn saving_searching_and_explaining() {
    let (mira, mut client, session, messages) = orchard().await;
    let [plum, pear] = &messages[..] else { panic!() };
    assert_eq!(
        (
            &plum["role"],
            &plum["content"],
            &plum["tags"],
            plum.get("salience")
        ),
        (&json!("user"), &json!(PLUM), &json!(["tree"]), None)
    );
    let answer = json!({"session_id": session, "content": "In the garden of Łódź.", "role": "assistant"});
    client.call("memory.save", answer).await;
    settled(&mut client).await;

    let hits = search(&mut client, "When does the plum tree bear fruit?").await;
    let best = &hits["hits"][0];
    assert_eq!(best["message"]["message_id"], plum["message_id"]);
    let parts: f64 = best["score_parts"]
        .as_object()
        .unwrap()
        .values()
        .map(|part| part.as_f64().unwrap())
        .sum();
    assert!(
        (parts - best["score"].as_f64().unwrap()).abs() < 0.01,
        "the parts add up to the score: {best}"
    );
    assert_eq!(
        hits["count"].as_u64(),
        Some(hits["hits"].as_array().unwrap().len() as u64)
    );

    let only = json!({"query": "Łódź", "roles": ["assistant"], "session_id": session, "max_results": 1});
    let hits = client.call("memory.search", only).await;
    assert_eq!(hits["hits"][0]["message"]["content"], "In the garden of Łódź.");
    let none = json!({"query": "plum", "until_ms": plum["time_ms"]});
    assert_eq!(client.call("memory.search", none).await["count"], 0);
    let elsewhere = client.open("elsewhere").await;
    let none = json!({"query": "plum", "session_id": elsewhere});
    assert_eq!(client.call("memory.search", none).await["count"], 0);

    let explain =
        |message: &Value| json!({"query": "plum fruit in September", "message_id": message["message_id"]});
    let explained = client.call("memory.explain", explain(plum)).await;
    assert_eq!(
        (&explained["rank"], &explained["hit"]["message"]["content"]),
        (&json!(1), &json!(PLUM))
    );
    assert_ne!(client.call("memory.explain", explain(pear)).await["rank"], 1);
    let unknown = json!({"message_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"});
    assert_eq!(
        client.refused("memory.explain", explain(&unknown)).await["data"]["code"],
        "not_found"
    );
    for (params, field) in [
        (json!({"query": " "}), "query"),
        (json!({"query": "plum", "max_results": 0}), "max_results"),
        (json!({"query": "plum", "roles": ["parrot"]}), "roles.0"),
        (json!({"query": "plum", "heads": ["semantic", "tail"]}), "heads.1"),
    ] {
        let refused = client.refused("memory.search", params).await;
        assert_eq!(
            (&refused["data"]["code"], &refused["data"]["field"]),
            (&json!("invalid_params"), &json!(field))
        );
    }
    mira.close(client).await;
}

#[tokio::test]
async fn the_context_of_a_turn() {
    let (mira, mut client, session, messages) = orchard().await;
    client
        .call(
            "facts.add",
            json!({"key": "favourite_fruit", "value": "plums", "category": "preference"}),
        )
        .await;
    client.call("profile.set", json!({"tech_stack": ["spade"]})).await;
    client
        .call("memory.trigger_rolling_summary", json!({"session_id": session}))
        .await;
    let wanted = json!({"session_id": session, "recent_count": 1, "semantic_count": 2, "user_text": "plum"});
    let context = client.call("memory.get_context", wanted).await;
    let only = |member: &str| {
        let list = context[member].as_array().unwrap();
        assert_eq!(list.len(), 1, "{member} of {context}");
        &list[0]
    };
    assert_eq!(only("recent")["message_id"], messages[1]["message_id"]);
    assert_eq!(
        only("semantic")["message"]["message_id"],
        messages[0]["message_id"]
    );
    assert_eq!(only("facts")["value"], "plums");
    assert_eq!(
        (&only("summaries")["kind"], &only("summaries")["message_count"]),
        (&json!("rolling_10"), &json!(2))
    );
    assert_eq!(
        (&context["profile"]["tech_stack"], &context["patterns"]),
        (&json!(["spade"]), &json!([]))
    );
    let without = client
        .call("memory.get_context", json!({"session_id": session}))
        .await;
    assert_eq!(
        (without["recent"].as_array().unwrap().len(), &without["semantic"]),
        (2, &json!([]))
    );
    mira.close(client).await;
}

#[tokio::test]
async fn pins_salience_and_deletion() {
    let (mira, mut client, session, messages) = orchard().await;
    let plum = json!({"message_id": messages[0]["message_id"]});
    assert_eq!(
        client.call("memory.pin", plum.clone()).await["message"]["pinned"],
        true
    );
    let stats = client
        .call("memory.get_stats", json!({"session_id": session}))
        .await;
    assert_eq!((&stats["pinned"], &stats["messages"]), (&json!(1), &json!(2)));
    assert_eq!(
        client.call("memory.unpin", plum.clone()).await["message"].get("pinned"),
        None
    );
    let mut matters = plum.clone();
    matters["salience"] = json!(0.875);
    assert_eq!(
        client.call("memory.update_salience", matters.clone()).await["message"]["salience"],
        0.875
    );
    matters["salience"] = json!(1.5);
    let refused = client.refused("memory.update_salience", matters).await;
    assert_eq!(refused["data"]["field"], "salience");

    client
        .call("memory.trigger_rolling_summary", json!({"session_id": session}))
        .await;
    let deleted = client.call("memory.delete", plum.clone()).await;
    assert_eq!(deleted, plum);
    assert_eq!(
        client.messages(&session).await,
        [("user".to_owned(), PEAR.to_owned())]
    );
    assert!(!found(&mut client, "plum").await.contains(&PLUM.to_owned()));
    let listed = client
        .call("memory.summaries", json!({"session_id": session}))
        .await;
    assert_eq!(
        listed["summaries"],
        json!([]),
        "a summary does not outlive what it tells"
    );
    for method in ["memory.delete", "memory.pin", "memory.unpin"] {
        assert_eq!(
            client.refused(method, plum.clone()).await["data"]["code"],
            "not_found",
            "{method}"
        );
    }
    mira.close(client).await;
}

#[tokio::test]
async fn numbers() {
    let (mira, mut client, session, messages) = orchard().await;
    client
        .call("memory.trigger_snapshot_summary", json!({"session_id": session}))
        .await;
    client
        .call("facts.add", json!({"key": "favourite_fruit", "value": "plums"}))
        .await;
    settled(&mut client).await;
    let elsewhere = client.open("elsewhere").await;
    let none = client
        .call("memory.get_stats", json!({"session_id": elsewhere}))
        .await;
    assert_eq!(
        (&none["sessions"], &none["messages"], &none["vectors"]),
        (&json!(1), &json!(0), &json!({}))
    );
    let mut stats = client.call("memory.get_stats", json!({})).await;
    assert!(stats["database_bytes"].as_u64().unwrap() > 0);
    let vectors = stats["vectors"].take();
    assert_eq!(
        (&vectors["summary"], &vectors["relationship"]),
        (&json!(1), &json!(1)),
        "{vectors}"
    );
    stats["database_bytes"].take();
    assert_eq!(
        stats,
        json!({
            "sessions": 2, "messages": 2, "messages_by_role": {"user": 2, "assistant": 0, "system": 0}, "analysed": 2, "pinned": 0,
            "oldest_ms": messages[0]["time_ms"], "newest_ms": messages[1]["time_ms"], "vectors": null,
            "summaries": {"snapshot": 1}, "current_facts": 1, "other_facts": 0, "patterns": 0,
            "waiting_for_analysis": 0, "waiting_for_embedding": 0, "database_bytes": null,
        })
    );
    let both = client
        .refused(
            "memory.get_stats",
            json!({"session_id": session, "user": "default"}),
        )
        .await;
    assert_eq!(both["data"]["code"], "invalid_params");
    mira.close(client).await;
}

#[tokio::test]
async fn facts_by_hand() {
    let (mira, mut client, _, _) = orchard().await;
    let add =
        json!({"key": "favourite_fruit", "value": "plums", "category": "preference", "context": "in autumn"});
    let added = client.call("facts.add", add).await["fact"].clone();
    assert_eq!(
        (
            &added["user"],
            &added["subject"],
            &added["confidence"],
            &added["context"],
            &added["pinned"]
        ),
        (
            &json!("default"),
            &json!("user"),
            &json!(1.0),
            &json!("in autumn"),
            &json!(false)
        )
    );
    let fact = json!({"fact_id": added["fact_id"]});
    assert_eq!(
        client.call("facts.pin", fact.clone()).await["fact"]["pinned"],
        true
    );
    assert_eq!(
        client.call("facts.unpin", fact.clone()).await["fact"]["pinned"],
        false
    );
    let mut correct = fact.clone();
    correct["value"] = json!("pears");
    let corrected = client.call("facts.correct", correct).await["fact"].clone();
    let value = |value: &str, ended: Option<&str>| (value.to_owned(), ended.map(str::to_owned));
    assert_eq!(facts(&mut client, json!({})).await, [value("pears", None)]);
    let then = json!({"as_of_ms": added["valid_from_ms"], "known_at_ms": added["recorded_ms"]});
    assert_eq!(
        facts(&mut client, then).await[0].0,
        "plums",
        "as it was known then"
    );
    let history = client
        .call("facts.explain", json!({"fact_id": corrected["fact_id"]}))
        .await;
    assert!(
        history["predecessors"][0]["retracted_ms"].is_i64(),
        "it never was true: {history}"
    );
    assert_eq!(facts(&mut client, json!({"category": "personal"})).await, []);
    for (method, params, field) in [
        ("facts.add", json!({"key": "k", "value": " "}), "value"),
        (
            "facts.add",
            json!({"key": "k", "value": "v", "confidence": 2}),
            "confidence",
        ),
        (
            "facts.add",
            json!({"key": "k", "value": "v", "category": "weather"}),
            "category",
        ),
    ] {
        assert_eq!(client.refused(method, params).await["data"]["field"], field);
    }
    let unknown = json!({"fact_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"});
    for method in ["facts.pin", "facts.unpin", "facts.forget", "facts.explain"] {
        assert_eq!(
            client.refused(method, unknown.clone()).await["data"]["code"],
            "not_found",
            "{method}"
        );
    }
    mira.close(client).await;
}

#[tokio::test]
async fn a_profile() {
    let (mira, mut client, _, _) = orchard().await;
    assert_eq!(client.call("profile.get", json!({})).await, json!({}));
    let set = json!({"preferred_languages": ["Rust"], "code_verbosity": "minimal", "coding_style": "Plain."});
    let profile = client.call("profile.set", set).await["profile"].clone();
    assert_eq!(
        (&profile["user"], &profile["code_verbosity"]),
        (&json!("default"), &json!("minimal"))
    );
    let changed = client
        .call(
            "profile.set",
            json!({"preferred_languages": [], "coding_style": ""}),
        )
        .await;
    let mut expected = profile;
    expected["preferred_languages"] = json!([]);
    expected.as_object_mut().unwrap().remove("coding_style");
    expected["updated_ms"] = changed["profile"]["updated_ms"].clone();
    assert_eq!(changed["profile"], expected);
    assert_eq!(client.call("profile.get", json!({})).await, changed);
    let refused = client
        .refused("profile.set", json!({"code_verbosity": "shouted"}))
        .await;
    assert_eq!(refused["data"]["field"], "code_verbosity");
    assert_eq!(
        client.call("patterns.list", json!({})).await,
        json!({"patterns": []})
    );
    mira.close(client).await;
}

#[tokio::test]
async fn what_is_exported_can_be_erased_and_imported() {
    let (mira, mut client, session, messages) = orchard().await;
    client.turn(&session, "I prefer tabs for indentation.").await;
    client
        .turn(&session, "Actually I switched to spaces for indentation.")
        .await;
    client
        .call("memory.pin", json!({"message_id": messages[0]["message_id"]}))
        .await;
    client.call("profile.set", json!({"tech_stack": ["spade"]})).await;
    settled(&mut client).await;
    client
        .call("memory.trigger_rolling_summary", json!({"session_id": session}))
        .await;
    settled(&mut client).await;
    let exported = export(&mut client, json!({})).await;
    assert_eq!(exported[0], r#"{"mira":"memory","version":1}"#);

    let empty = json!({"user": "default"});
    client.call("memory.erase", empty.clone()).await;
    assert_eq!(export(&mut client, json!({})).await, exported[..1]);
    let import = json!({"lines": exported, "idempotency_key": "import"});
    let imported = client.call("memory.import", import.clone()).await;
    assert_eq!(
        imported,
        json!({
            "sessions": 1, "messages": 6, "summaries": 1, "facts": 2, "profiles": 1, "patterns": 0,
            "skipped": 0, "refused": 0, "errors": [],
        })
    );
    assert_eq!(
        client.call("memory.import", import).await,
        imported,
        "a repeat is harmless"
    );
    settled(&mut client).await;
    assert_eq!(export(&mut client, json!({})).await, exported);
    let again = client.call("memory.import", json!({"lines": exported})).await;
    assert_eq!(
        (&again["messages"], &again["refused"]),
        (&json!(0), &json!(0)),
        "{again}"
    );
    assert_eq!(export(&mut client, json!({})).await, exported);
    assert_eq!(found(&mut client, "plum fruit").await[0], PLUM);
    assert_eq!(facts(&mut client, json!({})).await, [("spaces".to_owned(), None)]);

    let lines = json!({"lines": ["{", r#"{"type":"message"}"#, r#"{"content":"A fig.","role":"user"}"#], "session_id": session});
    let mixed = client.call("memory.import", lines).await;
    assert_eq!(
        (&mixed["messages"], &mixed["refused"]),
        (&json!(1), &json!(2)),
        "{mixed}"
    );
    let errors: Vec<&Value> = mixed["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["line"])
        .collect();
    assert_eq!(errors, [1, 2]);
    mira.close(client).await;
}
