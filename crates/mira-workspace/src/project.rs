//! Projects, and the table that holds them.

use std::path::{Path, PathBuf};

use mira_store::{ProjectId, Timestamp};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::Error;

/// A named place to work in, with a directory on disk once one is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    pub id: ProjectId,
    pub name: String,
    pub description: Option<String>,
    pub tags: Vec<String>,
    /// Absolute, symbolic links resolved. The directory itself may have disappeared since.
    pub directory: Option<PathBuf>,
    pub created: Timestamp,
    /// When the project, or a file through it, was last changed.
    pub updated: Timestamp,
}

/// What a new project starts with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewProject {
    /// Not blank; kept without surrounding white space.
    pub name: String,
    pub description: Option<String>,
    pub tags: Vec<String>,
}

/// What to change about a project; `None` keeps what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectUpdate {
    pub name: Option<String>,
    /// An empty text removes the description.
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
}

impl Project {
    pub(crate) fn new(new: NewProject, now: Timestamp) -> Result<Self, Error> {
        Ok(Self {
            id: ProjectId::at(now),
            name: checked_name(&new.name)?,
            description: new.description.filter(|text| !text.is_empty()),
            tags: new.tags,
            directory: None,
            created: now,
            updated: now,
        })
    }

    pub(crate) fn apply(&mut self, update: ProjectUpdate, now: Timestamp) -> Result<(), Error> {
        if let Some(name) = update.name {
            self.name = checked_name(&name)?;
        }
        if let Some(description) = update.description {
            self.description = Some(description).filter(|text| !text.is_empty());
        }
        if let Some(tags) = update.tags {
            self.tags = tags;
        }
        self.updated = now;
        Ok(())
    }
}

fn checked_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Error::BlankName);
    }
    Ok(name.to_owned())
}

type Row = (
    ProjectId,
    String,
    Option<String>,
    String,
    Option<String>,
    Timestamp,
    Timestamp,
);

const COLUMNS: &str = "id, name, description, tags, directory, created, updated";

fn read((id, name, description, tags, directory, created, updated): Row) -> Result<Project, Error> {
    let tags = serde_json::from_str(&tags).map_err(|_| Error::Corrupt {
        table: "project",
        row: id.to_string(),
    })?;
    Ok(Project {
        id,
        name,
        description,
        tags,
        directory: directory.map(PathBuf::from),
        created,
        updated,
    })
}

pub(crate) async fn insert(connection: &mut SqliteConnection, project: &Project) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO project (id, name, description, tags, created, updated) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(project.id)
    .bind(&project.name)
    .bind(&project.description)
    .bind(json(&project.tags))
    .bind(project.created)
    .bind(project.updated)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes name, description, tags and the time of the update.
pub(crate) async fn save(connection: &mut SqliteConnection, project: &Project) -> Result<(), Error> {
    sqlx::query("UPDATE project SET name = ?, description = ?, tags = ?, updated = ? WHERE id = ?")
        .bind(&project.name)
        .bind(&project.description)
        .bind(json(&project.tags))
        .bind(project.updated)
        .bind(project.id)
        .execute(connection)
        .await?;
    Ok(())
}

pub(crate) async fn find(connection: &mut SqliteConnection, id: ProjectId) -> Result<Option<Project>, Error> {
    let row = sqlx::query_as(AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM project WHERE id = ?"
    )))
    .bind(id)
    .fetch_optional(connection)
    .await?;
    row.map(read).transpose()
}

/// Newest updated first.
pub(crate) async fn all(connection: &mut SqliteConnection) -> Result<Vec<Project>, Error> {
    let rows = sqlx::query_as(AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM project ORDER BY updated DESC, id DESC"
    )))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}

/// Whether there was such a project.
pub(crate) async fn delete(connection: &mut SqliteConnection, id: ProjectId) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM project WHERE id = ?")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// `directory` is UTF-8: the caller has checked it.
pub(crate) async fn set_directory(
    connection: &mut SqliteConnection,
    id: ProjectId,
    directory: &Path,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("UPDATE project SET directory = ?, updated = ? WHERE id = ?")
        .bind(directory.to_str())
        .bind(now)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

pub(crate) async fn touch(
    connection: &mut SqliteConnection,
    id: ProjectId,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("UPDATE project SET updated = ? WHERE id = ?")
        .bind(now)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

fn json(tags: &[String]) -> String {
    serde_json::Value::from(tags).to_string()
}
