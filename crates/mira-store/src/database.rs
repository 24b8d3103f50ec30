//! One SQLite database: one writer, a pool of readers, the same settings for everybody.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool};

use crate::Error;

/// How many connections read at the same time.
pub const READERS: u32 = 4;

/// How long a statement waits for a lock that another process (a backup, an inspection) holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a caller waits for its turn to write before the database counts as stuck.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// A transaction that may write. Dropping it without `commit` undoes it.
pub type Transaction = sqlx::Transaction<'static, sqlx::Sqlite>;

/// An open database. Clones share the same connections.
///
/// It runs in WAL mode with `synchronous = NORMAL`: a killed process loses nothing that was committed; a power cut
/// may lose the last commits but never damages the file. What is deleted is overwritten in the file; [`Self::compact`]
/// leaves nothing of it in the WAL either, and is made up for by the next [`Self::open`] where [`note_removal`] was called.
#[derive(Debug, Clone)]
pub struct Database {
    path: PathBuf,
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Database {
    /// Opens the database file, making it and its folder when they are missing.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| Error::Directory {
                path: folder.to_owned(),
                source,
            })?;
        }
        let failed = |source| Error::Open {
            path: path.to_owned(),
            source,
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            // SQLite rolls back by itself when the disk is full, and the driver then counts a transaction that is gone.
            // Such a connection is replaced.
            .after_release(|connection, _| {
                Box::pin(async move {
                    // Comes back behind the rollback that a dropped transaction has queued.
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(
                options
                    .clone()
                    .pragma("secure_delete", "ON")
                    .optimize_on_close(true, None),
            )
            .await
            .map_err(failed)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .connect_with(options.read_only(true))
            .await
            .map_err(failed)?;
        let database = Self {
            path: path.to_owned(),
            writer,
            readers,
        };
        if database.owes_compaction().await? {
            match database.compact(BUSY_TIMEOUT).await {
                // Another program reads the state before. It stays owed.
                Ok(()) | Err(Error::Read { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(database)
    }

    async fn owes_compaction(&self) -> Result<bool, Error> {
        let removals: i64 = sqlx::query_scalar("PRAGMA user_version")
            .fetch_one(&self.readers)
            .await?;
        Ok(removals != 0)
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    /// Connections that read committed state and cannot write.
    pub fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Begins a transaction that may write; waits for the one before it. Cancel safe: a dropped transaction is
    /// rolled back.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Writes a consistent copy to `target` while readers and writers go on. `target` must not exist.
    ///
    /// The copy is one compact file without a WAL, complete once this returns.
    pub async fn backup(&self, target: &Path) -> Result<(), Error> {
        let failed = |source| Error::Backup {
            path: target.to_owned(),
            source,
        };
        let Some(text) = target.to_str() else {
            return Err(failed(sqlx::Error::Configuration("the path is not UTF-8".into())));
        };
        sqlx::query("VACUUM INTO ?1")
            .bind(text)
            .execute(&self.writer)
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Rewrites the file without the room of what was deleted and empties the WAL, so that no byte of deleted content is
    /// left in the directory.
    ///
    /// Writers wait meanwhile and readers go on. A reader that began before keeps the old pages in the WAL: it is waited
    /// for up to `patience`, then the call fails with [`Error::Read`] and can be repeated. Cancel safe.
    pub async fn compact(&self, patience: Duration) -> Result<(), Error> {
        let failed = |source| Error::Compact {
            path: self.path.clone(),
            source,
        };
        let _no_other_writer = self.writer.acquire().await.map_err(failed)?;
        // A connection of its own, because it waits for locks in its own way.
        let mut connection = SqliteConnectOptions::new()
            .filename(&self.path)
            .busy_timeout(patience)
            .connect()
            .await
            .map_err(failed)?;
        let busy = async {
            // `PRAGMA optimize` keeps samples of what is indexed. It takes new ones when they are missed.
            let sampled: bool =
                sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat4')")
                    .fetch_one(&mut connection)
                    .await?;
            if sampled {
                sqlx::query("DELETE FROM sqlite_stat4")
                    .execute(&mut connection)
                    .await?;
            }
            sqlx::query("VACUUM").execute(&mut connection).await?;
            let busy: i64 = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)")
                .fetch_one(&mut connection)
                .await?;
            if busy == 0 {
                sqlx::query("PRAGMA user_version = 0")
                    .execute(&mut connection)
                    .await?;
            }
            connection.close().await?;
            Ok(busy != 0)
        };
        if busy.await.map_err(failed)? {
            return Err(Error::Read {
                path: self.path.clone(),
            });
        }
        Ok(())
    }

    /// Waits for running statements and closes every connection.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Notes, in the transaction that removes something, that [`Database::compact`] is owed, so that nothing of it stays on disk
/// when the process ends before.
pub async fn note_removal(connection: &mut SqliteConnection) -> Result<(), Error> {
    // A number in the header of the file that SQLite leaves to its users; migrations have their own tables.
    sqlx::query("PRAGMA user_version = 1").execute(connection).await?;
    Ok(())
}
