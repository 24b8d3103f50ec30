//! What was found out about a message, and the table of it.
//!
//! [`rules`] finds it out without a model; where there is a utility model, that is asked first.

mod due;
mod lexicon;
mod model;
pub mod rules;
mod source;
mod stated;
mod topics;

use std::collections::HashMap;

use mira_store::Timestamp;
use mira_store::vector::Head;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::Error;
use crate::names::names;
use crate::relationship::Report;
use crate::row::{json, optional_named, to_json};

/// The most topics of a message.
pub const MAX_TOPICS: usize = 5;

/// The topic of a message that has no other.
pub const GENERAL: &str = "general";

/// The programming languages that are told apart.
pub const LANGUAGES: [&str; 6] = ["rust", "typescript", "javascript", "python", "go", "java"];

/// The topics that send a message to the code head although it may hold no code.
const TROUBLE: [&str; 4] = ["bug", "error", "debug", "fix"];

/// The analysis of one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// How much it matters now, 0 to 1: the original value, reinforced by recall and decayed by age.
    pub salience: f64,
    /// How much it mattered when it was analysed, 0 to 1.
    pub original_salience: f64,
    pub topics: Vec<String>,
    pub mood: Option<String>,
    /// Of the mood, 0 to 1.
    pub intensity: Option<f64>,
    pub intent: Option<String>,
    pub summary: Option<String>,
    pub relationship_impact: Option<String>,
    pub contains_code: bool,
    /// `rust`, `typescript`, `javascript`, `python`, `go` or `java`.
    pub programming_language: Option<String>,
    /// Set when the message tells of an error.
    pub error: Option<ReportedError>,
    /// Where its vectors go.
    pub heads: Vec<Head>,
    /// `rules`, or the name of the model.
    pub analyser: String,
    pub analysed: Timestamp,
    pub recall_count: u32,
    pub last_recalled: Option<Timestamp>,
}

/// An error that a message tells of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportedError {
    pub kind: Option<ErrorKind>,
    pub severity: Option<Severity>,
    pub file: Option<String>,
}

/// Where an error arose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    Compiler,
    Runtime,
    TestFailure,
    BuildFailure,
    Linter,
    TypeError,
}

/// How bad an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Critical,
    Warning,
    Info,
}

names!(ErrorKind:
    Compiler = "compiler",
    Runtime = "runtime",
    TestFailure = "test_failure",
    BuildFailure = "build_failure",
    Linter = "linter",
    TypeError = "type_error",
);

names!(Severity: Critical = "critical", Warning = "warning", Info = "info");

/// Where the vectors of a message go: its meaning always; code and trouble with code; what tells of the user.
fn heads(contains_code: bool, topics: &[String], report: &Report) -> Vec<Head> {
    let trouble = topics.iter().any(|topic| TROUBLE.contains(&topic.as_str()));
    let mut heads = vec![Head::Semantic];
    heads.extend((contains_code || trouble).then_some(Head::Code));
    heads.extend((*report != Report::default()).then_some(Head::Relationship));
    heads
}

/// Stores the analysis of the message of this number, in the place of an earlier one; what the first analysis said of
/// the salience and what recall has counted stay.
pub(crate) async fn put(
    connection: &mut SqliteConnection,
    number: i64,
    analysis: &Analysis,
) -> Result<(), Error> {
    let error = analysis.error.as_ref();
    sqlx::query(
        "INSERT INTO analyses (message, salience, original_salience, topics, mood, intensity, intent, summary,
             relationship_impact, contains_code, programming_language, contains_error, error_type, error_severity,
             error_file, heads, analyser, analysed_ms, recall_count, last_recalled_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
         ON CONFLICT (message) DO UPDATE SET
             salience = iif(recall_count > 0 OR analyser = 'person', salience, excluded.salience), topics = excluded.topics,
             mood = excluded.mood, intensity = excluded.intensity, intent = excluded.intent,
             summary = excluded.summary, relationship_impact = excluded.relationship_impact,
             contains_code = excluded.contains_code, programming_language = excluded.programming_language,
             contains_error = excluded.contains_error, error_type = excluded.error_type,
             error_severity = excluded.error_severity, error_file = excluded.error_file, heads = excluded.heads,
             analyser = excluded.analyser, analysed_ms = excluded.analysed_ms",
    )
    .bind(number)
    .bind(analysis.salience)
    .bind(analysis.original_salience)
    .bind(to_json(&analysis.topics))
    .bind(&analysis.mood)
    .bind(analysis.intensity)
    .bind(&analysis.intent)
    .bind(&analysis.summary)
    .bind(&analysis.relationship_impact)
    .bind(analysis.contains_code)
    .bind(&analysis.programming_language)
    .bind(error.is_some())
    .bind(error.and_then(|error| error.kind).map(ErrorKind::as_str))
    .bind(error.and_then(|error| error.severity).map(Severity::as_str))
    .bind(error.and_then(|error| error.file.as_deref()))
    .bind(to_json(&analysis.heads))
    .bind(&analysis.analyser)
    .bind(analysis.analysed)
    .bind(analysis.recall_count)
    .bind(analysis.last_recalled)
    .execute(connection)
    .await?;
    Ok(())
}

/// The analyses of the messages of these numbers, by number; none for a message that waits for its analysis.
pub async fn of(connection: &mut SqliteConnection, numbers: &[i64]) -> Result<HashMap<i64, Analysis>, Error> {
    let analyses = sqlx::query("SELECT * FROM analyses WHERE message IN (SELECT value FROM json_each(?1))")
        .bind(to_json(numbers))
        .try_map(|row: SqliteRow| Ok((row.try_get("message")?, from_row(&row)?)))
        .fetch_all(connection)
        .await?;
    Ok(analyses.into_iter().collect())
}

fn from_row(row: &SqliteRow) -> Result<Analysis, sqlx::Error> {
    let contains_error: bool = row.try_get("contains_error")?;
    let error = ReportedError {
        kind: optional_named(row, "error_type", ErrorKind::parse)?,
        severity: optional_named(row, "error_severity", Severity::parse)?,
        file: row.try_get("error_file")?,
    };
    Ok(Analysis {
        salience: row.try_get("salience")?,
        original_salience: row.try_get("original_salience")?,
        topics: json(row, "topics")?,
        mood: row.try_get("mood")?,
        intensity: row.try_get("intensity")?,
        intent: row.try_get("intent")?,
        summary: row.try_get("summary")?,
        relationship_impact: row.try_get("relationship_impact")?,
        contains_code: row.try_get("contains_code")?,
        programming_language: row.try_get("programming_language")?,
        error: contains_error.then_some(error),
        heads: json(row, "heads")?,
        analyser: row.try_get("analyser")?,
        analysed: row.try_get("analysed_ms")?,
        recall_count: row.try_get("recall_count")?,
        last_recalled: row.try_get("last_recalled_ms")?,
    })
}
