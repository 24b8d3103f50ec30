//! Values of columns that SQLite has no type for.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// What a column of JSON holds. Anything else in it counts as a damaged database.
pub(crate) fn json<T: DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<T, sqlx::Error> {
    let text: &str = row.try_get(column)?;
    serde_json::from_str(text).map_err(|error| {
        sqlx::Error::Decode(format!("the column {column} holds no valid JSON: {error}").into())
    })
}

/// The JSON of a value that is made of texts, numbers and lists alone, which cannot fail.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A value that is stored by one of its fixed names.
pub(crate) fn named<T>(
    row: &SqliteRow,
    column: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, sqlx::Error> {
    let text: &str = row.try_get(column)?;
    parse(text).ok_or_else(|| sqlx::Error::Decode(format!("{text:?} is not a known {column}").into()))
}

/// Like [`named`], for a column that may be empty.
pub(crate) fn optional_named<T>(
    row: &SqliteRow,
    column: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, sqlx::Error> {
    let text: Option<&str> = row.try_get(column)?;
    text.map(|text| {
        parse(text).ok_or_else(|| sqlx::Error::Decode(format!("{text:?} is not a known {column}").into()))
    })
    .transpose()
}
