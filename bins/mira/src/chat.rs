//! `mira chat`: talking.

use std::io::Read as _;
use std::pin::pin;
use std::process::ExitCode;

use anyhow::Context as _;
use mira_client::{Start, Update};
use mira_proto::native::{Empty, InFlightItem, OperationCancel, OperationRef, ProjectList};

use crate::args;
use crate::args::Server;
use crate::artifacts;
use crate::clean::clean_line;
use crate::command::{self, Command, HELP};
use crate::connect::{self, looks_like_id};
use crate::project;
use crate::prompt::Input;
use crate::screen::{Screen, Tone};
use crate::talk::Talk;
use crate::transcript::Transcript;
use crate::turn::{self, Ending};

/// The exit code of a program that an interrupt has ended.
const INTERRUPTED: u8 = 130;

pub(crate) async fn run(server: &Server, args: &args::Chat, screen: &mut Screen) -> anyhow::Result<ExitCode> {
    let start = if args.new {
        Start::New
    } else if looks_like_id(&args.session) {
        Start::Existing(args.session.clone())
    } else {
        Start::Named(args.session.clone())
    };
    let session = connect::session(server, start, screen).await?;
    let mut talk = Talk::new(session, Transcript::new(!args.no_reasoning), screen);
    let (has_past, in_flight) = synced(&mut talk).await?;
    if let Some(text) = &args.project {
        talk.project = Some(project::find(&talk.session.caller(), text).await?);
    }
    let code = if let Some(text) = &args.once {
        once(&mut talk, text).await?
    } else {
        welcome(&mut talk, has_past).await?;
        converse(&mut talk, in_flight).await?
    };
    talk.session.close().await;
    Ok(code)
}

/// Waits until the session is live. Says whether anything has happened in it, and what is being said.
async fn synced(talk: &mut Talk<'_>) -> anyhow::Result<(bool, Vec<InFlightItem>)> {
    loop {
        let update = talk.session.next().await?;
        if let Update::Synced(synced) = &update {
            let past = (synced.seq > 0, synced.in_flight.clone());
            talk.take(update)?;
            return Ok(past);
        }
        talk.take(update)?;
    }
}

async fn once(talk: &mut Talk<'_>, text: &str) -> anyhow::Result<ExitCode> {
    let content = if text == "-" {
        let mut content = String::new();
        std::io::stdin()
            .read_to_string(&mut content)
            .context("cannot read the message from the standard input")?;
        content
    } else {
        text.to_owned()
    };
    Ok(code_of(turn::send(talk, content).await?))
}

fn code_of(ending: Ending) -> ExitCode {
    match ending {
        Ending::Answered => ExitCode::SUCCESS,
        Ending::NotAnswered => ExitCode::FAILURE,
        Ending::Left => ExitCode::from(INTERRUPTED),
    }
}

async fn welcome(talk: &mut Talk<'_>, has_past: bool) -> anyhow::Result<()> {
    if has_past {
        let caller = talk.session.caller();
        if let Err(error) = artifacts::load(&mut talk.transcript.shelf, &caller, talk.session.id()).await {
            talk.complain(&error.context("cannot list the files of earlier turns"))?;
        }
    }
    if talk.screen.is_terminal() {
        say_session(talk)?;
        talk.screen.note(Tone::Dim, "/help lists the commands")?;
    }
    for model in talk.session.server().models.clone() {
        if let (false, Some(hint)) = (model.configured, model.hint) {
            talk.screen
                .note(Tone::Yellow, &format!("no {} is configured: {hint}", model.role))?;
        }
    }
    Ok(())
}

fn say_session(talk: &mut Talk<'_>) -> anyhow::Result<()> {
    let id = talk.session.id();
    let session = match talk.session.name() {
        Some(name) => format!("session {name} ({id})"),
        None => format!("session {id}"),
    };
    let project = match &talk.project {
        Some(project) => format!("project {}", project.name),
        None => "no project".to_owned(),
    };
    let server = &talk.session.server().server;
    let note = format!("{session} · {project} · {} {}", server.name, server.version);
    talk.screen.note(Tone::Dim, &note)?;
    Ok(())
}

