//! `reindex`: make the vectors of a data directory anew, and say how far it is.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mira_server::config::Config;
use mira_server::{Progress, Reindexed};

use crate::serve::start_logging;

/// Between two lines where nobody watches.
const LINE_EVERY: Duration = Duration::from_secs(10);

const BAR_WIDTH: u64 = 30;

pub(crate) async fn run() -> anyhow::Result<()> {
    let config = Config::from_environment()?;
    start_logging(&config.log)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let shown = Mutex::new(Shown::default());
    let done = mira_server::reindex(config, |progress| {
        // Nothing panics while it is held, and a progress that cannot be shown stops nobody.
        if let Ok(mut shown) = shown.lock() {
            let _ = shown.show(progress);
        }
    })
    .await;
    if let Ok(mut shown) = shown.lock() {
        shown.end_line()?;
    }
    let Reindexed { renewed, embedded } = done?;
    let mut out = std::io::stdout().lock();
    if renewed {
        writeln!(out, "The vectors of another embedder were replaced.")?;
    }
    writeln!(out, "{embedded} texts were embedded. The index is complete.")?;
    Ok(())
}

/// What was shown last.
#[derive(Default)]
struct Shown {
    progress: Option<Progress>,
    at: Option<Instant>,
    /// Whether the cursor stands behind a bar.
    in_bar: bool,
}

impl Shown {
    fn show(&mut self, progress: Progress) -> std::io::Result<()> {
        if self.progress == Some(progress) {
            return Ok(());
        }
        let (what, done, total) = match progress {
            Progress::Indexing { done, total } => ("indexing", done, total),
            Progress::Embedding { done, total } => ("embedding", done, total),
        };
        if total == 0 {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        if out.is_terminal() {
            let filled = usize::try_from(done * BAR_WIDTH / total).unwrap_or_default();
            let width = usize::try_from(BAR_WIDTH).unwrap_or_default();
            write!(
                out,
                "\r{what:<9} [{:<width$}] {done} of {total}",
                "#".repeat(filled)
            )?;
            self.in_bar = true;
            if done == total {
                writeln!(out)?;
                self.in_bar = false;
            }
            out.flush()?;
        } else if done == total || self.at.is_none_or(|at| at.elapsed() >= LINE_EVERY) {
            writeln!(out, "{what}: {done} of {total}")?;
            self.at = Some(Instant::now());
        }
        self.progress = Some(progress);
        Ok(())
    }

    /// What comes next begins a line.
    fn end_line(&mut self) -> std::io::Result<()> {
        if std::mem::take(&mut self.in_bar) {
            writeln!(std::io::stdout())?;
        }
        Ok(())
    }
}
