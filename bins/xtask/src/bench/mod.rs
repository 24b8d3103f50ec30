//! Benchmarks of what users feel. docs/BENCHMARKS.md says what is measured and how.

mod journal;
mod machine;
mod memory;
mod mira;
mod recall;
mod relay;
mod resume;
mod server;
mod start;
mod table;

use std::io::Write as _;

use clap::Subcommand;

/// What is measured.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Benchmark {
    /// Writing an event
    Journal,
    /// Coming back to a session
    Resume,
    /// Passing a streamed delta on
    Relay,
    /// Starting the server program
    Start,
    /// Finding what was said, over a file of questions with evidence
    Recall(recall::RecallArgs),
    /// Storing and finding among a hundred thousand messages
    Memory(memory::MemoryArgs),
    /// All of them that need no data, one after another
    All,
}

/// Measures, and prints tables.
pub(crate) fn run(benchmark: &Benchmark) -> anyhow::Result<()> {
    anyhow::ensure!(
        !cfg!(debug_assertions),
        "a debug build measures nothing; say cargo run --release -p xtask -- bench"
    );
    let runtime = tokio::runtime::Runtime::new()?;
    print(&machine::description()?)?;
    let tables = match benchmark {
        Benchmark::Journal => vec![runtime.block_on(journal::run())?],
        Benchmark::Resume => vec![runtime.block_on(resume::run())?],
        Benchmark::Relay => vec![runtime.block_on(relay::run())?],
        Benchmark::Start => vec![runtime.block_on(start::run())?],
        Benchmark::Recall(args) => runtime.block_on(recall::run(args))?,
        Benchmark::Memory(args) => runtime.block_on(memory::run(args))?,
        Benchmark::All => {
            for benchmark in [
                Benchmark::Journal,
                Benchmark::Resume,
                Benchmark::Relay,
                Benchmark::Start,
                Benchmark::Memory(memory::MemoryArgs::default()),
            ] {
                run(&benchmark)?;
            }
            Vec::new()
        }
    };
    tables.iter().try_for_each(print)
}

fn print(what: &impl std::fmt::Display) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{what}")?)
}
