//! The files of one project: reading, writing, deleting.

use std::path::Path;
use std::sync::Arc;

use mira_store::{ChangeId, Timestamp};
use tokio::sync::Mutex;
use tokio::task;

use crate::change::{self, MAX_HISTORY_BYTES, NewChange, Place, State};
use crate::edit::{self, Edit, Step, Wish};
use crate::listing::{self, Entries, Listing, Outline, Tree};
use crate::root::{Kind, Root};
use crate::search::{self, Search, SearchResult};
use crate::settle::Leftovers;
use crate::text::{self, MAX_TEXT_BYTES, TextFile};
use crate::workspace::Shared;
use crate::{Error, RelativePath, content, made_directory, project};

/// The files of one project, in the directory that was attached when this was made. Clones share everything.
///
/// Every path is checked at each use: symbolic links that stay inside the project are followed, those that lead out
/// are [`Error::Escapes`], and whatever leads into a `.git` is [`Error::PathForbidden`].
///
/// Writes to one directory happen one after the other. A write that was begun runs to its end even when its future is
/// dropped.
#[derive(Debug, Clone)]
pub struct Files {
    pub(crate) shared: Arc<Shared>,
    pub(crate) place: Place,
    root: Arc<Root>,
    turn: Arc<Mutex<()>>,
}

/// How to write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// What has to be there now; otherwise [`Error::Changed`].
    pub expected: Expected,
}

/// What a writer takes to be at a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Expected {
    #[default]
    Anything,
    /// No file.
    Nothing,
    /// The file with this hash, as [`TextFile::hash`] gave it.
    Hash(String),
}

/// A change that was made. Hashes are SHA-256 of the bytes on disk, in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub id: ChangeId,
    /// The file that was changed, symbolic links followed.
    pub path: RelativePath,
    /// `None`: there was no file.
    pub before_hash: Option<String>,
    /// `None`: the file was deleted.
    pub after_hash: Option<String>,
    /// There was no file before.
    pub created: bool,
    pub time: Timestamp,
}

impl Files {
    pub(crate) fn new(shared: Arc<Shared>, place: Place, root: Root, turn: Arc<Mutex<()>>) -> Self {
        Self {
            shared,
            place,
            root: Arc::new(root),
            turn,
        }
    }

    /// The directory of the project: absolute, no symbolic link on the way.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Reads a text file of at most [`MAX_TEXT_BYTES`].
    ///
    /// Errors: [`Error::NotFound`], [`Error::IsDirectory`], [`Error::NotAFile`], [`Error::NotText`],
    /// [`Error::TooLarge`].
    pub async fn read(&self, path: &RelativePath) -> Result<TextFile, Error> {
        let path = path.clone();
        self.on_disk(move |root| {
            let path = root.resolve(&path)?;
            let found = root.read(&path, MAX_TEXT_BYTES)?;
            text::decode(path, &found.bytes)
        })
        .await
    }

    /// What is at a path; `None` when there is nothing.
    pub async fn exists(&self, path: &RelativePath) -> Result<Option<Kind>, Error> {
        let path = path.clone();
        self.on_disk(move |root| match root.resolve(&path) {
            Ok(resolved) => root.kind(&resolved),
            Err(Error::NotADirectory { .. }) => Ok(None),
            Err(Error::NotAFile { .. }) => Ok(Some(Kind::Other)),
            Err(error) => Err(error),
        })
        .await
    }

    /// The entries of a directory, the root for `None`, without what git ignores. A directory that is itself ignored
    /// can be listed by its name. Names that no [`RelativePath`] can hold are left out, here and wherever files are
    /// looked through.
    pub async fn list(&self, path: Option<&RelativePath>, listing: Listing) -> Result<Entries, Error> {
        let path = path.cloned();
        self.on_disk(move |root| {
            let path = path.map(|path| root.resolve(&path)).transpose()?;
            listing::list(root, path.as_ref(), listing)
        })
        .await
    }

