//! The schema of a tool's arguments, in the strict form that providers enforce: every property required, none other
//! allowed, optional ones nullable.

use mira_llm::chat::Tool;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Arguments;

pub(crate) fn tool<T: Arguments>() -> Tool {
    Tool {
        name: T::NAME.to_owned(),
        description: T::DESCRIPTION.to_owned(),
        parameters: strict::<T>(),
        strict: true,
    }
}

fn strict<T: schemars::JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    tighten(&mut schema);
    if let Value::Object(root) = &mut schema {
        // The description of the tool says it better.
        root.remove("title");
        root.remove("description");
    }
    schema
}

fn tighten(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            // What strict schemas may not have.
            for keyword in ["default", "format", "minimum"] {
                if object.get(keyword).is_some_and(|value| !value.is_object()) {
                    object.remove(keyword);
                }
            }
            if object.get("type").and_then(Value::as_str) == Some("object") {
                let names: Vec<Value> = object
                    .get("properties")
                    .and_then(Value::as_object)
                    .map(|properties| properties.keys().cloned().map(Value::String).collect())
                    .unwrap_or_default();
                object
                    .entry("properties")
                    .or_insert_with(|| Value::Object(serde_json::Map::new()));
                object.insert("required".to_owned(), Value::Array(names));
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            object.values_mut().for_each(tighten);
        }
        Value::Array(items) => items.iter_mut().for_each(tighten),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
