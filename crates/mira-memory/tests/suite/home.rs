//! A data directory with an embedder and vectors, opened and closed as often as a test likes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mira_llm::embedding::{EmbeddingOptions, OpenAiEmbeddings};
use mira_llm::scripted::{Endpoint, Fault, Recorded, Rule, Script, Upstream};
use mira_llm::{Endpoint as Address, Retry};
use mira_memory::{Helpers, Memory, Message, NewMessage, Options, Role};
use mira_store::vector::{EmbeddedVectors, Filter, Head, VectorStore as _};
use mira_store::{Clock, Database, ManualClock, SessionId, Timestamp};

/// Longest wait for what happens in the background.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Home {
    folder: tempfile::TempDir,
    pub upstream: Upstream,
    pub clock: Arc<ManualClock>,
    pub options: Options,
    pub model: EmbeddingOptions,
}

/// A memory that runs.
pub(crate) struct Opened {
    pub memory: Memory,
    pub database: Database,
    pub vectors: Arc<EmbeddedVectors>,
}

impl Home {
    pub(crate) async fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            upstream: Upstream::start(Script::new()).await.unwrap(),
            clock: Arc::new(ManualClock::new(Timestamp::from_ms(1_762_000_000_000))),
            options: Options::default(),
            model: EmbeddingOptions::new("text-embedding-3-small", 256),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn vectors_directory(&self) -> PathBuf {
        self.folder().join("vectors")
    }

    pub(crate) async fn open(&self) -> Opened {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let (url, model) = (self.upstream.base_url(), self.model.clone());
        open(self.folder(), &url, model, clock, self.options.clone()).await
    }

    /// Requests for embeddings so far.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        let mut requests = self.upstream.requests();
        requests.retain(|request| request.endpoint == Endpoint::Embeddings);
        requests
    }

    /// All texts that the embedder was given.
    pub(crate) fn embedded(&self) -> Vec<String> {
        let texts = |request: &Recorded| -> Vec<String> {
            serde_json::from_value(request.body["input"].clone()).unwrap()
        };
        self.requests().iter().flat_map(texts).collect()
    }

    /// Lets every request for embeddings fail.
    pub(crate) fn break_embedder(&self) {
        self.upstream.replace(Script::new().rule(broken()));
    }

    pub(crate) fn mend_embedder(&self) {
        self.upstream.replace(Script::new());
    }
}

pub(crate) fn broken() -> Rule {
    Rule::new("down").on(Endpoint::Embeddings).fault(Fault::http(503))
}

pub(crate) async fn open(
    folder: &Path,
    url: &str,
    model: EmbeddingOptions,
    clock: Arc<dyn Clock>,
    options: Options,
) -> Opened {
    let database = Database::open(&folder.join("memory.db")).await.unwrap();
    let vectors = Arc::new(EmbeddedVectors::open(&folder.join("vectors")).await.unwrap());
    let endpoint = Address::new(url).api_key("key").retry(Retry::never());
    let helpers = Helpers {
        embedder: Some(Arc::new(OpenAiEmbeddings::new(endpoint, model).unwrap())),
        vectors: Some(vectors.clone()),
        utility: None,
    };
    let memory = Memory::open_with(database.clone(), clock, helpers, options)
        .await
        .unwrap();
    Opened {
        memory,
        database,
        vectors,
    }
}

impl Opened {
    pub(crate) async fn say(&self, session: SessionId, content: &str) -> Message {
        self.memory
            .save(NewMessage::new(session, Role::User, content))
            .await
            .unwrap()
    }

    pub(crate) async fn new_session(&self) -> SessionId {
        self.memory.create_session().await.unwrap().id
    }

    /// What is left to analyse and to embed.
    pub(crate) async fn waiting(&self) -> (u64, u64) {
        let status = self.memory.status().await.unwrap();
        (status.analysis.waiting, status.embedding.waiting)
    }

    /// Asserts that the index holds exactly the embeddings that the tables hold, and says how many those are.
    pub(crate) async fn assert_index_is_truth(&self) -> usize {
        let mut all = 0;
        for head in Head::ALL {
            let mut found: Vec<(String, i64)> = self
                .vectors
                .inventory(head)
                .await
                .unwrap()
                .into_iter()
                .map(|(id, version)| (id.0.to_string(), version))
                .collect();
            found.sort();
            let stored: Vec<(String, i64)> =
                sqlx::query_as("SELECT subject, version FROM embeddings WHERE head = ?1 ORDER BY subject")
                    .bind(head.as_str())
                    .fetch_all(self.database.readers())
                    .await
                    .unwrap();
            assert_eq!(found, stored, "{head}");
            assert_eq!(
                self.vectors.count(head, &Filter::default()).await.unwrap(),
                found.len() as u64
            );
            all += found.len();
        }
        all
    }

    pub(crate) async fn close(self) {
        self.vectors.close().await.unwrap();
        self.database.close().await;
    }
}

/// Waits until a condition holds.
pub(crate) async fn until<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(found) = condition().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    waited
        .await
        .unwrap_or_else(|_| panic!("{what} did not come about"))
}
