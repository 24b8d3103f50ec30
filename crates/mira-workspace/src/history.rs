//! The undo history of files.

use mira_store::{ChangeId, Timestamp};
use sqlx::SqliteConnection;

use crate::change::{self, Recorded, State};
use crate::edit::{Edit, Wish};
use crate::files::Files;
use crate::settle::{self, Leftovers};
use crate::{Error, RelativePath, content, project, text};

/// The most entries that one call of [`Files::history`] returns.
pub const MAX_HISTORY_ENTRIES: u32 = 100;

/// A change that was undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    pub change: ChangeId,
    pub path: RelativePath,
    /// The hash of the file as it is now; `None`: the change had created the file, and it is gone again.
    pub hash: Option<String>,
}

/// A change as the history knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    pub change: ChangeId,
    /// Grows with every change, also within one millisecond.
    pub row: i64,
    pub path: RelativePath,
    /// `None`: there was no file.
    pub before_hash: Option<String>,
    /// `None`: the file was deleted.
    pub after_hash: Option<String>,
    /// The text before, as [`Files::read`] would have given it; `None` when there was none or it was no text.
    pub before: Option<String>,
    /// The text after, likewise.
    pub after: Option<String>,
    pub time: Timestamp,
    pub reverted: bool,
}

impl Files {
    /// Undoes the newest change of a file that did something and still stands; see [`Files::undo`].
    ///
    /// Errors: [`Error::NothingToUndo`], [`Error::ChangedSince`].
    pub async fn undo_last(&self, path: &RelativePath) -> Result<Undone, Error> {
        let path = path.clone();
        self.in_turn(|files| async move {
            let resolved = {
                let path = path.clone();
                files.on_disk(move |root| root.resolve(&path)).await?
            };
            let mut connection = files.shared.database.readers().acquire().await?;
            let last = change::last_undoable(&mut connection, &files.place, &resolved).await?;
            drop(connection);
            match last {
                Some(recorded) => files.revert(recorded).await,
                None => Err(Error::NothingToUndo { path }),
            }
        })
        .await
    }

    /// Undoes a change: puts back exactly the bytes it replaced, or removes the file it created together with the
    /// directories that were made for it and are empty. A file that somebody has put back by hand counts as undone.
    ///
    /// Errors: [`Error::UnknownChange`]; [`Error::AlreadyUndone`]; [`Error::ChangedSince`] when the file is no longer
    /// what the change wrote.
    pub async fn undo(&self, change: ChangeId) -> Result<Undone, Error> {
        self.in_turn(move |files| async move {
            let recorded = files.standing_change(change).await?;
            files.revert(recorded).await
        })
        .await
    }

    /// As [`Files::undo`], whatever the file is now. What is overwritten is recorded as a change of its own, so that
    /// this can be undone too.
    pub async fn undo_forced(&self, change: ChangeId) -> Result<Undone, Error> {
        self.in_turn(move |files| async move {
            let recorded = files.standing_change(change).await?;
            match files.revert(recorded.clone()).await {
                Err(Error::ChangedSince { .. }) => files.overwrite(recorded).await,
                other => other,
            }
        })
        .await
    }

    /// The changes of a file, newest first, at most `limit` and at most [`MAX_HISTORY_ENTRIES`].
    pub async fn history(&self, path: &RelativePath, limit: u32) -> Result<Vec<HistoryEntry>, Error> {
        let path = path.clone();
        let resolved = self.on_disk(move |root| root.resolve(&path)).await?;
        // One snapshot: a write meanwhile may drop old changes with their contents.
        let mut connection = self.shared.database.readers().begin().await?;
        let limit = limit.min(MAX_HISTORY_ENTRIES);
        let rows = change::of_file(&mut connection, &self.place, &resolved, limit).await?;
        let mut entries = Vec::with_capacity(rows.len());
        for recorded in rows {
            entries.push(HistoryEntry {
                before: self
                    .text_of(&mut connection, &recorded, recorded.before.as_deref())
                    .await?,
                after: self
                    .text_of(&mut connection, &recorded, recorded.after.as_deref())
                    .await?,
                change: recorded.change,
                row: recorded.row,
                path: recorded.path,
                before_hash: recorded.before,
                after_hash: recorded.after,
                time: recorded.time,
                reverted: recorded.state == State::Reverted,
            });
        }
        Ok(entries)
    }

