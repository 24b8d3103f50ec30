//! Local embeddings: a tiny model made here, directories that are no models, and a real model where there is one.

mod minilm;
mod tiny;

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use mira_llm::Error;
use mira_llm::embedding::{Embedder as _, LocalEmbeddings, ModelError};
use serde_json::json;

use self::tiny::Tiny;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn a_text_has_the_same_vector_alone_and_among_others() {
    let model = Tiny::new().open().unwrap();
    let words = ["one two", "three", "one", "two one three two", "four one two"];
    // More than a batch holds.
    let many: Vec<String> = words
        .iter()
        .cycle()
        .take(200)
        .map(|text| (*text).to_owned())
        .collect();
    let vectors = model.embed(&many).await.unwrap();
    assert_eq!((vectors.len(), model.dimension()), (200, tiny::WIDTH));
    for (text, vector) in many.iter().zip(&vectors) {
        let alone = model.embed(std::slice::from_ref(text)).await.unwrap();
        assert_eq!(vector.len(), tiny::WIDTH);
        assert!((dot(vector, vector) - 1.0).abs() < 1e-5, "{text}");
        assert!((dot(vector, &alone[0]) - 1.0).abs() < 1e-5, "{text}");
    }
    assert!(
        dot(&vectors[0], &vectors[1]) < 0.999,
        "different texts, one vector"
    );
}

#[tokio::test]
async fn the_first_token_can_stand_for_the_text() {
    let tiny = Tiny::new();
    let mean = tiny.open().unwrap().embed(&texts(&["one two"])).await.unwrap();
    tiny.json("1_Pooling/config.json", &json!({"pooling_mode_cls_token": true}));
    let first = tiny.open().unwrap().embed(&texts(&["one two"])).await.unwrap();
    assert!(dot(&first[0], &mean[0]) < 0.999);
}

#[tokio::test]
async fn a_text_longer_than_the_model_reads_counts_by_its_beginning() {
    let tiny = Tiny::new();
    tiny.json("sentence_bert_config.json", &json!({"max_seq_length": 5}));
    let model = tiny.open().unwrap();
    let long = format!("one two three{}", " four".repeat(100_000));
    let vectors = model.embed(&[long, "one two three".to_owned()]).await.unwrap();
    assert_eq!(vectors[0], vectors[1]);
}

#[tokio::test]
async fn blank_texts_are_refused_and_none_need_no_work() {
    let model = Tiny::new().open().unwrap();
    let error = model.embed(&texts(&["one", " \n"])).await.unwrap_err();
    assert!(
        matches!(&error, Error::InvalidRequest(detail) if detail.message == "text 1 is empty"),
        "{error:?}"
    );
    assert_eq!(model.embed(&[]).await.unwrap(), Vec::<Vec<f32>>::new());
}

#[test]
fn the_name_tells_models_apart() {
    let mut tiny = Tiny::new();
    let name = |tiny: &Tiny| tiny.open().unwrap().name().to_owned();
    let first = name(&tiny);
    let digest = first.strip_prefix("tiny@").unwrap();
    assert!(
        digest.len() == 12 && digest.chars().all(|c| c.is_ascii_hexdigit()),
        "{first}"
    );
    assert_eq!(name(&tiny), first);
    tiny.tensors.get_mut("embeddings.LayerNorm.bias").unwrap().1[0] += 0.5;
    tiny.write_weights();
    assert_ne!(name(&tiny), first);
}

#[tokio::test]
async fn a_single_text_does_not_wait_for_a_long_list() {
    let model = Tiny::new().open().unwrap().threads(NonZeroUsize::MIN);
    let list = vec!["one two three four".to_owned(); 300_000];
    let single = texts(&["one"]);
    // The list is first in the queue. It is dropped with its work undone, which the end of the runtime waits for.
    let vectors = tokio::time::timeout(Duration::from_secs(10), async {
        tokio::select! {
            biased;
            _ = model.embed(&list) => panic!("the list came first"),
            vectors = model.embed(&single) => vectors.unwrap(),
        }
    });
    let vectors = vectors.await.expect("the text is still waiting");
    assert_eq!(vectors.len(), 1);
}

