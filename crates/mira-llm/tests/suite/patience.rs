//! What is tried again, what stalls, and what a caller may do in the meantime.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use mira_llm::chat::Event;
use mira_llm::{ChatModel as _, Error, Phase, Retry, Timeouts};
use serde_json::{Value, json};

use crate::player::{Answer, Player, Seen, converse, generic, hello, said};

const SOON: Duration = Duration::from_millis(60);
const LATE: Duration = Duration::from_secs(10);

fn content(text: &str) -> Value {
    json!({"choices": [{"delta": {"content": text}}]})
}

fn whole_reply() -> Answer {
    Answer::events([
        content("Ok."),
        json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}),
    ])
    .done()
}

fn unavailable() -> Answer {
    Answer::document(503, "", "{\"error\": {\"message\": \"Try later.\"}}")
}

/// Tries `attempts` times, almost without waits.
fn retry(attempts: u32) -> Retry {
    Retry {
        attempts,
        base: Duration::from_millis(2),
        max: Duration::from_secs(2),
    }
}

fn timeouts(first_token: Duration, between_chunks: Duration, without_content: Duration) -> Timeouts {
    Timeouts {
        connect: LATE,
        first_token,
        between_chunks,
        without_content,
        request: LATE,
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_before_the_first_content() {
    let tool_call = json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c1"}]}}]});
    let failures = [
        unavailable(),
        Answer::document(429, "retry-after-ms: 1\r\n", ""),
        Answer::stream([": nothing yet\n\n"]).cut(),
        Answer::events([tool_call]).cut(),
        Answer::events([json!({"error": {"code": 500, "message": "Oops."}})]),
    ];
    let count = u32::try_from(failures.len()).unwrap();
    let player = Player::start(failures.into_iter().chain([whole_reply()])).await;
    let (seen, reply) = converse(&generic(player.endpoint().retry(retry(count + 1))), hello()).await;
    assert_eq!(reply.unwrap().text(), "Ok.");
    let expected: Vec<Seen> = (2..=count + 1).map(Seen::Retrying).chain([said("Ok.")]).collect();
    assert_eq!(seen, expected);
    let received = player.received();
    assert!(received.iter().all(|request| request.body == received[0].body));
}

#[tokio::test]
async fn a_retry_is_announced_with_its_reason_and_its_wait() {
    let player = Player::start([Answer::document(429, "retry-after-ms: 30\r\n", ""), whole_reply()]).await;
    let mut events = generic(player.endpoint().retry(retry(2))).stream(hello());
    let started = Instant::now();
    let Some(Ok(Event::Retrying {
        attempt: 2,
        delay,
        error: Error::RateLimited(_),
    })) = events.next().await
    else {
        panic!("a retry is announced");
    };
    assert_eq!(delay, Duration::from_millis(30));
    assert!(matches!(events.next().await, Some(Ok(Event::Text(_)))));
    assert!(started.elapsed() >= delay);
}

#[tokio::test]
async fn nothing_is_tried_again_in_vain() {
    let cases = [
        // The attempts are used up.
        (
            vec![unavailable(), unavailable()],
            vec![Seen::Retrying(2)],
            "Overloaded",
        ),
        // It would fail again.
        (vec![Answer::document(401, "", "")], vec![], "Authentication"),
        (
            vec![Answer::document(
                429,
                "",
                "{\"error\": {\"code\": \"insufficient_quota\"}}",
            )],
            vec![],
            "Quota",
        ),
        // The upstream asks for more patience than there is.
        (
            vec![Answer::document(429, "retry-after: 3\r\n", "")],
            vec![],
            "RateLimited",
        ),
        // The caller has seen content.
        (
            vec![Answer::events([content("Hal")]).cut()],
            vec![said("Hal")],
            "Network",
        ),
        (
            vec![unavailable(), Answer::events([content("Hal")]).cut()],
            vec![Seen::Retrying(2), said("Hal")],
            "Network",
        ),
    ];
    for (answers, expected, kind) in cases {
        let count = answers.len();
        let player = Player::start(answers).await;
        let (seen, end) = converse(&generic(player.endpoint().retry(retry(2))), hello()).await;
        let error = end.unwrap_err();
        assert!(format!("{error:?}").starts_with(kind), "{kind}: {error:?}");
        assert_eq!((seen, player.received().len()), (expected, count));
    }
}

#[tokio::test]
async fn a_silent_upstream_is_given_up() {
    let created = json!({"choices": [{"delta": {"role": "assistant"}}]});
    let before = Phase::FirstToken;
    let after = Phase::BetweenChunks;
    let cases = [
        // Nothing at all, nothing but a beginning, silence after content, and after a part of a tool call.
        (
            Answer::stream([""; 0]).stall(),
            timeouts(SOON, LATE, LATE),
            before,
        ),
        (
            Answer::events([created]).stall(),
            timeouts(SOON, LATE, LATE),
            before,
        ),
        (
            Answer::events([content("Hal")]).stall(),
            timeouts(LATE, SOON, LATE),
            after,
        ),
        (
            Answer::events([json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c1"}]}}]})])
                .stall(),
            timeouts(LATE, SOON, LATE),
            after,
        ),
        // Signs of life without content, before and after the first.
        (
            Answer::stream([""; 0]).keepalives(SOON / 10),
            timeouts(LATE, LATE, SOON),
            before,
        ),
        (
            Answer::events([content("Hal")]).keepalives(SOON / 10),
            timeouts(LATE, LATE, SOON),
            after,
        ),
    ];
    for (answer, timeouts, expected) in cases {
        let player = Player::start([answer]).await;
        let error = converse(&generic(player.endpoint().timeouts(timeouts)), hello())
            .await
            .1
            .unwrap_err();
        let Error::Stalled { phase, after, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!((*phase, *after), (expected, SOON));
        assert!(
            error.is_retryable() && error.to_string().ends_with("was silent for 0.06 s"),
            "{error}"
        );
        player.client_gone().await;
    }
}

#[tokio::test]
async fn signs_of_life_break_the_silence() {
    let silence = Duration::from_millis(150);
    let player = Player::start([Answer::stream([""; 0]).keepalives(Duration::from_millis(10))]).await;
    let timeouts = timeouts(silence, silence, silence * 3);
    let error = converse(&generic(player.endpoint().timeouts(timeouts)), hello())
        .await
        .1
        .unwrap_err();
    let Error::Stalled { after, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(after, silence * 3);
}

#[tokio::test]
async fn content_resets_the_limit_on_keepalives() {
    let limit = Duration::from_secs(1);
    let mut chunks = vec![content("a"); 8];
    chunks.push(json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}));
    let player = Player::start([Answer::events(chunks).done().paced(limit / 6)]).await;
    let endpoint = player.endpoint().timeouts(timeouts(LATE, LATE, limit));
    assert_eq!(
        converse(&generic(endpoint), hello()).await.1.unwrap().text(),
        "aaaaaaaa"
    );
}

#[tokio::test]
async fn a_stalled_attempt_is_tried_again() {
    let player = Player::start([Answer::stream([""; 0]).stall(), whole_reply()]).await;
    let endpoint = player
        .endpoint()
        .timeouts(timeouts(SOON * 5, LATE, LATE))
        .retry(retry(2));
    let (seen, reply) = converse(&generic(endpoint), hello()).await;
    assert_eq!(
        (seen, reply.unwrap().text()),
        (vec![Seen::Retrying(2), said("Ok.")], "Ok.".to_owned())
    );
}

#[tokio::test]
async fn dropping_the_stream_cancels_the_request() {
    let player = Player::start([Answer::events([content("Hal")]).stall()]).await;
    let mut events = generic(player.endpoint()).stream(hello());
    assert!(matches!(events.next().await, Some(Ok(Event::Text(_)))));
    drop(events);
    player.client_gone().await;
}

#[tokio::test]
async fn a_caller_that_pauses_loses_nothing() {
    let player = Player::start([whole_reply()]).await;
    let mut events = generic(player.endpoint().timeouts(timeouts(LATE, SOON, SOON))).stream(hello());
    assert!(matches!(events.next().await, Some(Ok(Event::Text(_)))));
    tokio::time::sleep(SOON * 3).await;
    assert!(matches!(events.next().await, Some(Ok(Event::Completed(_)))));
}
