//! One Mira: the server process, the scripted upstream that its models are bound to, and a folder for both.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use mira_llm::scripted::{Endpoint as Route, Rule, Script, Upstream};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::native::Native;
use crate::story;

/// How long anything is waited for before the test fails.
const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) const TOKEN: &str = "MIRA_AUTH_TOKEN";

/// Settings that differ from those of [`Mira::start`].
pub(crate) type Settings<'a> = &'a [(&'a str, &'a str)];

/// Leaves messages as they were said: what an analysis adds to them comes when it comes.
pub(crate) const UNANALYSED: Settings<'static> = &[("TASK_ANALYSIS_ENABLED", "false")];

/// A running Mira. A test ends with [`Mira::close`], which checks what must hold after every test.
#[derive(Debug)]
pub(crate) struct Mira {
    pub upstream: Upstream,
    pub server: Server,
    settings: Vec<(String, String)>,
    // Last, so that it is removed when nothing is in it any more.
    folder: tempfile::TempDir,
}

/// A server process that has said where it is ready.
#[derive(Debug)]
pub(crate) struct Server {
    pub address: String,
    pub token: Option<String>,
    child: Child,
    log: PathBuf,
}

impl Mira {
    pub(crate) async fn start(script: Script) -> Self {
        Self::start_with(script, &[]).await
    }

    pub(crate) async fn start_with(script: Script, settings: Settings<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let upstream = Upstream::start(script).await.unwrap();
        std::fs::create_dir(folder.path().join("project")).unwrap();
        let mut all = environment(folder.path(), &upstream.base_url());
        merge(&mut all, settings);
        let server = Server::start(folder.path(), &all).await;
        Self {
            upstream,
            server,
            settings: all,
            folder,
        }
    }

    /// Starts the server again over the same data, after it has ended, with further settings.
    pub(crate) async fn start_again(&mut self, settings: Settings<'_>) {
        merge(&mut self.settings, settings);
        self.server = Server::start(self.folder.path(), &self.settings).await;
    }

    /// A process with this Mira's settings and others, run until it ends: its status, and what it wrote to stderr.
    pub(crate) async fn run_beside(
        &self,
        arguments: &[&str],
        settings: Settings<'_>,
    ) -> (ExitStatus, String) {
        let output = self.spawn(arguments, settings).wait_with_output();
        let output = soon("the end of a process", output).await.unwrap();
        (output.status, String::from_utf8(output.stderr).unwrap())
    }

    /// A process with this Mira's settings and others.
    pub(crate) fn spawn(&self, arguments: &[&str], settings: Settings<'_>) -> Child {
        let mut all = self.settings.clone();
        merge(&mut all, settings);
        command(&all)
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The directory for projects.
    pub(crate) fn directory(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// Writes a file of the project.
    pub(crate) fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        let file = self.directory().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    /// The bytes of a file of the project; none when there is none.
    pub(crate) fn on_disk(&self, path: &str) -> Option<Vec<u8>> {
        std::fs::read(self.directory().join(path)).ok()
    }

    /// Waits until a reply is at a hold.
    pub(crate) async fn arrived(&self, hold: &str) {
        soon("a hold", self.upstream.arrived(hold)).await;
    }

    /// The bodies of the requests that the upstream got for a route.
    pub(crate) fn asked(&self, route: Route) -> Vec<Value> {
        let requests = self.upstream.requests().into_iter();
        requests
            .filter(|request| request.endpoint == route)
            .map(|request| request.body)
            .collect()
    }

    /// Checks what every journal tells, stops the server, and checks that it ended well, that its log has no error,
    /// and that the upstream found nothing wrong. The test's clients are dropped first, since the server waits a little
    /// for those that do not answer its farewell.
    pub(crate) async fn close<C>(mut self, clients: C) {
        drop(clients);
        let mut client = Native::hello(&self.server).await;
        for session in client.pages("session.list", json!({}), "sessions").await {
            let events = client.journal(session["session_id"].as_str().unwrap()).await;
            story::check_journal(&events);
        }
        drop(client);
        let status = self.server.terminate().await;
        let log = self.server.log();
        assert!(status.success(), "{status}: {log}");
        let telling = |line: &&str| line.contains("ERROR") || line.contains("panicked");
        assert_eq!(log.lines().filter(telling).collect::<Vec<_>>(), [""; 0]);
        assert_eq!(self.upstream.violations(), []);
    }
}

impl Server {
    async fn start(folder: &Path, settings: &[(String, String)]) -> Self {
        let log = folder.join("log");
        let stderr = std::fs::File::options().create(true).append(true).open(&log);
        let mut child = command(settings).stderr(stderr.unwrap()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = soon("a server that is ready", async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some((_, url)) = line.split_once(" is ready at ws://") {
                    return url.trim_end_matches("/ws").to_owned();
                }
            }
            panic!(
                "the server did not start: {}",
                std::fs::read_to_string(&log).unwrap()
            );
        })
        .await;
        // What else it says goes nowhere, but must not break its pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let token = settings.iter().find(|(name, _)| name == TOKEN);
        Self {
            address,
            token: token.map(|(_, token)| token.clone()),
            child,
            log,
        }
    }

    /// What a page says over HTTP: its status and its text.
    pub(crate) async fn page(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        soon("a page", stream.read_to_string(&mut answer)).await.unwrap();
        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, text.to_owned())
    }

