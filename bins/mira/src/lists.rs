//! `mira sessions`, `mira projects` and `mira history`.

use std::io;
use std::process::ExitCode;

use mira_proto::native::{
    Empty, MemoryGetRecent, MemoryGetRecentParams, Project, ProjectList, Role, SessionList, SessionListParams,
};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::args::{History, Server};
use crate::clean::{clean, clean_line};
use crate::connect;
use crate::screen::{Screen, Tone};

pub(crate) async fn sessions(server: &Server, screen: &mut Screen) -> anyhow::Result<ExitCode> {
    let client = connect::client(server, screen).await?;
    let mut params = SessionListParams::default();
    let mut any = false;
    loop {
        let page = client.call::<SessionList>(params).await?;
        for session in &page.sessions {
            any = true;
            let name = session.name.as_deref().unwrap_or("–");
            let title = session.title.as_deref().unwrap_or_default();
            let line = format!(
                "{}  {}  {:>4} messages  {}  {}",
                session.session_id,
                at(session.updated_ms),
                session.message_count,
                clean_line(name),
                clean_line(title)
            );
            screen.line(Tone::Plain, line.trim_end())?;
        }
        if page.next_cursor.is_none() {
            break;
        }
        params = SessionListParams {
            cursor: page.next_cursor,
            limit: None,
        };
    }
    if !any {
        screen.note(Tone::Dim, "there are no sessions yet")?;
    }
    client.close().await;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn projects(server: &Server, screen: &mut Screen) -> anyhow::Result<ExitCode> {
    let client = connect::client(server, screen).await?;
    let projects = client.call::<ProjectList>(Empty {}).await?.projects;
    show_projects(&projects, screen)?;
    client.close().await;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn show_projects(projects: &[Project], screen: &mut Screen) -> io::Result<()> {
    if projects.is_empty() {
        return screen.note(
            Tone::Dim,
            "there are no projects yet; --project DIRECTORY makes one",
        );
    }
    for project in projects {
        let directory = project.directory.as_deref().unwrap_or("no directory");
        let line = format!(
            "{}  {}  {}",
            project.project_id,
            clean_line(&project.name),
            clean_line(directory)
        );
        screen.line(Tone::Plain, &line)?;
    }
    Ok(())
}

pub(crate) async fn history(
    server: &Server,
    args: &History,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let client = connect::client(server, screen).await?;
    let session_id = connect::find_session(&client.caller(), &args.session).await?;
    let params = MemoryGetRecentParams {
        session_id,
        limit: Some(args.limit),
        cursor: None,
    };
    let newest_first = client.call::<MemoryGetRecent>(params).await?.messages;
    for message in newest_first.iter().rev() {
        let who = match &message.role {
            Role::User => "you",
            Role::Assistant => "Mira",
            Role::Other(other) => other,
        };
        screen.line(
            Tone::Cyan,
            &format!("{}  {}", clean_line(who), at(message.time_ms)),
        )?;
        screen.text(Tone::Plain, &clean(&message.content))?;
        screen.end_text()?;
        for artifact in message.artifacts.iter().flatten() {
            screen.line(Tone::Dim, &format!("proposed {}", clean_line(&artifact.path)))?;
        }
        screen.line(Tone::Plain, "")?;
    }
    client.close().await;
    Ok(ExitCode::SUCCESS)
}

/// A time to read, in UTC.
fn at(time_ms: i64) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    OffsetDateTime::from_unix_timestamp(time_ms.div_euclid(1000))
        .ok()
        .and_then(|time| time.format(format).ok())
        .unwrap_or_else(|| format!("{time_ms} ms"))
}
