//! What becomes of a statement beside what is known.

use mira_store::{MessageId, ProjectId, Timestamp};

use super::value::{Relation, holds_many, is_taken_back, relation};
use super::{Category, Ending, Fact};

/// Below this confidence a contradiction does not end a fact that is [`FIRM`].
pub(super) const DOUBTFUL: f64 = 0.5;

/// From this confidence a fact is not ended by what is [`DOUBTFUL`].
pub(super) const FIRM: f64 = 0.8;

/// A statement in the form in which it is compared and stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stated {
    pub project: Option<ProjectId>,
    pub subject: String,
    pub key: String,
    pub value: String,
    pub category: Category,
    pub confidence: f64,
    pub context: Option<String>,
    pub source: Option<MessageId>,
    /// Whether the user takes it back.
    pub retracted: bool,
    /// Whether the key holds many values.
    pub many: bool,
    /// Since when it is true, as far as it says so.
    pub from: Timestamp,
    /// The moment that it speaks of: when it was said, or when it becomes true if that is later.
    pub said: Timestamp,
}

impl Stated {
    /// The statement that a fact came from.
    pub(super) fn of(fact: &Fact) -> Self {
        Self {
            project: fact.project,
            subject: fact.subject.clone(),
            key: fact.key.clone(),
            value: fact.value.clone(),
            category: fact.category,
            confidence: fact.confidence,
            context: fact.context.clone(),
            source: fact.source,
            retracted: false,
            many: holds_many(&fact.key),
            from: fact.valid_from,
            said: fact.valid_from,
        }
    }
}

/// What becomes of it.
#[derive(Debug, PartialEq)]
pub(super) enum Decision<'a> {
    /// Nothing: the message was heard before, or there is nothing to take back.
    Nothing,
    /// It is known, and surer now; it may have begun earlier than was known.
    Confirm {
        fact: &'a Fact,
        since: Option<Timestamp>,
    },
    /// It is true from a time until the next known state.
    Begin {
        from: Timestamp,
        until: Option<&'a Fact>,
    },
    /// It takes the place of `old` from a time on.
    Replace {
        old: &'a Fact,
        how: Ending,
        from: Timestamp,
        confidence: f64,
    },
    /// It stands beside this firmer fact that it contradicts.
    Doubt(&'a Fact),
    /// These hold no longer.
    End(Vec<&'a Fact>),
}

/// `states` is all that was ever known of the same user, project, subject and key, in any order.
pub(super) fn decide<'a>(states: &'a [Fact], stated: &Stated) -> Decision<'a> {
    let relation_to = |fact: &Fact| relation(&fact.value, &stated.value, stated.many);
    let said = stated.said;

    if stated.retracted {
        let ended: Vec<_> = states
            .iter()
            .filter(|fact| fact.holds_at(said) && is_taken_back(&fact.value, &stated.value))
            .collect();
        return if ended.is_empty() {
            Decision::Nothing
        } else {
            Decision::End(ended)
        };
    }
    // Analysing a message twice neither confirms what it said nor brings back what was corrected since.
    if let Some(source) = stated.source
        && states
            .iter()
            .any(|fact| fact.was_said_by(source) && relation_to(fact) == Relation::Same)
    {
        return Decision::Nothing;
    }

    // The line of states that exclude each other in time. A key of many values has one for each value.
    let line = || {
        states.iter().filter(|fact| {
            fact.retracted.is_none()
                && !fact.tentative
                && !(stated.many && relation_to(fact) == Relation::Other)
        })
    };
    // No state begins before the one before it ended.
    let ends = line().filter_map(|fact| Some(fact.end?.valid_to));
    let free = ends.filter(|end| *end <= said).max();
    let from = free.map_or(stated.from, |free| stated.from.max(free));
    let Some(old) = line().find(|fact| fact.holds_at(said)) else {
        let later = line().filter(|fact| fact.valid_from > said);
        let until = later.min_by_key(|fact| fact.valid_from);
        return Decision::Begin { from, until };
    };

    let how = match relation_to(old) {
        Relation::Same | Relation::Coarser => {
            let since = (from < old.valid_from).then_some(from);
            return Decision::Confirm { fact: old, since };
        }
        Relation::Finer => Ending::Refined,
        Relation::Other => Ending::Superseded,
    };
    let doubted = states
        .iter()
        .find(|fact| fact.tentative && fact.holds_at(said) && relation_to(fact) == Relation::Same);
    let confidence = doubted.map_or(stated.confidence, |fact| {
        raised(fact.confidence, stated.confidence)
    });
    if how == Ending::Superseded && confidence < DOUBTFUL && old.confidence >= FIRM {
        return doubted.map_or(Decision::Doubt(old), |fact| Decision::Confirm {
            fact,
            since: None,
        });
    }
    // A beginning that contradicts what was said at the time counts as unknown.
    let mut heard = old
        .confirmations
        .iter()
        .map(|again| again.at)
        .filter(|at| *at <= said);
    let contradicted = stated.from <= old.valid_from || heard.any(|at| stated.from <= at);
    let from = if contradicted { said } else { stated.from };
    Decision::Replace {
        old,
        how,
        from,
        confidence,
    }
}

/// The confidence of a fact that is stated again: half way from where it was to certainty, by as much as the statement is
/// sure of itself.
pub(super) fn raised(known: f64, stated: f64) -> f64 {
    known + (1.0 - known) * stated / 2.0
}

#[cfg(test)]
mod tests;
