//! The HTTP side of the port: `/healthz`, `/readyz`, `/metrics`, and the handshake of `/ws`.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderName, HeaderValue},
    upgrade::{OnUpgrade, Parts},
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tungstenite::handshake::derive_accept_key;

use super::{
    channel::Peer,
    connection,
    listener::{Readiness, Shared},
    origin::AllowedOrigins,
    refusal::Refusal,
    token::{self, Presented},
};

/// Length of a `Sec-WebSocket-Key`: sixteen bytes in base64.
const WEBSOCKET_KEY_LENGTH: usize = 24;

/// The only version there is (RFC 6455).
const WEBSOCKET_VERSION: &str = "13";

/// How long a client that found no place should wait, in seconds.
const RETRY_AFTER: &str = "5";

type Reply = Response<Full<Bytes>>;

/// Answers one request.
pub(super) async fn respond(shared: &Arc<Shared>, address: SocketAddr, request: Request<Incoming>) -> Reply {
    let path = request.uri().path();
    // hyper leaves out the body of an answer to HEAD.
    let is_probe = request.method() == Method::HEAD && path != "/ws";
    if request.method() != Method::GET && !is_probe {
        return refuse(&Refusal::new(405, "bad_request", "only GET is possible here"));
    }
    match path {
        "/ws" => upgrade(shared, address, request).unwrap_or_else(|refusal| refuse(&refusal)),
        "/healthz" => json_reply(StatusCode::OK, json!({ "status": "ok" }).to_string()),
        "/readyz" => readiness(shared),
        "/metrics" => metrics(shared, request.headers())
            .await
            .unwrap_or_else(|refusal| refuse(&refusal)),
        path => refuse(&Refusal::new(
            404,
            "not_found",
            format!("there is nothing at {path}; the socket is at /ws"),
        )),
    }
}

fn readiness(shared: &Shared) -> Reply {
    match not_ready(shared) {
        None => json_reply(StatusCode::OK, json!({ "ready": true }).to_string()),
        Some(reason) => json_reply(
            StatusCode::SERVICE_UNAVAILABLE,
            json!({ "ready": false, "reason": reason }).to_string(),
        ),
    }
}

/// Unlike the probes, this tells how the server is used, so that it takes the token where there is one.
async fn metrics(shared: &Shared, headers: &HeaderMap) -> Result<Reply, Refusal> {
    match token::in_headers(headers, shared.options.auth_token.as_ref()) {
        Presented::Valid => {}
        Presented::Nothing | Presented::Invalid => return Err(wrong_token()),
    }
    let page = match &shared.app.metrics {
        Some(metrics) => metrics(shared.options.max_connections - shared.slots.available_permits()).await,
        None => return Err(Refusal::new(404, "not_found", "this server keeps no metrics")),
    };
    let page = page.ok_or_else(|| Refusal::new(500, "storage", "the metrics could not be read"))?;
    Ok(reply(
        StatusCode::OK,
        "text/plain; version=0.0.4; charset=utf-8",
        page,
    ))
}

fn wrong_token() -> Refusal {
    let message = "the Authorization header does not carry the token of this server";
    Refusal::new(401, "unauthorized", message).hint("it must be `Bearer` and the value of MIRA_AUTH_TOKEN")
}

fn not_ready(shared: &Shared) -> Option<String> {
    if shared.stop.soft.is_cancelled() {
        return Some("the server is shutting down".to_owned());
    }
    match &*shared.app.readiness.borrow() {
        Readiness::Ready => None,
        Readiness::NotReady { reason } => Some(reason.clone()),
    }
}

fn upgrade(
    shared: &Arc<Shared>,
    address: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Reply, Refusal> {
    let handshake = examine(shared, request.headers())?;
    let slot = Arc::clone(&shared.slots).try_acquire_owned();
    let slot = slot.map_err(|_| unavailable("too many connections are open"))?;
    let first_frame_token = match handshake.presented {
        Presented::Nothing => shared.options.auth_token.clone(),
        Presented::Valid | Presented::Invalid => None,
    };
    let peer = Peer {
        address,
        origin: handshake.origin,
    };
    let upgrading = hyper::upgrade::on(&mut request);
    let connected = Arc::clone(shared);
    shared.tasks.spawn(async move {
        if let Some(stream) = upgraded(upgrading).await {
            connection::run(connected, stream, peer, first_frame_token, slot).await;
        }
    });
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = reply.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, handshake.accept);
    Ok(reply)
}

