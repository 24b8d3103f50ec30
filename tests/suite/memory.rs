//! Memory from outside: what is said is analysed, found again, corrected, and forgotten for good.

mod background;
mod control;
mod conversation;
mod crash;
mod embedding;
mod erasing;
mod forgetting;
mod frontend;
mod reindex;
mod secrets;
mod summaries;

use std::path::Path;
use std::time::Duration;

use mira_llm::scripted::{Endpoint as Route, Rule};
use serde_json::{Value, json};

use crate::harness::{Mira, Settings, soon};
use crate::native::{Native, Turn};

/// An embedder, with short vectors.
const VECTORS: Settings<'static> = &[
    ("OPENAI_EMBEDDING_MODEL", "text-embedding-3-small"),
    ("MIRA_EMBED_DIMENSIONS", "64"),
];

/// A model that analyses and summarises.
const UTILITY: Settings<'static> = &[("MIRA_UTILITY_MODEL", UTILITY_MODEL)];
const UTILITY_MODEL: &str = "gpt-5-mini";

/// The pause between two looks at something that takes a moment.
const LOOK: Duration = Duration::from_millis(10);

/// A rule for the model that analyses and summarises; these go before those of the reasoner.
fn utility(name: &str) -> Rule {
    Rule::new(name).on(Route::Responses).model(UTILITY_MODEL)
}

/// A rule for requests for vectors.
fn embedder(name: &str) -> Rule {
    Rule::new(name).on(Route::Embeddings)
}

/// The model's analysis of as many messages as it may be shown, of which the first states these facts.
fn analysis(facts: &Value) -> String {
    let profile = json!({
        "preferred_languages": null, "coding_style": null, "code_verbosity": null, "testing_philosophy": null,
        "architecture_preferences": null, "explanation_depth": null, "conversation_style": null,
        "profanity_comfort": null, "tech_stack": null, "learning_goals": null,
    });
    let entry = |index: u32| {
        let facts = if index == 1 { facts.clone() } else { json!([]) };
        json!({
            "message_index": index, "salience": 0.6, "topics": ["style"], "contains_code": false,
            "programming_language": null, "contains_error": false, "error_type": null, "error_severity": null,
            "error_file": null, "mood": "calm", "intensity": 0.2, "intent": "statement", "summary": null,
            "relationship": {"facts": facts, "patterns": [], "profile": profile},
        })
    };
    json!({"messages": (1..=8).map(entry).collect::<Vec<_>>()}).to_string()
}

/// Waits until the status of memory is as wanted, and returns it.
async fn memory_is(client: &mut Native, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    soon(what, async {
        loop {
            let mut status = client.call("system.status", json!({})).await;
            if wanted(&status["memory"]) {
                return status["memory"].take();
            }
            tokio::time::sleep(LOOK).await;
        }
    })
    .await
}

/// Waits until everything that was said is analysed and, where that is done, embedded.
async fn settled(client: &mut Native) -> Value {
    let done = |memory: &Value, work: &str| memory[work]["waiting"] == 0;
    memory_is(client, "a memory at rest", |memory| {
        let embedded = memory["embedder"].is_null()
            || (done(memory, "embedding") && memory["index"]["state"] == "ready");
        done(memory, "analysis") && embedded
    })
    .await
}

/// Stops the server and starts it again over the same data.
async fn restart(mira: &mut Mira, client: Native, settings: Settings<'_>) {
    drop(client);
    assert!(mira.server.terminate().await.success());
    mira.start_again(settings).await;
}

/// The requests that a model got.
fn asked_of(mira: &Mira, model: &str) -> Vec<Value> {
    let mut asked = mira.asked(Route::Responses);
    asked.retain(|request| request["model"] == model);
    asked
}

/// The last request to the reasoner.
fn last_asked(mira: &Mira) -> Value {
    asked_of(mira, "gpt-5").pop().unwrap()
}

/// What a request says before the conversation: what is known of the user among it.
fn instructions(request: &Value) -> &str {
    request["instructions"].as_str().unwrap()
}

/// All texts that were sent to be embedded.
fn embedded(mira: &Mira) -> Vec<String> {
    let asked = mira.asked(Route::Embeddings);
    let inputs = asked.iter().flat_map(|request| match &request["input"] {
        Value::Array(texts) => texts.clone(),
        text => vec![text.clone()],
    });
    inputs.map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// A part of what the reasoner was given in a turn, by its name.
fn part<'a>(turn: &'a Turn, name: &str) -> Option<&'a Value> {
    let context = turn
        .events
        .iter()
        .find(|event| event["event"]["type"] == "operation.context");
    let parts = context.unwrap()["event"]["parts"].as_array().unwrap();
    parts.iter().find(|part| part["name"] == name)
}

/// The hits of a search.
async fn search(client: &mut Native, query: &str) -> Value {
    client.call("memory.search", json!({"query": query})).await
}

/// What a search finds, best first.
async fn found(client: &mut Native, query: &str) -> Vec<String> {
    let found = search(client, query).await;
    let hits = found["hits"].as_array().unwrap().iter();
    hits.map(|hit| hit["message"]["content"].as_str().unwrap().to_owned())
        .collect()
}

/// Values of facts with how they ended, as `facts.list` gives them.
async fn facts(client: &mut Native, params: Value) -> Vec<(String, Option<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let facts = client.pages("facts.list", params, "facts").await;
    facts
        .iter()
        .map(|fact| (text(&fact["value"]).unwrap(), text(&fact["ended"])))
        .collect()
}

/// An export, all pages of it.
async fn export(client: &mut Native, mut params: Value) -> Vec<Value> {
    params["limit"] = json!(7);
    client.pages("memory.export", params, "lines").await
}

/// Those of the words that stand in a file of the data directory, in capitals or not, each with the file.
fn on_disk(mira: &Mira, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    look_into(&mira.data(), words, &mut found);
    found.sort();
    found
}

fn look_into(directory: &Path, words: &[&str], found: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look_into(&path, words, found);
        } else if let Ok(bytes) = std::fs::read(&path) {
            // A file may be gone by now; what it held is in another one then, or nowhere.
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            let name = path.file_name().unwrap().to_string_lossy();
            let held = words.iter().filter(|word| text.contains(&word.to_lowercase()));
            found.extend(held.map(|word| format!("{word} in {name}")));
        }
    }
}
