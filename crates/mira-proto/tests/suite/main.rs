//! The wire types against examples of every frame, and the generated files against the types.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod classic;
mod errors;
mod events;
mod generated;
mod methods;
mod rpc;

use std::sync::LazyLock;

use serde_json::Value;

/// The generated JSON Schema.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&mira_proto::schema::json()).unwrap());

/// Checks an example against a definition of the generated JSON Schema, such as `/native/$defs/Project`.
fn assert_fits_schema(pointer: &str, example: &Value) {
    let mut schema = SCHEMA.clone();
    schema["$ref"] = Value::from(format!("#{pointer}"));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> = validator
        .iter_errors(example)
        .map(|error| error.to_string())
        .collect();
    assert!(
        problems.is_empty(),
        "{example} does not fit {pointer}: {problems:?}"
    );
}
