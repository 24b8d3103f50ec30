//! Rows of lines, put into the tables.

use mira_store::FactId;
use sqlx::error::ErrorKind;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, AssertSqlSafe, SqliteConnection};

use super::line::{Refusal, excerpt};
use super::shape::{Shape, Target, Value};
use super::table::{ANALYSES, Kind, Table, Weight};
use crate::Error;
use crate::scope::Scope;

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Added,
    Known,
}

/// Why nothing became of a line.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It is the line's fault; the others are not concerned.
    Refused(Refusal),
    Failed(Error),
}

/// Whether the row is there. One of the same key that is another thing is a conflict.
pub(super) async fn known(
    connection: &mut SqliteConnection,
    table: &Table,
    values: &[Value],
) -> Result<bool, Trouble> {
    let key = table.key(values);
    let sql = format!(
        "SELECT {} FROM {} WHERE {} = ?2",
        table.expressions(&Scope::Everything),
        table.name,
        table.key.name
    );
    let found = sqlx::query(AssertSqlSafe(sql))
        .bind(Scope::Everything.bound())
        .bind(key)
        .try_map(|row| table.read(&row, 0))
        .fetch_optional(connection)
        .await?;
    let Some(found) = found else {
        return Ok(false);
    };
    let mut fields = table.columns.iter().zip(found.iter().zip(values));
    match fields.find(|(column, (there, here))| column.weight == Weight::Identity && there != here) {
        Some((column, _)) => Err(Trouble::Refused(Refusal::Conflict {
            kind: table.kind.as_str(),
            id: excerpt(key),
            field: column.field,
        })),
        None => Ok(true),
    }
}

/// Adds a row and returns its number; an analysis belongs to the message of a number.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    table: &Table,
    values: &[Value],
    message: Option<i64>,
) -> Result<i64, Trouble> {
    let mut names = Vec::with_capacity(values.len() + 1);
    let mut places = Vec::with_capacity(values.len() + 1);
    let mut arguments = SqliteArguments::default();
    let mut bind = |value: Value| match value {
        Value::Null => arguments.add(None::<i64>),
        Value::Integer(number) => arguments.add(number),
        Value::Real(number) => arguments.add(number),
        Value::Text(text) => arguments.add(text),
    };
    for (column, value) in table.columns.iter().zip(values) {
        if let (Shape::Reference(target), Value::Text(id)) = (column.shape, value) {
            let session = table.text(values, "session").unwrap_or_default();
            if !target.exists(connection, id, session).await? {
                return Err(Trouble::Refused(Refusal::UnknownReference {
                    field: column.field,
                    id: id.clone(),
                }));
            }
        }
        names.push(column.name);
        places.push(match column.shape {
            Shape::Reference(Target::Number) => "(SELECT number FROM messages WHERE id = ?)",
            _ => "?",
        });
        bind(value.clone()).map_err(sqlx::Error::Encode)?;
    }
    if let Some(number) = message {
        names.push(ANALYSES.key.name);
        places.push("?");
        bind(Value::Integer(number)).map_err(sqlx::Error::Encode)?;
    }
    let sql = format!(
        "INSERT INTO {} ({}) VALUES ({})",
        table.name,
        names.join(", "),
        places.join(", ")
    );
    let inserted = sqlx::query_with(AssertSqlSafe(sql), arguments)
        .execute(connection)
        .await?;
    Ok(inserted.last_insert_rowid())
}

/// Notes that a fact took the place of another.
pub(super) async fn replace(
    connection: &mut SqliteConnection,
    fact: FactId,
    by: FactId,
) -> Result<Outcome, Trouble> {
    let unknown = |field, id: FactId| {
        Trouble::Refused(Refusal::UnknownReference {
            field,
            id: id.to_string(),
        })
    };
    let replaced_by = async |connection: &mut SqliteConnection, id: FactId| {
        sqlx::query_scalar::<_, Option<FactId>>("SELECT replaced_by FROM facts WHERE id = ?1")
            .bind(id)
            .fetch_optional(connection)
            .await
    };
    match replaced_by(connection, fact).await? {
        None => return Err(unknown("fact", fact)),
        Some(Some(there)) if there == by => return Ok(Outcome::Known),
        Some(Some(_)) => {
            return Err(Trouble::Refused(Refusal::Conflict {
                kind: Kind::Fact.as_str(),
                id: fact.to_string(),
                field: "by",
            }));
        }
        Some(None) => {}
    }
    if replaced_by(connection, by).await?.is_none() {
        return Err(unknown("by", by));
    }
    sqlx::query("UPDATE facts SET replaced_by = ?2 WHERE id = ?1")
        .bind(fact)
        .bind(by)
        .execute(connection)
        .await?;
    Ok(Outcome::Added)
}

impl Target {
    /// Whether it is there; what has a number, in this session.
    async fn exists(self, connection: &mut SqliteConnection, id: &str, session: &str) -> Result<bool, Error> {
        let query = match self {
            Self::Session => {
                sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sessions WHERE id = ?1)").bind(id)
            }
            Self::Message => {
                sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM messages WHERE id = ?1)").bind(id)
            }
            Self::Number => {
                sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM messages WHERE id = ?1 AND session_id = ?2)")
                    .bind(id)
                    .bind(session)
            }
        };
        Ok(query.fetch_one(connection).await?)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(mira_store::Error::Statement(error)) => error.into(),
            other => Self::Failed(other),
        }
    }
}

/// What breaks a rule of the tables, or cannot be read back, is the line's fault.
impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        let rule = match &error {
            sqlx::Error::Database(refused)
                if matches!(
                    refused.kind(),
                    ErrorKind::UniqueViolation
                        | ErrorKind::ForeignKeyViolation
                        | ErrorKind::NotNullViolation
                        | ErrorKind::CheckViolation
                ) =>
            {
                refused.message().to_owned()
            }
            sqlx::Error::Decode(source) | sqlx::Error::ColumnDecode { source, .. } => source.to_string(),
            _ => return Self::Failed(error.into()),
        };
        Self::Refused(Refusal::Rule { rule: excerpt(&rule) })
    }
}
