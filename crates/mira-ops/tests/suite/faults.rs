//! What becomes of a turn when the upstream fails: one end, with the right code.

use std::time::Duration;

use mira_llm::Timeouts;
use mira_llm::scripted::{ErrorEvent, Fault, HttpFault, Rule, Step};
use mira_ops::Event;
use serde_json::json;

use crate::harness::{Mira, Setup, reasoner, script};

const BEGINNING: [&str; 3] = [
    "started",
    "pending to started",
    "shows the reasoner persona, recent_turns, request",
];

/// The story of one turn after its beginning, with these rules in order and silences of at most `timeouts`.
async fn story(rules: Vec<Rule>, timeouts: Timeouts) -> Vec<String> {
    let setup = Setup {
        timeouts,
        ..Setup::default()
    };
    let mira = Mira::start_with(script(rules), &setup).await;
    let story = mira.run(mira.turn("Hello")).await.story();
    mira.close().await;
    assert_eq!(story[..3], BEGINNING);
    story[3..].to_vec()
}

fn failing(fault: Fault) -> Rule {
    reasoner("fails").fault(fault)
}

fn http(status: u16, body: &serde_json::Value) -> Fault {
    Fault::Http(HttpFault {
        status,
        retry_after: None,
        body: Some(body.to_string()),
    })
}

#[tokio::test]
async fn what_a_retry_does_not_help_fails_at_once() {
    let error =
        |code: &str| json!({"error": {"message": "No.", "type": "invalid_request_error", "code": code}});
    let cases = [
        (Fault::http(401), "failed: ModelAuthentication"),
        (http(429, &error("insufficient_quota")), "failed: ModelQuota"),
        (
            http(400, &error("context_length_exceeded")),
            "failed: ModelContextTooLong",
        ),
        (
            http(404, &error("model_not_found")),
            "failed: ModelInvalidRequest",
        ),
        (
            http(400, &error("content_policy_violation")),
            "failed: ModelRefused",
        ),
    ];
    for (fault, end) in cases {
        assert_eq!(story(vec![failing(fault)], Timeouts::default()).await, [end]);
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_told() {
    let overloaded = ErrorEvent {
        code: "server_is_overloaded".to_owned(),
        message: "Later.".to_owned(),
        nested: true,
    };
    let cases = [
        (Fault::http(500), "ModelOverloaded"),
        (Fault::http(503), "ModelOverloaded"),
        (Fault::Cut, "ModelNetwork"),
        (Fault::NoTerminalEvent, "ModelNetwork"),
        (
            Fault::error_event("server_error", "Something broke."),
            "ModelOverloaded",
        ),
        (Fault::ErrorEvent(overloaded.clone()), "ModelOverloaded"),
        (Fault::Failed(overloaded), "ModelOverloaded"),
    ];
    for (fault, code) in cases {
        let again = format!("tries gpt-5.5 again, attempt 2: {code}, retryable");
        let mended = vec![failing(fault.clone()).once(), reasoner("answers").text("Here.")];
        assert_eq!(
            story(mended, Timeouts::default()).await,
            [again.as_str(), "says Here.", "completed"],
            "{fault:?}"
        );
        let end = format!("failed: {code}, retryable");
        assert_eq!(
            story(vec![failing(fault.clone())], Timeouts::default()).await,
            [again.as_str(), end.as_str()],
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn the_wait_that_the_upstream_asks_for_is_told() {
    let limited = Fault::Http(HttpFault {
        status: 429,
        retry_after: Some(1),
        body: None,
    });
    let rules = [failing(limited).once(), reasoner("answers").text("Here.")];
    let mira = Mira::start(script(rules)).await;
    let turned = mira.run(mira.turn("Hello")).await;
    let retrying = turned.events.iter().find_map(|event| match event {
        Event::Retrying {
            attempt, delay_ms, ..
        } => Some((*attempt, *delay_ms)),
        _ => None,
    });
    assert_eq!(
        (retrying, turned.detail.text.as_str()),
        (Some((2, 1_000)), "Here.")
    );
    mira.close().await;
}

#[tokio::test]
async fn after_the_first_words_nothing_is_tried_again_and_the_words_are_kept() {
    let speaking = |fault| vec![reasoner("breaks off").text("Well, ").fault(fault)];
    let cases = [
        (Fault::Cut, "ModelNetwork"),
        (Fault::NoTerminalEvent, "ModelNetwork"),
        (
            Fault::error_event("server_error", "Something broke."),
            "ModelOverloaded",
        ),
    ];
    for (fault, code) in cases {
        let end = format!("failed: {code}, retryable");
        assert_eq!(
            story(speaking(fault), Timeouts::default()).await,
            ["says Well, ", end.as_str()]
        );
    }
}

#[tokio::test]
async fn a_call_that_is_cut_off_is_not_made() {
    let arguments = json!({"path": "a.txt", "content": "half", "language": null});
    let cut = reasoner("breaks off")
        .step(Step::tool_call("create_artifact", &arguments).chunk(8))
        .fault(Fault::Cut);
    let rules = vec![cut.once(), reasoner("answers").text("Here.")];
    let again = "tries gpt-5.5 again, attempt 2: ModelNetwork, retryable";
    assert_eq!(
        story(rules, Timeouts::default()).await,
        [again, "says Here.", "completed"]
    );
}

#[tokio::test]
async fn a_silent_upstream_is_given_up() {
    let impatient = Duration::from_millis(200);
    let again = "tries gpt-5.5 again, attempt 2: ModelStalled, retryable";
    let end = "failed: ModelStalled, retryable";

    let before_the_first = Timeouts {
        first_token: impatient,
        ..Timeouts::default()
    };
    assert_eq!(
        story(vec![failing(Fault::Stall)], before_the_first).await,
        [again, end]
    );

    let in_the_middle = Timeouts {
        between_chunks: impatient,
        ..Timeouts::default()
    };
    let rules = vec![reasoner("falls silent").text("Well, ").fault(Fault::Stall)];
    assert_eq!(story(rules, in_the_middle).await, ["says Well, ", end]);
}

#[tokio::test]
async fn a_reply_that_is_garbage_or_strange_is_told_apart() {
    let garbage = Fault::Garbage(b"data: {\"type\": \n\n".to_vec());
    assert_eq!(
        story(vec![failing(garbage)], Timeouts::default()).await,
        ["failed: ModelMalformed"]
    );
    let strange = reasoner("strange")
        .fault(Fault::UnknownEvent("response.from_the_future".to_owned()))
        .fault(Fault::Comment("keepalive".to_owned()))
        .text("Here.");
    assert_eq!(
        story(vec![strange], Timeouts::default()).await,
        ["says Here.", "completed"]
    );
}

#[tokio::test]
async fn the_session_goes_on_after_a_failure() {
    let rules = [
        failing(Fault::http(401)).once(),
        reasoner("answers").text("Here."),
    ];
    let mira = Mira::start(script(rules)).await;
    let failed = mira.run(mira.turn("Hello")).await.detail;
    let failure = failed.operation.failure.unwrap();
    assert_eq!(
        failure.hint.as_deref(),
        Some("check the API key of this model and what it may use")
    );
    assert_eq!(mira.run(mira.turn("Again")).await.end(), "completed");
    mira.close().await;
}
