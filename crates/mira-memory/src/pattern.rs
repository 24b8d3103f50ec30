//! What was learned of how a user works: habits that grow surer as they show, and fade when they do not.

use std::time::Duration;

use mira_store::{MessageId, PatternId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::fact::line;
use crate::names::names;
use crate::relationship::Observation;
use crate::row::{json, named, to_json};
use crate::{Error, Memory, secret};

/// From this confidence a pattern is worth acting on.
pub const APPLICABLE: f64 = 0.5;

/// From this confidence a pattern stands in prompts.
pub const PROMPTED: f64 = 0.7;

/// Below this confidence a pattern counts as wrong.
pub const DEPRECATED: f64 = 0.2;

/// What the first observation of a pattern may say of its confidence.
const FIRST: std::ops::RangeInclusive<f64> = 0.3..=0.7;

/// What success and failure of acting on a pattern do to its confidence.
const WORKED: f64 = 0.05;
const FAILED: f64 = -0.1;

/// A pattern that did not show for so long loses confidence, once in each such time.
pub const STALE_AFTER: Duration = Duration::from_hours(30 * 24);
const STALE_ABOVE: f64 = 0.3;
const STALE_LOSS: f64 = 0.05;
const STALE_FLOOR: f64 = 0.1;

/// How many of the last messages that a pattern showed in are kept.
const MAX_EXAMPLES: usize = 10;

const MAX_NAME_CHARS: usize = 80;
const MAX_TEXT_CHARS: usize = 300;

/// What a pattern is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatternKind {
    CodingStyle,
    WorkPattern,
    Communication,
    Preference,
    TopicInterest,
    ProblemSolving,
}

names!(PatternKind:
    CodingStyle = "coding_style",
    WorkPattern = "work_pattern",
    Communication = "communication",
    Preference = "preference",
    TopicInterest = "topic_interest",
    ProblemSolving = "problem_solving",
);

/// A habit of a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pattern {
    pub id: PatternId,
    pub user: String,
    pub kind: PatternKind,
    /// In lower case; unique among those of the user and kind.
    pub name: String,
    pub description: String,
    /// The last messages that it showed in, the newest last. They may be gone.
    pub examples: Vec<MessageId>,
    /// 0 to 1.
    pub confidence: f64,
    pub applies_when: Option<String>,
    pub observations: u32,
    /// How often it was acted on.
    pub applications: u32,
    pub first_observed: Timestamp,
    pub last_observed: Timestamp,
    /// When it lost confidence for not showing.
    pub weakened: Option<Timestamp>,
}

impl Pattern {
    /// Whether it is worth acting on.
    pub fn is_applicable(&self) -> bool {
        self.confidence >= APPLICABLE
    }

    /// Whether it counts as wrong. It recovers when it shows again.
    pub fn is_deprecated(&self) -> bool {
        self.confidence < DEPRECATED
    }
}

/// How it went to act on a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    Worked,
    Failed,
}

fn from_row(row: &SqliteRow) -> Result<Pattern, sqlx::Error> {
    Ok(Pattern {
        id: row.try_get("id")?,
        user: row.try_get("user_id")?,
        kind: named(row, "kind", PatternKind::parse)?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        examples: json(row, "examples")?,
        confidence: row.try_get("confidence")?,
        applies_when: row.try_get("applies_when")?,
        observations: row.try_get("observations")?,
        applications: row.try_get("applications")?,
        first_observed: row.try_get("first_observed_ms")?,
        last_observed: row.try_get("last_observed_ms")?,
        weakened: row.try_get("weakened_ms")?,
    })
}

/// Stores a pattern, in the place of what was there under its id.
pub(crate) async fn put(connection: &mut SqliteConnection, pattern: &Pattern) -> Result<(), Error> {
    sqlx::query(
        "INSERT OR REPLACE INTO patterns (id, user_id, kind, name, description, examples, confidence, applies_when,
             observations, applications, first_observed_ms, last_observed_ms, weakened_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )
    .bind(pattern.id)
    .bind(&pattern.user)
    .bind(pattern.kind.as_str())
    .bind(&pattern.name)
    .bind(&pattern.description)
    .bind(to_json(&pattern.examples))
    .bind(pattern.confidence)
    .bind(&pattern.applies_when)
    .bind(pattern.observations)
    .bind(pattern.applications)
    .bind(pattern.first_observed)
    .bind(pattern.last_observed)
    .bind(pattern.weakened)
    .execute(connection)
    .await?;
    Ok(())
}