/// The stream, and what the peer sent right behind its request. None when it left before the answer.
async fn upgraded(upgrading: OnUpgrade) -> Option<(TcpStream, Bytes)> {
    let upgraded = upgrading
        .await
        .inspect_err(|error| tracing::debug!(%error, "the handshake was not completed"));
    let Parts { io, read_buf, .. } = upgraded.ok()?.downcast::<TokioIo<TcpStream>>().ok()?;
    Some((io.into_inner(), read_buf))
}

/// What an acceptable handshake said.
struct Handshake {
    accept: HeaderValue,
    origin: Option<String>,
    presented: Presented,
}

/// Whether a peer may come in is settled before the form of its request is.
fn examine(shared: &Shared, headers: &HeaderMap) -> Result<Handshake, Refusal> {
    let origin = origin(headers, &shared.options.allowed_origins)?;
    let presented = token::in_headers(headers, shared.options.auth_token.as_ref());
    match presented {
        Presented::Valid | Presented::Nothing => {}
        Presented::Invalid => return Err(wrong_token()),
    }
    if !has_token(headers, &header::CONNECTION, "upgrade")
        || !has_token(headers, &header::UPGRADE, "websocket")
    {
        return Err(upgrade_required("this address takes WebSocket handshakes only"));
    }
    if headers
        .get(header::SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != WEBSOCKET_VERSION)
    {
        return Err(upgrade_required("WebSocket version 13 is required"));
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|key| key.len() == WEBSOCKET_KEY_LENGTH);
    let accept = key.and_then(|key| HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok());
    let malformed = || Refusal::new(400, "bad_request", "Sec-WebSocket-Key is missing or malformed");
    let accept = accept.ok_or_else(malformed)?;
    match not_ready(shared) {
        None => Ok(Handshake {
            accept,
            origin,
            presented,
        }),
        Some(reason) => Err(unavailable(&reason)),
    }
}

/// The page that asks, when a page asks.
fn origin(headers: &HeaderMap, allowed: &AllowedOrigins) -> Result<Option<String>, Refusal> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else {
        return Ok(None);
    };
    let origin = origin.to_str().unwrap_or("(not text)");
    if origins.next().is_none() && allowed.allows(origin) {
        return Ok(Some(origin.to_owned()));
    }
    let message = format!("pages of the origin {origin} may not connect");
    Err(Refusal::new(403, "forbidden_origin", message)
        .hint("add the origin to MIRA_ALLOWED_ORIGINS, a comma-separated list; `null` is never allowed"))
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| {
            value
                .split(',')
                .any(|part| part.trim().eq_ignore_ascii_case(token))
        })
}

fn upgrade_required(message: &str) -> Refusal {
    Refusal::new(426, "bad_request", message).hint("connect with a WebSocket client")
}

fn unavailable(message: &str) -> Refusal {
    Refusal::new(503, "queue_full", message).retryable()
}

/// A refusal with the headers that its status calls for.
fn refuse(refusal: &Refusal) -> Reply {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = json_reply(status, refusal.body());
    let mut set = |name: HeaderName, value: &'static str| {
        reply.headers_mut().insert(name, HeaderValue::from_static(value));
    };
    match status {
        StatusCode::UNAUTHORIZED => set(header::WWW_AUTHENTICATE, "Bearer"),
        StatusCode::METHOD_NOT_ALLOWED => set(header::ALLOW, "GET"),
        StatusCode::SERVICE_UNAVAILABLE => set(header::RETRY_AFTER, RETRY_AFTER),
        StatusCode::UPGRADE_REQUIRED => {
            set(header::CONNECTION, "Upgrade, close");
            set(header::UPGRADE, "websocket");
            set(header::SEC_WEBSOCKET_VERSION, WEBSOCKET_VERSION);
        }
        _ => {}
    }
    reply
}

fn json_reply(status: StatusCode, body: String) -> Reply {
    reply(status, "application/json", body)
}

fn reply(status: StatusCode, content_type: &'static str, body: String) -> Reply {
    let mut reply = Response::new(Full::from(body));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Probes and handshakes are all there is, so nothing is kept open for a next request.
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    reply
}
