//! A server that plays prepared bytes, one answer per connection, and remembers what it was sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use mira_llm::chat::{Event, Item, Reply, Request};
use mira_llm::compatible::{ChatCompletions, ChatOptions, Dialect};
use mira_llm::{ChatModel, Endpoint, Error, Retry, Timeouts};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Longer than any test should take, shorter than a person waits.
const DEADLINE: Duration = Duration::from_secs(20);

/// What one connection is answered with.
#[derive(Clone)]
pub(crate) struct Answer {
    head: String,
    steps: Vec<Step>,
}

#[derive(Clone)]
enum Step {
    Chunk(Vec<u8>),
    Pause(Duration),
    /// Says nothing more until the client has gone.
    Stall,
    /// Sends a comment at once and again after each wait, until the client has gone.
    Keepalives(Duration),
    /// Closes the connection in the middle of the body.
    Cut,
}

#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) struct Player {
    base_url: String,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    client_gone: Notify,
}

impl Answer {
    /// A stream of chunks, ended properly.
    pub(crate) fn stream(chunks: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: req_1\r\n\
                    transfer-encoding: chunked\r\nconnection: close\r\n\r\n";
        let steps = chunks
            .into_iter()
            .map(|chunk| Step::Chunk(chunk.into()))
            .collect();
        Self {
            head: head.to_owned(),
            steps,
        }
    }

    /// A stream of events, one chunk each.
    pub(crate) fn events(data: impl IntoIterator<Item = serde_json::Value>) -> Self {
        Self::stream(data.into_iter().map(|data| format!("data: {data}\n\n")))
    }

    /// A whole answer of another kind. `headers` are lines that end with CRLF.
    pub(crate) fn document(status: u16, headers: &str, body: &str) -> Self {
        let head = format!(
            "HTTP/1.1 {status} Status\r\n{headers}x-request-id: req_1\r\ntransfer-encoding: chunked\r\n\
             connection: close\r\n\r\n"
        );
        Self {
            head,
            steps: vec![Step::Chunk(body.into())],
        }
    }

    pub(crate) fn done(self) -> Self {
        self.then(Step::Chunk(b"data: [DONE]\n\n".to_vec()))
    }

    /// Waits before each chunk.
    pub(crate) fn paced(self, pause: Duration) -> Self {
        let steps = self
            .steps
            .into_iter()
            .flat_map(|step| [Step::Pause(pause), step])
            .collect();
        Self { steps, ..self }
    }

    pub(crate) fn stall(self) -> Self {
        self.then(Step::Stall)
    }

    pub(crate) fn keepalives(self, every: Duration) -> Self {
        self.then(Step::Keepalives(every))
    }

    pub(crate) fn cut(self) -> Self {
        self.then(Step::Cut)
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl Player {
    /// Answers the connections in order; one more than there are answers is refused.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let mut tasks = JoinSet::new();
        let answers: Vec<Answer> = answers.into_iter().collect();
        let state = Arc::clone(&shared);
        tasks.spawn(async move {
            for answer in answers {
                let (mut socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                let received = receive(&mut socket).await;
                state.received.lock().unwrap().push(received);
                play(&mut socket, &answer, &state).await;
            }
        });
        Self {
            base_url,
            shared,
            _tasks: tasks,
        }
    }

    /// An endpoint that makes one attempt and does not wait long.
    pub(crate) fn endpoint(&self) -> Endpoint {
        let patience = Duration::from_secs(10);
        Endpoint::new(&self.base_url)
            .api_key("sk-test-0123456789")
            .retry(Retry::never())
            .timeouts(Timeouts {
                connect: patience,
                first_token: patience,
                between_chunks: patience,
                without_content: patience,
                request: patience,
            })
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Waits until a client has left a stalled answer.
    pub(crate) async fn client_gone(&self) {
        tokio::time::timeout(DEADLINE, self.shared.client_gone.notified())
            .await
            .unwrap();
    }
}

async fn receive(socket: &mut TcpStream) -> Received {
    let mut bytes = Vec::new();
    loop {
        assert!(
            socket.read_buf(&mut bytes).await.unwrap() > 0,
            "the client left early"
        );
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap();
        let mut body = bytes.split_off(end + 4);
        while body.len() < length.parse::<usize>().unwrap() {
            socket.read_buf(&mut body).await.unwrap();
        }
        return Received { head, body };
    }
}

async fn play(socket: &mut TcpStream, answer: &Answer, shared: &Shared) {
    // The client may leave at any time, which is what some tests are about.
    let sent = async {
        socket.write_all(answer.head.as_bytes()).await?;
        for step in &answer.steps {
            match step {
                Step::Chunk(bytes) => send_chunk(socket, bytes).await?,
                Step::Pause(pause) => tokio::time::sleep(*pause).await,
                Step::Stall => {
                    while socket.read(&mut [0; 64]).await? > 0 {}
                    return Err(std::io::ErrorKind::ConnectionAborted.into());
                }
                Step::Keepalives(every) => loop {
                    send_chunk(socket, b": keep-alive\n\n").await?;
                    tokio::time::sleep(*every).await;
                },
                Step::Cut => return Ok(()),
            }
        }
        socket.write_all(b"0\r\n\r\n").await
    };
    if sent.await.is_err() {
        shared.client_gone.notify_one();
    }
}

async fn send_chunk(socket: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    // An empty chunk would be the end of the body.
    if bytes.is_empty() {
        return Ok(());
    }
    socket
        .write_all(format!("{:x}\r\n", bytes.len()).as_bytes())
        .await?;
    socket.write_all(bytes).await?;
    socket.write_all(b"\r\n").await
}

/// What came out of a stream before its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Reasoning(String),
    Text(String),
    Retrying(u32),
}

pub(crate) fn thought(text: &str) -> Seen {
    Seen::Reasoning(text.to_owned())
}

pub(crate) fn said(text: &str) -> Seen {
    Seen::Text(text.to_owned())
}

/// Drives a model to the end.
pub(crate) async fn converse(model: &dyn ChatModel, request: Request) -> (Vec<Seen>, Result<Reply, Error>) {
    let mut events = model.stream(request);
    let mut seen = Vec::new();
    loop {
        let event = tokio::time::timeout(DEADLINE, events.next())
            .await
            .expect("the stream is stuck");
        let end = match event.expect("a stream ends with a reply or an error") {
            Ok(Event::Reasoning(text)) => {
                seen.push(Seen::Reasoning(text));
                continue;
            }
            Ok(Event::Text(text)) => {
                seen.push(Seen::Text(text));
                continue;
            }
            Ok(Event::Retrying { attempt, .. }) => {
                seen.push(Seen::Retrying(attempt));
                continue;
            }
            Ok(Event::Completed(reply)) => Ok(reply),
            Err(error) => Err(error),
        };
        assert!(events.next().await.is_none(), "the end is the last item");
        return (seen, end);
    }
}

/// A model for tests that are not about one wire format.
pub(crate) fn generic(endpoint: Endpoint) -> ChatCompletions {
    ChatCompletions::new(endpoint, ChatOptions::new("some-model", Dialect::Generic)).unwrap()
}

pub(crate) fn hello() -> Request {
    Request {
        input: vec![Item::User("Hello".to_owned())],
        ..Request::default()
    }
}
