//! The table of messages.

use std::collections::HashMap;

use mira_store::{MessageId, ProjectId, SessionId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::names::names;
use crate::outbox::{self, Subject, Work};
use crate::row::{json, named, to_json};
use crate::{Error, session};

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Assistant,
    System,
}

names!(Role: User = "user", Assistant = "assistant", System = "system");

impl Role {
    /// How many roles there are.
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// A number below [`Self::COUNT`].
    pub(crate) const fn place(self) -> usize {
        self as usize
    }
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The order of arrival over all sessions, rising.
    pub number: i64,
    pub id: MessageId,
    pub session: SessionId,
    pub role: Role,
    pub content: String,
    pub time: Timestamp,
    pub project: Option<ProjectId>,
    /// The message that this one answers.
    pub reply_to: Option<MessageId>,
    /// The name of whoever speaks, where it is known.
    pub speaker: Option<String>,
    pub tags: Vec<String>,
    /// Kept above others when there is a choice, and never decaying.
    pub pinned: bool,
}

/// A message to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    pub session: SessionId,
    pub role: Role,
    pub content: String,
    pub project: Option<ProjectId>,
    pub reply_to: Option<MessageId>,
    pub speaker: Option<String>,
    pub tags: Vec<String>,
    /// When it was said, where that is not now.
    pub time: Option<Timestamp>,
}

impl NewMessage {
    /// A message said now that belongs to no project and answers nothing.
    pub fn new(session: SessionId, role: Role, content: impl Into<String>) -> Self {
        Self {
            session,
            role,
            content: content.into(),
            project: None,
            reply_to: None,
            speaker: None,
            tags: Vec::new(),
            time: None,
        }
    }
}

pub(crate) fn from_row(row: &SqliteRow) -> Result<Message, sqlx::Error> {
    Ok(Message {
        number: row.try_get("number")?,
        id: row.try_get("id")?,
        session: row.try_get("session_id")?,
        role: named(row, "role", Role::parse)?,
        content: row.try_get("content")?,
        time: row.try_get("time_ms")?,
        project: row.try_get("project_id")?,
        reply_to: row.try_get("reply_to")?,
        speaker: row.try_get("speaker")?,
        tags: json(row, "tags")?,
        pinned: row.try_get("pinned")?,
    })
}

/// Stores a message under an id that the caller made, so that it can be named before it is stored, and notes that it is
/// to be analysed and embedded.
pub async fn append(
    connection: &mut SqliteConnection,
    id: MessageId,
    new: NewMessage,
    now: Timestamp,
) -> Result<Message, Error> {
    let time = new.time.unwrap_or(now);
    let title = (new.role == Role::User).then_some(new.content.as_str());
    if !session::touch(connection, new.session, title, time).await? {
        return Err(Error::UnknownSession(new.session));
    }
    let number = sqlx::query(
        "INSERT INTO messages (id, session_id, role, content, time_ms, project_id, reply_to, speaker, tags)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )
    .bind(id)
    .bind(new.session)
    .bind(new.role.as_str())
    .bind(&new.content)
    .bind(time)
    .bind(new.project)
    .bind(new.reply_to)
    .bind(&new.speaker)
    .bind(to_json(&new.tags))
    .execute(&mut *connection)
    .await?
    .last_insert_rowid();
    outbox::add(connection, Work::Analyse, Subject::Message(id), now).await?;
    let NewMessage {
        session,
        role,
        content,
        project,
        reply_to,
        speaker,
        tags,
        time: _,
    } = new;
    Ok(Message {
        number,
        id,
        session,
        role,
        content,
        time,
        project,
        reply_to,
        speaker,
        tags,
        pinned: false,
    })
}

/// A message by id.
pub async fn get(connection: &mut SqliteConnection, id: MessageId) -> Result<Option<Message>, Error> {
    sqlx::query("SELECT * FROM messages WHERE id = ?1")
        .bind(id)
        .try_map(|row| from_row(&row))
        .fetch_optional(connection)
        .await
        .map_err(Error::from)
}

/// Messages by number; those that do not exist are left out.
pub(crate) async fn by_number(
    connection: &mut SqliteConnection,
    numbers: &[i64],
) -> Result<HashMap<i64, Message>, Error> {
    let rows = sqlx::query("SELECT * FROM messages WHERE number IN (SELECT value FROM json_each(?1))")
        .bind(to_json(numbers))
        .try_map(|row| from_row(&row))
        .fetch_all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|message| (message.number, message))
        .collect())
}

/// Up to `limit` messages of a session with a smaller number than `before`, newest first.
pub async fn page(
    connection: &mut SqliteConnection,
    session: SessionId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Message>, Error> {
    sqlx::query("SELECT * FROM messages WHERE session_id = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3")
        .bind(session)
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit)
        .try_map(|row| from_row(&row))
        .fetch_all(connection)
        .await
        .map_err(Error::from)
}

/// How many messages of a session came before `number`.
pub(crate) async fn count_before(
    connection: &mut SqliteConnection,
    session: SessionId,
    number: i64,
) -> Result<i64, Error> {
    let count = sqlx::query_scalar(
        "SELECT message_count - (SELECT count(*) FROM messages WHERE session_id = ?1 AND number >= ?2)
         FROM sessions WHERE id = ?1",
    )
    .bind(session)
    .bind(number)
    .fetch_optional(connection)
    .await?;
    Ok(count.unwrap_or(0))
}
