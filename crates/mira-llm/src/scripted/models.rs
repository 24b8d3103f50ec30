//! The answer of `GET /models`.

use bytes::Bytes;
use serde::Serialize;

use super::dialect::CREATED;
use super::envelope::json;

/// Listed when no rule names a model.
const DEFAULT_MODEL: &str = "scripted";

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Model<'a>>,
}

#[derive(Serialize)]
struct Model<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

pub(super) fn answer(names: &[String]) -> Bytes {
    let model = |id| Model {
        id,
        object: "model",
        created: CREATED,
        owned_by: "script",
    };
    let mut data: Vec<Model<'_>> = names.iter().map(|name| model(name.as_str())).collect();
    if data.is_empty() {
        data.push(model(DEFAULT_MODEL));
    }
    json(&List { object: "list", data })
}
