//! How much of the evidence for a question is among the first hits, over `LoCoMo` (Maharana et al., ACL 2024).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use mira_llm::Endpoint;
use mira_llm::embedding::{Embedder, EmbeddingOptions, LocalEmbeddings, OpenAiEmbeddings};
use mira_memory::recall::Query;
use mira_memory::{Helpers, Memory, NewMessage, Options, Role};
use mira_store::vector::EmbeddedVectors;
use mira_store::{Database, MessageId, SessionId, SystemClock, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::table::{Samples, Table};

/// Hits that are looked at.
const LIMIT: usize = 20;

/// What recall is measured with.
#[derive(Debug, Clone, Args)]
pub(crate) struct RecallArgs {
    /// A file in the format of `LoCoMo`
    #[arg(long, env = "MIRA_LOCOMO", default_value = "../shared/data/locomo-dev.json")]
    data: PathBuf,
    /// What turns texts into vectors
    #[arg(long, value_enum, default_value_t = Kind::None)]
    embedder: Kind,
    /// The directory of the local model
    #[arg(long, env = "MIRA_TEST_MINILM", required_if_eq("embedder", "minilm"))]
    model: Option<PathBuf>,
    /// The key of the embedder that is asked over the network
    #[arg(
        long,
        env = "OPENAI_API_KEY",
        hide_env_values = true,
        required_if_eq("embedder", "openai")
    )]
    key: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Words alone
    None,
    /// all-MiniLM-L6-v2, in this process
    Minilm,
    /// text-embedding-3-large
    Openai,
}

#[derive(Debug, Deserialize)]
struct Item {
    conversation: serde_json::Map<String, Value>,
    qa: Vec<Question>,
}

#[derive(Debug, Deserialize)]
struct Turn {
    speaker: String,
    dia_id: String,
    text: String,
    blip_caption: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Question {
    #[serde(rename = "question")]
    text: String,
    #[serde(default)]
    evidence: Vec<String>,
    category: u8,
}

/// Session and turn of a piece of evidence.
type Evidence = (u32, u32);

pub(crate) async fn run(args: &RecallArgs) -> anyhow::Result<Vec<Table>> {
    let text = std::fs::read_to_string(&args.data)
        .with_context(|| format!("could not read {}; say --data FILE", args.data.display()))?;
    let items: Vec<Item> = serde_json::from_str(&text).context("the file is not in the format of LoCoMo")?;
    let folder = tempfile::tempdir()?;
    let memory = open(folder.path(), args).await?;

    let begun = Instant::now();
    let mut sessions = Vec::new();
    let mut said: HashMap<MessageId, Evidence> = HashMap::new();
    for (number, item) in items.iter().enumerate() {
        let (session, _) = memory.open_session(&format!("conversation {number}")).await?;
        for (message, evidence) in tell(&memory, session.id, &item.conversation).await? {
            said.insert(message, evidence);
        }
        sessions.push(session.id);
    }
    memory.settle().await?;
    let ingested = begun.elapsed();

    let mut all = Figures::default();
    let mut categories: BTreeMap<u8, Figures> = BTreeMap::new();
    let mut conversations: Vec<Figures> = Vec::new();
    let mut latency = Samples::new()?;
    for (item, &session) in items.iter().zip(&sessions) {
        let mut conversation = Figures::default();
        for question in item
            .qa
            .iter()
            .filter(|question| (1..=4).contains(&question.category))
        {
            let wanted: HashSet<Evidence> =
                question.evidence.iter().flat_map(|text| evidence(text)).collect();
            if wanted.is_empty() {
                continue;
            }
            let query = Query {
                sessions: Some(vec![session]),
                ..Query::new(&question.text, LIMIT)
            };
            let begun = Instant::now();
            let recall = memory.recall(&query).await?;
            latency.add(begun.elapsed());
            if let Some(why) = recall.degraded {
                anyhow::bail!("recall was degraded: {why}");
            }
            let found: Vec<Evidence> = recall.hits.iter().map(|hit| said[&hit.message.id]).collect();
            for figures in [
                &mut all,
                &mut conversation,
                categories.entry(question.category).or_default(),
            ] {
                figures.add(&found, &wanted);
            }
        }
        conversations.push(conversation);
    }

    let title = format!(
        "Evidence recall, embedder {}: {} messages, {} questions; recall with the query's embedding p50 {} ms, p95 {} ms; stored, analysed and embedded in {:.1} s",
        args.embedder
            .to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned()),
        said.len(),
        all.questions,
        latency.ms(50.0),
        latency.ms(95.0),
        ingested.as_secs_f64(),
    );
    let columns = ["questions", "number", "R@5", "R@10", "R@20", "any@10", "MRR"];
    let mut table = Table::new(title, columns);
    table.row(all.cells("all"));
    for (category, figures) in &categories {
        let name = match category {
            1 => "multi-hop",
            2 => "temporal",
            3 => "open-domain",
            _ => "single-hop",
        };
        table.row(figures.cells(name));
    }
    for (number, figures) in (1..).zip(&conversations) {
        table.row(figures.cells(&format!("conversation {number}")));
    }
    Ok(vec![table])
}

