//! Statements become facts: what was decided is written.

use mira_store::{FactId, MessageId, ProjectId, Timestamp};
use sqlx::SqliteConnection;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::decide::{Decision, Stated, decide, raised};
use super::value::{self, line};
use super::{Confirmation, End, Ending, Fact, MAX_KEY_CHARS, MAX_VALUE_CHARS, from_row, holds_many, insert};
use crate::outbox::{self, Subject, Work};
use crate::relationship::Statement;
use crate::row::to_json;
use crate::{Error, secret};

/// How many states of one key are compared with a statement: those that have not ended, then the last recorded.
const MAX_STATES: u32 = 1000;

/// A `since` before 1900 is a mistake.
const EARLIEST: Timestamp = Timestamp::from_ms(-2_208_988_800_000);

/// A `since` further ahead of the statement is a mistake: a year.
const FURTHEST_MS: i64 = 366 * 24 * 60 * 60 * 1000;

/// Who said something, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    pub user: &'a str,
    /// The project of the message; or, without a message, the project that the fact is for.
    pub project: Option<ProjectId>,
    pub message: Option<MessageId>,
    pub time: Timestamp,
}

/// What became of a statement.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub added: Option<FactId>,
    pub confirmed: Option<FactId>,
    pub ended: Vec<FactId>,
}

impl Settled {
    /// The fact that holds what was stated.
    pub(super) fn fact(&self) -> Option<FactId> {
        self.confirmed.or(self.added)
    }
}

/// Settles a statement with what is known. Fails with [`Error::EmptyFact`] or [`Error::SecretFact`] when it is none that
/// may be kept, before anything is written.
pub(crate) async fn state(
    connection: &mut SqliteConnection,
    said: Said<'_>,
    statement: &Statement,
    now: Timestamp,
) -> Result<Settled, Error> {
    let stated = stated(said, statement)?;
    settle(connection, said.user, &stated, now).await
}

/// A statement as it is compared.
fn stated(said: Said<'_>, statement: &Statement) -> Result<Stated, Error> {
    let subject = line(&statement.subject.to_lowercase(), MAX_KEY_CHARS);
    let subject = match subject.as_str() {
        "" | "i" | "me" | "the user" => "user".to_owned(),
        "the project" | "this project" => "project".to_owned(),
        _ => subject,
    };
    let key = value::key(&statement.key, MAX_KEY_CHARS);
    let value = stated_value(&key, &statement.value)?;
    if key.is_empty() || (value.is_empty() && !statement.retracted) {
        return Err(Error::EmptyFact);
    }
    let context = statement
        .context
        .as_deref()
        .map(|context| line(&secret::mask(context), MAX_VALUE_CHARS));
    let from = statement
        .since
        .as_deref()
        .and_then(since)
        .filter(|from| *from >= EARLIEST && from.ms() <= said.time.ms().saturating_add(FURTHEST_MS))
        .unwrap_or(said.time);
    Ok(Stated {
        // What a message says of its project holds there; what it says of anything else holds everywhere.
        project: said
            .project
            .filter(|_| said.message.is_none() || subject == "project"),
        many: holds_many(&key),
        subject,
        key,
        value,
        category: statement.category,
        confidence: if statement.confidence.is_finite() {
            statement.confidence.clamp(0.0, 1.0)
        } else {
            0.0
        },
        context: context.filter(|context| !context.is_empty()),
        source: said.message,
        retracted: statement.retracted,
        from,
        said: from.max(said.time),
    })
}

/// A value as it is stored, unless it is a secret.
pub(super) fn stated_value(key: &str, value: &str) -> Result<String, Error> {
    // Some secrets show by what they are assigned to.
    if secret::contains(&format!("{key}: {value}")) {
        return Err(Error::SecretFact);
    }
    Ok(line(value, MAX_VALUE_CHARS)
        .trim_end_matches('.')
        .trim_end()
        .to_owned())
}

/// A date or time of RFC 3339, also without its smaller parts; what has no zone is in UTC.
fn since(text: &str) -> Option<Timestamp> {
    let text = line(text, 40).replacen(' ', "T", 1);
    let time = ["", "Z", ":00Z", "T00:00:00Z", "-01T00:00:00Z", "-01-01T00:00:00Z"]
        .into_iter()
        .find_map(|rest| OffsetDateTime::parse(&format!("{text}{rest}"), &Rfc3339).ok())?;
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000)
        .ok()
        .map(Timestamp::from_ms)
}

