//! The Mira server program.

mod demo;
mod reindex;
mod serve;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The backend of an AI coding assistant: one process, one data directory, one WebSocket.
#[derive(Debug, Parser)]
#[command(name = "mira-backend", version)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve clients until stopped (the default). Settings come from the environment; see docs/CONFIGURATION.md.
    Serve,
    /// Make the vectors of the data directory anew, after a change of the embedder or when the index is lost. Stop the
    /// server first. What fits is kept, so that it can be broken off and run again.
    Reindex,
    /// Show a whole turn without a key: a scripted model plans, a second one writes code, the file is reviewed, applied,
    /// undone; then a connection breaks and loses nothing. Changes nothing in the project.
    Demo {
        /// The directory to work on.
        #[arg(long, value_name = "PATH", default_value = ".")]
        project: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match args.command.unwrap_or(Command::Serve) {
        Command::Serve => runtime.block_on(serve::run()),
        Command::Reindex => runtime.block_on(reindex::run()),
        Command::Demo { project } => runtime.block_on(demo::run(&project)),
    }
}
