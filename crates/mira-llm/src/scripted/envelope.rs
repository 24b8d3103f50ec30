//! Complete responses: JSON answers, and errors in the providers' envelope.

use bytes::{BufMut, Bytes, BytesMut};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::body::{ReplyBody, Ticket};
use super::step::{ErrorEvent, HttpFault};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
pub(super) const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");

/// The `error` object of both providers.
#[derive(Debug, Serialize)]
pub(super) struct ErrorObject<'a> {
    pub(super) message: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    pub(super) param: Option<&'a str>,
    pub(super) code: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Envelope<'a> {
    pub(super) error: ErrorObject<'a>,
}

impl HttpFault {
    /// A status that no final response can have is an internal error.
    fn status(&self) -> StatusCode {
        let status = StatusCode::from_u16(self.status)
            .ok()
            .filter(|status| !status.is_informational());
        status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What stands for the fault once the status is sent.
    pub(super) fn as_event(&self) -> ErrorEvent {
        let ErrorObject { code, message, .. } = ErrorObject::of_status(self.status());
        ErrorEvent {
            code: code.unwrap_or_default().to_owned(),
            message: message.to_owned(),
            nested: false,
        }
    }
}

impl<'a> ErrorObject<'a> {
    pub(super) fn of_event(error: &'a ErrorEvent) -> Self {
        Self {
            message: &error.message,
            kind: "server_error",
            param: None,
            code: Some(&error.code),
        }
    }

    pub(super) fn of_status(status: StatusCode) -> ErrorObject<'static> {
        let (kind, code, message) = match status.as_u16() {
            401 => (
                "invalid_request_error",
                "invalid_api_key",
                "incorrect API key provided",
            ),
            402 => (
                "invalid_request_error",
                "insufficient_quota",
                "insufficient balance",
            ),
            403 => (
                "invalid_request_error",
                "permission_denied",
                "the key may not do this",
            ),
            404 => (
                "invalid_request_error",
                "model_not_found",
                "the model does not exist",
            ),
            429 => ("rate_limit_error", "rate_limit_exceeded", "rate limit reached"),
            503 => (
                "server_error",
                "server_overloaded",
                "the server is overloaded, try again later",
            ),
            500.. => ("server_error", "server_error", "the server had an error"),
            _ => (
                "invalid_request_error",
                "invalid_request",
                "the request is not valid",
            ),
        };
        ErrorObject {
            message,
            kind,
            param: None,
            code: Some(code),
        }
    }

    pub(super) fn into_json(self) -> Bytes {
        json(&Envelope { error: self })
    }
}

pub(super) fn respond_http_fault(fault: &HttpFault, ticket: Ticket) -> Response<ReplyBody> {
    let status = fault.status();
    let body = match &fault.body {
        Some(body) => Bytes::from(body.clone()),
        None => ErrorObject::of_status(status).into_json(),
    };
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
    let mut response = respond(
        status,
        if is_json { JSON } else { HTML },
        ReplyBody::whole(body, ticket),
    );
    if let Some(seconds) = fault.retry_after {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

pub(super) fn respond_json(status: StatusCode, body: Bytes, ticket: Ticket) -> Response<ReplyBody> {
    respond(status, JSON, ReplyBody::whole(body, ticket))
}

/// A response with a request id, as both providers send it.
pub(super) fn respond(status: StatusCode, content_type: HeaderValue, body: ReplyBody) -> Response<ReplyBody> {
    // A number in decimal is always a header value.
    let id = HeaderValue::try_from(format!("req_{}", body.request() + 1)).ok();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

pub(super) fn json(value: &impl Serialize) -> Bytes {
    let mut buffer = BytesMut::new();
    write_json(&mut buffer, value);
    buffer.freeze()
}

/// Appends a value of our own, whose serialisation into memory cannot fail.
pub(super) fn write_json(buffer: &mut BytesMut, value: &impl Serialize) {
    if let Err(error) = serde_json::to_writer(buffer.writer(), value) {
        tracing::error!(%error, "scripted upstream cannot serialise a reply");
    }
}
