//! Habits: observed, acted on, fading.

use std::time::Duration;

use mira_memory::pattern::{Outcome, Pattern, PatternKind, STALE_AFTER};
use mira_memory::relationship::{self, Observation, Report};
use mira_memory::session::DEFAULT_USER;
use mira_memory::{Message, NewMessage, Role};
use mira_store::{Clock as _, PatternId, Timestamp};

use super::{Fixture, memory};

fn observation(confidence: f64) -> Observation {
    Observation {
        kind: PatternKind::CodingStyle,
        name: "early return".to_owned(),
        description: "returns early".to_owned(),
        confidence,
        applies_when: None,
    }
}

async fn message(fixture: &Fixture) -> Message {
    let session = fixture.memory.create_session().await.unwrap().id;
    fixture
        .memory
        .save(NewMessage::new(session, Role::User, "…"))
        .await
        .unwrap()
}

async fn observe(fixture: &Fixture, message: &Message, observation: Observation) -> Vec<PatternId> {
    let report = Report {
        patterns: vec![observation],
        ..Report::default()
    };
    let mut transaction = fixture.database.begin().await.unwrap();
    let applied = relationship::apply(
        &mut transaction,
        DEFAULT_USER,
        message,
        &report,
        fixture.clock.now(),
    )
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    applied.patterns
}

async fn only(fixture: &Fixture) -> Pattern {
    let patterns = fixture.memory.patterns(DEFAULT_USER).await.unwrap();
    assert_eq!(patterns.len(), 1);
    patterns.into_iter().next().unwrap()
}

fn near(confidence: f64, expected: f64) {
    assert!(
        (confidence - expected).abs() < 1e-9,
        "{confidence} is not {expected}"
    );
}

#[tokio::test]
async fn the_first_observation_counts_within_bounds() {
    for (strength, expected) in [
        (0.1, Some(0.3)),
        (0.5, Some(0.5)),
        (9.0, Some(0.7)),
        (-0.5, None),
        (f64::NAN, None),
    ] {
        let fixture = memory().await;
        observe(&fixture, &message(&fixture).await, observation(strength)).await;
        let patterns = fixture.memory.patterns(DEFAULT_USER).await.unwrap();
        assert_eq!(
            patterns.first().map(|pattern| pattern.confidence),
            expected,
            "{strength}"
        );
    }
}

#[tokio::test]
async fn a_habit_grows_with_each_message_and_is_wrong_after_enough_against_it() {
    let fixture = memory().await;
    let mut messages = Vec::new();
    for _ in 0..12 {
        let message = message(&fixture).await;
        messages.push(message.id);
        let named = Observation {
            name: "Early_Return ".to_owned(),
            ..observation(0.05)
        };
        assert_eq!(observe(&fixture, &message, named.clone()).await.len(), 1);
        // The same message again shows nothing new.
        assert_eq!(observe(&fixture, &message, named).await, []);
    }
    let pattern = only(&fixture).await;
    near(pattern.confidence, 0.3 + 11.0 * 0.05);
    assert_eq!(
        (pattern.name.as_str(), pattern.observations),
        ("early return", 12)
    );
    assert_eq!(pattern.examples, messages[2..]);
    assert!(pattern.is_applicable() && !pattern.is_deprecated());

    observe(&fixture, &message(&fixture).await, observation(-0.7)).await;
    assert!(only(&fixture).await.is_deprecated());
}

#[tokio::test]
async fn success_strengthens_and_failure_weakens() {
    let fixture = memory().await;
    observe(&fixture, &message(&fixture).await, observation(0.7)).await;
    let id = only(&fixture).await.id;
    near(
        fixture
            .memory
            .pattern_outcome(id, Outcome::Worked)
            .await
            .unwrap()
            .unwrap()
            .confidence,
        0.75,
    );
    near(
        fixture
            .memory
            .pattern_outcome(id, Outcome::Failed)
            .await
            .unwrap()
            .unwrap()
            .confidence,
        0.65,
    );
    for _ in 0..10 {
        fixture.memory.pattern_outcome(id, Outcome::Failed).await.unwrap();
    }
    let pattern = only(&fixture).await;
    near(pattern.confidence, 0.0);
    assert_eq!(pattern.applications, 12);
    let unknown = PatternId::at(Timestamp::default());
    assert_eq!(
        fixture
            .memory
            .pattern_outcome(unknown, Outcome::Worked)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_habit_that_does_not_show_fades_once_in_each_period() {
    let fixture = memory().await;
    let Fixture { memory, clock, .. } = &fixture;
    observe(&fixture, &message(&fixture).await, observation(0.38)).await;
    let mut seen = Vec::new();
    for wait in [
        STALE_AFTER.saturating_sub(Duration::from_secs(1)),
        Duration::from_secs(1),
        Duration::ZERO,
        STALE_AFTER,
        STALE_AFTER,
    ] {
        clock.advance(wait);
        seen.push(memory.weaken_stale_patterns().await.unwrap());
    }
    assert_eq!(seen, [0, 1, 0, 1, 0]);
    near(only(&fixture).await.confidence, 0.28);

    observe(&fixture, &message(&fixture).await, observation(0.2)).await;
    assert_eq!(memory.weaken_stale_patterns().await.unwrap(), 0);
}
