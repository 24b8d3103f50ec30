//! The seam between a script and a wire format.

use bytes::{Bytes, BytesMut};

use super::step::ErrorEvent;

/// The seconds since 1970 that every reply says it was created at, so that replies have the same bytes always.
pub(super) const CREATED: u64 = 1_790_000_000;

/// An item of a reply, before its content.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item<'a> {
    Reasoning,
    Text,
    Refusal,
    ToolCall { name: &'a str },
}

/// Renders one reply. Frames are appended to `out`; a reply that is not streamed discards them and takes
/// [`whole`](Self::whole) instead of [`finish`](Self::finish).
pub(super) trait Dialect: Send {
    /// What comes before the first step.
    fn begin(&mut self, out: &mut BytesMut);
    /// Goes on with an item of the same kind that is still open, else closes it and begins another.
    fn open(&mut self, item: Item<'_>, out: &mut BytesMut);
    /// Content of the open item: its text or its arguments.
    fn delta(&mut self, text: &str, out: &mut BytesMut);
    fn unknown_event(&mut self, name: &str, out: &mut BytesMut);
    fn error(&mut self, error: &ErrorEvent, out: &mut BytesMut);
    fn failed(&mut self, error: &ErrorEvent, out: &mut BytesMut);
    /// Closes the open item and ends the reply; `incomplete` is the reason when it is cut short.
    fn finish(&mut self, incomplete: Option<&str>, out: &mut BytesMut);
    /// The reply as one JSON text.
    fn whole(&mut self, incomplete: Option<&str>) -> Bytes;
}

/// An answer that no script writes: embeddings and models. Only the faults, holds and delays of a rule apply.
#[derive(Debug)]
pub(super) struct Fixed(pub(super) Bytes);

impl Dialect for Fixed {
    fn begin(&mut self, _: &mut BytesMut) {}
    fn open(&mut self, _: Item<'_>, _: &mut BytesMut) {}
    fn delta(&mut self, _: &str, _: &mut BytesMut) {}
    fn unknown_event(&mut self, _: &str, _: &mut BytesMut) {}
    fn error(&mut self, _: &ErrorEvent, _: &mut BytesMut) {}
    fn failed(&mut self, _: &ErrorEvent, _: &mut BytesMut) {}
    fn finish(&mut self, _: Option<&str>, _: &mut BytesMut) {}

    fn whole(&mut self, _: Option<&str>) -> Bytes {
        self.0.clone()
    }
}