    /// The files that have a change which still stands, and that differ from what they were before the oldest such
    /// change; in order of path.
    pub async fn modified(&self) -> Result<Vec<RelativePath>, Error> {
        let mut connection = self.shared.database.readers().acquire().await?;
        let changed = change::oldest_standing(&mut connection, &self.place).await?;
        drop(connection);
        self.on_disk(move |root| {
            let differs = |recorded: &Recorded| !matches!(root.hash(&recorded.path), Ok(hash) if hash == recorded.before);
            Ok(changed.into_iter().filter(differs).map(|recorded| recorded.path).collect())
        })
        .await
    }

    async fn text_of(
        &self,
        connection: &mut SqliteConnection,
        recorded: &Recorded,
        hash: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let Some(hash) = hash else { return Ok(None) };
        let bytes = content::get(connection, self.place.project, hash).await?;
        let text = text::decode(recorded.path.clone(), &bytes);
        Ok(text.ok().map(|file| file.content))
    }

    async fn standing_change(&self, change: ChangeId) -> Result<Recorded, Error> {
        let mut connection = self.shared.database.readers().acquire().await?;
        let found = change::find(&mut connection, &self.place, change).await?;
        let recorded = found.ok_or(Error::UnknownChange { change })?;
        if recorded.state == State::Reverted {
            let path = recorded.path;
            return Err(Error::AlreadyUndone { change, path });
        }
        Ok(recorded)
    }

    /// Undoes a change that stands, if the file is what it wrote. The turn is ours.
    async fn revert(&self, recorded: Recorded) -> Result<Undone, Error> {
        let original = self.original(&recorded).await?;
        self.mark(&recorded, State::Reverting).await?;
        let reverted = {
            let recorded = recorded.clone();
            self.on_disk(move |root| settle::put_back(root, &recorded, original.as_ref()))
                .await
        };
        let error = match reverted {
            Ok(()) => {
                self.mark(&recorded, State::Reverted).await?;
                self.remove_made_directories(&recorded.path).await?;
                return Ok(undone(recorded));
            }
            Err(error) => error,
        };
        self.settle(&Leftovers::KeepIfComplete).await?;
        let change = recorded.change;
        match self.standing_change(change).await {
            // Somebody had put the file back already, and settling has seen it.
            Err(Error::AlreadyUndone { .. }) => Ok(undone(recorded)),
            Err(failure) => Err(failure),
            Ok(_) => Err(match error {
                Error::Changed { path, .. }
                | Error::NotFound { path }
                | Error::IsDirectory { path }
                | Error::NotADirectory { path }
                | Error::NotAFile { path } => Error::ChangedSince { change, path },
                other => other,
            }),
        }
    }

    /// Makes the file what it was before the change, as a change of its own. The turn is ours.
    async fn overwrite(&self, recorded: Recorded) -> Result<Undone, Error> {
        let original = self.original(&recorded).await?;
        let edit = Edit {
            path: recorded.path.clone(),
            wish: Wish::Restore(original),
        };
        self.make(vec![edit]).await?;
        self.mark(&recorded, State::Reverted).await?;
        self.remove_made_directories(&recorded.path).await?;
        Ok(undone(recorded))
    }

    async fn mark(&self, recorded: &Recorded, state: State) -> Result<(), Error> {
        let mut transaction = self.shared.database.begin().await?;
        change::set_state(&mut transaction, recorded.change, state).await?;
        project::touch(&mut transaction, self.place.project, self.shared.clock.now()).await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn undone(recorded: Recorded) -> Undone {
    Undone {
        change: recorded.change,
        path: recorded.path,
        hash: recorded.before,
    }
}
