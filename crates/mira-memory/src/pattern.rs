//! What was learned of how a user works.

use serde::{Deserialize, Serialize};

/// What a pattern is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatternKind {
    CodingStyle,
    WorkPattern,
    Communication,
    Preference,
    TopicInterest,
    ProblemSolving,
}
