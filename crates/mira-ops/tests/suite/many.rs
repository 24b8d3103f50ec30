//! Many sessions at the same time.

use mira_llm::scripted::Step;
use mira_ops::{Error, Turn};
use mira_store::SessionId;

use crate::harness::{Mira, START, reasoner, script};

#[tokio::test(flavor = "multi_thread")]
async fn fifty_sessions_stream_at_once_and_every_journal_is_whole() {
    const SESSIONS: usize = 50;
    let text = "Every session hears all of this, in order and without a gap. ".repeat(8);
    let rule = reasoner("answers")
        .hold("all here")
        .step(Step::text(&text).chunk(7));
    let mira = Mira::start(script([rule])).await;
    let mut accepted = Vec::new();
    for session in 0..SESSIONS {
        let (session, _created) = mira
            .memory
            .open_session(&format!("session {session}"))
            .await
            .unwrap();
        let turn = Turn {
            session: session.id,
            ..mira.turn("Hello")
        };
        accepted.push(mira.send(turn).await);
    }
    crate::harness::deadline(mira.upstream.request_count_reaches(SESSIONS)).await;
    mira.upstream.release("all here");
    for accepted in accepted {
        let turned = mira.ended(accepted.operation).await;
        assert_eq!(
            (turned.end().as_str(), turned.detail.text == text),
            ("completed", true)
        );
    }
    mira.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_for_one_session_does_not_touch_the_others() {
    const SESSIONS: usize = 8;
    let rule = reasoner("answers").step(Step::text("Word after word after word. ".repeat(20)).chunk(4));
    let mira = Mira::start(script([rule])).await;
    let unknown = Turn {
        session: SessionId::at(START),
        ..mira.turn("Hello")
    };
    let talking = futures_util::future::join_all((0..SESSIONS).map(async |_| {
        let turn = Turn {
            session: mira.memory.create_session().await.unwrap().id,
            ..mira.turn("Hello")
        };
        mira.run(turn).await.end()
    }));
    let refusing = async {
        loop {
            let refused = mira.operations.send(unknown.clone()).await.unwrap_err();
            assert!(matches!(refused, Error::UnknownSession(_)));
        }
    };
    let ends: Vec<String> = tokio::select! {
        ends = talking => ends,
        () = refusing => Vec::new(),
    };
    assert_eq!(ends, vec!["completed"; SESSIONS]);
    mira.close().await;
}
