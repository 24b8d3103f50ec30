//! Benchmarks of what users feel. docs/BENCHMARKS.md says what is measured and how.

mod journal;
mod machine;
mod mira;
mod relay;
mod resume;
mod server;
mod start;
mod table;

use std::io::Write as _;

use clap::ValueEnum;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Benchmark {
    /// Writing an event
    Journal,
    /// Coming back to a session
    Resume,
    /// Passing a streamed delta on
    Relay,
    /// Starting the server program
    Start,
    /// All of them, one after another
    All,
}

/// Measures, and prints tables.
pub(crate) fn run(benchmark: Benchmark) -> anyhow::Result<()> {
    anyhow::ensure!(
        !cfg!(debug_assertions),
        "a debug build measures nothing; say cargo run --release -p xtask -- bench"
    );
    let runtime = tokio::runtime::Runtime::new()?;
    let wanted = |this| benchmark == this || benchmark == Benchmark::All;
    print(&machine::description()?)?;
    if wanted(Benchmark::Journal) {
        print(&runtime.block_on(journal::run())?)?;
    }
    if wanted(Benchmark::Resume) {
        print(&runtime.block_on(resume::run())?)?;
    }
    if wanted(Benchmark::Relay) {
        print(&runtime.block_on(relay::run())?)?;
    }
    if wanted(Benchmark::Start) {
        print(&runtime.block_on(start::run())?)?;
    }
    Ok(())
}

fn print(what: &impl std::fmt::Display) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{what}")?)
}
