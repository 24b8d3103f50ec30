//! The handle to everything that is remembered.

use std::path::Path;
use std::sync::Arc;

use mira_llm::chat::ChatModel;
use mira_llm::embedding::Embedder;
use mira_store::vector::VectorStore;
use mira_store::{Clock, Database, MessageId, Migrations, SessionId, SystemClock};

use crate::jobs::{Board, Job};
use crate::lexical::Lexical;
use crate::options::Options;
use crate::semantic::Index;
use crate::session::DEFAULT_USER;
use crate::{Error, Message, NewMessage, Session, message, session};

const MIGRATIONS: Migrations = Migrations {
    owner: "memory",
    steps: &[
        (
            "sessions and messages",
            include_str!("../../../migrations/memory/0001_sessions_and_messages.sql"),
        ),
        (
            "speakers, users and pins",
            include_str!("../../../migrations/memory/0002_speakers_users_and_pins.sql"),
        ),
        (
            "analyses",
            include_str!("../../../migrations/memory/0003_analyses.sql"),
        ),
        (
            "work and embeddings",
            include_str!("../../../migrations/memory/0004_work_and_embeddings.sql"),
        ),
        (
            "summaries",
            include_str!("../../../migrations/memory/0005_summaries.sql"),
        ),
        (
            "facts, profile and patterns",
            include_str!("../../../migrations/memory/0006_facts_profile_and_patterns.sql"),
        ),
    ],
};

/// A handle to what is remembered. Clones share everything.
#[derive(Debug, Clone)]
pub struct Memory {
    pub(crate) inner: Arc<Inner>,
}

/// What a memory can be helped by. Without any of it, recall goes by words and analysis by rules.
#[derive(Debug, Clone, Default)]
pub struct Helpers {
    /// Turns texts into vectors.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// Where the vectors are searched; without effect without an embedder.
    pub vectors: Option<Arc<dyn VectorStore>>,
    /// Analyses and summarises.
    pub utility: Option<Arc<dyn ChatModel>>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub database: Database,
    pub clock: Arc<dyn Clock>,
    pub helpers: Helpers,
    pub options: Options,
    pub lexical: Lexical,
    pub index: Index,
    pub board: Board,
}

impl Memory {
    /// Opens the memory in a directory, making it when it is missing: by words and rules alone, at the time of the
    /// machine. Only one process should use a directory ([`mira_store::DataDirectory`]).
    pub async fn in_directory(directory: &Path) -> Result<Self, Error> {
        let database = Database::open(&directory.join("memory.db")).await?;
        Self::open(database, Arc::new(SystemClock)).await
    }

    /// Brings the tables to this version; by words and rules alone.
    pub async fn open(database: Database, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        Self::open_with(database, clock, Helpers::default(), Options::default()).await
    }

    /// Like [`Self::open`], with the help of models.
    pub async fn open_with(
        database: Database,
        clock: Arc<dyn Clock>,
        helpers: Helpers,
        options: Options,
    ) -> Result<Self, Error> {
        MIGRATIONS.run(&database).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                database,
                clock,
                helpers,
                options,
                lexical: Lexical::default(),
                index: Index::default(),
                board: Board::default(),
            }),
        })
    }

    /// Says that messages were stored by [`message::append`] and committed, so that they are analysed at once instead of
    /// at the next interval.
    pub fn stored(&self) {
        self.inner.board.wake(Job::Analysis);
    }

    /// Makes a session without a name.
    pub async fn create_session(&self) -> Result<Session, Error> {
        let mut transaction = self.inner.database.begin().await?;
        let session = session::create(&mut transaction, None, DEFAULT_USER, self.inner.clock.now()).await?;
        transaction.commit().await?;
        Ok(session)
    }

    /// The session of this name, made when there is none; says whether it was made. A name has 1 to
    /// [`session::MAX_NAME_CHARS`] characters and no control characters.
    pub async fn open_session(&self, name: &str) -> Result<(Session, bool), Error> {
        let mut reader = self.inner.database.readers().acquire().await?;
        if let Some(session) = session::named(&mut reader, name).await? {
            return Ok((session, false));
        }
        let mut transaction = self.inner.database.begin().await?;
        // Another caller may have made it while this one waited to write.
        if let Some(session) = session::named(&mut transaction, name).await? {
            return Ok((session, false));
        }
        let session =
            session::create(&mut transaction, Some(name), DEFAULT_USER, self.inner.clock.now()).await?;
        transaction.commit().await?;
        Ok((session, true))
    }

    /// A session by id.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>, Error> {
        session::get(&mut *self.inner.database.readers().acquire().await?, id).await
    }

    /// A session by name.
    pub async fn session_named(&self, name: &str) -> Result<Option<Session>, Error> {
        session::named(&mut *self.inner.database.readers().acquire().await?, name).await
    }

    /// Up to `limit` sessions, the last used first; `after` is the last session of the page before.
    pub async fn sessions(&self, after: Option<&Session>, limit: u32) -> Result<Vec<Session>, Error> {
        session::page(&mut *self.inner.database.readers().acquire().await?, after, limit).await
    }

    /// Stores a message in a transaction of its own.
    pub async fn save(&self, new: NewMessage) -> Result<Message, Error> {
        let mut transaction = self.inner.database.begin().await?;
        let now = self.inner.clock.now();
        let message = message::append(&mut transaction, MessageId::at(now), new, now).await?;
        transaction.commit().await?;
        self.stored();
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
            &mut *self.inner.database.readers().acquire().await?,
            session,
            before,
            limit,
        )
        .await
    }

    /// How many messages of a session came before this number. Reads the counted total and the messages after it, not
    /// the ones before, so it is quick for recent numbers.
    pub async fn count_before(&self, session: SessionId, number: i64) -> Result<i64, Error> {
        message::count_before(
            &mut *self.inner.database.readers().acquire().await?,
            session,
            number,
        )
        .await
    }

    /// A message by id.
    pub async fn message(&self, id: MessageId) -> Result<Option<Message>, Error> {
        message::get(&mut *self.inner.database.readers().acquire().await?, id).await
    }
}
