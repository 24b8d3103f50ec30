//! Stopping a turn, wherever it is.

use mira_llm::scripted::{Endpoint as Route, Outcome, Step};
use mira_ops::Error;
use mira_ops::operation::{DelegationStatus, Status};
use mira_store::OperationId;

use crate::harness::{Mira, START, brief, coder, deadline, next_event, reasoner, script};

#[tokio::test]
async fn a_waiting_turn_is_cancelled_before_it_starts_and_the_others_run() {
    let slow = reasoner("slow")
        .last_user_contains("first")
        .hold("asked")
        .text("One.");
    let mira = Mira::start(script([slow, reasoner("quick").text("Another.")])).await;
    let first = mira.send(mira.turn("first")).await;
    let second = mira.send(mira.turn("second")).await;
    let third = mira.send(mira.turn("third")).await;
    mira.arrived("asked").await;

    let cancelled = mira.operations.cancel(second.operation).await.unwrap();
    assert_eq!(cancelled.status, Status::Cancelled);
    assert_eq!(
        mira.ended(second.operation).await.story(),
        ["started", "cancelled"]
    );
    mira.upstream.release("asked");
    assert_eq!(mira.ended(first.operation).await.end(), "completed");
    assert_eq!(mira.ended(third.operation).await.end(), "completed");
    assert_eq!(
        mira.requests(Route::Responses).len(),
        2,
        "the cancelled turn asked nothing"
    );
    mira.close().await;
}

#[tokio::test]
async fn before_the_first_token_the_request_is_dropped_and_nothing_is_answered() {
    let slow = reasoner("slow")
        .last_user_contains("Hello")
        .hold("asked")
        .text("Too late.");
    let mira = Mira::start(script([slow, reasoner("quick").text("Here I am.")])).await;
    let accepted = mira.send(mira.turn("Hello")).await;
    mira.arrived("asked").await;
    mira.operations.cancel(accepted.operation).await.unwrap();
    let turned = mira.ended(accepted.operation).await;
    assert_eq!(turned.end(), "cancelled");
    assert_eq!(deadline(mira.upstream.ended(0)).await, Outcome::ClientGone);
    assert_eq!(
        (turned.detail.operation.status, turned.detail.operation.answer),
        (Status::Cancelled, None)
    );
    let next = mira.run(mira.turn("And now?")).await;
    assert_eq!(
        (next.end().as_str(), next.detail.text.as_str()),
        ("completed", "Here I am.")
    );
    mira.close().await;
}

#[tokio::test]
async fn in_the_middle_of_an_answer_what_was_said_is_kept_as_the_answer() {
    let slow = reasoner("slow")
        .last_user_contains("Hello")
        .step(Step::text("Once upon a time").chunk(4))
        .hold("midway")
        .text(" there was");
    let mira = Mira::start(script([slow, reasoner("quick").text("Go on.")])).await;
    let mut tail = mira.operations.open_session(mira.session).await.unwrap().tail;
    let accepted = mira.send(mira.turn("Hello")).await;
    // Everything that was sent has been told, so nothing of it may be missing from the answer.
    let mut events = Vec::new();
    while crate::story::answer(&events) != "Once upon a time" {
        events.push(next_event(&mut tail).await.event.clone());
    }
    mira.operations.cancel(accepted.operation).await.unwrap();
    let turned = mira.ended(accepted.operation).await;
    assert_eq!(turned.end(), "cancelled");
    assert_eq!(turned.detail.text, "Once upon a time");
    assert_eq!(deadline(mira.upstream.ended(0)).await, Outcome::ClientGone);
    let answer = turned.detail.operation.answer.unwrap();
    let stored = mira.memory.message(answer).await.unwrap().unwrap();
    assert_eq!(
        (stored.content.as_str(), stored.reply_to),
        ("Once upon a time", Some(accepted.message))
    );

    mira.run(mira.turn("What were you saying?")).await;
    let request = mira.requests(Route::Responses).pop().unwrap();
    assert_eq!(
        request["input"][1]["content"], "Once upon a time",
        "the next turn knows of it"
    );
    mira.close().await;
}

#[tokio::test]
async fn while_the_coder_writes_its_request_is_dropped_and_the_delegation_ends() {
    let delegates = reasoner("delegates")
        .no_tool_output()
        .last_user_contains("Write")
        .text("I have it written.")
        .tool_call("generate_code", &brief("src/a.rs", "Anything."));
    let writes = coder("writes").text("{").hold("writing").text("}");
    let mira = Mira::start(script([delegates, writes, reasoner("answers").text("Fine.")])).await;
    let accepted = mira.send(mira.project_turn("Write it.")).await;
    mira.arrived("writing").await;
    let running = mira.operations.detail(accepted.operation).await.unwrap();
    assert_eq!(running.operation.status, Status::Generating);
    assert_eq!(running.delegations[0].status, DelegationStatus::Running);

    mira.operations.cancel(accepted.operation).await.unwrap();
    let turned = mira.ended(accepted.operation).await;
    assert_eq!(turned.end(), "cancelled");
    assert_eq!(deadline(mira.upstream.ended(1)).await, Outcome::ClientGone);
    let delegation = &turned.detail.delegations[0];
    assert_eq!(
        (delegation.status, delegation.finished),
        (DelegationStatus::Cancelled, Some(START))
    );
    assert_eq!(
        (turned.detail.text.as_str(), turned.detail.artifacts),
        ("I have it written.", vec![])
    );
    assert_eq!(mira.run(mira.turn("Never mind.")).await.end(), "completed");
    mira.close().await;
}

#[tokio::test]
async fn what_has_ended_stays_as_it_is_and_what_is_unknown_is_said() {
    let mira = Mira::start(script([reasoner("quick").text("Done.")])).await;
    let turned = mira.run(mira.turn("Hello")).await;
    let seq = mira.operations.last_seq(mira.session).await.unwrap();
    let operation = turned.detail.operation;
    assert_eq!(mira.operations.cancel(operation.id).await.unwrap(), operation);
    assert_eq!(mira.operations.last_seq(mira.session).await.unwrap(), seq);
    let unknown = OperationId::at(START);
    let refused = mira.operations.cancel(unknown).await.unwrap_err();
    assert!(matches!(refused, Error::UnknownOperation(id) if id == unknown));
    mira.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_races_with_the_end_leaves_one_end() {
    let rule = reasoner("quick").step(Step::text("A few words, one after another.").chunk(3));
    let mira = Mira::start(script([rule])).await;
    for turn in 0..30 {
        let mut tail = mira.operations.open_session(mira.session).await.unwrap().tail;
        let accepted = mira.send(mira.turn(&format!("Question {turn}"))).await;
        // At another event each time: from the first one to those of the end.
        for _ in 0..=turn % 6 {
            if next_event(&mut tail).await.event.is_terminal() {
                break;
            }
        }
        mira.operations.cancel(accepted.operation).await.unwrap();
        let end = mira.ended(accepted.operation).await.end();
        assert!(["completed", "cancelled"].contains(&end.as_str()), "{end}");
    }
    mira.close().await;
}
