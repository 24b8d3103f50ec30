//! The reply to one request: which rule in which dialect, streamed or whole.

use std::sync::Arc;

use hyper::{Response, StatusCode};
use serde_json::Value;
use tokio::sync::mpsc;

use super::body::{Cut, ReplyBody, Ticket};
use super::chat::ChatReply;
use super::dialect::{Dialect, Fixed};
use super::embedding;
use super::endpoint::Endpoint;
use super::envelope::{EVENT_STREAM, ErrorObject, respond, respond_http_fault, respond_json};
use super::facts::Facts;
use super::models;
use super::play::{Ending, Out, play};
use super::responses::ResponsesReply;
use super::script::Rule;
use super::shared::Shared;
use super::step::{Action, ErrorEvent, Fault};
use super::tally::Tally;

/// Chunks of a stream that wait for a slow client; each has about [`BATCH`](super::play::BATCH) bytes.
const CHUNKS_IN_FLIGHT: usize = 4;

pub(super) struct Plan {
    pub(super) rule_index: Option<usize>,
    rule: Arc<Rule>,
    dialect: Box<dyn Dialect>,
    stream: bool,
}

impl Plan {
    /// Takes a use of the rule that answers. `None` for a conversation without one.
    pub(super) fn new(
        endpoint: Endpoint,
        body: &Value,
        facts: &Facts<'_>,
        shared: &Arc<Shared>,
    ) -> Option<Self> {
        let rule = shared.take_rule(endpoint, facts);
        let tally = |rule: &Rule| Tally::new(rule.usage, facts.text_bytes());
        let dialect: Box<dyn Dialect> = match (endpoint, &rule) {
            (Endpoint::Responses, Some((_, rule))) => {
                Box::new(ResponsesReply::new(body, tally(rule), shared))
            }
            (Endpoint::ChatCompletions, Some((_, rule))) => {
                Box::new(ChatReply::new(body, tally(rule), shared))
            }
            (Endpoint::Embeddings, _) => Box::new(Fixed(embedding::answer(body))),
            (Endpoint::Models, _) => Box::new(Fixed(models::answer(&shared.models()))),
            (Endpoint::Responses | Endpoint::ChatCompletions, None) | (Endpoint::Other, _) => return None,
        };
        let (rule_index, rule) = rule.unzip();
        let rule = rule.unwrap_or_default();
        let stream = endpoint.is_conversation() && body["stream"] == true;
        Some(Self {
            rule_index,
            rule,
            dialect,
            stream,
        })
    }
}

/// Replies. A reply that is not streamed is played to its end before the response begins; dropping the future
/// means that the client is gone.
pub(super) async fn send(
    plan: Plan,
    mut ticket: Ticket,
    shared: &Arc<Shared>,
) -> Result<Response<ReplyBody>, Cut> {
    let first = plan.rule.steps.first().map(|step| &step.action);
    let has_head = !matches!(first, Some(Action::Fault(Fault::Http(_) | Fault::Cut)));
    if plan.stream && has_head {
        let (sender, chunks) = mpsc::channel(CHUNKS_IN_FLIGHT);
        shared
            .tasks
            .spawn(stream(plan, Out::to(sender), Arc::clone(shared)));
        return Ok(respond(
            StatusCode::OK,
            EVENT_STREAM,
            ReplyBody::stream(chunks, ticket),
        ));
    }

    let Plan {
        rule, mut dialect, ..
    } = plan;
    let incomplete = match play(&rule, &mut *dialect, &mut Out::nowhere(), shared).await {
        Ending::Complete => None,
        Ending::Incomplete(reason) => Some(reason),
        Ending::Http(fault) => return Ok(respond_http_fault(&fault, ticket)),
        Ending::Error(error) | Ending::Failed(error) => return Ok(respond_error(&error, ticket)),
        Ending::Cut | Ending::NoTerminalEvent | Ending::ClientGone => {
            ticket.finish();
            return Err(Cut);
        }
    };
    Ok(respond_json(
        StatusCode::OK,
        dialect.whole(incomplete.as_deref()),
        ticket,
    ))
}

fn respond_error(error: &ErrorEvent, ticket: Ticket) -> Response<ReplyBody> {
    let body = ErrorObject::of_event(error).into_json();
    respond_json(StatusCode::INTERNAL_SERVER_ERROR, body, ticket)
}

async fn stream(plan: Plan, mut out: Out, shared: Arc<Shared>) {
    let Plan {
        rule, mut dialect, ..
    } = plan;
    dialect.begin(&mut out.buffer);
    match play(&rule, &mut *dialect, &mut out, &shared).await {
        Ending::Complete => dialect.finish(None, &mut out.buffer),
        Ending::Incomplete(reason) => dialect.finish(Some(&reason), &mut out.buffer),
        Ending::Http(fault) => dialect.error(&fault.as_event(), &mut out.buffer),
        Ending::Error(error) => dialect.error(&error, &mut out.buffer),
        Ending::Failed(error) => dialect.failed(&error, &mut out.buffer),
        Ending::Cut => return out.cut().await,
        Ending::NoTerminalEvent => {}
        Ending::ClientGone => return,
    }
    // Whether the client took the last bytes is for the body to say.
    out.flush().await.unwrap_or_default();
}
