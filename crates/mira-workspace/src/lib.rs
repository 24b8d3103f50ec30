//! A project on disk: a directory whose files are read, listed, searched and written, and nothing beside it.
//!
//! The crate knows nothing of models, the wire or operations. It owns the tables of projects and of the undo history,
//! and can live in a database alone or beside others.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use std::sync::Arc;
//!
//! use mira_store::{Database, SystemClock};
//! use mira_workspace::{NewProject, RelativePath, Search, Workspace, WriteOptions};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let data = folder.path();
//! # let checkout = &folder.path().join("checkout");
//! # std::fs::create_dir(checkout).unwrap();
//! let database = Database::open(&data.join("mira.db")).await?;
//! let workspace = Workspace::open(&database, Arc::new(SystemClock)).await?;
//! let project = workspace
//!     .create_project(NewProject { name: "demo".to_owned(), ..NewProject::default() })
//!     .await?;
//! workspace.attach(project.id, checkout).await?;
//!
//! let files = workspace.files(project.id).await?;
//! let path = RelativePath::parse("src/main.rs")?;
//! let change = files.write(&path, "fn main() {}\n", WriteOptions::default()).await?;
//! let found = files.search(Search::text("main")).await?;
//! assert_eq!(found.matches[0].line, 1);
//!
//! files.undo(change.id).await?; // the file and the directory made for it are gone again
//! assert_eq!(files.exists(&path).await?, None);
//! workspace.close().await;
//! # Ok::<(), mira_workspace::Error>(()) }).unwrap();
//! ```
//!
//! # What holds
//!
//! - **Nothing outside is touched.** A [`RelativePath`] cannot name anything outside, and the directory is held open
//!   and walked name by name, so that no symbolic link leads out, not even one put in place during a write. Pipes and
//!   devices are refused without being opened for long.
//! - **`.git` belongs to git.** No operation here reads or writes in one, under whatever spelling or link.
//! - **A write is whole.** Content is flushed to a temporary file in the same directory and renamed over the old file;
//!   the directory itself is not flushed, so that a power cut may bring back the old file, never half of the new.
//!   Between the last look at a file and its replacement lies an instant in which another program's write to the same
//!   file is lost; everything earlier is noticed and refused.
//! - **What was there is kept first.** Each change is stored with the bytes it replaces before the file is touched. A
//!   batch is all or nothing, across a crash as well: [`Workspace::open`] settles what was interrupted.
//! - **Text stays as its author made it.** Byte order mark, line endings and permission bits survive; a file that is
//!   not UTF-8 is never rewritten.
//! - **Nothing that Mira did not make is deleted with a project.** Deleting one only forgets it.
//!
//! The undo history of a project is bounded by [`MAX_HISTORY_BYTES`]: the oldest changes that are undone already go
//! first, then the oldest others, never those of the newest write.
//!
//! On a file system that folds upper and lower case, two spellings of one file have two histories. Each undo compares
//! the file with what the change wrote, so neither undoes the other's work unnoticed.

mod change;
mod content;
mod diff;
mod edit;
mod error;
mod files;
mod forget;
mod history;
mod language;
mod listing;
mod made_directory;
mod path;
mod project;
mod root;
mod search;
mod settle;
mod text;
mod walk;
mod workspace;

pub use change::MAX_HISTORY_BYTES;
pub use diff::unified_diff;
pub use edit::MAX_KEPT_BYTES;
pub use error::Error;
pub use files::{Change, Expected, Files, WriteOptions};
pub use forget::{forget_changes, forget_history};
pub use history::{HistoryEntry, MAX_HISTORY_ENTRIES, Undone};
pub use language::language_of;
pub use listing::{Entries, Entry, Listing, Node, Outline, OutlineFile, Tree};
pub use path::{InvalidPath, MAX_PATH_BYTES, PathProblem, RelativePath};
pub use project::{NewProject, Project, ProjectUpdate};
pub use root::Kind;
pub use search::{Case, LineMatch, MAX_LINE_CHARS, Search, SearchResult};
pub use text::{LineEnding, MAX_TEXT_BYTES, TextFile, hash};
pub use workspace::Workspace;
