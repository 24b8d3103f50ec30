//! Memory in numbers.

use std::collections::HashMap;
use std::hash::Hash;

use mira_store::Timestamp;
use mira_store::vector::Head;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use crate::outbox::{self, Backlog, Work};
use crate::row::named;
use crate::scope::Scope;
use crate::summary::Kind;
use crate::{Error, Memory, Role};

/// How much there is of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    pub sessions: u64,
    pub messages: HashMap<Role, u64>,
    pub analysed: u64,
    pub pinned: u64,
    /// When the first and the last message were said.
    pub oldest: Option<Timestamp>,
    pub newest: Option<Timestamp>,
    /// Vectors of messages, summaries and facts.
    pub embedded: HashMap<Head, u64>,
    pub summaries: HashMap<Kind, u64>,
    /// What is true at present, and what was, will be, or turned out never to have been.
    pub current_facts: u64,
    pub other_facts: u64,
    pub patterns: u64,
    /// What waits to be analysed and embedded, whatever the scope.
    pub analysis_backlog: Backlog,
    pub embedding_backlog: Backlog,
    /// The size of the database file, whatever the scope.
    pub database_bytes: u64,
}

impl Memory {
    /// Counts what there is in a scope, in one consistent state. It walks the messages of the scope, without reading what
    /// they say: about a tenth of a second for a hundred thousand.
    pub async fn stats(&self, scope: &Scope) -> Result<Stats, Error> {
        let mut transaction = self.inner.database.readers().begin().await?;
        let messages = sqlx::query(AssertSqlSafe(about_messages(scope)))
            .bind(scope.bound())
            .fetch_one(&mut *transaction)
            .await?;
        let others = sqlx::query(AssertSqlSafe(about_others(scope)))
            .bind(scope.bound())
            .bind(self.inner.clock.now())
            .fetch_one(&mut *transaction)
            .await?;
        let facts: u64 = others.try_get("facts")?;
        let current_facts: u64 = others.try_get("current_facts")?;
        let mut by_role = HashMap::new();
        for role in Role::ALL {
            by_role.insert(*role, messages.try_get(role.as_str())?);
        }
        Ok(Stats {
            sessions: others.try_get("sessions")?,
            messages: by_role,
            analysed: messages.try_get("analysed")?,
            pinned: messages.try_get("pinned")?,
            oldest: messages.try_get("oldest")?,
            newest: messages.try_get("newest")?,
            embedded: counts(&mut transaction, scope, &embeddings_by_head(scope), head).await?,
            summaries: counts(&mut transaction, scope, &summaries_by_kind(scope), Kind::stored).await?,
            current_facts,
            other_facts: facts.saturating_sub(current_facts),
            patterns: others.try_get("patterns")?,
            analysis_backlog: outbox::backlog(&mut transaction, Work::Analyse).await?,
            embedding_backlog: outbox::backlog(&mut transaction, Work::Embed).await?,
            database_bytes: others.try_get("bytes")?,
        })
    }
}

/// Everything about messages in one pass.
fn about_messages(scope: &Scope) -> String {
    format!(
        "SELECT count(*) FILTER (WHERE role = 'user') AS user, count(*) FILTER (WHERE role = 'assistant') AS assistant,
             count(*) FILTER (WHERE role = 'system') AS system, count(analyses.message) AS analysed, count(nullif(pinned, 0)) AS pinned,
             min(time_ms) AS oldest, max(time_ms) AS newest
         FROM messages LEFT JOIN analyses ON analyses.message = messages.number WHERE {}",
        scope.messages("messages")
    )
}

fn about_others(scope: &Scope) -> String {
    format!(
        "SELECT (SELECT count(*) FROM sessions WHERE {sessions}) AS sessions,
             (SELECT count(*) FROM facts WHERE {facts}) AS facts,
             (SELECT count(*) FROM facts WHERE {facts} AND retracted_ms IS NULL AND valid_from_ms <= ?2
                 AND (valid_to_ms IS NULL OR valid_to_ms > ?2)) AS current_facts,
             (SELECT count(*) FROM patterns WHERE {users}) AS patterns,
             (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size) AS bytes",
        sessions = scope.sessions(),
        facts = scope.facts(),
        users = scope.users(),
    )
}

fn summaries_by_kind(scope: &Scope) -> String {
    format!(
        "SELECT kind AS name, count(*) FROM summaries WHERE {} GROUP BY kind",
        scope.summaries()
    )
}

fn embeddings_by_head(scope: &Scope) -> String {
    match scope {
        Scope::Everything => "SELECT head AS name, count(*) FROM embeddings WHERE ?1 IS NULL GROUP BY head".to_owned(),
        Scope::User(_) | Scope::Project(_) | Scope::Session(_) => format!(
            "SELECT head AS name, count(*) FROM embeddings WHERE subject IN (
                 SELECT messages.id FROM messages WHERE {} UNION ALL SELECT summaries.id FROM summaries WHERE {}
                 UNION ALL SELECT facts.id FROM facts WHERE {}) GROUP BY head",
            scope.messages("messages"),
            scope.summaries(),
            scope.facts()
        ),
    }
}

fn head(name: &str) -> Option<Head> {
    Head::ALL.into_iter().find(|head| head.as_str() == name)
}

/// Counts by a stored name.
async fn counts<K: Eq + Hash + Send + Unpin>(
    connection: &mut SqliteConnection,
    scope: &Scope,
    sql: &str,
    parse: fn(&str) -> Option<K>,
) -> Result<HashMap<K, u64>, Error> {
    let counts = sqlx::query(AssertSqlSafe(sql))
        .bind(scope.bound())
        .try_map(|row: SqliteRow| Ok((named(&row, "name", parse)?, row.try_get(1)?)))
        .fetch_all(connection)
        .await?;
    Ok(counts.into_iter().collect())
}
