//! A process that is killed again and again while it stores messages.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{VECTORS, settled};
use crate::harness::{Mira, answering};
use crate::native::Native;
use crate::socket::Heard;

const KILLS: usize = 50;

/// New messages of each life. They are all sent before an answer is waited for.
const MESSAGES: usize = 10;

/// A word that stands for a number alone.
fn word(number: usize) -> String {
    const SYLLABLES: [&str; 10] = ["ba", "ke", "di", "fo", "gu", "la", "me", "ni", "po", "ru"];
    let digits = format!("{number:04}");
    let digits = digits.bytes().map(|digit| usize::from(digit - b'0'));
    digits.map(|digit| SYLLABLES[digit]).collect()
}

fn content(number: usize) -> String {
    let (one, other) = (word(number), word(number + 5_000));
    format!("The {one} crate of {other} stands on shelf {number}.")
}

/// Sends messages to be stored, all at once; which request stands for which message.
async fn send(
    client: &mut Native,
    session: &str,
    numbers: impl Iterator<Item = usize>,
) -> BTreeMap<u64, usize> {
    let mut requests = BTreeMap::new();
    for number in numbers {
        let save = json!({
            "session_id": session,
            "content": content(number),
            "idempotency_key": format!("message {number}"),
        });
        requests.insert(client.ask("memory.save", &save).await, number);
    }
    requests
}

/// The message that the next answer acknowledges; none when the connection is gone.
async fn acknowledged(client: &mut Native, requests: &BTreeMap<u64, usize>) -> Option<usize> {
    let answer = answer(client).await?;
    let number = requests[&answer["id"].as_u64().unwrap()];
    assert_eq!(
        answer["result"]["message"]["content"],
        content(number),
        "{answer}"
    );
    Some(number)
}

/// The next answer, whatever it answers; none when the connection is gone.
async fn answer(client: &mut Native) -> Option<Value> {
    loop {
        match client.socket.hear().await {
            Heard::Frame(frame) if frame["method"] == "heartbeat" => {}
            Heard::Frame(frame) => return Some(frame),
            Heard::Closed(..) | Heard::Gone => return None,
        }
    }
}

#[tokio::test]
async fn every_message_is_stored_once_and_found() {
    let everything = [("SALIENCE_MIN_FOR_EMBED", "0")];
    let mut mira = Mira::start_with(answering("I see."), &[VECTORS, &everything].concat()).await;
    let mut open = BTreeSet::new();
    for life in 0..KILLS {
        open.extend(life * MESSAGES..(life + 1) * MESSAGES);
        let (mut client, session) = Native::in_session(&mira.server, "one").await;
        let requests = send(&mut client, &session, open.clone().into_iter()).await;
        for _ in 0..life % (MESSAGES + 2) {
            let Some(number) = acknowledged(&mut client, &requests).await else {
                panic!("the server ended by itself: {}", mira.server.log());
            };
            open.remove(&number);
            if open.is_empty() {
                break;
            }
        }
        mira.server.kill().await;
        while let Some(number) = acknowledged(&mut client, &requests).await {
            open.remove(&number);
        }
        mira.start_again(&[]).await;
    }
    let (mut client, session) = Native::in_session(&mira.server, "one").await;
    let requests = send(&mut client, &session, open.clone().into_iter()).await;
    while !open.is_empty() {
        let number = acknowledged(&mut client, &requests).await.unwrap();
        open.remove(&number);
    }

    let all: BTreeSet<String> = (0..KILLS * MESSAGES).map(content).collect();
    let stored = client
        .pages(
            "memory.get_recent",
            json!({"session_id": session, "limit": 500}),
            "messages",
        )
        .await;
    assert_eq!(stored.len(), all.len(), "some are stored more than once");
    let stored = stored
        .iter()
        .map(|message| message["content"].as_str().unwrap().to_owned());
    assert_eq!(stored.collect::<BTreeSet<_>>(), all);
    let status = settled(&mut client).await;
    assert_eq!(status["embedding"]["waiting"], 0);
    let stats = client.call("memory.get_stats", json!({})).await;
    assert_eq!(
        (&stats["analysed"], &stats["vectors"]["semantic"]),
        (&json!(all.len()), &json!(all.len())),
        "{stats}"
    );
    let looked_for: Vec<usize> = (0..KILLS * MESSAGES).step_by(3).collect();
    // As many at once as a connection may have under way.
    for numbers in looked_for.chunks(60) {
        let mut asked = BTreeMap::new();
        for number in numbers {
            let query = json!({"query": word(*number)});
            asked.insert(client.ask("memory.search", &query).await, *number);
        }
        for _ in numbers {
            let answer = answer(&mut client).await.unwrap();
            let number = asked[&answer["id"].as_u64().unwrap()];
            let hits = answer["result"]["hits"].as_array().unwrap();
            let found = hits
                .iter()
                .any(|hit| hit["message"]["content"] == content(number));
            assert!(found, "message {number} is not found: {answer}");
        }
    }
    mira.close(client).await;
}
