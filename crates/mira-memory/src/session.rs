//! The table of sessions.

use mira_store::{SessionId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::Error;

/// The longest name of a session, in characters.
pub const MAX_NAME_CHARS: usize = 200;

/// The user of a server that serves one person.
pub const DEFAULT_USER: &str = "default";

/// How much of the first user message becomes the title, in characters.
const TITLE_CHARS: usize = 80;

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    /// A name chosen by a client, unique.
    pub name: Option<String>,
    /// The beginning of the first thing the user said.
    pub title: Option<String>,
    /// Whose conversation it is.
    pub user: String,
    pub message_count: i64,
    pub created: Timestamp,
    /// When the last message came.
    pub updated: Timestamp,
}

fn session(row: &SqliteRow) -> Result<Session, sqlx::Error> {
    Ok(Session {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        title: row.try_get("title")?,
        user: row.try_get("user_id")?,
        message_count: row.try_get("message_count")?,
        created: row.try_get("created_ms")?,
        updated: row.try_get("updated_ms")?,
    })
}

/// Makes a session. A name that is taken fails as a statement; user names follow the rules of session names.
pub async fn create(
    connection: &mut SqliteConnection,
    name: Option<&str>,
    user: &str,
    now: Timestamp,
) -> Result<Session, Error> {
    for name in name.into_iter().chain([user]) {
        if name.trim().is_empty()
            || name.chars().count() > MAX_NAME_CHARS
            || name.contains(char::is_control)
        {
            return Err(Error::InvalidName);
        }
    }
    sqlx::query("INSERT INTO sessions (id, name, user_id, created_ms, updated_ms) VALUES (?1, ?2, ?3, ?4, ?4) RETURNING *")
        .bind(SessionId::at(now))
        .bind(name)
        .bind(user)
        .bind(now)
        .try_map(|row| session(&row))
        .fetch_one(connection)
        .await
        .map_err(Error::from)
}

/// A session by id.
pub async fn get(connection: &mut SqliteConnection, id: SessionId) -> Result<Option<Session>, Error> {
    sqlx::query("SELECT * FROM sessions WHERE id = ?1")
        .bind(id)
        .try_map(|row| session(&row))
        .fetch_optional(connection)
        .await
        .map_err(Error::from)
}

/// A session by name.
pub async fn named(connection: &mut SqliteConnection, name: &str) -> Result<Option<Session>, Error> {
    sqlx::query("SELECT * FROM sessions WHERE name = ?1")
        .bind(name)
        .try_map(|row| session(&row))
        .fetch_optional(connection)
        .await
        .map_err(Error::from)
}

/// Up to `limit` sessions after `after`, the last used first.
pub async fn page(
    connection: &mut SqliteConnection,
    after: Option<&Session>,
    limit: u32,
) -> Result<Vec<Session>, Error> {
    sqlx::query(
        "SELECT * FROM sessions WHERE ?1 IS NULL OR (updated_ms, id) < (?1, ?2)
         ORDER BY updated_ms DESC, id DESC LIMIT ?3",
    )
    .bind(after.map(|session| session.updated))
    .bind(after.map(|session| session.id))
    .bind(limit)
    .try_map(|row| session(&row))
    .fetch_all(connection)
    .await
    .map_err(Error::from)
}

/// Counts a new message; the first thing that a user says becomes the title. Says whether the session exists.
pub(crate) async fn touch(
    connection: &mut SqliteConnection,
    id: SessionId,
    title: Option<&str>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let title: Option<String> = title.map(|text| {
        let line = text.trim_start().lines().next().unwrap_or_default();
        line.chars().take(TITLE_CHARS).collect()
    });
    let touched = sqlx::query(
        "UPDATE sessions SET message_count = message_count + 1, updated_ms = max(updated_ms, ?2),
             title = coalesce(title, ?3) WHERE id = ?1",
    )
    .bind(id)
    .bind(now)
    .bind(title)
    .execute(connection)
    .await?;
    Ok(touched.rows_affected() > 0)
}
