//! What counts for how much. Few and round: they were chosen on five conversations of `LoCoMo` and hold in each of them;
//! docs/BENCHMARKS.md has the figures.

/// Candidates that each way of searching may bring.
pub(super) const CANDIDATES: usize = 200;

/// Candidates that similarity of meaning may bring. Walking the graph for twice as many takes twice as long.
pub(super) const NEAREST: usize = 100;

/// Facts, and summaries, that may lead to messages.
pub(super) const LEADS: usize = 20;

/// Words alone: of the message, and of the message with those around it.
pub(super) const WORDS_ALONE: f32 = 0.5;
pub(super) const WINDOW_ALONE: f32 = 0.5;

/// Together with similarity of meaning.
pub(super) const MEANING: f32 = 0.4;
pub(super) const WORDS: f32 = 0.3;
pub(super) const WINDOW: f32 = 0.3;

/// A fact or a summary that fits, for the messages it came from.
pub(super) const FACT: f32 = 0.3;
pub(super) const SUMMARY: f32 = 0.3;

/// The share of a question's score that the next message gains.
pub(super) const ANSWER: f32 = 0.2;

/// The share of their scores that neighbours lend.
pub(super) const NEIGHBOURS: f32 = 0.1;

/// The share of the best score of the same stretch of conversation.
pub(super) const CONVERSATION: f32 = 0.3;

/// The query names the speaker.
pub(super) const SPEAKER: f32 = 0.3;

/// The user's own words, where speakers have no names.
pub(super) const ROLE: f32 = 0.2;

/// The most that the salience of a message adds.
pub(super) const SALIENCE: f32 = 0.05;

/// The most that youth adds, and the age at which half of it is gone.
pub(super) const RECENCY: f32 = 0.05;
pub(super) const RECENCY_HALF_LIFE_DAYS: f64 = 30.0;

/// How alike, 0 to 1, two messages are before the worse one is set back, and by what share of its score.
pub(super) const REPETITION_FROM: f32 = 0.8;
pub(super) const REPETITION: f32 = 0.5;
