//! What is shown while nothing else is.

use std::time::Duration;

const FRAMES: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

const FRAME_TIME: Duration = Duration::from_millis(100);

/// The spinner's line, never longer than `columns`.
pub(crate) fn line(label: &str, elapsed: Duration, columns: usize) -> String {
    let turn = elapsed.as_millis() / FRAME_TIME.as_millis();
    let frame = FRAMES[usize::try_from(turn).unwrap_or(0) % FRAMES.len()];
    let seconds = seconds(elapsed);
    // The frame, two spaces, and one column that stays free so that no terminal wraps.
    let room = columns.saturating_sub(seconds.chars().count() + 4);
    format!("{frame} {} {seconds}", shortened(label, room))
}

/// A time to read: `8 s`, `2 min 5 s`.
pub(crate) fn seconds(elapsed: Duration) -> String {
    match elapsed.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// The text, with its end cut off when it has more characters than there is room.
pub(crate) fn shortened(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(room.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_and_how_long() {
        for (label, milliseconds, columns, expected) in [
            ("thinking", 0, 80, "⠋ thinking 0 s"),
            ("thinking", 1250, 80, "⠹ thinking 1 s"),
            (
                "deepseek is writing src/lib.rs",
                125_000,
                80,
                "⠋ deepseek is writing src/lib.rs 2 min 5 s",
            ),
            ("a label that is too long", 3000, 20, "⠋ a label that… 3 s"),
            ("x", 3000, 0, "⠋ … 3 s"),
        ] {
            assert_eq!(
                line(label, Duration::from_millis(milliseconds), columns),
                expected
            );
        }
    }
}
