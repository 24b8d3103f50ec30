//! Making text of models and servers harmless to a terminal.

/// Stands for a character that would make text look like something else than it is.
const REPLACEMENT: char = '\u{fffd}';

/// Removes what a terminal would act on, from a text that comes in parts.
///
/// Newlines and tabs stay. Escape sequences go as a whole, also where they are spread over parts; other control
/// characters go alone; characters that reorder their neighbours are replaced.
#[derive(Debug, Default)]
pub(crate) struct Cleaner {
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After an escape character.
    Escape,
    /// In a control sequence, up to its final character.
    Sequence,
    /// In a string for the terminal, such as a title, up to its terminator or the end of the line.
    String,
}

impl Cleaner {
    pub(crate) fn clean(&mut self, text: &str) -> String {
        text.chars().filter_map(|c| self.step(c)).collect()
    }

    fn step(&mut self, c: char) -> Option<char> {
        let (state, shown) = match (c, self.state) {
            ('\u{1b}', _) => (State::Escape, None),
            ('\u{9b}', _) => (State::Sequence, None),
            ('\n', _) => (State::Text, Some(c)),
            (_, State::Text) => (State::Text, visible(c)),
            (_, State::Escape) => match c {
                '[' => (State::Sequence, None),
                ']' | 'P' | 'X' | '^' | '_' => (State::String, None),
                ' '..='/' => (State::Escape, None),
                '0'..='~' => (State::Text, None),
                _ => (State::Text, visible(c)),
            },
            (_, State::Sequence) => match c {
                ' '..='?' => (State::Sequence, None),
                '@'..='~' => (State::Text, None),
                _ => (State::Text, visible(c)),
            },
            (_, State::String) => match c {
                '\u{7}' | '\u{9c}' => (State::Text, None),
                _ => (State::String, None),
            },
        };
        self.state = state;
        shown
    }
}

fn visible(c: char) -> Option<char> {
    match c {
        '\t' => Some(c),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Some(REPLACEMENT),
        c if c.is_control() => None,
        c => Some(c),
    }
}

/// Cleans a whole text.
pub(crate) fn clean(text: &str) -> String {
    Cleaner::default().clean(text)
}

/// Cleans a text that has to fit on one line.
pub(crate) fn clean_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_remains() {
        for (text, expected) in [
            ("plain\n\ttext – 日本 👩‍🔬", "plain\n\ttext – 日本 👩‍🔬"),
            ("red \u{1b}[1;31malert\u{1b}[0m!", "red alert!"),
            ("title \u{1b}]0;owned\u{7}done", "title done"),
            ("link \u{1b}]8;;http://x\u{1b}\\y", "link y"),
            ("open \u{1b}]0;never closed\nnext line", "open \nnext line"),
            ("c1 \u{9b}2Jx\u{85}\u{90}", "c1 x"),
            ("charset \u{1b}(B.", "charset ."),
            ("back\u{8}space\r\nbell\u{7}\u{0}\u{7f}", "backspace\nbell"),
            ("cut \u{1b}[31é", "cut é"),
            ("if admin\u{202e} // \u{2066}", "if admin\u{fffd} // \u{fffd}"),
        ] {
            assert_eq!(clean(text), expected, "{text:?}");
        }
    }

    #[test]
    fn sequences_may_be_spread_over_parts() {
        let mut cleaner = Cleaner::default();
        let parts = ["a\u{1b}", "[3", "1mb", "\u{1b}]0;t", "itle\u{1b}", "\\c"];
        let cleaned: String = parts.iter().map(|part| cleaner.clean(part)).collect();
        assert_eq!(cleaned, "abc");
    }

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(clean_line(" two\n lines\t\u{1b}[2J here "), "two lines here");
    }
}
