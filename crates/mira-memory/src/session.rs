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

/// Whether a session or a user may be called so.
pub(crate) fn valid_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= MAX_NAME_CHARS && !name.contains(char::is_control)
}

/// The title of a session whose user began with this.
fn title_of(said: &str) -> String {
    let line = said.trim_start().lines().next().unwrap_or_default();
    line.chars().take(TITLE_CHARS).collect()
}

/// Makes a session. A name that is taken fails as a statement; user names follow the rules of session names.
pub async fn create(
    connection: &mut SqliteConnection,
    name: Option<&str>,
    user: &str,
    now: Timestamp,
) -> Result<Session, Error> {
    if !name.into_iter().chain([user]).all(valid_name) {
        return Err(Error::InvalidName);
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

/// The sessions of a user, or of all.
pub async fn all(connection: &mut SqliteConnection, user: Option<&str>) -> Result<Vec<SessionId>, Error> {
    Ok(
        sqlx::query_scalar("SELECT id FROM sessions WHERE ?1 IS NULL OR user_id = ?1")
            .bind(user)
            .fetch_all(connection)
            .await?,
    )
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
    let touched = sqlx::query(
        "UPDATE sessions SET message_count = message_count + 1, updated_ms = max(updated_ms, ?2),
             title = coalesce(title, ?3) WHERE id = ?1",
    )
    .bind(id)
    .bind(now)
    .bind(title.map(title_of))
    .execute(connection)
    .await?;
    Ok(touched.rows_affected() > 0)
}

/// Makes count and title right after messages were removed.
pub(crate) async fn recount(connection: &mut SqliteConnection, id: SessionId) -> Result<(), Error> {
    let said: Option<String> = sqlx::query_scalar(
        "SELECT content FROM messages WHERE session_id = ?1 AND role = 'user' ORDER BY number LIMIT 1",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE sessions SET title = ?2,
             message_count = (SELECT count(*) FROM messages WHERE session_id = ?1) WHERE id = ?1",
    )
    .bind(id)
    .bind(said.as_deref().map(title_of))
    .execute(connection)
    .await?;
    Ok(())
}