pub(super) async fn settle(
    connection: &mut SqliteConnection,
    user: &str,
    stated: &Stated,
    now: Timestamp,
) -> Result<Settled, Error> {
    let states = states(connection, user, stated, MAX_STATES).await?;
    let begun = |from| Fact {
        id: FactId::at(now),
        user: user.to_owned(),
        project: stated.project,
        subject: stated.subject.clone(),
        key: stated.key.clone(),
        value: stated.value.clone(),
        category: stated.category,
        confidence: stated.confidence,
        context: stated.context.clone(),
        source: stated.source,
        valid_from: from,
        end: None,
        recorded: now,
        retracted: None,
        replaced_by: None,
        confirmations: Vec::new(),
        tentative: false,
        pinned: false,
    };
    let end = |how, valid_to| End {
        how,
        valid_to,
        learned: now,
    };
    // A state that begins within another ends where that ended.
    let same_end = |fact: &Fact| fact.end.map(|known| end(known.how, known.valid_to));
    let before = |next: &Fact| Some(end(Ending::Superseded, next.valid_from));

    let mut settled = Settled::default();
    match decide(&states, stated) {
        Decision::Nothing => {}
        Decision::Confirm { fact, since } => {
            confirm(connection, fact, stated).await?;
            settled.confirmed = Some(fact.id);
            if let Some(since) = since {
                let earlier = Fact {
                    end: before(fact),
                    replaced_by: Some(fact.id),
                    ..begun(since)
                };
                add(connection, &earlier, now).await?;
                settled.added = Some(earlier.id);
            }
        }
        Decision::Begin { from, until } => {
            let new = Fact {
                end: until.and_then(before),
                replaced_by: until.map(|next| next.id),
                ..begun(from)
            };
            add(connection, &new, now).await?;
            settled.added = Some(new.id);
            settled.ended = end_doubts(connection, &states, &new, stated.said).await?;
        }
        Decision::Doubt(firm) => {
            let new = Fact {
                tentative: true,
                end: same_end(firm),
                ..begun(stated.from)
            };
            add(connection, &new, now).await?;
            settled.added = Some(new.id);
        }
        Decision::Replace {
            old,
            how,
            from,
            confidence,
        } => {
            let rest = rest(connection, old, stated.said, now).await?;
            let new = Fact {
                confidence,
                end: rest.as_ref().map_or_else(|| same_end(old), before),
                replaced_by: rest.map_or(old.replaced_by, |rest| Some(rest.id)),
                pinned: old.pinned,
                ..begun(from)
            };
            add(connection, &new, now).await?;
            end_at(connection, old, end(how, from), Some(new.id)).await?;
            settled.added = Some(new.id);
            settled.ended = end_doubts(connection, &states, &new, stated.said).await?;
            settled.ended.push(old.id);
        }
        Decision::End(facts) => {
            for fact in facts {
                let rest = rest(connection, fact, stated.said, now).await?;
                let replaced_by = rest.map(|rest| rest.id);
                end_at(connection, fact, end(Ending::Retracted, stated.said), replaced_by).await?;
                settled.ended.push(fact.id);
            }
        }
    }
    Ok(settled)
}

/// All that was ever known of the same thing.
pub(super) async fn states(
    connection: &mut SqliteConnection,
    user: &str,
    stated: &Stated,
    limit: u32,
) -> Result<Vec<Fact>, Error> {
    sqlx::query(
        "SELECT * FROM facts WHERE user_id = ?1 AND project_id IS ?2 AND subject = ?3 AND key = ?4
         ORDER BY valid_to_ms IS NULL DESC, recorded_ms DESC, id DESC LIMIT ?5",
    )
    .bind(user)
    .bind(stated.project)
    .bind(&stated.subject)
    .bind(&stated.key)
    .bind(limit)
    .try_map(|row| from_row(&row))
    .fetch_all(connection)
    .await
    .map_err(Error::from)
}

pub(super) async fn add(connection: &mut SqliteConnection, fact: &Fact, now: Timestamp) -> Result<(), Error> {
    insert(connection, fact).await?;
    outbox::add(connection, Work::Embed, Subject::Fact(fact.id), now).await
}

