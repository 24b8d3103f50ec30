//! One Mira in a temporary folder: real SQLite, a real project directory, a scripted upstream over HTTP.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mira_llm::compatible::{ChatCompletions, ChatOptions, Dialect};
use mira_llm::openai::{Responses, ResponsesOptions};
use mira_llm::scripted::{Endpoint as Route, Rule, Script, Upstream};
use mira_llm::{Endpoint, Retry, Timeouts};
use mira_memory::{Memory, Message};
use mira_ops::operation::{Operation, OperationDetail, Status};
use mira_ops::{Accepted, Binding, Event, Models, Operations, Options, Parts, Recorded, Step, Tail, Turn};
use mira_store::{Database, ManualClock, OperationId, ProjectId, SessionId, Timestamp};
use mira_workspace::{NewProject, Workspace};
use serde_json::{Value, json};

use crate::story;

/// The clock stands still, so that nothing can depend on the order of times.
pub(crate) const START: Timestamp = Timestamp::from_ms(1_790_000_000_000);

pub(crate) const REASONER: &str = "gpt-5.5";
pub(crate) const CODER: &str = "deepseek-v4-flash";

/// How long anything is waited for before the test fails.
const DEADLINE: Duration = Duration::from_secs(30);

/// What a Mira is started with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    pub options: Options,
    pub timeouts: Timeouts,
    /// None binds the scripted upstream.
    pub reasoner: Option<Binding>,
    pub coder: Option<Binding>,
}

/// A running Mira. A test ends with [`Mira::close`], which checks what must hold after every test.
#[derive(Debug)]
pub(crate) struct Mira {
    pub folder: Arc<tempfile::TempDir>,
    pub upstream: Arc<Upstream>,
    pub database: Database,
    pub memory: Memory,
    pub workspace: Workspace,
    pub operations: Operations,
    pub session: SessionId,
    /// Attached to [`Mira::directory`].
    pub project: ProjectId,
    closed: bool,
}

impl Mira {
    pub(crate) async fn start(script: Script) -> Self {
        Self::start_with(script, &Setup::default()).await
    }

