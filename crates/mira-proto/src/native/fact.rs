//! What is known of a user.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use super::Message;
use crate::open_enum::open_enum;

open_enum! {
    /// What a fact is about.
    pub enum FactCategory {
        /// The person.
        Personal = "personal",
        /// Their work.
        Professional = "professional",
        /// Their tools and systems.
        Technical = "technical",
        /// What they like, and how things are to be done.
        Preference = "preference",
        /// Their life.
        Biographical = "biographical",
    }
}

open_enum! {
    /// How a fact ceased to be true.
    pub enum FactEnding {
        /// Something else is true since.
        Superseded = "superseded",
        /// Something more exact is known since.
        Refined = "refined",
        /// It holds no longer, and nothing took its place.
        Retracted = "retracted",
    }
}

/// One state of something known of a user. It has two times: when it was true in the world, and when Mira learned so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct Fact {
    /// The fact.
    pub fact_id: String,
    /// Whose it is.
    pub user: String,
    /// The only project that it holds in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Whom it is about: `user`, `project`, or the name of a person or thing.
    pub subject: String,
    /// What about them, such as `indentation`.
    pub key: String,
    /// What it is.
    pub value: String,
    /// What kind of thing that is.
    pub category: FactCategory,
    /// How sure it is, 0 to 1.
    pub confidence: f64,
    /// Why or when it applies, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The message that said it first; absent when it was entered by hand or the message is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_message_id: Option<String>,
    /// Since when it is true.
    pub valid_from_ms: i64,
    /// The first moment at which it was no longer true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to_ms: Option<i64>,
    /// How it ceased to be true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<FactEnding>,
    /// Since when Mira knows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<i64>,
    /// Since when Mira knows it.
    pub recorded_ms: i64,
    /// When it turned out never to have been true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retracted_ms: Option<i64>,
    /// The state that took its place or corrected it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    /// How often it was said again; a hundred for a hundred and more.
    pub confirmations: u32,
    /// When it was last said again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_confirmed_ms: Option<i64>,
    /// Whether it is doubtful and stands beside a firmer one.
    pub tentative: bool,
    /// Whether it is in every prompt.
    pub pinned: bool,
}

/// Parameters of `facts.list`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FactsListParams {
    /// Whose; the server's own user when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Those of this project and those that hold everywhere; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// About whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// About what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<FactCategory>,
    /// Those true at this time; now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of_ms: Option<i64>,
    /// As Mira knew at this time; as she knows now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at_ms: Option<i64>,
    /// Also those that are not true at the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_ended: Option<bool>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many at most; the server caps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Result of `facts.list`, the last recorded first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FactsListResult {
    /// One page.
    pub facts: Vec<Fact>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Parameters of `facts.add`. What is known of the same subject and key gives way, unless many can hold at once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FactsAddParams {
    /// Whose; the server's own user when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The only project that it holds in, for the subject `project`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Whom it is about; `user` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What about them, such as `indentation`.
    pub key: String,
    /// What it is.
    pub value: String,
    /// What kind of thing that is; `personal` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<FactCategory>,
    /// How sure it is, 0 to 1; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Why or when it applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Since when it is true; now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// A fact as it stands now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FactResult {
    /// The fact.
    pub fact: Fact,
}

/// Parameters of `facts.correct`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FactsCorrectParams {
    /// The fact that is wrong.
    pub fact_id: String,
    /// What is right.
    pub value: String,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Parameters that name a fact to change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FactChangeParams {
    /// The fact.
    pub fact_id: String,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Parameters of `facts.forget`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FactsForgetParams {
    /// The fact.
    pub fact_id: String,
    /// Whether the messages that said it go too, with the answers to them; they stay when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erase_sources: Option<bool>,
    /// Sending the same key again returns the first result and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Result of `facts.forget`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FactsForgetResult {
    /// How many states of the fact are gone.
    pub forgotten: u64,
    /// How many messages went with it.
    pub messages: u64,
}

/// Parameters that name a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct FactRef {
    /// The fact.
    pub fact_id: String,
}

/// Result of `facts.explain`: where a fact comes from and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct FactsExplainResult {
    /// The fact.
    pub fact: Fact,
    /// The states that it took the place of, oldest first.
    pub predecessors: Vec<Fact>,
    /// The states that took its place, oldest first.
    pub successors: Vec<Fact>,
    /// The message that said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Message>,
}
