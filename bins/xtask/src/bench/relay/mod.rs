//! How much later than it was sent a streamed delta reaches the client.

mod bare;
mod stamp;
mod upstream;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use mira_proto::native::{ChatSend, Initialize, Method, PROTOCOL_VERSION, SessionOpen};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::machine::Ticks;
use super::server::Running;
use super::table::{Samples, Table};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Streams at once, and deltas of each.
const CASES: [(u32, usize); 3] = [(1, 400), (100, 120), (500, 120)];

/// The first deltas of a stream are not counted, so that it is measured while all of them run.
const WARM_UP: usize = 20;

/// Streams begin one after another over this time, as those of many users would.
const RAMP: Duration = Duration::from_secs(1);

/// What stands between the model and the client.
#[derive(Debug, Clone, Copy)]
enum Between {
    BareRelay,
    Mira,
}

pub(crate) async fn run() -> anyhow::Result<Table> {
    let mut table = Table::new(
        "From the upstream's socket to the client's, ms for each streamed delta",
        [
            "streams",
            "deltas",
            "between",
            "p50",
            "p99",
            "max",
            "cores of others",
        ],
    );
    for (streams, deltas) in CASES {
        let upstream = upstream::start(deltas).await?;
        let relay = bare::start(upstream).await?;
        table.row(measure(Between::BareRelay, relay, (streams, deltas)).await?);

        let folder = tempfile::tempdir()?;
        let settings = [
            ("MIRA_MAX_CONNECTIONS", "1000".to_owned()),
            ("MIRA_REASONER_API", "chat".to_owned()),
            ("OPENAI_BASE_URL", format!("http://{upstream}")),
        ];
        let server = Running::start(folder.path(), settings).await?;
        table.row(measure(Between::Mira, server.address, (streams, deltas)).await?);
        server.stop().await?;
    }
    Ok(table)
}

/// Has so many clients read so many deltas each, and returns a row of the table.
async fn measure(
    between: Between,
    server: SocketAddr,
    (streams, deltas): (u32, usize),
) -> anyhow::Result<[String; 7]> {
    let mut clients = Vec::new();
    for _ in 0..streams {
        clients.push(connect(between, server).await?);
    }
    let begun = Ticks::now()?;
    let mut reading = JoinSet::new();
    for (number, (mut socket, question)) in (0..).zip(clients) {
        reading.spawn(async move {
            tokio::time::sleep(RAMP * number / streams).await;
            socket.send(Message::text(question)).await?;
            read(&mut socket, deltas).await
        });
    }
    let mut samples = Samples::new()?;
    while let Some(ages) = reading.join_next().await {
        ages??.into_iter().for_each(|age| samples.add(age));
    }
    let between = match between {
        Between::BareRelay => "bare relay",
        Between::Mira => "Mira",
    };
    Ok([
        streams.to_string(),
        samples.count().to_string(),
        between.to_owned(),
        samples.ms(50.0),
        samples.ms(99.0),
        samples.ms(100.0),
        begun.cores_of_others()?,
    ])
}

/// Connects, and says which frame begins a stream.
async fn connect(between: Between, server: SocketAddr) -> anyhow::Result<(Socket, String)> {
    let (mut socket, _) = connect_async_with_config(format!("ws://{server}/ws"), Some(quick()), true).await?;
    let question = match between {
        Between::BareRelay => "go".to_owned(),
        Between::Mira => {
            let client = json!({"name": "bench", "version": "1"});
            let params = json!({"protocol_version": PROTOCOL_VERSION, "client": client});
            call::<Initialize>(&mut socket, params).await?;
            let opened = call::<SessionOpen>(&mut socket, json!({})).await?;
            request::<ChatSend>(&json!({"session_id": opened["session_id"], "content": "go"}))
        }
    };
    Ok((socket, question))
}

/// The usual buffer of 128 KiB is cleared for each read, which costs more than all the rest.
fn quick() -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(8 * 1024)
}

fn request<M: Method>(params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": M::NAME, "params": params}).to_string()
}

/// Calls a method on a connection that nothing else happens on.
async fn call<M: Method>(socket: &mut Socket, params: Value) -> anyhow::Result<Value> {
    socket.send(Message::text(request::<M>(&params))).await?;
    let mut response: Value = serde_json::from_str(&next_text(socket).await?)?;
    anyhow::ensure!(
        response["error"].is_null(),
        "{} was answered with {response}",
        M::NAME
    );
    Ok(response["result"].take())
}

/// Reads until every delta of a stream has come, and returns how old they were.
async fn read(socket: &mut Socket, deltas: usize) -> anyhow::Result<Vec<Duration>> {
    let mut ages = Vec::with_capacity(deltas);
    while ages.len() < deltas {
        ages.extend(stamp::ages(&next_text(socket).await?));
    }
    anyhow::ensure!(
        ages.len() == deltas,
        "{} deltas came instead of {deltas}",
        ages.len()
    );
    Ok(ages.split_off(WARM_UP))
}

async fn next_text(socket: &mut Socket) -> anyhow::Result<String> {
    loop {
        match socket.next().await.context("the connection was closed")?? {
            Message::Text(text) => return Ok(text.as_str().to_owned()),
            Message::Close(frame) => anyhow::bail!("the connection was closed: {frame:?}"),
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
}
