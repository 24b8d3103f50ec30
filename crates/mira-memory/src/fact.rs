//! What is known of a user, with a life: confirmed, refined, superseded, retracted; never overwritten.
//!
//! A fact has two times. `valid_from` and `valid_to` say when it was true in the world; `recorded`, the end's `learned` and
//! `retracted` say when Mira came to believe so. Both can be asked for: what did I prefer in June, and what did Mira think
//! of that in July ([`Facts::as_of`], [`Facts::known_at`]).
//!
//! What is stated anew is compared with what is known of the same user, project, subject and key:
//!
//! | stated | becomes of it |
//! |---|---|
//! | the same value, or less than is known | the fact is confirmed and its confidence rises |
//! | the value and more | the fact ends as refined, the new one begins |
//! | something else | the fact ends as superseded when the new one begins |
//! | something else, doubtful against a firm fact | kept beside it as tentative until it is said often enough |
//! | something else, for a key that holds many ([`holds_many`]) | both stand |
//! | that it holds no longer | the fact ends as retracted, nothing follows |
//! | something of an earlier time than the next state | a past state that ends where the next begins |
//!
//! Facts about the subject `project` belong to the project of the message; all others hold everywhere.

mod correct;
mod decide;
mod forget;
mod history;
mod settle;
mod value;

use mira_store::vector::PointId;
use mira_store::{FactId, MessageId, ProjectId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

pub use self::history::FactHistory;
pub(crate) use self::settle::{Said, state};
pub use self::value::holds_many;
pub(crate) use self::value::line;
use crate::jobs::Job;
use crate::names::names;
use crate::outbox::Subject;
use crate::relationship::Statement;
use crate::row::{json, named, optional_named, to_json};
use crate::{Error, Memory, secret};

/// The longest key and subject, in characters; what is longer is cut.
pub const MAX_KEY_CHARS: usize = 80;

/// The longest value and the longest context, in characters; what is longer is cut.
pub const MAX_VALUE_CHARS: usize = 500;

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    Personal,
    Professional,
    Technical,
    Preference,
    Biographical,
}

names!(Category:
    Personal = "personal",
    Professional = "professional",
    Technical = "technical",
    Preference = "preference",
    Biographical = "biographical",
);

/// How a fact ceased to be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Something else is true since.
    Superseded,
    /// Something more exact is known since.
    Refined,
    /// It holds no longer, and nothing took its place.
    Retracted,
}

names!(Ending: Superseded = "superseded", Refined = "refined", Retracted = "retracted");

/// One state of something known of a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    pub id: FactId,
    pub user: String,
    /// The only project that it holds in.
    pub project: Option<ProjectId>,
    /// Whom it is about, in lower case: `user`, `project`, or the name of a person or thing.
    pub subject: String,
    /// What about them: lower case, words joined by `_`.
    pub key: String,
    pub value: String,
    pub category: Category,
    /// 0 to 1.
    pub confidence: f64,
    /// Why or when it applies, where that was said.
    pub context: Option<String>,
    /// The message that said it first; none when it was entered by hand or the message is gone.
    pub source: Option<MessageId>,
    /// Since when it is true.
    pub valid_from: Timestamp,
    /// How it ceased to be true; none while it is.
    pub end: Option<End>,
    /// Since when Mira knows it.
    pub recorded: Timestamp,
    /// When it turned out never to have been true.
    pub retracted: Option<Timestamp>,
    /// The state that took its place in the world, or that corrected it.
    pub replaced_by: Option<FactId>,
    /// When it was said again, in order of time: the last [`Fact::MAX_CONFIRMATIONS`].
    pub confirmations: Vec<Confirmation>,
    /// Doubtful, and contradicts a firmer fact beside it.
    pub tentative: bool,
    /// Always in the prompt.
    pub pinned: bool,
}

/// The end of a fact's truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub how: Ending,
    /// The first moment at which it was no longer true. May be the moment that it began at, or lie in the future.
    pub valid_to: Timestamp,
    /// Since when Mira knows.
    pub learned: Timestamp,
}

/// That a fact was said again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// None when it was entered by hand.
    pub message: Option<MessageId>,
    /// When it was said.
    pub at: Timestamp,
}

impl Fact {
    /// How many confirmations are kept; the oldest make room.
    pub const MAX_CONFIRMATIONS: usize = 100;

    /// Whether it is believed, and true at a time.
    pub fn holds_at(&self, time: Timestamp) -> bool {
        self.retracted.is_none() && self.valid_from <= time && self.end.is_none_or(|end| time < end.valid_to)
    }

    /// Whether a message said it, first or again.
    fn was_said_by(&self, message: MessageId) -> bool {
        self.source == Some(message)
            || self
                .confirmations
                .iter()
                .any(|confirmation| confirmation.message == Some(message))
    }
}

/// Which facts are asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    pub user: String,
    /// Those of this project and those that hold everywhere; without it, all.
    pub project: Option<ProjectId>,
    pub subject: Option<String>,
    pub key: Option<String>,
    pub category: Option<Category>,
    /// Those true at this time; without it, now.
    pub as_of: Option<Timestamp>,
    /// As Mira knew at this time; without it, as she knows now.
    pub known_at: Option<Timestamp>,
    /// Also those that are not true at the time, and those that turned out never to have been.
    pub include_ended: bool,
    /// The last fact of the page before.
    pub after: Option<FactId>,
    pub limit: u32,
}

