//! The whole server: storage opened, models bound, the port served, everything stopped in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mira_llm::chat::ChatModel;
use mira_llm::compatible::{ChatCompletions, ChatOptions, Dialect};
use mira_llm::openai::{Responses, ResponsesOptions};
use mira_llm::{Endpoint, Retry, Timeouts};
use mira_memory::Memory;
use mira_ops::{Binding, Models, Operations, Options, Parts};
use mira_proto::native::{ModelBinding, ModelRole};
use mira_store::{DataDirectory, Database, SystemClock};
use mira_workspace::Workspace;
use tokio_util::sync::CancellationToken;

use crate::api::{About, Mira};
use crate::config::{self, Config, Persona};
use crate::lanes::Lanes;
use crate::profile;
use crate::transport::{self, App, BindError, Listener, Stop};

/// What connections get on top of the grace of the turns, to tell how those that took too long ended.
const LAST_WORDS: Duration = Duration::from_secs(5);

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
}

/// A server that is ready: its port is bound, its data open, and what an earlier process left running is ended.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    mira: Mira,
    grace: Duration,
    database: Database,
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
        let memory = Memory::open(database.clone(), clock.clone()).await?;
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
            reasoner_output_tokens: Some(models.reasoner.max_output_tokens),
            coder_output_tokens: Some(models.coder.max_output_tokens),
            tool_timeout: operation.tool_timeout,
        };
        let (models, about) = bind_models(&models)?;
        let parts = Parts {
            database: database.clone(),
            memory: memory.clone(),
            workspace: workspace.clone(),
            models,
            clock: clock.clone(),
        };
        let operations = Operations::open(parts, options).await?;
        let mira = Mira {
            operations,
            memory,
            workspace,
            clock,
            lanes: Lanes::default(),
            about: Arc::new(About {
                models: about,
                max_frame_bytes,
                max_outbound_bytes,
                heartbeat_seconds: u32::try_from(heartbeat.as_secs()).unwrap_or(u32::MAX),
                default_session: session,
            }),
            drained: CancellationToken::new(),
        };
        Ok(Self {
            listener,
            mira,
            grace,
            database,
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

    /// Serves until `stop`. On its soft half no turn is taken any more, those that run have the configured grace to end,
    /// the others are ended as interrupted; every client is told before its connection is closed. On its hard half all
    /// that is cut short. When this returns, everything is on disk.
    pub async fn run(self, stop: Stop) {
        let Self {
            listener,
            mira,
            grace,
            database,
            _directory,
        } = self;
        let app = App::new({
            let mira = mira.clone();
            move |connection| profile::serve(mira.clone(), connection)
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
        database.close().await;
    }
}

fn bind_models(models: &config::Models) -> Result<(Models, Vec<ModelBinding>), StartError> {
    let config::Models {
        reasoner,
        coder,
        calls,
    } = models;
    let reasoner_model = bound(&reasoner.endpoint, calls, |endpoint| match reasoner.api {
        config::Api::Responses => {
            let options = ResponsesOptions {
                effort: Some(effort(reasoner.effort)),
                verbosity: Some(verbosity(reasoner.verbosity)),
                reasoning_summary: reasoner.summary,
                ..ResponsesOptions::new(&reasoner.model)
            };
            Ok(Arc::new(Responses::new(endpoint, options)?))
        }
        config::Api::Chat => {
            let options = ChatOptions {
                effort: Some(effort(reasoner.effort)),
                ..ChatOptions::new(&reasoner.model, dialect(&reasoner.endpoint, &reasoner.model))
            };
            Ok(Arc::new(ChatCompletions::new(endpoint, options)?))
        }
    });
    let coder_model = bound(&coder.endpoint, calls, |endpoint| match coder.api {
        config::Api::Responses => {
            let options = ResponsesOptions {
                effort: Some(effort(coder.effort)),
                ..ResponsesOptions::new(&coder.model)
            };
            Ok(Arc::new(Responses::new(endpoint, options)?))
        }
        config::Api::Chat => {
            let options = ChatOptions {
                thinking: Some(coder.thinking),
                effort: coder.thinking.then(|| effort(coder.effort)),
                ..ChatOptions::new(&coder.model, dialect(&coder.endpoint, &coder.model))
            };
            Ok(Arc::new(ChatCompletions::new(endpoint, options)?))
        }
    });
    let models = Models {
        reasoner: reasoner_model.map_err(|source| StartError::Model {
            role: "reasoner",
            source,
        })?,
        coder: coder_model.map_err(|source| StartError::Model {
            role: "coder",
            source,
        })?,
    };
    let about = vec![
        about(ModelRole::Reasoner, &reasoner.model, &models.reasoner),
        about(ModelRole::Coder, &coder.model, &models.coder),
    ];
    Ok((models, about))
}

/// The model behind an endpoint, or what to set first.
fn bound(
    configured: &config::Endpoint,
    calls: &config::Calls,
    model: impl FnOnce(Endpoint) -> Result<Arc<dyn ChatModel>, mira_llm::Error>,
) -> Result<Binding, mira_llm::Error> {
    if let Some(variable) = configured.missing {
        return Ok(Binding::Missing {
            variable: variable.to_owned(),
        });
    }
    let mut endpoint = Endpoint::new(&configured.base_url)
        .timeouts(Timeouts {
            connect: calls.connect_timeout,
            first_token: calls.first_token_timeout,
            between_chunks: calls.chunk_timeout,
            ..Timeouts::default()
        })
        .retry(Retry {
            attempts: calls.retries + 1,
            base: calls.retry_delay,
            ..Retry::default()
        });
    if let Some(key) = &configured.api_key {
        endpoint = endpoint.api_key(key.clone());
    }
    model(endpoint).map(Binding::Model)
}

fn about(role: ModelRole, name: &str, binding: &Binding) -> ModelBinding {
    match binding {
        Binding::Model(model) => ModelBinding {
            role,
            model: Some(model.model().to_owned()),
            configured: true,
            hint: None,
        },
        Binding::Missing { variable } => ModelBinding {
            role,
            model: Some(name.to_owned()),
            configured: false,
            hint: Some(format!("set {variable} and restart the server")),
        },
    }
}

/// Whose chat completions these are, by the server's name, or for a server that nobody knows by the model's.
fn dialect(endpoint: &config::Endpoint, model: &str) -> Dialect {
    let own_name = model.starts_with("deepseek-") && !model.contains('/');
    if endpoint.base_url.contains("deepseek") || own_name {
        Dialect::DeepSeek
    } else if endpoint.base_url.contains("openai.com") {
        Dialect::OpenAi
    } else {
        Dialect::Generic
    }
}

fn effort(effort: config::Effort) -> mira_llm::Effort {
    match effort {
        config::Effort::Minimal => mira_llm::Effort::Minimal,
        config::Effort::Low => mira_llm::Effort::Low,
        config::Effort::Medium => mira_llm::Effort::Medium,
        config::Effort::High => mira_llm::Effort::High,
        config::Effort::Max => mira_llm::Effort::Max,
    }
}

fn verbosity(verbosity: config::Verbosity) -> mira_llm::openai::Verbosity {
    match verbosity {
        config::Verbosity::Low => mira_llm::openai::Verbosity::Low,
        config::Verbosity::Medium => mira_llm::openai::Verbosity::Medium,
        config::Verbosity::High => mira_llm::openai::Verbosity::High,
    }
}
