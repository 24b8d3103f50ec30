//! Operations.

use mira_store::{MessageId, OperationId, ProjectId, SessionId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{from_json, stored_enum, to_json};
use crate::Error;
use crate::failure::Failure;
use crate::operation::{Kind, Operation, Status};

/// An accepted turn.
#[derive(Debug, Clone)]
pub(crate) struct NewOperation {
    pub id: OperationId,
    pub session: SessionId,
    pub message: MessageId,
    pub project: Option<ProjectId>,
    pub idempotency_key: Option<String>,
    /// Of the whole request, to tell a repeat from another request under the same key.
    pub request_hash: String,
}

pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    new: &NewOperation,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO operations (id, session_id, message_id, project_id, kind, status, idempotency_key,
             request_hash, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )
    .bind(new.id)
    .bind(new.session)
    .bind(new.message)
    .bind(new.project)
    .bind(Kind::Chat.as_str())
    .bind(Status::Pending.as_str())
    .bind(&new.idempotency_key)
    .bind(&new.request_hash)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes which event announced the operation.
pub(crate) async fn announced(
    connection: &mut SqliteConnection,
    id: OperationId,
    first_seq: i64,
) -> Result<(), Error> {
    sqlx::query("UPDATE operations SET first_seq = ?2 WHERE id = ?1")
        .bind(id)
        .bind(first_seq)
        .execute(connection)
        .await?;
    Ok(())
}

/// Refuses a step that an operation's life does not have. Both this and the step are in one transaction.
async fn check_step(connection: &mut SqliteConnection, id: OperationId, to: Status) -> Result<(), Error> {
    let operation = get(connection, id).await?.ok_or(Error::UnknownOperation(id))?;
    if operation.status.may_become(to) {
        return Ok(());
    }
    Err(Error::IllegalStep {
        operation: id,
        from: operation.status,
        to,
    })
}

/// Moves a running operation on. Delegating makes it code generation.
pub(crate) async fn set_status(
    connection: &mut SqliteConnection,
    id: OperationId,
    status: Status,
    now: Timestamp,
) -> Result<(), Error> {
    check_step(connection, id, status).await?;
    sqlx::query(
        "UPDATE operations SET status = ?2, kind = iif(?2 = 'delegating', 'code_generation', kind),
             started_ms = coalesce(started_ms, ?3) WHERE id = ?1",
    )
    .bind(id)
    .bind(status.as_str())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends an operation. Says false, and changes nothing, when it has ended before.
pub(crate) async fn finish(
    connection: &mut SqliteConnection,
    id: OperationId,
    status: Status,
    failure: Option<&Failure>,
    answer: Option<MessageId>,
    now: Timestamp,
) -> Result<bool, Error> {
    match check_step(connection, id, status).await {
        Ok(()) => {}
        Err(Error::IllegalStep { from, .. }) if from.is_terminal() => return Ok(false),
        Err(error) => return Err(error),
    }
    let failure = failure.map(|failure| to_json("failure", failure)).transpose()?;
    sqlx::query(
        "UPDATE operations SET status = ?2, failure = ?3, answer_id = ?4, finished_ms = ?5 WHERE id = ?1",
    )
    .bind(id)
    .bind(status.as_str())
    .bind(failure)
    .bind(answer)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(true)
}

pub(crate) async fn get(
    connection: &mut SqliteConnection,
    id: OperationId,
) -> Result<Option<Operation>, Error> {
    let row = sqlx::query("SELECT * FROM operations WHERE id = ?1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(operation).transpose()
}

/// Up to `limit` operations of a session older than `before`, newest first.
pub(crate) async fn page(
    connection: &mut SqliteConnection,
    session: SessionId,
    before: Option<OperationId>,
    limit: u32,
) -> Result<Vec<Operation>, Error> {
    let rows = sqlx::query(
        "SELECT * FROM operations WHERE session_id = ?1
             AND (?2 IS NULL OR rowid < (SELECT rowid FROM operations WHERE id = ?2)) ORDER BY rowid DESC LIMIT ?3",
    )
    .bind(session)
    .bind(before)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(operation).collect()
}

/// Every operation that has not ended, oldest first.
pub(crate) async fn unfinished(connection: &mut SqliteConnection) -> Result<Vec<Operation>, Error> {
    let rows = sqlx::query(
        "SELECT * FROM operations WHERE status IN ('pending', 'started', 'delegating', 'generating') ORDER BY rowid",
    )
    .fetch_all(connection)
    .await?;
    rows.iter().map(operation).collect()
}

/// The operation that was accepted under an idempotency key, with the hash of its request.
pub(crate) async fn by_key(
    connection: &mut SqliteConnection,
    session: SessionId,
    key: &str,
) -> Result<Option<(Operation, String)>, Error> {
    let row = sqlx::query("SELECT * FROM operations WHERE session_id = ?1 AND idempotency_key = ?2")
        .bind(session)
        .bind(key)
        .fetch_optional(connection)
        .await?;
    row.as_ref()
        .map(|row| Ok((operation(row)?, row.try_get("request_hash")?)))
        .transpose()
}

/// The operations whose question or answer these messages are.
pub(crate) async fn of_messages(
    connection: &mut SqliteConnection,
    messages: &[MessageId],
) -> Result<Vec<(MessageId, OperationId)>, Error> {
    Ok(sqlx::query_as(
        "SELECT wanted.value, operations.id FROM json_each(?1) AS wanted
         JOIN operations ON operations.message_id = wanted.value
         UNION ALL
         SELECT wanted.value, operations.id FROM json_each(?1) AS wanted
         JOIN operations ON operations.answer_id = wanted.value",
    )
    .bind(to_json("list of messages", &messages)?)
    .fetch_all(connection)
    .await?)
}

pub(super) fn operation(row: &SqliteRow) -> Result<Operation, Error> {
    let failure: Option<&str> = row.try_get("failure")?;
    Ok(Operation {
        id: row.try_get("id")?,
        session: row.try_get("session_id")?,
        first_seq: row.try_get("first_seq")?,
        message: row.try_get("message_id")?,
        answer: row.try_get("answer_id")?,
        project: row.try_get("project_id")?,
        kind: stored_enum("kind of operation", row.try_get("kind")?)?,
        status: stored_enum("status of an operation", row.try_get("status")?)?,
        failure: failure.map(|text| from_json("failure", text)).transpose()?,
        created: row.try_get("created_ms")?,
        started: row.try_get("started_ms")?,
        finished: row.try_get("finished_ms")?,
    })
}
