//! What was wrong with a request.

use super::endpoint::Endpoint;

/// A request that a provider would have refused, or that no rule answers. It got an error and is kept in
/// [`Upstream::violations`](super::Upstream::violations).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The number of the request, counted from 0 since the start of the upstream.
    pub request: usize,
    pub endpoint: Endpoint,
    pub problem: Problem,
}

/// What was wrong. Paths look like `input[2].role`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    #[error("no such route: {method} {path}")]
    Route { method: String, path: String },
    #[error("the authorization header with a bearer key is missing")]
    AuthorizationMissing,
    #[error("the bearer key is not the one of the script")]
    AuthorizationWrong,
    #[error("content-type is `{found}`, expected application/json")]
    ContentType { found: String },
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge { limit: usize },
    #[error("the body is not JSON: {reason}")]
    Json { reason: String },
    #[error("`{path}`: expected {expected}")]
    Field { path: String, expected: &'static str },
    #[error("the schema of `{name}` does not compile: {reason}")]
    Schema { name: String, reason: String },
    #[error("the strict schema of `{name}` is not strict at `{path}`: {rule}")]
    NotStrict {
        name: String,
        path: String,
        rule: &'static str,
    },
    #[error("`{path}`: unknown item type `{kind}`")]
    UnknownItem { path: String, kind: String },
    #[error("previous response `{id}` is not known")]
    UnknownPreviousResponse { id: String },
    #[error("call `{call_id}` is made twice")]
    DuplicateCall { call_id: String },
    #[error("the output for `{call_id}` answers no preceding call")]
    OrphanOutput { call_id: String },
    #[error("call `{call_id}` is answered twice")]
    DuplicateOutput { call_id: String },
    #[error("call `{call_id}` has no output before the conversation goes on")]
    UnansweredCall { call_id: String },
    #[error("reasoning item `{reasoning}` does not come back before the call `{call_id}` that followed it")]
    ReasoningMissing { call_id: String, reasoning: String },
    #[error("reasoning item `{reasoning}` does not come back verbatim")]
    ReasoningAltered { reasoning: String },
    #[error(
        "the assistant message with call `{call_id}` does not carry the reasoning_content it was sent with"
    )]
    ReasoningContent { call_id: String },
    #[error("response_format json_object needs the word json in a message")]
    JsonNotMentioned,
    #[error("no rule answers; the last user message is {last_user:?}; the rules are {rules}")]
    NoRule { last_user: String, rules: String },
}
