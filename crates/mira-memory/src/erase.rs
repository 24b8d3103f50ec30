//! Forgetting for good: the rows, the vectors, the words in the index, and what the disk still holds of them.

use std::collections::BTreeMap;
use std::time::Duration;

use mira_store::vector::PointId;
use mira_store::{MessageId, SessionId, SummaryId, note_removal};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};
use ulid::Ulid;

use crate::row::to_json;
use crate::scope::Scope;
use crate::{Error, Memory, session};

/// How long an erasure waits for readers of the state before it.
const READERS_PATIENCE: Duration = Duration::from_secs(30);

/// What an erasure removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    pub sessions: u64,
    pub messages: u64,
    pub summaries: u64,
    pub facts: u64,
    pub patterns: u64,
    pub profiles: u64,
    /// What the indices still have to forget.
    pub removed: Removed,
}

/// What is no longer in the tables but may be in the indices. [`Memory::forget`] removes it there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    pub messages: Vec<MessageId>,
    /// Summaries and facts.
    pub others: Vec<PointId>,
}

impl Memory {
    /// Removes what is in a scope so that no byte of it is left in the directory; see [`rows`] for what that is. It takes
    /// as long as writing the whole database anew.
    ///
    /// Cancel safe: once the rows are gone, what remains is to remove them from the indices, which happens sooner or later
    /// by itself, and from the disk, which [`Self::compact`], the next erasure or the next start does.
    /// [`mira_store::Error::Read`] says that somebody, such as an [`Export`](crate::portable::Export) in progress, still
    /// reads the state before, so that this remains.
    pub async fn erase(&self, scope: &Scope) -> Result<Erased, Error> {
        let mut transaction = self.inner.database.begin().await?;
        let erased = rows(&mut transaction, scope).await?;
        transaction.commit().await?;
        self.forget(&erased.removed).await;
        self.compact().await?;
        Ok(erased)
    }

    /// Removes from the indices what was removed from the tables in a transaction that is committed.
    pub async fn forget(&self, removed: &Removed) {
        self.inner.lexical.forget(&removed.messages);
        self.drop_vectors(&removed.points()).await;
    }

    /// Rewrites the database so that nothing of what was deleted is left on disk.
    pub async fn compact(&self) -> Result<(), Error> {
        Ok(self.inner.database.compact(READERS_PATIENCE).await?)
    }
}

/// Removes the rows of a scope, so that others can be removed in the same transaction. Call [`Memory::forget`] when it is
/// committed, and [`Memory::compact`].
///
/// - A session goes with its messages, their analyses and summaries, the facts that its messages were the source of in all
///   their states, and the patterns that are known from its messages only.
/// - A project goes with its messages and the like, and with the facts that hold for it. Sessions stay with what else was
///   said in them. Summaries that cover a message of the project go, and the later ones of the session with them, because
///   a summary is written with the earlier ones in view; they are made anew from what is left.
/// - A user goes with all sessions, facts and patterns and the profile.
///
/// What is known of a user as a whole stays when only a session or project goes: the profile, and facts that were entered
/// by hand.
pub async fn rows(connection: &mut SqliteConnection, scope: &Scope) -> Result<Erased, Error> {
    let patterns = execute(
        connection,
        scope,
        &format!("DELETE FROM patterns WHERE {}", scope.users()),
    )
    .await?
        + remove_patterns_known_from(connection, scope).await?;
    let profiles = execute(
        connection,
        scope,
        &format!("DELETE FROM profiles WHERE {}", scope.users()),
    )
    .await?;
    let facts = points(
        connection,
        scope,
        &format!("DELETE FROM facts WHERE {} RETURNING id", scope.facts()),
    )
    .await?;
    let mut summaries = points(
        connection,
        scope,
        &format!("DELETE FROM summaries WHERE {} RETURNING id", scope.summaries()),
    )
    .await?;
    let numbers: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT number FROM messages WHERE {}",
        scope.messages("messages")
    )))
    .bind(scope.bound())
    .fetch_all(&mut *connection)
    .await?;
    let mut removed = remove_messages(connection, &numbers).await?;
    summaries.append(&mut removed.others);
    let sessions = match scope {
        Scope::Project(_) => 0,
        Scope::Everything | Scope::User(_) | Scope::Session(_) => {
            execute(
                connection,
                scope,
                &format!("DELETE FROM sessions WHERE {}", scope.sessions()),
            )
            .await?
        }
    };
    let count = |points: &[PointId]| u64::try_from(points.len()).unwrap_or(u64::MAX);
    let erased = Erased {
        sessions,
        messages: u64::try_from(removed.messages.len()).unwrap_or(u64::MAX),
        summaries: count(&summaries),
        facts: count(&facts),
        patterns,
        profiles,
        removed: Removed {
            messages: removed.messages,
            others: [summaries, facts].concat(),
        },
    };
    remove_work(connection, &erased.removed.points()).await?;
    note_removal(connection).await?;
    Ok(erased)
}

