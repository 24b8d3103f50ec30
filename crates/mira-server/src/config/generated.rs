//! `.env.example` and the table of docs/CONFIGURATION.md, from the table of settings.

use std::fmt::Write as _;

use super::{
    ignored::IGNORED,
    kind::Kind,
    settings::{GROUPS, Setting},
};

const HEADER: &str = "\
# Mira's settings. None is required; what is shown behind `#` is what holds without it.
#
# Copy this file to .env, fill in what you need, and load it before the server starts:
#   set -a; . ./.env; set +a
# The server does not look for .env itself: it may be started in a directory that somebody else filled.
#
# Written by `cargo xtask docs`; the settings are defined in crates/mira-server/src/config/settings.rs.
";

/// The whole of `.env.example`.
pub fn env_example() -> String {
    let mut text = HEADER.to_owned();
    for group in GROUPS {
        write_line(&mut text, format_args!("\n# --- {} ---", group.title));
        if let Some(note) = group.note {
            write_line(&mut text, format_args!("\n# {note}"));
        }
        for setting in group.settings {
            write_line(&mut text, format_args!("\n# {}", setting.doc));
            if !matches!(setting.kind, Kind::Text | Kind::Secret | Kind::Path) {
                write_line(&mut text, format_args!("# Takes {}.", setting.kind.accepted()));
            }
            let value = setting.default.unwrap_or_default();
            // The two keys that nearly everybody fills in stand ready.
            let mark = if matches!(setting.name, "OPENAI_API_KEY" | "DEEPSEEK_API_KEY") {
                ""
            } else {
                "# "
            };
            write_line(&mut text, format_args!("{mark}{}={value}", setting.name));
        }
    }
    text
}

/// Where the tables stand in docs/CONFIGURATION.md.
const BEGIN: &str = "<!-- settings: begin, written by `cargo xtask docs` -->\n";
const END: &str = "<!-- settings: end -->";

/// docs/CONFIGURATION.md with its tables renewed; none when the page does not have the marks around them.
pub fn renew_page(page: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", markdown_table()))
}

/// The tables of docs/CONFIGURATION.md: a section for each group of settings, and one for names without effect.
pub fn markdown_table() -> String {
    let mut text = String::new();
    for group in GROUPS {
        write_line(&mut text, format_args!("### {}\n", group.title));
        if let Some(note) = group.note {
            write_line(&mut text, format_args!("{note}\n"));
        }
        text.push_str("| Variable | Default | Takes | Meaning |\n|---|---|---|---|\n");
        for setting in group.settings {
            let default = setting
                .default
                .map_or_else(|| "–".to_owned(), |default| format!("`{default}`"));
            let (accepted, names) = (setting.kind.accepted(), names(setting));
            write_line(
                &mut text,
                format_args!("| {names} | {default} | {accepted} | {} |", setting.doc),
            );
        }
        text.push('\n');
    }
    text.push_str("### Without effect\n\nNames of earlier versions. One that is set is named in a warning at start.\n\n| Variable | Why |\n|---|---|\n");
    for ignored in IGNORED {
        let names = ignored.names.iter().map(|name| {
            if name.ends_with('_') {
                format!("`{name}*`")
            } else {
                format!("`{name}`")
            }
        });
        write_line(
            &mut text,
            format_args!(
                "| {} | {} |",
                names.collect::<Vec<_>>().join(", "),
                ignored.reason
            ),
        );
    }
    text
}

fn names(setting: &Setting) -> String {
    let aliases = setting.aliases.iter().map(|alias| format!("<br>also `{alias}`"));
    format!("`{}`{}", setting.name, aliases.collect::<String>())
}

fn write_line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}
