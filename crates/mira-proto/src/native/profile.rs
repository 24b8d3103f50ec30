//! What a user prefers, and how a user works.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use crate::open_enum::open_enum;

open_enum! {
    /// How much code there should be.
    pub enum CodeVerbosity {
        /// As little as possible.
        Minimal = "minimal",
        /// In between.
        Moderate = "moderate",
        /// With everything spelt out.
        Verbose = "verbose",
    }
}

open_enum! {
    /// How far explanations should go.
    pub enum ExplanationDepth {
        /// The point.
        Concise = "concise",
        /// In between.
        Moderate = "moderate",
        /// With all reasons.
        Detailed = "detailed",
    }
}

open_enum! {
    /// The tone of a conversation.
    pub enum ConversationStyle {
        /// As among friends.
        Casual = "casual",
        /// As at work.
        Professional = "professional",
        /// As in a manual.
        Technical = "technical",
    }
}

open_enum! {
    /// How much swearing is welcome.
    pub enum ProfanityComfort {
        /// None.
        None = "none",
        /// A little.
        Mild = "mild",
        /// Any.
        Comfortable = "comfortable",
    }
}

/// What a user prefers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct Profile {
    /// Whose it is.
    pub user: String,
    /// Programming languages, the preferred ones.
    pub preferred_languages: Vec<String>,
    /// How code should look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coding_style: Option<String>,
    /// How much code there should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_verbosity: Option<CodeVerbosity>,
    /// What should be tested, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub testing_philosophy: Option<String>,
    /// How systems should be built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture_preferences: Option<String>,
    /// How far explanations should go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation_depth: Option<ExplanationDepth>,
    /// The tone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_style: Option<ConversationStyle>,
    /// How much swearing is welcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profanity_comfort: Option<ProfanityComfort>,
    /// Tools and systems in use.
    pub tech_stack: Vec<String>,
    /// What the user wants to learn.
    pub learning_goals: Vec<String>,
    /// When it was last changed.
    pub updated_ms: i64,
}

/// Parameters that name a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct UserRef {
    /// The user; the server's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// Result of `profile.get`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ProfileGetResult {
    /// The profile; absent when nothing was ever said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
}

/// Parameters of `profile.set`. What is given replaces what was there, an empty text or list clears it, what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ProfileSetParams {
    /// Whose; the server's own user when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Programming languages, the preferred ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_languages: Option<Vec<String>>,
    /// How code should look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coding_style: Option<String>,
    /// How much code there should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_verbosity: Option<CodeVerbosity>,
    /// What should be tested, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub testing_philosophy: Option<String>,
    /// How systems should be built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture_preferences: Option<String>,
    /// How far explanations should go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation_depth: Option<ExplanationDepth>,
    /// The tone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_style: Option<ConversationStyle>,
    /// How much swearing is welcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profanity_comfort: Option<ProfanityComfort>,
    /// Tools and systems in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tech_stack: Option<Vec<String>>,
    /// What the user wants to learn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_goals: Option<Vec<String>>,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A profile as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ProfileResult {
    /// The profile.
    pub profile: Profile,
}

open_enum! {
    /// What a habit is about.
    pub enum PatternKind {
        /// How code is written.
        CodingStyle = "coding_style",
        /// How work is done.
        WorkPattern = "work_pattern",
        /// How the user talks.
        Communication = "communication",
        /// What the user likes.
        Preference = "preference",
        /// What the user comes back to.
        TopicInterest = "topic_interest",
        /// How problems are approached.
        ProblemSolving = "problem_solving",
    }
}

/// A habit that was noticed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct Pattern {
    /// The habit.
    pub pattern_id: String,
    /// What it is about.
    pub kind: PatternKind,
    /// A short name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// The latest messages that it showed in, by id.
    pub examples: Vec<String>,
    /// How sure it is, 0 to 1.
    pub confidence: f64,
    /// When it applies, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applies_when: Option<String>,
    /// How often it was noticed.
    pub observations: u32,
    /// How often it was acted upon.
    pub applications: u32,
    /// When it was first noticed.
    pub first_observed_ms: i64,
    /// When it was last noticed.
    pub last_observed_ms: i64,
    /// Whether too little speaks for it by now.
    pub deprecated: bool,
}

/// Result of `patterns.list`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct PatternsListResult {
    /// The surest first.
    pub patterns: Vec<Pattern>,
}