    /// The project as nested nodes, without what git ignores, at most `limit` of them.
    pub async fn tree(&self, limit: usize) -> Result<Tree, Error> {
        self.on_disk(move |root| listing::tree(root, limit)).await
    }

    /// The files of the project, without what git ignores, at most `limit` of them.
    pub async fn outline(&self, limit: usize) -> Result<Outline, Error> {
        self.on_disk(move |root| listing::outline(root, limit)).await
    }

    /// Searches the text files of the project, without what git ignores. Dropping the future does not stop the
    /// search; a limit on its time does.
    ///
    /// Errors: [`Error::Pattern`], [`Error::Glob`].
    pub async fn search(&self, search: Search) -> Result<SearchResult, Error> {
        self.on_disk(move |root| search::search(root, &search)).await
    }

    /// Writes a text file, making the directories above it.
    ///
    /// An existing file keeps its permission bits, its byte order mark and, when the lines of both end alike, its
    /// line endings. Owner and extended attributes are those of a new file. A write that changes nothing leaves the
    /// file alone and is recorded all the same.
    ///
    /// Errors, besides those of [`Files::read`]: [`Error::Changed`], [`Error::PermissionDenied`]; the file is then
    /// as it was.
    pub async fn write(
        &self,
        path: &RelativePath,
        content: &str,
        options: WriteOptions,
    ) -> Result<Change, Error> {
        let edit = Edit {
            path: path.clone(),
            wish: Wish::Write {
                content: content.to_owned(),
                expected: options.expected,
            },
        };
        self.change_one(edit).await
    }

    /// Writes several files, all or none: when one fails, those already replaced are put back. The changes come in
    /// the order of the files.
    ///
    /// Errors, besides those of [`Files::write`]: [`Error::DuplicatePath`]; [`Error::HalfWritten`] when putting back
    /// failed too.
    pub async fn write_many(&self, files: Vec<(RelativePath, String)>) -> Result<Vec<Change>, Error> {
        let edits = files.into_iter().map(|(path, content)| Edit {
            path,
            wish: Wish::Write {
                content,
                expected: Expected::Anything,
            },
        });
        self.change(edits.collect()).await
    }

    /// Deletes a regular file of at most [`MAX_KEPT_BYTES`](crate::MAX_KEPT_BYTES), text or not. Undoing brings back
    /// bytes and permission bits. Links and directories are refused.
    pub async fn delete(&self, path: &RelativePath) -> Result<Change, Error> {
        let edit = Edit {
            path: path.clone(),
            wish: Wish::Delete,
        };
        self.change_one(edit).await
    }

    /// Makes a directory and those above it; one that exists already is fine. It is not part of the undo history.
    pub async fn create_directory(&self, path: &RelativePath) -> Result<(), Error> {
        let path = path.clone();
        self.in_turn(move |files| async move {
            files
                .on_disk(move |root| root.make_directory(&root.resolve(&path)?))
                .await
        })
        .await
    }

    async fn change_one(&self, edit: Edit) -> Result<Change, Error> {
        let path = edit.path.clone();
        // One edit makes one change.
        let changes = self.change(vec![edit]).await?;
        changes.into_iter().next().ok_or(Error::NotFound { path })
    }

    async fn change(&self, edits: Vec<Edit>) -> Result<Vec<Change>, Error> {
        self.in_turn(|files| async move { files.make(edits).await }).await
    }

