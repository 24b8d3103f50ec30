//! Connections and processes that end in the middle of something: nothing is lost, and nothing comes twice.

use std::time::Duration;

use mira_llm::scripted::{Rule, Step};
use serde_json::{Value, json};

use crate::harness::{Mira, answering, delegating, reasoner, script, writing};
use crate::native::Native;
use crate::socket::{Heard, Socket};
use crate::story::{answer, check_order, is_terminal, story};

const BEFORE: &str = "Grüße aus Köln: 🦀🦀 ";
const AFTER: &str = "und 👩‍👩‍👧 – Ende.";

/// A text of several bytes per character, in two halves.
fn halves() -> Rule {
    reasoner("slow")
        .step(Step::text(BEFORE).chunk(1))
        .hold("midway")
        .step(Step::text(AFTER).chunk(3))
}

/// Resumes a session in a new connection: the client, the answer to the request, and the replay.
async fn resume(mira: &Mira, session: &str, after: &Value) -> (Native, Value, Vec<Value>) {
    let mut client = Native::hello(&mira.server).await;
    let resumed = client
        .call("session.resume", json!({"session_id": session, "after": after}))
        .await;
    let mut replay = Vec::new();
    loop {
        let mut notification = client.notification().await;
        let params = notification["params"].take();
        if notification["method"] == "session.synced" {
            assert_eq!(
                params,
                json!({"session_id": session, "seq": resumed["watermark"]})
            );
            return (client, resumed, replay);
        }
        assert_eq!(notification["method"], "event", "{notification}");
        replay.push(params);
    }
}

#[tokio::test]
async fn a_turn_goes_on_without_its_client_and_resumes_without_gap_or_repeat() {
    let mira = Mira::start(script([halves()])).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let accepted = client.say(&session, "Hello").await;
    mira.arrived("midway").await;
    let mut seen = Vec::new();
    while !answer(&seen).starts_with("Grüße") {
        seen.push(client.event().await);
    }
    drop(client);

    let (mut client, resumed, replay) = resume(&mira, &session, &seen.last().unwrap()["seq"]).await;
    assert_eq!(resumed["running"], json!([accepted["operation_id"]]));
    seen.extend(replay);
    mira.upstream.release("midway");
    seen.extend(client.until_end(&accepted["operation_id"]).await);
    check_order(&seen);
    assert_eq!(answer(&seen), format!("{BEFORE}{AFTER}"));
    assert_eq!(client.journal(&session).await, seen);

    // From any other place it is the same.
    for after in 0..=seen.len() {
        let (_, _, replay) = resume(&mira, &session, &json!(after)).await;
        assert_eq!(replay, seen[after..], "after {after}");
    }
    mira.close(client).await;
}

#[tokio::test]
async fn a_session_opened_in_the_middle_of_a_text_gets_it_so_far() {
    let mira = Mira::start(script([halves()])).await;
    let (mut first, session) = Native::in_session(&mira.server, "main").await;
    let accepted = first.say(&session, "Hello").await;
    let mut seen = Vec::new();
    while answer(&seen) != BEFORE {
        seen.push(first.event().await);
    }
    let mut second = Native::hello(&mira.server).await;
    let opened = second.call("session.open", json!({"session_id": session})).await;
    let mut item = opened["in_flight"][0].clone();
    assert_eq!(
        opened,
        json!({
            "session_id": session,
            "name": "main",
            "created": false,
            "last_seq": seen.last().unwrap()["seq"],
            "running": [accepted["operation_id"]],
            "in_flight": [{
                "operation_id": accepted["operation_id"],
                "item_id": item["item_id"].take(),
                "kind": "text",
                "text": BEFORE,
            }],
        })
    );
    mira.upstream.release("midway");
    let rest = second.until_end(&accepted["operation_id"]).await;
    assert_eq!(rest[0]["event"]["offset"], BEFORE.chars().count());
    assert_eq!(answer(&rest), AFTER);
    mira.close((first, second)).await;
}

#[tokio::test]
async fn resuming_where_one_follows_already_tells_nothing_twice() {
    let text = "Grüße 🦀 ".repeat(40);
    let rule = reasoner("slow").step(Step::text(text.clone()).chunk(1).delay(Duration::from_millis(1)));
    let mira = Mira::start(script([rule])).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    client.say(&session, "Hello").await;
    let mut seen: Vec<Value> = Vec::new();
    while !seen.last().is_some_and(is_terminal) {
        let resume = json!({"session_id": session, "after": seen.len()});
        let id = client.ask("session.resume", &resume).await;
        client.answer(&id.into()).await;
        // What came before the answer is told again by the replay.
        client.forget();
        loop {
            let mut notification = client.notification().await;
            if notification["method"] == "session.synced" {
                break;
            }
            seen.push(notification["params"].take());
        }
        for _ in 0..3 {
            if !seen.last().is_some_and(is_terminal) {
                seen.push(client.event().await);
            }
        }
        check_order(&seen);
    }
    assert_eq!(answer(&seen), text);
    mira.close(client).await;
}

