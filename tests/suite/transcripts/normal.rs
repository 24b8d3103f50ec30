//! Frames without what differs from run to run.

use serde_json::{Map, Value, json};

use crate::harness::Mira;

/// The length of an id in characters.
const ID_CHARS: usize = 26;

/// What placeholders stand for, in the order in which it appeared.
#[derive(Debug)]
pub(super) struct Names {
    directory: String,
    /// Host and port of the models.
    upstream: String,
    ids: Vec<String>,
    seqs: Vec<Value>,
}

impl Names {
    pub(super) fn new(mira: &Mira) -> Self {
        let upstream = mira.upstream.base_url();
        Self {
            directory: mira.directory().to_str().unwrap().to_owned(),
            upstream: upstream
                .trim_start_matches("http://")
                .trim_end_matches("/v1")
                .to_owned(),
            ids: Vec::new(),
            seqs: Vec::new(),
        }
    }

    /// A frame to send, with what its placeholders stand for.
    pub(super) fn resolve(&self, frame: &Value) -> Value {
        let mut text = frame.to_string().replace("<directory>", &self.directory);
        for (number, id) in self.ids.iter().enumerate() {
            text = text.replace(&format!("<id {}>", number + 1), id);
        }
        for (number, seq) in self.seqs.iter().enumerate() {
            text = text.replace(&format!("\"<seq {}>\"", number + 1), &seq.to_string());
        }
        serde_json::from_str(&text).unwrap()
    }

    /// A frame that came, with placeholders.
    pub(super) fn normal(&mut self, frame: Value) -> Value {
        match frame {
            Value::Object(members) => {
                let normal = members.into_iter().map(|(name, member)| {
                    let member = self.member(&name, member);
                    (name, member)
                });
                Value::Object(normal.collect::<Map<_, _>>())
            }
            Value::Array(entries) => entries.into_iter().map(|entry| self.normal(entry)).collect(),
            Value::String(text) => json!(self.text(&text)),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
        }
    }

    fn member(&mut self, name: &str, member: Value) -> Value {
        match name {
            "timestamp" | "created_at" | "updated_at" | "modification_time" | "time_ms" | "created_ms"
            | "updated_ms" | "started_ms" | "finished_ms" | "applied_ms" | "undone_ms" | "duration_ms"
            | "latency_ms" => json!("<time>"),
            "seq" | "last_seq" | "watermark" | "after" => {
                json!(format!("<seq {}>", number(&mut self.seqs, member)))
            }
            _ => self.normal(member),
        }
    }

    fn text(&mut self, text: &str) -> String {
        let text = text
            .replace(&self.directory, "<directory>")
            .replace(&self.upstream, "<upstream>")
            .replace(env!("CARGO_PKG_VERSION"), "<version>");
        let words = text.split_inclusive(|char: char| !char.is_ascii_alphanumeric());
        words.map(|word| self.word(word)).collect()
    }

    /// A run of letters and digits with the character that ends it; an id is replaced.
    fn word(&mut self, word: &str) -> String {
        let bare = word.trim_end_matches(|char: char| !char.is_ascii_alphanumeric());
        if !is_id(bare) {
            return word.to_owned();
        }
        let number = number(&mut self.ids, bare.to_owned());
        word.replace(bare, &format!("<id {number}>"))
    }
}

fn is_id(text: &str) -> bool {
    let known = |char: char| char.is_ascii_digit() || char.is_ascii_uppercase();
    text.len() == ID_CHARS && text.starts_with("01") && text.chars().all(known)
}

/// The number of a value, counted from 1 as they appear.
fn number<T: PartialEq>(known: &mut Vec<T>, value: T) -> usize {
    let place = known.iter().position(|other| *other == value);
    1 + place.unwrap_or_else(|| {
        known.push(value);
        known.len() - 1
    })
}

/// Frames in which pieces of one text that follow each other are one.
pub(super) fn joined(frames: Vec<Value>) -> Vec<Value> {
    let mut joined: Vec<Value> = Vec::new();
    for frame in frames {
        let (place, key, texts) = piece(&frame);
        let before = joined.last_mut().filter(|_| !texts.is_empty());
        match before.filter(|before| piece(before).1 == key) {
            Some(before) => {
                for name in texts {
                    let more = frame.pointer(place).unwrap()[name].as_str().unwrap();
                    let text = &mut before.pointer_mut(place).unwrap()[name];
                    *text = json!(format!("{}{more}", text.as_str().unwrap()));
                }
            }
            None => joined.push(frame),
        }
    }
    joined
}

/// Where a piece of text is in its frame, whose it is, and under which names; no names for anything else.
fn piece(frame: &Value) -> (&'static str, String, &'static [&'static str]) {
    let kind = |place: &str| frame.pointer(place).and_then(Value::as_str).unwrap_or_default();
    match (kind("/params/event/type"), kind("/data/type"), kind("/type")) {
        (kind @ ("operation.streaming" | "operation.reasoning"), ..) => {
            let item = frame["params"]["event"]["item_id"].to_string();
            ("/params/event", format!("{kind} {item}"), &["delta"])
        }
        (_, "operation.streaming", _) => ("/data", "operation".to_owned(), &["content", "delta"]),
        (_, _, "stream") => ("", "stream".to_owned(), &["delta"]),
        _ => ("", String::new(), &[]),
    }
}
