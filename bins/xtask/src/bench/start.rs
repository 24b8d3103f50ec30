//! How long the server program takes to be ready, and what it weighs then.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use mira_memory::{Memory, NewMessage, Role};
use mira_store::{Clock as _, Database, MessageId, SystemClock};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::machine::resident_kib;
use super::table::{Samples, Table};

const MESSAGES: u32 = 100_000;
const SESSIONS: u32 = 200;
const ROUNDS: u32 = 20;

/// How long a server is left alone before it is weighed.
const SETTLED: Duration = Duration::from_secs(1);

pub(crate) async fn run() -> anyhow::Result<Table> {
    let program = build().await?;
    let empty = tempfile::tempdir()?;
    let full = tempfile::tempdir()?;
    fill(full.path()).await?;
    let mut table = Table::new(
        "From the start of the process to 200 from /readyz, ms; resident memory when idle, MiB",
        ["database", "rounds", "p50", "p95", "memory"],
    );
    let cases = [
        ("empty".to_owned(), empty.path()),
        (format!("{MESSAGES} messages"), full.path()),
    ];
    for (case, data) in cases {
        // Makes the tables; an upgrade is not what is measured.
        stop(start(&program, data).await?).await?;
        let mut samples = Samples::new()?;
        let mut heaviest = 0;
        for round in 0..ROUNDS {
            let begun = Instant::now();
            let server = start(&program, data).await?;
            samples.add(begun.elapsed());
            if round + 1 == ROUNDS {
                tokio::time::sleep(SETTLED).await;
                heaviest = resident_kib(server.id().context("the server has ended")?)?;
            }
            stop(server).await?;
        }
        let memory = format!("{}.{}", heaviest / 1024, heaviest % 1024 * 10 / 1024);
        table.row([
            case,
            ROUNDS.to_string(),
            samples.ms(50.0),
            samples.ms(95.0),
            memory,
        ]);
    }
    Ok(table)
}

/// Builds the server program as it is released, and says where it is.
async fn build() -> anyhow::Result<PathBuf> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--package", "mira-backend"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .await?;
    anyhow::ensure!(built.success(), "mira-backend could not be built");
    // Both programs are in the same directory.
    Ok(std::env::current_exe()?.with_file_name("mira-backend"))
}

/// Writes messages as a diligent user would have.
async fn fill(data: &Path) -> anyhow::Result<()> {
    let clock = SystemClock;
    let database = Database::open(&data.join("mira.db")).await?;
    let memory = Memory::open(database.clone(), Arc::new(clock)).await?;
    for number in 0..SESSIONS {
        let (session, _) = memory.open_session(&format!("session {number}")).await?;
        let mut transaction = database.begin().await?;
        for number in 0..MESSAGES / SESSIONS {
            let role = if number % 2 == 0 {
                Role::User
            } else {
                Role::Assistant
            };
            let content = format!(
                "Message {number}: {}",
                "the index has to be rebuilt after a move. ".repeat(8)
            );
            let new = NewMessage::new(session.id, role, content);
            let now = clock.now();
            mira_memory::message::append(&mut transaction, MessageId::at(now), new, now).await?;
        }
        transaction.commit().await?;
    }
    database.close().await;
    Ok(())
}

/// Starts the server and waits until it is ready.
async fn start(program: &Path, data: &Path) -> anyhow::Result<Child> {
    let mut server = Command::new(program)
        .env_clear()
        .env("MIRA_DATA_DIR", data)
        .env("MIRA_PORT", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("could not start {}", program.display()))?;
    let out = server.stdout.as_mut().context("the server has no output")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).await?;
    let address = line
        .split_once("ws://")
        .and_then(|(_, rest)| rest.split('/').next())
        .with_context(|| format!("the server said {line:?} instead of its address"))?;
    while !is_ready(address).await? {
        tokio::task::yield_now().await;
    }
    Ok(server)
}

async fn is_ready(address: &str) -> anyhow::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    Ok(response.starts_with("HTTP/1.1 200"))
}

/// Stops the server as an operating system would.
async fn stop(mut server: Child) -> anyhow::Result<()> {
    let id = server.id().context("the server has ended")?;
    Command::new("kill").arg(id.to_string()).status().await?;
    server.wait().await?;
    Ok(())
}
