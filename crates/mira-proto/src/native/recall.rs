//! Finding what was said, and what a model would be given of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use super::{Fact, Message, Pattern, Profile, Role, Summary};
use crate::open_enum::open_enum;

open_enum! {
    /// What a vector is for.
    pub enum MemoryHead {
        /// What was said, by meaning.
        Semantic = "semantic",
        /// Source code and talk about it.
        Code = "code",
        /// Summaries of conversations.
        Summary = "summary",
        /// Pieces of documents.
        Documents = "documents",
        /// What is known of the user.
        Relationship = "relationship",
    }
}

/// Parameters of `memory.search`. Without `session_id`, `project_id` and `user` it looks everywhere; with several, all must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemorySearchParams {
    /// What to look for, in words of any kind; its first 4,000 characters count.
    pub query: String,
    /// Only in this session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Only what belongs to this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Only in sessions of this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Only messages of these roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<Role>>,
    /// Which kinds of vectors are asked; all when absent. Words are always asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<Vec<MemoryHead>>,
    /// From this time on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// Before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
    /// How many hits, 1 to 100; 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
}

/// Result of `memory.search`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemorySearchResult {
    /// Best first.
    pub hits: Vec<MemoryHit>,
    /// How many there are.
    pub count: u32,
    /// Why something could not take part in the search, for people; absent when all did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryHit {
    /// The message.
    pub message: Message,
    /// What else its analysis found; absent while it waits for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analysis: Option<Analysis>,
    /// How well it fits: the sum of the parts. Comparable within one answer only.
    pub score: f64,
    /// What the score is made of.
    pub score_parts: ScoreParts,
}

/// What is known of a message beside what the message itself shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct Analysis {
    /// How much it mattered when it was analysed, 0 to 1.
    pub original_salience: f64,
    /// Strength of the mood, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intensity: Option<f64>,
    /// What it means for getting along with the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relationship_impact: Option<String>,
    /// The error that it tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ReportedError>,
    /// Where its vectors are kept.
    pub heads: Vec<MemoryHead>,
    /// Who analysed it: `rules`, or the name of a model.
    pub analyser: String,
    /// When.
    pub analysed_ms: i64,
    /// How often it was given to a model again.
    pub recall_count: u32,
    /// When that was last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_recalled_ms: Option<i64>,
}

/// An error that a message tells of, as far as it can be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ReportedError {
    /// Where it arose: `compiler`, `runtime`, `test_failure`, `build_failure`, `linter` or `type_error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How bad it is: `critical`, `warning` or `info`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// The file that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// The parts that add up to a score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct ScoreParts {
    /// Similarity of meaning.
    pub meaning: f64,
    /// Words of the query in the message.
    pub words: f64,
    /// Words of the query in the message and the one before it.
    pub window: f64,
    /// A fact that came from the message fits.
    pub fact: f64,
    /// A summary that covers the message fits.
    pub summary: f64,
    /// It answers a question that fits.
    pub answer: f64,
    /// The messages around it fit.
    pub neighbours: f64,
    /// The best message of the same stretch of conversation fits.
    pub conversation: f64,
    /// The query names the speaker.
    pub speaker: f64,
    /// The user said it.
    pub role: f64,
    /// How much the message matters.
    pub salience: f64,
    /// How young it is.
    pub recency: f64,
    /// Set back for saying nearly the same as a better hit; zero or negative.
    pub repetition: f64,
}

/// Parameters of `memory.explain`: those of a search, and the message in question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryExplainParams {
    /// What is looked for.
    pub query: String,
    /// The message.
    pub message_id: String,
    /// Only in this session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Only what belongs to this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Only in sessions of this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// Result of `memory.explain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryExplainResult {
    /// The place of the message among all that the search would find, from 1; absent when it would not find it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    /// The message with its score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hit: Option<MemoryHit>,
    /// Why something could not take part in the search, for people; absent when all did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
}

/// Parameters of `memory.get_context`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryGetContextParams {
    /// The session.
    pub session_id: String,
    /// What the user is about to say; without it nothing is searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_text: Option<String>,
    /// How many latest messages, 0 to 100; 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recent_count: Option<u32>,
    /// How many earlier messages that fit, 0 to 100, from all sessions of the user; 5 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub semantic_count: Option<u32>,
}

/// Result of `memory.get_context`: what memory has for a turn in a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryGetContextResult {
    /// The latest messages, newest first.
    pub recent: Vec<Message>,
    /// Others that fit, best first.
    pub semantic: Vec<MemoryHit>,
    /// The summaries that tell the session up to now, in its order.
    pub summaries: Vec<Summary>,
    /// What is known of the user and holds now.
    pub facts: Vec<Fact>,
    /// How the user works, where that was noticed often enough.
    pub patterns: Vec<Pattern>,
    /// What the user prefers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Why something could not take part in the search, for people; absent when all did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
}
