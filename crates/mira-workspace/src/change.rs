//! The table of changes: what each file was before and after, and how far each change has come.

use mira_store::{ChangeId, ProjectId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use crate::{Error, RelativePath};

/// How many bytes of undo history a project may keep, each change counted with what it replaced and what it wrote.
/// Beyond that the oldest undone changes are dropped first, then the oldest others; the files are not touched.
pub const MAX_HISTORY_BYTES: u64 = 256 * 1024 * 1024;

/// The files of one project in the directory it is attached to now.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) project: ProjectId,
    pub(crate) directory: String,
}

/// How far a change has come. It is stored before the file is touched, so that a crash leaves a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Stored; the file may or may not have been replaced.
    Prepared,
    Done,
    /// About to be undone; the file may or may not have been put back.
    Reverting,
    Reverted,
}

impl State {
    const ALL: [Self; 4] = [Self::Prepared, Self::Done, Self::Reverting, Self::Reverted];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Done => "done",
            Self::Reverting => "reverting",
            Self::Reverted => "reverted",
        }
    }
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) row: i64,
    pub(crate) change: ChangeId,
    pub(crate) path: RelativePath,
    pub(crate) batch: ChangeId,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) before_mode: Option<u32>,
    pub(crate) state: State,
    pub(crate) time: Timestamp,
}

/// A change that is about to be made.
#[derive(Debug)]
pub(crate) struct NewChange<'a> {
    pub(crate) change: ChangeId,
    pub(crate) batch: ChangeId,
    pub(crate) path: &'a RelativePath,
    pub(crate) before: Option<&'a str>,
    pub(crate) after: Option<&'a str>,
    pub(crate) before_mode: Option<u32>,
    pub(crate) size: u64,
    pub(crate) time: Timestamp,
}

const COLUMNS: &str = "id, change_id, path, batch, before_hash, after_hash, before_mode, state, time";
const IN_PLACE: &str = "project_id = ? AND directory = ?";

fn read(row: &SqliteRow) -> Result<Recorded, Error> {
    let id: i64 = row.try_get("id")?;
    let damaged = || Error::Corrupt {
        table: "file_change",
        row: id.to_string(),
    };
    let path: &str = row.try_get("path")?;
    let state: &str = row.try_get("state")?;
    Ok(Recorded {
        row: id,
        change: row.try_get("change_id")?,
        path: RelativePath::parse(path).map_err(|_| damaged())?,
        batch: row.try_get("batch")?,
        before: row.try_get("before_hash")?,
        after: row.try_get("after_hash")?,
        before_mode: row.try_get("before_mode")?,
        state: State::ALL
            .into_iter()
            .find(|known| known.as_str() == state)
            .ok_or_else(damaged)?,
        time: row.try_get("time")?,
    })
}

