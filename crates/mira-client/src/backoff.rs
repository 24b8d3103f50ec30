//! How long to wait before connecting again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);

/// Doubling waits, so that a server that comes back is not met by all of its clients at once.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    attempt: u32,
}

impl Backoff {
    /// The number of the attempt that comes, counted from 1, and the wait before it.
    pub(crate) fn next(&mut self) -> (u32, Duration) {
        let full = FIRST
            .saturating_mul(2_u32.saturating_pow(self.attempt))
            .min(LONGEST);
        self.attempt = self.attempt.saturating_add(1);
        (self.attempt, full.mul_f64(0.5 + fastrand::f64() / 2.0))
    }

    pub(crate) fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_with_jitter_up_to_a_limit() {
        let mut backoff = Backoff::default();
        for (number, full) in [250, 500, 1000, 2000, 4000, 8000, 15000, 15000]
            .into_iter()
            .enumerate()
        {
            let (attempt, wait) = backoff.next();
            assert_eq!(attempt as usize, number + 1);
            let full = Duration::from_millis(full);
            assert!(full / 2 <= wait && wait <= full, "{wait:?} of {full:?}");
        }
        backoff.reset();
        assert_eq!(backoff.next().0, 1);
    }
}
