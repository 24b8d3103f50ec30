//! The wire in other notations: JSON Schema, TypeScript, and the tables of the documentation.

mod shapes;
mod tables;
#[cfg(feature = "ts")]
mod typescript;

pub use tables::{RefreshError, refresh_tables};
#[cfg(feature = "ts")]
pub use typescript::typescript;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::classic::{ClientFrame, ServerFrame};
use crate::native::{METHODS, Notification, PROTOCOL_VERSION};
use crate::rpc::RpcError;

/// Both profiles as one JSON document: every method, notification and frame with a JSON Schema (draft 2020-12).
///
/// A schema lists the kinds of events and the members that this version knows; a newer server may send others.
pub fn json() -> String {
    let document = json!({
        "title": "Mira protocol",
        "native": native(),
        "classic": classic(),
    });
    format!("{document:#}\n")
}

fn native() -> Value {
    let mut generator = generator("/native/$defs");
    let methods: Map<String, Value> = METHODS
        .iter()
        .map(|method| {
            let (params, result) = (method.schemas)(&mut generator);
            let entry = json!({
                "summary": method.summary.trim(),
                "mutates": method.mutates,
                "params": params,
                "result": result,
            });
            (method.name.to_owned(), entry)
        })
        .collect();
    let notifications: Map<String, Value> = Notification::TYPES
        .iter()
        .map(|notification| {
            let entry = json!({
                "summary": notification.summary.trim(),
                "params": (notification.schema)(&mut generator),
            });
            (notification.name.to_owned(), entry)
        })
        .collect();
    let error = generator.subschema_for::<RpcError>();
    json!({
        "protocol_version": PROTOCOL_VERSION,
        "methods": methods,
        "notifications": notifications,
        "error": error,
        "$defs": generator.take_definitions(true),
    })
}

fn classic() -> Value {
    let mut generator = generator("/classic/$defs");
    let client = generator.subschema_for::<ClientFrame>();
    let server = generator.subschema_for::<ServerFrame>();
    json!({
        "client": client,
        "server": server,
        "$defs": generator.take_definitions(true),
    })
}

fn generator(definitions: &'static str) -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = definitions.into())
        .into_generator()
}
