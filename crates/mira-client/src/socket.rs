//! Opening the WebSocket, and the first exchange on it.

use std::sync::Arc;

use futures_util::{SinkExt, Stream, StreamExt};
use mira_proto::error::{ErrorBody, ErrorCode};
use mira_proto::native::{
    Implementation, Initialize, InitializeParams, InitializeResult, Method, PROTOCOL_VERSION,
};
use mira_proto::rpc::{self, Outcome, Request};
use secrecy::ExposeSecret;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{ProtocolError, UrlError};
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::error::Error;
use crate::options::Options;

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The largest frame that is taken from a server: an artifact with its diff, escaped, and room to spare.
const MAX_FRAME_BYTES: usize = 128 << 20;

/// Read buffer of a connection, allocated for as long as it is open.
const READ_BUFFER_BYTES: usize = 16 << 10;

/// The id of `initialize`; calls count from 1.
const INITIALIZE_ID: rpc::Id = rpc::Id::Number(0);

/// Connects and initializes. Dropping the future closes the socket.
pub(crate) async fn open(options: &Options) -> Result<(Socket, InitializeResult), Error> {
    let opening = async {
        let mut socket = connect(options).await?;
        let server = initialize(&mut socket, options).await?;
        Ok((socket, server))
    };
    tokio::time::timeout(options.connect_timeout, opening)
        .await
        .unwrap_or_else(|_| {
            Err(Error::ConnectTimeout {
                url: options.url.clone(),
                after: options.connect_timeout,
            })
        })
}

async fn connect(options: &Options) -> Result<Socket, Error> {
    let url = || options.url.clone();
    let bad_url = |source| Error::Url {
        url: url(),
        source: Arc::new(source),
    };
    let mut request = options.url.as_str().into_client_request().map_err(bad_url)?;
    let secure = match request.uri().scheme_str() {
        Some("ws") => false,
        Some("wss") => true,
        Some(_) | None => return Err(bad_url(UrlError::UnsupportedUrlScheme.into())),
    };
    if let Some(token) = &options.token {
        let mut value =
            HeaderValue::try_from(format!("Bearer {}", token.expose_secret())).map_err(|_| Error::Token)?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    if secure {
        // TLS panics when it has to choose between several linked providers. An error here means that the program has
        // chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_frame_size(Some(MAX_FRAME_BYTES))
        .max_message_size(Some(MAX_FRAME_BYTES));
    // Boxed, because it is by far the largest future here, and every caller's would carry it.
    match Box::pin(connect_async_with_config(request, Some(config), true)).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => Err(Error::Refused {
            url: url(),
            status: response.status().as_u16(),
            error: response.body().as_deref().and_then(refusal),
        }),
        Err(tungstenite::Error::Io(source)) => Err(Error::Unreachable {
            url: url(),
            source: Arc::new(source),
        }),
        Err(source @ tungstenite::Error::Url(_)) => Err(bad_url(source)),
        Err(source) => Err(Error::Handshake {
            url: url(),
            source: Arc::new(source),
        }),
    }
}

/// What a Mira server puts into the body of a refusal; none where something else answered.
fn refusal(body: &[u8]) -> Option<Box<ErrorBody>> {
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
        error: rpc::ErrorData,
    }
    let Refusal { message, error } = serde_json::from_slice(body).ok()?;
    Some(Box::new(ErrorBody {
        code: error.code,
        message,
        retryable: error.retryable,
        hint: error.hint,
        field: error.field,
    }))
}

async fn initialize(socket: &mut Socket, options: &Options) -> Result<InitializeResult, Error> {
    let method = Initialize::NAME;
    let params = InitializeParams {
        protocol_version: PROTOCOL_VERSION,
        client: Implementation {
            name: options.client_name.clone(),
            version: options.client_version.clone(),
        },
        token: options
            .token
            .as_ref()
            .map(|token| token.expose_secret().to_owned()),
        capabilities: None,
    };
    let frame = serde_json::to_string(&Request::new(INITIALIZE_ID, method, params)).map_err(|source| {
        Error::Encode {
            method,
            source: Arc::new(source),
        }
    })?;
    socket.send(Message::text(frame)).await.map_err(broken)?;
    let response = loop {
        if let Some(rpc::Message::Response(response)) = read(socket).await?
            // Without an id it is a refusal that was sent before the request was understood.
            && response.id.as_ref().is_none_or(|id| *id == INITIALIZE_ID)
        {
            break response;
        }
    };
    let refused = |error: ErrorBody| {
        Err(Error::Rpc {
            method,
            error: Box::new(error),
        })
    };
    let result: InitializeResult = match response.outcome {
        Outcome::Error(error) => return refused(error.into()),
        Outcome::Result(result) => serde_json::from_str(result.get()).map_err(|source| Error::Decode {
            method,
            source: Arc::new(source),
        })?,
    };
    if result.protocol_version != PROTOCOL_VERSION {
        let message = format!(
            "the server speaks version {} of the protocol, and this program version {PROTOCOL_VERSION}",
            result.protocol_version
        );
        return refused(ErrorBody::new(ErrorCode::ProtocolVersion, message));
    }
    Ok(result)
}

/// Reads one frame; none when it was a control frame. Cancel safe.
pub(crate) async fn read<S>(socket: &mut S) -> Result<Option<rpc::Message>, Error>
where
    S: Stream<Item = Result<Message, tungstenite::Error>> + Unpin,
{
    let unreadable = |problem: String| Err(Error::Unreadable { problem });
    match socket.next().await {
        Some(Ok(Message::Text(text))) => match rpc::Message::parse(&text) {
            Ok(message) => Ok(Some(message)),
            // The greeting of the other profile, for connections that were silent at first.
            Err(_) if is_classic(&text) => Ok(None),
            Err(error) => unreadable(error.to_string()),
        },
        Some(Ok(Message::Binary(_))) => unreadable("a binary frame".to_owned()),
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
        Some(Ok(Message::Close(frame))) => Err(match frame {
            Some(frame) => Error::Disconnected {
                code: frame.code.into(),
                reason: frame.reason.as_str().to_owned(),
            },
            None => Error::Lost,
        }),
        Some(Err(error)) => Err(broken(error)),
        None => Err(Error::Lost),
    }
}

/// Whether a frame is of the profile that is not JSON-RPC.
fn is_classic(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Shape {
        jsonrpc: Option<serde::de::IgnoredAny>,
        #[serde(rename = "type")]
        kind: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_str::<Shape>(text).is_ok_and(|shape| shape.jsonrpc.is_none() && shape.kind.is_some())
}

/// What a failure of an open socket means.
fn broken(error: tungstenite::Error) -> Error {
    match error {
        tungstenite::Error::ConnectionClosed
        | tungstenite::Error::AlreadyClosed
        | tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Error::Lost,
        // The same frame would come again on the next connection.
        tungstenite::Error::Capacity(error) => Error::Unreadable {
            problem: error.to_string(),
        },
        error => Error::Socket {
            source: Arc::new(error),
        },
    }
}
