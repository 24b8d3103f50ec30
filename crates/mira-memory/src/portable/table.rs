//! What a line of each type holds, field by field: the one place that knows the format.

use serde_json::value::RawValue;
use sqlx::sqlite::SqliteRow;

use super::line::Refusal;
use super::shape::{Shape, Target, Value};
use crate::row::to_json;
use crate::scope::Scope;

/// A type of line and the table that it stands for.
#[derive(Debug)]
pub(super) struct Table {
    pub kind: Kind,
    pub name: &'static str,
    /// What identifies a row.
    pub key: &'static Column,
    pub columns: &'static [Column],
    pub scope: fn(&Scope) -> String,
}

/// The type of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Session,
    Message,
    /// Stands inside of the line of its message.
    Analysis,
    Summary,
    Fact,
    Profile,
    Pattern,
}

/// A field of a line and where it is kept.
#[derive(Debug)]
pub(super) struct Column {
    pub field: &'static str,
    pub name: &'static str,
    pub shape: Shape,
    pub presence: Presence,
    pub weight: Weight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
}

/// Whether a field says what a thing is, so that another value makes it another thing, or how it stands with it, which
/// changes in the course of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Identity,
    State,
}

const fn column(field: &'static str, name: &'static str, shape: Shape) -> Column {
    Column {
        field,
        name,
        shape,
        presence: Presence::Required,
        weight: Weight::Identity,
    }
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Message => "message",
            Self::Analysis => "analysis",
            Self::Summary => "summary",
            Self::Fact => "fact",
            Self::Profile => "profile",
            Self::Pattern => "pattern",
        }
    }
}

impl Column {
    const fn optional(self) -> Self {
        Self {
            presence: Presence::Optional,
            ..self
        }
    }

    const fn state(self) -> Self {
        Self {
            weight: Weight::State,
            ..self
        }
    }
}

pub(super) static SESSIONS: Table = Table {
    kind: Kind::Session,
    name: "sessions",
    key: &ID,
    columns: &[
        ID,
        column("name", "name", Shape::Name).optional(),
        column("title", "title", Shape::Text).optional().state(),
        column("user", "user_id", Shape::Name),
        column("created_ms", "created_ms", Shape::Time),
        column("updated_ms", "updated_ms", Shape::Time).state(),
    ],
    scope: |scope| scope.sessions().to_owned(),
};

pub(super) static MESSAGES: Table = Table {
    kind: Kind::Message,
    name: "messages",
    key: &ID,
    columns: &[
        ID,
        column("session", "session_id", Shape::Reference(Target::Session)),
        column("role", "role", Shape::Text),
        column("speaker", "speaker", Shape::Text).optional(),
        column("content", "content", Shape::Text),
        column("time_ms", "time_ms", Shape::Time),
        column("project", "project_id", Shape::Id).optional(),
        column("reply_to", "reply_to", Shape::Reference(Target::Message))
            .optional()
            .state(),
        column("tags", "tags", Shape::Texts),
        column("pinned", "pinned", Shape::Flag).state(),
    ],
    scope: |scope| scope.messages("messages"),
};

pub(super) static ANALYSES: Table = Table {
    kind: Kind::Analysis,
    name: "analyses",
    key: &column("message", "message", Shape::Reference(Target::Number)),
    columns: &[
        column("salience", "salience", Shape::Share),
        column("original_salience", "original_salience", Shape::Share),
        column("topics", "topics", Shape::Texts),
        column("mood", "mood", Shape::Text).optional(),
        column("intensity", "intensity", Shape::Share).optional(),
        column("intent", "intent", Shape::Text).optional(),
        column("summary", "summary", Shape::Text).optional(),
        column("relationship_impact", "relationship_impact", Shape::Text).optional(),
        column("contains_code", "contains_code", Shape::Flag),
        column("programming_language", "programming_language", Shape::Text).optional(),
        column("contains_error", "contains_error", Shape::Flag),
        column("error_type", "error_type", Shape::Text).optional(),
        column("error_severity", "error_severity", Shape::Text).optional(),
        column("error_file", "error_file", Shape::Text).optional(),
        column("heads", "heads", Shape::Heads),
        column("analyser", "analyser", Shape::Text),
        column("analysed_ms", "analysed_ms", Shape::Time),
        column("recall_count", "recall_count", Shape::Count),
        column("last_recalled_ms", "last_recalled_ms", Shape::Time).optional(),
    ],
    scope: |scope| scope.messages("messages"),
};

