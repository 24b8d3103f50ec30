//! The life of facts, from statement to forgetting.

use std::collections::HashSet;
use std::time::Duration;

use mira_memory::fact::{Category, Ending, Fact, Facts};
use mira_memory::relationship::{Applied, Report, Statement};
use mira_memory::session::DEFAULT_USER;
use mira_memory::{Error, Message, NewMessage, Role, fact, relationship};
use mira_store::{FactId, MessageId, ProjectId, SessionId, Timestamp};
use proptest::prelude::*;

use super::{Fixture, memory};

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
        let now = mira_store::Clock::now(&*self.clock);
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
        steps.push((mira_store::Clock::now(&*fixture.clock), seen));
        fixture.clock.advance(Duration::from_secs(60));
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

#[tokio::test]
async fn a_correction_says_that_it_was_never_true_and_is_not_undone_by_the_message() {
    let fixture = memory().await;
    let session = fixture.memory.create_session().await.unwrap().id;
    let message = fixture.message_of(session, day(0), None).await;
    let wrong = fixture.apply(&message, &[statement("name", "Jon")]).await.added[0];
    fixture.say(5, &[statement("name", "Jack")]).await;
    fixture.memory.pin_fact(wrong).await.unwrap();
    fixture.clock.advance(Duration::from_secs(1));

    let right = fixture
        .memory
        .correct_fact(wrong, " John ")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (right.value.as_str(), right.confidence, right.pinned),
        ("John", 1.0, true)
    );
    assert_eq!(fixture.values_of("name", 0).await, ["John"]);
    assert_eq!(fixture.values_of("name", 5).await, ["Jack"]);
    assert_eq!(fixture.memory.correct_fact(wrong, "Joe").await.unwrap(), None);
    fixture.apply(&message, &[statement("name", "Jon")]).await;
    assert_eq!(fixture.values_of("name", 0).await, ["John"]);

    let current = fixture
        .memory
        .facts(&as_of("name", day(5)))
        .await
        .unwrap()
        .remove(0);
    fixture
        .memory
        .correct_fact(current.id, "Jacques")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(fixture.values_of("name", 5).await, ["Jacques"]);
    assert!(matches!(
        fixture.memory.correct_fact(right.id, " . ").await,
        Err(Error::EmptyFact)
    ));

    let history = fixture.memory.explain_fact(wrong).await.unwrap().unwrap();
    assert_eq!(history.source, Some(message));
    let values: Vec<&str> = history
        .successors
        .iter()
        .map(|fact| fact.value.as_str())
        .collect();
    assert_eq!(values, ["John", "Jack", "Jacques"]);
}

