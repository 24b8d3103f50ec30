//! Lines from a person or a pipe.

use etcetera::{AppStrategy as _, AppStrategyArgs, choose_app_strategy};
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use anyhow::Context as _;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines, Stdin};
use tokio::task::spawn_blocking;

use crate::screen::{Screen, Tone};

/// Where lines come from.
pub(crate) enum Input {
    /// A person with a line editor; it is away while a thread waits for the person.
    Terminal(Option<Box<Editor>>),
    /// Something that writes lines.
    Pipe(Lines<BufReader<Stdin>>),
}

/// A line editor with a history on disk.
pub(crate) struct Editor {
    line: DefaultEditor,
    history: Option<PathBuf>,
    colours: bool,
}

impl Input {
    /// The process's standard input: with an editor where a person sits at both ends.
    pub(crate) fn of_process(screen: &mut Screen) -> anyhow::Result<Self> {
        if !screen.is_terminal() || !io::stdin().is_terminal() {
            return Ok(Self::Pipe(BufReader::new(tokio::io::stdin()).lines()));
        }
        let config = rustyline::Config::builder()
            .max_history_size(1000)
            .and_then(|config| config.history_ignore_dups(true))
            .context("cannot set up the prompt")?
            .auto_add_history(true)
            .build();
        let mut editor = DefaultEditor::with_config(config).context("cannot set up the prompt")?;
        let history = history_file();
        if let Some(path) = &history
            && path.exists()
            && let Err(error) = editor.load_history(path)
        {
            screen.note(Tone::Dim, &format!("cannot read {}: {error}", path.display()))?;
        }
        Ok(Self::Terminal(Some(Box::new(Editor {
            line: editor,
            history,
            colours: screen.has_colours(),
        }))))
    }

    /// Whether a person types.
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self, Self::Terminal(_))
    }

    /// Waits for a line; none at the end of the input, or when the person wants to leave. Not cancel safe: a thread goes
    /// on waiting.
    pub(crate) async fn next(&mut self, prompt: String) -> anyhow::Result<Option<String>> {
        match self {
            Self::Pipe(lines) => lines.next_line().await.context("cannot read the input"),
            Self::Terminal(place) => {
                let mut editor = place.take().context("the prompt is already waiting")?;
                let (editor, line) = spawn_blocking(move || {
                    let line = editor.read(&prompt);
                    (editor, line)
                })
                .await
                .context("the prompt failed")?;
                *place = Some(editor);
                line
            }
        }
    }
}

impl Editor {
    fn read(&mut self, prompt: &str) -> anyhow::Result<Option<String>> {
        let styled = if self.colours {
            format!("\u{1b}[1;36m{prompt}\u{1b}[0m")
        } else {
            prompt.to_owned()
        };
        match self.line.readline(&(prompt, styled)) {
            Ok(line) => {
                self.keep();
                Ok(Some(line))
            }
            Err(ReadlineError::Interrupted | ReadlineError::Eof) => Ok(None),
            Err(error) => Err(error).context("cannot read from the terminal"),
        }
    }

    /// Writes the history, or stops trying: a line that is lost from it is not worth a message at every prompt.
    fn keep(&mut self) {
        if let Some(path) = &self.history
            && self.line.append_history(path).is_err()
        {
            self.history = None;
        }
    }
}

/// Where the history is kept; none where there is no place for it.
fn history_file() -> Option<PathBuf> {
    let program = AppStrategyArgs {
        top_level_domain: String::new(),
        author: "Mira".to_owned(),
        app_name: "mira".to_owned(),
    };
    // Without the directory there is no history, and nothing else is amiss.
    let places = choose_app_strategy(program).ok()?;
    let directory = places.state_dir().unwrap_or_else(|| places.data_dir());
    std::fs::create_dir_all(&directory).ok()?;
    Some(directory.join("history"))
}
