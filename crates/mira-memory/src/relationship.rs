//! What a message tells about the user: what the analysis reports, and what becomes of it.

use serde::{Deserialize, Serialize};

use crate::fact::Category;
use crate::pattern::PatternKind;

/// What one message told about the user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    pub facts: Vec<Statement>,
    pub patterns: Vec<Observation>,
    pub profile: ProfileChanges,
}

/// A fact as it was stated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Whom it is about: `user`, or the name of a person or thing.
    pub subject: String,
    /// What about them, such as `indentation` or `employer`: lower case, words joined by `_`. Statements with the same
    /// subject and key are about the same thing.
    pub key: String,
    pub value: String,
    pub category: Category,
    /// 0 to 1.
    pub confidence: f64,
    /// True when the user says that it holds no longer, or asks to forget it.
    #[serde(default)]
    pub retracted: bool,
    /// Why or when it applies, where that was said.
    #[serde(default)]
    pub context: Option<String>,
    /// Since when it is true (RFC 3339 date or time), where that is not the time of the message.
    #[serde(default)]
    pub since: Option<String>,
}

/// A habit as it was observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    pub kind: PatternKind,
    /// A short name; the same habit has the same name.
    pub name: String,
    pub description: String,
    /// How strongly this message speaks for it, -1 (against) to 1.
    pub confidence: f64,
    #[serde(default)]
    pub applies_when: Option<String>,
}

/// Fields of the profile that a message states anew; the others stay.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProfileChanges {
    pub preferred_languages: Option<Vec<String>>,
    pub coding_style: Option<String>,
    pub code_verbosity: Option<String>,
    pub testing_philosophy: Option<String>,
    pub architecture_preferences: Option<String>,
    pub explanation_depth: Option<String>,
    pub conversation_style: Option<String>,
    pub profanity_comfort: Option<String>,
    pub tech_stack: Option<Vec<String>>,
    pub learning_goals: Option<Vec<String>>,
}
