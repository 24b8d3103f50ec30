//! What it costs to write an event.

use std::sync::Arc;
use std::time::Instant;

use mira_llm::scripted::{Rule, Script};
use mira_store::{Clock as _, OperationId, SessionId, SystemClock};
use tokio::task::JoinSet;

use super::mira::Mira;
use super::table::{Samples, Table};

/// Pieces of reasoning and of text that a turn streams by turns, so that none is joined with the one before it.
const PIECES: u32 = 500;

/// A piece, as long as what models send at a time.
const PIECE: &str = " the index is rebuilt";

pub(crate) async fn run() -> anyhow::Result<Table> {
    let mut table = Table::new(
        "Writing an event to the journal, ms per event",
        ["case", "events", "p50", "p95"],
    );
    let mut rule = Rule::new("talk");
    for _ in 0..PIECES {
        rule = rule.reasoning(PIECE).text(PIECE);
    }
    let mira = Arc::new(Mira::start(Script::new().rule(rule)).await?);
    for (sessions, rounds) in [(1, 40), (16, 5)] {
        let (events, samples) = turns(&mira, sessions, rounds).await?;
        let case = format!("whole turns; sessions at once: {sessions}");
        table.row([case, events.to_string(), samples.ms(50.0), samples.ms(95.0)]);
    }
    for (batch, rounds) in [(1, 4_000), (64, 400)] {
        let samples = bare(&mira, batch, rounds).await?;
        let case = format!("plain INSERTs alone; events in a transaction: {batch}");
        table.row([
            case,
            (batch * rounds).to_string(),
            samples.ms(50.0),
            samples.ms(95.0),
        ]);
    }
    Ok(table)
}

/// Rounds of turns in so many sessions at once: the time of each round by its number of events.
async fn turns(mira: &Arc<Mira>, sessions: u32, rounds: u32) -> anyhow::Result<(u32, Samples)> {
    let mut samples = Samples::new()?;
    let mut events = 0;
    for _ in 0..rounds {
        let mut turns = JoinSet::new();
        let mut opened = Vec::new();
        for _ in 0..sessions {
            opened.push(mira.session().await?);
        }
        let begun = Instant::now();
        for session in opened {
            let mira = Arc::clone(mira);
            turns.spawn(async move { mira.turn(session).await });
        }
        let mut written = 0;
        while let Some(turn) = turns.join_next().await {
            written += turn??;
        }
        samples.add(begun.elapsed() / written);
        events += written;
    }
    Ok((events, samples))
}

/// What the database alone takes, a statement for each event: the time of a transaction by its number of events.
async fn bare(mira: &Mira, batch: u32, transactions: u32) -> anyhow::Result<Samples> {
    let now = SystemClock.now();
    let (session, operation) = (SessionId::at(now), OperationId::at(now));
    let body =
        serde_json::json!({"type": "streaming", "item": operation, "offset": 0, "delta": PIECE}).to_string();
    let mut samples = Samples::new()?;
    for _ in 0..transactions {
        let begun = Instant::now();
        let mut transaction = mira.database.begin().await?;
        for _ in 0..batch {
            sqlx::query(
                "INSERT INTO events (session_id, seq, operation_id, time_ms, body)
                 VALUES (?1, (SELECT coalesce(max(seq), 0) + 1 FROM events WHERE session_id = ?1), ?2, ?3, ?4)
                 RETURNING seq",
            )
            .bind(session)
            .bind(operation)
            .bind(now)
            .bind(&body)
            .fetch_one(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        samples.add(begun.elapsed() / batch);
    }
    Ok(samples)
}
