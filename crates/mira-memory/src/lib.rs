//! What Mira remembers, for programs of your own: conversations, what they say about the user, and a search that finds
//! them again. Everything is in one directory of yours; no server is needed, and no model.
//!
//! # Remember and recall
//!
//! ```
//! use mira_memory::recall::Query;
//! use mira_memory::{Memory, NewMessage, Role};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let folder = tempfile::tempdir().unwrap();
//! # let directory = folder.path();
//! let memory = Memory::in_directory(directory).await?;
//! let (session, _created) = memory.open_session("household").await?;
//! for said in ["The spare key hangs behind the boiler.", "We leave for Lisbon on Friday."] {
//!     memory.save(NewMessage::new(session.id, Role::User, said)).await?;
//! }
//!
//! let found = memory.recall(&Query::new("Where is the spare key?", 5)).await?;
//! assert_eq!(found.hits[0].message.content, "The spare key hangs behind the boiler.");
//! # Ok::<(), mira_memory::Error>(()) }).unwrap();
//! ```
//!
//! A [`Memory`] is a handle; clone it freely. A message is on disk when [`Memory::save`] returns, and can be recalled at
//! once. [`recall::Query`] narrows a search to a user, sessions, a project, roles or a span of time; [`recall::Score`] tells what
//! made a hit one, and [`Memory::explain`] why a message is none.
//!
//! # By meaning
//!
//! With an embedder and a place to search vectors, recall goes by words and by meaning together. Without a key, use
//! `mira_llm::embedding::LocalEmbeddings`; a Qdrant server can take the place of the vectors in the process.
//!
//! ```no_run
//! # async fn example(directory: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use mira_llm::Endpoint;
//! use mira_llm::embedding::{EmbeddingOptions, OpenAiEmbeddings};
//! use mira_memory::{Helpers, Memory, Options, Schedule};
//! use mira_store::vector::EmbeddedVectors;
//! use mira_store::{Database, SystemClock};
//!
//! let endpoint = Endpoint::new("https://api.openai.com/v1").api_key(std::env::var("OPENAI_API_KEY")?);
//! let embedder = OpenAiEmbeddings::new(endpoint, EmbeddingOptions::new("text-embedding-3-large", 1024))?;
//! let helpers = Helpers {
//!     embedder: Some(Arc::new(embedder)),
//!     vectors: Some(Arc::new(EmbeddedVectors::open(&directory.join("vectors")).await?)),
//!     utility: None,
//! };
//! let database = Database::open(&directory.join("memory.db")).await?;
//! let memory = Memory::open_with(database, Arc::new(SystemClock), helpers, Options::default()).await?;
//!
//! let jobs = memory.start_jobs(Schedule::default());
//! // … save and recall …
//! jobs.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! When the embedder is slow or down, recall goes by words and says so in [`recall::Recall::degraded`]. The embeddings are in the
//! database; the vector index is made of them and can be deleted at any time, at no cost but the time to fill it again.
//! Vectors of different embedders are never mixed: after a change of embedder the old ones are left alone, and
//! [`Memory::index`] says [`IndexState::Refused`], until [`Memory::renew_embeddings`].
//!
//! # In the background
//!
//! Stored messages are analysed, by [`Helpers::utility`] or by rules, embedded and summarised. [`Memory::start_jobs`] does
//! it beside your program, and [`Memory::settle`] at once, for programs that run no jobs. What is to be done is noted together
//! with what makes it necessary, so a killed process forgets nothing; [`Memory::status`] tells how far behind it all is.
//!
//! # What is known of a user
//!
//! ```
//! use mira_memory::fact::Facts;
//! use mira_memory::session::DEFAULT_USER;
//! # use mira_memory::{Memory, NewMessage, Role};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let folder = tempfile::tempdir().unwrap();
//! # let memory = Memory::in_directory(folder.path()).await?;
//! # let session = memory.create_session().await?;
//! memory.save(NewMessage::new(session.id, Role::User, "My name is Ada.")).await?;
//! memory.settle().await?;
//!
//! let facts = memory.facts(&Facts::of(DEFAULT_USER)).await?;
//! assert_eq!((facts[0].key.as_str(), facts[0].value.as_str()), ("name", "Ada"));
//! let told = memory.explain_fact(facts[0].id).await?.and_then(|history| history.source);
//! assert_eq!(told.map(|message| message.content).as_deref(), Some("My name is Ada."));
//! # Ok::<(), mira_memory::Error>(()) }).unwrap();
//! ```
//!
//! A fact is never overwritten: what contradicts it takes its place, and "what held in June?" has an answer
//! ([`fact::Facts::as_of`]). Facts can be entered, corrected, pinned and forgotten by hand, and [`Memory::erase`] removes
//! everything of a user, a session or a project for good.
//!
//! # In a transaction of yours
//!
//! The functions of [`session`], [`message`], [`fact`] and others take a connection, so that they compose with writes
//! of your own: append a message, commit, and call [`Memory::stored`].

pub mod analysis;
mod curate;
mod embedding;
pub mod erase;
mod error;
mod expression;
pub mod fact;
mod form;
mod jobs;
mod lexical;
mod memory;
pub mod message;
mod names;
mod options;
pub mod outbox;
pub mod pattern;
pub mod portable;
pub mod profile;
pub mod recall;
pub mod relationship;
mod row;
pub mod salience;
mod scope;
pub mod secret;
mod semantic;
pub mod session;
pub mod stats;
pub mod summary;

pub use error::Error;
pub use jobs::{Job, Jobs, Record, Schedule, Status};
pub use memory::{Helpers, Memory};
pub use message::{Message, NewMessage, Role};
pub use options::Options;
pub use scope::Scope;
pub use semantic::IndexState;
pub use session::Session;
