//! `mira-backend reindex`: vectors made anew by another embedder.

use serde_json::json;

use super::{VECTORS, embedded, embedder, search, settled};
use crate::harness::{Mira, Settings, answering, reasoner, script, soon};
use crate::native::Native;

const LONGER: Settings<'static> = &[("MIRA_EMBED_DIMENSIONS", "96")];

/// More than are embedded at a time.
const MESSAGES: usize = 150;

#[tokio::test]
async fn after_a_change_of_the_embedder_also_when_it_is_killed() {
    // Summaries come when they come, and would be embedded too.
    let everything = [
        ("SALIENCE_MIN_FOR_EMBED", "0"),
        ("USE_ROLLING_SUMMARIES", "false"),
    ];
    let mut mira = Mira::start_with(answering("I see."), &[VECTORS, &everything].concat()).await;
    let (mut client, session) = Native::in_session(&mira.server, "one").await;
    let memories: Vec<_> = (0..MESSAGES)
        .map(|number| json!({"content": format!("Shelf {number} holds jar {}.", number * 7), "role": "user"}))
        .collect();
    client
        .call(
            "memory.import",
            json!({"session_id": session, "memories": memories}),
        )
        .await;
    settled(&mut client).await;
    let vectors = embedded(&mira).len();
    assert!(vectors >= MESSAGES);

    let (status, told) = mira.run_beside(&["reindex"], LONGER).await;
    assert!(!status.success());
    assert!(told.contains("in use by another process"), "{told}");
    assert_eq!(embedded(&mira).len(), vectors);

    drop(client);
    assert!(mira.server.terminate().await.success());
    mira.start_again(LONGER).await;
    let mut client = Native::hello(&mira.server).await;
    let status = super::memory_is(&mut client, "a refused index", |memory| {
        memory["index"]["state"] == "refused"
    })
    .await;
    assert!(
        status["degraded"]
            .as_str()
            .unwrap()
            .contains("mira-backend reindex"),
        "{status}"
    );
    let hits = search(&mut client, "jar 539").await;
    assert!(
        hits["degraded"]
            .as_str()
            .unwrap()
            .contains("mira-backend reindex"),
        "{hits}"
    );
    assert_eq!(hits["hits"][0]["message"]["content"], "Shelf 77 holds jar 539.");
    assert_eq!(
        embedded(&mira).len(),
        vectors,
        "nothing is embedded for an index that is refused"
    );
    drop(client);
    assert!(mira.server.terminate().await.success());

    mira.upstream.replace(script([
        embedder("first").once(),
        embedder("then waits").hold("middle"),
    ]));
    let mut half = mira.spawn(&["reindex"], LONGER);
    mira.arrived("middle").await;
    soon("its death", half.kill()).await.unwrap();
    let before = embedded(&mira).len();
    mira.upstream.replace(script([reasoner("answer").text("I see.")]));
    let (status, told) = mira.run_beside(&["reindex"], LONGER).await;
    assert!(status.success(), "{told}");
    let made = embedded(&mira).len() - before;
    assert!(
        made > 0 && made < MESSAGES,
        "{made} were made after the half that was done"
    );
    let (status, told) = mira.run_beside(&["reindex"], LONGER).await;
    assert!(status.success(), "{told}");
    assert_eq!(
        embedded(&mira).len() - before,
        made,
        "there was nothing left to do"
    );

    mira.start_again(&[]).await;
    let mut client = Native::hello(&mira.server).await;
    let status = settled(&mut client).await;
    assert_eq!(status["embedder"]["dimension"], 96);
    assert_eq!(embedded(&mira).len() - before, made);
    let hits = search(&mut client, "jar 539").await;
    assert_eq!(hits.get("degraded"), None);
    assert!(
        hits["hits"][0]["score_parts"]["meaning"].as_f64().unwrap() > 0.0,
        "{hits}"
    );
    mira.close(client).await;
}

#[tokio::test]
async fn without_an_embedder_it_says_what_to_set() {
    let mut mira = Mira::start(answering("I see.")).await;
    assert!(mira.server.terminate().await.success());
    let (status, told) = mira.run_beside(&["reindex"], &[]).await;
    assert!(!status.success());
    assert!(told.contains("OPENAI_API_KEY"), "{told}");
    mira.start_again(&[]).await;
    mira.close(()).await;
}
