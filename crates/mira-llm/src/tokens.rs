//! Counting tokens without asking anybody.

use std::sync::OnceLock;

use tiktoken_rs::CoreBPE;

/// Text is tokenised in segments of at most this many bytes. That bounds what a run without a place to split can
/// cost, such as a long line without spaces, and lets truncation look closely at one segment only.
const SEGMENT_BYTES: usize = 2048;
/// Texts are counted exactly up to about this many bytes. What follows is taken to have as many tokens per byte as
/// that beginning, so that a huge text costs no more than a large one.
const EXACT_BYTES: usize = 256 * 1024;

/// Counts tokens the way a model does.
///
/// The counts are those of OpenAI's tokenisers; for models of other makers they are estimates, usually within a few
/// percent for English and code. Counts of texts beyond 256 KiB are extrapolated. The first use of an encoding
/// loads its tables, which takes a fraction of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    encoding: Encoding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// GPT-4o and everything after it.
    O200k,
    /// GPT-3.5, GPT-4 and the embedding models.
    Cl100k,
}

/// The counter for a model; one that is not known is counted like OpenAI's current ones.
pub fn counter_for(model: &str) -> Counter {
    let older = model.starts_with("text-embedding-")
        || model.starts_with("gpt-3.5")
        || model == "gpt-4"
        || model.starts_with("gpt-4-");
    Counter {
        encoding: if older { Encoding::Cl100k } else { Encoding::O200k },
    }
}

/// A guess at the number of tokens from the characters alone: a quarter of the ASCII ones and all others. Cheap,
/// about right for English and code, too high for most other scripts.
pub fn estimate(text: &str) -> usize {
    let others = text.chars().filter(|c| !c.is_ascii()).count();
    let ascii = text.bytes().filter(u8::is_ascii).count();
    ascii.div_ceil(4) + others
}

impl Counter {
    /// The number of tokens in `text`.
    pub fn count(&self, text: &str) -> usize {
        let mut tokens = 0;
        let mut bytes = 0;
        for segment in Segments(text) {
            if bytes >= EXACT_BYTES {
                return tokens + scaled(text.len() - bytes, tokens, bytes);
            }
            tokens += self.count_segment(segment);
            bytes += segment.len();
        }
        tokens
    }

    /// The longest beginning of `text` found to have at most `max` tokens, and whether that is less than all of it.
    /// Characters are kept whole.
    pub fn truncate<'a>(&self, text: &'a str, max: usize) -> (&'a str, bool) {
        let mut tokens = 0;
        let mut bytes = 0;
        for segment in Segments(text) {
            if bytes >= EXACT_BYTES {
                let rest = text.len() - bytes;
                if tokens + scaled(rest, tokens, bytes) <= max {
                    return (text, false);
                }
                // Rounded down, so that the count of what is kept, which is rounded up, stays within the limit.
                let room = (max - tokens).saturating_mul(bytes) / tokens.max(1);
                // A shorter piece would be counted together with the segment before it.
                let room = if room < SEGMENT_BYTES { 0 } else { room };
                return (&text[..text.floor_char_boundary(bytes + room)], true);
            }
            let count = self.count_segment(segment);
            if tokens + count > max {
                let end = bytes + self.fitting(segment, max - tokens);
                return (&text[..end], true);
            }
            tokens += count;
            bytes += segment.len();
        }
        (text, false)
    }

    /// The length of a beginning of `segment` that has at most `max` tokens: the longest, but for the rare case
    /// that a longer one has fewer tokens.
    fn fitting(self, segment: &str, max: usize) -> usize {
        let ends: Vec<usize> = segment.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
        let fitting = ends.partition_point(|&end| self.count_segment(&segment[..end]) <= max);
        fitting.checked_sub(1).map_or(0, |last| ends[last])
    }

    fn count_segment(self, segment: &str) -> usize {
        self.encoding
            .table()
            .map_or_else(|| estimate(segment), |table| table.count_ordinary(segment))
    }
}

impl Encoding {
    /// The tables, loaded once. They are compiled in, so that a failure would be a defect of the tokeniser; counts
    /// are then estimates rather than a crash.
    fn table(self) -> Option<&'static CoreBPE> {
        static O200K: OnceLock<Option<CoreBPE>> = OnceLock::new();
        static CL100K: OnceLock<Option<CoreBPE>> = OnceLock::new();
        match self {
            Self::O200k => O200K.get_or_init(|| tiktoken_rs::o200k_base().ok()).as_ref(),
            Self::Cl100k => CL100K.get_or_init(|| tiktoken_rs::cl100k_base().ok()).as_ref(),
        }
    }
}

/// `bytes` at the rate of `tokens` in `of` bytes, rounded up.
fn scaled(bytes: usize, tokens: usize, of: usize) -> usize {
    bytes.saturating_mul(tokens).div_ceil(of.max(1))
}

/// Cuts a text into pieces of at most [`SEGMENT_BYTES`], before the last white space of a piece where it has any:
/// tokens seldom reach across that. The pieces of a beginning are those of the whole text, but for its last.
struct Segments<'a>(&'a str);

impl<'a> Iterator for Segments<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let mut end = self.0.floor_char_boundary(SEGMENT_BYTES);
        if end < self.0.len() {
            end = self.0[..end]
                .rfind(char::is_whitespace)
                .filter(|&at| at > 0)
                .unwrap_or(end);
        }
        let (segment, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(segment)
    }
}