/// Removes messages, as [`Memory::delete_message`] does, so that others can be removed in the same transaction.
pub async fn messages(connection: &mut SqliteConnection, ids: &[MessageId]) -> Result<Removed, Error> {
    let numbers: Vec<i64> =
        sqlx::query_scalar("SELECT number FROM messages WHERE id IN (SELECT value FROM json_each(?1))")
            .bind(to_json(ids))
            .fetch_all(&mut *connection)
            .await?;
    note_removal(connection).await?;
    remove_messages(connection, &numbers).await
}

/// Removes messages with what follows from them alone: their analyses, and the summaries that were written with them in
/// view. The facts that they were the source of stay without a source. Counts and titles are right again afterwards.
pub(crate) async fn remove_messages(
    connection: &mut SqliteConnection,
    numbers: &[i64],
) -> Result<Removed, Error> {
    let numbers = to_json(numbers);
    let mut removed = Removed::default();
    let mut first: BTreeMap<SessionId, i64> = BTreeMap::new();
    let rows: Vec<(MessageId, SessionId, i64)> = sqlx::query(
        "DELETE FROM messages WHERE number IN (SELECT value FROM json_each(?1)) RETURNING id, session_id, number",
    )
    .bind(&numbers)
    .try_map(|row: SqliteRow| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))
    .fetch_all(&mut *connection)
    .await?;
    for (id, session, number) in rows {
        removed.messages.push(id);
        let first = first.entry(session).or_insert(number);
        *first = number.min(*first);
    }
    for (session, first) in first {
        let summaries: Vec<SummaryId> = sqlx::query_scalar(
            "DELETE FROM summaries WHERE session_id = ?1 AND last_message >= ?2 RETURNING id",
        )
        .bind(session)
        .bind(first)
        .fetch_all(&mut *connection)
        .await?;
        removed
            .others
            .extend(summaries.into_iter().map(|id| PointId(id.ulid())));
        session::recount(connection, session).await?;
    }
    remove_work(connection, &removed.points()).await?;
    Ok(removed)
}

/// Removes the patterns that are known from messages in the scope only.
async fn remove_patterns_known_from(connection: &mut SqliteConnection, scope: &Scope) -> Result<u64, Error> {
    let sql = format!(
        "DELETE FROM patterns WHERE json_array_length(examples) > 0 AND NOT EXISTS (
             SELECT 1 FROM json_each(examples)
             WHERE value NOT IN (SELECT messages.id FROM messages WHERE {}))",
        scope.messages("messages")
    );
    execute(connection, scope, &sql).await
}

/// Removes the embeddings of things that are gone, and what was still to be done with them.
async fn remove_work(connection: &mut SqliteConnection, points: &[PointId]) -> Result<(), Error> {
    let ids = to_json(points);
    for table in [
        "DELETE FROM embeddings WHERE subject IN (SELECT value FROM json_each(?1))",
        "DELETE FROM outbox WHERE subject IN (SELECT value FROM json_each(?1))",
    ] {
        sqlx::query(table).bind(&ids).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Carries out a statement about a scope and says how many rows it concerned.
async fn execute(connection: &mut SqliteConnection, scope: &Scope, sql: &str) -> Result<u64, Error> {
    let done = sqlx::query(AssertSqlSafe(sql))
        .bind(scope.bound())
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// Like [`execute`], for a statement that returns ids.
async fn points(connection: &mut SqliteConnection, scope: &Scope, sql: &str) -> Result<Vec<PointId>, Error> {
    sqlx::query(AssertSqlSafe(sql))
        .bind(scope.bound())
        .try_map(|row: SqliteRow| {
            Ulid::from_string(row.try_get(0)?)
                .map(PointId)
                .map_err(|error| sqlx::Error::Decode(error.into()))
        })
        .fetch_all(connection)
        .await
        .map_err(Error::from)
}

impl Removed {
    fn points(&self) -> Vec<PointId> {
        let messages = self.messages.iter().map(|id| PointId(id.ulid()));
        messages.chain(self.others.iter().copied()).collect()
    }
}
