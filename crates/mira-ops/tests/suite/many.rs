//! Many sessions at the same time.

use mira_llm::scripted::Step;
use mira_ops::Turn;

use crate::harness::{Mira, reasoner, script};

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
