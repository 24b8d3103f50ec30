//! By meaning: vectors, and the facts and summaries that lead to messages.

use std::collections::BTreeSet;

use mira_memory::fact::Category;
use mira_memory::recall::{Hit, Query, Recall, Score};
use mira_memory::relationship::{self, Report, Statement};
use mira_memory::{NewMessage, Role, session};
use mira_store::vector::Head;
use mira_store::{Clock as _, ProjectId};

use super::{HOUR, ask, contents, say_apart};
use crate::home::{Home, Opened};

fn hit<'a>(hits: &'a [Hit], content: &str) -> &'a Hit {
    hits.iter()
        .find(|hit| hit.message.content.starts_with(content))
        .unwrap()
}

/// A place with an embedder, and everything in it embedded.
async fn settled(home: &Home, apart: &[&str]) -> Opened {
    let opened = home.open().await;
    say_apart(&opened.memory, apart.iter().copied()).await;
    opened.memory.settle().await.unwrap();
    opened
}

#[tokio::test]
async fn meaning_finds_what_no_word_does_and_words_what_has_no_vector() {
    let home = Home::new().await;
    let opened = settled(
        &home,
        &[
            "The kubernetes cluster restarts nightly.",
            "Lunch was soup.",
            "Rain is coming.",
        ],
    )
    .await;
    let session = opened.new_session().await;
    let system = NewMessage::new(session, Role::System, "Say zeppelin when in doubt.");
    opened.memory.save(system).await.unwrap();
    opened.memory.settle().await.unwrap();

    let hits = ask(&opened.memory, "kuberntes clusterz").await;
    let Score {
        meaning,
        words,
        window,
        ..
    } = hits[0].score;
    assert_eq!(contents(&hits)[0], "The kubernetes cluster restarts nightly.");
    assert!(meaning > 0.0 && words == 0.0 && window == 0.0);

    let hits = ask(&opened.memory, "zeppelin").await;
    let Score { meaning, words, .. } = hits[0].score;
    assert_eq!(contents(&hits)[0], "Say zeppelin when in doubt.");
    assert!(meaning == 0.0 && words > 0.0);

    for hit in &hits {
        let Score {
            meaning,
            words,
            window,
            fact,
            summary,
            answer,
            neighbours,
            ..
        } = hit.score;
        let Score {
            conversation,
            speaker,
            role,
            salience,
            recency,
            repetition,
            ..
        } = hit.score;
        let fit = meaning + words + window + fact + summary + answer + neighbours + conversation;
        assert!((hit.score.total() - fit - speaker - role - salience - recency - repetition).abs() < 1e-6);
    }
    assert!(hits.is_sorted_by(|a, b| a.score.total() >= b.score.total()));

    let only_summaries = Query {
        heads: Some(vec![Head::Summary]),
        ..Query::new("kuberntes clusterz", 5)
    };
    assert_eq!(opened.memory.recall(&only_summaries).await.unwrap().hits, []);
    assert_eq!(home.upstream.violations(), []);
}

#[tokio::test]
async fn a_fact_leads_to_the_message_that_told_it_and_a_summary_to_what_it_covers() {
    let home = Home::new().await;
    let opened = settled(&home, &["Lunch was soup.", "Rain is coming tonight."]).await;
    let session = opened.new_session().await;
    let source = opened
        .say(session, "Since grandmother gave me hers I play nothing else.")
        .await;
    let statement = |key: &str, value: &str| Statement {
        subject: "user".to_owned(),
        key: key.to_owned(),
        value: value.to_owned(),
        category: Category::Personal,
        confidence: 0.9,
        retracted: false,
        context: None,
        since: None,
    };
    let report = Report {
        facts: vec![
            statement("instrument", "theremin"),
            statement("likes", "warm rooms"),
        ],
        ..Report::default()
    };
    let mut transaction = opened.database.begin().await.unwrap();
    let now = home.clock.now();
    relationship::apply(&mut transaction, session::DEFAULT_USER, &source, &report, now)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let told = opened.new_session().await;
    for n in 0..10 {
        opened
            .say(
                told,
                &format!("Barrel {n} of the herring was salted on the quay."),
            )
            .await;
    }
    opened.memory.settle().await.unwrap();

    for sessions in [None, Some(vec![session])] {
        let query = Query {
            sessions,
            ..Query::new("instrument theremin", 20)
        };
        let hits = opened.memory.recall(&query).await.unwrap().hits;
        let Score { fact, words, .. } = hit(&hits, "Since grandmother").score;
        assert!((fact - 0.3).abs() < 1e-6 && words == 0.0, "{fact} {words}");
        assert_eq!(hits.iter().filter(|hit| hit.score.fact > 0.0).count(), 1);
    }
    let hits = ask(&opened.memory, "salted herring barrel").await;
    let covered: BTreeSet<bool> = hits
        .iter()
        .map(|hit| (hit.score.summary > 0.0) == (hit.message.session == told))
        .collect();
    assert!(
        hits.len() > 10 && covered == BTreeSet::from([true]),
        "{:?}",
        contents(&hits)
    );
}