pub(super) static SUMMARIES: Table = Table {
    kind: Kind::Summary,
    name: "summaries",
    key: &ID,
    columns: &[
        ID,
        column("session", "session_id", Shape::Reference(Target::Session)),
        column("kind", "kind", Shape::Text),
        column("text", "text", Shape::Text),
        column("message_count", "message_count", Shape::Count),
        column("first_message", "first_message", Shape::Reference(Target::Number)),
        column("last_message", "last_message", Shape::Reference(Target::Number)),
        column("author", "author", Shape::Text),
        column("created_ms", "created_ms", Shape::Time),
    ],
    scope: |scope| scope.summaries().to_owned(),
};

/// All but `replaced_by`, which has lines of its own because the replacing fact may come later.
pub(super) static FACTS: Table = Table {
    kind: Kind::Fact,
    name: "facts",
    key: &ID,
    columns: &[
        ID,
        column("user", "user_id", Shape::Name),
        column("project", "project_id", Shape::Id).optional(),
        column("subject", "subject", Shape::Text),
        column("key", "key", Shape::Text),
        column("value", "value", Shape::Text),
        column("category", "category", Shape::Text),
        column("confidence", "confidence", Shape::Share).state(),
        column("context", "context", Shape::Text).optional(),
        column(
            "source_message",
            "source_message",
            Shape::Reference(Target::Message),
        )
        .optional()
        .state(),
        column("valid_from_ms", "valid_from_ms", Shape::Time),
        column("valid_to_ms", "valid_to_ms", Shape::Time)
            .optional()
            .state(),
        column("recorded_ms", "recorded_ms", Shape::Time),
        column("retracted_ms", "retracted_ms", Shape::Time)
            .optional()
            .state(),
        column("ended", "ended", Shape::Text).optional().state(),
        column("ended_ms", "ended_ms", Shape::Time).optional().state(),
        column("confirmations", "confirmations", Shape::Confirmations).state(),
        column("tentative", "tentative", Shape::Flag).state(),
        column("pinned", "pinned", Shape::Flag).state(),
    ],
    scope: |scope| scope.facts().to_owned(),
};

pub(super) static PROFILES: Table = Table {
    kind: Kind::Profile,
    name: "profiles",
    key: &USER,
    columns: &[
        USER,
        column("preferred_languages", "preferred_languages", Shape::Texts),
        column("coding_style", "coding_style", Shape::Text).optional(),
        column("code_verbosity", "code_verbosity", Shape::Text).optional(),
        column("testing_philosophy", "testing_philosophy", Shape::Text).optional(),
        column(
            "architecture_preferences",
            "architecture_preferences",
            Shape::Text,
        )
        .optional(),
        column("explanation_depth", "explanation_depth", Shape::Text).optional(),
        column("conversation_style", "conversation_style", Shape::Text).optional(),
        column("profanity_comfort", "profanity_comfort", Shape::Text).optional(),
        column("tech_stack", "tech_stack", Shape::Texts),
        column("learning_goals", "learning_goals", Shape::Texts),
        column("created_ms", "created_ms", Shape::Time).state(),
        column("updated_ms", "updated_ms", Shape::Time).state(),
    ],
    scope: |scope| scope.users().to_owned(),
};

