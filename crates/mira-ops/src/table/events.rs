//! The journal: events of a session, numbered from 1.

use std::collections::{HashMap, HashSet};

use mira_store::{OperationId, SessionId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{from_json, to_json};
use crate::Error;
use crate::event::{Event, Recorded};

/// An event that has no number yet.
pub(crate) type New<'a> = (SessionId, OperationId, &'a Event);

/// Numbers events and stores them, in their order. However many there are, the driver is asked twice: each call of it
/// costs more than SQLite's own work on an event.
pub(crate) async fn append(
    connection: &mut SqliteConnection,
    new: Vec<New<'_>>,
    time: Timestamp,
) -> Result<Vec<Recorded>, Error> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let mut last = last_seqs(connection, &new).await?;
    let mut recorded = Vec::with_capacity(new.len());
    let mut rows = Vec::with_capacity(new.len());
    for (session, operation, event) in new {
        let seq = last.entry(session).or_insert(0);
        *seq += 1;
        rows.push((session, *seq, operation, to_json("event", event)?));
        let event = event.clone();
        recorded.push(Recorded {
            session,
            operation,
            seq: *seq,
            time,
            event,
        });
    }
    sqlx::query(
        "INSERT INTO events (session_id, seq, operation_id, time_ms, body)
         SELECT value ->> 0, value ->> 1, value ->> 2, ?2, value ->> 3 FROM json_each(?1)",
    )
    .bind(to_json("list of events", &rows)?)
    .bind(time)
    .execute(connection)
    .await?;
    Ok(recorded)
}

/// The number of the last event of each session that has any.
async fn last_seqs(
    connection: &mut SqliteConnection,
    new: &[New<'_>],
) -> Result<HashMap<SessionId, i64>, Error> {
    let sessions: HashSet<SessionId> = new.iter().map(|(session, ..)| *session).collect();
    let last: Vec<(SessionId, i64)> = sqlx::query_as(
        "SELECT value, (SELECT coalesce(max(seq), 0) FROM events WHERE session_id = value) FROM json_each(?1)",
    )
    .bind(to_json("list of sessions", &sessions)?)
    .fetch_all(connection)
    .await?;
    Ok(last.into_iter().collect())
}

/// The number of the last event of a session; 0 when there is none.
pub(crate) async fn last_seq(connection: &mut SqliteConnection, session: SessionId) -> Result<i64, Error> {
    Ok(
        sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM events WHERE session_id = ?1")
            .bind(session)
            .fetch_one(connection)
            .await?,
    )
}

/// The number of the last event of a session in which nothing runs or waits; none when something does.
pub(crate) async fn last_seq_at_rest(
    connection: &mut SqliteConnection,
    session: SessionId,
) -> Result<Option<i64>, Error> {
    Ok(sqlx::query_scalar(
        "SELECT (SELECT coalesce(max(seq), 0) FROM events WHERE session_id = ?1)
         WHERE NOT EXISTS (SELECT 1 FROM operations WHERE session_id = ?1
             AND status IN ('pending', 'started', 'delegating', 'generating'))",
    )
    .bind(session)
    .fetch_optional(connection)
    .await?)
}

/// Up to `limit` events after `after`, at most up to `until`, in order.
pub(crate) async fn page(
    connection: &mut SqliteConnection,
    session: SessionId,
    after: i64,
    until: i64,
    limit: u32,
) -> Result<Vec<Recorded>, Error> {
    let rows = sqlx::query(
        "SELECT seq, operation_id, time_ms, body FROM events
         WHERE session_id = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4",
    )
    .bind(session)
    .bind(after)
    .bind(until)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| recorded(session, row)).collect()
}

fn recorded(session: SessionId, row: &SqliteRow) -> Result<Recorded, Error> {
    Ok(Recorded {
        session,
        operation: row.try_get("operation_id")?,
        seq: row.try_get("seq")?,
        time: row.try_get("time_ms")?,
        event: from_json("event", row.try_get("body")?)?,
    })
}
