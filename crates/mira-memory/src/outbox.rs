//! The table of work that is still to be done. A row is written in the transaction that makes the work necessary and
//! removed in the one that does it, so a killed process neither forgets work nor does it twice.

use std::time::Duration;

use mira_store::vector::PointId;
use mira_store::{FactId, MessageId, SummaryId, Timestamp};
use sqlx::{Row, SqliteConnection};

use crate::row::{named, to_json};
use crate::{Error, form};

/// The wait after the first failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// Characters of a failure that are kept.
const MAX_ERROR_CHARS: usize = 1_000;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    Analyse,
    Embed,
}

/// What it is to be done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    Message(MessageId),
    Summary(SummaryId),
    Fact(FactId),
}

/// One piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Task {
    pub seq: i64,
    pub subject: Subject,
    /// Failures so far.
    pub attempts: u32,
}

/// How much work of one kind waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    pub waiting: u64,
    /// Of those, how many have failed before.
    pub failing: u64,
    /// When the oldest was noted.
    pub oldest: Option<Timestamp>,
    /// What the last failure said.
    pub error: Option<String>,
}

impl Work {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Analyse => "analyse",
            Self::Embed => "embed",
        }
    }
}

impl Subject {
    /// The stored form of the kind.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Summary(_) => "summary",
            Self::Fact(_) => "fact",
        }
    }

    /// The id of its vectors.
    pub fn point(self) -> PointId {
        PointId(match self {
            Self::Message(id) => id.ulid(),
            Self::Summary(id) => id.ulid(),
            Self::Fact(id) => id.ulid(),
        })
    }

    /// The subject of a stored kind and id.
    pub(crate) fn stored(kind: &str, id: PointId) -> Option<Self> {
        match kind {
            "message" => Some(Self::Message(id.0.into())),
            "summary" => Some(Self::Summary(id.0.into())),
            "fact" => Some(Self::Fact(id.0.into())),
            _ => None,
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.point().0, f)
    }
}

/// Notes work, unless it is noted already.
pub(crate) async fn add(
    connection: &mut SqliteConnection,
    work: Work,
    subject: Subject,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("INSERT INTO outbox (work, kind, subject, noted_ms, due_ms) VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT DO NOTHING")
        .bind(work.as_str())
        .bind(subject.kind())
        .bind(subject.to_string())
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Up to `limit` pieces of work that may be tried now, the oldest first.
pub(crate) async fn due(
    connection: &mut SqliteConnection,
    work: Work,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Task>, Error> {
    sqlx::query(
        "SELECT seq, kind, subject, attempts FROM outbox WHERE work = ?1 AND due_ms <= ?2 ORDER BY due_ms, seq LIMIT ?3",
    )
    .bind(work.as_str())
    .bind(now)
    .bind(limit)
    .try_map(|row: sqlx::sqlite::SqliteRow| {
        let id: &str = row.try_get("subject")?;
        let id = ulid::Ulid::from_string(id).map_err(|error| sqlx::Error::Decode(error.into()))?;
        Ok(Task {
            seq: row.try_get("seq")?,
            subject: named(&row, "kind", |kind| Subject::stored(kind, PointId(id)))?,
            attempts: row.try_get("attempts")?,
        })
    })
    .fetch_all(connection)
    .await
    .map_err(Error::from)
}

/// Removes work that was done, in the transaction that did it.
pub(crate) async fn done(connection: &mut SqliteConnection, tasks: &[Task]) -> Result<(), Error> {
    let seqs: Vec<i64> = tasks.iter().map(|task| task.seq).collect();
    sqlx::query("DELETE FROM outbox WHERE seq IN (SELECT value FROM json_each(?1))")
        .bind(to_json(&seqs))
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes a failure and puts the work off: two seconds, doubling up to five minutes.
pub(crate) async fn failed(
    connection: &mut SqliteConnection,
    tasks: &[Task],
    error: &str,
    now: Timestamp,
) -> Result<(), Error> {
    for task in tasks {
        let wait = FIRST_WAIT
            .saturating_mul(1 << task.attempts.min(16))
            .min(LONGEST_WAIT);
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        sqlx::query("UPDATE outbox SET attempts = attempts + 1, error = ?2, due_ms = ?3 WHERE seq = ?1")
            .bind(task.seq)
            .bind(form::cut(error, MAX_ERROR_CHARS))
            .bind(now.ms().saturating_add(wait_ms))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Removes all work on a subject that goes away.
pub(crate) async fn forget(connection: &mut SqliteConnection, subject: Subject) -> Result<(), Error> {
    sqlx::query("DELETE FROM outbox WHERE subject = ?1")
        .bind(subject.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// How much work of a kind waits.
pub(crate) async fn backlog(connection: &mut SqliteConnection, work: Work) -> Result<Backlog, Error> {
    let row = sqlx::query(
        "SELECT count(*) AS waiting, count(nullif(attempts, 0)) AS failing, min(noted_ms) AS oldest,
             (SELECT error FROM outbox WHERE work = ?1 AND error IS NOT NULL ORDER BY due_ms DESC LIMIT 1) AS error
         FROM outbox WHERE work = ?1",
    )
    .bind(work.as_str())
    .fetch_one(connection)
    .await?;
    Ok(Backlog {
        waiting: row.try_get("waiting")?,
        failing: row.try_get("failing")?,
        oldest: row.try_get("oldest")?,
        error: row.try_get("error")?,
    })
}
