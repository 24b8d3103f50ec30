//! What is removed from all tables when something is erased.

use mira_store::{ChangeId, MessageId, OperationId, ProjectId, SessionId};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{operations, to_json};
use crate::Error;
use crate::operation::Operation;

/// The kinds of events that hold nothing of what was said or made.
const EMPTY_EVENTS: &str =
    r#"["started", "status_changed", "completed", "cancelled", "failed", "interrupted"]"#;

/// The operations of a project, in whichever session.
pub(crate) async fn operations_of_project(
    connection: &mut SqliteConnection,
    project: ProjectId,
) -> Result<Vec<OperationId>, Error> {
    Ok(
        sqlx::query_scalar("SELECT id FROM operations WHERE project_id = ?1")
            .bind(project)
            .fetch_all(connection)
            .await?,
    )
}

/// The operations that messages of the user began.
pub(crate) async fn turns_of(
    connection: &mut SqliteConnection,
    messages: &[MessageId],
) -> Result<Vec<Operation>, Error> {
    let rows: Vec<SqliteRow> =
        sqlx::query("SELECT * FROM operations WHERE message_id IN (SELECT value FROM json_each(?1))")
            .bind(to_json("list of messages", &messages)?)
            .fetch_all(connection)
            .await?;
    rows.iter().map(operations::operation).collect()
}

/// The recorded changes of files that the artifacts of these sessions and operations made.
pub(crate) async fn changes(
    connection: &mut SqliteConnection,
    sessions: &[SessionId],
    operations: &[OperationId],
) -> Result<Vec<ChangeId>, Error> {
    Ok(sqlx::query_scalar(
        "SELECT change_id FROM artifacts WHERE change_id IS NOT NULL
             AND (session_id IN (SELECT value FROM json_each(?1)) OR operation_id IN (SELECT value FROM json_each(?2)))",
    )
    .bind(to_json("list of sessions", &sessions)?)
    .bind(to_json("list of operations", &operations)?)
    .fetch_all(connection)
    .await?)
}

/// Removes sessions with everything that happened in them; says how many operations that was.
pub(crate) async fn sessions(
    connection: &mut SqliteConnection,
    sessions: &[SessionId],
) -> Result<u64, Error> {
    let sessions = to_json("list of sessions", &sessions)?;
    sqlx::query("DELETE FROM events WHERE session_id IN (SELECT value FROM json_each(?1))")
        .bind(&sessions)
        .execute(&mut *connection)
        .await?;
    let operations =
        sqlx::query("DELETE FROM operations WHERE session_id IN (SELECT value FROM json_each(?1))")
            .bind(&sessions)
            .execute(connection)
            .await?;
    Ok(operations.rows_affected())
}

/// Takes everything that was said or made out of operations that stay in the journal, whose events keep their numbers.
pub(crate) async fn empty(
    connection: &mut SqliteConnection,
    operations: &[OperationId],
) -> Result<(), Error> {
    let operations = to_json("list of operations", &operations)?;
    sqlx::query(
        r#"UPDATE events SET body = '{"type":"erased"}'
         WHERE session_id IN (SELECT session_id FROM operations WHERE id IN (SELECT value FROM json_each(?1)))
             AND operation_id IN (SELECT value FROM json_each(?1))
             AND body ->> 'type' NOT IN (SELECT value FROM json_each(?2))"#,
    )
    .bind(&operations)
    .bind(EMPTY_EVENTS)
    .execute(&mut *connection)
    .await?;
    for table in [
        "DELETE FROM delegations WHERE operation_id IN (SELECT value FROM json_each(?1))",
        "DELETE FROM artifacts WHERE operation_id IN (SELECT value FROM json_each(?1))",
    ] {
        sqlx::query(table)
            .bind(&operations)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Removes the remembered answers to idempotent requests.
pub(crate) async fn answers(connection: &mut SqliteConnection) -> Result<(), Error> {
    sqlx::query("DELETE FROM answered_requests")
        .execute(connection)
        .await?;
    Ok(())
}
