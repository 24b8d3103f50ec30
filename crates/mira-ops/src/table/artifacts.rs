//! Artifacts.

use mira_store::{ArtifactId, ChangeId, MessageId, OperationId, ProjectId, SessionId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{stored_enum, to_json, tokens};
use crate::Error;
use crate::artifact::{Artifact, ArtifactSummary};

/// Whose artifacts are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArtifactFilter {
    Session(SessionId),
    Project(ProjectId),
    Operation(OperationId),
}

pub(crate) async fn insert(connection: &mut SqliteConnection, artifact: &Artifact) -> Result<(), Error> {
    let summary = &artifact.summary;
    sqlx::query(
        "INSERT INTO artifacts (id, operation_id, session_id, project_id, path, language, content, content_hash,
             diff, base_hash, origin, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )
    .bind(summary.id)
    .bind(summary.operation)
    .bind(summary.session)
    .bind(summary.project)
    .bind(&summary.path)
    .bind(&summary.language)
    .bind(&artifact.content)
    .bind(&summary.content_hash)
    .bind(&artifact.diff)
    .bind(&summary.base_hash)
    .bind(summary.origin.as_str())
    .bind(summary.created)
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn set_applied(
    connection: &mut SqliteConnection,
    id: ArtifactId,
    project: ProjectId,
    change: ChangeId,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE artifacts SET applied_in = ?2, change_id = ?3, applied_ms = ?4, undone_ms = NULL WHERE id = ?1",
    )
    .bind(id)
    .bind(project)
    .bind(change)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn set_undone(
    connection: &mut SqliteConnection,
    id: ArtifactId,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("UPDATE artifacts SET applied_in = NULL, change_id = NULL, applied_ms = NULL, undone_ms = ?2 WHERE id = ?1")
        .bind(id)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

pub(crate) async fn get(
    connection: &mut SqliteConnection,
    id: ArtifactId,
) -> Result<Option<Artifact>, Error> {
    let row = sqlx::query("SELECT *, length(CAST(content AS BLOB)) AS size FROM artifacts WHERE id = ?1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(artifact).transpose()
}

/// The artifacts of the operations that gave these answers, oldest first.
pub(crate) async fn of_answers(
    connection: &mut SqliteConnection,
    answers: &[MessageId],
) -> Result<Vec<(MessageId, Artifact)>, Error> {
    let rows = sqlx::query(
        "SELECT operations.answer_id, artifacts.*, length(CAST(content AS BLOB)) AS size
         FROM json_each(?1) AS wanted
         JOIN operations ON operations.answer_id = wanted.value
         JOIN artifacts ON artifacts.operation_id = operations.id ORDER BY artifacts.rowid",
    )
    .bind(to_json("list of messages", &answers)?)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("answer_id")?, artifact(row)?)))
        .collect()
}

/// The newest artifact of a session with this path, for a session without a project.
pub(crate) async fn latest(
    connection: &mut SqliteConnection,
    session: SessionId,
    path: &str,
) -> Result<Option<Artifact>, Error> {
    let id: Option<ArtifactId> = sqlx::query_scalar(
        "SELECT id FROM artifacts WHERE session_id = ?1 AND path = ?2 ORDER BY rowid DESC LIMIT 1",
    )
    .bind(session)
    .bind(path)
    .fetch_optional(&mut *connection)
    .await?;
    match id {
        Some(id) => get(connection, id).await,
        None => Ok(None),
    }
}

/// Up to `limit` artifacts made before `before`, newest first.
pub(crate) async fn page(
    connection: &mut SqliteConnection,
    filter: ArtifactFilter,
    before: Option<ArtifactId>,
    limit: u32,
) -> Result<Vec<ArtifactSummary>, Error> {
    macro_rules! listed {
        ($column:literal) => {
            concat!(
                "SELECT id, operation_id, session_id, project_id, path, language, content_hash, base_hash, origin,
                     applied_in, change_id, created_ms, applied_ms, undone_ms, length(CAST(content AS BLOB)) AS size
                 FROM artifacts WHERE ",
                $column,
                " = ?1 AND (?2 IS NULL OR rowid < (SELECT rowid FROM artifacts WHERE id = ?2))
                 ORDER BY rowid DESC LIMIT ?3"
            )
        };
    }
    let query = match filter {
        ArtifactFilter::Session(id) => sqlx::query(listed!("session_id")).bind(id),
        ArtifactFilter::Project(id) => sqlx::query(listed!("project_id")).bind(id),
        ArtifactFilter::Operation(id) => sqlx::query(listed!("operation_id")).bind(id),
    };
    let rows = query.bind(before).bind(limit).fetch_all(connection).await?;
    rows.iter().map(summary).collect()
}

fn artifact(row: &SqliteRow) -> Result<Artifact, Error> {
    Ok(Artifact {
        summary: summary(row)?,
        content: row.try_get("content")?,
        diff: row.try_get("diff")?,
    })
}

fn summary(row: &SqliteRow) -> Result<ArtifactSummary, Error> {
    Ok(ArtifactSummary {
        id: row.try_get("id")?,
        operation: row.try_get("operation_id")?,
        session: row.try_get("session_id")?,
        project: row.try_get("project_id")?,
        path: row.try_get("path")?,
        language: row.try_get("language")?,
        content_hash: row.try_get("content_hash")?,
        size_bytes: tokens(row.try_get("size")?),
        base_hash: row.try_get("base_hash")?,
        origin: stored_enum("origin of an artifact", row.try_get("origin")?)?,
        applied_in: row.try_get("applied_in")?,
        change: row.try_get("change_id")?,
        created: row.try_get("created_ms")?,
        applied: row.try_get("applied_ms")?,
        undone: row.try_get("undone_ms")?,
    })
}