async fn open(folder: &Path, args: &RecallArgs) -> anyhow::Result<Memory> {
    let embedder: Option<Arc<dyn Embedder>> = match (args.embedder, &args.model, &args.key) {
        (Kind::Minilm, Some(model), _) => Some(Arc::new(LocalEmbeddings::open(model)?)),
        (Kind::Openai, _, Some(key)) => {
            let options = EmbeddingOptions::new("text-embedding-3-large", 3072);
            let endpoint = Endpoint::new("https://api.openai.com/v1").api_key(key.clone());
            Some(Arc::new(OpenAiEmbeddings::new(endpoint, options)?))
        }
        _ => None,
    };
    let helpers = Helpers {
        vectors: match embedder {
            Some(_) => Some(Arc::new(EmbeddedVectors::open(&folder.join("vectors")).await?)),
            None => None,
        },
        embedder,
        ..Helpers::default()
    };
    let database = Database::open(&folder.join("memory.db")).await?;
    Ok(Memory::open_with(database, Arc::new(SystemClock), helpers, Options::default()).await?)
}

/// Stores a conversation, in order, with its dates; says what each message is evidence of.
async fn tell(
    memory: &Memory,
    session: SessionId,
    conversation: &serde_json::Map<String, Value>,
) -> anyhow::Result<Vec<(MessageId, Evidence)>> {
    let mut numbers: Vec<u32> = conversation
        .keys()
        .filter_map(|key| key.strip_prefix("session_")?.parse().ok())
        .collect();
    numbers.sort_unstable();
    let mut told = Vec::new();
    for number in numbers {
        let date = conversation
            .get(&format!("session_{number}_date_time"))
            .and_then(Value::as_str)
            .with_context(|| format!("session {number} has no date"))?;
        let time = time_of(date)?;
        let turns: Vec<Turn> = serde_json::from_value(conversation[&format!("session_{number}")].clone())?;
        for turn in turns {
            let content = match turn.blip_caption {
                Some(caption) => format!("{} [image: {caption}]", turn.text),
                None => turn.text,
            };
            let message = memory
                .save(NewMessage {
                    speaker: Some(turn.speaker),
                    time: Some(time),
                    ..NewMessage::new(session, Role::User, content)
                })
                .await?;
            let place = evidence(&turn.dia_id).next();
            told.push((
                message.id,
                place.with_context(|| format!("{:?} is no turn", turn.dia_id))?,
            ));
        }
    }
    Ok(told)
}

/// Such as `1:56 pm on 8 May, 2023`.
fn time_of(text: &str) -> anyhow::Result<Timestamp> {
    let format = format_description!(
        "[hour repr:12 padding:none]:[minute] [period case:lower] on [day padding:none] [month repr:long], [year]"
    );
    let time = PrimitiveDateTime::parse(text, format).with_context(|| format!("{text:?} is no time"))?;
    let seconds = OffsetDateTime::new_utc(time.date(), time.time()).unix_timestamp();
    Ok(Timestamp::from_ms(seconds * 1000))
}

/// Every `D1:2` in a text, also when it is written as `D:1:2` or `D01:02`.
fn evidence(text: &str) -> impl Iterator<Item = Evidence> + '_ {
    text.split('D').filter_map(|part| {
        let part = part.strip_prefix(':').unwrap_or(part);
        let (session, turn) = part.split_once(':')?;
        let digits: String = turn.chars().take_while(char::is_ascii_digit).collect();
        Some((session.trim().parse().ok()?, digits.parse().ok()?))
    })
}

/// Sums over questions.
#[derive(Debug, Default)]
struct Figures {
    questions: u32,
    at: [f64; 3],
    any_at_10: f64,
    reciprocal_rank: f64,
}

impl Figures {
    fn add(&mut self, found: &[Evidence], wanted: &HashSet<Evidence>) {
        self.questions += 1;
        let share = |k: usize| {
            let hits: HashSet<_> = found
                .iter()
                .take(k)
                .filter(|place| wanted.contains(place))
                .collect();
            count(hits.len()) / count(wanted.len())
        };
        for (sum, k) in self.at.iter_mut().zip([5, 10, 20]) {
            *sum += share(k);
        }
        self.any_at_10 += f64::from(u8::from(share(10) > 0.0));
        let first = found.iter().position(|place| wanted.contains(place));
        self.reciprocal_rank += first.map_or(0.0, |place| 1.0 / count(place + 1));
    }

    fn cells(&self, name: &str) -> [String; 7] {
        let mean = |sum: f64| sum / f64::from(self.questions.max(1));
        let percent = |sum: f64| format!("{:.1}", 100.0 * mean(sum));
        let [five, ten, twenty] = self.at.map(percent);
        [
            name.to_owned(),
            self.questions.to_string(),
            five,
            ten,
            twenty,
            percent(self.any_at_10),
            format!("{:.3}", mean(self.reciprocal_rank)),
        ]
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
