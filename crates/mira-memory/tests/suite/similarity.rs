//! Embeddings and the vector index: nothing lost, nothing paid for twice, and what is wrong is said.

mod damage;

use std::time::Duration;

use mira_llm::embedding::EmbeddingOptions;
use mira_llm::scripted::{Endpoint, Fault, Outcome, Rule, Script};
use mira_memory::IndexState;
use mira_memory::recall::{Query, Recall};
use mira_store::MessageId;
use mira_store::vector::{Filter, Head, PointId, VectorStore as _};

use super::home::{Home, Opened, broken, until};

/// Found by no word of [`FOUND`], only by parts of its words.
const QUERY: &str = "kuberntes clusterz";
const FOUND: &str = "The kubernetes cluster restarts nightly.";

async fn recall(opened: &Opened, text: &str) -> Recall {
    opened.memory.recall(&Query::new(text, 5)).await.unwrap()
}

async fn is_found_by_meaning(opened: &Opened) -> bool {
    let Recall { hits, degraded } = recall(opened, QUERY).await;
    assert_eq!(degraded, None);
    hits.first()
        .is_some_and(|hit| hit.message.content == FOUND && hit.score.meaning > 0.0)
}

/// A memory with [`FOUND`] and some noise, embedded.
async fn filled(home: &Home) -> Opened {
    let opened = home.open().await;
    let session = opened.new_session().await;
    opened.say(session, FOUND).await;
    for n in 0..10 {
        opened
            .say(
                session,
                &format!("Barrel {n} of the herring was salted on the quay."),
            )
            .await;
    }
    opened.memory.settle().await.unwrap();
    assert_eq!(opened.memory.index(), IndexState::Ready);
    assert!(is_found_by_meaning(&opened).await);
    opened
}

#[tokio::test]
async fn a_message_is_to_be_analysed_from_the_start_and_loses_its_work_when_it_has_its_vector() {
    let home = Home::new().await;
    home.upstream
        .replace(Script::new().rule(Rule::new("wait").on(Endpoint::Embeddings).hold("embedding")));
    let opened = home.open().await;
    let session = opened.new_session().await;
    opened.say(session, FOUND).await;
    assert_eq!(opened.waiting().await, (1, 0));

    let state = async || -> (i64, i64) {
        sqlx::query_as("SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM embeddings)")
            .fetch_one(opened.database.readers())
            .await
            .unwrap()
    };
    let watched = async {
        home.upstream.arrived("embedding").await;
        assert_eq!((opened.waiting().await, state().await), ((0, 1), (1, 0)));
        home.upstream.release("embedding");
        until("the embedding", async || match state().await {
            (1, 0) => None,
            other => Some(other),
        })
        .await
    };
    let (settled, after) = tokio::join!(opened.memory.settle(), watched);
    settled.unwrap();
    assert_eq!(after.0, 0);
    assert!(opened.assert_index_is_truth().await > 0);
}

#[tokio::test]
async fn an_embedder_that_is_down_for_an_hour_loses_nothing() {
    let home = Home::new().await;
    home.break_embedder();
    let opened = home.open().await;
    let session = opened.new_session().await;
    opened.say(session, FOUND).await;
    for n in 0..70 {
        opened
            .say(
                session,
                &format!("Barrel {n} of the herring was salted on the quay."),
            )
            .await;
    }
    for _ in 0..60 {
        opened.memory.settle().await.unwrap();
        home.clock.advance(Duration::from_mins(1));
    }
    let status = opened.memory.status().await.unwrap();
    // The messages and the summaries of every ten of them.
    assert_eq!((status.analysis.waiting, status.embedding.waiting), (0, 78));
    assert!(
        status.embedding.failing > 64 && status.embedding.error.is_some(),
        "{status:?}"
    );
    assert!(
        home.requests().len() <= 61,
        "{} requests to an embedder that is down",
        home.requests().len()
    );
    let Recall { hits, degraded } = recall(&opened, "kubernetes").await;
    assert_eq!(hits[0].message.content, FOUND);
    assert!(degraded.unwrap().contains("could not be embedded"));

    home.mend_embedder();
    home.clock.advance(Duration::from_mins(5));
    opened.memory.settle().await.unwrap();
    assert_eq!(opened.waiting().await, (0, 0));
    assert!(is_found_by_meaning(&opened).await);
    assert_eq!(opened.memory.status().await.unwrap().embedding.error, None);
    opened.assert_index_is_truth().await;
    assert_eq!(home.upstream.violations(), []);
}

