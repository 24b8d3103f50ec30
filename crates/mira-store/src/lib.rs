//! The floor under everything that Mira keeps: typed ids, time, and one SQLite database opened the same way by
//! everybody.
//!
//! The crate knows nothing of models, the wire or operations. A crate that owns tables brings its own migrations
//! ([`Migrations`]) with its own bookkeeping table, so that it can live in a database alone or beside others.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use mira_store::{DataDirectory, Database};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path();
//! let directory = DataDirectory::lock(path)?; // one process at a time
//! let database = Database::open(&directory.file("mira.db")).await?;
//! let mut transaction = database.begin().await?;
//! # drop(transaction);
//! # Ok::<(), mira_store::Error>(()) }).unwrap();
//! ```

mod clock;
mod database;
mod directory;
mod error;
mod id;
mod migrations;
pub mod vector;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use database::{Database, READERS, Transaction, note_removal};
pub use directory::DataDirectory;
pub use error::{Error, InvalidId, chain};
pub use id::{
    ArtifactId, ChangeId, DelegationId, FactId, ItemId, MessageId, OperationId, PatternId, ProjectId,
    SessionId, SummaryId,
};
pub use migrations::Migrations;
