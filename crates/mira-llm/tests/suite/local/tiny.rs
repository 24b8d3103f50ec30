//! A model directory with a few words and random weights.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use mira_llm::embedding::{LocalEmbeddings, ModelError};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(super) const WIDTH: usize = 8;
const INNER: usize = 16;
const LAYERS: usize = 2;
const POSITIONS: usize = 32;
const WORDS: [&str; 9] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "one", "two", "three", "four", ",",
];

pub(super) struct Tiny {
    directory: TempDir,
    config: Value,
    pub(super) tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Tiny {
    pub(super) fn new() -> Self {
        let config = json!({
            "model_type": "bert", "hidden_act": "gelu", "layer_norm_eps": 1e-12, "hidden_size": WIDTH,
            "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": 2,
            "max_position_embeddings": POSITIONS, "vocab_size": WORDS.len(), "type_vocab_size": 2,
        });
        let tiny = Self {
            directory: TempDir::new().unwrap(),
            config: config.clone(),
            tensors: tensors(),
        };
        fs::create_dir_all(tiny.path().join("1_Pooling")).unwrap();
        tiny.json("config.json", &config);
        tiny.json("tokenizer.json", &tokenizer());
        tiny.json(
            "1_Pooling/config.json",
            &json!({"pooling_mode_mean_tokens": true}),
        );
        tiny.write_weights();
        tiny
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("tiny")
    }

    pub(super) fn open(&self) -> Result<LocalEmbeddings, ModelError> {
        LocalEmbeddings::open(&self.path())
    }

    pub(super) fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.path().join(file)).unwrap()
    }

    pub(super) fn write(&self, file: &str, content: &[u8]) {
        fs::write(self.path().join(file), content).unwrap();
    }

    pub(super) fn remove(&self, file: &str) {
        fs::remove_file(self.path().join(file)).unwrap();
    }

    pub(super) fn json(&self, file: &str, content: &Value) {
        self.write(file, content.to_string().as_bytes());
    }

    pub(super) fn config(&mut self, field: &str, value: &Value) {
        self.config[field] = value.clone();
        let config = self.config.clone();
        self.json("config.json", &config);
    }

    pub(super) fn write_weights(&self) {
        let mut header = serde_json::Map::new();
        let mut data = Vec::new();
        for (name, (shape, numbers)) in &self.tensors {
            let start = data.len();
            data.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
            header.insert(
                name.clone(),
                json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]}),
            );
        }
        let header = Value::Object(header).to_string();
        let mut file = u64::try_from(header.len()).unwrap().to_le_bytes().to_vec();
        file.extend(header.into_bytes());
        file.extend(data);
        self.write("model.safetensors", &file);
    }
}

fn tensors() -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let mut shapes: Vec<(String, Vec<usize>)> = Vec::new();
    for (table, rows) in [("word", WORDS.len()), ("position", POSITIONS), ("token_type", 2)] {
        shapes.push((format!("embeddings.{table}_embeddings.weight"), vec![rows, WIDTH]));
    }
    let mut norms = vec!["embeddings.LayerNorm".to_owned()];
    for layer in 0..LAYERS {
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        for (part, outputs, inputs) in [
            ("attention.self.query", WIDTH, WIDTH),
            ("attention.self.key", WIDTH, WIDTH),
            ("attention.self.value", WIDTH, WIDTH),
            ("attention.output.dense", WIDTH, WIDTH),
            ("intermediate.dense", INNER, WIDTH),
            ("output.dense", WIDTH, INNER),
        ] {
            shapes.push((name(&format!("{part}.weight")), vec![outputs, inputs]));
            shapes.push((name(&format!("{part}.bias")), vec![outputs]));
        }
        norms.extend([name("attention.output.LayerNorm"), name("output.LayerNorm")]);
    }
    for norm in norms {
        shapes.push((format!("{norm}.weight"), vec![WIDTH]));
        shapes.push((format!("{norm}.bias"), vec![WIDTH]));
    }
    let mut state = 1_u64;
    let mut number = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        f32::from(u16::try_from(state >> 48).unwrap()) / 32_768.0 - 1.0
    };
    shapes
        .into_iter()
        .map(|(name, shape)| {
            // Small biases, so that it is the text that decides.
            let scale = if name.ends_with("bias") { 0.05 } else { 1.0 };
            let numbers = (0..shape.iter().product()).map(|_| scale * number()).collect();
            (name, (shape, numbers))
        })
        .collect()
}

fn tokenizer() -> Value {
    let vocabulary: serde_json::Map<String, Value> = WORDS
        .iter()
        .enumerate()
        .map(|(id, word)| ((*word).to_owned(), json!(id)))
        .collect();
    let special = |id: &str| json!({"SpecialToken": {"id": id, "type_id": 0}});
    let text = json!({"Sequence": {"id": "A", "type_id": 0}});
    json!({
        "version": "1.0",
        "truncation": {"max_length": 3, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 64}, "direction": "Right", "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": [],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [special("[CLS]"), text, special("[SEP]")],
            "pair": [special("[CLS]"), text, special("[SEP]")],
            "special_tokens": {
                "[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]},
            },
        },
        "decoder": null,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary},
    })
}
