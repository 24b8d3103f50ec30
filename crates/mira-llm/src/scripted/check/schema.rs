//! The JSON schemas of tools and of structured output.

use serde_json::Value;

use super::fields::{Fields, elements};
use crate::scripted::violation::Problem;

const NAME_LENGTH: usize = 64;

/// Checks a definition, which has `name`, `strict` and, under `schema_key`, a schema.
pub(super) fn check<'a>(fields: &mut Fields<'a>, definition: &'a Value, schema_key: &str, path: &str) {
    let name = fields.text(&definition["name"], format!("{path}.name"));
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    fields.expect(
        name.len() <= NAME_LENGTH && name.chars().all(plain),
        format!("{path}.name"),
        "at most 64 letters, digits, underscores and hyphens",
    );
    let strict = &definition["strict"];
    fields.expect(
        strict.is_null() || strict.is_boolean(),
        format!("{path}.strict"),
        "a boolean",
    );

    let schema = &definition[schema_key];
    if schema["type"] != "object" {
        fields.expect(false, format!("{path}.{schema_key}"), "a schema of type object");
        return;
    }
    if let Err(error) = jsonschema::validator_for(schema) {
        fields.problems.push(Problem::Schema {
            name: name.to_owned(),
            reason: error.to_string(),
        });
    } else if strict == true {
        check_strict(fields, schema, name, schema_key);
    }
}

/// Every object lists all its properties as required and allows no others; nothing has a default.
fn check_strict(fields: &mut Fields<'_>, schema: &Value, name: &str, path: &str) {
    let mut broken = |rule| {
        fields.problems.push(Problem::NotStrict {
            name: name.to_owned(),
            path: path.to_owned(),
            rule,
        });
    };
    if schema["type"] == "object" || schema["properties"].is_object() {
        if schema["additionalProperties"] != false {
            broken("additionalProperties must be false");
        }
        let properties = schema["properties"].as_object();
        let all_required = properties.is_none_or(|properties| {
            properties
                .keys()
                .all(|key| elements(&schema["required"]).any(|required| required == key))
        });
        if !all_required {
            broken("every property must be required");
        }
    }
    if schema.get("default").is_some() {
        broken("a default is not allowed");
    }
    if schema["items"].is_object() {
        check_strict(fields, &schema["items"], name, &format!("{path}.items"));
    }
    for (index, choice) in elements(&schema["anyOf"]).enumerate() {
        check_strict(fields, choice, name, &format!("{path}.anyOf[{index}]"));
    }
    for keyword in ["properties", "$defs", "definitions"] {
        for (key, schema) in schema[keyword].as_object().into_iter().flatten() {
            check_strict(fields, schema, name, &format!("{path}.{keyword}.{key}"));
        }
    }
}
