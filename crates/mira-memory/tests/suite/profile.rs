//! The profile, and what of everything known goes into prompts.

use mira_memory::fact::Category;
use mira_memory::pattern::PatternKind;
use mira_memory::profile::{Depth, MAX_ENTRIES, Verbosity};
use mira_memory::relationship::{self, Observation, ProfileChanges, Report, Statement};
use mira_memory::session::DEFAULT_USER;
use mira_memory::{NewMessage, Role};
use mira_store::Clock as _;

use super::{Fixture, memory};

async fn tell(fixture: &Fixture, report: &Report) {
    let session = fixture.memory.create_session().await.unwrap().id;
    let message = fixture
        .memory
        .save(NewMessage::new(session, Role::User, "…"))
        .await
        .unwrap();
    let mut transaction = fixture.database.begin().await.unwrap();
    relationship::apply(
        &mut transaction,
        DEFAULT_USER,
        &message,
        report,
        fixture.clock.now(),
    )
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    fixture.clock.advance(std::time::Duration::from_secs(1));
}

fn list(entries: &[&str]) -> Vec<String> {
    entries.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn messages_add_to_a_profile_and_the_user_replaces() {
    let fixture = memory().await;
    let Fixture { memory, .. } = &fixture;
    assert_eq!(memory.profile(DEFAULT_USER).await.unwrap(), None);
    tell(&fixture, &Report::default()).await;
    assert_eq!(memory.profile(DEFAULT_USER).await.unwrap(), None);

    let told = [
        ProfileChanges {
            preferred_languages: Some(list(&["Rust", " ", "rust", "Go"])),
            code_verbosity: Some("Minimal".to_owned()),
            coding_style: Some(
                "short \n functions, token ghp_abcdefghijklmnopqrstuvwxyz0123456789".to_owned(),
            ),
            ..ProfileChanges::default()
        },
        ProfileChanges {
            preferred_languages: Some(list(&["Zig"])),
            code_verbosity: Some("gigantic".to_owned()),
            explanation_depth: Some("concise".to_owned()),
            ..ProfileChanges::default()
        },
    ];
    for profile in told {
        tell(
            &fixture,
            &Report {
                profile,
                ..Report::default()
            },
        )
        .await;
    }
    let profile = memory.profile(DEFAULT_USER).await.unwrap().unwrap();
    assert_eq!(profile.preferred_languages, ["Rust", "Go", "Zig"]);
    assert_eq!(
        profile.coding_style.as_deref(),
        Some("short functions, token [secret]")
    );
    assert_eq!(profile.code_verbosity, Some(Verbosity::Minimal));
    assert_eq!(profile.explanation_depth, Some(Depth::Concise));
    assert!(profile.created < profile.updated);

    let by_hand = ProfileChanges {
        preferred_languages: Some(list(&["Ada"])),
        tech_stack: Some((0..30).map(|n| n.to_string()).collect()),
        coding_style: Some(String::new()),
        explanation_depth: Some(String::new()),
        ..ProfileChanges::default()
    };
    let set = memory.set_profile(DEFAULT_USER, &by_hand).await.unwrap();
    assert_eq!(memory.profile(DEFAULT_USER).await.unwrap().as_ref(), Some(&set));
    assert_eq!(set.preferred_languages, ["Ada"]);
    assert_eq!(set.tech_stack.len(), MAX_ENTRIES);
    assert_eq!((set.coding_style, set.explanation_depth), (None, None));
    assert_eq!(set.code_verbosity, Some(Verbosity::Minimal));
}

#[tokio::test]
async fn the_text_for_prompts_has_wishes_first_and_keeps_its_beginning() {
    let fixture = memory().await;
    let Fixture { memory, .. } = &fixture;
    assert_eq!(
        memory.known_of(DEFAULT_USER, None).await.unwrap().prompt_text(),
        ""
    );
    let fact = |key: &str, value: &str, category, confidence| Report {
        facts: vec![Statement {
            subject: "user".to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
            category,
            confidence,
            retracted: false,
            context: None,
            since: None,
        }],
        ..Report::default()
    };
    tell(&fixture, &fact("home", "Berlin", Category::Personal, 0.9)).await;
    tell(
        &fixture,
        &fact("directive_tests", "always run them", Category::Preference, 0.6),
    )
    .await;
    tell(
        &fixture,
        &fact("employer", &"long ".repeat(90), Category::Professional, 0.5),
    )
    .await;
    let habit = Observation {
        kind: PatternKind::WorkPattern,
        name: "Tests_first".to_owned(),
        description: "writes the test\nbefore the code".to_owned(),
        confidence: 1.0,
        applies_when: Some("fixing bugs".to_owned()),
    };
    let faint = Observation {
        name: "faint".to_owned(),
        confidence: 0.4,
        ..habit.clone()
    };
    tell(
        &fixture,
        &Report {
            patterns: vec![habit, faint],
            ..Report::default()
        },
    )
    .await;
    let changes = ProfileChanges {
        tech_stack: Some(list(&["Rust", "SQLite"])),
        ..ProfileChanges::default()
    };
    memory.set_profile(DEFAULT_USER, &changes).await.unwrap();

    let text = memory.known_of(DEFAULT_USER, None).await.unwrap().prompt_text();
    let long = format!("- user · employer: {}", "long ".repeat(90));
    let long: String = long.chars().take(242).collect();
    assert_eq!(
        text,
        format!(
            "What the user wants:\n- user · directive tests: always run them\n\
             Profile:\n- tech stack: Rust, SQLite\n\
             Habits:\n- tests first: writes the test before the code (when fixing bugs)\n\
             Known facts:\n- user · home: Berlin\n{}\n",
            long.trim_end()
        )
    );
    tell(&fixture, &fact("employer", "long", Category::Professional, 1.0)).await;
    tell(&fixture, &fact("home", "berlin", Category::Professional, 1.0)).await;
    tell(&fixture, &fact("pet", "a cat", Category::Personal, 1.0)).await;
    let later = memory.known_of(DEFAULT_USER, None).await.unwrap().prompt_text();
    assert!(
        later.starts_with(text.split("- user · employer").next().unwrap()),
        "{later}"
    );
}
