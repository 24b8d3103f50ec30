//! Configuration: the one place that reads the environment.
//!
//! [`Config::from_environment`] is what a program calls; [`Config::load`] is the same with the environment as an
//! argument. A variable of the environment wins over the same name in the optional TOML file, and that over the default.
//! Nothing is required: what is missing for a model is said by [`Endpoint::missing`] when somebody needs the model.
//! Everything that is wrong is reported at once, as [`Problems`]; what is merely odd is a [`Warning`]. A [`Config`] holds
//! what has an effect and nothing else: names that are kept for parts still to be built are checked, and warned about.
//!
//! ```
//! use mira_server::config::Config;
//!
//! let environment = [("MIRA_PORT", "3001"), ("MIRA_DATA_DIR", "/tmp/mira")];
//! let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
//! let config = Config::load(environment.into_iter(), None)?;
//! assert_eq!(config.server.port, 3001);
//! assert_eq!(config.models.reasoner.endpoint.missing, Some("OPENAI_API_KEY"));
//! # Ok::<(), mira_server::config::Problems>(())
//! ```

mod build;
mod generated;
mod ignored;
mod kind;
mod memory;
mod problem;
mod settings;
mod values;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use etcetera::{AppStrategy, AppStrategyArgs, choose_app_strategy};
use secrecy::SecretString;

pub use generated::{env_example, markdown_table, renew_page};
pub use memory::{Embedder, Memory, Qdrant, Vectors};
pub use problem::{Place, Problem, Problems, Warning};
use values::Values;

use crate::transport;

/// Everything that can be set.
#[derive(Debug)]
pub struct Config {
    pub server: Server,
    pub storage: Storage,
    pub models: Models,
    pub memory: Memory,
    pub operation: Operation,
    pub persona: Persona,
    /// Name of the session of clients that name none.
    pub session: String,
    pub log: Log,
    /// To be logged once logging is set up.
    pub warnings: Vec<Warning>,
}

/// Where the server listens. How long it takes to stop is among the options.
#[derive(Debug)]
pub struct Server {
    /// A name or an address.
    pub host: String,
    pub port: u16,
    pub transport: transport::Options,
}

/// Where things are kept.
#[derive(Debug)]
pub struct Storage {
    /// The directory of everything that Mira keeps.
    pub data_dir: PathBuf,
    /// The database file, in the data directory unless it was moved.
    pub database: PathBuf,
}

/// The models by role, and how all of them are called.
#[derive(Debug)]
pub struct Models {
    pub reasoner: Reasoner,
    pub coder: Coder,
    /// None unless it is asked for.
    pub utility: Option<Utility>,
    pub calls: Calls,
}

/// A model's server.
#[derive(Debug)]
pub struct Endpoint {
    pub base_url: String,
    pub api_key: Option<SecretString>,
    /// The variable to set before the model can be used; none when it can be. A server other than the provider's own
    /// needs no key.
    pub missing: Option<&'static str>,
}

/// The API that a model's server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    Responses,
    Chat,
}

/// How hard a model thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    Minimal,
    Low,
    Medium,
    High,
    Max,
}

/// How much a model writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    Low,
    Medium,
    High,
}

/// The model that converses, plans and decides.
#[derive(Debug)]
pub struct Reasoner {
    pub endpoint: Endpoint,
    pub api: Api,
    pub model: String,
    pub effort: Effort,
    pub verbosity: Verbosity,
    /// Whether its thoughts are asked for.
    pub summary: bool,
    pub max_output_tokens: u32,
}

/// The model that writes code.
#[derive(Debug)]
pub struct Coder {
    pub endpoint: Endpoint,
    pub api: Api,
    pub model: String,
    pub thinking: bool,
    pub effort: Effort,
    pub max_output_tokens: u32,
}

/// The model that analyses and summarises in the background.
#[derive(Debug)]
pub struct Utility {
    pub endpoint: Endpoint,
    pub api: Api,
    pub model: String,
    /// As hard as the model thinks by itself when none.
    pub effort: Option<Effort>,
}

/// Patience with models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calls {
    pub connect_timeout: Duration,
    pub first_token_timeout: Duration,
    pub chunk_timeout: Duration,
    /// Further attempts after the first.
    pub retries: u32,
    /// Before the first retry.
    pub retry_delay: Duration,
}

/// Limits of a turn, and of what its prompts show of the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Rounds of tool calls.
    pub max_iterations: u32,
    /// Tokens of all model calls of a turn.
    pub max_tokens: u64,
    pub tool_timeout: Duration,
    /// The fewest messages that are shown where there are as many; up to twice as many are.
    pub recent_messages: u32,
    /// The most tokens that they take.
    pub recent_tokens: usize,
}

/// The first words of every prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Persona {
    BuiltIn,
    Text(String),
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Directives as `tracing-subscriber` takes them.
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl Config {
    /// Reads the environment of this process and the configuration file: that of `MIRA_CONFIG`, else `config.toml` in
    /// the operating system's directory for Mira's configuration, if there is one.
    pub fn from_environment() -> Result<Self, Problems> {
        let mut values = Values::default();
        let text = |name: &OsString| name.to_string_lossy().into_owned();
        let mut variables = Vec::new();
        for (name, value) in std::env::vars_os() {
            match value.into_string() {
                Ok(value) => variables.push((text(&name), value)),
                Err(_) if settings::is_known(&text(&name)) => {
                    values.problems.push(Problem::NotUtf8 {
                        name: text(&name),
                        place: Place::Environment,
                    });
                }
                // Somebody else's.
                Err(_) => {}
            }
        }
        values.add_environment(variables.into_iter());
        let default = directories().map(|directories| directories.config_dir().join("config.toml"));
        values.add_chosen_file(default.filter(|path| path.is_file()).as_deref());
        Self::from_values(values)
    }

    /// Reads these variables, and this file, or without one that of `MIRA_CONFIG`.
    pub fn load(
        environment: impl Iterator<Item = (String, String)>,
        file: Option<&Path>,
    ) -> Result<Self, Problems> {
        let mut values = Values::default();
        values.add_environment(environment);
        match file {
            Some(path) => values.add_file(path),
            None => values.add_chosen_file(None),
        }
        Self::from_values(values)
    }
}

/// The operating system's directories for Mira.
fn directories() -> Option<impl AppStrategy> {
    let program = AppStrategyArgs {
        top_level_domain: String::new(),
        author: "Mira".to_owned(),
        app_name: "mira".to_owned(),
    };
    // Without a home directory there are none, which is told where one is needed.
    choose_app_strategy(program).ok()
}