#[tokio::test]
async fn after_a_crash_nothing_is_lost_and_the_next_turn_works() {
    let mut mira = Mira::start(script([halves()])).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let first = json!({"session_id": session, "content": "Hello", "idempotency_key": "k1"});
    let running = client.call("chat.send", first.clone()).await;
    let waiting = client.say(&session, "And this?").await;
    let mut seen = Vec::new();
    while answer(&seen) != BEFORE {
        seen.push(client.event().await);
    }
    mira.server.kill().await;
    mira.upstream.replace(answering("Here I am."));
    mira.start_again(&[]).await;

    let (mut client, resumed, replay) = resume(&mira, &session, &seen.last().unwrap()["seq"]).await;
    assert_eq!(resumed["running"], json!([]));
    assert_eq!(story(&replay), ["interrupted", "interrupted"]);
    seen.extend(replay);
    check_order(&seen);
    assert_eq!(client.journal(&session).await, seen);
    let said = |role: &str, text: &str| (role.to_owned(), text.to_owned());
    assert_eq!(
        client.messages(&session).await,
        [
            said("user", "Hello"),
            said("user", "And this?"),
            said("assistant", BEFORE)
        ]
    );
    assert_eq!(
        client.call("chat.send", first).await,
        running,
        "a repeat after a crash does nothing"
    );
    for accepted in [running, waiting] {
        let got = json!({"operation_id": accepted["operation_id"]});
        let got = client.call("operation.get", got).await;
        assert_eq!(got["operation"]["status"], "interrupted");
    }
    let next = client.turn(&session, "And now?").await;
    assert_eq!(next.story().last().unwrap(), "completed");
    mira.close(client).await;
}

#[tokio::test]
async fn a_crash_in_a_delegation_ends_it_too() {
    let mut mira = Mira::start(delegating("a.rs", writing("a.rs", "fn a() {}\n").hold("writing"))).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let project = client.project(&mira).await;
    let turn = json!({"session_id": session, "content": "Write it.", "project_id": project});
    let accepted = client.call("chat.send", turn.clone()).await;
    mira.arrived("writing").await;
    client.until("operation.delegated").await;
    mira.server.kill().await;
    mira.upstream.release("writing");
    mira.start_again(&[]).await;

    let (mut client, _) = Native::in_session(&mira.server, "main").await;
    let got = json!({"operation_id": accepted["operation_id"]});
    let got = client.call("operation.get", got).await;
    assert_eq!(got["operation"]["status"], "interrupted");
    assert_ne!(got["operation"]["delegations"][0]["status"], "running");
    assert_eq!(client.run(turn).await.story().last().unwrap(), "completed");
    mira.close(client).await;
}

/// The text comes part by part, each when the client that reads has the one before, so that only the other one is slow.
#[tokio::test]
async fn a_client_that_does_not_read_is_let_go_and_resumes() {
    // More than lies between the server and a client that does not read.
    const PARTS: usize = 60;
    let part = "Grüße 🦀 ".repeat(10_000);
    let hold = |number: usize| format!("part {number}");
    let long = (0..PARTS).fold(reasoner("long"), |rule, number| {
        rule.text(&part).hold(hold(number))
    });
    let mira = Mira::start_with(script([long]), &[("MIRA_MAX_OUTBOUND_BYTES", "256KiB")]).await;
    let (mut quick, session) = Native::in_session(&mira.server, "main").await;
    let mut slow = Native::over(Socket::with_small_buffer(&mira.server).await);
    slow.initialize().await;
    slow.open("main").await;

    let accepted = quick.say(&session, "A long story, please.").await;
    let (mut all, mut seen, mut end) = (Vec::new(), Vec::new(), None);
    for number in 0..PARTS {
        let mut told = 0;
        while told < part.len() {
            let event = quick.event().await;
            told += event["event"]["delta"].as_str().map_or(0, str::len);
            all.push(event);
        }
        if end.is_none() && mira.server.log().contains("does not read its events") {
            end = Some(loop {
                match slow.heard().await {
                    Heard::Frame(mut frame) => seen.push(frame["params"].take()),
                    end @ (Heard::Closed(..) | Heard::Gone) => break end,
                }
            });
        }
        mira.upstream.release(&hold(number));
    }
    all.extend(quick.until_end(&accepted["operation_id"]).await);
    assert_eq!(answer(&all), part.repeat(PARTS));

    let last = seen.last().unwrap()["seq"].clone();
    let reason = format!("slow client, resume after seq {last}");
    assert_eq!(end, Some(Heard::Closed(4008, reason)));
    let (_, _, replay) = resume(&mira, &session, &last).await;
    seen.extend(replay);
    assert_eq!(seen, all);
    mira.close((quick, slow)).await;
}

#[tokio::test]
async fn two_hundred_sessions_at_once() {
    const SESSIONS: usize = 200;
    let rule = reasoner("answer")
        .hold("all")
        .step(Step::text("All at once.").chunk(4));
    let mira = Mira::start(script([rule])).await;
    let mut clients = Vec::new();
    for number in 0..SESSIONS {
        let (mut client, session) = Native::in_session(&mira.server, &format!("session {number}")).await;
        let accepted = client.say(&session, "Hello").await;
        clients.push((client, accepted));
    }
    crate::harness::soon("all requests", mira.upstream.request_count_reaches(SESSIONS)).await;
    mira.upstream.release("all");
    for (client, accepted) in &mut clients {
        let events = client.until_end(&accepted["operation_id"]).await;
        assert_eq!(answer(&events), "All at once.");
    }
    mira.close(clients).await;
}
