//! Settling what was begun and not finished: after a failure in the middle of a batch, and after a crash.
//!
//! Every change is stored before its file is touched, so comparing the file with what the change knows tells how far
//! it came. A file that is neither what it was nor what was to be written has been changed by somebody else: it is
//! left alone, and the change stays in the history with the bytes it replaced.

use mira_store::ChangeId;

use crate::change::{self, Recorded, State};
use crate::edit::{self, Staged};
use crate::files::Files;
use crate::root::{Found, Root};
use crate::{Error, RelativePath, content, made_directory};

/// What to do with a batch that was not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Leftovers {
    /// Keep it when every file was replaced, else put all back.
    KeepIfComplete,
    /// Put all back; only the changes in `made` can have replaced their files.
    PutBack { made: Vec<ChangeId> },
}

/// How a change ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    State(State),
    /// It never came to be.
    Discarded,
}

/// What a file is, compared with a change of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Before,
    After,
    Neither,
}

impl Files {
    /// Settles, in its turn, what a crash has interrupted.
    pub(crate) async fn settle_interrupted(&self) -> Result<(), Error> {
        self.in_turn(|_| async { Ok(()) }).await
    }

    /// Settles everything unfinished. The turn is ours, so nothing unfinished is still under way. Returns the files
    /// that were to be put back and could not be; their changes stay in the history.
    pub(crate) async fn settle(&self, leftovers: &Leftovers) -> Result<Vec<RelativePath>, Error> {
        let mut connection = self.shared.database.readers().acquire().await?;
        let unsettled = change::unsettled(&mut connection, &self.place).await?;
        drop(connection);
        let mut standing = Vec::new();
        for batch in unsettled.chunk_by(|a, b| a.batch == b.batch) {
            standing.extend(self.settle_batch(batch.to_vec(), leftovers).await?);
        }
        Ok(standing)
    }

    async fn settle_batch(
        &self,
        batch: Vec<Recorded>,
        leftovers: &Leftovers,
    ) -> Result<Vec<RelativePath>, Error> {
        let originals = self.originals(&batch).await?;
        let leftovers = leftovers.clone();
        let ends = self
            .on_disk(move |root| Ok(settle_on_disk(root, batch, &originals, &leftovers)))
            .await?;
        let mut standing = Vec::new();
        let mut transaction = self.shared.database.begin().await?;
        for (recorded, end) in &ends {
            match end {
                End::State(state) => {
                    change::set_state(&mut transaction, recorded.change, *state).await?;
                    if *state == State::Done && recorded.state == State::Prepared {
                        standing.push(recorded.path.clone());
                    }
                }
                End::Discarded => change::discard(&mut transaction, recorded.change).await?,
            }
        }
        content::sweep(&mut transaction, self.place.project).await?;
        transaction.commit().await?;
        for (recorded, end) in &ends {
            if matches!(end, End::Discarded | End::State(State::Reverted)) {
                self.remove_made_directories(&recorded.path).await?;
            }
        }
        Ok(standing)
    }

    /// The bytes and permission bits that each change replaced.
    async fn originals(&self, batch: &[Recorded]) -> Result<Vec<Option<Found>>, Error> {
        let mut originals = Vec::with_capacity(batch.len());
        for recorded in batch {
            originals.push(self.original(recorded).await?);
        }
        Ok(originals)
    }

    /// The bytes and permission bits that a change replaced; `None` when there was no file.
    pub(crate) async fn original(&self, recorded: &Recorded) -> Result<Option<Found>, Error> {
        let Some(hash) = &recorded.before else {
            return Ok(None);
        };
        let mut connection = self.shared.database.readers().acquire().await?;
        let bytes = content::get(&mut connection, self.place.project, hash).await?;
        Ok(Some(Found {
            bytes,
            mode: recorded.before_mode,
        }))
    }

