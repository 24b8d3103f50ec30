//! What was asked, and what became of the reply.

use std::collections::VecDeque;

use serde_json::Value;

use super::endpoint::Endpoint;

/// Oldest requests are forgotten when the bodies of all together exceed this.
const BYTES_KEPT: usize = 32 * 1024 * 1024;
/// What a request counts for besides its body.
const BYTES_PER_REQUEST: usize = 1024;

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    pub endpoint: Endpoint,
    pub path: String,
    /// Names in lower case, in the order of arrival; the values of headers that carry keys read `[redacted]`.
    pub headers: Vec<(String, String)>,
    /// `Null` without a body; a string when the body is not JSON.
    pub body: Value,
    /// The rule that answered, as an index into the script of that time; `None` for a violation, and for
    /// embeddings and models without a rule.
    pub rule: Option<usize>,
    pub outcome: Outcome,
}

impl Recorded {
    /// The first value of the header, whose name is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What became of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    InProgress,
    /// The client was sent everything that the script says, a deliberate cut included.
    Finished,
    /// The client dropped the connection before the end.
    ClientGone,
}

/// The newest requests, numbered from 0 since the start.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<(Recorded, usize)>,
    forgotten: usize,
    bytes: usize,
}

impl Log {
    /// Returns the number of the request.
    pub(super) fn push(&mut self, request: Recorded, body_bytes: usize) -> usize {
        let bytes = body_bytes + BYTES_PER_REQUEST;
        self.entries.push_back((request, bytes));
        self.bytes += bytes;
        while self.bytes > BYTES_KEPT && self.entries.len() > 1 {
            if let Some((_, bytes)) = self.entries.pop_front() {
                self.bytes -= bytes;
                self.forgotten += 1;
            }
        }
        self.count() - 1
    }

    pub(super) fn count(&self) -> usize {
        self.forgotten + self.entries.len()
    }

    /// `None` for a request that is forgotten or yet to come.
    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut Recorded> {
        let index = number.checked_sub(self.forgotten)?;
        self.entries.get_mut(index).map(|(request, _)| request)
    }

    pub(super) fn to_vec(&self) -> Vec<Recorded> {
        self.entries.iter().map(|(request, _)| request.clone()).collect()
    }
}
