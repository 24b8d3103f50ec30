//! The whole server: storage opened, models bound, the port served, everything stopped in order.

mod memory;
mod models;
mod reindex;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mira_memory::{IndexState, Jobs};
use mira_ops::{Operations, Options, Parts};
use mira_proto::native::ModelBinding;
use mira_store::vector::{VectorError, VectorStore};
use mira_store::{DataDirectory, Database, SystemClock, chain};
use mira_workspace::Workspace;
use tokio_util::sync::CancellationToken;

use crate::api::{About, AboutMemory, Mira};
use crate::config::{Config, Persona, Vectors};

use crate::lanes::Lanes;
use crate::metrics::Metrics;
use crate::profile;
use crate::transport::{self, App, BindError, Listener, Stop};

pub use reindex::{Progress, ReindexError, Reindexed, reindex};

/// What connections get on top of the grace of the turns, to tell how those that took too long ended.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How long a start may wait to learn how the vectors are.
const VECTORS_PATIENCE: Duration = Duration::from_millis(300);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error(transparent)]
    Store(#[from] mira_store::Error),
    #[error("could not open the memory")]
    Memory(#[from] mira_memory::Error),
    #[error("could not open the workspace")]
    Workspace(#[from] mira_workspace::Error),
    #[error("could not open the journal")]
    Operations(#[from] mira_ops::Error),
    #[error("the model of the role {role} cannot be used as it is configured")]
    Model {
        role: &'static str,
        source: mira_llm::Error,
    },
    #[cfg(feature = "local-embeddings")]
    #[error("the embedding model cannot be used")]
    LocalModel(#[from] mira_llm::embedding::ModelError),
    #[error("the model in {} cannot be used, because this server was built without the feature local-embeddings", .0.display())]
    NoLocalEmbeddings(PathBuf),
    #[error("could not open the vectors")]
    Vectors(#[from] VectorError),
}

/// A server that is ready: its port is bound, its data open, and what an earlier process left running is ended.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    mira: Mira,
    grace: Duration,
    jobs: Jobs,
    vectors: Option<Arc<dyn VectorStore>>,
    _directory: DataDirectory,
}

impl Server {
    /// Opens the data directory and binds the port. Other processes are kept out of the directory until the server is
    /// dropped.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        // Field by field, so that the compiler tells of one that nothing reads. The log belongs to the program.
        let Config {
            server,
            storage,
            models,
            memory,
            operation,
            persona,
            session,
            log: _,
            warnings: _,
        } = config;
        let directory = DataDirectory::lock(&storage.data_dir)?;
        // Bound first, so that a port that is taken is told before anything is migrated.
        let heartbeat = server.transport.heartbeat;
        let max_frame_bytes = server.transport.max_frame_bytes;
        let max_outbound_bytes = server.transport.max_outbound_bytes;
        let grace = server.transport.shutdown_grace;
        let options = transport::Options {
            shutdown_grace: grace + LAST_WORDS,
            ..server.transport
        };
        let listener = Listener::bind(&server.host, server.port, options).await?;

        let clock = Arc::new(SystemClock);
        let database = Database::open(&storage.database).await?;
        let utility = models::utility(&models)?;
        let place = (&database, storage.data_dir.as_path());
        let opened = memory::open(&memory, &models.calls, utility.as_ref(), place, clock.clone()).await?;
        let workspace = Workspace::open(&database, clock.clone()).await?;
        let options = Options {
            persona: match persona {
                Persona::BuiltIn => Options::default().persona,
                Persona::Text(text) => text,
            },
            max_iterations: operation.max_iterations,
            max_turn_tokens: operation.max_tokens,
            recent_messages: operation.recent_messages,
            recent_tokens: operation.recent_tokens,
            summaries: memory.summaries,
            recalled_messages: memory.recalled_messages,
            recalled_tokens: memory.recalled_tokens,
            reasoner_output_tokens: Some(models.reasoner.max_output_tokens),
            coder_output_tokens: Some(models.coder.max_output_tokens),
            tool_timeout: operation.tool_timeout,
        };
        let (bound, mut about) = models::bind(&models)?;
        about.extend(memory::bindings(
            &models,
            utility.as_ref(),
            opened.embeddings.as_ref(),
        ));
        let parts = Parts {
            database: database.clone(),
            memory: opened.memory.clone(),
            workspace: workspace.clone(),
            models: bound,
            clock: clock.clone(),
        };
        let operations = Operations::open(parts, options).await?;
        let jobs = opened.memory.start_jobs(memory.schedule);
        let mira = Mira {
            operations,
            database,
            memory: opened.memory,
            workspace,
            clock,
            lanes: Lanes::default(),
            about: Arc::new(About {
                models: about,
                memory: AboutMemory {
                    embeddings: opened.embeddings,
                    qdrant: match memory.vectors {
                        Vectors::Embedded => None,
                        Vectors::Qdrant(qdrant) => Some((qdrant.url, qdrant.collection)),
                    },
                    heads: memory.heads,
                    schedule: memory.schedule,
                },
                max_frame_bytes,
                max_outbound_bytes,
                heartbeat_seconds: u32::try_from(heartbeat.as_secs()).unwrap_or(u32::MAX),
                default_session: session,
            }),
            metrics: Arc::new(Metrics::new()),
            drained: CancellationToken::new(),
        };
        Ok(Self {
            listener,
            mira,
            grace,
            jobs,
            vectors: opened.vectors,
            _directory: directory,
        })
    }

    /// The address that was bound, with the port that was chosen.
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// The models by role; for those that are missing, what to set.
    pub fn models(&self) -> &[ModelBinding] {
        &self.mira.about.models
    }

    /// What keeps recall from going by meaning although it is set up to; waits a moment for the vectors to be looked at.
    pub async fn recall_problem(&self) -> Option<String> {
        let index = || self.mira.memory.index();
        let looked_at = async {
            while matches!(index(), IndexState::Unknown { error: None }) {
                tokio::time::sleep(VECTORS_PATIENCE / 30).await;
            }
        };
        // When it takes longer, the log and `system.status` tell.
        let _ = tokio::time::timeout(VECTORS_PATIENCE, looked_at).await;
        match index() {
            IndexState::Off
            | IndexState::Ready
            | IndexState::Filling { .. }
            | IndexState::Unknown { error: None } => None,
            broken @ (IndexState::Unknown { error: Some(_) } | IndexState::Refused { .. }) => {
                broken.problem()
            }
        }
    }

    /// Serves until `stop`. On its soft half no turn is taken any more, those that run have the configured grace to end,
    /// the others are ended as interrupted; every client is told before its connection is closed. On its hard half all
    /// that is cut short. When this returns, everything is on disk.
    pub async fn run(self, stop: Stop) {
        let Self {
            listener,
            mira,
            grace,
            jobs,
            vectors,
            _directory,
        } = self;
        let app = App::new({
            let mira = mira.clone();
            move |connection| profile::serve(mira.clone(), connection)
        })
        .with_metrics({
            let mira = mira.clone();
            move |sockets| {
                let mira = mira.clone();
                // What is wrong is in the log.
                async move { mira.metrics_page(sockets).await.ok() }
            }
        });
        let drain = async {
            stop.soft.cancelled().await;
            tokio::select! {
                () = mira.operations.shutdown(grace) => {}
                () = stop.hard.cancelled() => mira.operations.shutdown(Duration::ZERO).await,
            }
            mira.drained.cancel();
        };
        tokio::join!(transport::serve(listener, app, stop.clone()), drain);
        mira.workspace.close().await;
        jobs.stop().await;
        if let Some(vectors) = vectors
            && let Err(error) = vectors.close().await
        {
            tracing::warn!(error = %chain(&error), "the vectors were not closed; they will be compared at the next start");
        }
        mira.database.close().await;
    }
}
