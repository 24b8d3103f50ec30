//! What a message tells about the user: what the analysis reports, and what becomes of it.

use mira_store::{FactId, PatternId, ProjectId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use crate::fact::{self, Category, Fact, Said, line};
use crate::message::Message;
use crate::pattern::{self, Pattern, PatternKind};
use crate::profile::{self, Profile};
use crate::{Error, Memory, secret};

/// How many statements and how many observations of one message are taken over; the rest is passed over.
pub const MAX_STATEMENTS: usize = 20;

/// How many facts and how many patterns go into prompts.
pub const MAX_PROMPT_FACTS: u32 = 40;
pub const MAX_PROMPT_PATTERNS: u32 = 5;

/// The longest line in a prompt, in characters.
const MAX_LINE_CHARS: usize = 240;

/// What one message told about the user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    pub facts: Vec<Statement>,
    pub patterns: Vec<Observation>,
    pub profile: ProfileChanges,
}

/// A fact as it was stated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Whom it is about: `user`, or the name of a person or thing.
    pub subject: String,
    /// What about them, such as `indentation` or `employer`: lower case, words joined by `_`. Statements with the same
    /// subject and key are about the same thing.
    pub key: String,
    pub value: String,
    pub category: Category,
    /// 0 to 1.
    pub confidence: f64,
    /// True when the user says that it holds no longer, or asks to forget it.
    #[serde(default)]
    pub retracted: bool,
    /// Why or when it applies, where that was said.
    #[serde(default)]
    pub context: Option<String>,
    /// Since when it is true (RFC 3339 date or time), where that is not the time of the message.
    #[serde(default)]
    pub since: Option<String>,
}

/// A habit as it was observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    pub kind: PatternKind,
    /// A short name; the same habit has the same name.
    pub name: String,
    pub description: String,
    /// How strongly this message speaks for it, -1 (against) to 1.
    pub confidence: f64,
    #[serde(default)]
    pub applies_when: Option<String>,
}

/// Fields of the profile that a message states anew; the others stay.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProfileChanges {
    pub preferred_languages: Option<Vec<String>>,
    pub coding_style: Option<String>,
    pub code_verbosity: Option<String>,
    pub testing_philosophy: Option<String>,
    pub architecture_preferences: Option<String>,
    pub explanation_depth: Option<String>,
    pub conversation_style: Option<String>,
    pub profanity_comfort: Option<String>,
    pub tech_stack: Option<Vec<String>>,
    pub learning_goals: Option<Vec<String>>,
}

/// What became of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    pub added: Vec<FactId>,
    pub confirmed: Vec<FactId>,
    pub ended: Vec<FactId>,
    pub patterns: Vec<PatternId>,
    pub profile_changed: bool,
    /// Statements that were empty or held a secret.
    pub refused: usize,
}

/// Settles what a message tells about a user with what is known. The same report of the same message changes nothing the
/// second time.
pub async fn apply(
    connection: &mut SqliteConnection,
    user: &str,
    source: &Message,
    report: &Report,
    now: Timestamp,
) -> Result<Applied, Error> {
    let mut applied = Applied::default();
    if !report.facts.is_empty() && !is_forgotten(connection, source).await? {
        let said = Said {
            user,
            project: source.project,
            message: Some(source.id),
            time: source.time,
        };
        for statement in report.facts.iter().take(MAX_STATEMENTS) {
            match fact::state(connection, said, statement, now).await {
                Ok(settled) => {
                    applied.added.extend(settled.added);
                    applied.confirmed.extend(settled.confirmed);
                    applied.ended.extend(settled.ended);
                }
                Err(Error::EmptyFact | Error::SecretFact) => applied.refused += 1,
                Err(error) => return Err(error),
            }
        }
    }
    for observation in report.patterns.iter().take(MAX_STATEMENTS) {
        let observed = pattern::observe(connection, user, observation, (source.id, source.time)).await?;
        applied.patterns.extend(observed);
    }
    if report.profile != ProfileChanges::default() {
        applied.profile_changed = profile::apply(connection, user, &report.profile, now).await?;
    }
    Ok(applied)
}

/// Whether a fact that this message said was forgotten.
async fn is_forgotten(connection: &mut SqliteConnection, source: &Message) -> Result<bool, Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM forgotten_sources WHERE message = ?1)")
        .bind(source.id)
        .fetch_one(connection)
        .await
        .map_err(Error::from)
}

/// What is known of a user, as far as it belongs into prompts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    pub profile: Option<Profile>,
    /// The [`MAX_PROMPT_FACTS`] that matter most, the most important first.
    pub facts: Vec<Fact>,
    /// The surest [`MAX_PROMPT_PATTERNS`].
    pub patterns: Vec<Pattern>,
}

impl Known {
    /// The text of a prompt, empty when nothing is known. A line for each thing: first what is pinned and what the user
    /// wants, then the profile, habits and the other facts. Lines stand in the order in which the facts were learned, so
    /// that a fact that is confirmed or added leaves what stands before it as it was.
    pub fn prompt_text(&self) -> String {
        let mut facts: Vec<&Fact> = self.facts.iter().collect();
        facts.sort_by_key(|fact| fact.id);
        let (wishes, others): (Vec<&Fact>, Vec<&Fact>) = facts
            .into_iter()
            .partition(|fact| fact.pinned || fact.category == Category::Preference);
        let mut patterns: Vec<&Pattern> = self.patterns.iter().collect();
        patterns.sort_by_key(|pattern| pattern.id);

        let mut text = String::new();
        section(
            &mut text,
            "What the user wants",
            wishes.into_iter().map(fact::text),
        );
        let profile = self.profile.iter().flat_map(Profile::lines);
        section(
            &mut text,
            "Profile",
            profile.map(|(label, text)| format!("{label}: {text}")),
        );
        section(&mut text, "Habits", patterns.into_iter().map(habit));
        section(&mut text, "Known facts", others.into_iter().map(fact::text));
        text
    }
}

fn habit(pattern: &Pattern) -> String {
    match &pattern.applies_when {
        Some(when) => format!("{}: {} (when {when})", pattern.name, pattern.description),
        None => format!("{}: {}", pattern.name, pattern.description),
    }
}

fn section(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        text.push_str(title);
        text.push_str(":\n");
    }
    for entry in lines {
        text.push_str("- ");
        text.push_str(&line(&secret::mask(&entry), MAX_LINE_CHARS));
        text.push('\n');
    }
}

impl Memory {
    /// What is known of a user for a prompt, in a project or outside of one.
    pub async fn known_of(&self, user: &str, project: Option<ProjectId>) -> Result<Known, Error> {
        let now = self.inner.clock.now();
        let mut reader = self.inner.database.readers().acquire().await?;
        Ok(Known {
            profile: profile::of(&mut reader, user).await?,
            facts: fact::current(&mut reader, user, project, now, MAX_PROMPT_FACTS).await?,
            patterns: pattern::of(&mut reader, user, pattern::PROMPTED, MAX_PROMPT_PATTERNS).await?,
        })
    }
}
