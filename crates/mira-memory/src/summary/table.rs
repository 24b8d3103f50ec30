//! The table of summaries, and the messages that they are made of.

use mira_store::{SessionId, SummaryId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{Kind, Summary};
use crate::outbox::{self, Subject, Work};
use crate::row::{named, to_json};
use crate::{Error, secret};

/// Characters of all messages together that a summary is made of; each has an equal share.
const MATERIAL_CHARS: usize = 60_000;

/// The smallest and the largest share of one message.
const MIN_SHARE: usize = 40;
const MAX_SHARE: usize = 8_000;

/// Stands on a line of its own for a middle that was cut out.
pub(super) const CUT: &str = "[…]";

/// A summary that is to be made.
#[derive(Debug)]
pub(super) struct Draft {
    pub session: SessionId,
    pub kind: Kind,
    /// Of the messages that it is to cover, in order, at least one.
    pub numbers: Vec<i64>,
}

impl Draft {
    /// The first number and the last.
    pub(super) fn range(&self) -> (i64, i64) {
        let end = |number: Option<&i64>| number.copied().unwrap_or_default();
        (end(self.numbers.first()), end(self.numbers.last()))
    }
}

/// What a summary is made of.
#[derive(Debug)]
pub(super) struct Material {
    pub kind: Kind,
    pub lines: Vec<Line>,
    /// The short summaries of some of the messages, for a long one.
    pub parts: Vec<Summary>,
    /// The summary of what came before.
    pub before: Option<Summary>,
}

/// A message as it is summarised: without secrets, and without its middle when it is long.
#[derive(Debug)]
pub(super) struct Line {
    pub number: i64,
    pub speaker: String,
    pub by_user: bool,
    pub time: Timestamp,
    pub text: String,
}

fn from_row(row: &SqliteRow) -> Result<Summary, sqlx::Error> {
    Ok(Summary {
        id: row.try_get("id")?,
        session: row.try_get("session_id")?,
        kind: named(row, "kind", Kind::stored)?,
        text: row.try_get("text")?,
        message_count: row.try_get("message_count")?,
        first_message: row.try_get("first_message")?,
        last_message: row.try_get("last_message")?,
        author: row.try_get("author")?,
        created: row.try_get("created_ms")?,
    })
}

/// A summary by id.
pub(crate) async fn get(connection: &mut SqliteConnection, id: SummaryId) -> Result<Option<Summary>, Error> {
    sqlx::query("SELECT * FROM summaries WHERE id = ?1")
        .bind(id)
        .try_map(|row| from_row(&row))
        .fetch_optional(connection)
        .await
        .map_err(Error::from)
}

/// Up to `limit` summaries of a session, the last made first.
pub(super) async fn page(
    connection: &mut SqliteConnection,
    session: SessionId,
    limit: u32,
) -> Result<Vec<Summary>, Error> {
    sqlx::query("SELECT * FROM summaries WHERE session_id = ?1 ORDER BY number DESC LIMIT ?2")
        .bind(session)
        .bind(limit)
        .try_map(|row| from_row(&row))
        .fetch_all(connection)
        .await
        .map_err(Error::from)
}

/// The summary of a kind that reaches furthest; of several the last made.
pub(super) async fn latest(
    connection: &mut SqliteConnection,
    session: SessionId,
    kind: Kind,
) -> Result<Option<Summary>, Error> {
    sqlx::query(
        "SELECT * FROM summaries WHERE session_id = ?1 AND kind = ?2 ORDER BY last_message DESC, number DESC LIMIT 1",
    )
    .bind(session)
    .bind(kind.as_str())
    .try_map(|row| from_row(&row))
    .fetch_optional(connection)
    .await
    .map_err(Error::from)
}

/// The newest short rolling summaries that reach beyond a message, in the order of the conversation.
pub(super) async fn beyond(
    connection: &mut SqliteConnection,
    session: SessionId,
    message: i64,
    limit: u32,
) -> Result<Vec<Summary>, Error> {
    let mut newest = sqlx::query(
        "SELECT * FROM summaries WHERE session_id = ?1 AND kind = ?2 AND last_message > ?3
         ORDER BY last_message DESC LIMIT ?4",
    )
    .bind(session)
    .bind(Kind::Rolling10.as_str())
    .bind(message)
    .bind(limit)
    .try_map(|row| from_row(&row))
    .fetch_all(connection)
    .await?;
    newest.reverse();
    Ok(newest)
}

/// A session that may need a summary, the least recently used first.
pub(super) async fn unsummarised(connection: &mut SqliteConnection) -> Result<Option<SessionId>, Error> {
    sqlx::query_scalar("SELECT id FROM sessions WHERE summarised = 0 ORDER BY updated_ms LIMIT 1")
        .fetch_optional(connection)
        .await
        .map_err(Error::from)
}

/// Notes that a session needs no summary until it changes.
pub(super) async fn mark_summarised(
    connection: &mut SqliteConnection,
    session: SessionId,
) -> Result<(), Error> {
    sqlx::query("UPDATE sessions SET summarised = 1 WHERE id = ?1")
        .bind(session)
        .execute(connection)
        .await?;
    Ok(())
}

/// The first up to `size` messages that no rolling summary of a kind covers: what stands in the first gap between two
/// summaries, however few; else what follows the last one, when there are `least` or more.
pub(super) async fn uncovered(
    connection: &mut SqliteConnection,
    session: SessionId,
    kind: Kind,
    size: u32,
    least: u32,
) -> Result<Vec<i64>, Error> {
    let gap: Option<(i64, i64)> = sqlx::query_as(
        "SELECT before, first_message FROM (
             SELECT first_message, lag(last_message, 1, 0) OVER (ORDER BY last_message) AS before
             FROM summaries WHERE session_id = ?1 AND kind = ?2
         )
         WHERE EXISTS (SELECT 1 FROM messages WHERE session_id = ?1 AND number > before AND number < first_message)
         ORDER BY first_message LIMIT 1",
    )
    .bind(session)
    .bind(kind.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    let numbers: Vec<i64> = sqlx::query_scalar(
        "SELECT number FROM messages WHERE session_id = ?1 AND number < ?4 AND number > coalesce(?3,
             (SELECT max(last_message) FROM summaries WHERE session_id = ?1 AND kind = ?2), 0)
         ORDER BY number LIMIT ?5",
    )
    .bind(session)
    .bind(kind.as_str())
    .bind(gap.map(|(after, _)| after))
    .bind(gap.map_or(i64::MAX, |(_, until)| until))
    .bind(size)
    .fetch_all(connection)
    .await?;
    let least = if gap.is_some() { 1 } else { least as usize };
    Ok(if numbers.len() < least {
        Vec::new()
    } else {
        numbers
    })
}

