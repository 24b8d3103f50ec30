//! What each model cost an operation.

use mira_llm::Usage;
use mira_store::OperationId;
use sqlx::{Row, SqliteConnection};

use super::{count, stored_enum, tokens, usage_columns};
use crate::Error;
use crate::operation::{ModelRole, ModelUsage};

/// Adds one call.
pub(crate) async fn add(
    connection: &mut SqliteConnection,
    operation: OperationId,
    role: ModelRole,
    model: &str,
    usage: Usage,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO usage (operation_id, role, model, calls, input, cached_input, cache_write, output, reasoning)
         VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET calls = calls + 1, input = input + ?4, cached_input = cached_input + ?5,
             cache_write = cache_write + ?6, output = output + ?7, reasoning = reasoning + ?8",
    )
    .bind(operation)
    .bind(role.as_str())
    .bind(model)
    .bind(count(usage.input))
    .bind(count(usage.cached_input))
    .bind(count(usage.cache_write))
    .bind(count(usage.output))
    .bind(count(usage.reasoning))
    .execute(connection)
    .await?;
    Ok(())
}

/// What every model cost an operation, the reasoner first.
pub(crate) async fn of_operation(
    connection: &mut SqliteConnection,
    operation: OperationId,
) -> Result<Vec<ModelUsage>, Error> {
    let rows = sqlx::query("SELECT * FROM usage WHERE operation_id = ?1 ORDER BY role DESC, model")
        .bind(operation)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(ModelUsage {
                role: stored_enum::<ModelRole>("role of a model", row.try_get("role")?)?,
                model: row.try_get("model")?,
                calls: tokens(row.try_get("calls")?),
                usage: usage_columns(row)?,
            })
        })
        .collect()
}