impl Facts {
    /// The first hundred of a user that are true now.
    pub fn of(user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            project: None,
            subject: None,
            key: None,
            category: None,
            as_of: None,
            known_at: None,
            include_ended: false,
            after: None,
            limit: 100,
        }
    }
}

/// What is embedded and shown of a fact: one line, without secrets.
pub fn text(fact: &Fact) -> String {
    let context = fact
        .context
        .as_ref()
        .map_or_else(String::new, |context| format!(" ({context})"));
    let key = fact.key.replace('_', " ");
    let line = format!("{} · {key}: {}{context}", fact.subject, fact.value);
    secret::mask(&line).into_owned()
}

fn from_row(row: &SqliteRow) -> Result<Fact, sqlx::Error> {
    let end = match optional_named(row, "ended", Ending::parse)? {
        Some(how) => Some(End {
            how,
            valid_to: row.try_get("valid_to_ms")?,
            learned: row.try_get("ended_ms")?,
        }),
        None => None,
    };
    Ok(Fact {
        id: row.try_get("id")?,
        user: row.try_get("user_id")?,
        project: row.try_get("project_id")?,
        subject: row.try_get("subject")?,
        key: row.try_get("key")?,
        value: row.try_get("value")?,
        category: named(row, "category", Category::parse)?,
        confidence: row.try_get("confidence")?,
        context: row.try_get("context")?,
        source: row.try_get("source_message")?,
        valid_from: row.try_get("valid_from_ms")?,
        end,
        recorded: row.try_get("recorded_ms")?,
        retracted: row.try_get("retracted_ms")?,
        replaced_by: row.try_get("replaced_by")?,
        confirmations: json(row, "confirmations")?,
        tentative: row.try_get("tentative")?,
        pinned: row.try_get("pinned")?,
    })
}

/// Stores a fact as it is, without comparing it with others.
pub(crate) async fn insert(connection: &mut SqliteConnection, fact: &Fact) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO facts (id, user_id, project_id, subject, key, value, category, confidence, context, source_message,
             valid_from_ms, valid_to_ms, recorded_ms, retracted_ms, ended, ended_ms, replaced_by, confirmations,
             tentative, pinned)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
    )
    .bind(fact.id)
    .bind(&fact.user)
    .bind(fact.project)
    .bind(&fact.subject)
    .bind(&fact.key)
    .bind(&fact.value)
    .bind(fact.category.as_str())
    .bind(fact.confidence)
    .bind(&fact.context)
    .bind(fact.source)
    .bind(fact.valid_from)
    .bind(fact.end.map(|end| end.valid_to))
    .bind(fact.recorded)
    .bind(fact.retracted)
    .bind(fact.end.map(|end| end.how.as_str()))
    .bind(fact.end.map(|end| end.learned))
    .bind(fact.replaced_by)
    .bind(to_json(&fact.confirmations))
    .bind(fact.tentative)
    .bind(fact.pinned)
    .execute(connection)
    .await?;
    Ok(())
}

/// A fact by id, also one that ended or was retracted.
pub async fn get(connection: &mut SqliteConnection, id: FactId) -> Result<Option<Fact>, Error> {
    sqlx::query("SELECT * FROM facts WHERE id = ?1")
        .bind(id)
        .try_map(|row| from_row(&row))
        .fetch_optional(connection)
        .await
        .map_err(Error::from)
}

/// The facts that are asked for, the last recorded first.
pub async fn list(
    connection: &mut SqliteConnection,
    asked: &Facts,
    now: Timestamp,
) -> Result<Vec<Fact>, Error> {
    sqlx::query(
        "SELECT * FROM facts
         WHERE user_id = ?1 AND (?2 IS NULL OR project_id IS NULL OR project_id = ?2)
             AND (?3 IS NULL OR subject = ?3) AND (?4 IS NULL OR key = ?4) AND (?5 IS NULL OR category = ?5)
             AND recorded_ms <= ?7
             AND (?8 OR ((retracted_ms IS NULL OR retracted_ms > ?7) AND valid_from_ms <= ?6
                 AND (valid_to_ms IS NULL OR ended_ms > ?7 OR valid_to_ms > ?6)))
             AND (?9 IS NULL OR id < ?9)
         ORDER BY id DESC LIMIT ?10",
    )
    .bind(&asked.user)
    .bind(asked.project)
    .bind(
        asked
            .subject
            .as_deref()
            .map(|subject| line(&subject.to_lowercase(), MAX_KEY_CHARS)),
    )
    .bind(asked.key.as_deref().map(|key| value::key(key, MAX_KEY_CHARS)))
    .bind(asked.category.map(Category::as_str))
    .bind(asked.as_of.unwrap_or(now))
    .bind(asked.known_at.unwrap_or(Timestamp::from_ms(i64::MAX)))
    .bind(asked.include_ended)
    .bind(asked.after)
    .bind(asked.limit)
    .try_map(|row| from_row(&row))
    .fetch_all(connection)
    .await
    .map_err(Error::from)
}

