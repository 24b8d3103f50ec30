//! What the frontend of the classic profile can do with memory.

use serde_json::{Value, json};

use super::{VECTORS, settled};
use crate::classic::Classic;
use crate::harness::{Mira, answering};
use crate::native::Native;

const SESSION: &str = "peter-eternal";

/// The data of the answer to a command about memory.
async fn ask(client: &mut Classic, method: &str, params: Value) -> Value {
    let mut answer = client.ask("memory", method, params).await;
    assert_eq!(answer["type"], "data", "{method}: {answer}");
    answer["data"].take()
}

/// Takes what differs from run to run out of an answer, which must be there.
fn taken(answer: &mut Value, place: &str) -> Value {
    let found = answer.pointer_mut(place).map(Value::take).unwrap_or_default();
    assert!(!found.is_null(), "nothing at {place} of {answer}");
    found
}

/// A frontend whose session holds two messages, and their ids.
async fn orchard() -> (Mira, Classic, Value, Value) {
    let mira = Mira::start_with(answering("I see."), VECTORS).await;
    let (mut client, _) = Classic::attach(&mira.server, SESSION).await;
    let mut ids = Vec::new();
    for params in [
        json!({"content": "I use tabs"}),
        json!({"content": "The plum tree is old.", "role": "assistant"}),
    ] {
        let mut saved = ask(&mut client, "memory.save", params).await;
        ids.push(taken(&mut saved, "/entry_id"));
        assert_eq!(
            saved,
            json!({"success": true, "session_id": SESSION, "entry_id": null, "message": "saved"})
        );
    }
    settled(&mut Native::hello(&mira.server).await).await;
    let plum = ids.pop().unwrap();
    let tabs = ids.pop().unwrap();
    assert!(tabs.is_i64() && plum.is_i64(), "{tabs} {plum}");
    (mira, client, tabs, plum)
}

