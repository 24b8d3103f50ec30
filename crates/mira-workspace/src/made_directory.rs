//! The table of directories that were made for a file, and that go with it when its creation is undone.

use sqlx::SqliteConnection;

use crate::change::Place;
use crate::{Error, RelativePath};

pub(crate) async fn remember(
    connection: &mut SqliteConnection,
    place: &Place,
    path: &RelativePath,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO made_directory (project_id, directory, path) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(place.project)
    .bind(&place.directory)
    .bind(path.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn forget(
    connection: &mut SqliteConnection,
    place: &Place,
    path: &RelativePath,
) -> Result<(), Error> {
    sqlx::query("DELETE FROM made_directory WHERE project_id = ? AND directory = ? AND path = ?")
        .bind(place.project)
        .bind(&place.directory)
        .bind(path.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// The directories above `path` that were made, the deepest first, up to the first that was not.
pub(crate) async fn above(
    connection: &mut SqliteConnection,
    place: &Place,
    path: &RelativePath,
) -> Result<Vec<RelativePath>, Error> {
    let mut made = Vec::new();
    let mut next = path.parent();
    while let Some(directory) = next {
        let known: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM made_directory WHERE project_id = ? AND directory = ? AND path = ?",
        )
        .bind(place.project)
        .bind(&place.directory)
        .bind(directory.as_str())
        .fetch_optional(&mut *connection)
        .await?;
        if known.is_none() {
            break;
        }
        next = directory.parent();
        made.push(directory);
    }
    Ok(made)
}