/// The newest messages of a session, in order.
pub(super) async fn newest_messages(
    connection: &mut SqliteConnection,
    session: SessionId,
    limit: u32,
) -> Result<Vec<i64>, Error> {
    let mut numbers: Vec<i64> =
        sqlx::query_scalar("SELECT number FROM messages WHERE session_id = ?1 ORDER BY number DESC LIMIT ?2")
            .bind(session)
            .bind(limit)
            .fetch_all(connection)
            .await?;
    numbers.reverse();
    Ok(numbers)
}

/// Reads what a summary is to be made of.
pub(super) async fn material(connection: &mut SqliteConnection, draft: &Draft) -> Result<Material, Error> {
    let share = (MATERIAL_CHARS / draft.numbers.len().max(1)).clamp(MIN_SHARE, MAX_SHARE);
    // Each message is cut as it is read, so that they never stand in memory whole together.
    let lines = sqlx::query(
        "SELECT number, role, speaker, time_ms, content FROM messages
         WHERE number IN (SELECT value FROM json_each(?1)) ORDER BY number",
    )
    .bind(to_json(&draft.numbers))
    .try_map(|row: SqliteRow| {
        let role: &str = row.try_get("role")?;
        let speaker: Option<String> = row.try_get("speaker")?;
        Ok(Line {
            number: row.try_get("number")?,
            speaker: speaker.unwrap_or_else(|| role.to_owned()),
            by_user: role == "user",
            time: row.try_get("time_ms")?,
            text: without_middle(&secret::mask(row.try_get("content")?), share),
        })
    })
    .fetch_all(&mut *connection)
    .await?;
    let (first, last) = draft.range();
    let parts = match draft.kind {
        Kind::Rolling10 | Kind::Snapshot => Vec::new(),
        Kind::Rolling100 => {
            sqlx::query(
                "SELECT * FROM summaries WHERE session_id = ?1 AND kind = ?2 AND first_message >= ?3 AND last_message <= ?4
                 ORDER BY last_message",
            )
            .bind(draft.session)
            .bind(Kind::Rolling10.as_str())
            .bind(first)
            .bind(last)
            .try_map(|row| from_row(&row))
            .fetch_all(&mut *connection)
            .await?
        }
    };
    let before = sqlx::query(
        "SELECT * FROM summaries WHERE session_id = ?1 AND last_message < ?3 AND (kind = ?2 OR ?2 = 'snapshot')
         ORDER BY last_message DESC, number DESC LIMIT 1",
    )
    .bind(draft.session)
    .bind(draft.kind.as_str())
    .bind(first)
    .try_map(|row| from_row(&row))
    .fetch_optional(connection)
    .await?;
    Ok(Material {
        kind: draft.kind,
        lines,
        parts,
        before,
    })
}