#[tokio::test]
async fn vectors_of_the_wrong_length_are_not_kept() {
    let mut home = Home::new().await;
    let right = home.model.clone();
    home.model.shorten = false;
    let opened = home.open().await;
    let session = opened.new_session().await;
    opened.say(session, FOUND).await;
    opened.memory.settle().await.unwrap();
    let error = opened.memory.status().await.unwrap().embedding.error.unwrap();
    assert!(
        error.contains("made a vector of 1536 numbers instead of 256"),
        "{error}"
    );
    assert_eq!(
        (opened.waiting().await, opened.assert_index_is_truth().await),
        ((0, 1), 0)
    );
    opened.close().await;

    home.model = right;
    home.clock.advance(Duration::from_mins(5));
    let opened = home.open().await;
    opened.memory.settle().await.unwrap();
    assert_eq!(opened.waiting().await, (0, 0));
    assert!(is_found_by_meaning(&opened).await);
}

#[tokio::test]
async fn a_query_that_is_embedded_too_slowly_is_answered_by_words() {
    let mut home = Home::new().await;
    home.options.query_embedding_timeout = Duration::from_millis(50);
    let opened = filled(&home).await;
    let slow = Rule::new("slow")
        .on(Endpoint::Embeddings)
        .any_contains("nightly")
        .hold("slow");
    home.upstream.replace(Script::new().rule(slow));
    let number = home.upstream.requests().len();
    let Recall { hits, degraded } = recall(&opened, "which cluster restarts nightly").await;
    assert!(hits[0].message.content == FOUND && hits.iter().all(|hit| hit.score.meaning == 0.0));
    assert_eq!(degraded.unwrap(), "the query was not embedded within 50 ms");
    assert_eq!(home.upstream.ended(number).await, Outcome::ClientGone);
}

#[tokio::test]
async fn vectors_of_another_embedder_are_left_alone_until_they_are_made_anew() {
    let mut home = Home::new().await;
    filled(&home).await.close().await;
    let others = [("text-embedding-3-large", 256), ("text-embedding-3-small", 128)];
    for (place, (name, dimension)) in others.into_iter().enumerate() {
        home.model = EmbeddingOptions::new(name, dimension);
        let opened = home.open().await;
        let session = opened.new_session().await;
        opened
            .say(session, &format!("Lighthouse keeper {place} retired in spring."))
            .await;
        let before = home.requests().len();
        opened.memory.settle().await.unwrap();
        assert!(matches!(opened.memory.index(), IndexState::Refused { .. }));
        assert_eq!(opened.waiting().await, (0, place as u64 + 1));
        let Recall { hits, degraded } = recall(&opened, "kubernetes").await;
        assert_eq!(hits[0].message.content, FOUND);
        assert!(degraded.unwrap().contains("run `mira-backend reindex`"));
        assert_eq!(home.requests().len(), before);
        opened.close().await;
    }
    let opened = home.open().await;
    opened.memory.settle().await.unwrap();
    let noted = opened.memory.renew_embeddings().await.unwrap();
    assert_eq!(opened.waiting().await, (0, noted));
    opened.memory.settle().await.unwrap();
    assert_eq!(
        (opened.memory.index(), opened.waiting().await),
        (IndexState::Ready, (0, 0))
    );
    opened.assert_index_is_truth().await;
    assert!(is_found_by_meaning(&opened).await);
    assert_eq!(opened.memory.renew_embeddings().await.unwrap(), 0);
}

#[tokio::test]
async fn making_vectors_anew_goes_on_after_it_was_cut_short() {
    let mut home = Home::new().await;
    let opened = home.open().await;
    let session = opened.new_session().await;
    opened.say(session, FOUND).await;
    for n in 0..90 {
        opened
            .say(
                session,
                &format!("Barrel {n} of the herring was salted on the quay."),
            )
            .await;
    }
    opened.memory.settle().await.unwrap();
    let all = opened.assert_index_is_truth().await;
    opened.close().await;

    home.model = EmbeddingOptions::new("text-embedding-3-large", 128);
    let opened = home.open().await;
    let noted = opened.memory.renew_embeddings().await.unwrap();
    let before = home.embedded().len();
    home.upstream.replace(
        Script::new()
            .rule(Rule::new("a batch").on(Endpoint::Embeddings).times(1))
            .rule(broken()),
    );
    opened.memory.settle().await.unwrap();
    assert_eq!(opened.waiting().await, (0, noted - 64));
    opened.assert_index_is_truth().await;
    opened.close().await;

    home.mend_embedder();
    home.clock.advance(Duration::from_mins(5));
    let opened = home.open().await;
    assert_eq!(opened.memory.renew_embeddings().await.unwrap(), 0);
    opened.memory.settle().await.unwrap();
    assert_eq!(
        (opened.waiting().await, opened.assert_index_is_truth().await),
        ((0, 0), all)
    );
    assert!(is_found_by_meaning(&opened).await);
    // Once each, but for the batch that failed and the query.
    let rest = usize::try_from(noted).unwrap() - 64;
    assert_eq!(home.embedded().len() - before, 64 + rest + rest + 1);
}

