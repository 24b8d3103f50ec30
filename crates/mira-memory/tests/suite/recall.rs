//! What is found, in which order, and why; here by words alone.

mod meaning;

use std::collections::BTreeSet;
use std::time::Duration;

use mira_memory::recall::{Hit, Query, Recall};
use mira_memory::{Memory, NewMessage, Role, message, session};
use mira_store::{Clock as _, MessageId, SessionId};

use super::{Fixture, memory};

const HOUR: Duration = Duration::from_hours(1);

async fn ask(memory: &Memory, text: &str) -> Vec<Hit> {
    let Recall { hits, degraded } = memory.recall(&Query::new(text, 20)).await.unwrap();
    assert_eq!(degraded, None);
    hits
}

fn contents(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.message.content.as_str()).collect()
}

async fn say(memory: &Memory, session: SessionId, content: &str) -> MessageId {
    memory
        .save(NewMessage::new(session, Role::User, content))
        .await
        .unwrap()
        .id
}

/// Each in a session of its own.
async fn say_apart<'a>(memory: &Memory, contents: impl IntoIterator<Item = &'a str>) {
    for content in contents {
        let session = memory.create_session().await.unwrap().id;
        say(memory, session, content).await;
    }
}

#[tokio::test]
async fn what_others_store_and_delete_shows_at_once() {
    let Fixture {
        memory,
        database,
        clock,
        ..
    } = &memory().await;
    assert_eq!(ask(memory, "the harbour").await, []);
    let session = memory.create_session().await.unwrap().id;
    let first = say(memory, session, "The harbour is frozen.").await;
    assert_eq!(
        contents(&ask(memory, "harbour").await),
        ["The harbour is frozen."]
    );

    let mut transaction = database.begin().await.unwrap();
    let new = NewMessage::new(session, Role::User, "No ship leaves the harbour.");
    let now = clock.now();
    message::append(&mut transaction, MessageId::at(now), new, now)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(ask(memory, "harbour").await.len(), 2);

    assert!(memory.delete_message(first).await.unwrap());
    assert_eq!(
        contents(&ask(memory, "harbour").await),
        ["No ship leaves the harbour."]
    );
}

#[tokio::test]
async fn a_window_ends_where_a_conversation_was_taken_up_anew() {
    let Fixture { memory, clock, .. } = &memory().await;
    let session = memory.create_session().await.unwrap().id;
    say(memory, session, "The spare key hangs behind the boiler.").await;
    clock.advance(HOUR);
    say(memory, session, "Understood, good to know.").await;
    clock.advance(HOUR + Duration::from_millis(1));
    say(memory, session, "Something about lunch.").await;
    let hits = ask(memory, "boiler").await;
    assert_eq!(
        contents(&hits),
        [
            "The spare key hangs behind the boiler.",
            "Understood, good to know."
        ]
    );
    assert!(
        hits[1].score.words == 0.0 && hits[1].score.window > 0.0,
        "{:?}",
        hits[1].score
    );
}

#[tokio::test]
async fn a_word_weighs_by_how_rare_it_is_in_the_scope() {
    let Fixture {
        memory,
        database,
        clock,
        ..
    } = &memory().await;
    for (user, often, rare) in [("anna", "copper", "basalt"), ("bert", "basalt", "copper")] {
        for n in 0..6 {
            let mut transaction = database.begin().await.unwrap();
            let session = session::create(&mut transaction, None, user, clock.now())
                .await
                .unwrap();
            transaction.commit().await.unwrap();
            let word = if n == 3 { rare } else { often };
            say(memory, session.id, &format!("{word} number{n}")).await;
        }
    }
    for (user, rare) in [("anna", "basalt number3"), ("bert", "copper number3")] {
        let query = Query {
            user: Some(user.to_owned()),
            ..Query::new("copper basalt", 20)
        };
        let hits = memory.recall(&query).await.unwrap().hits;
        assert_eq!((hits.len(), contents(&hits)[0]), (6, rare));
    }
}

#[tokio::test]
async fn a_restart_finds_the_same_in_the_same_order_whatever_was_deleted() {
    let Fixture {
        memory,
        database,
        clock,
        ..
    } = &memory().await;
    let session = memory.create_session().await.unwrap().id;
    let mut said = Vec::new();
    for n in 0..40_u64 {
        // Now and then the deleted message is all that holds two stretches of conversation together.
        clock.advance(Duration::from_mins(
            [5, 40, 35, 90][usize::try_from(n % 4).unwrap()],
        ));
        let words = ["anchor", "basalt", "copper", "dune", "ember"];
        let content = format!("{} {} {n}?", words[(n % 5) as usize], words[(n / 3 % 5) as usize]);
        said.push(say(memory, session, &content).await);
    }
    ask(memory, "anchor").await;
    for deleted in [1, 6, 7, 20, 39] {
        assert!(memory.delete_message(said[deleted]).await.unwrap());
    }
    let restarted = Memory::open(database.clone(), clock.clone()).await.unwrap();
    for query in ["anchor", "copper dune", "ember 31", "user"] {
        let hits = ask(memory, query).await;
        assert!(hits.len() > 3 && hits == ask(&restarted, query).await, "{query}");
    }
}