/// Stores a change in state `Prepared`. The contents it names are stored already.
pub(crate) async fn prepare(
    connection: &mut SqliteConnection,
    place: &Place,
    new: &NewChange<'_>,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO file_change (change_id, project_id, directory, path, batch, before_hash, after_hash, \
         before_mode, size, state, time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.change)
    .bind(place.project)
    .bind(&place.directory)
    .bind(new.path.as_str())
    .bind(new.batch)
    .bind(new.before)
    .bind(new.after)
    .bind(new.before_mode)
    .bind(i64::try_from(new.size).unwrap_or(i64::MAX))
    .bind(State::Prepared.as_str())
    .bind(new.time)
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn set_state(
    connection: &mut SqliteConnection,
    change: ChangeId,
    state: State,
) -> Result<(), Error> {
    sqlx::query("UPDATE file_change SET state = ? WHERE change_id = ?")
        .bind(state.as_str())
        .bind(change)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets a change that never came to be.
pub(crate) async fn discard(connection: &mut SqliteConnection, change: ChangeId) -> Result<(), Error> {
    sqlx::query("DELETE FROM file_change WHERE change_id = ?")
        .bind(change)
        .execute(connection)
        .await?;
    Ok(())
}

/// Projects with changes that were neither finished nor given up.
pub(crate) async fn unsettled_projects(connection: &mut SqliteConnection) -> Result<Vec<ProjectId>, Error> {
    let found = sqlx::query_scalar(
        "SELECT DISTINCT project_id FROM file_change WHERE state IN ('prepared', 'reverting')",
    )
    .fetch_all(connection)
    .await?;
    Ok(found)
}

/// Changes that were neither finished nor given up, oldest first.
pub(crate) async fn unsettled(
    connection: &mut SqliteConnection,
    place: &Place,
) -> Result<Vec<Recorded>, Error> {
    let condition = "state IN ('prepared', 'reverting') ORDER BY id";
    let rows = sqlx::query(select(condition))
        .bind(place.project)
        .bind(&place.directory)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

pub(crate) async fn find(
    connection: &mut SqliteConnection,
    place: &Place,
    change: ChangeId,
) -> Result<Option<Recorded>, Error> {
    let row = sqlx::query(select("change_id = ?"))
        .bind(place.project)
        .bind(&place.directory)
        .bind(change)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// The newest change of a file that did something and is not undone.
pub(crate) async fn last_undoable(
    connection: &mut SqliteConnection,
    place: &Place,
    path: &RelativePath,
) -> Result<Option<Recorded>, Error> {
    let condition = "path = ? AND state = 'done' AND before_hash IS NOT after_hash ORDER BY id DESC LIMIT 1";
    let row = sqlx::query(select(condition))
        .bind(place.project)
        .bind(&place.directory)
        .bind(path.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// The changes of a file, newest first.
pub(crate) async fn of_file(
    connection: &mut SqliteConnection,
    place: &Place,
    path: &RelativePath,
    limit: u32,
) -> Result<Vec<Recorded>, Error> {
    let rows = sqlx::query(select(
        "path = ? AND state IN ('done', 'reverted') ORDER BY id DESC LIMIT ?",
    ))
    .bind(place.project)
    .bind(&place.directory)
    .bind(path.as_str())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// For each file with a change that is not undone, the oldest such change, in order of path.
pub(crate) async fn oldest_standing(
    connection: &mut SqliteConnection,
    place: &Place,
) -> Result<Vec<Recorded>, Error> {
    let condition = "id IN (SELECT MIN(id) FROM file_change WHERE project_id = ?1 AND directory = ?2 \
                     AND state = 'done' AND before_hash IS NOT after_hash GROUP BY path) ORDER BY path";
    let rows = sqlx::query(select(condition))
        .bind(place.project)
        .bind(&place.directory)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// Drops changes of the project until the rest fits `limit`, except those of `batch`. Returns how many.
pub(crate) async fn prune(
    connection: &mut SqliteConnection,
    project: ProjectId,
    batch: ChangeId,
    limit: u64,
) -> Result<usize, Error> {
    let total: i64 =
        sqlx::query_scalar("SELECT COALESCE(SUM(size), 0) FROM file_change WHERE project_id = ?")
            .bind(project)
            .fetch_one(&mut *connection)
            .await?;
    let mut excess = total.saturating_sub(i64::try_from(limit).unwrap_or(i64::MAX));
    if excess <= 0 {
        return Ok(0);
    }
    let oldest: Vec<(ChangeId, i64)> = sqlx::query_as(
        "SELECT change_id, size FROM file_change WHERE project_id = ? AND batch <> ? \
         AND state IN ('done', 'reverted') ORDER BY state = 'done', id",
    )
    .bind(project)
    .bind(batch)
    .fetch_all(&mut *connection)
    .await?;
    let mut dropped = 0;
    for (change, size) in oldest {
        if excess <= 0 {
            break;
        }
        discard(connection, change).await?;
        excess -= size;
        dropped += 1;
    }
    Ok(dropped)
}

fn select(condition: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM file_change WHERE {IN_PLACE} AND {condition}"
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mira_store::{Database, ManualClock};

    use super::*;
    use crate::{NewProject, Workspace};

    #[tokio::test]
    async fn pruning_drops_undone_changes_first_then_the_oldest_and_never_the_newest_batch() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("mira.db")).await.unwrap();
        let workspace = Workspace::open(&database, Arc::new(ManualClock::default()))
            .await
            .unwrap();
        let new = NewProject {
            name: "demo".to_owned(),
            ..NewProject::default()
        };
        let place = Place {
            project: workspace.create_project(new).await.unwrap().id,
            directory: "/x".to_owned(),
        };
        let mut transaction = database.begin().await.unwrap();
        let states = [
            State::Done,
            State::Done,
            State::Reverted,
            State::Prepared,
            State::Done,
        ];
        let mut changes = Vec::new();
        for state in states {
            let change = ChangeId::at(Timestamp::from_ms(1));
            changes.push(change);
            let new = NewChange {
                change,
                batch: change,
                path: &RelativePath::parse("a").unwrap(),
                before: None,
                after: None,
                before_mode: None,
                size: 100,
                time: Timestamp::from_ms(1),
            };
            prepare(&mut transaction, &place, &new).await.unwrap();
            set_state(&mut transaction, change, state).await.unwrap();
        }
        let newest = changes[4];
        for (limit, dropped, left) in [
            (500, 0, &[0, 1, 2, 3, 4][..]),
            (499, 1, &[0, 1, 3, 4]),
            (250, 2, &[3, 4]),
            (0, 0, &[3, 4]),
        ] {
            let count = prune(&mut transaction, place.project, newest, limit)
                .await
                .unwrap();
            let expected: Vec<ChangeId> = left.iter().map(|index| changes[*index]).collect();
            let kept: Vec<ChangeId> = sqlx::query_scalar("SELECT change_id FROM file_change ORDER BY id")
                .fetch_all(&mut *transaction)
                .await
                .unwrap();
            assert_eq!((count, kept), (dropped, expected), "{limit}");
        }
    }
}