    /// Removes the directories that were made for this file and are empty now.
    pub(crate) async fn remove_made_directories(&self, path: &RelativePath) -> Result<(), Error> {
        let mut connection = self.shared.database.readers().acquire().await?;
        let made = made_directory::above(&mut connection, &self.place, path).await?;
        drop(connection);
        let remove = move |root: &Root| {
            let removed = made
                .into_iter()
                .take_while(|path| root.remove_empty_directory(path));
            Ok(removed.collect::<Vec<_>>())
        };
        let removed = self.on_disk(remove).await?;
        if removed.is_empty() {
            return Ok(());
        }
        let mut transaction = self.shared.database.begin().await?;
        for path in &removed {
            made_directory::forget(&mut transaction, &self.place, path).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

fn settle_on_disk(
    root: &Root,
    batch: Vec<Recorded>,
    originals: &[Option<Found>],
    leftovers: &Leftovers,
) -> Vec<(Recorded, End)> {
    let is_made = |recorded: &Recorded| {
        recorded.before == recorded.after || standing(root, recorded) == Standing::After
    };
    let keep = *leftovers == Leftovers::KeepIfComplete && batch.iter().all(is_made);
    let end = |(recorded, original): (Recorded, &Option<Found>)| {
        edit::remove_left_over(root, recorded.change, &recorded.path);
        let end = match recorded.state {
            State::Prepared if keep => End::State(State::Done),
            State::Prepared => take_back(root, &recorded, original.as_ref(), leftovers),
            State::Reverting if standing(root, &recorded) == Standing::Before => End::State(State::Reverted),
            State::Reverting => End::State(State::Done),
            State::Done | State::Reverted => End::State(recorded.state),
        };
        (recorded, end)
    };
    batch.into_iter().zip(originals).map(end).collect()
}

fn take_back(root: &Root, recorded: &Recorded, original: Option<&Found>, leftovers: &Leftovers) -> End {
    match standing(root, recorded) {
        Standing::After => match put_back(root, recorded, original) {
            Ok(()) => End::Discarded,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(path = %recorded.path, error, "could not put a file back");
                End::State(State::Done)
            }
        },
        Standing::Neither if may_be_made(leftovers, recorded.change) => End::State(State::Done),
        Standing::Before | Standing::Neither => End::Discarded,
    }
}

/// Puts back what the change replaced, if the file still is what the change wrote.
pub(crate) fn put_back(root: &Root, recorded: &Recorded, original: Option<&Found>) -> Result<(), Error> {
    Staged::new(root, recorded.change, &recorded.path, original)?.put_in_place(recorded.after.as_deref())
}

fn may_be_made(leftovers: &Leftovers, change: ChangeId) -> bool {
    match leftovers {
        Leftovers::KeepIfComplete => true,
        Leftovers::PutBack { made } => made.contains(&change),
    }
}

fn standing(root: &Root, recorded: &Recorded) -> Standing {
    match root.hash(&recorded.path) {
        Ok(found) if found == recorded.before => Standing::Before,
        Ok(found) if found == recorded.after => Standing::After,
        Ok(_) | Err(_) => Standing::Neither,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mira_store::{Database, ManualClock, Timestamp};

    use super::*;
    use crate::edit::{Edit, Wish};
    use crate::{Expected, NewProject, Workspace};

    #[tokio::test]
    async fn a_file_that_somebody_changes_in_the_middle_of_a_batch_stays_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        std::fs::create_dir(&root).unwrap();
        let database = Database::open(&folder.path().join("mira.db")).await.unwrap();
        let clock = Arc::new(ManualClock::default());
        let workspace = Workspace::open(&database, clock).await.unwrap();
        let new = NewProject {
            name: "demo".to_owned(),
            ..NewProject::default()
        };
        let project = workspace.create_project(new).await.unwrap().id;
        workspace.attach(project, &root).await.unwrap();
        let files = workspace.files(project).await.unwrap();
        std::fs::write(root.join("a"), "old").unwrap();
        std::fs::write(root.join("b"), "old").unwrap();
        let edits = ["a", "b", "c"].map(|name| Edit {
            path: RelativePath::parse(name).unwrap(),
            wish: Wish::Write {
                content: "new".to_owned(),
                expected: Expected::Anything,
            },
        });
        let time = Timestamp::from_ms(1);
        let steps = files
            .on_disk(move |root| edit::plan(root, edits.into(), time))
            .await
            .unwrap();
        let first = steps[0].change;
        files.prepare(&steps, first, time).await.unwrap();
        std::fs::write(root.join("b"), "theirs").unwrap();
        let (made, done) = files
            .on_disk(move |root| Ok(edit::carry_out(root, &steps)))
            .await
            .unwrap();
        assert!(
            matches!(&done, Err(Error::Changed { path, .. }) if path.as_str() == "b"),
            "{done:?}"
        );
        assert_eq!(made, [first]);
        assert_eq!(std::fs::read(root.join("a")).unwrap(), b"new");

        assert_eq!(files.settle(&Leftovers::PutBack { made }).await.unwrap(), []);
        let mut left: Vec<_> = std::fs::read_dir(&root)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                (
                    entry.file_name().into_string().unwrap(),
                    std::fs::read_to_string(entry.path()).unwrap(),
                )
            })
            .collect();
        left.sort();
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(left, [pair("a", "old"), pair("b", "theirs")]);
        let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM file_change")
            .fetch_one(database.readers())
            .await
            .unwrap();
        assert_eq!(rows, 0);
    }
}
