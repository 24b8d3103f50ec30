//! Storing and finding among many messages: how fast, and how much memory it takes. Vectors are made up here, so that no
//! model is measured.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use mira_llm::embedding::{Embedder, Vectors};
use mira_memory::recall::Query;
use mira_memory::{Helpers, Memory, NewMessage, Options, Role};
use mira_store::vector::EmbeddedVectors;
use mira_store::{Database, SystemClock};

use super::machine::resident_kib;
use super::table::{Samples, Table};

const SESSIONS: usize = 200;
const QUERIES: usize = 500;
const HITS: usize = 10;

/// Clusters that the made-up vectors fall into, as the vectors of real texts do.
const TOPICS: u64 = 500;

/// Made-up words follow Zipf's law as Mandelbrot has it, without the most frequent ones, as if stop words were gone: the most
/// frequent one then stands in every eighth message of 30 words, which is what conversations show.
const WORDS: usize = 20_000;
const OFFSET: usize = 30;

/// How much is stored.
#[derive(Debug, Clone, Args)]
pub(crate) struct MemoryArgs {
    /// Messages in all
    #[arg(long, default_value_t = 100_000)]
    messages: usize,
    /// Length of the vectors; 0 for words alone
    #[arg(long, default_value_t = 384)]
    dimension: usize,
    /// A text file whose words the messages are made of, such as a conversation; without it, made-up words
    #[arg(long)]
    words: Option<PathBuf>,
}

impl Default for MemoryArgs {
    fn default() -> Self {
        Self {
            messages: 100_000,
            dimension: 384,
            words: None,
        }
    }
}

pub(crate) async fn run(args: &MemoryArgs) -> anyhow::Result<Vec<Table>> {
    let folder = tempfile::tempdir()?;
    let embedder = Arc::new(MadeUp {
        dimension: args.dimension,
    });
    let helpers = if args.dimension == 0 {
        Helpers::default()
    } else {
        Helpers {
            embedder: Some(embedder),
            vectors: Some(Arc::new(
                EmbeddedVectors::open(&folder.path().join("vectors")).await?,
            )),
            ..Helpers::default()
        }
    };
    let database = Database::open(&folder.path().join("memory.db")).await?;
    let memory = Memory::open_with(database, Arc::new(SystemClock), helpers, Options::default()).await?;
    let vocabulary = vocabulary(args)?;
    let process = std::process::id();

    let begun = Instant::now();
    let mut sessions = Vec::with_capacity(SESSIONS);
    for number in 0..SESSIONS {
        sessions.push(memory.open_session(&format!("session {number}")).await?.0.id);
    }
    let mut random = Random(1);
    for number in 0..args.messages {
        let role = if number % 2 == 0 {
            Role::User
        } else {
            Role::Assistant
        };
        let session = sessions[number * SESSIONS / args.messages.max(1)];
        memory
            .save(NewMessage::new(session, role, random.text(&vocabulary, 30)))
            .await?;
    }
    let stored = begun.elapsed();
    let begun = Instant::now();
    memory.settle().await?;
    let settled = begun.elapsed();

    let mut table = Table::new(
        format!(
            "{} messages in {SESSIONS} sessions, vectors of {} numbers",
            args.messages, args.dimension
        ),
        ["what", "p50 ms", "p95 ms", "number"],
    );
    let everywhere = |text| Query::new(text, HITS);
    let one_session = |text| Query {
        sessions: Some(vec![sessions[7]]),
        ..Query::new(text, HITS)
    };
    let scopes: [(&str, &dyn Fn(String) -> Query); 2] = [
        ("recall over everything", &everywhere),
        ("recall in one session", &one_session),
    ];
    for (name, query) in scopes {
        let mut samples = Samples::new()?;
        let mut found = 0;
        for _ in 0..QUERIES {
            let query = query(random.text(&vocabulary, 8));
            let begun = Instant::now();
            let recall = memory.recall(&query).await?;
            samples.add(begun.elapsed());
            anyhow::ensure!(
                recall.degraded.is_none(),
                "recall was degraded: {:?}",
                recall.degraded
            );
            found += recall.hits.len();
        }
        anyhow::ensure!(found > QUERIES, "only {found} hits in {QUERIES} recalls");
        table.row([
            name.to_owned(),
            samples.ms(50.0),
            samples.ms(95.0),
            samples.count().to_string(),
        ]);
    }
    let per_second = |elapsed: Duration| {
        let messages = u32::try_from(args.messages).unwrap_or(u32::MAX);
        format!("{:.0}", f64::from(messages) / elapsed.as_secs_f64())
    };
    let mut rest = Table::new("The same", ["what", "value"]);
    rest.row(["messages stored per second".to_owned(), per_second(stored)]);
    rest.row([
        "stored, analysed, embedded and indexed per second".to_owned(),
        per_second(stored + settled),
    ]);
    rest.row([
        "resident memory, MiB".to_owned(),
        (resident_kib(process)? / 1024).to_string(),
    ]);
    Ok(vec![table, rest])
}

/// Words in the order of a text, so that frequent ones are frequent.
fn vocabulary(args: &MemoryArgs) -> anyhow::Result<Vec<String>> {
    if let Some(path) = &args.words {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
        return Ok(text.split_whitespace().map(str::to_owned).collect());
    }
    let mut words = Vec::new();
    for rank in 1..=WORDS {
        words.extend(std::iter::repeat_n(
            format!("word{rank}"),
            (2 * WORDS).div_ceil(rank + OFFSET),
        ));
    }
    Ok(words)
}

/// A small deterministic generator (`SplitMix64`, Steele et al. 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn text(&mut self, vocabulary: &[String], words: usize) -> String {
        let chosen = (0..words).map(|_| {
            let at = self.next() % (vocabulary.len() as u64);
            vocabulary[usize::try_from(at).unwrap_or(0)].as_str()
        });
        chosen.collect::<Vec<_>>().join(" ")
    }

    /// About -1 to 1.
    fn number(&mut self) -> f32 {
        let bits = u16::try_from(self.next() >> 48).unwrap_or(0);
        f32::from(bits) / f32::from(u16::MAX) * 2.0 - 1.0
    }
}

/// Vectors around the centres of topics, from the text alone.
#[derive(Debug)]
struct MadeUp {
    dimension: usize,
}

impl Embedder for MadeUp {
    fn name(&self) -> &'static str {
        "made-up"
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    fn embed<'a>(&'a self, texts: &'a [String]) -> Vectors<'a> {
        let vector = |text: &String| {
            let seed = text.bytes().fold(7_u64, |hash, byte| {
                hash.wrapping_mul(31).wrapping_add(u64::from(byte))
            });
            let (mut topic, mut own) = (Random(seed % TOPICS), Random(seed));
            (0..self.dimension)
                .map(|_| topic.number() + 0.5 * own.number())
                .collect()
        };
        Box::pin(std::future::ready(Ok(texts.iter().map(vector).collect())))
    }
}