#[tokio::test]
async fn long_texts_are_found_by_their_beginning_and_their_headings() {
    let Fixture { memory, .. } = &memory().await;
    let long = |count: usize| (0..count).map(|n| format!("w{n}x")).collect::<Vec<_>>().join(" ");
    for (role, content) in [
        (Role::User, long(5_000)),
        (
            Role::Assistant,
            format!("{}\n# Lighthouses\n{}", long(900), long(10)),
        ),
        (Role::User, "x".repeat(200_000)),
        (Role::User, "aB".repeat(100_000)),
    ] {
        let session = memory.create_session().await.unwrap().id;
        memory
            .save(NewMessage::new(session, role, content))
            .await
            .unwrap();
    }
    let cases: [(&str, &[Role]); 4] = [
        ("w150x", &[Role::User, Role::Assistant]),
        ("w900x", &[Role::User]),
        ("w4000x", &[]),
        ("lighthouse", &[Role::Assistant]),
    ];
    for (word, expected) in cases {
        let found: BTreeSet<&str> = ask(memory, word)
            .await
            .iter()
            .map(|hit| hit.message.role.as_str())
            .collect();
        assert_eq!(
            found,
            expected.iter().map(|role| role.as_str()).collect(),
            "{word}"
        );
    }
}

#[tokio::test]
async fn scripts_without_spaces_are_found_by_parts() {
    let Fixture { memory, .. } = &memory().await;
    say_apart(
        memory,
        ["東京タワーは高い", "Rustで書いた本", "한국어 문장입니다"],
    )
    .await;
    for (query, found) in [
        ("タワー", "東京タワーは高い"),
        ("rust", "Rustで書いた本"),
        ("문장", "한국어 문장입니다"),
    ] {
        assert_eq!(contents(&ask(memory, query).await), [found]);
    }
}

#[tokio::test]
async fn nothing_is_found_where_nothing_is_asked() {
    let Fixture { memory, .. } = &memory().await;
    say_apart(memory, ["What is it that you do?", "The harbour is frozen."]).await;
    let nothing = Recall {
        hits: Vec::new(),
        degraded: None,
    };
    for (text, limit) in [
        ("harbour", 0),
        ("", 5),
        (" \n", 5),
        ("what is it that you do", 5),
        ("!?", 5),
    ] {
        assert_eq!(
            memory.recall(&Query::new(text, limit)).await.unwrap(),
            nothing,
            "{text:?}"
        );
    }
    // What comes after the part of a long query that counts is not looked for.
    let long = format!("{}harbour", "unheard ".repeat(500));
    assert_eq!(memory.recall(&Query::new(long, 5)).await.unwrap(), nothing);
}

#[tokio::test]
async fn equal_scores_are_in_the_order_of_arrival() {
    let Fixture { memory, .. } = &memory().await;
    let said = ["anchor kiwi", "anchor plum", "anchor pear", "anchor fig"];
    say_apart(memory, said).await;
    assert_eq!(contents(&ask(memory, "anchor").await), said);
    let two = memory.recall(&Query::new("anchor", 2)).await.unwrap().hits;
    assert_eq!(contents(&two), said[..2]);
}

#[tokio::test]
async fn an_old_answer_is_not_buried_by_young_noise() {
    let Fixture { memory, clock, .. } = &memory().await;
    say_apart(
        memory,
        ["The password hint of the router is the name of our first boat."],
    )
    .await;
    clock.advance(HOUR * 24 * 1_000);
    let noise: Vec<String> = (0..60)
        .map(|n| format!("The router number {n} blinks."))
        .collect();
    say_apart(memory, noise.iter().map(String::as_str)).await;
    let hits = ask(memory, "what is the password hint of the router?").await;
    assert!(
        hits[0].message.content.contains("first boat"),
        "{:?}",
        contents(&hits)
    );
    assert!(hits[0].score.recency < 1e-6 && (hits[1].score.recency - 0.05).abs() < 1e-6);
}

#[tokio::test]
async fn what_repeats_a_better_hit_makes_room_for_others() {
    let Fixture { memory, .. } = &memory().await;
    let repeated = "The tracking number of the parcel is 4711";
    say_apart(memory, [repeated; 12]).await;
    say_apart(memory, ["A parcel came without any tracking label."]).await;
    let noise: Vec<String> = (0..30)
        .map(|n| format!("Noise about something else {n}"))
        .collect();
    say_apart(memory, noise.iter().map(String::as_str)).await;
    let hits = memory
        .recall(&Query::new("parcel tracking number", 3))
        .await
        .unwrap()
        .hits;
    assert_eq!(
        contents(&hits),
        [repeated, "A parcel came without any tracking label.", repeated]
    );
    let set_back: Vec<bool> = hits.iter().map(|hit| hit.score.repetition < 0.0).collect();
    assert_eq!(set_back, [false, false, true]);
}

#[tokio::test]
async fn a_hit_and_a_miss_are_explained() {
    let Fixture { memory, .. } = &memory().await;
    say_apart(memory, ["anchor basalt", "anchor of copper", "dune"]).await;
    let query = Query::new("anchor basalt", 1);
    let all = ask(memory, "anchor basalt").await;
    for (place, found) in all.iter().enumerate() {
        let explained = memory.explain(&query, found.message.id).await.unwrap();
        assert_eq!(
            (explained.rank, explained.hit.as_ref()),
            (Some(place + 1), Some(found))
        );
    }
    assert_eq!(all.len(), 2);
    let miss = ask(memory, "dune").await[0].message.id;
    let explained = memory.explain(&query, miss).await.unwrap();
    assert_eq!(
        (explained.rank, explained.hit, explained.degraded),
        (None, None, None)
    );
}
