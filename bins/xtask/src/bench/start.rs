//! How long the server program takes to be ready, and what it weighs then.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use mira_client::{Options, Session, Start, Update};
use mira_llm::scripted::{Rule, Script, Upstream};
use mira_memory::{Memory, NewMessage, Role};
use mira_proto::native::{ChatSend, ChatSendParams, Event};
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
    let model = Upstream::start(Script::new().rule(Rule::new("answer").text("It is."))).await?;
    let empty = tempfile::tempdir()?;
    let full = tempfile::tempdir()?;
    fill(full.path()).await?;
    let mut table = Table::new(
        "From the start of the process to 200 from /readyz, ms; resident memory when idle, MiB",
        [
            "database",
            "rounds",
            "p50",
            "p95",
            "memory",
            "memory after a turn",
        ],
    );
    let cases = [
        ("empty".to_owned(), empty.path()),
        (format!("{MESSAGES} messages"), full.path()),
    ];
    for (case, data) in cases {
        let program = Program {
            path: &program,
            data,
            model: model.base_url(),
        };
        // Makes the tables; an upgrade is not what is measured.
        program.start().await?.stop().await?;
        let mut samples = Samples::new()?;
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let server = program.start().await?;
            samples.add(begun.elapsed());
            server.stop().await?;
        }
        let server = program.start().await?;
        let before = server.weigh().await?;
        server.turn().await?;
        let after = server.weigh().await?;
        server.stop().await?;
        table.row([
            case,
            ROUNDS.to_string(),
            samples.ms(50.0),
            samples.ms(95.0),
            before,
            after,
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

/// What is started.
#[derive(Debug)]
struct Program<'a> {
    path: &'a Path,
    data: &'a Path,
    model: String,
}

impl Program<'_> {
    /// Starts the server and waits until it is ready.
    async fn start(&self) -> anyhow::Result<Running> {
        let mut process = Command::new(self.path)
            .env_clear()
            .env("MIRA_DATA_DIR", self.data)
            .env("MIRA_PORT", "0")
            .env("OPENAI_BASE_URL", &self.model)
            .env("OPENAI_API_KEY", "none")
            .env("OPENAI_EMBEDDING_MODEL", "none")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {}", self.path.display()))?;
        let out = process.stdout.as_mut().context("the server has no output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).await?;
        let address = line
            .split_once("ws://")
            .and_then(|(_, rest)| rest.split('/').next())
            .with_context(|| format!("the server said {line:?} instead of its address"))?
            .to_owned();
        while !is_ready(&address).await? {
            tokio::task::yield_now().await;
        }
        Ok(Running { process, address })
    }
}

/// A server that is ready.
#[derive(Debug)]
struct Running {
    process: Child,
    address: String,
}

impl Running {
    fn id(&self) -> anyhow::Result<u32> {
        self.process.id().context("the server has ended")
    }

    /// The resident memory once everything is quiet.
    async fn weigh(&self) -> anyhow::Result<String> {
        tokio::time::sleep(SETTLED).await;
        let kib = resident_kib(self.id()?)?;
        Ok(format!("{}.{}", kib / 1024, kib % 1024 * 10 / 1024))
    }

    /// Has a turn of a new session answered.
    async fn turn(&self) -> anyhow::Result<()> {
        let options = Options::new(format!("ws://{}/ws", self.address));
        let mut session = Session::open(options, Start::New).await?;
        let question = ChatSendParams {
            session_id: session.id().to_owned(),
            content: "Is it?".to_owned(),
            ..ChatSendParams::default()
        };
        session.call::<ChatSend>(question).await?;
        loop {
            match session.next().await? {
                Update::Event(told) if told.event.is_terminal() => {
                    let completed = matches!(told.event, Event::Completed { .. });
                    anyhow::ensure!(completed, "the turn ended with {:?}", told.event);
                    session.close().await;
                    return Ok(());
                }
                Update::Event(_) | Update::Synced(_) => {}
                lost @ (Update::Reconnecting { .. } | Update::Resumed { .. }) => anyhow::bail!("{lost:?}"),
            }
        }
    }

    /// Stops the server as an operating system would.
    async fn stop(mut self) -> anyhow::Result<()> {
        Command::new("kill").arg(self.id()?.to_string()).status().await?;
        self.process.wait().await?;
        Ok(())
    }
}

async fn is_ready(address: &str) -> anyhow::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    Ok(response.starts_with("HTTP/1.1 200"))
}
