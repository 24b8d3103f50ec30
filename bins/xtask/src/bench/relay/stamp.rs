//! Times written into text, so that whoever reads it knows how long it was on its way.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// What times count from: one process writes and reads them.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

const MARK: char = '@';
const DIGITS: usize = 16;

/// The time as a word.
pub(crate) fn now() -> String {
    format!("{MARK}{:0DIGITS$} ", START.elapsed().as_nanos())
}

/// How old the stamps in a text are, in order.
pub(crate) fn ages(text: &str) -> impl Iterator<Item = Duration> {
    let now = START.elapsed();
    text.split(MARK)
        .skip(1)
        .filter_map(|rest| rest.get(..DIGITS)?.parse().ok())
        .map(move |nanos| now.saturating_sub(Duration::from_nanos(nanos)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn stamps_are_found_in_any_envelope() {
        let text = format!(r#"{{"mail":"a@b.c","delta":"{}{}"}}"#, super::now(), super::now());
        assert_eq!(super::ages(&text).count(), 2);
    }
}
