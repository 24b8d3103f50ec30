//! Mira without sockets, in a temporary folder: a real database, and a scripted model over HTTP.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use mira_llm::Endpoint;
use mira_llm::openai::{Responses, ResponsesOptions};
use mira_llm::scripted::{Script, Upstream};
use mira_memory::Memory;
use mira_ops::{Binding, Models, Operations, Options, Parts, Step, Turn};
use mira_store::{Database, SessionId, SystemClock};
use mira_workspace::Workspace;
use tempfile::TempDir;

#[derive(Debug)]
pub(crate) struct Mira {
    pub(crate) database: Database,
    pub(crate) memory: Memory,
    pub(crate) operations: Operations,
    upstream: Upstream,
    folder: TempDir,
}

impl Mira {
    pub(crate) async fn start(script: Script) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let upstream = Upstream::start(script).await?;
        let endpoint = Endpoint::new(upstream.base_url()).api_key("none");
        let options = ResponsesOptions {
            reasoning_summary: true,
            ..ResponsesOptions::new("gpt-5")
        };
        let clock = Arc::new(SystemClock);
        let database = Database::open(&folder.path().join("mira.db")).await?;
        let memory = Memory::open(database.clone(), clock.clone()).await?;
        let parts = Parts {
            database: database.clone(),
            memory: memory.clone(),
            workspace: Workspace::open(&database, clock.clone()).await?,
            models: Models {
                reasoner: Binding::Model(Arc::new(Responses::new(endpoint, options)?)),
                coder: Binding::Missing {
                    variable: "DEEPSEEK_API_KEY".to_owned(),
                },
            },
            clock,
        };
        let operations = Operations::open(parts, Options::default()).await?;
        Ok(Self {
            database,
            memory,
            operations,
            upstream,
            folder,
        })
    }

    /// A new session.
    pub(crate) async fn session(&self) -> anyhow::Result<SessionId> {
        Ok(self.memory.create_session().await?.id)
    }

    /// Runs a turn to its end and returns the number of its events.
    pub(crate) async fn turn(&self, session: SessionId) -> anyhow::Result<u32> {
        let mut tail = self.operations.open_session(session).await?.tail;
        let turn = Turn {
            session,
            content: "Go.".to_owned(),
            project: None,
            editor: None,
            idempotency_key: None,
        };
        self.operations.send(turn).await?;
        let mut events = 0;
        loop {
            if let Step::Event(recorded) = tail.next().await? {
                events += 1;
                if recorded.event.is_terminal() {
                    anyhow::ensure!(
                        matches!(recorded.event, mira_ops::Event::Completed { .. }),
                        "a turn ended with {:?}",
                        recorded.event
                    );
                    return Ok(events);
                }
            }
        }
    }

    /// Makes the journal of a session this long, by repeating an event of a turn that has run.
    pub(crate) async fn lengthen(&self, session: SessionId, events: u32) -> anyhow::Result<()> {
        let mut transaction = self.database.begin().await?;
        sqlx::query(
            "WITH RECURSIVE sample AS (
                 SELECT operation_id, time_ms, body FROM events
                 WHERE session_id = ?1 AND body LIKE '%streaming%' LIMIT 1
             ), number (seq) AS (
                 SELECT max(seq) + 1 FROM events WHERE session_id = ?1
                 UNION ALL SELECT seq + 1 FROM number WHERE seq < ?2
             )
             INSERT INTO events (session_id, seq, operation_id, time_ms, body)
             SELECT ?1, seq, operation_id, time_ms, body FROM number, sample",
        )
        .bind(session)
        .bind(events)
        .execute(&mut *transaction)
        .await
        .context("could not lengthen a journal")?;
        Ok(transaction.commit().await?)
    }

    /// Stops, and leaves the data directory.
    pub(crate) async fn stop(self) -> TempDir {
        self.operations.shutdown(Duration::ZERO).await;
        self.upstream.shutdown().await;
        self.database.close().await;
        self.folder
    }
}
