//! Whole conversations, frame by frame, kept in `tests/transcripts`: a script for the models, the files of a project, what
//! a client sends, and everything that it gets.
//!
//! Ids, times and numbers of events are placeholders, numbered as they appear, and can be used in what is sent. Pieces of
//! one text are joined, however they were cut. In the native profile an answer stands before the events that it raced.

mod normal;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use mira_llm::scripted::Script;
use serde_json::Value;

use crate::classic::has;
use crate::harness::{Mira, UNANALYSED, soon};
use crate::socket::{Heard, Socket};
use normal::Names;

/// Rewrites the transcripts with what the server does.
const BLESS: &str = "MIRA_BLESS";

/// What came for a frame that was sent, or for none.
#[derive(Debug)]
struct Exchange {
    send: Value,
    /// Members of the last frame that came.
    until: Value,
    receive: Vec<Value>,
}

#[tokio::test]
async fn every_transcript_is_kept() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 7, "{files:?}");
    join_all(files.iter().map(|file| check(file))).await;
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts")
}

async fn check(file: &Path) {
    let name = file.file_stem().unwrap().to_string_lossy();
    let text = std::fs::read_to_string(file).unwrap();
    let written: Value = serde_json::from_str(&text).unwrap();
    let script: Script = serde_json::from_value(written["script"].clone()).unwrap();
    let files: BTreeMap<String, String> = serde_json::from_value(written["files"].clone()).unwrap();
    let mira = Mira::start_with(script, UNANALYSED).await;
    for (path, content) in &files {
        mira.put(path, content);
    }
    let expected: Vec<Exchange> = written["exchanges"]
        .as_array()
        .unwrap()
        .iter()
        .map(exchange)
        .collect();
    let mut names = Names::new(&mira);
    let mut socket = Socket::connect(&mira.server).await;
    let mut played = Vec::new();
    for exchange in &expected {
        let what = format!("{name}: {}", exchange.until);
        played.push(soon(&what, play(&mut socket, &mut names, exchange)).await);
    }
    if std::env::var_os(BLESS).is_some() {
        std::fs::write(file, write(&written, &played)).unwrap();
    } else {
        for (number, (played, expected)) in played.iter().zip(&expected).enumerate() {
            compare(
                &format!("{name}, exchange {}", number + 1),
                played,
                &expected.receive,
            );
        }
    }
    mira.close(socket).await;
}

fn exchange(written: &Value) -> Exchange {
    Exchange {
        send: written["send"].clone(),
        until: written["until"].clone(),
        receive: written["receive"].as_array().cloned().unwrap_or_default(),
    }
}

/// Sends a frame, and takes what comes up to and with the last frame of the exchange.
async fn play(socket: &mut Socket, names: &mut Names, exchange: &Exchange) -> Vec<Value> {
    if !exchange.send.is_null() {
        socket.send(names.resolve(&exchange.send).to_string()).await;
    }
    let wanted = exchange.send.get("id");
    let mut frames = Vec::new();
    let (mut answered, mut ended) = (wanted.is_none(), false);
    while !(answered && ended) {
        let Heard::Frame(frame) = socket.hear().await else {
            panic!("the connection ended after {frames:?}");
        };
        if frame["type"] == "heartbeat" || frame["method"] == "heartbeat" {
            continue;
        }
        ended |= has(&frame, &exchange.until);
        if !answered && frame.get("id") == wanted {
            answered = true;
            frames.insert(0, frame);
        } else {
            frames.push(frame);
        }
    }
    normal::joined(frames)
        .into_iter()
        .map(|frame| names.normal(frame))
        .collect()
}

fn compare(place: &str, played: &[Value], expected: &[Value]) {
    let hint = format!(
        "if that is meant, rewrite the transcripts: {BLESS}=1 cargo test -p mira-backend transcripts"
    );
    for (number, (played, expected)) in played.iter().zip(expected).enumerate() {
        assert_eq!(played, expected, "{place}, frame {}; {hint}", number + 1);
    }
    assert_eq!(
        played.len(),
        expected.len(),
        "{place}: the number of frames; {hint}"
    );
}

/// The file of a transcript: one line per frame.
fn write(written: &Value, played: &[Vec<Value>]) -> String {
    let pretty = |member: &str| serde_json::to_string_pretty(&written[member]).unwrap();
    let exchanges = written["exchanges"].as_array().unwrap().iter().zip(played);
    let exchanges: Vec<String> = exchanges
        .map(|(exchange, frames)| {
            let (send, until) = (&exchange["send"], &exchange["until"]);
            let frames: Vec<String> = frames.iter().map(|frame| format!("    {frame}")).collect();
            let frames = frames.join(",\n");
            format!("{{\n  \"send\": {send},\n  \"until\": {until},\n  \"receive\": [\n{frames}\n  ]\n}}")
        })
        .collect();
    format!(
        "{{\n\"about\": {},\n\"files\": {},\n\"script\": {},\n\"exchanges\": [\n{}\n]\n}}\n",
        pretty("about"),
        pretty("files"),
        pretty("script"),
        exchanges.join(",\n")
    )
}
