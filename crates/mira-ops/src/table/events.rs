//! The journal: events of a session, numbered from 1.

use mira_store::{OperationId, SessionId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{from_json, to_json};
use crate::Error;
use crate::event::{Event, Recorded};

/// Numbers an event and stores it.
pub(crate) async fn append(
    connection: &mut SqliteConnection,
    session: SessionId,
    operation: OperationId,
    event: Event,
    time: Timestamp,
) -> Result<Recorded, Error> {
    let seq: i64 = sqlx::query_scalar(
        "INSERT INTO events (session_id, seq, operation_id, time_ms, body)
         VALUES (?1, (SELECT coalesce(max(seq), 0) + 1 FROM events WHERE session_id = ?1), ?2, ?3, ?4)
         RETURNING seq",
    )
    .bind(session)
    .bind(operation)
    .bind(time)
    .bind(to_json("event", &event)?)
    .fetch_one(connection)
    .await?;
    Ok(Recorded {
        session,
        operation,
        seq,
        time,
        event,
    })
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
