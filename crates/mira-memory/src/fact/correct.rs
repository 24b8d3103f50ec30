//! The user says what a fact really was.

use mira_store::{FactId, Timestamp};
use sqlx::SqliteConnection;

use super::decide::Stated;
use super::settle::{add, retract, settle, stated_value};
use super::{End, Fact, get};
use crate::Error;

/// See [`crate::Memory::correct_fact`].
pub(super) async fn correct(
    connection: &mut SqliteConnection,
    id: FactId,
    value: &str,
    now: Timestamp,
) -> Result<Option<Fact>, Error> {
    let Some(wrong) = get(connection, id).await?.filter(|fact| fact.retracted.is_none()) else {
        return Ok(None);
    };
    let value = stated_value(&wrong.key, value)?;
    if value.is_empty() {
        return Err(Error::EmptyFact);
    }
    retract(connection, id, None, now).await?;
    let right = if wrong.end.is_some() {
        let right = Fact {
            id: FactId::at(now),
            value,
            confidence: 1.0,
            source: None,
            end: wrong.end.map(|end| End { learned: now, ..end }),
            recorded: now,
            confirmations: Vec::new(),
            ..wrong.clone()
        };
        add(connection, &right, now).await?;
        right.id
    } else {
        let stated = Stated {
            value,
            confidence: 1.0,
            source: None,
            retracted: false,
            from: wrong.valid_from,
            said: wrong.valid_from.max(now),
            ..Stated::of(&wrong)
        };
        let settled = settle(connection, &wrong.user, &stated, now).await?;
        let Some(right) = settled.fact() else {
            return Ok(None);
        };
        right
    };
    sqlx::query("UPDATE facts SET replaced_by = ?2 WHERE id = ?1")
        .bind(id)
        .bind(right)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE facts SET pinned = max(pinned, ?2), confidence = 1 WHERE id = ?1")
        .bind(right)
        .bind(wrong.pinned)
        .execute(&mut *connection)
        .await?;
    get(connection, right).await
}
