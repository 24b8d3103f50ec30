//! What Mira remembers: sessions and their messages, in SQLite.
//!
//! [`Memory`] is a handle over a [`Database`]; the functions of [`session`] and [`message`] take a connection, so that a
//! caller composes them with writes of its own in one transaction. The crate knows nothing of operations, sockets or
//! source code.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use std::sync::Arc;
//! use mira_memory::{Memory, NewMessage, Role};
//! use mira_store::{Database, SystemClock};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! let database = Database::open(&folder.path().join("memory.db")).await?;
//! let memory = Memory::open(database, Arc::new(SystemClock)).await?;
//!
//! let (session, _created) = memory.open_session("holidays").await?;
//! memory.save(NewMessage::new(session.id, Role::User, "We leave on Friday.")).await?;
//!
//! let recent = memory.page(session.id, None, 10).await?;
//! assert_eq!(recent[0].content, "We leave on Friday.");
//! # Ok::<(), mira_memory::Error>(()) }).unwrap();
//! ```

mod error;
pub mod message;
pub mod session;

use std::sync::Arc;

use mira_store::{Clock, Database, MessageId, Migrations, SessionId};

pub use error::Error;
pub use message::{Message, NewMessage, Role};
pub use session::Session;

const MIGRATIONS: Migrations = Migrations {
    owner: "memory",
    steps: &[(
        "sessions and messages",
        include_str!("../../../migrations/memory/0001_sessions_and_messages.sql"),
    )],
};

/// A handle to what is remembered. Clones share the database.
#[derive(Debug, Clone)]
pub struct Memory {
    database: Database,
    clock: Arc<dyn Clock>,
}

impl Memory {
    /// Brings the tables to this version.
    pub async fn open(database: Database, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        MIGRATIONS.run(&database).await?;
        Ok(Self { database, clock })
    }

    /// Makes a session without a name.
    pub async fn create_session(&self) -> Result<Session, Error> {
        let mut transaction = self.database.begin().await?;
        let session = session::create(&mut transaction, None, self.clock.now()).await?;
        transaction.commit().await?;
        Ok(session)
    }

    /// The session of this name, made when there is none; says whether it was made. A name has 1 to
    /// [`session::MAX_NAME_CHARS`] characters and no control characters.
    pub async fn open_session(&self, name: &str) -> Result<(Session, bool), Error> {
        let mut reader = self.database.readers().acquire().await?;
        if let Some(session) = session::named(&mut reader, name).await? {
            return Ok((session, false));
        }
        let mut transaction = self.database.begin().await?;
        // Another caller may have made it while this one waited to write.
        if let Some(session) = session::named(&mut transaction, name).await? {
            return Ok((session, false));
        }
        let session = session::create(&mut transaction, Some(name), self.clock.now()).await?;
        transaction.commit().await?;
        Ok((session, true))
    }

    /// A session by id.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>, Error> {
        session::get(&mut *self.database.readers().acquire().await?, id).await
    }

    /// A session by name.
    pub async fn session_named(&self, name: &str) -> Result<Option<Session>, Error> {
        session::named(&mut *self.database.readers().acquire().await?, name).await
    }

    /// Up to `limit` sessions, the last used first; `after` is the last session of the page before.
    pub async fn sessions(&self, after: Option<&Session>, limit: u32) -> Result<Vec<Session>, Error> {
        session::page(&mut *self.database.readers().acquire().await?, after, limit).await
    }

    /// Stores a message in a transaction of its own.
    pub async fn save(&self, new: NewMessage) -> Result<Message, Error> {
        let mut transaction = self.database.begin().await?;
        let now = self.clock.now();
        let message = message::append(&mut transaction, MessageId::at(now), new, now).await?;
        transaction.commit().await?;
        Ok(message)
    }

    /// Up to `limit` messages of a session, newest first; `before` is the [`Message::number`] to go on from.
    pub async fn page(
        &self,
        session: SessionId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Message>, Error> {
        message::page(
            &mut *self.database.readers().acquire().await?,
            session,
            before,
            limit,
        )
        .await
    }

    /// How many messages of a session came before this number. Reads the counted total and the messages after it, not
    /// the ones before, so it is quick for recent numbers.
    pub async fn count_before(&self, session: SessionId, number: i64) -> Result<i64, Error> {
        message::count_before(&mut *self.database.readers().acquire().await?, session, number).await
    }

    /// A message by id.
    pub async fn message(&self, id: MessageId) -> Result<Option<Message>, Error> {
        message::get(&mut *self.database.readers().acquire().await?, id).await
    }
}
