//! SQL, one module per table, behind the types of this crate. Functions that take a connection compose in one
//! transaction.

pub(crate) mod answers;
pub(crate) mod artifacts;
pub(crate) mod delegations;
pub(crate) mod events;
pub(crate) mod operations;
pub(crate) mod removal;
pub(crate) mod usage;

use mira_store::Migrations;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

pub(crate) const MIGRATIONS: Migrations = Migrations {
    owner: "ops",
    steps: &[(
        "operations and their journal",
        include_str!("../../../../migrations/ops/0001_operations_and_journal.sql"),
    )],
};

/// The stored form of an enum of ours: its name in snake case.
fn stored_enum<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|source| Error::Corrupt { what, source })
}

fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|source| Error::Corrupt { what, source })
}

fn to_json<T: Serialize>(what: &'static str, value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|source| Error::Corrupt { what, source })
}

/// Token counts are far below what an `i64` holds.
fn count(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

fn tokens(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// The five token columns that `usage` and `delegations` share.
fn usage_columns(row: &sqlx::sqlite::SqliteRow) -> Result<mira_llm::Usage, sqlx::Error> {
    use sqlx::Row as _;
    Ok(mira_llm::Usage {
        input: tokens(row.try_get("input")?),
        cached_input: tokens(row.try_get("cached_input")?),
        cache_write: tokens(row.try_get("cache_write")?),
        output: tokens(row.try_get("output")?),
        reasoning: tokens(row.try_get("reasoning")?),
    })
}
