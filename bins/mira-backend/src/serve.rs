//! `serve`: start, say where to connect, serve until told to stop.

use std::io::{IsTerminal as _, Write as _};

use anyhow::Context as _;
use mira_server::Server;
use mira_server::config::{Config, Log, LogFormat};
use mira_server::transport::Stop;
use tracing_subscriber::EnvFilter;

pub(crate) async fn run() -> anyhow::Result<()> {
    let config = Config::from_environment()?;
    start_logging(&config.log)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let data = config.storage.data_dir.display().to_string();
    // Before anybody is told that the server runs, so that whoever stops it at once stops it gently.
    let signals = Signals::new().context("cannot listen for signals")?;
    let server = Server::start(config).await?;
    let problem = server.recall_problem().await;
    if let Some(problem) = &problem {
        tracing::warn!("recall goes by words alone: {problem}");
    }
    announce(&server, &data, problem.as_deref())?;
    let stop = Stop::default();
    tokio::select! {
        () = server.run(stop.clone()) => {}
        () = watch_signals(signals, stop.clone()) => {}
    }
    Ok(())
}

pub(crate) fn start_logging(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter).context("the log filter cannot be read")?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().init(),
    }
    Ok(())
}

/// What a person who has just started the server wants to know.
fn announce(server: &Server, data: &str, recall_problem: Option<&str>) -> std::io::Result<()> {
    let address = server.local_addr();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "Mira {} is ready at ws://{address}/ws",
        env!("CARGO_PKG_VERSION")
    )?;
    writeln!(out, "  data       {data}")?;
    for binding in server.models() {
        let model = binding.model.as_deref().unwrap_or("none");
        match &binding.hint {
            None => writeln!(out, "  {:<10} {model}", binding.role.as_str())?,
            Some(hint) => writeln!(
                out,
                "  {:<10} {model}, not configured: {hint}",
                binding.role.as_str()
            )?,
        }
    }
    if let Some(problem) = recall_problem {
        writeln!(out, "  recall     by words alone: {problem}")?;
    }
    writeln!(
        out,
        "  talk to it cargo run -p mira -- chat --url ws://{address}/ws"
    )?;
    out.flush()
}

/// The first signal stops gently, the second at once. Never ends.
async fn watch_signals(mut signals: Signals, stop: Stop) {
    signals.next().await;
    tracing::info!("stopping; a second signal stops at once");
    stop.soft.cancel();
    signals.next().await;
    stop.hard.cancel();
    std::future::pending::<()>().await;
}

/// What asks a program to stop.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => log_failure(interrupted),
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        log_failure(tokio::signal::ctrl_c().await);
    }
}

/// Without a handler the operating system stops the process by itself, which the journal survives.
fn log_failure(listened: std::io::Result<()>) {
    if let Err(error) = listened {
        tracing::warn!(%error, "cannot listen for Ctrl-C");
    }
}
