//! The order of turns, within a session and beside others, and repeats of a request.

use mira_llm::scripted::{Endpoint as Route, Script};
use mira_ops::{Error, Keyed, MAX_WAITING_TURNS, Turn};

use crate::harness::{Mira, answering, next_event, polled_once, reasoner, script};

/// A reasoner that stops at the hold `asked` when it is asked the first thing.
fn slow_at_first() -> Script {
    let slow = reasoner("slow")
        .last_user_contains("turn 0")
        .hold("asked")
        .text("At last.");
    script([slow, reasoner("quick").text("Yes.")])
}

#[tokio::test]
async fn turns_of_a_session_run_one_at_a_time_in_the_order_they_came() {
    let mira = Mira::start(slow_at_first()).await;
    let mut accepted = Vec::new();
    for turn in 0..4 {
        accepted.push(mira.send(mira.turn(&format!("turn {turn}"))).await);
    }
    let queued: Vec<usize> = accepted.iter().map(|accepted| accepted.queued).collect();
    assert_eq!(queued, [0, 1, 2, 3]);
    mira.arrived("asked").await;
    assert_eq!(mira.requests(Route::Responses).len(), 1);
    mira.upstream.release("asked");
    for accepted in &accepted {
        assert_eq!(mira.ended(accepted.operation).await.end(), "completed");
    }
    let asked: Vec<String> = mira
        .requests(Route::Responses)
        .iter()
        .map(|request| request["input"].as_array().unwrap().last().unwrap()["content"].to_string())
        .collect();
    assert_eq!(asked, ["\"turn 0\"", "\"turn 1\"", "\"turn 2\"", "\"turn 3\""]);
    mira.close().await;
}

#[tokio::test]
async fn sessions_run_side_by_side() {
    let mira = Mira::start(slow_at_first()).await;
    let waiting = mira.send(mira.turn("turn 0")).await;
    mira.arrived("asked").await;
    let other = mira.memory.create_session().await.unwrap();
    let turn = Turn {
        session: other.id,
        ..mira.turn("turn 1")
    };
    assert_eq!(mira.run(turn).await.end(), "completed");
    mira.upstream.release("asked");
    assert_eq!(mira.ended(waiting.operation).await.end(), "completed");
    mira.close().await;
}

#[tokio::test]
async fn a_full_queue_refuses_and_takes_again_once_there_is_room() {
    let mira = Mira::start(slow_at_first()).await;
    mira.send(mira.turn("turn 0")).await;
    mira.arrived("asked").await;
    let mut last = None;
    for turn in 1..=MAX_WAITING_TURNS {
        last = Some(mira.send(mira.turn(&format!("turn {turn}"))).await);
    }
    let refused = mira.operations.send(mira.turn("one too many")).await.unwrap_err();
    assert!(matches!(
        refused,
        Error::QueueFull {
            limit: MAX_WAITING_TURNS
        }
    ));
    assert_eq!(
        mira.messages().await.len(),
        1 + MAX_WAITING_TURNS,
        "the refused one is not stored"
    );

    mira.operations.cancel(last.unwrap().operation).await.unwrap();
    mira.send(mira.turn("now there is room")).await;
    mira.upstream.release("asked");
    mira.close().await;
}

#[tokio::test]
async fn a_repeat_under_the_same_key_is_answered_alike_and_does_nothing() {
    let mira = Mira::start(answering("Yes.")).await;
    let keyed = |content: &str| Turn {
        idempotency_key: Some("key 1".to_owned()),
        ..mira.turn(content)
    };
    let first = mira.send(keyed("Hello")).await;
    let second = mira.send(keyed("Hello")).await;
    assert_eq!(first, second);
    mira.ended(first.operation).await;
    assert_eq!(mira.send(keyed("Hello")).await, first, "also after its end");
    assert_eq!(mira.requests(Route::Responses).len(), 1);

    let refused = mira.operations.send(keyed("Something else")).await.unwrap_err();
    assert!(matches!(refused, Error::IdempotencyConflict));
    let elsewhere = Turn {
        project: Some(mira.project),
        ..keyed("Hello")
    };
    let refused = mira.operations.send(elsewhere).await.unwrap_err();
    assert!(matches!(refused, Error::IdempotencyConflict));

    let other = mira.memory.create_session().await.unwrap();
    let turn = Turn {
        session: other.id,
        ..keyed("Something else")
    };
    assert_eq!(
        mira.run(turn).await.end(),
        "completed",
        "a key belongs to its session"
    );
    mira.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_repeats_at_the_same_moment_one_counts() {
    let mira = Mira::start(answering("Yes.")).await;
    let turn = Turn {
        idempotency_key: Some("key 1".to_owned()),
        ..mira.turn("Hello")
    };
    let sent = (0..8).map(|_| mira.operations.send(turn.clone()));
    let accepted = futures_util::future::try_join_all(sent).await.unwrap();
    let operations: std::collections::HashSet<_> =
        accepted.iter().map(|accepted| accepted.operation).collect();
    assert_eq!(operations.len(), 1);
    mira.ended(accepted[0].operation).await;
    assert_eq!(mira.messages().await.len(), 2);
    mira.close().await;
}

#[tokio::test]
async fn a_turn_whose_sender_goes_away_is_accepted_and_runs() {
    let mira = Mira::start(answering("Yes.")).await;
    let mut tail = mira.operations.open_session(mira.session).await.unwrap().tail;
    polled_once(mira.operations.send(mira.turn("Hello"))).await;
    let started = next_event(&mut tail).await;
    assert_eq!(mira.ended(started.operation).await.end(), "completed");
    mira.close().await;
}

#[tokio::test]
async fn a_kept_answer_is_given_to_the_same_request_only() {
    let mira = Mira::start(Script::new()).await;
    let operations = &mira.operations;
    let keyed = |method, params| Keyed {
        method,
        key: "k",
        params,
    };
    let first = keyed("artifact.apply", "{1}");
    assert_eq!(operations.answered(&first).await.unwrap(), None);
    operations.keep_answer(&first, "done").await.unwrap();
    operations.keep_answer(&first, "done again").await.unwrap();
    let kept = operations.answered(&first).await.unwrap();
    assert_eq!(kept.as_deref(), Some("done"));
    let other = operations.answered(&keyed("artifact.apply", "{2}")).await;
    assert!(matches!(other.unwrap_err(), Error::IdempotencyConflict));
    let elsewhere = operations.answered(&keyed("artifact.undo", "{2}")).await;
    assert_eq!(elsewhere.unwrap(), None);
    mira.close().await;
}
