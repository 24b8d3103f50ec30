//! The table of contents that changes refer to, each stored once per project.

use mira_store::ProjectId;
use sqlx::SqliteConnection;

use crate::Error;

/// Stores `bytes` under their hash unless they are there already.
pub(crate) async fn keep(
    connection: &mut SqliteConnection,
    project: ProjectId,
    hash: &str,
    bytes: &[u8],
) -> Result<(), Error> {
    sqlx::query("INSERT INTO file_content (project_id, hash, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(project)
        .bind(hash)
        .bind(bytes)
        .execute(connection)
        .await?;
    Ok(())
}

pub(crate) async fn get(
    connection: &mut SqliteConnection,
    project: ProjectId,
    hash: &str,
) -> Result<Vec<u8>, Error> {
    let bytes = sqlx::query_scalar("SELECT bytes FROM file_content WHERE project_id = ? AND hash = ?")
        .bind(project)
        .bind(hash)
        .fetch_optional(connection)
        .await?;
    bytes.ok_or_else(|| Error::Corrupt {
        table: "file_content",
        row: hash.to_owned(),
    })
}

/// Removes what no change refers to any more.
pub(crate) async fn sweep(connection: &mut SqliteConnection, project: ProjectId) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM file_content WHERE project_id = ?1 \
         AND NOT EXISTS (SELECT 1 FROM file_change WHERE project_id = ?1 AND before_hash = hash) \
         AND NOT EXISTS (SELECT 1 FROM file_change WHERE project_id = ?1 AND after_hash = hash)",
    )
    .bind(project)
    .execute(connection)
    .await?;
    Ok(())
}