#[tokio::test]
async fn a_message_that_is_deleted_while_it_is_embedded_leaves_no_vector() {
    let home = Home::new().await;
    let opened = filled(&home).await;
    home.upstream
        .replace(Script::new().rule(Rule::new("wait").on(Endpoint::Embeddings).hold("embedding")));
    let session = opened.new_session().await;
    let deleted = opened
        .say(session, "The lighthouse keeper retired in spring.")
        .await
        .id;
    let deleting = async {
        home.upstream.arrived("embedding").await;
        assert!(opened.memory.delete_message(deleted).await.unwrap());
        home.upstream.release("embedding");
    };
    let (settled, ()) = tokio::join!(opened.memory.settle(), deleting);
    settled.unwrap();
    opened.assert_index_is_truth().await;
    let of_it = Filter {
        ids: Some(vec![PointId(deleted.ulid())]),
        ..Filter::default()
    };
    assert_eq!(opened.vectors.count(Head::Semantic, &of_it).await.unwrap(), 0);
    assert_eq!(opened.waiting().await, (0, 0));
}

/// Whether the semantic head on disk names a message.
fn is_on_disk(home: &Home, message: MessageId) -> bool {
    let bytes = std::fs::read(home.vectors_directory().join("semantic.vectors")).unwrap();
    bytes
        .windows(16)
        .any(|window| window == message.ulid().0.to_le_bytes())
}

#[tokio::test]
async fn what_is_deleted_is_gone_from_disk_whatever_the_index_is_at() {
    let mut home = Home::new().await;
    let opened = filled(&home).await;
    let hits = recall(&opened, "herring").await.hits;
    let messages: Vec<MessageId> = hits.iter().map(|hit| hit.message.id).collect();
    assert!(messages.iter().all(|message| is_on_disk(&home, *message)));
    assert!(opened.memory.delete_message(messages[0]).await.unwrap());
    assert!(!is_on_disk(&home, messages[0]), "ready");
    opened.close().await;

    let opened = home.open().await;
    assert!(opened.memory.delete_message(messages[1]).await.unwrap());
    assert!(!is_on_disk(&home, messages[1]), "not looked at yet");
    opened.close().await;

    home.model = EmbeddingOptions::new("text-embedding-3-small", 128);
    let opened = home.open().await;
    assert!(opened.memory.delete_message(messages[2]).await.unwrap());
    assert!(
        !is_on_disk(&home, messages[2]) && is_on_disk(&home, messages[3]),
        "refused"
    );
    assert!(matches!(opened.memory.index(), IndexState::Refused { .. }));
}

#[tokio::test]
async fn one_text_that_the_embedder_refuses_does_not_hold_up_the_others() {
    let home = Home::new().await;
    let bad = Rule::new("bad")
        .on(Endpoint::Embeddings)
        .any_contains("poison")
        .fault(Fault::http(400));
    home.upstream.replace(Script::new().rule(bad));
    let opened = home.open().await;
    let session = opened.new_session().await;
    opened
        .say(session, "This is the poison that no embedder swallows.")
        .await;
    for n in 0..8 {
        opened
            .say(
                session,
                &format!("Barrel {n} of the herring was salted on the quay."),
            )
            .await;
    }
    for _ in 0..4 {
        opened.memory.settle().await.unwrap();
        home.clock.advance(Duration::from_mins(5));
    }
    let status = opened.memory.status().await.unwrap();
    assert_eq!((status.embedding.waiting, status.embedding.failing), (1, 1));
    assert_eq!(opened.assert_index_is_truth().await, 8);
}
