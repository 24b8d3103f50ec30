//! A server on a free port, and clients for it.

use std::{future::Future, net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use mira_server::transport::{self, App, Connection, Listener, Options, Received, Stop};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderName, HeaderValue, StatusCode},
        protocol::WebSocketConfig,
    },
};

/// No condition in this suite takes longer, unless something is broken.
const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) type Client = WebSocketStream<TcpStream>;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) stop: Stop,
    served: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(options: Options, app: App) -> Self {
        let listener = Listener::bind("127.0.0.1", 0, options).await.unwrap();
        let address = listener.local_addr();
        let stop = Stop::default();
        let served = tokio::spawn(transport::serve(listener, app, stop.clone()));
        Self {
            address,
            stop,
            served,
        }
    }

    pub(crate) async fn echo(options: Options) -> Self {
        Self::start(options, App::new(echo)).await
    }

    /// Connects with these headers; the status and the body when refused.
    pub(crate) async fn connect_with(
        &self,
        headers: &[(&str, &str)],
    ) -> Result<Client, (StatusCode, String)> {
        let mut request = format!("ws://{}/ws", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            let name = HeaderName::try_from(*name).unwrap();
            request
                .headers_mut()
                .append(name, HeaderValue::from_str(value).unwrap());
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        let config = WebSocketConfig::default()
            .read_buffer_size(4096)
            .max_frame_size(None)
            .max_message_size(None);
        match soon(client_async_with_config(request, stream, Some(config))).await {
            Ok((client, _)) => Ok(client),
            Err(Error::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                Err((response.status(), String::from_utf8(body).unwrap()))
            }
            Err(error) => panic!("could not connect: {error}"),
        }
    }

    pub(crate) async fn connect(&self) -> Client {
        self.connect_with(&[]).await.unwrap()
    }

    /// Sends bytes as they are and reads until the server closes.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut reply = Vec::new();
        soon(stream.read_to_end(&mut reply)).await.unwrap();
        String::from_utf8(reply).unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        self.raw(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
            .await
    }

    /// Stops the server at once.
    pub(crate) async fn end(self) {
        self.stop.hard.cancel();
        self.ended().await;
    }

    /// Waits for the server to stop; [`transport::serve`] returns when no task of it is left.
    pub(crate) async fn ended(self) {
        soon(self.served).await.unwrap();
        assert!(
            TcpStream::connect(self.address).await.is_err(),
            "the port is still open"
        );
    }
}

pub(crate) async fn echo(connection: Connection) {
    let Connection {
        mut incoming,
        outgoing,
        ..
    } = connection;
    loop {
        match incoming.next().await {
            Received::Frame(frame) => {
                if outgoing.send(frame.text().to_owned()).await.is_err() {
                    return;
                }
            }
            Received::Tick => {}
            Received::Stopping | Received::Closed => return,
        }
    }
}

pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    timeout(DEADLINE, future).await.expect("did not happen in time")
}

pub(crate) async fn send(client: &mut Client, text: impl Into<String>) {
    soon(client.send(Message::text(text.into()))).await.unwrap();
}

/// The next text message.
pub(crate) async fn receive(client: &mut Client) -> String {
    loop {
        match soon(client.next()).await.expect("the connection ended").unwrap() {
            Message::Text(text) => return text.to_string(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("expected text, got {other:?}"),
        }
    }
}

/// Reads up to the end: the codes of the error frames, then the close code and its reason.
pub(crate) async fn closing(client: &mut Client) -> (Vec<String>, u16, String) {
    let mut errors = Vec::new();
    loop {
        match soon(client.next())
            .await
            .expect("ended without a close frame")
            .unwrap()
        {
            Message::Text(text) => {
                let frame: serde_json::Value = serde_json::from_str(&text).unwrap();
                errors.push(frame["error"]["data"]["code"].as_str().unwrap().to_owned());
            }
            Message::Close(Some(close)) => return (errors, close.code.into(), close.reason.to_string()),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("expected a close frame, got {other:?}"),
        }
    }
}
