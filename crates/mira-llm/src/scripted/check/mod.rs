//! What a provider refuses: every request is checked before a rule is looked for.

mod chat;
mod embeddings;
mod fields;
mod responses;
mod schema;

use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::http::request::Parts;
use serde_json::Value;

use self::fields::Fields;
use super::endpoint::Endpoint;
use super::shared::Shared;
use super::violation::Problem;

/// Checks the route and the headers.
pub(super) fn head(endpoint: Endpoint, head: &Parts, api_key: Option<&str>) -> Vec<Problem> {
    if endpoint == Endpoint::Other {
        return vec![Problem::Route {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
        }];
    }
    let mut problems = Vec::new();
    let header = |name| {
        head.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    match header(AUTHORIZATION)
        .strip_prefix("Bearer ")
        .filter(|key| !key.is_empty())
    {
        None => problems.push(Problem::AuthorizationMissing),
        Some(key) if api_key.is_some_and(|wanted| wanted != key) => {
            problems.push(Problem::AuthorizationWrong);
        }
        Some(_) => {}
    }
    let content_type = header(CONTENT_TYPE);
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if head.method == Method::POST && !media_type.eq_ignore_ascii_case("application/json") {
        problems.push(Problem::ContentType {
            found: content_type.to_owned(),
        });
    }
    problems
}

/// Checks a body that could be read.
pub(super) fn body(endpoint: Endpoint, body: &Value, shared: &Shared) -> Vec<Problem> {
    let mut fields = Fields::of(body);
    match endpoint {
        Endpoint::Responses => responses::check(&mut fields, shared),
        Endpoint::ChatCompletions => chat::check(&mut fields, shared),
        Endpoint::Embeddings => embeddings::check(&mut fields),
        Endpoint::Models | Endpoint::Other => {}
    }
    fields.problems
}
