//! What stands in the fields of lines, and how it is kept.

use mira_store::MessageId;
use mira_store::vector::Head;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use ulid::Ulid;

use crate::fact::Confirmation;
use crate::row::to_json;
use crate::session::valid_name;

/// The last millisecond of the year 9999, and as far back.
pub(super) const LATEST_MS: u64 = 253_402_300_799_999;

/// What a field may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Id,
    /// The id of a row of another table.
    Reference(Target),
    /// A name of a session or user.
    Name,
    Text,
    /// 0 to 4,294,967,295.
    Count,
    /// Milliseconds since the Unix epoch.
    Time,
    /// 0 to 1.
    Share,
    Flag,
    /// A list of texts.
    Texts,
    /// A list of heads.
    Heads,
    /// A list of ids of messages, which may be gone.
    Ids,
    /// A list of when and by which message a fact was said again.
    Confirmations,
}

/// What is referred to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Session,
    Message,
    /// A message, by its number in the table.
    Number,
}

/// A value of a field as SQLite keeps it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
}

impl Shape {
    /// What a column of a row holds.
    pub(super) fn read(self, row: &SqliteRow, index: usize) -> Result<Value, sqlx::Error> {
        Ok(match self {
            Self::Count | Self::Time | Self::Flag => row
                .try_get::<Option<i64>, _>(index)?
                .map_or(Value::Null, Value::Integer),
            Self::Share => row
                .try_get::<Option<f64>, _>(index)?
                .map_or(Value::Null, Value::Real),
            Self::Id
            | Self::Reference(_)
            | Self::Name
            | Self::Text
            | Self::Texts
            | Self::Heads
            | Self::Ids
            | Self::Confirmations => row
                .try_get::<Option<String>, _>(index)?
                .map_or(Value::Null, Value::Text),
        })
    }

    /// A value as JSON; none for the empty one.
    pub(super) fn write(self, value: &Value) -> Option<String> {
        Some(match value {
            Value::Null => return None,
            Value::Integer(number) if self == Self::Flag => (*number != 0).to_string(),
            Value::Integer(number) => number.to_string(),
            Value::Real(number) => to_json(number),
            Value::Text(list) if self.is_list() => list.clone(),
            Value::Text(text) => to_json(text),
        })
    }

    /// The value that JSON tells, if it has this shape.
    pub(super) fn parse(self, json: &str) -> Option<Value> {
        let text = || serde_json::from_str::<String>(json).ok();
        match self {
            Self::Id | Self::Reference(_) => text()
                .filter(|text| Ulid::from_string(text).is_ok_and(|id| id.to_string() == *text))
                .map(Value::Text),
            Self::Name => text().filter(|text| valid_name(text)).map(Value::Text),
            Self::Text => text().map(Value::Text),
            Self::Count => json.parse::<u32>().ok().map(|count| Value::Integer(count.into())),
            Self::Time => json
                .parse::<i64>()
                .ok()
                .filter(|ms| ms.unsigned_abs() <= LATEST_MS)
                .map(Value::Integer),
            // The standard library reads back exactly what was written.
            Self::Share => json
                .parse::<f64>()
                .ok()
                .filter(|share| (0.0..=1.0).contains(share))
                .map(Value::Real),
            Self::Flag => serde_json::from_str::<bool>(json)
                .ok()
                .map(|flag| Value::Integer(flag.into())),
            Self::Texts => list::<String>(json),
            Self::Heads => list::<Head>(json),
            Self::Ids => list::<MessageId>(json),
            Self::Confirmations => list::<Confirmation>(json),
        }
    }

    /// Whether it is kept as JSON.
    const fn is_list(self) -> bool {
        matches!(self, Self::Texts | Self::Heads | Self::Ids | Self::Confirmations)
    }

    /// What it has to be, in words.
    pub(super) const fn wanted(self) -> &'static str {
        match self {
            Self::Id | Self::Reference(_) => "an id of 26 characters (a ULID)",
            Self::Name => "a name of 1 to 200 characters without control characters",
            Self::Text => "a text",
            Self::Count => "a whole number",
            Self::Time => "a time in milliseconds since 1970",
            Self::Share => "a number from 0 to 1",
            Self::Flag => "true or false",
            Self::Texts => "a list of texts",
            Self::Heads => "a list of heads (semantic, code, summary, documents, relationship)",
            Self::Ids => "a list of ids",
            Self::Confirmations => "a list of times and messages",
        }
    }
}

/// A list in the form in which it is kept.
fn list<T: DeserializeOwned + Serialize>(json: &str) -> Option<Value> {
    let list: Vec<T> = serde_json::from_str(json).ok()?;
    Some(Value::Text(to_json(&list)))
}