/// Takes lines until there are no more. The exit code is a failure when any turn was not answered.
async fn converse(talk: &mut Talk<'_>, in_flight: Vec<InFlightItem>) -> anyhow::Result<ExitCode> {
    let mut input = Input::of_process(talk.screen)?;
    let mut code = ExitCode::SUCCESS;
    if input.is_terminal()
        && let Some(operation_id) = talk.running.last().cloned()
    {
        talk.screen.note(Tone::Dim, "an earlier turn is still running:")?;
        for item in in_flight.iter().filter(|item| item.operation_id == operation_id) {
            talk.transcript.in_flight(item, talk.screen)?;
        }
        if turn::attach(talk, operation_id).await? == Ending::Left {
            return Ok(code_of(Ending::Left));
        }
    }
    loop {
        let line = match next_line(talk, &mut input).await? {
            Line::Text(line) => line,
            Line::End => return Ok(code),
            Line::Interrupted => return Ok(ExitCode::from(INTERRUPTED)),
        };
        let command = match command::parse(&line) {
            Ok(Command::Quit) => return Ok(code),
            Ok(Command::Say(content)) => {
                match turn::send(talk, content).await? {
                    Ending::Answered => {}
                    Ending::NotAnswered if input.is_terminal() => {}
                    Ending::NotAnswered => code = ExitCode::FAILURE,
                    Ending::Left => return Ok(code_of(Ending::Left)),
                }
                continue;
            }
            Ok(command) => command,
            Err(error) => {
                talk.complain(&error)?;
                continue;
            }
        };
        if let Err(error) = obey(talk, command).await {
            talk.complain(&error)?;
        }
    }
}

enum Line {
    Text(String),
    End,
    Interrupted,
}

/// Waits for a line, and takes what happens in the session meanwhile.
async fn next_line(talk: &mut Talk<'_>, input: &mut Input) -> anyhow::Result<Line> {
    let prompt = match &talk.project {
        Some(project) => format!("{} › ", clean_line(&project.name)),
        None => "› ".to_owned(),
    };
    let mut line = pin!(input.next(prompt));
    let mut failure = None;
    loop {
        tokio::select! {
            line = &mut line => {
                return match (line?, failure) {
                    (None, _) => Ok(Line::End),
                    (Some(_), Some(error)) => Err(error),
                    (Some(line), None) => Ok(Line::Text(line)),
                };
            }
            update = talk.session.next(), if failure.is_none() => match update {
                Ok(update) => talk.take_quietly(update),
                // Told when the person has finished typing.
                Err(error) => failure = Some(anyhow::Error::from(error)),
            },
            interrupt = talk.interrupts.next() => {
                interrupt?;
                return Ok(Line::Interrupted);
            }
        }
    }
}

async fn obey(talk: &mut Talk<'_>, command: Command) -> anyhow::Result<()> {
    let caller = talk.session.caller();
    let shelf = &mut talk.transcript.shelf;
    match command {
        Command::Apply { which, force } => {
            let project = talk.project.as_ref().map(|project| project.project_id.as_str());
            artifacts::apply(shelf, (which, force), project, &caller, talk.screen).await?;
        }
        Command::Undo(number) => artifacts::undo(shelf, number, &caller, talk.screen).await?,
        Command::Diff(number) => artifacts::show_diff(shelf, number, &caller, talk.screen).await?,
        Command::Artifacts => artifacts::list(shelf, talk.screen)?,
        Command::Cancel => match talk.running.last().cloned() {
            Some(operation_id) => {
                caller
                    .call::<OperationCancel>(OperationRef { operation_id })
                    .await?;
                talk.screen.note(Tone::Dim, "cancelled")?;
            }
            None => talk.screen.note(Tone::Dim, "nothing is running")?,
        },
        Command::Session => say_session(talk)?,
        Command::Project(None) => {
            let projects = caller.call::<ProjectList>(Empty {}).await?.projects;
            crate::lists::show_projects(&projects, talk.screen)?;
            say_session(talk)?;
        }
        Command::Project(Some(text)) if text == "none" => {
            talk.project = None;
            talk.screen.note(Tone::Dim, "no project")?;
        }
        Command::Project(Some(text)) => {
            let project = project::find(&caller, &text).await?;
            let place = project.directory.as_deref().unwrap_or("no directory");
            talk.screen
                .note(Tone::Dim, &format!("project {} ({place})", project.name))?;
            talk.project = Some(project);
        }
        Command::Help => {
            for line in HELP.lines() {
                talk.screen.line(Tone::Plain, line)?;
            }
        }
        Command::Nothing | Command::Say(_) | Command::Quit => {}
    }
    Ok(())
}
