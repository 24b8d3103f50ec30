//! The life of facts, from statement to forgetting.

mod order;
mod user;

use std::time::Duration;

use mira_memory::fact::{Category, Ending, Facts};
use mira_memory::relationship::{Applied, Report, Statement};
use mira_memory::session::DEFAULT_USER;
use mira_memory::{Message, NewMessage, Role, relationship};
use mira_store::{Clock as _, ProjectId, SessionId, Timestamp};

use crate::{Fixture, memory};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn day(day: i64) -> Timestamp {
    Timestamp::from_ms(1_700_000_000_000 + day * DAY_MS)
}

fn statement(key: &str, value: &str) -> Statement {
    Statement {
        subject: "user".to_owned(),
        key: key.to_owned(),
        value: value.to_owned(),
        category: Category::Technical,
        confidence: 0.8,
        retracted: false,
        context: None,
        since: None,
    }
}

fn no_longer(key: &str, value: &str) -> Statement {
    Statement {
        retracted: true,
        ..statement(key, value)
    }
}

impl Fixture {
    /// A message of a day.
    async fn message_of(&self, session: SessionId, time: Timestamp, project: Option<ProjectId>) -> Message {
        let new = NewMessage {
            time: Some(time),
            project,
            ..NewMessage::new(session, Role::User, "…")
        };
        self.memory.save(new).await.unwrap()
    }

    async fn apply(&self, message: &Message, facts: &[Statement]) -> Applied {
        let report = Report {
            facts: facts.to_vec(),
            ..Report::default()
        };
        let mut transaction = self.database.begin().await.unwrap();
        let now = self.clock.now();
        let applied = relationship::apply(&mut transaction, DEFAULT_USER, message, &report, now)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        applied
    }

    /// Says something on a day.
    async fn say(&self, on: i64, facts: &[Statement]) -> Applied {
        let session = self.memory.create_session().await.unwrap().id;
        let message = self.message_of(session, day(on), None).await;
        self.apply(&message, facts).await
    }

    async fn values(&self, asked: Facts) -> Vec<String> {
        let facts = self.memory.facts(&asked).await.unwrap();
        facts.into_iter().map(|fact| fact.value).collect()
    }

    async fn values_of(&self, key: &str, on: i64) -> Vec<String> {
        let mut values = self.values(as_of(key, day(on))).await;
        values.sort();
        values
    }

    async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query)
            .fetch_one(self.database.readers())
            .await
            .unwrap()
    }
}

fn as_of(key: &str, time: Timestamp) -> Facts {
    Facts {
        key: Some(key.to_owned()),
        as_of: Some(time),
        ..Facts::of(DEFAULT_USER)
    }
}

#[tokio::test]
async fn a_preference_that_changed_can_be_asked_for_at_any_time() {
    let fixture = memory().await;
    fixture.say(0, &[statement("Indentation", "spaces")]).await;
    fixture.say(10, &[statement("indentation", "Spaces.")]).await;
    fixture.say(20, &[statement("indentation", "tabs")]).await;
    fixture
        .say(30, &[statement("indentation", "tabs, four wide")])
        .await;
    fixture.say(40, &[no_longer("indentation", "tabs")]).await;

    for (on, expected) in [
        (-1, ""),
        (0, "spaces"),
        (19, "spaces"),
        (20, "tabs"),
        (30, "tabs, four wide"),
        (40, ""),
    ] {
        assert_eq!(
            fixture.values_of("indentation", on).await.concat(),
            expected,
            "day {on}"
        );
    }
    let history = fixture
        .memory
        .facts(&Facts {
            include_ended: true,
            ..Facts::of(DEFAULT_USER)
        })
        .await
        .unwrap();
    let mut lives: Vec<_> = history
        .iter()
        .map(|fact| {
            (
                fact.valid_from,
                fact.end.map(|end| end.how),
                fact.confirmations.len(),
            )
        })
        .collect();
    lives.sort_by_key(|life| life.0);
    assert_eq!(
        lives,
        [
            (day(0), Some(Ending::Superseded), 1),
            (day(20), Some(Ending::Refined), 0),
            (day(30), Some(Ending::Retracted), 0)
        ]
    );
}

#[tokio::test]
async fn what_was_known_at_a_time_does_not_change_afterwards() {
    let fixture = memory().await;
    let known_before = |at: Timestamp, asked: Facts| Facts {
        known_at: Some(at),
        ..asked
    };
    let mut steps = Vec::new();
    for (on, value) in [(0, "Berlin"), (40, "Hamburg"), (20, "Bonn"), (10, "Ulm")] {
        fixture.say(on, &[statement("home", value)]).await;
        let mut seen = Vec::new();
        for at in [0, 10, 20, 40, 50] {
            seen.push(fixture.values_of("home", at).await);
        }
        steps.push((fixture.clock.now(), seen));
        fixture.clock.advance(Duration::from_mins(1));
    }
    assert_eq!(
        steps[3].1,
        [["Berlin"], ["Ulm"], ["Bonn"], ["Hamburg"], ["Hamburg"]]
    );
    for (then, seen) in steps {
        for (at, expected) in [0, 10, 20, 40, 50].into_iter().zip(seen) {
            let asked = known_before(then, as_of("home", day(at)));
            assert_eq!(fixture.values(asked).await, expected, "known at {then}, day {at}");
        }
    }
}

