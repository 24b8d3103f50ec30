//! The command line.

use clap::error::ErrorKind;
use clap::{Args as ClapArgs, CommandFactory as _, Parser, Subcommand};

/// The session that is used unless another one is named, so that `mira` goes on where it left off.
pub(crate) const DEFAULT_SESSION: &str = "terminal";

const EXAMPLES: &str = "\
Examples:
  mira                                     go on talking in the session `terminal`
  mira chat --session api --project ~/api  talk about the code in ~/api
  mira chat --once \"what is a B-tree?\"     ask one thing; exit code 0 when it was answered
  git diff | mira chat --new --once -      ask about what comes from a pipe
  mira watch api                           look over the shoulder of the session `api`
  mira history --session api               read what was said";

/// Talks to a Mira server.
#[derive(Debug, Parser)]
#[command(name = "mira", version, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) server: Server,

    #[command(subcommand)]
    what: Option<What>,

    #[command(flatten)]
    chat: Chat,
}

impl Args {
    /// What to do: `chat` unless told otherwise. Options of `chat` ahead of another command are an error.
    pub(crate) fn what(&self) -> Result<What, clap::Error> {
        match &self.what {
            None => Ok(What::Chat(self.chat.clone())),
            Some(what) if self.chat == Chat::default() => Ok(what.clone()),
            Some(_) => Err(Self::command().error(
                ErrorKind::ArgumentConflict,
                "options of `chat` go behind the word `chat`",
            )),
        }
    }
}

/// Where the server is.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Server {
    /// The server's WebSocket address
    #[arg(
        long,
        global = true,
        env = "MIRA_URL",
        default_value = "ws://127.0.0.1:8080/ws"
    )]
    pub(crate) url: String,

    /// The server's token, where it has one
    #[arg(long, global = true, env = "MIRA_AUTH_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum What {
    /// Talk; the default
    Chat(Chat),
    /// Follow a session without taking part
    Watch(Watch),
    /// List sessions
    Sessions,
    /// List projects
    Projects,
    /// Show what was said in a session
    History(History),
}

/// Options of `chat`.
#[derive(Debug, Clone, PartialEq, Eq, ClapArgs)]
pub(crate) struct Chat {
    /// The session, by name (created when there is none) or id
    #[arg(long, value_name = "NAME|ID", default_value = DEFAULT_SESSION, conflicts_with = "new")]
    pub(crate) session: String,

    /// Start a new session without a name
    #[arg(long)]
    pub(crate) new: bool,

    /// The project to talk about; a directory becomes a project when it is none yet
    #[arg(long, value_name = "NAME|ID|PATH")]
    pub(crate) project: Option<String>,

    /// Hide the summary of the model's reasoning
    #[arg(long)]
    pub(crate) no_reasoning: bool,

    /// Send one message and leave; `-` reads it from the standard input
    #[arg(long, value_name = "TEXT")]
    pub(crate) once: Option<String>,
}

impl Default for Chat {
    fn default() -> Self {
        Self {
            session: DEFAULT_SESSION.to_owned(),
            new: false,
            project: None,
            no_reasoning: false,
            once: None,
        }
    }
}

/// Options of `watch`.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Watch {
    /// The session, by name or id
    #[arg(value_name = "NAME|ID")]
    pub(crate) session: String,

    /// Begin after the event with this number
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) after: u64,

    /// Hide the summary of the model's reasoning
    #[arg(long)]
    pub(crate) no_reasoning: bool,
}

/// Options of `history`.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct History {
    /// The session, by name or id
    #[arg(long, value_name = "NAME|ID", default_value = DEFAULT_SESSION)]
    pub(crate) session: String,

    /// How many messages, counted from the newest
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    pub(crate) limit: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn without_a_command_it_chats() {
        let args = Args::parse_from(["mira", "--url", "ws://h/ws", "--project", "p"]);
        assert_eq!(args.server.url, "ws://h/ws");
        let expected = Chat {
            project: Some("p".to_owned()),
            ..Chat::default()
        };
        assert!(matches!(args.what(), Ok(What::Chat(chat)) if chat == expected));
    }

    #[test]
    fn the_server_goes_anywhere_and_other_options_with_their_command() {
        for line in ["mira --url ws://h/ws sessions", "mira sessions --url ws://h/ws"] {
            let args = Args::parse_from(line.split(' '));
            assert_eq!(args.server.url, "ws://h/ws");
            assert!(matches!(args.what(), Ok(What::Sessions)));
        }
        let args = Args::parse_from(["mira", "--session", "s", "history"]);
        assert_eq!(args.what().unwrap_err().kind(), ErrorKind::ArgumentConflict);
    }
}
