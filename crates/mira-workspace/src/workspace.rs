//! The projects that Mira knows, and the way to their files.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use mira_store::{Clock, Database, Migrations, ProjectId};
use tokio::sync::Semaphore;
use tokio::task;
use tokio_util::task::TaskTracker;

use crate::change::{self, Place};
use crate::files::Files;
use crate::root::Root;
use crate::{Error, NewProject, Project, ProjectUpdate, project};

/// How many pieces of work on the disk run at the same time; others wait for their turn.
const DISK_WORKERS: usize = 8;

const MIGRATIONS: Migrations = Migrations {
    owner: "workspace",
    steps: &[
        (
            "projects are named places",
            include_str!("../../../migrations/workspace/0001_projects_are_named_places.sql"),
        ),
        (
            "changes of files can be undone",
            include_str!("../../../migrations/workspace/0002_changes_of_files_can_be_undone.sql"),
        ),
    ],
};

/// All projects. Clones share everything.
#[derive(Debug, Clone)]
pub struct Workspace {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) database: Database,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) disk: Arc<Semaphore>,
    /// Writes that run to their end even if nobody waits for them any more.
    pub(crate) writes: TaskTracker,
    /// Whose turn it is to write, by directory: two projects may be attached to the same one. A lock lives as long
    /// as somebody uses it; the mutex is held only to look one up.
    turns: Mutex<HashMap<PathBuf, Weak<tokio::sync::Mutex<()>>>>,
}

impl Workspace {
    /// Brings the tables to this version, then settles what a crash has interrupted: a batch of writes that is
    /// complete on disk is kept, any other is put back. A project whose directory cannot be opened now is settled
    /// before its next write.
    pub async fn open(database: &Database, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        MIGRATIONS.run(database).await?;
        let workspace = Self {
            shared: Arc::new(Shared {
                database: database.clone(),
                clock,
                disk: Arc::new(Semaphore::new(DISK_WORKERS)),
                writes: TaskTracker::new(),
                turns: Mutex::default(),
            }),
        };
        let mut connection = database.readers().acquire().await?;
        let projects = change::unsettled_projects(&mut connection).await?;
        drop(connection);
        for id in projects {
            let settled = match workspace.files(id).await {
                Ok(files) => files.settle_interrupted().await,
                Err(error) => Err(error),
            };
            if let Err(error) = settled {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(project = %id, error, "could not settle an interrupted write; trying again later");
            }
        }
        Ok(workspace)
    }

    /// Waits until every write that was begun has ended. To be called before the runtime stops.
    pub async fn close(&self) {
        self.shared.writes.close();
        self.shared.writes.wait().await;
    }

    /// Makes a project without a directory. Errors: [`Error::BlankName`].
    pub async fn create_project(&self, new: NewProject) -> Result<Project, Error> {
        let project = Project::new(new, self.shared.clock.now())?;
        let mut transaction = self.shared.database.begin().await?;
        project::insert(&mut transaction, &project).await?;
        transaction.commit().await?;
        Ok(project)
    }

    /// `None` when there is no such project.
    pub async fn project(&self, id: ProjectId) -> Result<Option<Project>, Error> {
        let mut connection = self.shared.database.readers().acquire().await?;
        project::find(&mut connection, id).await
    }

    /// Newest updated first.
    pub async fn projects(&self) -> Result<Vec<Project>, Error> {
        let mut connection = self.shared.database.readers().acquire().await?;
        project::all(&mut connection).await
    }

    /// The project as it is afterwards; `None` when there is none. Errors: [`Error::BlankName`].
    pub async fn update_project(
        &self,
        id: ProjectId,
        update: ProjectUpdate,
    ) -> Result<Option<Project>, Error> {
        let mut transaction = self.shared.database.begin().await?;
        let Some(mut project) = project::find(&mut transaction, id).await? else {
            return Ok(None);
        };
        project.apply(update, self.shared.clock.now())?;
        project::save(&mut transaction, &project).await?;
        transaction.commit().await?;
        Ok(Some(project))
    }

    /// Forgets the project and the undo history of its files; whether there was one. The disk is not touched.
    pub async fn delete_project(&self, id: ProjectId) -> Result<bool, Error> {
        let directory = self.project(id).await?.and_then(|project| project.directory);
        let turn = directory.map(|directory| self.turn(&directory));
        // A write that is under way still needs its rows.
        let _turn = match &turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        let mut transaction = self.shared.database.begin().await?;
        let existed = project::delete(&mut transaction, id).await?;
        transaction.commit().await?;
        Ok(existed)
    }

    /// Makes `directory` the directory of the project, in place of any other. It must exist. The undo history of
    /// another directory is kept and is there again when that one is attached again.
    ///
    /// Errors: [`Error::UnknownProject`]; [`Error::Directory`] when it is missing, no directory, or not UTF-8.
    pub async fn attach(&self, id: ProjectId, directory: &Path) -> Result<Project, Error> {
        let directory = directory.to_owned();
        let directory = task::spawn_blocking(move || checked_directory(&directory))
            .await
            .map_err(Error::Interrupted)??;
        let mut transaction = self.shared.database.begin().await?;
        let now = self.shared.clock.now();
        project::set_directory(&mut transaction, id, &directory, now).await?;
        let project = project::find(&mut transaction, id).await?;
        transaction.commit().await?;
        project.ok_or(Error::UnknownProject { project: id })
    }

    /// The files of a project, in the directory that is attached now.
    ///
    /// Errors: [`Error::UnknownProject`], [`Error::NotAttached`], [`Error::Directory`].
    pub async fn files(&self, id: ProjectId) -> Result<Files, Error> {
        let project = self
            .project(id)
            .await?
            .ok_or(Error::UnknownProject { project: id })?;
        let directory = project.directory.ok_or(Error::NotAttached { project: id })?;
        let turn = self.turn(&directory);
        let place = Place {
            project: id,
            directory: directory.to_string_lossy().into_owned(),
        };
        let root = task::spawn_blocking(move || Root::open(&directory))
            .await
            .map_err(Error::Interrupted)??;
        Ok(Files::new(Arc::clone(&self.shared), place, root, turn))
    }

    fn turn(&self, directory: &Path) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.shared.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(directory).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(directory.to_owned(), Arc::downgrade(&turn));
        turn
    }
}

/// The directory without symbolic links on the way.
fn checked_directory(directory: &Path) -> Result<PathBuf, Error> {
    let unusable = |source: io::Error| Error::Directory {
        directory: directory.to_owned(),
        source,
    };
    let resolved = directory.canonicalize().map_err(unusable)?;
    if !resolved.is_dir() {
        return Err(unusable(io::ErrorKind::NotADirectory.into()));
    }
    if resolved.to_str().is_none() {
        return Err(unusable(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path is not UTF-8",
        )));
    }
    Ok(resolved)
}
