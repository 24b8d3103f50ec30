//! Writing to the terminal, or to whatever stands in its place.

use std::io::{self, IsTerminal as _, Write};
use std::time::{Duration, Instant};

use crate::clean::{Cleaner, clean, clean_line};
use crate::spinner;

/// Nothing visible happens for this long before the spinner shows.
const QUIET: Duration = Duration::from_secs(1);

/// Columns of a terminal that does not tell.
const DEFAULT_COLUMNS: u16 = 80;

const CLEAR_LINE: &str = "\r\u{1b}[2K";

/// Makes room for a line below and remembers the place: down one line, which scrolls at the bottom, up again, save,
/// down, to the left.
const OPEN_BELOW: &str = "\u{1b}D\u{1b}[A\u{1b}7\u{1b}[B\r";

const BACK: &str = "\u{1b}8";

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
}

impl Tone {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Dim => Some("2"),
            Self::Red => Some("31"),
            Self::Green => Some("32"),
            Self::Yellow => Some("33"),
            Self::Cyan => Some("36"),
        }
    }
}

/// The terminal, or the pipes in its place: then there are no colours and no spinner, and what is not an answer goes to
/// the standard error.
pub(crate) struct Screen {
    out: Box<dyn Write + Send>,
    surface: Surface,
    cleaner: Cleaner,
    at_line_start: bool,
    last_visible: Instant,
    activity: Option<Activity>,
    spinner: Spinner,
}

/// What is written to.
enum Surface {
    Terminal { colours: bool },
    Pipes { notes: Box<dyn Write + Send> },
}

/// What goes on while nothing is shown.
struct Activity {
    label: String,
    since: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spinner {
    Hidden,
    /// On the line that text will come to.
    InPlace,
    /// Below a line that is not complete.
    Below,
}

impl Screen {
    /// The screen on the process's own streams.
    pub(crate) fn of_process() -> Self {
        let surface = if io::stdout().is_terminal() {
            let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                && std::env::var_os("TERM").is_none_or(|value| value != "dumb");
            Surface::Terminal { colours }
        } else {
            Surface::Pipes {
                notes: Box::new(io::stderr()),
            }
        };
        Self::new(Box::new(io::stdout()), surface)
    }

    fn new(out: Box<dyn Write + Send>, surface: Surface) -> Self {
        Self {
            out,
            surface,
            cleaner: Cleaner::default(),
            at_line_start: true,
            last_visible: Instant::now(),
            activity: None,
            spinner: Spinner::Hidden,
        }
    }