#[tokio::test]
async fn searching_and_the_context_of_a_turn() {
    let (mira, mut client, tabs, plum) = orchard().await;
    for limit in ["max_results", "limit"] {
        let mut found = ask(&mut client, "memory.search", json!({"query": "tabs", limit: 1})).await;
        assert!(taken(&mut found, "/results/0/score").as_f64().unwrap() > 0.0);
        taken(&mut found, "/results/0/timestamp");
        let hit =
            json!({"id": tabs, "content": "I use tabs", "score": null, "role": "user", "timestamp": null});
        assert_eq!(
            found,
            json!({"type": "memory_search_results", "results": [hit], "count": 1, "session_id": SESSION})
        );
    }
    let wanted = json!({"user_text": "tabs", "recent_count": 1});
    let context = ask(&mut client, "memory.get_context", wanted).await;
    assert_eq!(
        context["stats"],
        json!({"recent_count": 1, "semantic_count": 1}),
        "{context}"
    );
    assert_eq!(
        (
            &context["context"]["recent"][0]["id"],
            &context["context"]["semantic"][0]["id"]
        ),
        (&plum, &tabs)
    );
    assert_eq!(
        (&context["session_id"], context.get("type")),
        (&json!(SESSION), None)
    );
    let recent = ask(&mut client, "memory.get_recent", json!({"count": 100})).await;
    let ids: Vec<&Value> = recent["memories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["id"])
        .collect();
    assert_eq!(
        (&recent["type"], ids),
        (&json!("memory_data"), vec![&plum, &tabs])
    );
    let entry = &recent["memories"][1];
    assert!(
        entry["salience"].is_number() && entry["topics"].is_array() && entry["mood"].is_string(),
        "{entry}"
    );
    mira.close(client).await;
}

#[tokio::test]
async fn numbers_and_summaries() {
    let (mira, mut client, _, _) = orchard().await;
    for method in ["memory.get_stats", "memory.stats"] {
        let stats = ask(&mut client, method, json!({})).await;
        assert_eq!(
            (&stats["stats"]["messages"], stats.get("type")),
            (&json!(2), None),
            "{stats}"
        );
    }
    let rolling = ask(
        &mut client,
        "memory.trigger_rolling_summary",
        json!({"window_size": 10}),
    )
    .await;
    assert_eq!(
        (&rolling["success"], &rolling["session_id"]),
        (&json!(true), &json!(SESSION))
    );
    assert!(rolling["message"].as_str().unwrap().contains("tabs"), "{rolling}");
    let snapshot = ask(&mut client, "memory.trigger_snapshot_summary", json!({})).await;
    assert!(
        snapshot["summary"].as_str().unwrap().contains("plum"),
        "{snapshot}"
    );
    let again = client
        .ask("memory", "memory.trigger_rolling_summary", json!({}))
        .await;
    assert_eq!(
        (&again["type"], &again["code"]),
        (&json!("error"), &json!("MEMORY_ERROR")),
        "{again}"
    );
    mira.close(client).await;
}

#[tokio::test]
async fn pins_salience_and_deletion() {
    let (mira, mut client, tabs, plum) = orchard().await;
    for (method, params) in [
        ("memory.pin", json!({"id": tabs})),
        ("memory.unpin", json!({"memory_id": tabs})),
        ("memory.update_salience", json!({"entry_id": tabs, "salience": 9})),
        ("memory.delete", json!({"message_id": tabs})),
    ] {
        let done = ask(&mut client, method, params).await;
        assert_eq!(done, json!({"success": true, "method": method, "entry_id": tabs}));
    }
    let recent = ask(&mut client, "memory.get_recent", json!({})).await;
    assert_eq!(
        (&recent["count"], &recent["memories"][0]["id"]),
        (&json!(1), &plum)
    );
    let gone = client.ask("memory", "memory.delete", json!({"id": tabs})).await;
    assert_eq!(
        (&gone["type"], &gone["error"]["code"]),
        (&json!("error"), &json!("NOT_FOUND")),
        "{gone}"
    );
    mira.close(client).await;
}

#[tokio::test]
async fn import_and_export() {
    let (mira, mut client, _, _) = orchard().await;
    let memories = json!([
        {"content": "A fig tree.", "role": "user", "salience": 8, "tags": ["tree"], "memory_type": "note"},
        {"content": " ", "role": "user"},
        {"content": "A quince.", "role": "assistant"},
    ]);
    let mut imported = ask(&mut client, "memory.import", json!({"memories": memories})).await;
    let ids = taken(&mut imported, "/imported_ids");
    assert_eq!(ids.as_array().unwrap().len(), 2);
    assert_eq!(
        imported,
        json!({"imported": 2, "imported_ids": null, "errors": ["memories.1: the message is empty"], "session_id": SESSION})
    );
    settled(&mut Native::hello(&mira.server).await).await;
    let exported = ask(&mut client, "memory.export", json!({"count": 2})).await;
    assert_eq!(
        (
            &exported["count"],
            &exported["format"],
            &exported["session_id"],
            exported.get("type")
        ),
        (&json!(2), &json!("json"), &json!(SESSION), None)
    );
    let fig = &exported["memories"][1];
    assert_eq!(
        (&fig["id"], &fig["content"], &fig["tags"], &fig["salience"]),
        (
            &ids[0],
            &json!("A fig tree."),
            &json!(["tree", "note"]),
            &json!(0.8)
        )
    );
    mira.close(client).await;
}

#[tokio::test]
async fn where_the_vectors_are() {
    let (mira, mut client, _, _) = orchard().await;
    let heads = ["semantic", "code", "summary", "documents", "relationship"];
    assert_eq!(
        ask(&mut client, "memory.check_qdrant", json!({})).await,
        json!({
            "qdrant_url": null, "qdrant_configured": false, "openai_embedding_key_configured": true,
            "embedding_heads": heads, "collection_name": "mira",
            "embedding_test": {"success": true, "dimension": 64},
        })
    );
    mira.close(client).await;

    let mira = Mira::start(answering("I see.")).await;
    let (mut client, _) = Classic::attach(&mira.server, SESSION).await;
    let told = ask(&mut client, "memory.check_qdrant", json!({})).await;
    assert_eq!(
        told["embedding_test"],
        json!({"success": false, "error": "no embedder is configured"})
    );
    mira.close(client).await;
}
