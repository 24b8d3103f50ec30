//! What can be wrong with a configuration: all of it at once, and never a secret in it.

use std::{fmt, path::PathBuf};

/// Everything that keeps the server from starting.
#[derive(Debug, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration cannot be used:")?;
        for problem in &self.0 {
            write!(f, "\n  - {problem}")?;
            let mut source = std::error::Error::source(problem);
            while let Some(error) = source {
                write!(f, ": {error}")?;
                source = error.source();
            }
        }
        Ok(())
    }
}

/// One thing that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A value of the wrong kind. `found` is the value in quotes, or says that it is secret.
    #[error("{name} {place}: expected {accepted}, found {found}")]
    Invalid {
        name: String,
        place: Place,
        accepted: String,
        found: String,
    },
    #[error("{name} {place}: the value is not UTF-8")]
    NotUtf8 { name: String, place: Place },
    #[error("{name} must be at least {least}")]
    TooSmall { name: &'static str, least: String },
    #[error(
        "MIRA_HOST is {host}, which other machines can reach: set MIRA_AUTH_TOKEN as well, or MIRA_HOST to 127.0.0.1"
    )]
    TokenRequired { host: String },
    #[error("{name} must be set: {reason}")]
    Needed { name: &'static str, reason: String },
    #[error("could not read the configuration file {}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    /// Not TOML. The error says where, and quotes nothing.
    #[error("could not understand the configuration file {}: {error}", path.display())]
    Syntax { path: PathBuf, error: String },
    #[error("could not read the persona from {}", path.display())]
    Persona { path: PathBuf, source: std::io::Error },
    #[error("{first} and {second} exclude each other: set one of them")]
    Both {
        first: &'static str,
        second: &'static str,
    },
    #[error("there is no home directory to keep data in: set MIRA_DATA_DIR")]
    NoDataDirectory,
}

/// Something that the server can start with, and that its owner should know. Log it once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    #[error("{name} {place} is no setting of this server{}", hint(suggestion.as_ref()))]
    Unknown {
        name: String,
        place: Place,
        suggestion: Option<&'static str>,
    },
    #[error("{name} {place} has no effect: {reason}")]
    Ignored {
        name: String,
        place: Place,
        reason: &'static str,
    },
    /// A setting of a part that does not exist yet.
    #[error("{name} is set {place} and has no effect in this version")]
    Later { name: String, place: Place },
    #[error("{name} {place} has no effect, because {instead} is set to something else")]
    Shadowed {
        name: String,
        place: Place,
        instead: String,
    },
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Environment,
    File,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "in the environment",
            Self::File => "in the configuration file",
        })
    }
}

fn hint(suggestion: Option<&&'static str>) -> String {
    suggestion.map_or_else(String::new, |name| format!("; is {name} meant?"))
}