    pub(crate) async fn start_with(script: Script, setup: &Setup) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let upstream = Arc::new(Upstream::start(script).await.unwrap());
        Self::start_in(folder, upstream, setup).await
    }

    /// Starts over what an earlier one left in the folder.
    pub(crate) async fn start_in(
        folder: Arc<tempfile::TempDir>,
        upstream: Arc<Upstream>,
        setup: &Setup,
    ) -> Self {
        let database = Database::open(&database_file(folder.path())).await.unwrap();
        let clock = Arc::new(ManualClock::new(START));
        let memory = Memory::open(database.clone(), clock.clone()).await.unwrap();
        let workspace = Workspace::open(&database, clock.clone()).await.unwrap();
        let parts = Parts {
            database: database.clone(),
            memory: memory.clone(),
            workspace: workspace.clone(),
            models: models(&upstream, setup),
            clock,
        };
        let operations = Operations::open(parts, setup.options.clone()).await.unwrap();
        let (session, _created) = memory.open_session("first").await.unwrap();
        let project = project(&workspace, &folder.path().join("project")).await;
        Self {
            folder,
            upstream,
            database,
            memory,
            workspace,
            operations,
            session: session.id,
            project,
            closed: false,
        }
    }

    /// The directory of the project.
    pub(crate) fn directory(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// Writes a file of the project.
    pub(crate) fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        let file = self.directory().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    /// Reads a file of the project; none when there is none.
    pub(crate) fn on_disk(&self, path: &str) -> Option<String> {
        let file = self.directory().join(path);
        file.exists().then(|| std::fs::read_to_string(file).unwrap())
    }

    /// A turn in the first session, without a project.
    pub(crate) fn turn(&self, content: &str) -> Turn {
        Turn {
            session: self.session,
            content: content.to_owned(),
            project: None,
            editor: None,
            idempotency_key: None,
        }
    }

    pub(crate) fn project_turn(&self, content: &str) -> Turn {
        Turn {
            project: Some(self.project),
            ..self.turn(content)
        }
    }

    pub(crate) async fn send(&self, turn: Turn) -> Accepted {
        self.operations.send(turn).await.unwrap()
    }

    /// Sends a turn and waits for its end.
    pub(crate) async fn run(&self, turn: Turn) -> Turned {
        let accepted = self.send(turn).await;
        self.ended(accepted.operation).await
    }

    /// Waits for the end of an operation.
    pub(crate) async fn ended(&self, id: OperationId) -> Turned {
        let operation = self.operations.operation(id).await.unwrap();
        let resumed = self
            .operations
            .resume_session(operation.session, operation.first_seq - 1)
            .await;
        let mut tail = resumed.unwrap().tail;
        let recorded = until_terminal(&mut tail, id).await;
        Turned {
            events: recorded
                .into_iter()
                .filter(|recorded| recorded.operation == id)
                .map(|recorded| recorded.event)
                .collect(),
            detail: self.operations.detail(id).await.unwrap(),
        }
    }

    /// The bodies of the requests that the upstream got for a route.
    pub(crate) fn requests(&self, route: Route) -> Vec<Value> {
        let requests = self.upstream.requests().into_iter();
        requests
            .filter(|request| request.endpoint == route)
            .map(|request| request.body)
            .collect()
    }

    /// The messages of the first session, oldest first.
    pub(crate) async fn messages(&self) -> Vec<Message> {
        let mut messages = self.memory.page(self.session, None, 1_000).await.unwrap();
        messages.reverse();
        messages
    }

    /// Waits until a reply is at a hold.
    pub(crate) async fn arrived(&self, hold: &str) {
        deadline(self.upstream.arrived(hold)).await;
    }

    /// Leaves everything as it is, as for a process that is killed.
    pub(crate) fn abandon(mut self) {
        self.closed = true;
    }

    /// Stops, and checks that every journal tells whole stories and that the upstream found nothing wrong.
    pub(crate) async fn close(mut self) {
        self.closed = true;
        deadline(self.operations.shutdown(DEADLINE)).await;
        for session in self.memory.sessions(None, 10_000).await.unwrap() {
            let events = self.operations.events(session.id, 0, u32::MAX).await.unwrap();
            story::check_journal(&events);
            let operations = self.operations.list(session.id, None, u32::MAX).await.unwrap();
            for operation in operations {
                self.check_operation(&operation, &events).await;
            }
        }
        assert_eq!(self.upstream.violations(), []);
        self.workspace.close().await;
        self.database.close().await;
    }

    async fn check_operation(&self, operation: &Operation, events: &[Recorded]) {
        let events: Vec<Event> = events
            .iter()
            .filter(|recorded| recorded.operation == operation.id)
            .map(|recorded| recorded.event.clone())
            .collect();
        let end = events.iter().find(|event| event.is_terminal()).unwrap();
        let status = match end {
            Event::Completed { .. } => Status::Completed,
            Event::Failed { .. } => Status::Failed,
            Event::Cancelled => Status::Cancelled,
            Event::Interrupted { .. } => Status::Interrupted,
            other => panic!("{other:?} is no end"),
        };
        assert_eq!(operation.status, status);
        let said = story::answer(&events);
        let answer = match operation.answer {
            Some(answer) => self
                .memory
                .message(answer)
                .await
                .unwrap()
                .map(|answer| answer.content),
            None => None,
        };
        assert_eq!(
            answer.unwrap_or_default(),
            said,
            "the stored answer is what was streamed"
        );
        let detail = self.operations.detail(operation.id).await.unwrap();
        assert_eq!(detail.text, said);
    }
}

