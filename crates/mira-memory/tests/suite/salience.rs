//! Salience: decay by age, reinforcement by recall.

use std::time::Duration;

use mira_memory::salience::{CEILING, FLOOR, Strength, retained};
use mira_memory::{NewMessage, Role};
use mira_store::Timestamp;
use proptest::prelude::*;

use super::{Fixture, memory};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn days(days: i64) -> Timestamp {
    Timestamp::from_ms(days * DAY_MS)
}

fn age(days: u64) -> Duration {
    Duration::from_hours(days * 24)
}

fn assert_close(actual: f64, expected: f64, what: &str) {
    assert!(
        (actual - expected).abs() < 1e-9,
        "{what}: {actual}, not {expected}"
    );
}

#[test]
fn what_is_left_falls_by_steps_down_to_the_floor_and_never_rises() {
    let cases = [
        (0.8, Duration::ZERO, 0.8),
        (0.8, Duration::from_millis(86_399_999), 0.8),
        (0.8, age(1), 0.76),
        (0.8, age(7), 0.72),
        (0.8, age(30), 0.64),
        (0.8, age(90), 0.56),
        (0.8, age(365), 0.4),
        (0.8, age(730), 0.24),
        (0.6, age(730), FLOOR),
        (FLOOR, age(730), FLOOR),
        (0.1, age(730), 0.1),
        (0.0, age(730), 0.0),
        (1.0, Duration::MAX, 0.3),
    ];
    for (salience, age, left) in cases {
        assert_close(
            retained(salience, age),
            left,
            &format!("{salience} after {age:?}"),
        );
    }
}

#[test]
fn a_recall_strengthens_and_the_stronger_value_decays_from_then_on() {
    let new = Strength {
        original: 0.5,
        reinforced: 0.5,
        said: days(0),
        last_recalled: None,
        pinned: false,
    };
    assert_close(new.at(days(100)), 0.35, "before a recall");
    let recalled = new.recalled(days(100));
    assert_close(recalled.at(days(100)), 0.455, "after it");
    assert_close(recalled.at(days(101)), 0.455 * 0.95, "a day later");
    assert_close(
        recalled.at(days(100 + 800)),
        FLOOR,
        "years later, as if never recalled",
    );
    let pinned = Strength {
        pinned: true,
        ..recalled
    };
    assert_close(pinned.at(days(10_000)), 0.5, "pinned");
    assert_close(
        pinned.recalled(days(10_000)).at(days(20_000)),
        0.65,
        "pinned and recalled",
    );
}

proptest! {
    #[test]
    fn salience_falls_with_age_rises_with_recall_and_keeps_its_bounds(
        original in 0.0..=1.0_f64,
        pinned: bool,
        recalls in prop::collection::vec(0..1_000_i64, 0..6),
        later in 0..1_500_i64,
        latest in 0..1_500_i64,
    ) {
        let new = Strength { original, reinforced: original, said: days(0), last_recalled: None, pinned };
        let mut strength = new;
        let mut now = 0;
        for pause in recalls {
            now += pause;
            let before = strength.at(days(now));
            strength = strength.recalled(days(now));
            prop_assert!(strength.at(days(now)) >= before);
            prop_assert!(strength.at(days(now)) <= CEILING);
        }
        let (soon, late) = (days(now + later), days(now + later + latest));
        prop_assert!(strength.at(late) <= strength.at(soon));
        prop_assert!(strength.at(late) >= original.min(FLOOR));
        // Recall never leaves a message weaker than it would be without.
        prop_assert!(strength.at(late) >= new.at(late));
    }

    #[test]
    fn the_more_salient_of_two_messages_of_an_age_stays_so(a in 0.0..=1.0_f64, b in 0.0..=1.0_f64, days in 0..3_000_u64) {
        prop_assert!(retained(a.min(b), age(days)) <= retained(a.max(b), age(days)));
    }
}

#[tokio::test]
async fn reinforcing_counts_the_recall_and_stores_the_stronger_value() {
    let Fixture {
        memory,
        database,
        clock,
        ..
    } = &memory().await;
    let session = memory.create_session().await.unwrap().id;
    let mut numbers = Vec::new();
    for salience in [0.5, 0.9, 0.1] {
        let number = memory
            .save(NewMessage::new(session, Role::User, "hello"))
            .await
            .unwrap()
            .number;
        let mut transaction = database.begin().await.unwrap();
        sqlx::query(
            "INSERT INTO analyses (message, salience, original_salience, analyser, analysed_ms) VALUES (?1, ?2, ?2, 'rules', 0)",
        )
        .bind(number)
        .bind(salience)
        .execute(&mut *transaction)
        .await
        .unwrap();
        transaction.commit().await.unwrap();
        numbers.push(number);
    }
    clock.advance(age(100));
    // One twice, one that nobody knows.
    memory
        .reinforce(&[numbers[0], numbers[1], numbers[1], 999])
        .await
        .unwrap();
    memory.reinforce(&[]).await.unwrap();

    let stored: Vec<(f64, f64, i64, Option<i64>)> = sqlx::query_as(
        "SELECT salience, original_salience, recall_count, last_recalled_ms FROM analyses ORDER BY message",
    )
    .fetch_all(database.readers())
    .await
    .unwrap();
    let now = mira_store::Clock::now(&**clock).ms();
    let recalled = |salience: f64, original| (salience, original, 1, Some(now));
    assert_eq!(
        stored,
        [
            recalled(0.5 * 0.7 * 1.3, 0.5),
            recalled(0.9 * 0.7 * 1.3, 0.9),
            (0.1, 0.1, 0, None)
        ]
    );
}
