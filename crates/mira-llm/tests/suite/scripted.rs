//! The scripted upstream over real HTTP.

mod checks;
mod conversations;
mod embeddings;
mod faults;
mod rules;
mod streams;

use std::future::Future;
use std::sync::LazyLock;
use std::time::Duration;

use mira_llm::scripted::{Recorded, Script, Upstream};
use reqwest::{Client, Response};
use serde_json::{Value, json};

/// Nothing here takes longer unless it hangs.
const DEADLINE: Duration = Duration::from_secs(10);

/// Keeps no idle connections, since each test has a runtime of its own.
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    // Another test of this binary may have installed it already.
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
});

async fn start(script: Script) -> Upstream {
    Upstream::start(script).await.unwrap()
}

async fn within_deadline<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .expect("the deadline has passed")
}

async fn post(upstream: &Upstream, path: &str, body: &Value) -> Response {
    try_post(upstream, path, body).await.unwrap()
}

async fn try_post(upstream: &Upstream, path: &str, body: &Value) -> reqwest::Result<Response> {
    let url = format!("{}{path}", upstream.base_url());
    within_deadline(CLIENT.post(url).bearer_auth("key").json(body).send()).await
}

async fn get(upstream: &Upstream, path: &str) -> Response {
    let url = format!("{}{path}", upstream.base_url());
    within_deadline(CLIENT.get(url).bearer_auth("key").send())
        .await
        .unwrap()
}

async fn text(response: Response) -> String {
    within_deadline(response.text()).await.unwrap()
}

async fn body(response: Response) -> Value {
    serde_json::from_str(&text(response).await).unwrap()
}

/// The body as far as it comes, and whether it came to its end.
async fn received(mut response: Response) -> (String, bool) {
    let mut bytes = Vec::new();
    loop {
        match within_deadline(response.chunk()).await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return (String::from_utf8(bytes).unwrap(), true),
            Err(_) => return (String::from_utf8(bytes).unwrap(), false),
        }
    }
}

/// Reads until what has come contains this text.
async fn read_until(response: &mut Response, wanted: &str) -> String {
    let mut read = String::new();
    while !read.contains(wanted) {
        let chunk = within_deadline(response.chunk())
            .await
            .unwrap()
            .expect("the stream has ended");
        read.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    read
}

/// The `data` of each frame that has any.
fn data(stream: &str) -> Vec<&str> {
    stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .collect()
}

fn only(requests: Vec<Recorded>) -> Recorded {
    let [request] = <[Recorded; 1]>::try_from(requests).unwrap();
    request
}

/// A streamed request of the Responses API with these items.
fn responses_request(input: &Value) -> Value {
    json!({
        "model": "gpt-5.5",
        "input": input,
        "stream": true,
        "store": false,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
    })
}

fn chat_request(messages: &Value) -> Value {
    json!({
        "model": "deepseek-v4-flash",
        "messages": messages,
        "stream": true,
        "stream_options": {"include_usage": true},
    })
}

fn user(text: &str) -> Value {
    json!([{"role": "user", "content": text}])
}
