//! Stopping: killed in the middle of something, or shut down.

use std::sync::Arc;
use std::time::Duration;

use mira_llm::scripted::{Endpoint as Route, Rule, Script, Step, Upstream};
use mira_ops::failure::FailureCode;
use mira_ops::operation::{DelegationStatus, Status};
use mira_ops::{Accepted, Error};

use crate::harness::{Mira, START, Setup, brief, coder, next_event, reasoner, script};
use crate::story;

/// Lives in a process of its own, as far as tasks and connections go, which is then killed: nothing is shut down, every
/// task is dropped where it stands. What is left is opened again.
async fn killed<T, F>(script: Script, life: impl FnOnce(Arc<Mira>) -> F + Send + 'static) -> (Mira, T)
where
    T: Send + 'static,
    F: Future<Output = T> + Send,
{
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let upstream = Arc::new(Upstream::start(script).await.unwrap());
    let left = (Arc::clone(&folder), Arc::clone(&upstream));
    let process = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let result = runtime.block_on(async {
            let mira = Arc::new(Mira::start_in(folder, upstream, &Setup::default()).await);
            let result = life(Arc::clone(&mira)).await;
            Arc::into_inner(mira).unwrap().abandon();
            result
        });
        runtime.shutdown_timeout(Duration::from_secs(30));
        result
    });
    let result = process.await.unwrap();
    let (folder, upstream) = left;
    (Mira::start_in(folder, upstream, &Setup::default()).await, result)
}

fn slow() -> Rule {
    reasoner("slow").last_user_contains("Hello")
}

fn quick() -> Rule {
    reasoner("quick").text("Here I am.")
}

/// What every interrupted turn looks like afterwards; the session goes on.
async fn assert_interrupted(mira: &Mira, accepted: &Accepted, text: &str) {
    let turned = mira.ended(accepted.operation).await;
    assert_eq!(turned.end(), "interrupted");
    let operation = &turned.detail.operation;
    assert_eq!(
        (operation.status, operation.finished),
        (Status::Interrupted, Some(START))
    );
    let failure = operation.failure.as_ref().unwrap();
    assert_eq!(
        (failure.code, failure.retryable),
        (FailureCode::Interrupted, true)
    );
    assert_eq!(turned.detail.text, text);
    assert_eq!(operation.answer.is_some(), !text.is_empty());
    let opened = mira.operations.open_session(mira.session).await.unwrap();
    assert_eq!((opened.running, opened.texts), (vec![], vec![]));
    let next = mira.run(mira.turn("Are you back?")).await;
    assert_eq!(
        (next.end().as_str(), next.detail.text.as_str()),
        ("completed", "Here I am.")
    );
}

#[tokio::test]
async fn killed_in_the_middle_of_an_answer_what_was_said_is_kept() {
    let rule = slow()
        .step(Step::text("Half of an").chunk(2))
        .hold("midway")
        .text(" answer");
    let (mira, accepted) = killed(script([rule, quick()]), |mira| async move {
        let mut tail = mira.operations.open_session(mira.session).await.unwrap().tail;
        let accepted = mira.send(mira.turn("Hello")).await;
        let mut events = Vec::new();
        while story::answer(&events) != "Half of an" {
            events.push(next_event(&mut tail).await.event.clone());
        }
        accepted
    })
    .await;
    assert_interrupted(&mira, &accepted, "Half of an").await;
    mira.close().await;
}

#[tokio::test]
async fn killed_with_turns_waiting_every_one_of_them_ends() {
    let (mira, accepted) = killed(script([slow().hold("asked"), quick()]), |mira| async move {
        let first = mira.send(mira.turn("Hello")).await;
        let second = mira.send(mira.turn("And?")).await;
        mira.arrived("asked").await;
        [first, second]
    })
    .await;
    for accepted in accepted {
        assert_interrupted(&mira, &accepted, "").await;
    }
    assert_eq!(
        mira.requests(Route::Responses).len(),
        3,
        "what was interrupted is not asked again by itself"
    );
    mira.close().await;
}

#[tokio::test]
async fn killed_while_the_coder_writes_the_delegation_ends() {
    let rules = [
        slow().tool_call("generate_code", &brief("src/a.rs", "Anything.")),
        quick(),
        coder("writes").hold("writing"),
    ];
    let (mira, accepted) = killed(script(rules), |mira| async move {
        let accepted = mira.send(mira.project_turn("Hello")).await;
        mira.arrived("writing").await;
        accepted
    })
    .await;
    let detail = mira.operations.detail(accepted.operation).await.unwrap();
    assert_eq!(detail.delegations[0].status, DelegationStatus::Cancelled);
    assert_eq!(detail.delegations[0].finished, Some(START));
    assert_interrupted(&mira, &accepted, "").await;
    mira.close().await;
}

#[tokio::test]
async fn killed_after_the_end_nothing_happens_anew() {
    let (mira, turned) = killed(script([quick()]), |mira| async move {
        mira.run(mira.turn("Hello")).await
    })
    .await;
    let again = mira.ended(turned.detail.operation.id).await;
    assert_eq!((again.events, again.detail), (turned.events, turned.detail));
    mira.close().await;
}

#[tokio::test]
async fn a_patient_shutdown_lets_a_turn_finish_and_takes_no_other() {
    let mira = Mira::start(script([slow()
        .text("One moment")
        .hold("midway")
        .text(", please.")]))
    .await;
    let accepted = mira.send(mira.turn("Hello")).await;
    mira.arrived("midway").await;
    let operations = mira.operations.clone();
    let stopping = tokio::spawn(async move { operations.shutdown(Duration::from_secs(30)).await });
    // Shutting down is seen by whoever asks for more; nothing else tells of it.
    let refused = crate::harness::deadline(async {
        loop {
            match mira.operations.send(mira.turn("One more")).await {
                Ok(more) => drop(mira.operations.cancel(more.operation).await.unwrap()),
                Err(error) => return error,
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(matches!(refused, Error::ShuttingDown));
    assert!(!stopping.is_finished());
    mira.upstream.release("midway");
    stopping.await.unwrap();
    let detail = mira.operations.detail(accepted.operation).await.unwrap();
    assert_eq!(
        (detail.operation.status, detail.text.as_str()),
        (Status::Completed, "One moment, please.")
    );
    mira.close().await;
}

#[tokio::test]
async fn an_impatient_shutdown_interrupts_what_runs_and_what_waits() {
    let mira = Mira::start(script([slow()
        .text("One moment")
        .hold("midway")
        .text(", please.")]))
    .await;
    let mut tail = mira.operations.open_session(mira.session).await.unwrap().tail;
    let running = mira.send(mira.turn("Hello")).await;
    let waiting = mira.send(mira.turn("Hello again")).await;
    let mut events = Vec::new();
    while story::answer(&events) != "One moment" {
        events.push(next_event(&mut tail).await.event.clone());
    }
    mira.operations.shutdown(Duration::ZERO).await;
    let running = mira.operations.detail(running.operation).await.unwrap();
    assert_eq!(
        (running.operation.status, running.text.as_str()),
        (Status::Interrupted, "One moment")
    );
    let waiting = mira.operations.detail(waiting.operation).await.unwrap();
    assert_eq!(
        (waiting.operation.status, waiting.text.as_str()),
        (Status::Interrupted, "")
    );
    let refused = mira.operations.send(mira.turn("One more")).await.unwrap_err();
    assert!(matches!(refused, Error::ShuttingDown));
    mira.close().await;
}
