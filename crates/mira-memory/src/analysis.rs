//! What was found out about a message.

use mira_store::Timestamp;
use mira_store::vector::Head;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    Compiler,
    Runtime,
    TestFailure,
    BuildFailure,
    Linter,
    TypeError,
}

/// How bad an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    Critical,
    Warning,
    Info,
}
