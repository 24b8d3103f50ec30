//! A reply as it streams: attempts, watchdogs, and the end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use tokio::time::{Instant, timeout};

use crate::Error;
use crate::chat::{Event, ReplyStream};
use crate::error::Phase;
use crate::failure::Failure;
use crate::sse::{self, Decoder};
use crate::transport::{self, Transport};

/// The most that a reply may hold, in bytes of text, reasoning and tool arguments.
const MAX_REPLY_BYTES: usize = 64 * 1024 * 1024;

/// Makes a reply out of the events of one wire format.
pub(crate) trait Assembly: Default + Send + 'static {
    /// Takes in one event and adds what a caller should see of it to `ready`; [`Event::Completed`] ends the stream.
    fn accept(&mut self, event: &sse::Event, ready: &mut VecDeque<Event>) -> Result<(), Failure>;

    /// Says what the end of the body amounts to, if no event has completed the reply.
    fn end(&mut self, ready: &mut VecDeque<Event>) -> Result<(), Failure>;

    /// Bytes of content so far; grows with every event that carries some.
    fn content(&self) -> usize;
}

/// Sends `body` and streams the reply.
pub(crate) fn stream<A: Assembly>(transport: Arc<Transport>, body: Bytes) -> ReplyStream {
    let run = Run::<A> {
        transport,
        body,
        failed: 0,
        content_delivered: false,
        state: State::Unsent,
    };
    Box::pin(stream::unfold(run, |mut run| async move {
        let item = run.next().await?;
        Some((item, run))
    }))
}

struct Run<A> {
    transport: Arc<Transport>,
    body: Bytes,
    failed: u32,
    content_delivered: bool,
    state: State<A>,
}

enum State<A> {
    Unsent,
    Pausing(Duration),
    Reading(Box<Reading<A>>),
    Ended,
}

/// One attempt whose answer has begun.
struct Reading<A> {
    response: Response,
    request_id: Option<String>,
    decoder: Decoder,
    assembly: A,
    ready: VecDeque<Event>,
    phase: Phase,
    /// Time spent waiting since the last content.
    without_content: Duration,
}

impl<A: Assembly> Run<A> {
    async fn next(&mut self) -> Option<Result<Event, Error>> {
        loop {
            let read = match &mut self.state {
                State::Ended => return None,
                State::Pausing(delay) => {
                    tokio::time::sleep(*delay).await;
                    self.state = State::Unsent;
                    continue;
                }
                State::Unsent => match open(&self.transport, self.body.clone()).await {
                    Ok(reading) => {
                        self.state = State::Reading(Box::new(reading));
                        continue;
                    }
                    Err(error) => Err(error),
                },
                State::Reading(reading) => reading.next(&self.transport).await,
            };
            return Some(match read {
                Ok(event) => Ok(self.deliver(event)),
                Err(error) => self.retry_or_end(error),
            });
        }
    }

    fn deliver(&mut self, mut event: Event) -> Event {
        match &mut event {
            Event::Reasoning(_) | Event::Text(_) => self.content_delivered = true,
            Event::Retrying { .. } => {}
            Event::Completed(reply) => {
                if reply.model.is_empty() {
                    reply.model.clone_from(&self.transport.origin.model);
                }
                self.state = State::Ended;
            }
        }
        event
    }

    fn retry_or_end(&mut self, error: Error) -> Result<Event, Error> {
        self.failed += 1;
        self.state = State::Ended;
        if self.content_delivered {
            return Err(error);
        }
        let Some(delay) = self.transport.wait_before_retry(self.failed, &error) else {
            return Err(error);
        };
        self.state = State::Pausing(delay);
        Ok(Event::Retrying {
            attempt: self.failed + 1,
            delay,
            error,
        })
    }
}

async fn open<A: Assembly>(transport: &Transport, body: Bytes) -> Result<Reading<A>, Error> {
    let limit = transport
        .timeouts
        .first_token
        .min(transport.timeouts.without_content);
    let started = Instant::now();
    let response = timeout(limit, transport.send(body, "text/event-stream"))
        .await
        .map_err(|_elapsed| transport.error(Failure::stalled(Phase::FirstToken, limit), None))??;
    if is_document(&response) {
        return Err(transport.refusal(response).await);
    }
    Ok(Reading {
        request_id: transport::request_id(&response),
        response,
        decoder: Decoder::default(),
        assembly: A::default(),
        ready: VecDeque::new(),
        phase: Phase::FirstToken,
        without_content: started.elapsed(),
    })
}

/// Whether a 2xx answer is certainly no event stream. Some servers label their streams as plain text or not at
/// all, but an error object or a proxy's page says what it is.
fn is_document(response: &Response) -> bool {
    let kind = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    ["application/json", "text/html"]
        .iter()
        .any(|document| kind.starts_with(document))
}

impl<A: Assembly> Reading<A> {
    async fn next(&mut self, transport: &Transport) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            self.advance(transport)
                .await
                .map_err(|failure| transport.error(failure, self.request_id.as_deref()))?;
        }
    }

    /// Takes in one server-sent event, or one chunk of the body if no whole event is at hand.
    async fn advance(&mut self, transport: &Transport) -> Result<(), Failure> {
        if let Some(event) = self
            .decoder
            .next()
            .map_err(|error| Failure::malformed(error.to_string()))?
        {
            let before = self.assembly.content();
            self.assembly.accept(&event, &mut self.ready)?;
            let content = self.assembly.content();
            if content > MAX_REPLY_BYTES {
                return Err(Failure::malformed(format!(
                    "the reply is longer than {MAX_REPLY_BYTES} bytes"
                )));
            }
            if content > before {
                self.phase = Phase::BetweenChunks;
                self.without_content = Duration::ZERO;
            }
            return Ok(());
        }
        match self.chunk(transport).await? {
            Some(chunk) => self.decoder.push(chunk),
            None => self.assembly.end(&mut self.ready)?,
        }
        Ok(())
    }

    /// The next piece of the body. The clocks run only while the caller waits here, so that a slow caller does not
    /// make the upstream look slow.
    async fn chunk(&mut self, transport: &Transport) -> Result<Option<Bytes>, Failure> {
        let silence = match self.phase {
            Phase::FirstToken => transport.timeouts.first_token,
            Phase::BetweenChunks => transport.timeouts.between_chunks,
        };
        let keepalives = transport.timeouts.without_content;
        let left = keepalives.saturating_sub(self.without_content);
        let started = Instant::now();
        let chunk = timeout(silence.min(left), self.response.chunk())
            .await
            .map_err(|_elapsed| {
                Failure::stalled(self.phase, if left < silence { keepalives } else { silence })
            })?;
        self.without_content += started.elapsed();
        chunk.map_err(Failure::transport)
    }
}
