//! Answers to requests that carried an idempotency key.

use mira_store::Timestamp;
use sqlx::SqliteConnection;

use crate::{Error, Keyed};

/// The hash of the request and the answer that were kept under a key.
pub(crate) async fn get(
    connection: &mut SqliteConnection,
    request: &Keyed<'_>,
) -> Result<Option<(String, String)>, Error> {
    Ok(
        sqlx::query_as("SELECT request_hash, response FROM answered_requests WHERE key = ?1 AND method = ?2")
            .bind(request.key)
            .bind(request.method)
            .fetch_optional(connection)
            .await?,
    )
}

pub(crate) async fn put(
    connection: &mut SqliteConnection,
    request: &Keyed<'_>,
    answer: &str,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO answered_requests (key, method, request_hash, response, time_ms) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
    )
    .bind(request.key)
    .bind(request.method)
    .bind(request.hash())
    .bind(answer)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
