//! How a user wants to be worked with: one profile each.

use mira_store::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::fact::line;
use crate::names::names;
use crate::relationship::ProfileChanges;
use crate::row::{json, optional_named, to_json};
use crate::{Error, Memory, secret};

/// The most entries of a list; the oldest make room.
pub const MAX_ENTRIES: usize = 20;

/// The longest entry of a list, in characters.
const MAX_ENTRY_CHARS: usize = 60;

/// The longest free text, in characters.
const MAX_TEXT_CHARS: usize = 300;

/// The wishes of one user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub user: String,
    pub preferred_languages: Vec<String>,
    pub coding_style: Option<String>,
    pub code_verbosity: Option<Verbosity>,
    pub testing_philosophy: Option<String>,
    pub architecture_preferences: Option<String>,
    pub explanation_depth: Option<Depth>,
    pub conversation_style: Option<Style>,
    pub profanity_comfort: Option<Profanity>,
    pub tech_stack: Vec<String>,
    pub learning_goals: Vec<String>,
    pub created: Timestamp,
    pub updated: Timestamp,
}

/// How much code there should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verbosity {
    Minimal,
    Moderate,
    Verbose,
}

names!(Verbosity: Minimal = "minimal", Moderate = "moderate", Verbose = "verbose");

/// How far explanations should go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    Concise,
    Moderate,
    Detailed,
}

names!(Depth: Concise = "concise", Moderate = "moderate", Detailed = "detailed");

/// The tone of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    Casual,
    Professional,
    Technical,
}

names!(Style: Casual = "casual", Professional = "professional", Technical = "technical");

/// How much swearing is welcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profanity {
    None,
    Mild,
    Comfortable,
}

names!(Profanity: None = "none", Mild = "mild", Comfortable = "comfortable");

impl Profile {
    fn new(user: &str, now: Timestamp) -> Self {
        Self {
            user: user.to_owned(),
            preferred_languages: Vec::new(),
            coding_style: None,
            code_verbosity: None,
            testing_philosophy: None,
            architecture_preferences: None,
            explanation_depth: None,
            conversation_style: None,
            profanity_comfort: None,
            tech_stack: Vec::new(),
            learning_goals: Vec::new(),
            created: now,
            updated: now,
        }
    }

    /// Takes changes over: lists gain the new entries, an empty text clears its field, a name that is none of the known
    /// leaves its field alone. Secrets are masked.
    fn change(&mut self, changes: &ProfileChanges) {
        merge(
            &mut self.preferred_languages,
            changes.preferred_languages.as_deref(),
        );
        merge(&mut self.tech_stack, changes.tech_stack.as_deref());
        merge(&mut self.learning_goals, changes.learning_goals.as_deref());
        set_text(&mut self.coding_style, changes.coding_style.as_deref());
        set_text(
            &mut self.testing_philosophy,
            changes.testing_philosophy.as_deref(),
        );
        set_text(
            &mut self.architecture_preferences,
            changes.architecture_preferences.as_deref(),
        );
        set_name(
            &mut self.code_verbosity,
            changes.code_verbosity.as_deref(),
            Verbosity::parse,
        );
        set_name(
            &mut self.explanation_depth,
            changes.explanation_depth.as_deref(),
            Depth::parse,
        );
        set_name(
            &mut self.conversation_style,
            changes.conversation_style.as_deref(),
            Style::parse,
        );
        set_name(
            &mut self.profanity_comfort,
            changes.profanity_comfort.as_deref(),
            Profanity::parse,
        );
    }

    /// What stands in it, as labels and texts in a fixed order.
    pub(crate) fn lines(&self) -> Vec<(&'static str, String)> {
        let list = |entries: &[String]| (!entries.is_empty()).then(|| entries.join(", "));
        let name = |name: Option<&'static str>| name.map(str::to_owned);
        [
            ("preferred languages", list(&self.preferred_languages)),
            ("coding style", self.coding_style.clone()),
            ("amount of code", name(self.code_verbosity.map(Verbosity::as_str))),
            ("testing", self.testing_philosophy.clone()),
            ("architecture", self.architecture_preferences.clone()),
            ("explanations", name(self.explanation_depth.map(Depth::as_str))),
            ("tone", name(self.conversation_style.map(Style::as_str))),
            ("profanity", name(self.profanity_comfort.map(Profanity::as_str))),
            ("tech stack", list(&self.tech_stack)),
            ("learning goals", list(&self.learning_goals)),
        ]
        .into_iter()
        .filter_map(|(label, text)| Some((label, text?)))
        .collect()
    }
}

/// Adds the entries that are not there yet.
fn merge(entries: &mut Vec<String>, added: Option<&[String]>) {
    for entry in added.unwrap_or_default().iter().take(MAX_ENTRIES) {
        let entry = line(&secret::mask(entry), MAX_ENTRY_CHARS);
        if !entry.is_empty()
            && !entries
                .iter()
                .any(|known| known.to_lowercase() == entry.to_lowercase())
        {
            entries.push(entry);
        }
    }
    let surplus = entries.len().saturating_sub(MAX_ENTRIES);
    entries.drain(..surplus);
}

