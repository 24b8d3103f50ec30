//! Whatever is said, in whatever order it arrives.

use std::collections::HashSet;
use std::time::Duration;

use mira_memory::fact::{Fact, Facts};
use mira_memory::relationship::Statement;
use mira_memory::session::DEFAULT_USER;
use mira_store::{MessageId, Timestamp};
use proptest::prelude::*;

use super::{day, statement};
use crate::{Fixture, memory};

/// A statement about a key and value by their number.
#[derive(Debug, Clone)]
struct Told {
    key: usize,
    value: usize,
    /// The day that it was said on.
    on: i64,
    confidence: f64,
    since: Option<i64>,
    retracted: bool,
}

/// The last holds many values.
const KEYS: [&str; 3] = ["city", "editor", "tools"];
const VALUES: [&str; 4] = ["one", "two", "three", "Two."];

/// The value of a key with one value on a day: what was said last until then, the last to arrive among what was said on
/// one day.
fn naive(told: &[Told], key: usize, on: i64) -> Option<String> {
    let said = told.iter().filter(|told| told.key == key && told.on <= on);
    said.max_by_key(|told| told.on)
        .map(|told| plain(VALUES[told.value]))
}

fn plain(value: &str) -> String {
    value.to_lowercase().replace('.', "")
}

async fn tell(told: &[Told]) -> (Fixture, Vec<MessageId>) {
    let fixture = memory().await;
    let session = fixture.memory.create_session().await.unwrap().id;
    let mut messages = Vec::new();
    for told in told {
        let message = fixture.message_of(session, day(told.on), None).await;
        let stated = Statement {
            confidence: told.confidence,
            since: told.since.map(|since| day(since).to_string()),
            retracted: told.retracted,
            ..statement(KEYS[told.key], VALUES[told.value])
        };
        fixture.apply(&message, &[stated]).await;
        messages.push(message.id);
        fixture.clock.advance(Duration::from_millis(1));
    }
    (fixture, messages)
}

async fn believed(fixture: &Fixture) -> Vec<Fact> {
    let all = Facts {
        include_ended: true,
        limit: 10_000,
        ..Facts::of(DEFAULT_USER)
    };
    let facts = fixture.memory.facts(&all).await.unwrap();
    facts
        .into_iter()
        .filter(|fact| fact.retracted.is_none())
        .collect()
}

/// Whether two states that exclude each other are both true at some time.
fn contradict(one: &Fact, other: &Fact) -> bool {
    let until = |fact: &Fact| fact.end.map_or(Timestamp::from_ms(i64::MAX), |end| end.valid_to);
    let exclude = one.key == other.key
        && !one.tentative
        && !other.tentative
        && (one.key != "tools" || plain(&one.value) == plain(&other.value));
    exclude && one.valid_from.max(other.valid_from) < until(one).min(until(other))
}

fn statements(
    confidence: std::ops::RangeInclusive<f64>,
    since: impl Strategy<Value = Option<i64>>,
    retracted: impl Strategy<Value = bool>,
) -> impl Strategy<Value = Vec<Told>> {
    let told = (
        0..KEYS.len(),
        0..VALUES.len(),
        0..12_i64,
        confidence,
        since,
        retracted,
    );
    let told = told.prop_map(|(key, value, on, confidence, since, retracted)| Told {
        key,
        value,
        on,
        confidence,
        since,
        retracted,
    });
    proptest::collection::vec(told, 1..20)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn states_never_contradict_and_nothing_that_was_said_is_lost(
        told in statements(0.0..=1.0, prop::option::weighted(0.2, 0..14_i64), prop::bool::weighted(0.15))
    ) {
        block_on(async {
            let (fixture, messages) = tell(&told).await;
            let states = believed(&fixture).await;
            for (n, one) in states.iter().enumerate() {
                for other in &states[n + 1..] {
                    prop_assert!(!contradict(one, other), "{one:?}\n{other:?}");
                }
                prop_assert!(one.end.is_none_or(|end| one.valid_from <= end.valid_to), "{one:?}");
            }
            let kept: HashSet<MessageId> = states
                .iter()
                .flat_map(|fact| fact.confirmations.iter().filter_map(|again| again.message).chain(fact.source))
                .collect();
            let stated = told.iter().zip(messages).filter(|(told, _)| !told.retracted);
            prop_assert_eq!(kept, stated.map(|(_, message)| message).collect::<HashSet<_>>());
            Ok(())
        })?;
    }

    #[test]
    fn facts_at_a_time_are_those_of_a_naive_model(told in statements(0.5..=1.0, Just(None), Just(false))) {
        block_on(async {
            let (fixture, _) = tell(&told).await;
            for on in -1..13 {
                for (key, name) in KEYS.iter().enumerate().take(2) {
                    let values: Vec<String> =
                        fixture.values_of(name, on).await.iter().map(|value| plain(value)).collect();
                    let expected: Vec<String> = naive(&told, key, on).into_iter().collect();
                    prop_assert_eq!(&values, &expected, "{} on day {}", name, on);
                }
            }
            Ok(())
        })?;
    }
}
