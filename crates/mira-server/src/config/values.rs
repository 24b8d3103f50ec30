//! From variables and a file to typed values, noting every problem on the way.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use config::{FileFormat, Value, ValueKind};
use secrecy::SecretString;

use super::{
    ignored,
    kind::{self, Kind},
    problem::{Place, Problem, Warning},
    settings::{self, Setting},
};

/// How alike two names must be for one to be suggested for the other, from 0 to 1.
const SUGGESTION_LIKENESS: f64 = 0.8;

/// Prefix of names that are nobody else's, so that an unknown one is a mistake.
const PREFIX: &str = "MIRA_";

/// Values by the name of their setting, before they are typed.
#[derive(Debug, Default)]
pub(super) struct Values {
    found: BTreeMap<&'static str, Found>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Warning>,
}

/// No `Debug`: the value may be a secret.
struct Found {
    name: String,
    place: Place,
    value: String,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found")
            .field("name", &self.name)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Values {
    /// Takes what the environment says, which the file cannot override. An empty value is no value.
    pub(super) fn add_environment(&mut self, variables: impl Iterator<Item = (String, String)>) {
        self.add(variables, Place::Environment);
    }

    /// Takes the file that `MIRA_CONFIG` names, else this one.
    pub(super) fn add_chosen_file(&mut self, default: Option<&Path>) {
        if let Some(path) = self.path("MIRA_CONFIG").as_deref().or(default) {
            self.add_file(path);
        }
    }

    /// Takes what a TOML file says: the same names, at the top level.
    pub(super) fn add_file(&mut self, path: &Path) {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(source) => {
                return self.problems.push(Problem::File {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        match config::Source::collect(&config::File::from_str(&text, FileFormat::Toml)) {
            Ok(table) => self.add(
                table.into_iter().map(|(name, value)| (name, text_of(value))),
                Place::File,
            ),
            Err(error) => {
                // The first line says where; those after it quote the file, and what they quote may be a secret.
                let error = error.to_string().lines().next().unwrap_or_default().to_owned();
                self.problems.push(Problem::Syntax {
                    path: path.to_owned(),
                    error,
                });
            }
        }
    }

    fn add(&mut self, variables: impl Iterator<Item = (String, String)>, place: Place) {
        let mut variables: BTreeMap<String, String> = variables
            .map(|(name, value)| (name, value.trim().to_owned()))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        for setting in settings::all() {
            for name in setting.names() {
                if let Some(value) = variables.remove(name) {
                    let name = name.to_owned();
                    self.put(setting, Found { name, place, value });
                }
            }
        }
        // What remains is not a setting. The environment is full of other people's names, the file is not.
        for name in variables.into_keys() {
            if let Some(reason) = ignored::reason(&name) {
                self.warnings.push(Warning::Ignored { name, place, reason });
            } else if place == Place::File || name.starts_with(PREFIX) {
                let suggestion = nearest(&name);
                self.warnings.push(Warning::Unknown {
                    name,
                    place,
                    suggestion,
                });
            }
        }
    }

    fn put(&mut self, setting: &'static Setting, new: Found) {
        match self.found.get(setting.name) {
            None if !setting.kind.accepts(&new.value) => self.problems.push(invalid(setting.kind, new)),
            None if setting.later => {
                let Found { name, place, .. } = new;
                self.warnings.push(Warning::Later { name, place });
            }
            None => {
                self.found.insert(setting.name, new);
            }
            // That the environment overrides the file is what it is for.
            Some(old) if old.place == new.place && old.value != new.value => {
                let Found { name, place, .. } = new;
                self.warnings.push(Warning::Shadowed {
                    name,
                    place,
                    instead: old.name.clone(),
                });
            }
            Some(_) => {}
        }
    }

    /// The value of a setting, else its default.
    fn value(&self, name: &str) -> Option<&str> {
        let found = self.found.get(name).map(|found| found.value.as_str());
        found.or_else(|| settings::default_of(name))
    }

    pub(super) fn optional(&self, name: &str) -> Option<String> {
        self.value(name).map(str::to_owned)
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.value(name).unwrap_or_default().to_owned()
    }

    pub(super) fn secret(&self, name: &str) -> Option<SecretString> {
        self.value(name).map(SecretString::from)
    }

    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.value(name).map(PathBuf::from)
    }

    pub(super) fn database(&self, name: &str) -> Option<PathBuf> {
        self.value(name).and_then(kind::database)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.value(name).and_then(kind::flag).unwrap_or_default()
    }

    /// A whole number or a number of bytes. Its bounds are in the table, and fit the type that is asked for.
    pub(super) fn number<T: TryFrom<u64> + Default>(&self, name: &str) -> T {
        let number = self.value(name).and_then(kind::bytes);
        number
            .and_then(|number| T::try_from(number).ok())
            .unwrap_or_default()
    }

    /// A number from 0 to 1.
    pub(super) fn fraction(&self, name: &str) -> f64 {
        self.value(name)
            .and_then(|value| value.parse().ok())
            .unwrap_or_default()
    }

    /// The entries of a comma-separated list.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let value = self.value(name).unwrap_or_default();
        kind::list(value).map(str::to_owned).collect()
    }

    pub(super) fn seconds(&self, name: &str) -> Duration {
        Duration::from_secs(self.number(name))
    }

    pub(super) fn milliseconds(&self, name: &str) -> Duration {
        Duration::from_millis(self.number(name))
    }

    /// One of several. `default` is what it is when the table says a name that is not among `choices`.
    pub(super) fn choice<T: Copy>(&self, name: &str, default: T, choices: &[(&str, T)]) -> T {
        let value = self.text(name).to_ascii_lowercase();
        choices
            .iter()
            .find(|(choice, _)| *choice == value)
            .map_or(default, |(_, chosen)| *chosen)
    }
}

fn invalid(kind: Kind, found: Found) -> Problem {
    let Found { name, place, value } = found;
    let found = match kind {
        // Addresses can carry passwords.
        Kind::Secret | Kind::Url | Kind::Database => "something else".to_owned(),
        Kind::Text
        | Kind::Path
        | Kind::Flag
        | Kind::Integer { .. }
        | Kind::Seconds { .. }
        | Kind::Milliseconds { .. }
        | Kind::Bytes { .. }
        | Kind::Fraction
        | Kind::Choice(_)
        | Kind::List(_)
        | Kind::Origins => format!("`{value}`"),
    };
    Problem::Invalid {
        name,
        place,
        accepted: kind.accepted(),
        found,
    }
}

/// A scalar as it would be written in the environment, an array as a comma-separated list.
fn text_of(value: Value) -> String {
    match value.kind {
        ValueKind::Array(entries) => entries.into_iter().map(text_of).collect::<Vec<_>>().join(","),
        kind => kind.to_string(),
    }
}

fn nearest(name: &str) -> Option<&'static str> {
    settings::all()
        .flat_map(Setting::names)
        .map(|known| (strsim::normalized_damerau_levenshtein(name, known), known))
        .filter(|(likeness, _)| *likeness >= SUGGESTION_LIKENESS)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}