#[tokio::test]
async fn a_chain_is_explained_in_both_directions() {
    let fixture = memory().await;
    for (on, value) in [(0, "a"), (1, "b"), (2, "c")] {
        fixture.say(on, &[statement("plan", value)]).await;
    }
    let middle = fixture
        .memory
        .facts(&as_of("plan", day(1)))
        .await
        .unwrap()
        .remove(0);
    let history = fixture.memory.explain_fact(middle.id).await.unwrap().unwrap();
    let values = |facts: &[Fact]| facts.iter().map(|fact| fact.value.clone()).collect::<String>();
    assert_eq!(
        (values(&history.predecessors), values(&history.successors)),
        ("a".into(), "c".into())
    );
    assert_eq!(
        fixture.memory.explain_fact(FactId::at(day(0))).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn forgetting_leaves_no_trace_and_only_a_new_message_brings_it_back() {
    let fixture = memory().await;
    let session = fixture.memory.create_session().await.unwrap().id;
    let message = fixture.message_of(session, day(0), None).await;
    let told = [
        statement("city", "Ulm"),
        statement("pets", "a cat"),
        statement("pets", "a dog"),
    ];
    let added = fixture.apply(&message, &told).await.added;
    fixture.say(1, &[statement("city", "Bonn")]).await;
    let mut transaction = fixture.database.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO embeddings (subject, kind, head, vector) VALUES (?1, 'fact', 'relationship', x'00')",
    )
    .bind(added[0])
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(
        fixture
            .count("SELECT count(*) FROM outbox WHERE kind = 'fact'")
            .await,
        4
    );

    let forgotten = fixture.memory.forget_fact(added[0]).await.unwrap();
    assert_eq!(forgotten.len(), 2);
    let forgotten = fixture.memory.forget_fact(added[1]).await.unwrap();
    assert_eq!(forgotten, [added[1]]);
    assert_eq!(fixture.memory.forget_fact(added[1]).await.unwrap(), []);
    let all = Facts {
        include_ended: true,
        ..Facts::of(DEFAULT_USER)
    };
    assert_eq!(fixture.values(all).await, ["a dog"]);
    assert_eq!(
        fixture
            .count("SELECT count(*) FROM outbox WHERE kind = 'fact'")
            .await,
        1
    );
    assert_eq!(fixture.count("SELECT count(*) FROM embeddings").await, 0);

    fixture.apply(&message, &[statement("town", "Ulm")]).await;
    assert_eq!(fixture.values_of("town", 1).await.concat(), "");
    fixture.say(2, &[statement("city", "Ulm")]).await;
    assert_eq!(fixture.values_of("city", 2).await, ["Ulm"]);
}

#[tokio::test]
async fn secrets_and_empty_statements_are_refused_and_long_ones_cut() {
    let fixture = memory().await;
    let told = [
        statement("github_token", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
        statement("password", "correct-Horse7-battery"),
        statement(" - ", "x"),
        statement("x", " . "),
        Statement {
            context: Some(format!(
                "key ghp_abcdefghijklmnopqrstuvwxyz0123456789 {}",
                "é".repeat(600)
            )),
            confidence: f64::NAN,
            subject: "ANNA\n ".to_owned(),
            ..statement(&"k".repeat(100), &"ü ".repeat(600))
        },
    ];
    let applied = fixture.say(0, &told).await;
    assert_eq!((applied.added.len(), applied.refused), (1, 4));
    let fact = fixture.memory.fact(applied.added[0]).await.unwrap().unwrap();
    assert_eq!(
        (fact.subject.as_str(), fact.key.chars().count(), fact.confidence),
        ("anna", 80, 0.0)
    );
    assert!(fact.value.chars().count() <= 500);
    let context = fact.context.unwrap();
    assert!(context.starts_with("key [secret] é") && context.chars().count() == 500);

    let secret = statement("note", "ghp_abcdefghijklmnopqrstuvwxyz0123456789");
    let refused = fixture.memory.add_fact(DEFAULT_USER, None, &secret).await;
    assert!(matches!(refused, Err(Error::SecretFact)));
    let many: Vec<Statement> = (0..50).map(|n| statement(&format!("k{n}"), "v")).collect();
    assert_eq!(
        fixture.say(1, &many).await.added.len(),
        relationship::MAX_STATEMENTS
    );
}

#[tokio::test]
async fn facts_are_listed_by_filter_and_page() {
    let fixture = memory().await;
    let mut expected = Vec::new();
    for n in 0..7 {
        fixture.clock.advance(Duration::from_millis(5));
        let stated = Statement {
            category: if n % 2 == 0 {
                Category::Preference
            } else {
                Category::Personal
            },
            ..statement(&format!("k{n}"), "v")
        };
        let fact = fixture
            .memory
            .add_fact("ann", None, &stated)
            .await
            .unwrap()
            .unwrap();
        expected.insert(0, fact.id);
    }
    fixture
        .memory
        .add_fact("bob", None, &statement("k", "v"))
        .await
        .unwrap();
    let mut listed = Vec::new();
    loop {
        let after = listed.last().copied();
        let page = fixture
            .memory
            .facts(&Facts {
                after,
                limit: 3,
                ..Facts::of("ann")
            })
            .await
            .unwrap();
        if page.is_empty() {
            break;
        }
        listed.extend(page.into_iter().map(|fact| fact.id));
    }
    assert_eq!(listed, expected);
    let preferences = Facts {
        category: Some(Category::Preference),
        ..Facts::of("ann")
    };
    assert_eq!(fixture.values(preferences).await.len(), 4);
    let other = Facts {
        subject: Some("Anna".to_owned()),
        ..Facts::of("ann")
    };
    assert_eq!(fixture.values(other).await.len(), 0);
}

#[tokio::test]
async fn what_a_message_says_of_its_project_holds_there_alone() {
    let fixture = memory().await;
    let (here, there) = (ProjectId::at(day(0)), ProjectId::at(day(1)));
    let session = fixture.memory.create_session().await.unwrap().id;
    let of_project = |value: &str| Statement {
        subject: "this project".to_owned(),
        ..statement("indentation", value)
    };
    for (project, value) in [(here, "tabs"), (there, "spaces")] {
        let message = fixture.message_of(session, day(0), Some(project)).await;
        fixture
            .apply(&message, &[of_project(value), statement("name", "Ann")])
            .await;
    }
    let listed = |project| fixture.memory.known_of(DEFAULT_USER, project);
    let values = |facts: Vec<Fact>| facts.into_iter().map(|fact| fact.value).collect::<HashSet<_>>();
    let set = |values: &[&str]| values.iter().map(ToString::to_string).collect::<HashSet<_>>();
    assert_eq!(
        values(listed(Some(here)).await.unwrap().facts),
        set(&["tabs", "Ann"])
    );
    assert_eq!(
        values(listed(Some(there)).await.unwrap().facts),
        set(&["spaces", "Ann"])
    );
    assert_eq!(values(listed(None).await.unwrap().facts), set(&["Ann"]));
}

#[tokio::test]
async fn what_matters_most_stands_first_among_current_facts() {
    let fixture = memory().await;
    let add = async |key: &str, category, confidence| {
        let stated = Statement {
            category,
            confidence,
            ..statement(key, "v")
        };
        fixture
            .memory
            .add_fact("ann", None, &stated)
            .await
            .unwrap()
            .unwrap()
            .id
    };
    add("low", Category::Personal, 0.3).await;
    add("high", Category::Personal, 0.9).await;
    add("wish", Category::Preference, 0.5).await;
    let pinned = add("pinned", Category::Personal, 0.1).await;
    assert!(fixture.memory.pin_fact(pinned).await.unwrap());
    let mut reader = fixture.database.readers().acquire().await.unwrap();
    let now = mira_store::Clock::now(&*fixture.clock);
    let keys: Vec<String> = fact::current(&mut reader, "ann", None, now, 3)
        .await
        .unwrap()
        .into_iter()
        .map(|fact| fact.key)
        .collect();
    assert_eq!(keys, ["pinned", "wish", "high"]);
    assert!(fixture.memory.unpin_fact(pinned).await.unwrap());
    assert!(!fixture.memory.pin_fact(FactId::at(now)).await.unwrap());
}

/// A statement on a day: the key's and the value's number, and how sure it is.
type Told = (usize, usize, i64, f64);

const KEYS: [&str; 3] = ["city", "editor", "tools"];
const VALUES: [&str; 4] = ["one", "two", "three", "Two."];

/// The value of a key with one value at the end of a day: what was said last, the last to arrive among those of a day.
fn naive(told: &[Told], key: usize, on: i64) -> Option<String> {
    let mut said: Vec<&Told> = told.iter().filter(|told| told.0 == key && told.2 <= on).collect();
    said.sort_by_key(|told| told.2);
    said.last()
        .map(|told| VALUES[told.1].to_lowercase().replace('.', ""))
}

async fn tell(told: &[Told]) -> (Fixture, Vec<MessageId>) {
    let fixture = memory().await;
    let session = fixture.memory.create_session().await.unwrap().id;
    let mut messages = Vec::new();
    for (key, value, on, confidence) in told {
        let message = fixture.message_of(session, day(*on), None).await;
        let stated = Statement {
            confidence: *confidence,
            ..statement(KEYS[*key], VALUES[*value])
        };
        fixture.apply(&message, &[stated]).await;
        messages.push(message.id);
        fixture.clock.advance(Duration::from_millis(1));
    }
    (fixture, messages)
}

async fn states(fixture: &Fixture) -> Vec<Fact> {
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

fn overlap(one: &Fact, other: &Fact) -> bool {
    let until = |fact: &Fact| fact.end.map_or(Timestamp::from_ms(i64::MAX), |end| end.valid_to);
    one.valid_from.max(other.valid_from) < until(one).min(until(other))
}

fn told(confidence: impl Strategy<Value = f64>) -> impl Strategy<Value = Vec<Told>> {
    proptest::collection::vec((0..KEYS.len(), 0..VALUES.len(), 0..12_i64, confidence), 1..20)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn states_never_overlap_and_nothing_that_was_said_is_lost(told in told(0.0..=1.0_f64)) {
        block_on(async {
            let (fixture, messages) = tell(&told).await;
            let states = states(&fixture).await;
            for (n, one) in states.iter().enumerate() {
                for other in &states[n + 1..] {
                    let exclude = one.key == other.key && !one.tentative && !other.tentative
                        && (one.key != "tools" || one.value == other.value);
                    prop_assert!(!(exclude && overlap(one, other)), "{one:?}\n{other:?}");
                }
            }
            let kept: HashSet<MessageId> = states
                .iter()
                .flat_map(|fact| fact.confirmations.iter().filter_map(|again| again.message).chain(fact.source))
                .collect();
            prop_assert_eq!(kept, messages.into_iter().collect::<HashSet<_>>());
            Ok(())
        })?;
    }

    #[test]
    fn facts_at_a_time_are_those_of_a_naive_model_whatever_the_order_of_telling(told in told(0.5..=1.0_f64)) {
        block_on(async {
            let (fixture, _) = tell(&told).await;
            for on in -1..13 {
                for (key, name) in KEYS.iter().enumerate().take(2) {
                    let values: Vec<String> =
                        fixture.values_of(name, on).await.iter().map(|value| value.to_lowercase().replace('.', "")).collect();
                    let expected: Vec<String> = naive(&told, key, on).into_iter().collect();
                    prop_assert_eq!(&values, &expected, "{} on day {}", name, on);
                }
            }
            Ok(())
        })?;
    }
}
