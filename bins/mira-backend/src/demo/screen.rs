//! What the demonstration shows in a terminal.

use std::io::{IsTerminal as _, Stdout, Write as _, stdout};

use crossterm::style::{Color, Stylize as _};
use mira_proto::native::Artifact;

/// Lines of a diff that are shown at most.
const DIFF_LINES: usize = 40;

/// The terminal, and what kind of text it is in the middle of.
pub(super) struct Screen {
    out: Stdout,
    coloured: bool,
    voice: Voice,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Voice {
    None,
    Reasoning,
    Answer,
}

impl Screen {
    pub(super) fn new() -> Self {
        let out = stdout();
        let coloured = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self {
            out,
            coloured,
            voice: Voice::None,
        }
    }

    pub(super) fn title(&mut self, text: &str) -> anyhow::Result<()> {
        let text = self.styled(text, Color::White, true);
        self.line(&text)
    }

    pub(super) fn chapter(&mut self, text: &str) -> anyhow::Result<()> {
        let text = self.styled(text, Color::Cyan, true);
        self.line(&format!("\n{text}"))
    }

    pub(super) fn note(&mut self, text: &str) -> anyhow::Result<()> {
        let text = self.styled(text, Color::DarkGrey, false);
        self.line(&text)
    }

    pub(super) fn user(&mut self, text: &str) -> anyhow::Result<()> {
        let mark = self.styled("you ›", Color::Green, true);
        self.line(&format!("{mark} {text}"))
    }

    /// Something that was done.
    pub(super) fn step(&mut self, what: &str, detail: &str) -> anyhow::Result<()> {
        let what = self.styled(&format!("  ● {what}"), Color::Yellow, false);
        self.line(&format!("{what}  {detail}"))
    }

    pub(super) fn reasoning(&mut self, delta: &str) -> anyhow::Result<()> {
        self.speak(Voice::Reasoning, "thinks › ", delta, Color::DarkGrey)
    }

    pub(super) fn answer(&mut self, delta: &str) -> anyhow::Result<()> {
        self.speak(Voice::Answer, "mira › ", delta, Color::Reset)
    }

    /// A file with its difference to the one on disk.
    pub(super) fn artifact(&mut self, artifact: &Artifact) -> anyhow::Result<()> {
        let summary = &artifact.summary;
        let kind = if summary.is_new_file {
            "new file"
        } else {
            "changed file"
        };
        self.step(
            "artifact",
            &format!(
                "{} ({kind}, {} bytes), against the disk:",
                summary.path, summary.size_bytes
            ),
        )?;
        let lines: Vec<&str> = artifact.diff.lines().collect();
        for line in lines.iter().take(DIFF_LINES) {
            let colour = match line.chars().next() {
                Some('+') => Color::Green,
                Some('-') => Color::Red,
                Some('@') => Color::Cyan,
                _ => Color::Reset,
            };
            let line = self.styled(&plain(line), colour, false);
            self.line(&format!("    {line}"))?;
        }
        if lines.len() > DIFF_LINES {
            self.note(&format!("    … and {} lines more", lines.len() - DIFF_LINES))?;
        }
        Ok(())
    }

    fn speak(&mut self, voice: Voice, mark: &str, delta: &str, colour: Color) -> anyhow::Result<()> {
        if self.voice != voice {
            self.end_text()?;
            self.voice = voice;
            let mark = self.styled(mark, Color::Magenta, voice == Voice::Answer);
            write!(self.out, "{mark}")?;
        }
        let delta = self.styled(&plain(delta), colour, false);
        write!(self.out, "{delta}")?;
        self.out.flush()?;
        Ok(())
    }

    fn end_text(&mut self) -> anyhow::Result<()> {
        if self.voice != Voice::None {
            self.voice = Voice::None;
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn line(&mut self, text: &str) -> anyhow::Result<()> {
        self.end_text()?;
        writeln!(self.out, "{text}")?;
        self.out.flush()?;
        Ok(())
    }

    fn styled(&self, text: &str, colour: Color, bold: bool) -> String {
        if !self.coloured {
            return text.to_owned();
        }
        let styled = if colour == Color::Reset {
            text.stylize()
        } else {
            text.with(colour)
        };
        if bold {
            styled.bold().to_string()
        } else {
            styled.to_string()
        }
    }
}

/// Text of files and models may hold what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}
