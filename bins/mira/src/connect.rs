//! Reaching the server, and explaining why that did not work.

use std::io;
use std::pin::pin;
use std::time::Duration;

use anyhow::bail;
use mira_client::{Caller, Client, Error, Options, Session, Start};
use mira_proto::error::ErrorCode;
use mira_proto::native::{SessionList, SessionListParams};
use tokio::time::interval;

use crate::args::Server;
use crate::screen::Screen;

/// Time between two frames of the spinner.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// The length of the server's ids.
const ID_LENGTH: usize = 26;

fn options(server: &Server) -> Options {
    Options {
        token: server
            .token
            .as_deref()
            .filter(|token| !token.is_empty())
            .map(Into::into),
        client_name: env!("CARGO_PKG_NAME").to_owned(),
        client_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..Options::new(&server.url)
    }
}

/// Opens a connection for a few calls.
pub(crate) async fn client(server: &Server, screen: &mut Screen) -> anyhow::Result<Client> {
    Ok(spinning("connecting", screen, Client::connect(options(server))).await??)
}

/// Opens a session.
pub(crate) async fn session(server: &Server, start: Start, screen: &mut Screen) -> anyhow::Result<Session> {
    Ok(spinning("connecting", screen, Session::open(options(server), start)).await??)
}

/// Waits, and shows that it does.
pub(crate) async fn spinning<F: Future>(
    label: &str,
    screen: &mut Screen,
    future: F,
) -> io::Result<F::Output> {
    let mut future = pin!(future);
    let mut ticks = interval(TICK);
    screen.activity(label);
    loop {
        tokio::select! {
            output = &mut future => {
                screen.idle()?;
                return Ok(output);
            }
            _ = ticks.tick() => screen.tick()?,
        }
    }
}

/// Whether a text is the id of something rather than its name.
pub(crate) fn looks_like_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
}

/// The id of the session with this name or id. Creates none.
pub(crate) async fn find_session(caller: &Caller, name_or_id: &str) -> anyhow::Result<String> {
    if looks_like_id(name_or_id) {
        return Ok(name_or_id.to_owned());
    }
    let mut params = SessionListParams::default();
    loop {
        let page = caller.call::<SessionList>(params).await?;
        let found = page
            .sessions
            .into_iter()
            .find(|session| session.name.as_deref() == Some(name_or_id));
        if let Some(session) = found {
            return Ok(session.session_id);
        }
        if page.next_cursor.is_none() {
            bail!("there is no session named `{name_or_id}`; `mira sessions` lists them");
        }
        params = SessionListParams {
            cursor: page.next_cursor,
            limit: None,
        };
    }
}

/// What went wrong, and what can be done about it.
pub(crate) fn explain(error: &anyhow::Error) -> (String, Option<String>) {
    let client_error = error.chain().find_map(|cause| cause.downcast_ref::<Error>());
    let mut text = String::new();
    for cause in error.chain().map(message) {
        // Some libraries repeat the cause in what they say themselves.
        if !text.ends_with(&cause) {
            let separator = if text.is_empty() { "" } else { ": " };
            text.extend([separator, &cause]);
        }
    }
    (text, client_error.and_then(hint))
}

fn message(cause: &(dyn std::error::Error + 'static)) -> String {
    match cause.downcast_ref::<Error>() {
        // What the server says is meant for people; which method it was is not.
        Some(Error::Rpc { error, .. }) => error.message.clone(),
        Some(_) | None => cause.to_string(),
    }
}

fn hint(error: &Error) -> Option<String> {
    const TOKEN: &str = "give the server's token with --token or in MIRA_AUTH_TOKEN";
    let own = match error {
        Error::Unreachable { source, .. } if source.kind() == io::ErrorKind::ConnectionRefused => {
            Some("is the server running? Start it with `mira-backend`, or point --url or MIRA_URL at it")
        }
        Error::Unreachable { .. } | Error::ConnectTimeout { .. } => Some("check --url or MIRA_URL"),
        Error::Refused {
            error: None,
            status: 401,
            ..
        } => Some(TOKEN),
        Error::Refused { error: None, .. } | Error::Handshake { .. } => {
            Some("is this a Mira server? Its address usually ends in /ws")
        }
        Error::CallTimeout { .. } => Some("the server may have done it all the same"),
        _ => None,
    };
    let body = error.body();
    if body.is_some_and(|body| body.code == ErrorCode::Unauthorized) {
        return Some(TOKEN.to_owned());
    }
    body.and_then(|body| body.hint.clone())
        .or_else(|| own.map(str::to_owned))
}