async fn confirm(connection: &mut SqliteConnection, fact: &Fact, stated: &Stated) -> Result<(), Error> {
    let mut confirmations = fact.confirmations.clone();
    confirmations.push(Confirmation {
        message: stated.source,
        at: stated.said,
    });
    confirmations.sort_by_key(|confirmation| confirmation.at);
    let surplus = confirmations.len().saturating_sub(Fact::MAX_CONFIRMATIONS);
    confirmations.drain(..surplus);
    sqlx::query("UPDATE facts SET confidence = ?2, confirmations = ?3 WHERE id = ?1")
        .bind(fact.id)
        .bind(raised(fact.confidence, stated.confidence))
        .bind(to_json(&confirmations))
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends a fact. One that had ended already is retracted in favour of a copy that ends earlier, so that what was believed
/// before is still known.
async fn end_at(
    connection: &mut SqliteConnection,
    fact: &Fact,
    end: End,
    replaced_by: Option<FactId>,
) -> Result<(), Error> {
    let confirmations: Vec<Confirmation> = fact
        .confirmations
        .iter()
        .filter(|again| again.at <= end.valid_to)
        .copied()
        .collect();
    if fact.end.is_some() {
        let copy = Fact {
            id: FactId::at(end.learned),
            end: Some(end),
            recorded: end.learned,
            replaced_by,
            confirmations,
            ..fact.clone()
        };
        add(connection, &copy, end.learned).await?;
        return retract(connection, fact.id, Some(copy.id), end.learned).await;
    }
    sqlx::query(
        "UPDATE facts SET valid_to_ms = ?2, ended = ?3, ended_ms = ?4, replaced_by = ?5, confirmations = ?6 WHERE id = ?1",
    )
    .bind(fact.id)
    .bind(end.valid_to)
    .bind(end.how.as_str())
    .bind(end.learned)
    .bind(replaced_by)
    .bind(to_json(&confirmations))
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends what was doubtful when a firmer state begins: it is either that or wrong, unless it was said again since.
async fn end_doubts(
    connection: &mut SqliteConnection,
    states: &[Fact],
    new: &Fact,
    said: Timestamp,
) -> Result<Vec<FactId>, Error> {
    let doubtful = states.iter().filter(|fact| fact.tentative && fact.holds_at(said));
    let mut ended = Vec::new();
    for fact in doubtful {
        rest(connection, fact, said, new.recorded).await?;
        let end = End {
            how: Ending::Superseded,
            valid_to: new.valid_from.max(fact.valid_from),
            learned: new.recorded,
        };
        end_at(connection, fact, end, Some(new.id)).await?;
        ended.push(fact.id);
    }
    Ok(ended)
}

/// A fact that is interrupted goes on from when it was said again, as a state of its own.
async fn rest(
    connection: &mut SqliteConnection,
    fact: &Fact,
    interrupted: Timestamp,
    now: Timestamp,
) -> Result<Option<Fact>, Error> {
    let later = fact
        .confirmations
        .iter()
        .filter(|again| again.at > interrupted)
        .copied();
    let later: Vec<Confirmation> = later.collect();
    let [first, confirmations @ ..] = later.as_slice() else {
        return Ok(None);
    };
    let rest = Fact {
        id: FactId::at(now),
        source: first.message,
        valid_from: first.at,
        end: fact.end.map(|end| End { learned: now, ..end }),
        recorded: now,
        confirmations: confirmations.to_vec(),
        ..fact.clone()
    };
    add(connection, &rest, now).await?;
    Ok(Some(rest))
}

/// Says that a fact was never true. It is no longer found by similarity.
pub(super) async fn retract(
    connection: &mut SqliteConnection,
    id: FactId,
    replaced_by: Option<FactId>,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("UPDATE facts SET retracted_ms = ?2, replaced_by = ?3 WHERE id = ?1")
        .bind(id)
        .bind(now)
        .bind(replaced_by)
        .execute(&mut *connection)
        .await?;
    forget_vectors(connection, &[id]).await
}

pub(super) async fn forget_vectors(connection: &mut SqliteConnection, ids: &[FactId]) -> Result<(), Error> {
    for id in ids {
        outbox::forget(connection, Subject::Fact(*id)).await?;
    }
    sqlx::query("DELETE FROM embeddings WHERE subject IN (SELECT value FROM json_each(?1))")
        .bind(to_json(ids))
        .execute(connection)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_since_may_be_any_part_of_a_date() {
        let cases = [
            ("2024-06-01T10:00:00Z", Some("2024-06-01T10:00:00Z")),
            ("2024-06-01T12:00:00+02:00", Some("2024-06-01T10:00:00Z")),
            ("2024-06-01 10:00:00", Some("2024-06-01T10:00:00Z")),
            ("2024-06-01T10:00", Some("2024-06-01T10:00:00Z")),
            (" 2024-06-01 ", Some("2024-06-01T00:00:00Z")),
            ("2024-06", Some("2024-06-01T00:00:00Z")),
            ("2024", Some("2024-01-01T00:00:00Z")),
            ("last summer", None),
            ("2024-13-01", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(
                since(text).map(|time| time.to_string()).as_deref(),
                expected,
                "{text:?}"
            );
        }
    }
}
