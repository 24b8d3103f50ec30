//! A tokenizer and the network behind it.

use tokenizers::Tokenizer;

use super::bert::{Bert, Pooling};
use crate::failure::Failure;

/// No more of a text is looked at than this for each token that the model reads. Words of languages have far fewer
/// bytes; without the limit a huge text would be tokenised to its end for a vector of its beginning.
const MAX_BYTES_PER_TOKEN: usize = 64;

pub(super) struct Model {
    /// Cuts texts off at `max_tokens` and pads nothing.
    pub(super) tokenizer: Tokenizer,
    pub(super) bert: Bert,
    pub(super) pooling: Pooling,
    pub(super) max_tokens: usize,
    pub(super) vocabulary: usize,
}

impl Model {
    /// The part of a text that can matter.
    pub(super) fn head<'a>(&self, text: &'a str) -> &'a str {
        &text[..text.floor_char_boundary(self.max_tokens.saturating_mul(MAX_BYTES_PER_TOKEN))]
    }

    pub(super) fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, Failure> {
        let tokens = texts
            .iter()
            .map(|text| self.tokens(text))
            .collect::<Result<Vec<_>, _>>()?;
        let vectors = self.bert.embed(&tokens, self.pooling);
        if vectors.iter().flatten().any(|number| !number.is_finite()) {
            return Err(Failure::malformed("a vector with numbers that are not finite"));
        }
        Ok(vectors)
    }

    fn tokens(&self, text: &str) -> Result<Vec<u32>, Failure> {
        let encoding = self
            .tokenizer
            .encode_fast(text, true)
            .map_err(|error| Failure::invalid_request(format!("a text cannot be tokenised: {error}")))?;
        let tokens = encoding.get_ids().to_vec();
        let known = |token: &u32| usize::try_from(*token).is_ok_and(|token| token < self.vocabulary);
        if tokens.is_empty() || tokens.len() > self.max_tokens || !tokens.iter().all(known) {
            return Err(Failure::invalid_request(
                "the tokenizer makes tokens of a text that the model cannot read",
            ));
        }
        Ok(tokens)
    }
}
