//! How much a message matters now: what it mattered at first, less with age, more with recall.
//!
//! Salience is computed when it is read, from the clock and from two values that are stored: the original one and the
//! reinforced one, which is the same until the first recall. With `retained(v, age) = max(min(v, FLOOR), v × share(age))`,
//!
//! ```text
//! salience = max(retained(original, now − said), retained(reinforced, now − last recalled or said))
//! ```
//!
//! and a recall sets `reinforced = min(CEILING, salience × REINFORCEMENT)`. So decay never compounds however often it is
//! computed, a recall never leaves a message weaker than it would be without any, and nothing has to be run for time to
//! pass. Decay deletes nothing.

use std::time::Duration;

use mira_store::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::analysis::Analysis;
use crate::row::to_json;
use crate::{Error, Memory, Message};

/// Age alone takes no message below this; one that began below it stays as it is.
pub const FLOOR: f64 = 0.2;

/// No recall raises a message above this.
pub const CEILING: f64 = 1.0;

/// What a recall multiplies salience by.
pub const REINFORCEMENT: f64 = 1.3;

/// The share of its salience that a message keeps while it is younger than so many days.
const SHARES: [(u64, f64); 6] = [
    (1, 1.0),
    (7, 0.95),
    (30, 0.90),
    (90, 0.80),
    (365, 0.70),
    (730, 0.50),
];

/// The share that is kept after that, for good.
const LASTING_SHARE: f64 = 0.30;

const DAY: Duration = Duration::from_hours(24);

/// What is left of a salience, 0 to 1, at an age.
pub fn retained(salience: f64, age: Duration) -> f64 {
    let share = SHARES
        .into_iter()
        .find(|&(days, _)| age.as_secs() / DAY.as_secs() < days)
        .map_or(LASTING_SHARE, |(_, share)| share);
    (salience * share).max(salience.min(FLOOR))
}

/// What the salience of a message follows from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strength {
    /// When it was analysed, 0 to 1.
    pub original: f64,
    /// After the last recall, 0 to 1.
    pub reinforced: f64,
    pub said: Timestamp,
    pub last_recalled: Option<Timestamp>,
    /// A pinned message never decays.
    pub pinned: bool,
}

impl Strength {
    /// That of a message and its analysis as they are stored.
    pub fn of(message: &Message, analysis: &Analysis) -> Self {
        Self {
            original: analysis.original_salience,
            reinforced: analysis.salience,
            said: message.time,
            last_recalled: analysis.last_recalled,
            pinned: message.pinned,
        }
    }

    /// The salience at a time, 0 to 1.
    pub fn at(&self, now: Timestamp) -> f64 {
        let kept = |salience: f64, since: Timestamp| {
            if self.pinned {
                salience
            } else {
                retained(salience, now.since(since))
            }
        };
        let recalled = self.last_recalled.unwrap_or(self.said);
        kept(self.original, self.said).max(kept(self.reinforced, recalled))
    }

    /// The strength after a recall.
    #[must_use]
    pub fn recalled(self, now: Timestamp) -> Self {
        Self {
            reinforced: (self.at(now) * REINFORCEMENT).min(CEILING),
            last_recalled: Some(now),
            ..self
        }
    }
}

impl Memory {
    /// Notes that these messages were recalled, which makes them matter more. Numbers without an analysis are left out.
    pub async fn reinforce(&self, numbers: &[i64]) -> Result<(), Error> {
        let mut transaction = self.inner.database.begin().await?;
        let now = self.inner.clock.now();
        let strengths = strengths(&mut transaction, numbers).await?;
        let raised: Vec<(i64, f64)> = strengths
            .into_iter()
            .map(|(number, strength)| (number, strength.recalled(now).reinforced))
            .collect();
        sqlx::query(
            "UPDATE analyses SET salience = raised.value ->> 1, recall_count = recall_count + 1, last_recalled_ms = ?2
             FROM json_each(?1) raised WHERE message = raised.value ->> 0",
        )
        .bind(to_json(&raised))
        .bind(now)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// The strength of each of these messages that was analysed, by number.
async fn strengths(
    connection: &mut SqliteConnection,
    numbers: &[i64],
) -> Result<Vec<(i64, Strength)>, Error> {
    sqlx::query(
        "SELECT number, original_salience, salience, time_ms, last_recalled_ms, pinned
         FROM messages JOIN analyses ON message = number WHERE number IN (SELECT value FROM json_each(?1))",
    )
    .bind(to_json(numbers))
    .try_map(|row: SqliteRow| {
        let strength = Strength {
            original: row.try_get("original_salience")?,
            reinforced: row.try_get("salience")?,
            said: row.try_get("time_ms")?,
            last_recalled: row.try_get("last_recalled_ms")?,
            pinned: row.try_get("pinned")?,
        };
        Ok((row.try_get("number")?, strength))
    })
    .fetch_all(connection)
    .await
    .map_err(Error::from)
}
