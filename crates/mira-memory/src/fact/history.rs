//! Where a fact comes from and what became of it.

use mira_store::FactId;
use sqlx::SqliteConnection;

use super::{Fact, from_row, get};
use crate::Error;
use crate::message::{self, Message};

/// How many predecessors and successors an explanation goes through.
const MAX_CHAIN: u32 = 100;

/// Where a fact comes from and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FactHistory {
    pub fact: Fact,
    /// The states that it took the place of, oldest first.
    pub predecessors: Vec<Fact>,
    /// The states that took its place, oldest first.
    pub successors: Vec<Fact>,
    /// The message that said it.
    pub source: Option<Message>,
}

/// A fact with what came before and after it.
pub(super) async fn explain(
    connection: &mut SqliteConnection,
    id: FactId,
) -> Result<Option<FactHistory>, Error> {
    let Some(fact) = get(connection, id).await? else {
        return Ok(None);
    };
    let source = match fact.source {
        Some(source) => message::get(connection, source).await?,
        None => None,
    };
    Ok(Some(FactHistory {
        fact,
        predecessors: chain(connection, id, PREDECESSORS).await?,
        successors: chain(connection, id, SUCCESSORS).await?,
        source,
    }))
}

const PREDECESSORS: &str = "
    WITH RECURSIVE chain (id) AS (
        SELECT id FROM facts WHERE replaced_by = ?1
        UNION SELECT facts.id FROM chain JOIN facts ON facts.replaced_by = chain.id LIMIT ?2
    )
    SELECT facts.* FROM chain JOIN facts USING (id) ORDER BY valid_from_ms, recorded_ms, id";

const SUCCESSORS: &str = "
    WITH RECURSIVE chain (id) AS (
        SELECT replaced_by FROM facts WHERE id = ?1
        UNION SELECT facts.replaced_by FROM chain JOIN facts USING (id) LIMIT ?2
    )
    SELECT facts.* FROM chain JOIN facts USING (id) ORDER BY valid_from_ms, recorded_ms, id";

async fn chain(
    connection: &mut SqliteConnection,
    id: FactId,
    query: &'static str,
) -> Result<Vec<Fact>, Error> {
    sqlx::query(query)
        .bind(id)
        .bind(MAX_CHAIN)
        .try_map(|row| from_row(&row))
        .fetch_all(connection)
        .await
        .map_err(Error::from)
}
