//! Objects of the native profile as the documentation lists them, read off their JSON Schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::native::{METHODS, Notification};
use crate::rpc::RpcError;

/// A member of an object.
pub(super) struct Member {
    /// Its name, with a question mark if it may be absent.
    pub(super) name: String,
    /// Its type in words, in Markdown.
    pub(super) kind: String,
    pub(super) meaning: String,
}

/// Every type of the native profile that has a name.
pub(super) struct Shapes {
    definitions: Map<String, Value>,
}

impl Shapes {
    pub(super) fn read() -> Self {
        let mut generator = super::generator("/$defs");
        for method in METHODS {
            (method.schemas)(&mut generator);
        }
        for notification in Notification::TYPES {
            (notification.schema)(&mut generator);
        }
        generator.subschema_for::<RpcError>();
        Self {
            definitions: generator.take_definitions(true),
        }
    }

    /// The members of a type: the required ones, then the optional ones, each by name.
    pub(super) fn members(&self, name: &str) -> Vec<Member> {
        let Some(schema) = self.definitions.get(name) else {
            return Vec::new();
        };
        let Some(properties) = schema["properties"].as_object() else {
            return Vec::new();
        };
        let required = |name: &str| {
            schema["required"]
                .as_array()
                .is_some_and(|required| required.iter().any(|entry| entry == name))
        };
        let (optional, mut names): (Vec<_>, Vec<_>) =
            properties.iter().partition(|(name, _)| !required(name));
        names.extend(optional);
        names
            .into_iter()
            .map(|(name, property)| Member {
                name: if required(name) {
                    name.clone()
                } else {
                    format!("{name}?")
                },
                kind: self.kind(property),
                meaning: text(&property["description"]),
            })
            .collect()
    }

    /// The objects that parameters, results and events are made of, with what they are.
    pub(super) fn parts(&self) -> BTreeMap<&str, String> {
        let tops: Vec<&str> = METHODS
            .iter()
            .flat_map(|method| [method.params, method.result])
            .chain(Notification::TYPES.iter().map(|notification| notification.params))
            .collect();
        self.definitions
            .iter()
            .filter(|(name, schema)| schema["properties"].is_object() && !tops.contains(&name.as_str()))
            .map(|(name, schema)| (name.as_str(), text(&schema["description"])))
            .collect()
    }

    fn kind(&self, schema: &Value) -> String {
        if let Some(name) = schema["$ref"]
            .as_str()
            .and_then(|pointer| pointer.rsplit('/').next())
        {
            return self.named(name);
        }
        if let Some(choices) = schema["anyOf"].as_array() {
            let choice = choices.iter().find(|choice| choice["type"] != "null");
            return choice.map_or_else(String::new, |choice| self.kind(choice));
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.first().and_then(Value::as_str),
            kind => kind.as_str(),
        };
        match kind {
            Some("array") => format!("array of {}", self.kind(&schema["items"])),
            Some(kind) => kind.to_owned(),
            None => String::new(),
        }
    }

    /// A type by name: an open list of values is written out, an object is named.
    fn named(&self, name: &str) -> String {
        let values: Vec<String> = self
            .definitions
            .get(name)
            .and_then(|schema| schema["anyOf"].as_array())
            .into_iter()
            .flatten()
            .filter_map(|choice| choice["const"].as_str())
            .map(|value| format!("`{value}`"))
            .collect();
        // The error codes have a table of their own.
        if values.is_empty() || name == "ErrorCode" {
            format!("`{name}`")
        } else {
            values.join(", ")
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().replace('\n', " ")
}
