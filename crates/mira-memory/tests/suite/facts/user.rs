//! What the user does with facts: ask, correct, pin, forget.

use std::collections::HashSet;
use std::time::Duration;

use mira_memory::fact::{Category, Fact, Facts};
use mira_memory::relationship::Statement;
use mira_memory::session::DEFAULT_USER;
use mira_memory::{Error, fact, relationship};
use mira_store::{Clock as _, FactId, ProjectId};

use super::{as_of, day, statement};
use crate::memory;

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
    let now = fixture.clock.now();
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
