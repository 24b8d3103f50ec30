//! Migrations: forward only, one bookkeeping table per owner.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use crate::{Database, Error};

/// The tables of one crate: steps that were released are never changed, only followed by others.
///
/// ```
/// # use mira_store::Migrations;
/// const MIGRATIONS: Migrations = Migrations {
///     owner: "notes",
///     steps: &[("notes have a text", "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;")],
/// };
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// Who owns the tables; the bookkeeping table is named after it.
    pub owner: &'static str,
    /// A sentence and the SQL of each step, in order.
    pub steps: &'static [(&'static str, &'static str)],
}

impl Migrations {
    /// Brings the tables to the newest step. A database that a newer version has migrated further, and a released
    /// step whose SQL has changed, are refused.
    pub async fn run(&self, database: &Database) -> Result<(), Error> {
        let migrations = (1..).zip(self.steps).map(|(version, (sentence, sql))| {
            Migration::new(
                version,
                (*sentence).into(),
                MigrationType::Simple,
                sql.into_sql_str(),
                false,
            )
        });
        let mut migrator = Migrator::with_migrations(migrations.collect());
        migrator.dangerous_set_table_name(format!("{}_migrations", self.owner));
        let mut writer = database.writer().acquire().await?;
        migrator.run(&mut *writer).await.map_err(|source| Error::Migrate {
            owner: self.owner,
            source,
        })
    }
}
