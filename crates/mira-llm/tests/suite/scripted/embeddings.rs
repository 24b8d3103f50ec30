//! Embeddings and models.

use mira_llm::scripted::{Rule, Script, embed};
use serde_json::{Value, json};

use super::{body, get, post, start};

fn cosine(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

#[tokio::test]
async fn each_input_has_its_vector_in_order() {
    let upstream = start(Script::new()).await;
    let request =
        json!({"model": "text-embedding-3-large", "input": ["one text", "another"], "dimensions": 64});
    let mut reply = body(post(&upstream, "/embeddings", &request).await).await;
    let entries = reply["data"].as_array_mut().unwrap().iter_mut();
    // Through a JSON value a number loses that it was single-precision.
    let vectors = entries.map(|entry| serde_json::from_value(entry["embedding"].take()).unwrap());
    assert_eq!(
        vectors.collect::<Vec<Vec<f32>>>(),
        [embed("one text", 64), embed("another", 64)]
    );
    let entry = |index| json!({"object": "embedding", "index": index, "embedding": null});
    let expected = json!({
        "object": "list",
        "data": [entry(0), entry(1)],
        "model": "text-embedding-3-large",
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    });
    assert_eq!(reply, expected);
    assert_eq!(upstream.violations(), []);
}

#[tokio::test]
async fn the_dimension_follows_the_request_or_the_model() {
    let upstream = start(Script::new()).await;
    let cases = [
        (json!({"model": "text-embedding-3-large", "input": "x"}), 3072),
        (json!({"model": "text-embedding-3-small", "input": "x"}), 1536),
        (
            json!({"model": "text-embedding-3-large", "input": "x", "dimensions": 256}),
            256,
        ),
        (json!({"model": "any", "input": "x", "dimensions": 1}), 1),
    ];
    for (request, dimension) in cases {
        let reply = body(post(&upstream, "/embeddings", &request).await).await;
        assert_eq!(
            reply["data"][0]["embedding"].as_array().map(Vec::len),
            Some(dimension),
            "{request}"
        );
    }
}

#[test]
fn texts_with_more_in_common_are_nearer() {
    let query = embed("how do I rename a function in the parser", 1536);
    let texts = [
        "How do I rename a function in the parser?",
        "renaming functions of the parser",
        "the parser reads tokens from the lexer",
        "my cat sleeps all day on a warm windowsill",
    ];
    let similarities: Vec<f32> = texts
        .iter()
        .map(|text| cosine(&query, &embed(text, 1536)))
        .collect();
    assert!(
        (similarities[0] - 1.0).abs() < 1e-5,
        "case and punctuation do not count: {similarities:?}"
    );
    assert!(
        similarities.is_sorted_by(|nearer, farther| *nearer > *farther + 0.05),
        "{similarities:?}"
    );
    assert!(similarities[3].abs() < 0.15, "{similarities:?}");
}

#[test]
fn every_vector_has_length_one() {
    for text in [
        "",
        "?!",
        "a",
        "日本語のテキスト",
        "ẞ İ ﬃ",
        &"long ".repeat(10_000),
    ] {
        for dimension in [1, 3, 256] {
            let vector = embed(text, dimension);
            assert!(
                (cosine(&vector, &vector) - 1.0).abs() < 1e-4,
                "{text:?} in {dimension}"
            );
            assert_eq!(vector, embed(text, dimension));
        }
    }
    assert_eq!(embed("text", 0), Vec::<f32>::new());
}

#[tokio::test]
async fn models_are_those_of_the_rules() {
    let script = Script::new()
        .rule(Rule::new("").model("gpt-5.5"))
        .rule(Rule::new("").model("deepseek-v4-flash"))
        .rule(Rule::new("").model("gpt-5.5"));
    let cases = [
        (script, vec!["gpt-5.5", "deepseek-v4-flash"]),
        (Script::new(), vec!["scripted"]),
    ];
    for (script, names) in cases {
        let upstream = start(script).await;
        let model = |id| json!({"id": id, "object": "model", "created": 1_790_000_000, "owned_by": "script"});
        let models: Vec<Value> = names.into_iter().map(model).collect();
        assert_eq!(
            body(get(&upstream, "/models").await).await,
            json!({"object": "list", "data": models})
        );
    }
}
