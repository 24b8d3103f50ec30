//! Regular expressions that are part of the program.

use regex::{Regex, RegexSet};

/// A fixed expression, to be kept in a `LazyLock`.
#[expect(
    clippy::expect_used,
    reason = "a fixed expression is valid or fails the first test that uses it"
)]
pub(crate) fn fixed(expression: &str) -> Regex {
    Regex::new(expression).expect("a fixed expression is valid")
}

/// Like [`fixed`], for several that are looked for at once.
#[expect(
    clippy::expect_used,
    reason = "a fixed expression is valid or fails the first test that uses it"
)]
pub(crate) fn fixed_set<'a>(expressions: impl IntoIterator<Item = &'a str>) -> RegexSet {
    RegexSet::new(expressions).expect("fixed expressions are valid")
}