impl Drop for Mira {
    fn drop(&mut self) {
        assert!(
            self.closed || std::thread::panicking(),
            "a test ends with Mira::close or Mira::abandon"
        );
    }
}

/// An operation that has ended.
#[derive(Debug)]
pub(crate) struct Turned {
    pub events: Vec<Event>,
    pub detail: OperationDetail,
}

impl Turned {
    pub(crate) fn story(&self) -> Vec<String> {
        story::story(&self.events)
    }

    /// The last line of the story.
    pub(crate) fn end(&self) -> String {
        self.story().pop().unwrap()
    }
}

/// Waits, and fails the test when it takes too long.
pub(crate) async fn deadline<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what).await.expect("took too long")
}

/// Polls a future that cannot be done at once, and drops it, as for a caller who goes away.
pub(crate) async fn polled_once<T>(what: impl Future<Output = T>) {
    let polled = futures_util::future::poll_immediate(what).await;
    assert!(polled.is_none());
}

/// The next event of a tail.
pub(crate) async fn next_event(tail: &mut Tail) -> Arc<Recorded> {
    loop {
        if let Step::Event(recorded) = deadline(tail.next()).await.unwrap() {
            return recorded;
        }
    }
}

/// The events of a tail up to the end of an operation.
pub(crate) async fn until_terminal(tail: &mut Tail, operation: OperationId) -> Vec<Recorded> {
    let mut events = Vec::new();
    loop {
        let recorded = next_event(tail).await;
        let last = recorded.operation == operation && recorded.event.is_terminal();
        events.push(Recorded::clone(&recorded));
        if last {
            return events;
        }
    }
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

/// The arguments of a call of `generate_code`.
pub(crate) fn brief(path: &str, description: &str) -> Value {
    json!({
        "path": path,
        "description": description,
        "language": "rust",
        "framework": null,
        "dependencies": null,
        "style_guide": null,
        "context_files": null,
    })
}

/// A reasoner that answers everything with this.
pub(crate) fn answering(text: &str) -> Script {
    script([reasoner("answer").text(text)])
}

/// What a request told the reasoner of its tool calls, in order.
pub(crate) fn tool_outputs(request: &Value) -> Vec<&str> {
    let items = request["input"].as_array().unwrap().iter();
    items
        .filter(|item| item["type"] == "function_call_output")
        .map(|item| item["output"].as_str().unwrap())
        .collect()
}

fn database_file(folder: &Path) -> PathBuf {
    folder.join("data").join("mira.db")
}

/// The project of this directory, made when there is none.
async fn project(workspace: &Workspace, directory: &Path) -> ProjectId {
    if let Some(project) = workspace.projects().await.unwrap().first() {
        return project.id;
    }
    std::fs::create_dir_all(directory).unwrap();
    let new = NewProject {
        name: "Garden".to_owned(),
        ..NewProject::default()
    };
    let project = workspace.create_project(new).await.unwrap();
    workspace.attach(project.id, directory).await.unwrap();
    project.id
}

fn models(upstream: &Upstream, setup: &Setup) -> Models {
    let endpoint = Endpoint::new(upstream.base_url())
        .api_key("sk-test-key")
        .timeouts(setup.timeouts)
        .retry(Retry {
            attempts: 2,
            base: Duration::from_millis(1),
            max: Duration::from_secs(5),
        });
    let reasoner = ResponsesOptions {
        reasoning_summary: true,
        ..ResponsesOptions::new(REASONER)
    };
    let reasoner = Responses::new(endpoint.clone(), reasoner).unwrap();
    let coder = ChatCompletions::new(endpoint, ChatOptions::new(CODER, Dialect::DeepSeek)).unwrap();
    Models {
        reasoner: setup
            .reasoner
            .clone()
            .unwrap_or(Binding::Model(Arc::new(reasoner))),
        coder: setup.coder.clone().unwrap_or(Binding::Model(Arc::new(coder))),
    }
}
