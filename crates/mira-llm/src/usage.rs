//! What a model call consumed.

use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// Tokens of one model call, or the sum over several.
///
/// `input` and `output` are totals; the other fields say which part of them was of a class with a price of its
/// own: `cached_input` and `cache_write` lie within `input`, `reasoning` lies within `output`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// All tokens read, cached ones included.
    pub input: u64,
    /// Input tokens served from the provider's prefix cache.
    pub cached_input: u64,
    /// Input tokens that the provider stored in its prefix cache and bills for that.
    pub cache_write: u64,
    /// All tokens written, reasoning included.
    pub output: u64,
    /// Output tokens spent on reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// Tokens read and written.
    pub const fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// Input tokens at the full price: neither read from the cache nor written to it.
    pub const fn full_price_input(&self) -> u64 {
        self.input
            .saturating_sub(self.cached_input)
            .saturating_sub(self.cache_write)
    }
}

impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cached_input: self.cached_input.saturating_add(other.cached_input),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            output: self.output.saturating_add(other.output),
            reasoning: self.reasoning.saturating_add(other.reasoning),
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Usage {
    fn sum<I: Iterator<Item = Self>>(usages: I) -> Self {
        usages.fold(Self::default(), Add::add)
    }
}