/// What a user's prompts begin with: up to `limit` firm facts that hold now, in the project or everywhere; pinned ones
/// first, then preferences and directives, then the surest, then those said last.
pub async fn current(
    connection: &mut SqliteConnection,
    user: &str,
    project: Option<ProjectId>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Fact>, Error> {
    sqlx::query(
        "SELECT * FROM facts
         WHERE user_id = ?1 AND (project_id IS NULL OR project_id = ?2) AND NOT tentative AND retracted_ms IS NULL
             AND valid_from_ms <= ?3 AND (valid_to_ms IS NULL OR valid_to_ms > ?3)
         ORDER BY pinned DESC, category = 'preference' DESC, confidence DESC, valid_from_ms DESC, id DESC LIMIT ?4",
    )
    .bind(user)
    .bind(project)
    .bind(now)
    .bind(limit)
    .try_map(|row| from_row(&row))
    .fetch_all(connection)
    .await
    .map_err(Error::from)
}

impl Memory {
    /// The facts that are asked for, the last recorded first. Tentative ones are among them.
    pub async fn facts(&self, asked: &Facts) -> Result<Vec<Fact>, Error> {
        let now = self.inner.clock.now();
        list(&mut *self.inner.database.readers().acquire().await?, asked, now).await
    }

    /// A fact by id, also one that ended or was retracted.
    pub async fn fact(&self, id: FactId) -> Result<Option<Fact>, Error> {
        get(&mut *self.inner.database.readers().acquire().await?, id).await
    }

    /// A fact with the states before and after it and the message that said it.
    pub async fn explain_fact(&self, id: FactId) -> Result<Option<FactHistory>, Error> {
        history::explain(&mut *self.inner.database.readers().acquire().await?, id).await
    }

    /// Enters a fact by hand: settled with what is known as if it were said now, with the confidence given. None when it
    /// is a retraction; otherwise the fact that holds it, which is an older one when that was only confirmed.
    pub async fn add_fact(
        &self,
        user: &str,
        project: Option<ProjectId>,
        statement: &Statement,
    ) -> Result<Option<Fact>, Error> {
        let mut transaction = self.inner.database.begin().await?;
        let now = self.inner.clock.now();
        let said = Said {
            user,
            project,
            message: None,
            time: now,
        };
        let settled = state(&mut transaction, said, statement, now).await?;
        let fact = match settled.fact() {
            Some(id) => get(&mut transaction, id).await?,
            None => None,
        };
        transaction.commit().await?;
        self.inner.board.wake(Job::Embedding);
        Ok(fact)
    }

    /// Says on the user's word what the value of a fact really was: the fact is retracted as never true, and one with
    /// confidence 1 takes its time and its pin. None when there is no such fact or it is retracted already.
    pub async fn correct_fact(&self, id: FactId, value: &str) -> Result<Option<Fact>, Error> {
        let mut transaction = self.inner.database.begin().await?;
        let now = self.inner.clock.now();
        let corrected = correct::correct(&mut transaction, id, value, now).await?;
        transaction.commit().await?;
        if corrected.is_some() {
            self.drop_vectors(&[Subject::Fact(id).point()]).await;
        }
        self.inner.board.wake(Job::Embedding);
        Ok(corrected)
    }

    /// Removes a fact with its history: of a key with one value ([`holds_many`]) every state, of a key with many those of
    /// this value. The rows and vectors are gone when this returns. The messages that said it stay, but analysing them
    /// again brings no fact back; a new message may. Returns what was removed.
    pub async fn forget_fact(&self, id: FactId) -> Result<Vec<FactId>, Error> {
        let mut transaction = self.inner.database.begin().await?;
        let forgotten = forget::forget(&mut transaction, id).await?;
        transaction.commit().await?;
        let points: Vec<PointId> = forgotten.iter().map(|id| Subject::Fact(*id).point()).collect();
        self.drop_vectors(&points).await;
        Ok(forgotten)
    }

    /// The messages that said a fact, in any of the states that [`Self::forget_fact`] removes.
    pub async fn sources_of_fact(&self, id: FactId) -> Result<Vec<MessageId>, Error> {
        let mut reader = self.inner.database.readers().acquire().await?;
        forget::sources(&mut reader, id).await
    }

    /// Keeps a fact in every prompt. Says whether it exists.
    pub async fn pin_fact(&self, id: FactId) -> Result<bool, Error> {
        self.set_pinned(id, true).await
    }

    /// Undoes [`Self::pin_fact`].
    pub async fn unpin_fact(&self, id: FactId) -> Result<bool, Error> {
        self.set_pinned(id, false).await
    }

    async fn set_pinned(&self, id: FactId, pinned: bool) -> Result<bool, Error> {
        let mut transaction = self.inner.database.begin().await?;
        let updated = sqlx::query("UPDATE facts SET pinned = ?2 WHERE id = ?1")
            .bind(id)
            .bind(pinned)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(updated.rows_affected() > 0)
    }
}
