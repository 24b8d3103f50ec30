//! The Mira server program.

mod serve;

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
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match args.command.unwrap_or(Command::Serve) {
        Command::Serve => runtime.block_on(serve::run()),
    }
}