    /// Asks the process to stop, as a service manager does.
    pub(crate) async fn ask_to_stop(&self) {
        let id = self.child.id().expect("the server runs").to_string();
        let asked = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &id]).status();
        assert!(asked.await.unwrap().success());
    }

    pub(crate) async fn ended(&mut self) -> ExitStatus {
        soon("the end of the server", self.child.wait()).await.unwrap()
    }

    pub(crate) async fn terminate(&mut self) -> ExitStatus {
        self.ask_to_stop().await;
        self.ended().await
    }

    /// Ends the process as a crash or a power cut would.
    pub(crate) async fn kill(&mut self) {
        soon("the death of the server", self.child.kill()).await.unwrap();
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The largest resident size of the process so far.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_memory_bytes(&self) -> usize {
        let id = self.child.id().expect("the server runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1024
    }
}

fn environment(folder: &Path, upstream: &str) -> Vec<(String, String)> {
    let data = folder.join("data");
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    [
        // Where it looks for a configuration file.
        ("HOME", folder.to_str().unwrap()),
        ("NO_COLOR", "1"),
        ("MIRA_PORT", "0"),
        ("MIRA_DATA_DIR", data.to_str().unwrap()),
        ("OPENAI_BASE_URL", upstream),
        ("OPENAI_API_KEY", "sk-reasoner"),
        ("DEEPSEEK_BASE_URL", upstream),
        ("DEEPSEEK_API_KEY", "sk-coder"),
        ("MIRA_API_MAX_RETRIES", "1"),
        ("MIRA_API_RETRY_DELAY_MS", "1"),
        // Texts are embedded whenever there is time, which would make the order of requests uncertain.
        ("OPENAI_EMBEDDING_MODEL", "none"),
    ]
    .map(own)
    .to_vec()
}

/// Replaces settings; an empty value takes one away.
fn merge(settings: &mut Vec<(String, String)>, others: Settings<'_>) {
    for (name, value) in others {
        settings.retain(|(known, _)| known != name);
        if !value.is_empty() {
            settings.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
}

fn command(settings: &[(String, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mira-backend"));
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.envs(settings.iter().cloned());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Waits, and fails the test when it takes too long.
pub(crate) async fn soon<T>(what: &str, awaited: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(DEADLINE, awaited).await;
    done.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// A rule for the reasoner.
pub(crate) fn reasoner(name: &str) -> Rule {
    Rule::new(name).on(Route::Responses)
}

/// A rule for the coder.
pub(crate) fn coder(name: &str) -> Rule {
    Rule::new(name).on(Route::ChatCompletions)
}

/// A script of rules.
pub(crate) fn script(rules: impl IntoIterator<Item = Rule>) -> Script {
    rules.into_iter().fold(Script::new(), Script::rule)
}

/// A reasoner that answers everything with this.
pub(crate) fn answering(text: &str) -> Script {
    script([reasoner("answer").text(text)])
}

/// A reasoner that has a file generated and then answers, and the coder's reply.
pub(crate) fn delegating(path: &str, writes: Rule) -> Script {
    let brief = json!({
        "path": path,
        "description": "A function greet() that says hello.",
        "language": "rust",
        "framework": null,
        "dependencies": null,
        "style_guide": null,
        "context_files": null,
    });
    script([
        reasoner("delegates")
            .no_tool_output()
            .text("I hand it over.")
            .tool_call("generate_code", &brief),
        reasoner("answers")
            .tool_output("generate_code")
            .text("It is ready."),
        writes,
    ])
}

/// A coder that delivers this file.
pub(crate) fn writing(path: &str, content: &str) -> Rule {
    coder("writes").tool_call("submit_file", &file(path, content))
}

/// The arguments with which the coder delivers a file.
pub(crate) fn file(path: &str, content: &str) -> Value {
    json!({"path": path, "content": content, "language": "rust", "explanation": "It greets."})
}