/// Whether all that a summary was made of is still there, and nobody else has covered any of it. A text that was removed
/// meanwhile must not live on in the summary.
pub(super) async fn is_current(
    connection: &mut SqliteConnection,
    draft: &Draft,
    material: &Material,
) -> Result<bool, Error> {
    let (first, last) = draft.range();
    let there: Vec<i64> = sqlx::query_scalar(
        "SELECT number FROM messages WHERE session_id = ?1 AND number BETWEEN ?2 AND ?3 ORDER BY number",
    )
    .bind(draft.session)
    .bind(first)
    .bind(last)
    .fetch_all(&mut *connection)
    .await?;
    let changed: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM summaries WHERE session_id = ?1 AND kind = ?2 AND kind <> 'snapshot'
                 AND first_message <= ?4 AND last_message >= ?3)
             OR (?5 IS NOT NULL AND NOT EXISTS (SELECT 1 FROM summaries WHERE id = ?5))",
    )
    .bind(draft.session)
    .bind(draft.kind.as_str())
    .bind(first)
    .bind(last)
    .bind(material.before.as_ref().map(|before| before.id))
    .fetch_one(connection)
    .await?;
    Ok(there == draft.numbers && !changed)
}

/// Stores a summary and notes that it is to be embedded; says whether it was stored. A rolling summary that begins where
/// another of its kind does is not.
pub(super) async fn insert(connection: &mut SqliteConnection, summary: &Summary) -> Result<bool, Error> {
    let inserted = sqlx::query(
        "INSERT INTO summaries (id, session_id, kind, text, message_count, first_message, last_message, author, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
    )
    .bind(summary.id)
    .bind(summary.session)
    .bind(summary.kind.as_str())
    .bind(&summary.text)
    .bind(summary.message_count)
    .bind(summary.first_message)
    .bind(summary.last_message)
    .bind(&summary.author)
    .bind(summary.created)
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if inserted > 0 {
        outbox::add(
            connection,
            Work::Embed,
            Subject::Summary(summary.id),
            summary.created,
        )
        .await?;
    }
    Ok(inserted > 0)
}

/// A text of at most `max` characters, the last third of them from its end.
fn without_middle(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    let tail = max / 3;
    let start = text
        .char_indices()
        .nth_back(tail.saturating_sub(1))
        .map_or(0, |(at, _)| at);
    let head: String = text.chars().take(max - tail).collect();
    format!("{head}\n{CUT}\n{}", &text[start..])
}

#[cfg(test)]
mod tests {
    use super::without_middle;

    #[test]
    fn a_long_text_keeps_its_beginning_and_its_end() {
        let cases = [
            ("", ""),
            ("123456789", "123456789"),
            ("äöüabc…def!", "äöüabc\n[…]\nef!"),
        ];
        for (text, kept) in cases {
            assert_eq!(without_middle(text, 9), kept);
        }
    }
}