/// The patterns of a user of at least this confidence, the surest first.
pub async fn of(
    connection: &mut SqliteConnection,
    user: &str,
    min_confidence: f64,
    limit: u32,
) -> Result<Vec<Pattern>, Error> {
    sqlx::query(
        "SELECT * FROM patterns WHERE user_id = ?1 AND confidence >= ?2 ORDER BY confidence DESC, id LIMIT ?3",
    )
    .bind(user)
    .bind(min_confidence)
    .bind(limit)
    .try_map(|row| from_row(&row))
    .fetch_all(connection)
    .await
    .map_err(Error::from)
}

/// Takes over what a message shows of a habit. Nothing happens when the message is among the examples already, when it
/// speaks against a habit that is not known, or when the observation has no name.
pub(crate) async fn observe(
    connection: &mut SqliteConnection,
    user: &str,
    observation: &Observation,
    (message, time): (MessageId, Timestamp),
) -> Result<Option<PatternId>, Error> {
    let name = line(
        &secret::mask(&observation.name).to_lowercase().replace('_', " "),
        MAX_NAME_CHARS,
    );
    let strength = if observation.confidence.is_finite() {
        observation.confidence.clamp(-1.0, 1.0)
    } else {
        0.0
    };
    let known = sqlx::query("SELECT * FROM patterns WHERE user_id = ?1 AND kind = ?2 AND name = ?3")
        .bind(user)
        .bind(observation.kind.as_str())
        .bind(&name)
        .try_map(|row| from_row(&row))
        .fetch_optional(&mut *connection)
        .await?;
    let text = |text: &str| line(&secret::mask(text), MAX_TEXT_CHARS);
    let applies_when = observation
        .applies_when
        .as_deref()
        .map(text)
        .filter(|text| !text.is_empty());
    let pattern = match known {
        Some(known) if known.examples.contains(&message) => return Ok(None),
        Some(known) => {
            let mut examples = known.examples;
            examples.push(message);
            let surplus = examples.len().saturating_sub(MAX_EXAMPLES);
            examples.drain(..surplus);
            Pattern {
                examples,
                confidence: (known.confidence + strength).clamp(0.0, 1.0),
                applies_when: known.applies_when.or(applies_when),
                observations: known.observations.saturating_add(1),
                last_observed: known.last_observed.max(time),
                ..known
            }
        }
        None if strength <= 0.0 || name.is_empty() => return Ok(None),
        None => Pattern {
            id: PatternId::at(time),
            user: user.to_owned(),
            kind: observation.kind,
            name,
            description: text(&observation.description),
            examples: vec![message],
            confidence: strength.clamp(*FIRST.start(), *FIRST.end()),
            applies_when,
            observations: 1,
            applications: 0,
            first_observed: time,
            last_observed: time,
            weakened: None,
        },
    };
    put(connection, &pattern).await?;
    Ok(Some(pattern.id))
}

impl Memory {
    /// All patterns of a user, the surest first, those that count as wrong last.
    pub async fn patterns(&self, user: &str) -> Result<Vec<Pattern>, Error> {
        of(
            &mut *self.inner.database.readers().acquire().await?,
            user,
            0.0,
            u32::MAX,
        )
        .await
    }

    /// Notes how it went to act on a pattern. None when there is no such pattern.
    pub async fn pattern_outcome(&self, id: PatternId, outcome: Outcome) -> Result<Option<Pattern>, Error> {
        let mut transaction = self.inner.database.begin().await?;
        let change = match outcome {
            Outcome::Worked => WORKED,
            Outcome::Failed => FAILED,
        };
        let pattern = sqlx::query(
            "UPDATE patterns SET confidence = min(1.0, max(0.0, confidence + ?2)), applications = applications + 1
             WHERE id = ?1 RETURNING *",
        )
        .bind(id)
        .bind(change)
        .try_map(|row| from_row(&row))
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(pattern)
    }

    /// Takes some confidence from patterns that did not show for [`STALE_AFTER`], once in each such time however often
    /// it is called. Returns how many.
    pub async fn weaken_stale_patterns(&self) -> Result<u64, Error> {
        let now = self.inner.clock.now();
        let stale_ms = i64::try_from(STALE_AFTER.as_millis()).unwrap_or(i64::MAX);
        let mut transaction = self.inner.database.begin().await?;
        let weakened = sqlx::query(
            "UPDATE patterns SET confidence = max(?3, confidence - ?4), weakened_ms = ?1
             WHERE confidence > ?5 AND max(last_observed_ms, coalesce(weakened_ms, last_observed_ms)) <= ?2",
        )
        .bind(now)
        .bind(now.ms().saturating_sub(stale_ms))
        .bind(STALE_FLOOR)
        .bind(STALE_LOSS)
        .bind(STALE_ABOVE)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(weakened.rows_affected())
    }
}
