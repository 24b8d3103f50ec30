use mira_store::FactId;

use super::super::{Confirmation, End};
use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn fact(value: &str, from: i64, to: Option<i64>) -> Fact {
    let end = |to| End {
        how: Ending::Superseded,
        valid_to: at(to),
        learned: at(to),
    };
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
        end: to.map(end),
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
        from: at(said),
        said: at(said),
        ..Stated::of(&fact(value, said, None))
    }
}

fn since(from: i64, stated: Stated) -> Stated {
    Stated {
        from: at(from),
        ..stated
    }
}

fn doubtful(stated: Stated) -> Stated {
    Stated {
        confidence: 0.3,
        ..stated
    }
}

fn of_many(stated: Stated) -> Stated {
    Stated { many: true, ..stated }
}

fn taken_back(value: &str, said: i64) -> Stated {
    Stated {
        retracted: true,
        ..stated(value, said)
    }
}

fn confirm(fact: &Fact) -> Decision<'_> {
    Decision::Confirm { fact, since: None }
}

fn begin(from: i64, until: Option<&Fact>) -> Decision<'_> {
    let from = at(from);
    Decision::Begin { from, until }
}

fn replace(old: &Fact, how: Ending, from: i64) -> Decision<'_> {
    Decision::Replace {
        old,
        how,
        from: at(from),
        confidence: 0.9,
    }
}

/// What is known, what is stated, and what becomes of it.
type Case<'a> = (&'a [Fact], Stated, Decision<'a>);

fn check(cases: Vec<Case<'_>>) {
    for (n, (states, stated, expected)) in cases.into_iter().enumerate() {
        assert_eq!(decide(states, &stated), expected, "case {n}: {stated:?}");
    }
}

#[test]
fn a_value_is_compared_with_the_one_that_holds() {
    use Ending::{Refined, Superseded};
    let city = &[fact("Berlin", 10, None)];
    let quarter = &[fact("Berlin, Mitte", 10, None)];
    check(vec![
        (&[], stated("Berlin", 20), begin(20, None)),
        (city, stated("berlin", 20), confirm(&city[0])),
        (quarter, stated("Berlin", 20), confirm(&quarter[0])),
        (city, stated("Berlin, Mitte", 20), replace(&city[0], Refined, 20)),
        (city, stated("Ulm", 20), replace(&city[0], Superseded, 20)),
        (city, of_many(stated("Ulm", 20)), begin(20, None)),
        (
            city,
            of_many(stated("Berlin (Mitte)", 20)),
            replace(&city[0], Refined, 20),
        ),
    ]);
}

#[test]
fn a_statement_takes_its_place_in_time() {
    use Ending::Superseded;
    let now = &[fact("Berlin", 10, None)];
    let past = &[fact("Bonn", 10, Some(20)), fact("Berlin", 20, None)];
    let gap = &[fact("Bonn", 10, Some(20)), fact("Berlin", 40, None)];
    let again = &[Fact {
        confirmations: vec![Confirmation {
            message: None,
            at: at(30),
        }],
        ..now[0].clone()
    }];
    let earlier = Decision::Confirm {
        fact: &now[0],
        since: Some(at(3)),
    };
    check(vec![
        (now, stated("Ulm", 5), begin(5, Some(&now[0]))),
        (past, stated("Ulm", 15), replace(&past[0], Superseded, 15)),
        (past, stated("Bonn", 15), confirm(&past[0])),
        (gap, stated("Ulm", 30), begin(30, Some(&gap[1]))),
        (gap, since(15, stated("Ulm", 30)), begin(20, Some(&gap[1]))),
        (
            now,
            since(12, stated("Ulm", 20)),
            replace(&now[0], Superseded, 12),
        ),
        // It was said then that it is Berlin.
        (now, since(5, stated("Ulm", 20)), replace(&now[0], Superseded, 20)),
        (
            again,
            since(20, stated("Ulm", 40)),
            replace(&again[0], Superseded, 40),
        ),
        (now, since(3, stated("Berlin", 30)), earlier),
        (past, since(3, stated("Berlin", 30)), confirm(&past[1])),
    ]);
}

#[test]
fn doubt_does_not_end_what_is_firm_until_it_was_said_often_enough() {
    let firm = &[fact("Berlin", 10, None)];
    let weak = &[Fact {
        confidence: 0.7,
        ..firm[0].clone()
    }];
    let tentative = Fact {
        tentative: true,
        confidence: 0.4,
        ..fact("Ulm", 12, None)
    };
    let both = &[firm[0].clone(), tentative];
    let surer = Stated {
        confidence: 0.4,
        ..stated("Ulm", 20)
    };
    let replace = |old, confidence| Decision::Replace {
        old,
        how: Ending::Superseded,
        from: at(20),
        confidence,
    };
    check(vec![
        (firm, doubtful(stated("Ulm", 20)), Decision::Doubt(&firm[0])),
        (weak, doubtful(stated("Ulm", 20)), replace(&weak[0], 0.3)),
        (both, doubtful(stated("Bonn", 20)), Decision::Doubt(&both[0])),
        (both, doubtful(stated("Ulm", 20)), confirm(&both[1])),
        (both, surer, replace(&both[0], raised(0.4, 0.4))),
        (both, doubtful(stated("Berlin", 20)), confirm(&both[0])),
    ]);
}

#[test]
fn what_is_taken_back_ends_and_what_was_corrected_does_not_return() {
    let quarter = &[fact("Berlin, Mitte", 10, None)];
    let doubted = &[
        fact("Berlin", 10, None),
        Fact {
            tentative: true,
            ..fact("Ulm", 12, None)
        },
    ];
    let message = MessageId::at(at(10));
    let corrected = &[Fact {
        source: Some(message),
        retracted: Some(at(15)),
        ..fact("Berlin", 10, None)
    }];
    let heard = Stated {
        source: Some(message),
        ..stated("Berlin", 10)
    };
    check(vec![
        (
            quarter,
            taken_back("Berlin", 20),
            Decision::End(vec![&quarter[0]]),
        ),
        (quarter, taken_back("Ulm", 20), Decision::Nothing),
        (quarter, taken_back("Berlin", 5), Decision::Nothing),
        (
            doubted,
            taken_back("", 20),
            Decision::End(doubted.iter().collect()),
        ),
        (corrected, heard, Decision::Nothing),
        (corrected, stated("Berlin", 20), begin(20, None)),
    ]);
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
