//! What similarity of meaning finds: messages themselves, and facts and summaries that lead to them.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use mira_store::vector::{Filter, Head, Search};
use mira_store::{FactId, MessageId, SessionId, SummaryId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::Query;
use super::weights::{LEADS, NEAREST};
use crate::row::to_json;
use crate::semantic::message_of;
use crate::{Error, Memory};

/// Cosines to the query.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub messages: HashMap<MessageId, f32>,
    /// Of facts, by the message that they came from.
    pub facts: HashMap<MessageId, f32>,
    pub summaries: Vec<Covered>,
}

/// The messages that a fitting summary covers.
#[derive(Debug)]
pub(super) struct Covered {
    pub session: SessionId,
    pub numbers: RangeInclusive<i64>,
    pub similarity: f32,
}

impl Memory {
    /// What is near to the query, by head.
    pub(super) async fn keys(&self, query: &Query, vector: Vec<f32>) -> Result<Keys, Error> {
        let asked = |head: Head| query.heads.as_ref().is_none_or(|heads| heads.contains(&head));
        let roles = query
            .roles
            .as_ref()
            .map(|roles| roles.iter().map(|role| role.as_str().to_owned()).collect());
        // A fact belongs to no session and a summary to no project; what they lead to is in scope or left out later.
        let of_user = |kind: &str| Filter {
            user: query.user.clone(),
            kinds: Some(vec![kind.to_owned()]),
            ..Filter::default()
        };
        let messages = Filter {
            sessions: query.sessions.clone(),
            project: query.project,
            roles,
            since: query.since,
            until: query.until,
            ..of_user("message")
        };
        let summaries = Filter {
            sessions: query.sessions.clone(),
            ..of_user("summary")
        };
        let searches: Vec<Search> = [
            (Head::Semantic, messages.clone(), NEAREST),
            (Head::Code, messages, NEAREST),
            (Head::Relationship, of_user("fact"), LEADS),
            (Head::Summary, summaries, LEADS),
        ]
        .into_iter()
        .filter(|(head, ..)| asked(*head))
        .map(|(head, filter, limit)| Search {
            head,
            vector: vector.clone(),
            filter,
            limit,
            exact: false,
        })
        .collect();
        let found = self.nearest(&searches).await?;

        let mut keys = Keys::default();
        let mut facts = HashMap::new();
        let mut summaries = HashMap::new();
        for (search, hits) in searches.iter().zip(found) {
            for hit in hits {
                match search.head {
                    Head::Semantic | Head::Code | Head::Documents => {
                        let best = keys.messages.entry(message_of(hit.id)).or_insert(hit.similarity);
                        *best = best.max(hit.similarity);
                    }
                    Head::Relationship => {
                        facts.insert(hit.id.0.into(), hit.similarity);
                    }
                    Head::Summary => {
                        summaries.insert(hit.id.0.into(), hit.similarity);
                    }
                }
            }
        }
        if !facts.is_empty() || !summaries.is_empty() {
            let mut reader = self.inner.database.readers().acquire().await?;
            keys.facts = sources(&mut reader, &facts).await?;
            keys.summaries = ranges(&mut reader, &summaries).await?;
        }
        Ok(keys)
    }
}

async fn sources(
    connection: &mut SqliteConnection,
    facts: &HashMap<FactId, f32>,
) -> Result<HashMap<MessageId, f32>, Error> {
    let ids: Vec<String> = facts.keys().map(ToString::to_string).collect();
    let rows: Vec<(FactId, MessageId)> = sqlx::query(
        "SELECT id, source_message FROM facts
         WHERE id IN (SELECT value FROM json_each(?1)) AND source_message IS NOT NULL
             AND retracted_ms IS NULL",
    )
    .bind(to_json(&ids))
    .try_map(|row: SqliteRow| Ok((row.try_get("id")?, row.try_get("source_message")?)))
    .fetch_all(connection)
    .await?;
    let mut sources = HashMap::new();
    for (fact, source) in rows {
        let similarity = facts.get(&fact).copied().unwrap_or(f32::NEG_INFINITY);
        let best = sources.entry(source).or_insert(similarity);
        *best = similarity.max(*best);
    }
    Ok(sources)
}

async fn ranges(
    connection: &mut SqliteConnection,
    summaries: &HashMap<SummaryId, f32>,
) -> Result<Vec<Covered>, Error> {
    let ids: Vec<String> = summaries.keys().map(ToString::to_string).collect();
    sqlx::query(
        "SELECT id, session_id, first_message, last_message FROM summaries
         WHERE id IN (SELECT value FROM json_each(?1))",
    )
    .bind(to_json(&ids))
    .try_map(|row: SqliteRow| {
        let id: SummaryId = row.try_get("id")?;
        Ok(Covered {
            session: row.try_get("session_id")?,
            numbers: row.try_get("first_message")?..=row.try_get("last_message")?,
            similarity: summaries.get(&id).copied().unwrap_or(0.0),
        })
    })
    .fetch_all(connection)
    .await
    .map_err(Error::from)
}
