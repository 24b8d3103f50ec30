//! The least that can stand between a model and a client: each delta goes from one socket to the other, and nothing is
//! kept, numbered, checked or counted.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

const REQUEST: &[u8] = b"POST /chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}";

/// Serves until the runtime goes down: the first frame of a client asks the upstream.
pub(super) async fn start(upstream: SocketAddr) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // A connection that breaks is missed by whoever counts the deltas.
            tokio::spawn(relay(client, upstream));
        }
    });
    Ok(address)
}

async fn relay(client: TcpStream, upstream: SocketAddr) -> anyhow::Result<()> {
    client.set_nodelay(true)?;
    let mut client = tokio_tungstenite::accept_async_with_config(client, Some(super::quick())).await?;
    client.next().await;
    let mut upstream = BufReader::new(TcpStream::connect(upstream).await?);
    upstream.get_mut().write_all(REQUEST).await?;
    let mut line = String::new();
    while upstream.read_line(&mut line).await? > 0 {
        if let Some(data) = line.strip_prefix("data: {") {
            let chunk: Value = serde_json::from_str(&format!("{{{data}"))?;
            if let Some(delta) = chunk["choices"][0]["delta"]["content"].as_str() {
                client.send(Message::text(delta)).await?;
            }
        }
        line.clear();
    }
    Ok(())
}
