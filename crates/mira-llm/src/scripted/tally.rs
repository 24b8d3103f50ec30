//! The tokens a reply reports.

use super::script::TokenUsage;

const BYTES_PER_TOKEN: u64 = 4;

/// Counts what went in and out, for replies whose rule gives no usage.
#[derive(Debug)]
pub(super) struct Tally {
    scripted: Option<TokenUsage>,
    input_bytes: u64,
    reasoning_bytes: u64,
    answer_bytes: u64,
}

impl Tally {
    pub(super) fn new(scripted: Option<TokenUsage>, input_bytes: usize) -> Self {
        Self {
            scripted,
            input_bytes: input_bytes as u64,
            reasoning_bytes: 0,
            answer_bytes: 0,
        }
    }

    pub(super) fn add_reasoning(&mut self, text: &str) {
        self.reasoning_bytes += text.len() as u64;
    }

    pub(super) fn add_answer(&mut self, text: &str) {
        self.answer_bytes += text.len() as u64;
    }

    pub(super) fn usage(&self) -> TokenUsage {
        self.scripted.unwrap_or_else(|| {
            let reasoning = self.reasoning_bytes.div_ceil(BYTES_PER_TOKEN);
            TokenUsage {
                input: self.input_bytes.div_ceil(BYTES_PER_TOKEN),
                cached_input: 0,
                output: reasoning + self.answer_bytes.div_ceil(BYTES_PER_TOKEN),
                reasoning,
            }
        })
    }
}
