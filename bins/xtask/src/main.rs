//! Developers' tasks: generated files and benchmarks. The checks of the whole workspace are this crate's tests.

mod bench;
mod generated;

use clap::{Parser, Subcommand};

/// Developers' tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Write the JSON Schema and the TypeScript of the wire, and the tables of docs/PROTOCOL.md
    Schema,
    /// Write .env.example and the tables of docs/CONFIGURATION.md
    Docs,
    /// Measure, in a release build
    #[command(subcommand)]
    Bench(bench::Benchmark),
}

fn main() -> anyhow::Result<()> {
    match Args::parse().task {
        Task::Schema => generated::schema(),
        Task::Docs => generated::docs(),
        Task::Bench(benchmark) => bench::run(&benchmark),
    }
}