fn set_text(field: &mut Option<String>, text: Option<&str>) {
    if let Some(text) = text {
        let text = line(&secret::mask(text), MAX_TEXT_CHARS);
        *field = (!text.is_empty()).then_some(text);
    }
}

fn set_name<T>(field: &mut Option<T>, name: Option<&str>, parse: fn(&str) -> Option<T>) {
    let Some(name) = name.map(|name| name.trim().to_lowercase()) else {
        return;
    };
    if name.is_empty() {
        *field = None;
    } else if let Some(value) = parse(&name) {
        *field = Some(value);
    }
}

fn from_row(row: &SqliteRow) -> Result<Profile, sqlx::Error> {
    Ok(Profile {
        user: row.try_get("user_id")?,
        preferred_languages: json(row, "preferred_languages")?,
        coding_style: row.try_get("coding_style")?,
        code_verbosity: optional_named(row, "code_verbosity", Verbosity::parse)?,
        testing_philosophy: row.try_get("testing_philosophy")?,
        architecture_preferences: row.try_get("architecture_preferences")?,
        explanation_depth: optional_named(row, "explanation_depth", Depth::parse)?,
        conversation_style: optional_named(row, "conversation_style", Style::parse)?,
        profanity_comfort: optional_named(row, "profanity_comfort", Profanity::parse)?,
        tech_stack: json(row, "tech_stack")?,
        learning_goals: json(row, "learning_goals")?,
        created: row.try_get("created_ms")?,
        updated: row.try_get("updated_ms")?,
    })
}

/// The profile of a user; none when nothing was ever said about it.
pub async fn of(connection: &mut SqliteConnection, user: &str) -> Result<Option<Profile>, Error> {
    sqlx::query("SELECT * FROM profiles WHERE user_id = ?1")
        .bind(user)
        .try_map(|row| from_row(&row))
        .fetch_optional(connection)
        .await
        .map_err(Error::from)
}

/// Stores a profile in the place of what was there.
pub(crate) async fn put(connection: &mut SqliteConnection, profile: &Profile) -> Result<(), Error> {
    sqlx::query(
        "INSERT OR REPLACE INTO profiles (user_id, preferred_languages, coding_style, code_verbosity, testing_philosophy,
             architecture_preferences, explanation_depth, conversation_style, profanity_comfort, tech_stack,
             learning_goals, created_ms, updated_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )
    .bind(&profile.user)
    .bind(to_json(&profile.preferred_languages))
    .bind(&profile.coding_style)
    .bind(profile.code_verbosity.map(Verbosity::as_str))
    .bind(&profile.testing_philosophy)
    .bind(&profile.architecture_preferences)
    .bind(profile.explanation_depth.map(Depth::as_str))
    .bind(profile.conversation_style.map(Style::as_str))
    .bind(profile.profanity_comfort.map(Profanity::as_str))
    .bind(to_json(&profile.tech_stack))
    .bind(to_json(&profile.learning_goals))
    .bind(profile.created)
    .bind(profile.updated)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes over what a message tells: lists gain the new entries. Says whether anything is different.
pub(crate) async fn apply(
    connection: &mut SqliteConnection,
    user: &str,
    changes: &ProfileChanges,
    now: Timestamp,
) -> Result<bool, Error> {
    let known = of(connection, user)
        .await?
        .unwrap_or_else(|| Profile::new(user, now));
    let mut changed = known.clone();
    changed.change(changes);
    if changed == known {
        return Ok(false);
    }
    changed.updated = now;
    put(connection, &changed).await?;
    Ok(true)
}

impl Memory {
    /// The profile of a user; none when nothing was ever said about it.
    pub async fn profile(&self, user: &str) -> Result<Option<Profile>, Error> {
        of(&mut *self.inner.database.readers().acquire().await?, user).await
    }

    /// Changes a profile by hand: fields that are given replace what was there, lists included; an empty text or list
    /// clears its field, and a name that is none of the known leaves it alone.
    pub async fn set_profile(&self, user: &str, changes: &ProfileChanges) -> Result<Profile, Error> {
        let mut transaction = self.inner.database.begin().await?;
        let now = self.inner.clock.now();
        let mut profile = of(&mut transaction, user)
            .await?
            .unwrap_or_else(|| Profile::new(user, now));
        for (list, given) in [
            (&mut profile.preferred_languages, &changes.preferred_languages),
            (&mut profile.tech_stack, &changes.tech_stack),
            (&mut profile.learning_goals, &changes.learning_goals),
        ] {
            if given.is_some() {
                list.clear();
            }
        }
        profile.change(changes);
        profile.updated = now;
        put(&mut transaction, &profile).await?;
        transaction.commit().await?;
        Ok(profile)
    }
}
