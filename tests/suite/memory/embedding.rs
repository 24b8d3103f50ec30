//! Embeddings that fail, hang or are lost: chat goes on, and nothing is lost but similarity, and that only for a while.

use std::time::{Duration, Instant};

use mira_llm::scripted::{Fault, Step};
use serde_json::json;

use super::{VECTORS, embedded, embedder, memory_is, part, restart, search, settled};
use crate::harness::{Mira, Settings, answering, reasoner, script};
use crate::native::Native;

const HEDGE: &str = "The hedgehog sleeps behind the compost heap.";

/// What makes the background look every second for what waits, so that tests need not.
const EAGER: Settings<'static> = &[("TASK_EMBEDDING_INTERVAL", "1")];

#[tokio::test]
async fn down_and_back_again() {
    let down = script([
        embedder("down").fault(Fault::http(503)),
        reasoner("answer").text("I see."),
    ]);
    let mira = Mira::start_with(down, &[VECTORS, EAGER].concat()).await;
    let (mut client, one) = Native::in_session(&mira.server, "one").await;
    assert_eq!(
        client.turn(&one, HEDGE).await.end()["type"],
        "operation.completed"
    );
    let status = memory_is(&mut client, "a backlog", |memory| {
        memory["embedding"]["failing"] != 0
    })
    .await;
    let backlog = &status["embedding"];
    assert!(
        backlog["waiting"].as_u64() >= backlog["failing"].as_u64(),
        "{backlog}"
    );
    assert!(
        backlog["error"].is_string() && backlog["lag_ms"].as_u64() > Some(0),
        "{backlog}"
    );

    let two = client.open("two").await;
    let turn = client.turn(&two, "Where does the hedgehog sleep?").await;
    assert_eq!(turn.end()["type"], "operation.completed");
    let recalled = part(&turn, "recalled").unwrap();
    assert!(
        recalled["detail"]
            .as_str()
            .unwrap()
            .starts_with("by words alone: "),
        "{recalled}"
    );
    let hits = search(&mut client, "compost heap").await;
    assert!(
        hits["degraded"]
            .as_str()
            .unwrap()
            .contains("could not be embedded"),
        "{hits}"
    );
    assert_eq!(hits["hits"][0]["message"]["content"], HEDGE);

    mira.upstream.replace(answering("I see."));
    let status = settled(&mut client).await;
    assert_eq!(
        status["embedding"],
        json!({"waiting": 0, "failing": 0, "lag_ms": 0})
    );
    let hits = search(&mut client, "hedgehog").await;
    assert_eq!(hits.get("degraded"), None);
    let best = &hits["hits"][0];
    assert!(best["score_parts"]["meaning"].as_f64().unwrap() > 0.0, "{best}");
    mira.close(client).await;
}

#[tokio::test]
async fn a_slow_query_does_not_hold_up_a_turn() {
    const SLOW: Duration = Duration::from_secs(3);
    let patience = [("MIRA_QUERY_EMBEDDING_TIMEOUT_MS", "200")];
    let mira = Mira::start_with(answering("I see."), &[VECTORS, &patience].concat()).await;
    let (mut client, one) = Native::in_session(&mira.server, "one").await;
    client.turn(&one, HEDGE).await;
    settled(&mut client).await;
    mira.upstream.replace(script([
        embedder("slow").step(Step::pause(SLOW)),
        reasoner("answer").text("I see."),
    ]));
    let two = client.open("two").await;
    let begun = Instant::now();
    let turn = client.turn(&two, "Where does the hedgehog sleep?").await;
    let took = begun.elapsed();
    assert!(took < SLOW / 2, "{took:?}");
    let recalled = part(&turn, "recalled").unwrap();
    assert_eq!(
        recalled["detail"],
        "by words alone: the query was not embedded within 200 ms"
    );
    assert!(!recalled["sources"].as_array().unwrap().is_empty(), "{recalled}");
    mira.close(client).await;
}

#[tokio::test]
async fn vectors_that_are_lost_are_put_back_without_being_made_again() {
    let mut mira = Mira::start_with(answering("I see."), VECTORS).await;
    let (mut client, session) = Native::in_session(&mira.server, "one").await;
    client.turn(&session, HEDGE).await;
    settled(&mut client).await;
    let lost = |mira: &Mira, truncate: bool| {
        let folder = mira.data().join("vectors");
        if !truncate {
            return std::fs::remove_dir_all(folder).unwrap();
        }
        let mut cut = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let file = std::fs::File::options()
                .write(true)
                .open(entry.unwrap().path())
                .unwrap();
            file.set_len(file.metadata().unwrap().len() / 2).unwrap();
            cut += 1;
        }
        assert!(cut > 0, "there is nothing to cut");
    };
    for truncate in [false, true] {
        drop(client);
        assert!(mira.server.terminate().await.success());
        lost(&mira, truncate);
        let made = embedded(&mira).len();
        mira.start_again(&[]).await;
        client = Native::hello(&mira.server).await;
        settled(&mut client).await;
        assert_eq!(embedded(&mira).len(), made, "nothing is embedded again");
        let hits = search(&mut client, "hedgehog").await;
        assert_eq!(hits.get("degraded"), None);
        let best = &hits["hits"][0];
        assert_eq!(best["message"]["content"], HEDGE);
        assert!(best["score_parts"]["meaning"].as_f64().unwrap() > 0.0, "{best}");
        assert_eq!(embedded(&mira).len(), made + 1, "the query alone");
    }
    mira.close(client).await;
}

#[tokio::test]
async fn an_embedder_that_comes_later_makes_up_for_it() {
    let mut mira = Mira::start(answering("I see.")).await;
    let (mut client, session) = Native::in_session(&mira.server, "one").await;
    client.turn(&session, HEDGE).await;
    settled(&mut client).await;
    let hits = search(&mut client, "hedgehog").await;
    assert_eq!(
        hits.get("degraded"),
        None,
        "nothing is missing that was set up: {hits}"
    );
    restart(&mut mira, client, VECTORS).await;
    let mut client = Native::hello(&mira.server).await;
    settled(&mut client).await;
    let hits = search(&mut client, "hedgehog").await;
    assert!(
        hits["hits"][0]["score_parts"]["meaning"].as_f64().unwrap() > 0.0,
        "{hits}"
    );
    mira.close(client).await;
}