pub(super) static PATTERNS: Table = Table {
    kind: Kind::Pattern,
    name: "patterns",
    key: &ID,
    columns: &[
        ID,
        column("user", "user_id", Shape::Name),
        column("kind", "kind", Shape::Text),
        column("name", "name", Shape::Text),
        column("description", "description", Shape::Text).state(),
        column("examples", "examples", Shape::Ids).state(),
        column("confidence", "confidence", Shape::Share).state(),
        column("applies_when", "applies_when", Shape::Text)
            .optional()
            .state(),
        column("observations", "observations", Shape::Count).state(),
        column("applications", "applications", Shape::Count).state(),
        column("first_observed_ms", "first_observed_ms", Shape::Time),
        column("last_observed_ms", "last_observed_ms", Shape::Time).state(),
        column("weakened_ms", "weakened_ms", Shape::Time)
            .optional()
            .state(),
    ],
    scope: |scope| scope.users().to_owned(),
};

const ID: Column = column("id", "id", Shape::Id);
const USER: Column = column("user", "user_id", Shape::Name);

impl Table {
    /// The columns as expressions that give what lines hold. What refers to something outside of the scope is empty.
    pub(super) fn expressions(&self, scope: &Scope) -> String {
        let expressions: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                let name = format!("{}.{}", self.name, column.name);
                match column.shape {
                    Shape::Reference(Target::Number) => {
                        format!("(SELECT target.id FROM messages target WHERE target.number = {name})")
                    }
                    Shape::Reference(Target::Message) => format!(
                        "(SELECT target.id FROM messages target WHERE target.id = {name} AND {})",
                        scope.messages("target")
                    ),
                    _ => name,
                }
            })
            .collect();
        expressions.join(", ")
    }

    /// The values of a row whose columns from `first` on are [`Self::expressions`].
    pub(super) fn read(&self, row: &SqliteRow, first: usize) -> Result<Vec<Value>, sqlx::Error> {
        (first..)
            .zip(self.columns)
            .map(|(index, column)| column.shape.read(row, index))
            .collect()
    }

    /// The text in a field of a row.
    pub(super) fn text<'a>(&self, values: &'a [Value], field: &str) -> Option<&'a str> {
        let place = self.columns.iter().position(|column| column.field == field)?;
        match values.get(place)? {
            Value::Text(text) => Some(text),
            Value::Null | Value::Integer(_) | Value::Real(_) => None,
        }
    }

    /// What identifies a row.
    pub(super) fn key<'a>(&self, values: &'a [Value]) -> &'a str {
        self.text(values, self.key.field).unwrap_or_default()
    }

    /// A row as the fields of a JSON object; what is empty is left out.
    pub(super) fn write(&self, values: &[Value]) -> String {
        let fields = self.columns.iter().zip(values).filter_map(|(column, value)| {
            let value = column.shape.write(value)?;
            Some(format!("{}:{value}", to_json(column.field)))
        });
        fields.collect::<Vec<_>>().join(",")
    }
}

impl Column {
    /// The value of a field of a line.
    pub(super) fn parse(&self, raw: Option<&RawValue>) -> Result<Value, Refusal> {
        match raw.map(RawValue::get) {
            None | Some("null") => match self.presence {
                Presence::Optional => Ok(Value::Null),
                Presence::Required => Err(Refusal::Missing { field: self.field }),
            },
            Some(json) => self.shape.parse(json).ok_or(Refusal::Invalid {
                field: self.field,
                wanted: self.shape.wanted(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mira_store::{Database, SystemClock};

    use super::*;

    #[tokio::test]
    async fn every_column_is_in_the_format_or_follows_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("memory.db")).await.unwrap();
        let _memory = crate::Memory::open(database.clone(), Arc::new(SystemClock))
            .await
            .unwrap();
        for (table, derived) in [
            (&SESSIONS, ["message_count", "summarised"].as_slice()),
            (&MESSAGES, &["number"]),
            (&ANALYSES, &["message"]),
            (&SUMMARIES, &["number"]),
            // Has lines of its own.
            (&FACTS, &["replaced_by"]),
            (&PROFILES, &[]),
            (&PATTERNS, &[]),
        ] {
            let mut kept: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?1)")
                .bind(table.name)
                .fetch_all(database.readers())
                .await
                .unwrap();
            let mut told: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
            told.extend(derived);
            told.sort_unstable();
            kept.sort_unstable();
            assert_eq!(told, kept, "{}", table.name);
        }
    }
}
