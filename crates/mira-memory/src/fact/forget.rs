//! A fact is removed with its history.

use std::collections::HashSet;

use mira_store::{FactId, MessageId};
use sqlx::SqliteConnection;

use super::decide::Stated;
use super::settle::{forget_vectors, states};
use super::value::{Relation, relation};
use super::{Fact, get};
use crate::Error;
use crate::row::to_json;

/// Removes a fact with all states of the same thing: of a key with one value every state; of a key with many those of
/// this value and those in a chain with them. Returns the removed.
///
/// The messages that said any of it are kept, and marked so that analysing them again brings nothing back; a new message
/// may state it anew. The mark holds nothing of what was forgotten, not even a hash, which could be guessed.
pub(super) async fn forget(connection: &mut SqliteConnection, id: FactId) -> Result<Vec<FactId>, Error> {
    let forgotten = together(connection, id).await?;
    let ids: Vec<FactId> = forgotten.iter().map(|fact| fact.id).collect();
    let sources = said_by(&forgotten);
    sqlx::query(
        "INSERT INTO forgotten_sources (message)
         SELECT id FROM messages WHERE id IN (SELECT value FROM json_each(?1)) ON CONFLICT DO NOTHING",
    )
    .bind(to_json(&sources))
    .execute(&mut *connection)
    .await?;
    forget_vectors(connection, &ids).await?;
    sqlx::query("DELETE FROM facts WHERE id IN (SELECT value FROM json_each(?1))")
        .bind(to_json(&ids))
        .execute(connection)
        .await?;
    Ok(ids)
}

/// The messages that said a fact in any of the states that [`forget`] removes.
pub(super) async fn sources(connection: &mut SqliteConnection, id: FactId) -> Result<Vec<MessageId>, Error> {
    Ok(said_by(&together(connection, id).await?))
}

/// The states that are forgotten together.
async fn together(connection: &mut SqliteConnection, id: FactId) -> Result<Vec<Fact>, Error> {
    let Some(fact) = get(connection, id).await? else {
        return Ok(Vec::new());
    };
    let asked = Stated::of(&fact);
    let states = states(connection, &fact.user, &asked, u32::MAX).await?;
    Ok(if asked.many {
        connected(&fact, states)
    } else {
        states
    })
}

fn said_by(facts: &[Fact]) -> Vec<MessageId> {
    let again = |fact: &Fact| -> Vec<MessageId> {
        fact.confirmations
            .iter()
            .filter_map(|again| again.message)
            .collect()
    };
    facts
        .iter()
        .flat_map(|fact| again(fact).into_iter().chain(fact.source))
        .collect()
}

/// Those of `states` that have the value of a fact, or replace or are replaced by one that does.
fn connected(fact: &Fact, states: Vec<Fact>) -> Vec<Fact> {
    let (mut chosen, mut others): (Vec<Fact>, Vec<Fact>) = states
        .into_iter()
        .partition(|state| relation(&fact.value, &state.value, true) != Relation::Other);
    loop {
        let ids: HashSet<FactId> = chosen.iter().map(|fact| fact.id).collect();
        let replacing: HashSet<FactId> = chosen.iter().filter_map(|fact| fact.replaced_by).collect();
        let (linked, rest): (Vec<Fact>, Vec<Fact>) = others.into_iter().partition(|state| {
            replacing.contains(&state.id) || state.replaced_by.is_some_and(|by| ids.contains(&by))
        });
        if linked.is_empty() {
            return chosen;
        }
        chosen.extend(linked);
        others = rest;
    }
}
