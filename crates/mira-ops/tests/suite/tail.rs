//! Following a session: resuming anywhere, joining in the middle, falling behind.

use mira_llm::scripted::{Script, Step as Scripted};
use mira_ops::{Error, Event, Recorded, Step, Tail, TextKind};
use mira_store::{ItemId, SessionId};
use serde_json::json;

use crate::harness::{Mira, START, answering, deadline, next_event, reasoner, script, until_terminal};
use crate::story;

/// A tail's replay up to and with `Synced`.
async fn replay(tail: &mut Tail) -> (Vec<Recorded>, i64) {
    let mut events = Vec::new();
    loop {
        match deadline(tail.next()).await.unwrap() {
            Step::Event(recorded) => events.push(Recorded::clone(&recorded)),
            Step::Synced(seq) => return (events, seq),
        }
    }
}

#[tokio::test]
async fn a_resume_from_anywhere_tells_exactly_the_rest() {
    let rule = reasoner("answers").step(Scripted::text("A longer answer in many pieces.").chunk(1));
    let mira = Mira::start(script([rule])).await;
    mira.run(mira.turn("Hello")).await;
    mira.run(mira.turn("And again")).await;
    let journal = mira.operations.events(mira.session, 0, u32::MAX).await.unwrap();
    let last = i64::try_from(journal.len()).unwrap();
    for after in 0..=last {
        let mut resumed = mira.operations.resume_session(mira.session, after).await.unwrap();
        assert_eq!((resumed.watermark, resumed.running), (last, vec![]));
        let (events, synced) = replay(&mut resumed.tail).await;
        assert_eq!(synced, last);
        let rest: Vec<Recorded> = journal
            .iter()
            .filter(|recorded| recorded.seq > after)
            .cloned()
            .collect();
        assert_eq!(events, rest, "after {after}");
        assert_eq!(resumed.tail.position(), last);
    }
    mira.close().await;
}

#[tokio::test]
async fn a_position_that_the_journal_does_not_have_is_refused() {
    let mira = Mira::start(answering("Yes.")).await;
    mira.run(mira.turn("Hello")).await;
    let last = mira.operations.last_seq(mira.session).await.unwrap();
    for cursor in [-1, last + 1, i64::MAX] {
        let refused = mira
            .operations
            .resume_session(mira.session, cursor)
            .await
            .unwrap_err();
        let Error::UnknownCursor { after, last: told } = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((after, told), (cursor, last));
    }
    let unknown = SessionId::at(START);
    let refused = mira.operations.resume_session(unknown, 0).await.unwrap_err();
    assert!(matches!(refused, Error::UnknownSession(session) if session == unknown));
    let refused = mira.operations.open_session(unknown).await.unwrap_err();
    assert!(matches!(refused, Error::UnknownSession(session) if session == unknown));
    mira.close().await;
}

/// An answer that stops in its middle.
fn held() -> Script {
    let rule = reasoner("answers")
        .reasoning("Hm.")
        .step(Scripted::text("The first half, 🦀").chunk(5))
        .hold("midway")
        .step(Scripted::text(" and the second half.").chunk(5));
    script([rule])
}

/// Waits until this much of the answer is told.
async fn until_said(tail: &mut Tail, text: &str) -> Vec<Event> {
    let mut events = Vec::new();
    while story::answer(&events) != text {
        events.push(next_event(tail).await.event.clone());
    }
    events
}

#[tokio::test]
async fn a_resume_in_the_middle_of_an_answer_goes_on_live() {
    let mira = Mira::start(held()).await;
    let mut first = mira.operations.open_session(mira.session).await.unwrap().tail;
    let accepted = mira.send(mira.turn("Hello")).await;
    until_said(&mut first, "The first half, 🦀").await;

    let mut resumed = mira.operations.resume_session(mira.session, 0).await.unwrap();
    assert_eq!(resumed.running, [accepted.operation]);
    let (mut events, synced) = replay(&mut resumed.tail).await;
    assert_eq!(synced, resumed.watermark);
    mira.upstream.release("midway");
    events.extend(until_terminal(&mut resumed.tail, accepted.operation).await);
    let journal = mira.operations.events(mira.session, 0, u32::MAX).await.unwrap();
    assert_eq!(events, journal);
    mira.close().await;
}

