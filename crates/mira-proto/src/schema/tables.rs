//! The tables of the documentation that the types know.

use super::shapes::Shapes;
use crate::error::ErrorCode;
use crate::native::{Event, METHODS, Notification};

/// Why the tables of a text could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// A marker names a table that does not exist.
    #[error("there is no table `{name}`")]
    UnknownTable {
        /// What the marker says.
        name: String,
    },
    /// A table has no end marker.
    #[error("the table `{name}` has no end marker")]
    Endless {
        /// What its marker says.
        name: String,
    },
}

const BEGIN: &str = "<!-- table: ";
const END: &str = "<!-- end of table -->";

/// Writes the tables `methods`, `notifications`, `events`, `objects` and `errors` anew into a Markdown text, each
/// between the lines `<!-- table: NAME -->` and `<!-- end of table -->`. Everything else stays as it is.
pub fn refresh_tables(markdown: &str) -> Result<String, RefreshError> {
    let mut text = String::with_capacity(markdown.len());
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        let Some(name) = line
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.strip_suffix(" -->"))
        else {
            continue;
        };
        let table = match name {
            "methods" => methods(),
            "notifications" => notifications(),
            "events" => events(),
            "objects" => objects(),
            "errors" => errors(),
            _ => {
                return Err(RefreshError::UnknownTable {
                    name: name.to_owned(),
                });
            }
        };
        if !lines.any(|line| line == END) {
            return Err(RefreshError::Endless {
                name: name.to_owned(),
            });
        }
        text.push_str(&table);
        text.push_str(END);
        text.push('\n');
    }
    Ok(text)
}

fn methods() -> String {
    let shapes = Shapes::read();
    let rows = METHODS.iter().map(|method| {
        [
            code(method.name),
            member_names(&shapes, method.params),
            member_names(&shapes, method.result),
            method.summary.trim().to_owned(),
        ]
    });
    table(["method", "parameters", "result", "what it does"], rows)
}

fn notifications() -> String {
    let shapes = Shapes::read();
    let rows = Notification::TYPES.iter().map(|notification| {
        [
            code(notification.name),
            member_names(&shapes, notification.params),
            notification.summary.trim().to_owned(),
        ]
    });
    table(["notification", "parameters", "meaning"], rows)
}

fn events() -> String {
    let rows = Event::TYPES.iter().map(|event| {
        let members: Vec<String> = event
            .fields
            .iter()
            .filter_map(|field| field.split_once(": "))
            .filter(|(name, _)| *name != "operation_id")
            .map(|(name, kind)| {
                if kind.starts_with("Option") {
                    code(&format!("{name}?"))
                } else {
                    code(name)
                }
            })
            .collect();
        [
            code(event.name),
            members.join(", "),
            event.summary.trim().to_owned(),
        ]
    });
    table(["`type`", "members beside `operation_id`", "meaning"], rows)
}

fn objects() -> String {
    let shapes = Shapes::read();
    let sections = shapes.parts().into_iter().map(|(name, meaning)| {
        let members = shapes.members(name);
        let rows = members
            .into_iter()
            .map(|member| [code(&member.name), member.kind, member.meaning]);
        format!(
            "\n**{name}**: {meaning}\n\n{}",
            table(["member", "type", "meaning"], rows)
        )
    });
    sections.collect::<Vec<_>>().concat() + "\n"
}

fn errors() -> String {
    let rows = ErrorCode::ALL.iter().map(|error| {
        let retry = if error.retryable { "yes" } else { "" };
        [
            code(error.code),
            retry.to_owned(),
            error.status.to_string(),
            error.meaning.to_owned(),
        ]
    });
    table(["code", "retryable", "status", "meaning"], rows)
}

fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line = |cells: &[String; N]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&head.map(str::to_owned));
    text.push_str(&line(&[(); N].map(|()| "---".to_owned())));
    text.extend(rows.map(|row| line(&row)));
    text
}

fn code(name: &str) -> String {
    format!("`{name}`")
}

fn member_names(shapes: &Shapes, object: &str) -> String {
    let names: Vec<String> = shapes
        .members(object)
        .iter()
        .map(|member| code(&member.name))
        .collect();
    names.join(", ")
}
