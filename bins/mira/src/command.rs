//! What a line that a person types means.

use anyhow::{Context as _, bail};

/// What `/help` shows.
pub(crate) const HELP: &str = "\
/apply [N|all] [force]     write a proposed file to the project; the newest one without a number
/undo [N]                  put a file back to before it was written
/diff [N]                  show all of a proposed change
/artifacts                 list the files that were proposed in this session
/cancel                    stop the turn that is running
/session                   say which session this is
/project [NAME|PATH|none]  choose the project, or list them
/help                      this
/quit                      leave; Ctrl-C and Ctrl-D do too
The words `apply` and `undo` alone on a line work too. Start a line with // to send it with one slash.
Ctrl-C during a turn cancels the turn; once more, and it leaves.";

/// What a line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Nothing,
    Say(String),
    Apply { which: Which, force: bool },
    Undo(Option<usize>),
    Diff(Option<usize>),
    Artifacts,
    Cancel,
    Session,
    Project(Option<String>),
    Help,
    Quit,
}

/// Which artifacts to apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Newest,
    Number(usize),
    All,
}

/// Reads a line. Fails on a command that does not exist or is not used so.
pub(crate) fn parse(line: &str) -> anyhow::Result<Command> {
    let line = line.trim();
    if let Some(text) = line.strip_prefix("//") {
        return Ok(Command::Say(format!("/{text}")));
    }
    let command = match (line, line.strip_prefix('/')) {
        ("", _) => return Ok(Command::Nothing),
        ("apply" | "undo", _) => line,
        (_, Some(command)) => command,
        (_, None) => return Ok(Command::Say(line.to_owned())),
    };
    let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let rest = rest.trim();
    let alone = |command| match rest {
        "" => Ok(command),
        _ => bail!("/{name} takes nothing"),
    };
    match name {
        "apply" => apply(rest),
        "undo" => Ok(Command::Undo(number(rest)?)),
        "diff" => Ok(Command::Diff(number(rest)?)),
        "artifacts" => alone(Command::Artifacts),
        "cancel" => alone(Command::Cancel),
        "session" => alone(Command::Session),
        "project" => Ok(Command::Project((!rest.is_empty()).then(|| rest.to_owned()))),
        "help" | "?" => alone(Command::Help),
        "quit" | "exit" | "q" => alone(Command::Quit),
        _ => {
            bail!("there is no command /{name}; /help lists them, and // at the start sends the line as text")
        }
    }
}

fn apply(rest: &str) -> anyhow::Result<Command> {
    let (which, force) = match rest.strip_suffix("force") {
        Some(which) => (which.trim(), true),
        None => (rest, false),
    };
    let which = match which {
        "all" => Which::All,
        which => number(which)?.map_or(Which::Newest, Which::Number),
    };
    Ok(Command::Apply { which, force })
}

fn number(text: &str) -> anyhow::Result<Option<usize>> {
    if text.is_empty() {
        return Ok(None);
    }
    let number = text
        .parse()
        .with_context(|| format!("`{text}` is not the number of an artifact"))?;
    Ok(Some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_commands_or_messages() {
        let say = |text: &str| Command::Say(text.to_owned());
        let apply = |which, force| Command::Apply { which, force };
        for (line, expected) in [
            ("  ", Command::Nothing),
            (" hello there ", say("hello there")),
            ("apply", apply(Which::Newest, false)),
            ("apply it to the parser", say("apply it to the parser")),
            ("/apply", apply(Which::Newest, false)),
            ("/apply 2", apply(Which::Number(2), false)),
            ("/apply all", apply(Which::All, false)),
            ("/apply  2  force", apply(Which::Number(2), true)),
            ("/apply force", apply(Which::Newest, true)),
            ("undo", Command::Undo(None)),
            ("/undo 3", Command::Undo(Some(3))),
            ("/diff 1", Command::Diff(Some(1))),
            ("/project", Command::Project(None)),
            (
                "/project ~/my code",
                Command::Project(Some("~/my code".to_owned())),
            ),
            ("/help", Command::Help),
            ("/quit", Command::Quit),
            ("//etc/hosts is odd", say("/etc/hosts is odd")),
        ] {
            assert_eq!(parse(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_command_is_not_sent() {
        for (line, message) in [
            (
                "/aply",
                "there is no command /aply; /help lists them, and // at the start sends the line as text",
            ),
            ("/apply one", "`one` is not the number of an artifact"),
            ("/undo -1", "`-1` is not the number of an artifact"),
            ("/quit now", "/quit takes nothing"),
        ] {
            assert_eq!(parse(line).unwrap_err().to_string(), message, "{line}");
        }
    }
}
