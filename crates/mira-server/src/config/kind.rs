//! What a setting's value looks like.

use std::path::PathBuf;

use crate::transport::AllowedOrigins;

/// The kind of value that a setting takes. Bounds are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Text that is never shown.
    Secret,
    Path,
    Url,
    Flag,
    Integer {
        min: u64,
        max: u64,
    },
    Seconds {
        min: u64,
        max: u64,
    },
    Milliseconds {
        min: u64,
        max: u64,
    },
    Bytes {
        min: u64,
        max: u64,
    },
    /// From 0 to 1.
    Fraction,
    Choice(&'static [&'static str]),
    List(&'static [&'static str]),
    Origins,
    Database,
}

impl Kind {
    /// What is accepted, to complete the sentence "expected …".
    pub(super) fn accepted(self) -> String {
        match self {
            Self::Text | Self::Secret => "text".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::Url => "an http:// or https:// address".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Seconds { min, max } => format!("seconds, a whole number from {min} to {max}"),
            Self::Milliseconds { min, max } => format!("milliseconds, a whole number from {min} to {max}"),
            Self::Bytes { min, max } => {
                format!(
                    "bytes, from {} to {}, such as 512KiB, 80MiB or 1GiB",
                    show_bytes(min),
                    show_bytes(max)
                )
            }
            Self::Fraction => "a number from 0 to 1".to_owned(),
            Self::Choice(names) => one_of(names),
            Self::List(names) => format!("a comma-separated list of {}", names.join(", ")),
            Self::Origins => {
                "a comma-separated list of `loopback` and origins such as https://mira.example.com".to_owned()
            }
            Self::Database => {
                "a path or sqlite:PATH; PostgreSQL, other servers and in-memory databases are not supported"
                    .to_owned()
            }
        }
    }

    /// Whether a value is of this kind.
    pub(super) fn accepts(self, value: &str) -> bool {
        match self {
            Self::Text | Self::Secret | Self::Path => true,
            Self::Url => {
                let rest = value
                    .strip_prefix("http://")
                    .or_else(|| value.strip_prefix("https://"));
                rest.is_some_and(|rest| {
                    !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace)
                })
            }
            Self::Flag => flag(value).is_some(),
            Self::Integer { min, max } | Self::Seconds { min, max } | Self::Milliseconds { min, max } => {
                integer(value).is_some_and(|number| (min..=max).contains(&number))
            }
            Self::Bytes { min, max } => bytes(value).is_some_and(|number| (min..=max).contains(&number)),
            Self::Fraction => value
                .parse::<f32>()
                .is_ok_and(|number| (0.0..=1.0).contains(&number)),
            Self::Choice(names) => names.contains(&value.to_ascii_lowercase().as_str()),
            Self::List(names) => list(value).all(|entry| names.contains(&entry)),
            Self::Origins => value.parse::<AllowedOrigins>().is_ok(),
            Self::Database => database(value).is_some(),
        }
    }
}

fn one_of(names: &[&str]) -> String {
    match names {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        names => names.join(", "),
    }
}

pub(super) fn flag(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A whole number; underscores may group its digits.
fn integer(value: &str) -> Option<u64> {
    value.replace('_', "").parse().ok()
}

const UNITS: [(&str, u64); 4] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
];

/// A number of bytes, with or without a unit.
pub(super) fn bytes(value: &str) -> Option<u64> {
    for (unit, size) in UNITS {
        if let Some(count) = value.strip_suffix(unit) {
            return integer(count.trim())?.checked_mul(size);
        }
    }
    integer(value)
}

fn show_bytes(bytes: u64) -> String {
    let unit = UNITS
        .iter()
        .find(|(_, size)| bytes >= *size && bytes.is_multiple_of(*size));
    unit.map_or_else(
        || bytes.to_string(),
        |(name, size)| format!("{}{name}", bytes / size),
    )
}

pub(super) fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// The file that a database address names: `sqlite:PATH`, `sqlite://PATH`, with or without `?…`, or a path.
pub(super) fn database(value: &str) -> Option<PathBuf> {
    let path = match value.strip_prefix("sqlite:") {
        Some(rest) => {
            let rest = rest.strip_prefix("//").unwrap_or(rest);
            rest.split_once('?').map_or(rest, |(path, _)| path)
        }
        // A one-letter scheme is a drive.
        None if value
            .split_once(':')
            .is_some_and(|(scheme, _)| scheme.len() > 1 && !scheme.contains(['/', '\\'])) =>
        {
            return None;
        }
        None => value,
    };
    (!path.is_empty() && !path.contains(":memory:")).then(|| PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_addresses_name_files() {
        for (value, path) in [
            ("sqlite:mira.db", Some("mira.db")),
            ("sqlite://mira.db", Some("mira.db")),
            ("sqlite:///var/lib/mira.db?mode=rwc", Some("/var/lib/mira.db")),
            ("./data/mira.db", Some("./data/mira.db")),
            (r"C:\mira\mira.db", Some(r"C:\mira\mira.db")),
            ("/srv/a:b/mira.db", Some("/srv/a:b/mira.db")),
            ("sqlite::memory:", None),
            ("sqlite:", None),
            ("postgres://user:password@db/mira", None),
            ("mysql:mira", None),
        ] {
            assert_eq!(database(value), path.map(PathBuf::from), "{value}");
        }
    }

    #[test]
    fn byte_counts_have_units() {
        for (value, count) in [
            ("512", Some(512)),
            ("64KiB", Some(65_536)),
            ("80 MiB", Some(83_886_080)),
            ("1_000", Some(1000)),
            ("80MB", None),
            ("-1", None),
            ("99999999999999999999", None),
            ("18446744073709551615KiB", None),
        ] {
            assert_eq!(bytes(value), count, "{value}");
        }
    }
}
