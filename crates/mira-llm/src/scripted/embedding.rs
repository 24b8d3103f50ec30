//! Embeddings without a model: hashed n-grams, so that texts with words or parts of words in common are similar.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::envelope::json;

/// Weight of a whole word, against [`TRIGRAM_WEIGHT`] for each three letters of it.
const WORD_WEIGHT: f32 = 2.0;
const TRIGRAM_WEIGHT: f32 = 1.0;
/// Weight of two words in a row.
const PAIR_WEIGHT: f32 = 1.0;

/// Dimension of a request that does not say.
const DEFAULT_DIMENSION: usize = 1536;
const LARGE_DIMENSION: usize = 3072;
/// Largest dimension that a request may ask for.
pub(super) const MAX_DIMENSION: u64 = 8192;
/// Most inputs of one request, as OpenAI has it.
pub(super) const MAX_INPUTS: usize = 2048;

/// The vector that the upstream answers for this text: of length 1, the same for the same text always, near to
/// that of a text with much in common and almost orthogonal to that of an unrelated one.
///
/// The text is lower-cased and cut into words of letters and digits; each word, each pair of neighbours and each
/// trigram of the padded word adds its weight, with a sign, at the place that its hash gives (the hashing trick of
/// Weinberger et al., 2009). A text without words gives a unit vector that depends on its bytes alone.
pub fn embed(text: &str, dimension: usize) -> Vec<f32> {
    let mut vector = vec![0.0; dimension];
    let lower = text.to_lowercase();
    let words = lower
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut previous = "";
    for word in words {
        add(&mut vector, &["w", word], WORD_WEIGHT);
        if !previous.is_empty() {
            add(&mut vector, &["p", previous, " ", word], PAIR_WEIGHT);
        }
        add_trigrams(&mut vector, word);
        previous = word;
    }
    if vector.iter().all(|weight| *weight == 0.0) {
        add(&mut vector, &["t", text], 1.0);
    }
    let length = vector.iter().map(|weight| weight * weight).sum::<f32>().sqrt();
    if length > 0.0 {
        for weight in &mut vector {
            *weight /= length;
        }
    }
    vector
}

fn add_trigrams(vector: &mut [f32], word: &str) {
    let mut window = ['^'; 3];
    let mut buffer = [0; 4];
    for letter in word.chars().chain(['$']) {
        window.rotate_left(1);
        window[2] = letter;
        let mut hash = Fnv::default();
        hash.write(b"3");
        for letter in window {
            hash.write(letter.encode_utf8(&mut buffer).as_bytes());
        }
        add_hash(vector, hash.0, TRIGRAM_WEIGHT);
    }
}

fn add(vector: &mut [f32], feature: &[&str], weight: f32) {
    let mut hash = Fnv::default();
    for part in feature {
        hash.write(part.as_bytes());
    }
    add_hash(vector, hash.0, weight);
}

fn add_hash(vector: &mut [f32], hash: u64, weight: f32) {
    // The low bits of FNV-1a are its best; the sign comes from a bit that the place does not depend on much.
    let sign = if (hash >> 63) == 0 { 1.0 } else { -1.0 };
    let place = (hash & 0x7fff_ffff_ffff_ffff) % (vector.len().max(1) as u64);
    let place = usize::try_from(place)
        .ok()
        .and_then(|place| vector.get_mut(place));
    if let Some(place) = place {
        *place += sign * weight;
    }
}

/// The 64-bit hash FNV-1a.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = Fnv::default();
    hash.write(bytes);
    hash.0
}

struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Entry>,
    model: &'a str,
    usage: Usage,
}

#[derive(Serialize)]
struct Entry {
    object: &'static str,
    index: usize,
    embedding: Vec<f32>,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

/// Answers a request that has been checked.
pub(super) fn answer(body: &Value) -> Bytes {
    let model = body["model"].as_str().unwrap_or_default();
    let natural = if model == "text-embedding-3-large" {
        LARGE_DIMENSION
    } else {
        DEFAULT_DIMENSION
    };
    let asked = body["dimensions"]
        .as_u64()
        .and_then(|dimension| usize::try_from(dimension).ok());
    let dimension = asked.unwrap_or(natural);
    let inputs: Vec<&str> = match &body["input"] {
        Value::String(text) => vec![text],
        input => input
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect(),
    };
    let tokens = inputs.iter().map(|text| text.len().div_ceil(4)).sum();
    let entry = |(index, text): (usize, &&str)| Entry {
        object: "embedding",
        index,
        embedding: embed(text, dimension),
    };
    json(&List {
        object: "list",
        data: inputs.iter().enumerate().map(entry).collect(),
        model,
        usage: Usage {
            prompt_tokens: tokens,
            total_tokens: tokens,
        },
    })
}
