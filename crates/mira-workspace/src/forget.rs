//! Forgetting what files held, without touching the files.

use mira_store::{ChangeId, ProjectId};
use sqlx::SqliteConnection;

use crate::{Error, content};

/// Forgets recorded changes, which can then no longer be undone, with the copies that only they needed; says how many
/// there were. Changes that are under way stay.
pub async fn forget_changes(connection: &mut SqliteConnection, changes: &[ChangeId]) -> Result<u64, Error> {
    let mut forgotten = 0;
    for change in changes {
        let project: Option<ProjectId> = sqlx::query_scalar(
            "DELETE FROM file_change WHERE change_id = ?1 AND state IN ('done', 'reverted') RETURNING project_id",
        )
        .bind(change)
        .fetch_optional(&mut *connection)
        .await?;
        if let Some(project) = project {
            forgotten += 1;
            content::sweep(connection, project).await?;
        }
    }
    Ok(forgotten)
}

/// Forgets all recorded changes of a project, as [`forget_changes`] does.
pub async fn forget_history(connection: &mut SqliteConnection, project: ProjectId) -> Result<u64, Error> {
    let forgotten =
        sqlx::query("DELETE FROM file_change WHERE project_id = ?1 AND state IN ('done', 'reverted')")
            .bind(project)
            .execute(&mut *connection)
            .await?;
    content::sweep(connection, project).await?;
    Ok(forgotten.rows_affected())
}
