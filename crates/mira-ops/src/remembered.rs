//! What memory adds to a request: what is known of the user, summaries of the conversation, messages that fit.

use mira_llm::tokens::Counter;
use mira_memory::recall::{Hit, Query, Recall};
use mira_memory::relationship::Known;
use mira_memory::session::DEFAULT_USER;
use mira_memory::{Message, summary};
use mira_store::MessageId;

use crate::Error;
use crate::context::{Receipt, marked};
use crate::operation::{ContextPart, ContextSource};
use crate::operations::Inner;
use crate::turns::Job;

/// Caps in tokens. That of what was recalled is among the options.
const KNOWN_CAP: usize = 2_000;
const SUMMARIES_CAP: usize = 4_000;

/// A single message takes at most this part of what may be recalled.
const MESSAGE_SHARE: usize = 4;

/// Whose conversation a turn belongs to.
pub(crate) async fn user_of(inner: &Inner, job: &Job) -> Result<String, Error> {
    let session = inner.memory.session(job.turn.session).await?;
    Ok(session.map_or_else(|| DEFAULT_USER.to_owned(), |session| session.user))
}

/// What is known of the user, if anything is.
pub(crate) async fn known(
    inner: &Inner,
    job: &Job,
    user: &str,
    receipt: &mut Receipt,
) -> Result<Option<String>, Error> {
    let known = inner.memory.known_of(user, job.turn.project).await?;
    let text = known.prompt_text();
    if text.is_empty() {
        return Ok(None);
    }
    let Known {
        profile: _,
        facts,
        patterns,
    } = &known;
    let detail = format!("{} facts, {} patterns", facts.len(), patterns.len());
    let facts = facts.iter().map(|known| ContextSource {
        kind: "fact".to_owned(),
        id: Some(known.id.to_string()),
        score: Some(known.confidence),
        // Not what it says: a receipt outlives what is forgotten.
        why: format!("{} · {}", known.subject, known.key.replace('_', " ")),
    });
    let patterns = patterns.iter().map(|pattern| ContextSource {
        kind: "pattern".to_owned(),
        id: Some(pattern.id.to_string()),
        score: Some(pattern.confidence),
        why: pattern.kind.as_str().replace('_', " "),
    });
    let sources = facts.chain(patterns).collect();
    let reason = "what is known of the user";
    let text = receipt.take("known", Some(detail), text.trim_end(), KNOWN_CAP, reason);
    receipt.credit(sources);
    Ok(Some(text))
}

/// The conversation before the messages that are shown, if it was summarised.
pub(crate) async fn summaries(
    inner: &Inner,
    job: &Job,
    receipt: &mut Receipt,
) -> Result<Option<String>, Error> {
    if !inner.options.summaries {
        return Ok(None);
    }
    let summary::Context { rolling, snapshot } = inner.memory.context_summaries(job.turn.session).await?;
    let told: Vec<_> = snapshot.iter().chain(&rolling).collect();
    if told.is_empty() {
        return Ok(None);
    }
    let mut text = String::from("Summary of this conversation so far, oldest first:\n");
    for summary in &told {
        text.push_str(&summary.text);
        text.push('\n');
    }
    let sources = told.iter().map(|summary| ContextSource {
        kind: "summary".to_owned(),
        id: Some(summary.id.to_string()),
        score: None,
        why: format!(
            "{}: {} messages, {} to {}",
            summary.kind, summary.message_count, summary.first_message, summary.last_message
        ),
    });
    let sources = sources.collect();
    let detail = format!("{} summaries", told.len());
    let reason = "the conversation before the latest messages";
    let text = receipt.take("summaries", Some(detail), text.trim_end(), SUMMARIES_CAP, reason);
    receipt.credit(sources);
    Ok(Some(text))
}

/// Messages of all conversations of the user that fit what was said, except those that are shown anyway.
pub(crate) async fn recalled(
    inner: &Inner,
    job: &Job,
    user: &str,
    shown: Vec<MessageId>,
    receipt: &mut Receipt,
) -> Result<Option<String>, Error> {
    if inner.options.recalled_messages == 0 {
        return Ok(None);
    }
    let query = Query {
        user: Some(user.to_owned()),
        without: shown,
        ..Query::new(&job.turn.content, inner.options.recalled_messages)
    };
    let Recall { hits, degraded } = inner.memory.recall(&query).await?;
    if hits.is_empty() {
        return Ok(None);
    }
    let counter = receipt.counter;
    let cap = inner.options.recalled_tokens;
    let mut text = String::from(
        "Earlier messages that may bear on this, the most fitting first. They may be out of date; what is said now counts.\n",
    );
    let mut left = cap.saturating_sub(counter.count(&text));
    let mut part = ContextPart {
        name: "recalled".to_owned(),
        detail: degraded.map(|why| format!("by words alone: {why}")),
        tokens: 0,
        cap,
        truncated: false,
        reason: "earlier messages that fit what the user said".to_owned(),
        sources: Vec::new(),
    };
    let mut used = Vec::new();
    for hit in &hits {
        let line = line(&hit.message, job, counter, cap / MESSAGE_SHARE);
        let tokens = counter.count(&line);
        if tokens > left {
            part.truncated = true;
            break;
        }
        left -= tokens;
        text.push_str(&line);
        part.sources.push(ContextSource {
            kind: "memory".to_owned(),
            id: Some(hit.message.id.to_string()),
            score: Some(f64::from(hit.score.total())),
            why: why(hit),
        });
        used.push(hit.message.number);
    }
    part.tokens = cap - left;
    let memory = inner.memory.clone();
    inner.tasks.spawn(async move {
        if let Err(error) = memory.reinforce(&used).await {
            tracing::warn!(error = %crate::error::chain(&error), "recalled messages were not reinforced");
        }
    });
    receipt.parts.push(part);
    Ok(Some(text))
}

fn line(message: &Message, job: &Job, counter: Counter, cap: usize) -> String {
    let said = message.content.trim();
    let (kept, cut) = counter.truncate(said, cap);
    let whence = if message.session == job.turn.session {
        "this conversation"
    } else {
        "another conversation"
    };
    let date = message.time.to_string();
    let day = date.split('T').next().unwrap_or_default();
    let who = message.speaker.as_deref().unwrap_or(message.role.as_str());
    format!("- [{day}, {who}, {whence}] {}\n", marked(kept, cut))
}

/// The strongest parts of a score, in words.
fn why(hit: &Hit) -> String {
    let score = &hit.score;
    let mut parts = [
        ("meaning", score.meaning),
        ("its words", score.words),
        ("words with those around", score.window),
        ("a fact", score.fact),
        ("a summary", score.summary),
        ("the question before", score.answer),
        ("its neighbours", score.neighbours),
        ("its conversation", score.conversation),
        ("the speaker", score.speaker),
        ("the role", score.role),
        ("its salience", score.salience),
        ("its age", score.recency),
    ];
    parts.sort_by(|a, b| b.1.total_cmp(&a.1));
    let strongest = parts.iter().take(3).filter(|(_, value)| *value > 0.0);
    let strongest = strongest.map(|(name, value)| format!("{name} {value:.2}"));
    strongest.collect::<Vec<_>>().join(", ")
}
