//! One request from its head to the response: read, check, find the rule, record, reply.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use serde_json::Value;

use super::body::{Cut, ReplyBody, Ticket};
use super::check;
use super::endpoint::Endpoint;
use super::envelope::{ErrorObject, respond_json};
use super::facts::Facts;
use super::record::{Outcome, Recorded};
use super::reply::{self, Plan};
use super::shared::Shared;
use super::violation::{Problem, Violation};

/// Largest request body that is read.
const BODY_LIMIT: usize = 64 * 1024 * 1024;
const REDACTED: &str = "[redacted]";
/// Headers whose values are keys.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "api-key", "x-api-key"];

/// Answers one request. An error drops the connection.
pub(super) async fn answer(
    request: Request<Incoming>,
    shared: &Arc<Shared>,
) -> Result<Response<ReplyBody>, Cut> {
    let (head, body) = request.into_parts();
    let endpoint = Endpoint::of(&head.method, head.uri.path());
    let bytes = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::BodyTooLarge { limit: BODY_LIMIT }),
        // The client left before it had asked anything.
        Err(_) => return Err(Cut),
    };
    let body_bytes = bytes.as_ref().map_or(0, Bytes::len);
    let (body, unreadable) = parse(bytes);

    let planned = plan(endpoint, &head, &body, unreadable, shared);
    let number = shared.record(
        Recorded {
            endpoint,
            path: head.uri.path().to_owned(),
            headers: readable(&head.headers),
            body,
            rule: planned.as_ref().ok().and_then(|plan| plan.rule_index),
            outcome: Outcome::InProgress,
        },
        body_bytes,
    );
    let ticket = Ticket::new(Arc::clone(shared), number);
    match planned {
        Ok(plan) => reply::send(plan, ticket, shared).await,
        Err(problems) => {
            let response = refuse(&problems, ticket);
            let violation = |problem| Violation {
                request: number,
                endpoint,
                problem,
            };
            shared.add_violations(problems.into_iter().map(violation));
            Ok(response)
        }
    }
}

fn parse(bytes: Result<Bytes, Problem>) -> (Value, Option<Problem>) {
    match bytes {
        Err(problem) => (Value::Null, Some(problem)),
        Ok(bytes) if bytes.is_empty() => (Value::Null, None),
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(body) => (body, None),
            Err(error) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                (
                    Value::String(text),
                    Some(Problem::Json {
                        reason: error.to_string(),
                    }),
                )
            }
        },
    }
}

fn plan(
    endpoint: Endpoint,
    head: &Parts,
    body: &Value,
    unreadable: Option<Problem>,
    shared: &Arc<Shared>,
) -> Result<Plan, Vec<Problem>> {
    let mut problems = check::head(endpoint, head, shared.api_key().as_deref());
    problems.extend(unreadable);
    if problems.is_empty() {
        problems = check::body(endpoint, body, shared);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let facts = Facts::of(endpoint, body);
    Plan::new(endpoint, body, &facts, shared).ok_or_else(|| {
        vec![Problem::NoRule {
            last_user: facts.last_user(),
            rules: shared.describe_rules(),
        }]
    })
}

fn refuse(problems: &[Problem], ticket: Ticket) -> Response<ReplyBody> {
    let status = match problems.first() {
        Some(Problem::Route { .. }) => StatusCode::NOT_FOUND,
        Some(Problem::AuthorizationMissing | Problem::AuthorizationWrong) => StatusCode::UNAUTHORIZED,
        Some(Problem::BodyTooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
        Some(_) | None => StatusCode::BAD_REQUEST,
    };
    let messages: Vec<String> = problems.iter().map(Problem::to_string).collect();
    let message = messages.join("; ");
    let error = ErrorObject {
        message: &message,
        ..ErrorObject::of_status(status)
    };
    respond_json(status, error.into_json(), ticket)
}

fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let value = |name: &str, value: &[u8]| {
        if SECRET_HEADERS.contains(&name) {
            REDACTED.to_owned()
        } else {
            String::from_utf8_lossy(value).into_owned()
        }
    };
    headers
        .iter()
        .map(|(name, text)| (name.to_string(), value(name.as_str(), text.as_bytes())))
        .collect()
}
