//! The body of a response, which knows whether the client stayed to its end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use super::record::Outcome;
use super::shared::Shared;

/// The reply ends by dropping the connection.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut as the script says")]
pub(super) struct Cut;

/// Settles the outcome of one request: the client has left unless [`finish`](Self::finish) came first.
#[derive(Debug)]
pub(super) struct Ticket {
    shared: Arc<Shared>,
    request: usize,
    outcome: Outcome,
}

impl Ticket {
    pub(super) fn new(shared: Arc<Shared>, request: usize) -> Self {
        Self {
            shared,
            request,
            outcome: Outcome::ClientGone,
        }
    }

    pub(super) fn finish(&mut self) {
        self.outcome = Outcome::Finished;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.shared.set_outcome(self.request, self.outcome);
    }
}

#[derive(Debug)]
pub(super) struct ReplyBody {
    content: Content,
    ticket: Ticket,
}

#[derive(Debug)]
enum Content {
    Whole(Bytes),
    Stream(mpsc::Receiver<Result<Bytes, Cut>>),
    /// The error comes one poll late, so that hyper sends what it has buffered before it drops the connection.
    Cutting,
    Ended,
}

impl ReplyBody {
    pub(super) fn whole(bytes: Bytes, ticket: Ticket) -> Self {
        Self {
            content: Content::Whole(bytes),
            ticket,
        }
    }

    pub(super) fn stream(chunks: mpsc::Receiver<Result<Bytes, Cut>>, ticket: Ticket) -> Self {
        Self {
            content: Content::Stream(chunks),
            ticket,
        }
    }

    /// The number of the request that this answers.
    pub(super) fn request(&self) -> usize {
        self.ticket.request
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = &mut *self;
        match &mut this.content {
            Content::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                this.content = Content::Ended;
                this.ticket.finish();
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Content::Stream(chunks) => match ready!(chunks.poll_recv(context)) {
                Some(Ok(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Err(Cut)) => {
                    this.content = Content::Cutting;
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                None => {
                    this.content = Content::Ended;
                    this.ticket.finish();
                    Poll::Ready(None)
                }
            },
            Content::Cutting => {
                this.content = Content::Ended;
                this.ticket.finish();
                Poll::Ready(Some(Err(Cut)))
            }
            Content::Ended => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.content, Content::Ended)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Stream(_) | Content::Cutting => SizeHint::default(),
            Content::Ended => SizeHint::with_exact(0),
        }
    }
}
