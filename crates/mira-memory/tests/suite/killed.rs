//! A process that is killed at any moment loses nothing that it acknowledged.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use mira_llm::embedding::EmbeddingOptions;
use mira_memory::recall::Query;
use mira_memory::{IndexState, Options, Schedule};
use mira_store::SystemClock;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::home::{self, Home, Opened};

const FOLDER: &str = "MIRA_TEST_KILLED_FOLDER";
const UPSTREAM: &str = "MIRA_TEST_KILLED_UPSTREAM";
const KILLS: u64 = 50;

async fn open(folder: &Path, url: &str) -> Opened {
    let model = EmbeddingOptions::new("text-embedding-3-small", 64);
    home::open(folder, url, model, Arc::new(SystemClock), Options::default()).await
}

/// What the process does that is killed; nothing in an ordinary run of the tests.
#[tokio::test]
async fn writer() {
    let (Ok(folder), Ok(url)) = (std::env::var(FOLDER), std::env::var(UPSTREAM)) else {
        return;
    };
    let opened = open(Path::new(&folder), &url).await;
    let _jobs = opened.memory.start_jobs(Schedule::default());
    let (session, _created) = opened.memory.open_session("log").await.unwrap();
    for n in 0.. {
        let content = format!(
            "The harbour log {}x{n} tells of herring and of salt.",
            std::process::id()
        );
        let saved = opened.say(session.id, &content).await;
        writeln!(std::io::stdout(), "saved {} {content}", saved.id).unwrap();
    }
}

/// Runs the writer and kills it some time after it has acknowledged some messages; says which.
async fn killed(folder: &Path, url: &str, moment: u64) -> Vec<(String, String)> {
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::writer", "--nocapture"])
        .env(FOLDER, folder)
        .env(UPSTREAM, url)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut saved = Vec::new();
    let mut killing = false;
    while let Some(line) = lines.next_line().await.unwrap() {
        // A line that the kill has cut acknowledges nothing.
        let parts = line.strip_prefix("saved ").and_then(|line| line.split_once(' '));
        saved.extend(
            parts
                .filter(|(_, content)| content.ends_with("salt."))
                .map(|(id, content)| (id.to_owned(), content.to_owned())),
        );
        if !killing && saved.len() as u64 > moment % 7 {
            // Any moment of a cycle of saving, analysing and embedding.
            tokio::time::sleep(Duration::from_micros(moment * 7_919 % 30_000)).await;
            child.start_kill().unwrap();
            killing = true;
        }
    }
    child.wait().await.unwrap();
    assert!(killing, "the writer ended by itself");
    saved
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_there_once_and_is_found() {
    let home = Home::new().await;
    let url = home.upstream.base_url();
    let mut saved = Vec::new();
    let mut last = Vec::new();
    for moment in 0..KILLS {
        let acknowledged = killed(home.folder(), &url, moment).await;
        last.extend(acknowledged.last().cloned());
        saved.extend(acknowledged);
    }
    let opened = open(home.folder(), &url).await;
    let mut stored: Vec<(String, String)> =
        sqlx::query_as("SELECT id, content FROM messages ORDER BY number")
            .fetch_all(opened.database.readers())
            .await
            .unwrap();
    // At each kill one more may have been stored than could be acknowledged.
    assert!(
        stored.len() <= saved.len() + 50,
        "{} stored, {} acknowledged",
        stored.len(),
        saved.len()
    );
    stored.retain(|message| saved.contains(message));
    assert_eq!(stored, saved);

    opened.memory.settle().await.unwrap();
    assert_eq!(
        (opened.waiting().await, opened.memory.index()),
        ((0, 0), IndexState::Ready)
    );
    assert!(opened.assert_index_is_truth().await >= saved.len());
    for (id, content) in last {
        let hits = opened.memory.recall(&Query::new(&content, 1)).await.unwrap().hits;
        assert_eq!(hits[0].message.id.to_string(), id);
        assert!(hits[0].score.words > 0.0 && hits[0].score.meaning > 0.0);
    }
    assert_eq!(home.upstream.violations(), []);
}
