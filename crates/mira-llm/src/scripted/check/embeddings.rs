//! Requests for embeddings.

use serde_json::Value;

use super::fields::Fields;
use crate::scripted::embedding::{MAX_DIMENSION, MAX_INPUTS};

pub(super) fn check(fields: &mut Fields<'_>) {
    let body = fields.body;
    fields.check_common();
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let inputs = body["input"].as_array();
    fields.expect(
        is_text(&body["input"])
            || inputs
                .is_some_and(|inputs| (1..=MAX_INPUTS).contains(&inputs.len()) && inputs.iter().all(is_text)),
        "input",
        "a text or 1 to 2048 texts, none of them empty",
    );
    let dimensions = &body["dimensions"];
    let possible = |dimension| (1..=MAX_DIMENSION).contains(&dimension);
    fields.expect(
        dimensions.is_null() || dimensions.as_u64().is_some_and(possible),
        "dimensions",
        "an integer from 1 to 8192",
    );
    let format = &body["encoding_format"];
    fields.expect(format.is_null() || format == "float", "encoding_format", "float");
}
