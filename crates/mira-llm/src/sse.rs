//! Server-sent events out of bytes that arrive in whatever pieces the network makes of them.

use bytes::{Buf as _, Bytes};

/// The longest event, counted over its lines. The last event of a reply repeats the whole reply, encrypted
/// reasoning and the request's tools included.
const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// The `event` field; empty if there was none.
    pub(crate) name: String,
    /// The `data` fields, joined by line feeds.
    pub(crate) data: String,
}

/// Why bytes are not an event stream. Nothing can be read after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("an event is longer than {MAX_EVENT_BYTES} bytes")]
    TooLong,
    #[error("an event is not valid UTF-8")]
    NotUtf8,
}

/// An incremental decoder of `text/event-stream`.
///
/// Lines end with CRLF, LF or CR; comments and unknown fields are skipped; an event without data is none; an event
/// that the end of the stream cuts off is lost, as the standard wants it.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// Bytes not looked at yet.
    input: Bytes,
    /// The line that the bytes so far left unfinished.
    line: Vec<u8>,
    /// The last byte was a CR, so that a following LF belongs to it.
    after_cr: bool,
    /// The first line has been seen, so that no byte order mark can follow.
    started: bool,
    name: Vec<u8>,
    data: Option<Vec<u8>>,
}

impl Decoder {
    /// Gives the decoder the next bytes. Take all events of the previous ones with [`Self::next`] first.
    pub(crate) fn push(&mut self, bytes: Bytes) {
        debug_assert!(
            self.input.is_empty(),
            "events of the previous chunk were not taken"
        );
        self.input = bytes;
    }

    /// The next event, or `None` if the bytes so far hold no further whole one.
    pub(crate) fn next(&mut self) -> Result<Option<Event>, Error> {
        while !self.input.is_empty() {
            if std::mem::take(&mut self.after_cr) && self.input[0] == b'\n' {
                self.input.advance(1);
                continue;
            }
            let end = self.input.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let rest = self.input.split_off(end.unwrap_or(self.input.len()));
            let piece = std::mem::replace(&mut self.input, rest);
            let held = self.line.len() + self.data.as_ref().map_or(0, Vec::len);
            if held + piece.len() > MAX_EVENT_BYTES {
                return Err(Error::TooLong);
            }
            if end.is_none() {
                self.line.extend_from_slice(&piece);
                return Ok(None);
            }
            self.after_cr = self.input[0] == b'\r';
            self.input.advance(1);
            let event = if self.line.is_empty() {
                self.take_line(&piece)?
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(&piece);
                self.take_line(&line)?
            };
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    fn take_line(&mut self, mut line: &[u8]) -> Result<Option<Event>, Error> {
        if !std::mem::replace(&mut self.started, true) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            let name = std::mem::take(&mut self.name);
            let Some(data) = self.data.take() else {
                return Ok(None);
            };
            let text = |bytes| String::from_utf8(bytes).map_err(|_| Error::NotUtf8);
            return Ok(Some(Event {
                name: text(name)?,
                data: text(data)?,
            }));
        }
        let colon = line.iter().position(|&byte| byte == b':');
        let (field, value) = match colon {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &line[line.len()..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            },
            b"event" => self.name = value.to_vec(),
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(name: &str, data: &str) -> Event {
        Event {
            name: name.to_owned(),
            data: data.to_owned(),
        }
    }

    /// The events of `bytes` cut at the given places.
    fn decode(bytes: &[u8], cuts: &[usize]) -> Result<Vec<Event>, Error> {
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        let mut start = 0;
        for end in cuts.iter().copied().chain([bytes.len()]) {
            decoder.push(Bytes::copy_from_slice(&bytes[start..end]));
            while let Some(event) = decoder.next()? {
                events.push(event);
            }
            start = end;
        }
        Ok(events)
    }

    fn check(bytes: &[u8], expected: Result<&[(&str, &str)], Error>) {
        let expected = expected.map(|events| {
            events
                .iter()
                .map(|(name, data)| event(name, data))
                .collect::<Vec<_>>()
        });
        assert_eq!(
            decode(bytes, &[]),
            expected,
            "{:?}",
            String::from_utf8_lossy(bytes)
        );
    }

    #[test]
    fn events_are_decoded_as_the_standard_says() {
        check(b"data: a\n\n", Ok(&[("", "a")]));
        check(b"event: x\ndata: a\n\ndata: b\n\n", Ok(&[("x", "a"), ("", "b")]));
        check(b"data: a\r\ndata: b\r\n\r\n", Ok(&[("", "a\nb")]));
        check(b"data: a\rdata: b\r\r", Ok(&[("", "a\nb")]));
        check(b": comment\n\n:\n\ndata:a\n\n", Ok(&[("", "a")]));
        check(b"data\n\n", Ok(&[("", "")]));
        check(b"data:  two spaces\n\n", Ok(&[("", " two spaces")]));
        check(b"\xef\xbb\xbfdata: a\n\n", Ok(&[("", "a")]));
        check(b"id: 7\nretry: 10\nnonsense\ndata: a\n\n", Ok(&[("", "a")]));
        check(b"event: only a name\n\ndata: a\n\n", Ok(&[("", "a")]));
        check(b"data: [DONE]\n\n", Ok(&[("", "[DONE]")]));
        check(b"data: cut off\n", Ok(&[]));
        check(b"data: caf\xc3\xa9 \xf0\x9f\xa6\x80\n\n", Ok(&[("", "café 🦀")]));
        check(b"data: \xff\n\n", Err(Error::NotUtf8));
        check(b": \xff is nobody's business in a comment\n\n", Ok(&[]));
    }

    #[test]
    fn an_event_without_end_is_refused_in_one_line_and_over_many() {
        let mut decoder = Decoder::default();
        let one_line = Bytes::from(vec![b'a'; MAX_EVENT_BYTES]);
        decoder.push(one_line);
        assert_eq!(decoder.next(), Ok(None));
        decoder.push(Bytes::from_static(b"a"));
        assert_eq!(decoder.next(), Err(Error::TooLong));

        let mut decoder = Decoder::default();
        let mut line = b"data: ".to_vec();
        line.resize(1024 * 1024, b'a');
        line.push(b'\n');
        let refused = (0..20).find_map(|_| {
            decoder.push(Bytes::from(line.clone()));
            decoder.next().err()
        });
        assert_eq!(refused, Some(Error::TooLong));
    }

    proptest! {
        #[test]
        fn any_chunking_of_a_stream_yields_the_same_events(
            lines in prop::collection::vec(
                (prop::sample::select(vec!["data: ", "data:", "event: ", ": ", "id:", "", "", "\u{feff}data: "]),
                 "[a-zé🦀: ]{0,6}",
                 prop::sample::select(vec!["\n", "\r\n", "\r"])),
                0..24),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        ) {
            let stream: String = lines
                .iter()
                .map(|(field, value, end)| if field.is_empty() { (*end).to_owned() } else { format!("{field}{value}{end}") })
                .collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.sort_unstable();
            prop_assert_eq!(decode(stream.as_bytes(), &cuts), decode(stream.as_bytes(), &[]));
            let every_byte: Vec<usize> = (0..stream.len()).collect();
            prop_assert_eq!(decode(stream.as_bytes(), &every_byte), decode(stream.as_bytes(), &[]));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decode(&bytes, &[]).is_ok_and(|events| events.len() < 200) || decode(&bytes, &[]).is_err());
        }
    }
}
