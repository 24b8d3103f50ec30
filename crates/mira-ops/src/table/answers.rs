//! Answers to requests that carried an idempotency key.

use mira_store::Timestamp;
use sqlx::SqliteConnection;

use crate::Error;

/// The hash of the request and the answer that were kept under a key.
pub(crate) async fn get(
    connection: &mut SqliteConnection,
    method: &str,
    key: &str,
) -> Result<Option<(String, String)>, Error> {
    Ok(
        sqlx::query_as("SELECT request_hash, response FROM answered_requests WHERE key = ?1 AND method = ?2")
            .bind(key)
            .bind(method)
            .fetch_optional(connection)
            .await?,
    )
}

pub(crate) async fn put(
    connection: &mut SqliteConnection,
    method: &str,
    key: &str,
    (request_hash, response): (&str, &str),
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO answered_requests (key, method, request_hash, response, time_ms) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
    )
    .bind(key)
    .bind(method)
    .bind(request_hash)
    .bind(response)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
