//! A WebSocket without any knowledge of what goes over it.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::harness::{Server, soon};

/// A receive buffer so small that a peer that does not read is noticed at once.
const SMALL_BUFFER_BYTES: u32 = 4096;

#[derive(Debug)]
pub(crate) struct Socket(WebSocketStream<TcpStream>);

/// What comes from a server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    Frame(Value),
    /// Code and reason.
    Closed(u16, String),
    /// Without a close frame.
    Gone,
}

impl Socket {
    /// Connects with the server's token, if it has one.
    pub(crate) async fn connect(server: &Server) -> Self {
        let token = server.token.as_ref().map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = token
            .iter()
            .map(|token| ("authorization", token.as_str()))
            .collect();
        Self::connect_with(&server.address, &headers).await.unwrap()
    }

    /// Connects with these headers; the status and the body when refused.
    pub(crate) async fn connect_with(address: &str, headers: &[(&str, &str)]) -> Result<Self, (u16, String)> {
        let stream = TcpStream::connect(address).await.unwrap();
        Self::over(stream, address, headers).await
    }

    /// A connection whose buffers on this side are small.
    pub(crate) async fn with_small_buffer(server: &Server) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SMALL_BUFFER_BYTES).unwrap();
        let address: SocketAddr = server.address.parse().unwrap();
        let stream = socket.connect(address).await.unwrap();
        Self::over(stream, &server.address, &[]).await.unwrap()
    }

    async fn over(stream: TcpStream, address: &str, headers: &[(&str, &str)]) -> Result<Self, (u16, String)> {
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        for (name, value) in headers {
            let name = HeaderName::try_from(*name).unwrap();
            request
                .headers_mut()
                .append(name, HeaderValue::from_str(value).unwrap());
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(4096)
            .max_frame_size(None)
            .max_message_size(None);
        match soon(
            "a handshake",
            client_async_with_config(request, stream, Some(config)),
        )
        .await
        {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(Error::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                Err((response.status().as_u16(), String::from_utf8(body).unwrap()))
            }
            Err(error) => panic!("could not connect: {error}"),
        }
    }

    pub(crate) async fn send(&mut self, text: impl Into<String>) {
        self.send_message(Message::text(text.into())).await;
    }

    pub(crate) async fn send_message(&mut self, message: Message) {
        soon("a frame to be taken", self.0.send(message)).await.unwrap();
    }

    /// The next frame, or the end.
    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            let Some(Ok(message)) = soon("a frame", self.0.next()).await else {
                return Heard::Gone;
            };
            match message {
                Message::Text(text) => return Heard::Frame(serde_json::from_str(&text).unwrap()),
                Message::Close(Some(close)) => {
                    return Heard::Closed(close.code.into(), close.reason.to_string());
                }
                Message::Close(None) => return Heard::Gone,
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Binary(_) | Message::Frame(_) => panic!("not a text frame: {message:?}"),
            }
        }
    }

    /// The next frame; there must be one.
    pub(crate) async fn frame(&mut self) -> Value {
        match self.hear().await {
            Heard::Frame(frame) => frame,
            end => panic!("the connection ended: {end:?}"),
        }
    }

    /// How the connection ends, after whatever else still comes.
    pub(crate) async fn end(&mut self) -> Heard {
        loop {
            match self.hear().await {
                Heard::Frame(_) => {}
                end => return end,
            }
        }
    }
}