    /// Runs a write in its turn, after whatever an earlier one left unfinished is settled.
    pub(crate) async fn in_turn<T, F>(
        &self,
        write: impl FnOnce(Files) -> F + Send + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send,
    {
        let files = self.clone();
        let write = async move {
            let turn = Arc::clone(&files.turn);
            let _turn = turn.lock().await;
            files.settle(&Leftovers::KeepIfComplete).await?;
            write(files).await
        };
        self.shared
            .writes
            .spawn(write)
            .await
            .map_err(Error::Interrupted)?
    }

    /// Makes a batch of changes. The turn is ours.
    pub(crate) async fn make(&self, edits: Vec<Edit>) -> Result<Vec<Change>, Error> {
        let time = self.shared.clock.now();
        let steps = self.on_disk(move |root| edit::plan(root, edits, time)).await?;
        let Some(batch) = steps.first().map(|step| step.change) else {
            return Ok(Vec::new());
        };
        let steps = Arc::new(steps);
        self.prepare(&steps, batch, time).await?;
        let carried_out = {
            let steps = Arc::clone(&steps);
            self.on_disk(move |root| Ok(edit::carry_out(root, &steps))).await
        };
        let (made, done) = match carried_out {
            Ok((made, Ok(()))) => (made, self.finish(&steps, batch, time).await),
            Ok((made, Err(error))) => (made, Err(error)),
            // Nobody knows how far it came.
            Err(error) => (steps.iter().map(|step| step.change).collect(), Err(error)),
        };
        if let Err(error) = done {
            return Err(self.give_up(made, error).await);
        }
        let change = |step: &Step| Change {
            id: step.change,
            path: step.path.clone(),
            before_hash: step.before_hash().map(str::to_owned),
            after_hash: step.after_hash().map(str::to_owned),
            created: step.before.is_none(),
            time,
        };
        Ok(steps.iter().map(change).collect())
    }

    /// Stores what is about to happen, with the bytes needed to take it back.
    pub(crate) async fn prepare(
        &self,
        steps: &[Step],
        batch: ChangeId,
        time: Timestamp,
    ) -> Result<(), Error> {
        let mut transaction = self.shared.database.begin().await?;
        let project = self.place.project;
        if project::find(&mut transaction, project).await?.is_none() {
            return Err(Error::UnknownProject { project });
        }
        for step in steps {
            for version in [&step.before, &step.after].into_iter().flatten() {
                let (hash, bytes) = (&version.hash, &version.found.bytes);
                content::keep(&mut transaction, project, hash, bytes).await?;
            }
            let new = NewChange {
                change: step.change,
                batch,
                path: &step.path,
                before: step.before_hash(),
                after: step.after_hash(),
                before_mode: step.before.as_ref().and_then(|version| version.found.mode),
                size: step.size(),
                time,
            };
            change::prepare(&mut transaction, &self.place, &new).await?;
            for directory in &step.missing {
                made_directory::remember(&mut transaction, &self.place, directory).await?;
            }
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn finish(&self, steps: &[Step], batch: ChangeId, time: Timestamp) -> Result<(), Error> {
        let project = self.place.project;
        let mut transaction = self.shared.database.begin().await?;
        for step in steps {
            change::set_state(&mut transaction, step.change, State::Done).await?;
        }
        project::touch(&mut transaction, project, time).await?;
        let dropped = change::prune(&mut transaction, project, batch, MAX_HISTORY_BYTES).await?;
        if dropped > 0 {
            content::sweep(&mut transaction, project).await?;
            tracing::info!(%project, dropped, "dropped the oldest changes from the undo history");
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Puts back what a failed batch has done, and says how that went.
    async fn give_up(&self, made: Vec<ChangeId>, error: Error) -> Error {
        match self.settle(&Leftovers::PutBack { made }).await {
            Ok(standing) if standing.is_empty() => error,
            Ok(paths) => Error::HalfWritten {
                paths,
                source: Box::new(error),
            },
            Err(failure) => {
                let failure: &dyn std::error::Error = &failure;
                tracing::error!(project = %self.place.project, failure, "could not settle a failed write; trying again before the next");
                error
            }
        }
    }

    /// Runs work on the disk, off the reactor, when one of the workers is free. It runs to its end.
    pub(crate) async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Root) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let root = Arc::clone(&self.root);
        // The semaphore is never closed, so there always is a permit.
        let permit = Arc::clone(&self.shared.disk).acquire_owned().await.ok();
        task::spawn_blocking(move || {
            let _permit = permit;
            work(&root)
        })
        .await
        .map_err(Error::Interrupted)?
    }
}