#[tokio::test]
async fn keys_that_hold_many_keep_their_values_beside_each_other() {
    let fixture = memory().await;
    fixture
        .say(
            0,
            &[statement("tools_used", "git"), statement("tools_used", "just")],
        )
        .await;
    fixture
        .say(
            1,
            &[statement("tools used", "Git"), statement("tools_used", "make")],
        )
        .await;
    fixture.say(2, &[no_longer("tools_used", "make")]).await;
    assert_eq!(fixture.values_of("tools_used", 1).await, ["git", "just", "make"]);
    assert_eq!(fixture.values_of("tools_used", 2).await, ["git", "just"]);
}

#[tokio::test]
async fn a_doubtful_contradiction_stands_beside_until_it_was_said_often_enough() {
    let fixture = memory().await;
    let doubtful = Statement {
        confidence: 0.4,
        ..statement("editor", "Emacs")
    };
    let firm = Statement {
        confidence: 0.9,
        ..statement("editor", "Vim")
    };
    fixture.say(0, &[firm]).await;
    fixture.say(1, std::slice::from_ref(&doubtful)).await;
    let known = fixture.memory.known_of(DEFAULT_USER, None).await.unwrap();
    let tentative: Vec<bool> = fixture
        .memory
        .facts(&as_of("editor", day(1)))
        .await
        .unwrap()
        .iter()
        .map(|fact| fact.tentative)
        .collect();
    assert_eq!(
        known
            .facts
            .iter()
            .map(|fact| fact.value.as_str())
            .collect::<Vec<_>>(),
        ["Vim"]
    );
    assert_eq!(tentative.iter().filter(|tentative| **tentative).count(), 1);

    fixture.say(2, &[doubtful]).await;
    assert_eq!(fixture.values_of("editor", 2).await, ["Emacs"]);
}

#[tokio::test]
async fn an_older_message_that_comes_late_makes_history_and_changes_nothing_newer() {
    let fixture = memory().await;
    fixture.say(10, &[statement("shell", "fish")]).await;
    fixture.say(20, &[statement("shell", "fish")]).await;
    fixture.say(5, &[statement("shell", "bash")]).await;
    fixture.say(15, &[statement("shell", "zsh")]).await;
    fixture.say(7, &[no_longer("shell", "fish")]).await;
    for (on, expected) in [
        (4, ""),
        (5, "bash"),
        (10, "fish"),
        (15, "zsh"),
        (20, "fish"),
        (99, "fish"),
    ] {
        assert_eq!(
            fixture.values_of("shell", on).await.concat(),
            expected,
            "day {on}"
        );
    }
}

#[tokio::test]
async fn since_says_when_it_began_unless_that_contradicts_what_was_said_then() {
    let fixture = memory().await;
    let since = |value: &str, since: Timestamp| Statement {
        since: Some(since.to_string()),
        ..statement("employer", value)
    };
    fixture.say(10, &[statement("employer", "A")]).await;
    fixture.say(30, &[since("B", day(20))]).await;
    fixture.say(40, &[since("C", day(15))]).await;
    fixture.say(50, &[since("D", day(60))]).await;
    fixture
        .say(
            55,
            &[Statement {
                since: Some("a while".to_owned()),
                ..statement("team", "core")
            }],
        )
        .await;
    for (on, expected) in [(19, "A"), (20, "B"), (39, "B"), (40, "C"), (59, "C"), (60, "D")] {
        assert_eq!(
            fixture.values_of("employer", on).await.concat(),
            expected,
            "day {on}"
        );
    }
    assert_eq!(fixture.values_of("team", 54).await.concat(), "");
    assert_eq!(fixture.values_of("team", 55).await.concat(), "core");
}

#[tokio::test]
async fn the_same_message_analysed_again_changes_nothing() {
    let fixture = memory().await;
    let session = fixture.memory.create_session().await.unwrap().id;
    let first = fixture.message_of(session, day(0), None).await;
    let second = fixture.message_of(session, day(1), None).await;
    fixture.apply(&first, &[statement("os", "Linux")]).await;
    fixture.apply(&second, &[statement("os", "macOS")]).await;
    let all = Facts {
        include_ended: true,
        ..Facts::of(DEFAULT_USER)
    };
    let before = fixture.memory.facts(&all).await.unwrap();
    assert_eq!(
        fixture.apply(&first, &[statement("os", "linux")]).await,
        Applied::default()
    );
    assert_eq!(
        fixture.apply(&second, &[statement("os", "macos")]).await,
        Applied::default()
    );
    assert_eq!(fixture.memory.facts(&all).await.unwrap(), before);
}