#[tokio::test]
async fn whoever_opens_in_the_middle_of_an_answer_gets_its_text_so_far_and_then_the_rest() {
    let mira = Mira::start(held()).await;
    let mut first = mira.operations.open_session(mira.session).await.unwrap().tail;
    let accepted = mira.send(mira.turn("Hello")).await;
    until_said(&mut first, "The first half, 🦀").await;

    let mut opened = mira.operations.open_session(mira.session).await.unwrap();
    assert_eq!(
        (opened.last_seq, opened.running),
        (first.position(), vec![accepted.operation])
    );
    let texts: Vec<(TextKind, &str)> = opened
        .texts
        .iter()
        .map(|text| (text.kind, text.text.as_str()))
        .collect();
    assert_eq!(
        texts,
        [
            (TextKind::Reasoning, "Hm."),
            (TextKind::Answer, "The first half, 🦀")
        ]
    );
    mira.upstream.release("midway");
    let rest = until_terminal(&mut opened.tail, accepted.operation).await;
    assert_eq!(rest[0].seq, opened.last_seq + 1);
    let mut texts: Vec<(ItemId, String)> = opened
        .texts
        .into_iter()
        .map(|text| (text.item, text.text))
        .collect();
    for recorded in &rest {
        if let Event::Streaming { item, offset, delta } = &recorded.event {
            story::extend(&mut texts, *item, *offset, delta);
        }
    }
    assert_eq!(texts[1].1, "The first half, 🦀 and the second half.");
    mira.close().await;
}

/// Opening at any moment, also while a turn is being accepted, shows a state that the events after it go on from.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_opens_at_any_moment_misses_nothing() {
    const TURNS: usize = 40;
    const OPENERS: usize = 8;
    let rule = reasoner("answers").step(Scripted::text("Some words in pieces.").chunk(2));
    let mira = Mira::start(script([rule])).await;
    let talking = async {
        for turn in 0..TURNS {
            mira.run(mira.turn(&format!("Question {turn}"))).await;
        }
    };
    let open = async || {
        loop {
            let mut opened = mira.operations.open_session(mira.session).await.unwrap();
            let mut running = opened.running.clone();
            let mut texts: Vec<(ItemId, String)> = opened
                .texts
                .into_iter()
                .map(|text| (text.item, text.text))
                .collect();
            let mut position = opened.last_seq;
            for _ in 0..3 {
                let recorded = next_event(&mut opened.tail).await;
                assert_eq!(recorded.seq, position + 1);
                position = recorded.seq;
                match &recorded.event {
                    Event::Started { .. } => running.push(recorded.operation),
                    Event::Streaming { item, offset, delta } => {
                        story::extend(&mut texts, *item, *offset, delta);
                    }
                    _ => {}
                }
                assert!(
                    running.contains(&recorded.operation),
                    "{:?} came out of nowhere",
                    recorded.event
                );
            }
        }
    };
    let opening = futures_util::future::join_all((0..OPENERS).map(|_| open()));
    tokio::select! {
        () = deadline(talking) => {}
        _ = opening => {}
    }
    mira.close().await;
}

#[tokio::test]
async fn a_slow_reader_catches_up_from_the_journal() {
    // Two events each: more than a listener may be behind.
    const CALLS: usize = 400;
    let calls = reasoner("calls").no_tool_output();
    let calls = (0..CALLS).fold(calls, |rule, _| rule.tool_call("unknown", &json!({})));
    let mira = Mira::start(script([calls, reasoner("answers").text("Enough.")])).await;
    let mut tail = mira.operations.open_session(mira.session).await.unwrap().tail;
    let turned = mira.run(mira.turn("Hello")).await;
    let events = until_terminal(&mut tail, turned.detail.operation.id).await;
    let journal = mira.operations.events(mira.session, 0, u32::MAX).await.unwrap();
    assert!(journal.len() > 2 * CALLS, "{} events", journal.len());
    assert!(events == journal);
    mira.close().await;
}
