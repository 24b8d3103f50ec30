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
pub(crate) mod tests;
