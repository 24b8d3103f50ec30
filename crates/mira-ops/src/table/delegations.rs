//! Delegations: what the coder was asked, what it was shown, what came of it.

use mira_llm::Usage;
use mira_store::{ArtifactId, DelegationId, OperationId, Timestamp};
use sqlx::{Row, SqliteConnection};

use super::{count, from_json, stored_enum, to_json, usage_columns};
use crate::Error;
use crate::failure::Failure;
use crate::operation::{ContextPart, Delegation, DelegationStatus};

/// A delegation that is about to begin.
#[derive(Debug, Clone)]
pub(crate) struct NewDelegation {
    pub id: DelegationId,
    pub call: String,
    pub tool: String,
    pub model: String,
    pub path: String,
    pub brief: String,
    pub manifest: Vec<ContextPart>,
}

/// How a delegation ended.
#[derive(Debug, Clone)]
pub(crate) struct DelegationEnd {
    pub id: DelegationId,
    pub outcome: Result<ArtifactId, Failure>,
    pub usage: Usage,
}

pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    operation: OperationId,
    new: &NewDelegation,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO delegations (id, operation_id, call_id, tool, model, path, brief, manifest, status, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'running', ?9)",
    )
    .bind(new.id)
    .bind(operation)
    .bind(&new.call)
    .bind(&new.tool)
    .bind(&new.model)
    .bind(&new.path)
    .bind(&new.brief)
    .bind(to_json("manifest", &new.manifest)?)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn finish(
    connection: &mut SqliteConnection,
    end: &DelegationEnd,
    now: Timestamp,
) -> Result<(), Error> {
    let (status, artifact, failure) = match &end.outcome {
        Ok(artifact) => (DelegationStatus::Completed, Some(*artifact), None),
        Err(failure) => (DelegationStatus::Failed, None, Some(to_json("failure", failure)?)),
    };
    sqlx::query(
        "UPDATE delegations SET status = ?2, artifact_id = ?3, failure = ?4, input = ?5, cached_input = ?6,
             cache_write = ?7, output = ?8, reasoning = ?9, finished_ms = ?10 WHERE id = ?1",
    )
    .bind(end.id)
    .bind(status.as_str())
    .bind(artifact)
    .bind(failure)
    .bind(count(end.usage.input))
    .bind(count(end.usage.cached_input))
    .bind(count(end.usage.cache_write))
    .bind(count(end.usage.output))
    .bind(count(end.usage.reasoning))
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends whatever delegation of an ended operation was still running.
pub(crate) async fn cancel_running(
    connection: &mut SqliteConnection,
    operation: OperationId,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE delegations SET status = 'cancelled', finished_ms = ?2
         WHERE operation_id = ?1 AND status = 'running'",
    )
    .bind(operation)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn of_operation(
    connection: &mut SqliteConnection,
    operation: OperationId,
) -> Result<Vec<Delegation>, Error> {
    let rows = sqlx::query("SELECT * FROM delegations WHERE operation_id = ?1 ORDER BY rowid")
        .bind(operation)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let failure: Option<&str> = row.try_get("failure")?;
            Ok(Delegation {
                id: row.try_get("id")?,
                call: row.try_get("call_id")?,
                tool: row.try_get("tool")?,
                model: row.try_get("model")?,
                path: row.try_get("path")?,
                brief: row.try_get("brief")?,
                manifest: from_json::<Vec<ContextPart>>("manifest", row.try_get("manifest")?)?,
                status: stored_enum("status of a delegation", row.try_get("status")?)?,
                failure: failure.map(|text| from_json("failure", text)).transpose()?,
                usage: usage_columns(row)?,
                created: row.try_get("created_ms")?,
                finished: row.try_get("finished_ms")?,
            })
        })
        .collect()
}