#[test]
fn what_is_missing_or_unknown_is_named() {
    type Damage = fn(&mut Tiny);
    let cases: [(Damage, &str); 16] = [
        (|tiny| tiny.remove("config.json"), "cannot read …/config.json"),
        (
            |tiny| tiny.remove("tokenizer.json"),
            "cannot read …/tokenizer.json",
        ),
        (
            |tiny| tiny.remove("model.safetensors"),
            "cannot read …/model.safetensors",
        ),
        (
            |tiny| tiny.remove("1_Pooling/config.json"),
            "cannot read …/1_Pooling/config.json",
        ),
        (
            |tiny| tiny.write("config.json", b"{"),
            "…/config.json is not the JSON that it should be",
        ),
        (
            |tiny| tiny.write("modules.json", b"{}"),
            "…/modules.json is not the JSON that it should be",
        ),
        (
            |tiny| tiny.write("tokenizer.json", b"[1]"),
            "…/tokenizer.json is not a tokenizer that can be used",
        ),
        (
            |tiny| tiny.write("model.safetensors", b"weights"),
            "…/model.safetensors is not a safetensors file",
        ),
        (
            |tiny| tiny.config("model_type", &json!("roberta")),
            "…/config.json has model_type \"roberta\", but only \"bert\" is supported",
        ),
        (
            |tiny| tiny.config("num_attention_heads", &json!(3)),
            "…/config.json has hidden_size 8, num_attention_heads 3 and type_vocab_size 2, but they must be positive \
             and the first a multiple of the second",
        ),
        (
            |tiny| tiny.json("1_Pooling/config.json", &json!({"pooling_mode_max_tokens": true})),
            "…/1_Pooling/config.json has another way of pooling, but only the mean of the tokens or the first token \
             alone are supported",
        ),
        (
            |tiny| {
                tiny.json(
                    "modules.json",
                    &json!([{"type": "sentence_transformers.models.Dense"}]),
                );
            },
            "…/modules.json has a module \"sentence_transformers.models.Dense\", but only Transformer, Pooling and \
             Normalize are supported",
        ),
        (
            |tiny| tiny.json("sentence_bert_config.json", &json!({"max_seq_length": 2})),
            "…/tokenizer.json is not a tokenizer that can be used",
        ),
        (
            |tiny| tiny.config("num_hidden_layers", &json!(u64::MAX)),
            "…/model.safetensors has no tensor encoder.layer.2.attention.self.query.weight",
        ),
        (
            |tiny| tiny.config("intermediate_size", &json!(17)),
            "tensor encoder.layer.0.intermediate.dense.weight in …/model.safetensors is F32 [16, 8] instead of F32 \
             [17, 8]",
        ),
        (
            |tiny| {
                tiny.tensors
                    .get_mut("encoder.layer.1.output.dense.bias")
                    .unwrap()
                    .1[3] = f32::NAN;
                tiny.write_weights();
            },
            "the files in … do not fit together",
        ),
    ];
    for (damage, expected) in cases {
        let mut tiny = Tiny::new();
        damage(&mut tiny);
        let error = tiny.open().unwrap_err();
        let root = tiny.path().canonicalize().unwrap();
        assert_eq!(error.to_string().replace(root.to_str().unwrap(), "…"), expected);
    }
    let error = LocalEmbeddings::open(Path::new("/no/such/model")).unwrap_err();
    assert!(matches!(error, ModelError::Read { .. }), "{error:?}");
    assert_eq!(error.to_string(), "cannot read /no/such/model");
}

#[test]
fn damaged_files_are_errors_and_never_crash() {
    let whole = Tiny::new();
    for file in [
        "config.json",
        "tokenizer.json",
        "1_Pooling/config.json",
        "model.safetensors",
    ] {
        let content = whole.read(file);
        for cut in (0..content.len()).step_by(content.len().div_ceil(60)) {
            let tiny = Tiny::new();
            tiny.write(file, &content[..cut]);
            assert!(tiny.open().is_err(), "the first {cut} bytes of {file}");
            // Another byte may do no harm, but must not crash either.
            let mut content = content.clone();
            content[cut] ^= 0x15;
            tiny.write(file, &content);
            drop(tiny.open());
        }
    }
}
