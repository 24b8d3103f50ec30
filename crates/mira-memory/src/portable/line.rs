//! One line of an import.

use std::collections::HashMap;

use mira_store::FactId;
use serde_json::value::RawValue;

use super::VERSION;
use super::shape::{Shape, Value};
use super::simple::Simple;
use super::table::{ANALYSES, FACTS, Kind, MESSAGES, PATTERNS, PROFILES, SESSIONS, SUMMARIES, Table};

const MAX_EXCERPT_CHARS: usize = 200;

/// Why a line was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    #[error("the line has more than {} bytes", super::MAX_LINE_BYTES)]
    TooLong,
    #[error("the line is not UTF-8")]
    NotUtf8,
    /// The column counts bytes from 1.
    #[error("the line is no JSON object (column {column})")]
    NotAnObject { column: usize },
    #[error("this is no export of memory in a version up to {VERSION}")]
    UnknownFormat,
    #[error("{kind:?} is not a type of line")]
    UnknownType { kind: String },
    #[error("the field {field} is missing")]
    Missing { field: &'static str },
    #[error("the field {field:?} is unknown")]
    UnknownField { field: String },
    #[error("the field {field} has to be {wanted}")]
    Invalid {
        field: &'static str,
        wanted: &'static str,
    },
    /// What the field refers to is not there, or is not where it has to be.
    #[error("the field {field} refers to {id}, which is unknown here")]
    UnknownReference { field: &'static str, id: String },
    /// The id is taken by something else; it was left as it is.
    #[error("the {kind} {id} exists with another {field}")]
    Conflict {
        kind: &'static str,
        id: String,
        field: &'static str,
    },
    /// A line without a type that is no message.
    #[error("the line is no message: {why}")]
    NotAMessage { why: String },
    /// A message that does not say its session, in an import that was given none.
    #[error("the line names no session, and none was given")]
    NoSession,
    /// A rule of the tables that is checked nowhere else, in the words of the database.
    #[error("the database refused it: {rule}")]
    Rule { rule: String },
}

/// What a line says.
#[derive(Debug)]
pub(super) enum Line {
    Header,
    Row {
        table: &'static Table,
        values: Vec<Value>,
        /// Of a message that was analysed.
        analysis: Option<Vec<Value>>,
    },
    Replacement {
        fact: FactId,
        by: FactId,
    },
    Simple(Simple),
}

type Fields<'a> = HashMap<String, &'a RawValue>;

impl Line {
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut fields = object(text)?;
        if fields.contains_key("mira") {
            let is = |field, wanted: &str| fields.get(field).is_some_and(|raw| raw.get() == wanted);
            return if is("mira", r#""memory""#) && is("version", &VERSION.to_string()) {
                Ok(Self::Header)
            } else {
                Err(Refusal::UnknownFormat)
            };
        }
        let Some(kind) = fields.remove("type") else {
            return Simple::parse(text).map(Self::Simple);
        };
        let kind = kind.get().trim_matches('"');
        if kind == "replacement" {
            let line = Self::Replacement {
                fact: fact(&mut fields, "fact")?,
                by: fact(&mut fields, "by")?,
            };
            nothing_left(&fields)?;
            return Ok(line);
        }
        let table = [&SESSIONS, &MESSAGES, &SUMMARIES, &FACTS, &PROFILES, &PATTERNS]
            .into_iter()
            .find(|table| table.kind.as_str() == kind)
            .ok_or_else(|| Refusal::UnknownType { kind: excerpt(kind) })?;
        let analysis = match table.kind {
            Kind::Message => fields
                .remove("analysis")
                .map(RawValue::get)
                .filter(|json| *json != "null"),
            _ => None,
        };
        let line = Self::Row {
            table,
            values: take(table, &mut fields)?,
            analysis: match analysis {
                Some(json) => {
                    let mut fields = object(json)?;
                    let values = take(&ANALYSES, &mut fields)?;
                    nothing_left(&fields)?;
                    Some(values)
                }
                None => None,
            },
        };
        nothing_left(&fields)?;
        Ok(line)
    }
}

fn object(json: &str) -> Result<Fields<'_>, Refusal> {
    serde_json::from_str(json).map_err(|error| Refusal::NotAnObject {
        column: error.column(),
    })
}

fn take(table: &Table, fields: &mut Fields<'_>) -> Result<Vec<Value>, Refusal> {
    table
        .columns
        .iter()
        .map(|column| column.parse(fields.remove(column.field)))
        .collect()
}

fn fact(fields: &mut Fields<'_>, field: &'static str) -> Result<FactId, Refusal> {
    let raw = fields.remove(field).ok_or(Refusal::Missing { field })?;
    raw.get().trim_matches('"').parse().map_err(|_| Refusal::Invalid {
        field,
        wanted: Shape::Id.wanted(),
    })
}

/// A field that nobody knows would be lost.
fn nothing_left(fields: &Fields<'_>) -> Result<(), Refusal> {
    match fields.keys().min() {
        Some(field) => Err(Refusal::UnknownField {
            field: excerpt(field),
        }),
        None => Ok(()),
    }
}

/// As much of a stranger's word as belongs into an error.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(MAX_EXCERPT_CHARS).collect()
}
