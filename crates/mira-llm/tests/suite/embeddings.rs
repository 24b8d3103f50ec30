//! Embeddings: batches, order, and answers that are not what was asked for.

use std::time::Duration;

use mira_llm::embedding::{Embedder, EmbeddingOptions, OpenAiEmbeddings};
use mira_llm::tokens::counter_for;
use mira_llm::{Error, Retry, Usage};
use serde_json::{Value, json};

use crate::player::{Answer, Player};

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("text {index}")).collect()
}

fn answer(data: &Value) -> Answer {
    let body = json!({"object": "list", "data": data, "usage": {"prompt_tokens": 5, "total_tokens": 5}});
    Answer::document(200, "content-type: application/json\r\n", &body.to_string())
}

fn vector(index: usize, first: f32) -> Value {
    json!({"object": "embedding", "index": index, "embedding": [first, 0.5]})
}

fn embedder(player: &Player) -> OpenAiEmbeddings {
    OpenAiEmbeddings::new(
        player.endpoint(),
        EmbeddingOptions::new("text-embedding-3-large", 2),
    )
    .unwrap()
}

#[tokio::test]
async fn vectors_come_in_the_order_of_the_texts() {
    let player = Player::start([answer(&json!([vector(1, 1.0), vector(0, 0.0)]))]).await;
    let embedder = embedder(&player);
    let vectors = embedder.embed(&texts(2)).await.unwrap();
    assert_eq!(vectors, [[0.0, 0.5], [1.0, 0.5]]);
    assert_eq!(
        embedder.usage(),
        Usage {
            input: 5,
            ..Usage::default()
        }
    );
    assert_eq!(
        (embedder.name(), embedder.dimension()),
        ("text-embedding-3-large", 2)
    );
    let received = &player.received()[0];
    assert!(received.head.starts_with("POST /v1/embeddings HTTP/1.1"));
    assert_eq!(
        received.json(),
        json!({"model": "text-embedding-3-large", "input": ["text 0", "text 1"], "dimensions": 2,
               "encoding_format": "float"})
    );
}

#[tokio::test]
async fn a_length_is_asked_for_only_where_the_model_can_shorten() {
    let player = Player::start([answer(&json!([vector(0, 0.0)]))]).await;
    let embedder =
        OpenAiEmbeddings::new(player.endpoint(), EmbeddingOptions::new("nomic-embed-text", 2)).unwrap();
    embedder.embed(&texts(1)).await.unwrap();
    assert_eq!(player.received()[0].json().get("dimensions"), None);
}

#[tokio::test]
async fn many_texts_go_in_batches() {
    let data = |count: usize| answer(&(0..count).map(|index| vector(index, 0.0)).collect());
    let player = Player::start([data(256), data(44)]).await;
    assert_eq!(embedder(&player).embed(&texts(300)).await.unwrap().len(), 300);

    // Twenty texts of about 8000 tokens each do not share a request.
    let player = Player::start([data(12), data(8)]).await;
    let long = vec!["word ".repeat(6400); 20];
    assert_eq!(embedder(&player).embed(&long).await.unwrap().len(), 20);
    assert_eq!(player.received().len(), 2);
}

#[tokio::test]
async fn a_text_longer_than_the_model_reads_is_sent_by_its_beginning() {
    let player = Player::start([answer(&json!([vector(0, 0.0), vector(1, 0.0)]))]).await;
    let texts = ["word ".repeat(10_000), "short".to_owned()];
    embedder(&player).embed(&texts).await.unwrap();
    let sent = player.received()[0].json();
    let head = sent["input"][0].as_str().unwrap();
    let tokens = counter_for("text-embedding-3-large").count(head);
    assert!(
        texts[0].starts_with(head) && (8100..=8191).contains(&tokens),
        "{tokens}"
    );
    assert_eq!(sent["input"][1], texts[1]);
}

#[tokio::test]
async fn a_vector_of_another_length_is_an_error_of_its_own() {
    let player = Player::start([answer(&json!([{"index": 0, "embedding": [1.0, 0.0, 0.0]}]))]).await;
    let error = embedder(&player).embed(&texts(1)).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::WrongDimension {
                expected: 2,
                actual: 3,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .ends_with("made a vector of 3 numbers instead of 2")
            && !error.is_retryable(),
        "{error}"
    );
}

#[tokio::test]
async fn no_texts_need_no_request_and_empty_ones_get_none() {
    let player = Player::start([]).await;
    let embedder = embedder(&player);
    assert_eq!(embedder.embed(&[]).await.unwrap(), Vec::<Vec<f32>>::new());
    let error = embedder
        .embed(&["a".to_owned(), " \n".to_owned()])
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::InvalidRequest(detail) if detail.message == "text 1 is empty"),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_answer_that_is_not_one_vector_per_text_is_refused() {
    let cases = [
        (json!([vector(0, 0.0)]), "1 vectors for 2 texts"),
        (json!([vector(0, 0.0), vector(0, 0.0)]), "two vectors for text 0"),
        (
            json!([vector(0, 0.0), vector(7, 0.0)]),
            "a vector for text 7 of 2",
        ),
        (
            json!([vector(0, 0.0), {"index": 1, "embedding": [3.5e38, 0.0]}]),
            "the vectors cannot be read",
        ),
        (
            json!([vector(0, 0.0), {"index": 1, "embedding": [null, 0.0]}]),
            "the vectors cannot be read",
        ),
        (json!("nothing"), "the vectors cannot be read"),
    ];
    for (data, expected) in cases {
        let player = Player::start([answer(&data)]).await;
        let error = embedder(&player).embed(&texts(2)).await.unwrap_err();
        let Error::Malformed(detail) = error else {
            panic!("{error:?}")
        };
        assert!(detail.message.starts_with(expected), "{}", detail.message);
    }
}

#[tokio::test]
async fn a_passing_failure_is_tried_again() {
    let player = Player::start([
        Answer::document(500, "", ""),
        Answer::document(200, "", "{").cut(),
        answer(&json!([vector(0, 0.0)])),
    ])
    .await;
    let retry = Retry {
        attempts: 3,
        base: Duration::from_millis(1),
        max: Duration::from_secs(1),
    };
    let options = EmbeddingOptions::new("text-embedding-3-large", 2);
    let embedder = OpenAiEmbeddings::new(player.endpoint().retry(retry), options).unwrap();
    assert_eq!(embedder.embed(&texts(1)).await.unwrap(), [[0.0, 0.5]]);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let player = Player::start([Answer::document(200, "", "{").stall()]).await;
    let mut endpoint = player.endpoint();
    endpoint.timeouts.request = Duration::from_millis(50);
    let embedder = OpenAiEmbeddings::new(endpoint, EmbeddingOptions::new("m", 2)).unwrap();
    let error = embedder.embed(&texts(1)).await.unwrap_err();
    assert!(matches!(error, Error::Stalled { .. }), "{error:?}");
    player.client_gone().await;
}
