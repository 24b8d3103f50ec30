//! `mira`: a terminal client of the Mira server.

mod args;
mod artifacts;
mod chat;
mod clean;
mod command;
mod connect;
mod diff;
mod lists;
mod project;
mod prompt;
mod screen;
mod spinner;
mod talk;
mod transcript;
mod turn;
mod usage;
mod watch;

use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use tokio::runtime::Runtime;

use crate::args::{Args, Server, What};
use crate::screen::Screen;

fn main() -> ExitCode {
    let args = Args::parse();
    let what = match args.what() {
        Ok(what) => what,
        Err(error) => error.exit(),
    };
    let mut screen = Screen::of_process();
    let result = Runtime::new().map_err(anyhow::Error::from).and_then(|runtime| {
        let result = runtime.block_on(run(&args.server, &what, &mut screen));
        // A thread may still wait for input that nobody will type.
        runtime.shutdown_background();
        result
    });
    match result {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let (message, hint) = connect::explain(&error);
            // Where nothing can be written any more, the exit code has to do.
            let _ = screen.error(&message, hint.as_deref());
            ExitCode::FAILURE
        }
    }
}

async fn run(server: &Server, what: &What, screen: &mut Screen) -> anyhow::Result<ExitCode> {
    match what {
        What::Chat(chat) => chat::run(server, chat, screen).await,
        What::Watch(watch) => watch::run(server, watch, screen).await,
        What::Sessions => lists::sessions(server, screen).await,
        What::Projects => lists::projects(server, screen).await,
        What::History(history) => lists::history(server, history, screen).await,
    }
}

/// Whoever read our output has seen enough, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
