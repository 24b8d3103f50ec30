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
mod tests {
    use mira_store::FactId;

    use super::super::{Confirmation, End};
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn fact(value: &str, from: i64, to: Option<i64>) -> Fact {
        Fact {
            id: FactId::at(at(from)),
            user: "default".to_owned(),
            project: None,
            subject: "user".to_owned(),
            key: "key".to_owned(),
            value: value.to_owned(),
            category: Category::Personal,
            confidence: 0.9,
            context: None,
            source: None,
            valid_from: at(from),
            end: to.map(|to| End {
                how: Ending::Superseded,
                valid_to: at(to),
                learned: at(to),
            }),
            recorded: at(from),
            retracted: None,
            replaced_by: None,
            confirmations: Vec::new(),
            tentative: false,
            pinned: false,
        }
    }

    fn stated(value: &str, said: i64) -> Stated {
        Stated {
            project: None,
            subject: "user".to_owned(),
            key: "key".to_owned(),
            value: value.to_owned(),
            category: Category::Personal,
            confidence: 0.9,
            context: None,
            source: None,
            retracted: false,
            many: false,
            from: at(said),
            said: at(said),
        }
    }

    #[test]
    fn every_way_of_a_statement() {
        let berlin = fact("Berlin", 10, None);
        let quarter = fact("Berlin, Mitte", 10, None);
        let past = [fact("Bonn", 10, Some(20)), fact("Berlin", 20, None)];
        let gap = [fact("Bonn", 10, Some(20)), fact("Berlin", 40, None)];
        let again = Fact {
            confirmations: vec![Confirmation {
                message: None,
                at: at(30),
            }],
            ..berlin.clone()
        };
        let tentative = Fact {
            tentative: true,
            confidence: 0.4,
            ..fact("Ulm", 12, None)
        };
        let doubted = [berlin.clone(), tentative.clone()];
        let wrong = Fact {
            retracted: Some(at(15)),
            ..berlin.clone()
        };
        let message = MessageId::at(at(10));
        let heard = Fact {
            source: Some(message),
            ..wrong.clone()
        };

        let doubtful = |value| Stated {
            confidence: 0.3,
            ..stated(value, 20)
        };
        let back = |value, said| Stated {
            retracted: true,
            ..stated(value, said)
        };
        let many = |value| Stated {
            many: true,
            ..stated(value, 20)
        };
        let since = |from, said| Stated {
            from: at(from),
            ..stated("Ulm", said)
        };
        let replace = |old, how, from| Decision::Replace {
            old,
            how,
            from: at(from),
            confidence: 0.9,
        };
        let confirm = |fact, since: Option<i64>| Decision::Confirm {
            fact,
            since: since.map(at),
        };
        let begin = |from, until| Decision::Begin {
            from: at(from),
            until,
        };

        let one = std::slice::from_ref::<Fact>;
        let cases: Vec<(&str, &[Fact], Stated, Decision<'_>)> = vec![
            ("nothing known", &[], stated("Berlin", 20), begin(20, None)),
            (
                "the same",
                one(&berlin),
                stated("berlin", 20),
                confirm(&berlin, None),
            ),
            (
                "the same since before it was known",
                &past,
                Stated {
                    from: at(3),
                    ..stated("Berlin", 30)
                },
                confirm(&past[1], None),
            ),
            (
                "the same since before anything was known",
                one(&berlin),
                Stated {
                    from: at(3),
                    ..stated("Berlin", 30)
                },
                confirm(&berlin, Some(3)),
            ),
            (
                "less",
                one(&quarter),
                stated("Berlin", 20),
                confirm(&quarter, None),
            ),
            (
                "more",
                one(&berlin),
                stated("Berlin, Mitte", 20),
                replace(&berlin, Ending::Refined, 20),
            ),
            (
                "another",
                one(&berlin),
                stated("Ulm", 20),
                replace(&berlin, Ending::Superseded, 20),
            ),
            ("another of many", one(&berlin), many("Ulm"), begin(20, None)),
            (
                "more of many",
                one(&berlin),
                many("Berlin (Mitte)"),
                replace(&berlin, Ending::Refined, 20),
            ),
            (
                "before all",
                one(&berlin),
                stated("Ulm", 5),
                begin(5, Some(&berlin)),
            ),
            (
                "within the past",
                &past,
                stated("Ulm", 15),
                replace(&past[0], Ending::Superseded, 15),
            ),
            (
                "the same in the past",
                &past,
                stated("Bonn", 15),
                confirm(&past[0], None),
            ),
            ("within a gap", &gap, stated("Ulm", 30), begin(30, Some(&gap[1]))),
            (
                "within a gap, since before it",
                &gap,
                since(15, 30),
                begin(20, Some(&gap[1])),
            ),
            (
                "since a time before it was said again",
                one(&again),
                since(20, 40),
                replace(&again, Ending::Superseded, 40),
            ),
            (
                "since a time after it was said",
                one(&berlin),
                since(12, 20),
                replace(&berlin, Ending::Superseded, 12),
            ),
            (
                "since a time before it was said",
                one(&berlin),
                since(5, 20),
                replace(&berlin, Ending::Superseded, 20),
            ),
            (
                "doubtful",
                one(&berlin),
                doubtful("Ulm"),
                Decision::Doubt(&berlin),
            ),
            (
                "doubtful again",
                &doubted,
                doubtful("Ulm"),
                confirm(&tentative, None),
            ),
            (
                "doubtful no more",
                &doubted,
                Stated {
                    confidence: 0.4,
                    ..stated("Ulm", 20)
                },
                Decision::Replace {
                    old: &doubted[0],
                    how: Ending::Superseded,
                    from: at(20),
                    confidence: raised(0.4, 0.4),
                },
            ),
            (
                "corrected before",
                one(&wrong),
                stated("Berlin", 20),
                begin(20, None),
            ),
            (
                "heard before",
                one(&heard),
                Stated {
                    source: Some(message),
                    ..stated("Berlin", 10)
                },
                Decision::Nothing,
            ),
            (
                "taken back",
                one(&quarter),
                back("Berlin", 20),
                Decision::End(vec![&quarter]),
            ),
            (
                "taken back with all",
                &doubted,
                back("", 20),
                Decision::End(vec![&doubted[0], &doubted[1]]),
            ),
            (
                "another taken back",
                one(&berlin),
                back("Ulm", 20),
                Decision::Nothing,
            ),
            (
                "taken back before it was true",
                one(&berlin),
                back("Berlin", 5),
                Decision::Nothing,
            ),
        ];
        for (case, states, stated, expected) in cases {
            assert_eq!(decide(states, &stated), expected, "{case}");
        }
    }

    #[test]
    fn confidence_rises_and_stays_below_certainty() {
        let mut confidence = 0.3;
        for _ in 0..20 {
            let next = raised(confidence, 0.9);
            assert!(next > confidence && next < 1.0);
            confidence = next;
        }
    }
}