    /// Whether somebody is looking.
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self.surface, Surface::Terminal { .. })
    }

    /// Whether colours are wanted.
    pub(crate) fn has_colours(&self) -> bool {
        matches!(self.surface, Surface::Terminal { colours: true })
    }

    /// Continues a text that streams in.
    pub(crate) fn text(&mut self, tone: Tone, text: &str) -> io::Result<()> {
        let text = self.cleaner.clean(text);
        if text.is_empty() {
            return Ok(());
        }
        self.hide_spinner()?;
        self.at_line_start = text.ends_with('\n');
        let painted = self.painted(tone, &text);
        self.out.write_all(painted.as_bytes())?;
        self.out.flush()?;
        self.last_visible = Instant::now();
        Ok(())
    }

    /// Ends a streamed text, so that what follows begins on a line of its own.
    pub(crate) fn end_text(&mut self) -> io::Result<()> {
        self.cleaner = Cleaner::default();
        self.hide_spinner()?;
        if !self.at_line_start {
            self.at_line_start = true;
            self.out.write_all(b"\n")?;
            self.out.flush()?;
        }
        Ok(())
    }

    /// Writes a line of an answer. It has to be clean.
    pub(crate) fn line(&mut self, tone: Tone, line: &str) -> io::Result<()> {
        self.end_text()?;
        let painted = self.painted(tone, line);
        self.out.write_all(format!("{painted}\n").as_bytes())?;
        self.out.flush()?;
        self.last_visible = Instant::now();
        Ok(())
    }

    /// Writes a line that tells what goes on, cleaned.
    pub(crate) fn note(&mut self, tone: Tone, note: &str) -> io::Result<()> {
        let note = clean(note);
        match &mut self.surface {
            Surface::Pipes { notes } => notes.write_all(format!("{note}\n").as_bytes()),
            Surface::Terminal { .. } => self.line(tone, &note),
        }
    }

    /// Tells what went wrong and what can be done about it.
    pub(crate) fn error(&mut self, message: &str, hint: Option<&str>) -> io::Result<()> {
        self.note(Tone::Red, &format!("error: {message}"))?;
        match hint {
            Some(hint) => self.note(Tone::Yellow, &format!("hint: {hint}")),
            None => Ok(()),
        }
    }

    /// Says what goes on from now on; shown when it stays quiet.
    pub(crate) fn activity(&mut self, label: &str) {
        let label = clean_line(label);
        if self
            .activity
            .as_ref()
            .is_none_or(|activity| activity.label != label)
        {
            self.activity = Some(Activity {
                label,
                since: Instant::now(),
            });
        }
    }

    /// Nothing goes on any more.
    pub(crate) fn idle(&mut self) -> io::Result<()> {
        self.activity = None;
        self.end_text()
    }

    /// Moves the spinner. To be called some times a second.
    pub(crate) fn tick(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let Some(activity) = &self.activity else {
            return Ok(());
        };
        if !self.is_terminal() || now.duration_since(self.last_visible) < QUIET {
            return Ok(());
        }
        let columns = crossterm::terminal::size().map_or(DEFAULT_COLUMNS, |(columns, _)| columns);
        let line = spinner::line(
            &activity.label,
            now.duration_since(activity.since),
            columns.into(),
        );
        let opening = match self.spinner {
            Spinner::Hidden if self.at_line_start => {
                self.spinner = Spinner::InPlace;
                ""
            }
            Spinner::Hidden => {
                self.spinner = Spinner::Below;
                OPEN_BELOW
            }
            Spinner::InPlace | Spinner::Below => "",
        };
        let painted = self.painted(Tone::Dim, &line);
        write!(self.out, "{opening}{CLEAR_LINE}{painted}")?;
        self.out.flush()
    }

    fn hide_spinner(&mut self) -> io::Result<()> {
        let closing = match std::mem::replace(&mut self.spinner, Spinner::Hidden) {
            Spinner::Hidden => return Ok(()),
            Spinner::InPlace => "",
            Spinner::Below => BACK,
        };
        write!(self.out, "{CLEAR_LINE}{closing}")
    }

    fn painted(&self, tone: Tone, text: &str) -> String {
        match tone.code() {
            Some(code) if self.has_colours() && !text.is_empty() => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Some(_) | None => text.to_owned(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Record(Arc<Mutex<Vec<u8>>>);

    impl Record {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Record {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What a terminal with colours gets to see.
    pub(crate) fn recorded(draw: impl FnOnce(&mut Screen) -> io::Result<()>) -> String {
        let record = Record::default();
        let mut screen = Screen::new(Box::new(record.clone()), Surface::Terminal { colours: true });
        draw(&mut screen).unwrap();
        record.text()
    }

    /// What comes out of the standard output and the standard error when they are pipes.
    pub(crate) fn piped(draw: impl FnOnce(&mut Screen) -> io::Result<()>) -> (String, String) {
        let (out, notes) = (Record::default(), Record::default());
        let mut screen = Screen::new(
            Box::new(out.clone()),
            Surface::Pipes {
                notes: Box::new(notes.clone()),
            },
        );
        draw(&mut screen).unwrap();
        (out.text(), notes.text())
    }

    fn quiet(screen: &mut Screen) {
        screen.last_visible = Instant::now().checked_sub(QUIET).unwrap();
    }

    #[test]
    fn notes_begin_on_their_own_line_and_text_goes_on_after_them() {
        let draw = |screen: &mut Screen| {
            screen.text(Tone::Plain, "Hel")?;
            screen.text(Tone::Plain, "lo\u{1b}[31")?;
            screen.text(Tone::Plain, "m wor")?;
            screen.note(Tone::Dim, "connection lost")?;
            screen.text(Tone::Plain, "ld")?;
            screen.error("it broke", Some("mend it"))?;
            screen.idle()
        };
        assert_eq!(
            recorded(draw),
            "Hello wor\n\u{1b}[2mconnection lost\u{1b}[0m\nld\n\
             \u{1b}[31merror: it broke\u{1b}[0m\n\u{1b}[33mhint: mend it\u{1b}[0m\n"
        );
        let (out, notes) = piped(draw);
        assert_eq!(out, "Hello world\n");
        assert_eq!(notes, "connection lost\nerror: it broke\nhint: mend it\n");
    }

    #[test]
    fn the_spinner_shows_when_it_is_quiet_and_leaves_no_trace() {
        let shown = recorded(|screen| {
            screen.activity("thinking");
            screen.tick()?;
            quiet(screen);
            screen.tick()?;
            screen.text(Tone::Plain, "so")?;
            screen.tick()?;
            quiet(screen);
            screen.tick()?;
            screen.text(Tone::Plain, " far\n")?;
            screen.idle()?;
            quiet(screen);
            screen.tick()
        });
        let spinner = "\u{1b}[2m⠋ thinking 0 s\u{1b}[0m";
        assert_eq!(
            shown,
            format!(
                "{CLEAR_LINE}{spinner}{CLEAR_LINE}so{OPEN_BELOW}{CLEAR_LINE}{spinner}{CLEAR_LINE}{BACK} far\n"
            )
        );
        let (out, notes) = piped(|screen| {
            screen.activity("thinking");
            quiet(screen);
            screen.tick()
        });
        assert_eq!((out.as_str(), notes.as_str()), ("", ""));
    }
}