#[tokio::test]
async fn every_part_of_a_filter_holds_for_words_and_for_meaning() {
    let home = Home::new().await;
    let opened = home.open().await;
    let start = home.clock.now();
    let project = ProjectId::at(start);
    let mut sessions = Vec::new();
    let mut said = Vec::new();
    for (place, user) in ["anna", "anna", "bert"].into_iter().enumerate() {
        let mut transaction = opened.database.begin().await.unwrap();
        sessions.push(
            session::create(&mut transaction, None, user, start)
                .await
                .unwrap()
                .id,
        );
        transaction.commit().await.unwrap();
        for (n, role) in [Role::User, Role::Assistant].into_iter().enumerate() {
            home.clock.advance(HOUR * 2);
            let new = NewMessage {
                project: (place == 1).then_some(project),
                ..NewMessage::new(
                    sessions[place],
                    role,
                    format!("{user} saw lighthouse {place}{n} at sea."),
                )
            };
            said.push(opened.memory.save(new).await.unwrap());
        }
    }
    opened.memory.settle().await.unwrap();
    let all = || Query::new("lighthouse at sea", 20);
    let cases: [(&str, Query, &[usize]); 10] = [
        ("all", all(), &[0, 1, 2, 3, 4, 5]),
        (
            "user",
            Query {
                user: Some("bert".to_owned()),
                ..all()
            },
            &[4, 5],
        ),
        (
            "unknown user",
            Query {
                user: Some("carl".to_owned()),
                ..all()
            },
            &[],
        ),
        (
            "sessions",
            Query {
                sessions: Some(vec![sessions[0], sessions[2]]),
                ..all()
            },
            &[0, 1, 4, 5],
        ),
        (
            "no session",
            Query {
                sessions: Some(Vec::new()),
                ..all()
            },
            &[],
        ),
        (
            "project",
            Query {
                project: Some(project),
                ..all()
            },
            &[2, 3],
        ),
        (
            "roles",
            Query {
                roles: Some(vec![Role::Assistant]),
                ..all()
            },
            &[1, 3, 5],
        ),
        (
            "since",
            Query {
                since: Some(said[3].time),
                ..all()
            },
            &[3, 4, 5],
        ),
        (
            "until",
            Query {
                until: Some(said[3].time),
                ..all()
            },
            &[0, 1, 2],
        ),
        (
            "without",
            Query {
                without: vec![said[0].id, said[5].id],
                ..all()
            },
            &[1, 2, 3, 4],
        ),
    ];
    for (part, query, expected) in cases {
        // By words and meaning, and by meaning alone.
        for text in [query.text.as_str(), "lihgthouse"] {
            let query = Query {
                text: text.to_owned(),
                ..query.clone()
            };
            let Recall { hits, degraded } = opened.memory.recall(&query).await.unwrap();
            let found: BTreeSet<i64> = hits.iter().map(|hit| hit.message.number).collect();
            let expected: BTreeSet<i64> = expected.iter().map(|&place| said[place].number).collect();
            assert_eq!((found, degraded), (expected, None), "{part}: {text}");
        }
    }
}

#[tokio::test]
async fn a_secret_is_masked_before_it_leaves() {
    let home = Home::new().await;
    let secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    let opened = settled(
        &home,
        &[&format!("My token for the build server is {secret}, keep it.")],
    )
    .await;
    ask(&opened.memory, &format!("What is {secret} for?")).await;
    let embedded = home.embedded();
    assert_eq!(embedded.len(), 2, "{embedded:?}");
    assert!(
        embedded
            .iter()
            .all(|text| text.contains("[secret]") && !text.contains(secret)),
        "{embedded:?}"
    );
}
