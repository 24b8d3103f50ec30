//! Analysis by a model: several messages in one request, and only what is valid of the answer.

use std::time::Duration;

use mira_llm::chat::{ChatModel, Item, Output, Reply, Request, StopReason};
use mira_llm::complete;
use mira_store::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::rules::{MAX_SUMMARY_CHARS, impact, shortened};
use super::source::MAX_FILE_CHARS;
use super::{Analysis, ErrorKind, GENERAL, LANGUAGES, MAX_TOPICS, ReportedError, Severity, heads, topics};
use crate::fact::{Category, Fact};
use crate::message::{Message, Role};
use crate::pattern::PatternKind;
use crate::relationship::{Observation, ProfileChanges, Report, Statement};
use crate::secret;

/// The most messages of one request.
pub(super) const BATCH: usize = 8;

/// The most known facts that go along.
pub(super) const MAX_KNOWN: u32 = 40;

/// How much of a message is shown, in characters; the middle of a longer one is left out.
const SHOWN_CHARS: usize = 2_000;

/// How much of the message before it is shown.
const SHOWN_BEFORE_CHARS: usize = 300;

/// The most that the model may write, its thoughts included.
const MAX_OUTPUT_TOKENS: u32 = 12_000;

/// The longest wait for an answer, its repair included.
const PATIENCE: Duration = Duration::from_mins(1);

/// The longest mood or intent, in characters.
const MAX_WORD_CHARS: usize = 40;

/// The longest text of a report, in characters.
const MAX_TEXT_CHARS: usize = 500;

/// The most entries of a list in a report.
const MAX_LIST: usize = 20;

/// One message to be analysed, with the one before it in its session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    pub message: &'a Message,
    pub previous: Option<&'a Message>,
}

/// What the model found out about a message; none where it gave nothing that can be used.
pub(super) type Outcome = Option<(Analysis, Report)>;

/// Why a model gave no analysis.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the call failed")]
    Call(#[from] mira_llm::Error),
    #[error("there was no answer within {} s", PATIENCE.as_secs())]
    Slow,
}

impl Failure {
    /// Whether other messages would fare the same.
    pub(super) fn concerns_all(&self) -> bool {
        match self {
            Self::Call(error) => match error {
                mira_llm::Error::Refused(_)
                | mira_llm::Error::InvalidRequest(_)
                | mira_llm::Error::ContextTooLong(_)
                | mira_llm::Error::Malformed(_) => false,
                mira_llm::Error::Configuration(_)
                | mira_llm::Error::Authentication(_)
                | mira_llm::Error::Quota(_)
                | mira_llm::Error::RateLimited(_)
                | mira_llm::Error::Overloaded(_)
                | mira_llm::Error::Server(_)
                | mira_llm::Error::WrongDimension { .. }
                | mira_llm::Error::Network { .. }
                | mira_llm::Error::Stalled { .. } => true,
            },
            Self::Slow => true,
        }
    }
}

/// Has a model analyse up to [`BATCH`] messages of one user, whose current facts are `known`. Gives one outcome for each.
/// An answer that cannot be used, whole or in part, is repaired once.
pub(super) async fn analyse(
    model: &dyn ChatModel,
    batch: &[Told<'_>],
    known: &[Fact],
) -> Result<Vec<Outcome>, Failure> {
    let asking = async {
        let mut request = request(batch, known);
        let reply = complete(model, request.clone()).await?;
        let (mut outcomes, problem) = read(&reply, batch, model.model());
        let Some(problem) = problem.filter(|_| is_whole(&reply.stop)) else {
            return Ok(outcomes);
        };
        request.input.push(Item::Assistant(reply.text()));
        request.input.push(Item::User(format!(
            "That answer cannot be used: {problem}. Give the whole document again, complete and valid."
        )));
        match complete(model, request).await {
            Ok(reply) => {
                let (repaired, _) = read(&reply, batch, model.model());
                for (outcome, repaired) in outcomes.iter_mut().zip(repaired) {
                    *outcome = outcome.take().or(repaired);
                }
            }
            Err(error) => tracing::debug!(%error, "an analysis was not repaired"),
        }
        Ok(outcomes)
    };
    tokio::time::timeout(PATIENCE, asking)
        .await
        .map_err(|_| Failure::Slow)?
}

fn is_whole(stop: &StopReason) -> bool {
    match stop {
        StopReason::Completed | StopReason::Other(_) => true,
        StopReason::ToolCalls
        | StopReason::MaxOutputTokens
        | StopReason::ContentFilter
        | StopReason::Declined => false,
    }
}

#[derive(Debug, Serialize)]
struct Material<'a> {
    known: Vec<KnownFact<'a>>,
    messages: Vec<Shown<'a>>,
}

#[derive(Debug, Serialize)]
struct KnownFact<'a> {
    subject: &'a str,
    key: &'a str,
    value: String,
}

#[derive(Debug, Serialize)]
struct Shown<'a> {
    message_index: usize,
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    speaker: Option<&'a str>,
    time: String,
    /// What was said before it, where that is not among the messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    text: String,
}

fn request(batch: &[Told<'_>], known: &[Fact]) -> Request {
    let is_shown = |other: &Message| batch.iter().any(|told| told.message.number == other.number);
    let material = Material {
        known: known
            .iter()
            .map(|fact| KnownFact {
                subject: &fact.subject,
                key: &fact.key,
                value: shown(&fact.value, MAX_TEXT_CHARS),
            })
            .collect(),
        messages: batch
            .iter()
            .zip(1..)
            .map(|(told, message_index)| Shown {
                message_index,
                role: told.message.role.as_str(),
                speaker: told.message.speaker.as_deref(),
                time: told.message.time.to_string(),
                before: told
                    .previous
                    .filter(|previous| !is_shown(previous))
                    .map(|previous| shown(&previous.content, SHOWN_BEFORE_CHARS)),
                text: shown(&told.message.content, SHOWN_CHARS),
            })
            .collect(),
    };
    Request {
        instructions: include_str!("../../prompts/analysis.md").trim_end().to_owned(),
        input: vec![Item::User(crate::row::to_json(&material))],
        output: Output::JsonSchema {
            name: "analysis".to_owned(),
            schema: schema(),
        },
        max_output_tokens: Some(MAX_OUTPUT_TOKENS),
        ..Request::default()
    }
}

/// A text without secrets, and without its middle where it is long.
fn shown(text: &str, max_chars: usize) -> String {
    let text = secret::mask(text);
    let chars = text.chars().count();
    if chars <= max_chars {
        return text.into_owned();
    }
    let end = max_chars / 3;
    let beginning: String = text.chars().take(max_chars - end).collect();
    let end: String = text.chars().skip(chars - end).collect();
    format!("{beginning} […] {end}")
}

/// The form of the answer: every property required, `null` where there is nothing to say.
fn schema() -> Value {
    let object = |properties: Value| {
        let required: Vec<&String> = properties
            .as_object()
            .into_iter()
            .flat_map(serde_json::Map::keys)
            .collect();
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
    };
    let list = |items: Value| json!({"type": "array", "items": items});
    let text = json!({"type": "string"});
    let number = json!({"type": "number"});
    let flag = json!({"type": "boolean"});
    let optional = json!({"type": ["string", "null"]});
    let optional_list = json!({"type": ["array", "null"], "items": {"type": "string"}});
    let names = |names: &[&str]| json!({"type": "string", "enum": names});
    let optional_names = |names: &[&str]| {
        let names: Vec<Option<&str>> = names.iter().copied().map(Some).chain([None]).collect();
        json!({"type": ["string", "null"], "enum": names})
    };
    let fact = object(json!({
        "subject": text, "key": text, "value": text,
        "category": names(&stored(Category::ALL, Category::as_str)),
        "confidence": number, "retracted": flag, "context": optional, "since": optional,
    }));
    let pattern = object(json!({
        "kind": names(&stored(PatternKind::ALL, PatternKind::as_str)),
        "name": text, "description": text, "confidence": number, "applies_when": optional,
    }));
    let profile = object(json!({
        "preferred_languages": optional_list,
        "coding_style": optional,
        "code_verbosity": optional_names(&["minimal", "moderate", "verbose"]),
        "testing_philosophy": optional,
        "architecture_preferences": optional,
        "explanation_depth": optional_names(&["concise", "moderate", "detailed"]),
        "conversation_style": optional_names(&["casual", "professional", "technical"]),
        "profanity_comfort": optional_names(&["none", "mild", "comfortable"]),
        "tech_stack": optional_list,
        "learning_goals": optional_list,
    }));
    let entry = object(json!({
        "message_index": {"type": "integer"},
        "salience": number,
        "topics": list(text.clone()),
        "contains_code": flag,
        "programming_language": optional_names(&LANGUAGES),
        "contains_error": flag,
        "error_type": optional_names(&stored(ErrorKind::ALL, ErrorKind::as_str)),
        "error_severity": optional_names(&stored(Severity::ALL, Severity::as_str)),
        "error_file": optional,
        "mood": optional,
        "intensity": {"type": ["number", "null"]},
        "intent": optional,
        "summary": optional,
        "relationship": object(json!({"facts": list(fact), "patterns": list(pattern), "profile": profile})),
    }));
    object(json!({"messages": list(entry)}))
}

fn stored<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().copied().map(name).collect()
}

/// What can be used of an answer, and what is wrong with it.
fn read(reply: &Reply, batch: &[Told<'_>], analyser: &str) -> (Vec<Outcome>, Option<String>) {
    let mut outcomes: Vec<Outcome> = vec![None; batch.len()];
    let said = reply.text();
    // Some models put a fence around what they were told to give bare.
    let document = said
        .find('{')
        .zip(said.rfind('}'))
        .and_then(|(start, end)| said.get(start..=end));
    let document: Value = match serde_json::from_str(document.unwrap_or_default()) {
        Ok(document) => document,
        Err(error) => return (outcomes, Some(format!("it is not JSON: {error}"))),
    };
    let entries = document.get("messages").and_then(Value::as_array);
    for entry in entries.into_iter().flatten() {
        let index = entry.get("message_index").and_then(Value::as_u64);
        let at = index.and_then(|index| usize::try_from(index).ok()?.checked_sub(1));
        if let Some(at) = at
            && let (Some(told), Some(outcome @ None)) = (batch.get(at), outcomes.get_mut(at))
        {
            *outcome = finding(entry, told.message, analyser);
        }
    }
    let missing: Vec<String> = outcomes
        .iter()
        .zip(1..)
        .filter(|(outcome, _)| outcome.is_none())
        .map(|(_, index)| index.to_string())
        .collect();
    let problem = (!missing.is_empty()).then(|| {
        format!(
            "`messages` has no valid entry with the message_index {}",
            missing.join(", ")
        )
    });
    (outcomes, problem)
}

/// An entry within its bounds; without a salience it is none.
fn finding(entry: &Value, message: &Message, analyser: &str) -> Outcome {
    let salience = unit(&entry["salience"])?;
    let report = match message.role {
        Role::User => report(&entry["relationship"]),
        Role::Assistant | Role::System => Report::default(),
    };
    let contains_code = entry["contains_code"] == true;
    let language = LANGUAGES
        .into_iter()
        .find(|language| entry["programming_language"] == *language);
    let error = (entry["contains_error"] == true).then(|| ReportedError {
        kind: entry["error_type"].as_str().and_then(ErrorKind::parse),
        severity: entry["error_severity"].as_str().and_then(Severity::parse),
        file: text(&entry["error_file"], MAX_FILE_CHARS),
    });
    let mut named: Vec<String> = Vec::new();
    for topic in texts(&entry["topics"], topics::MAX_CHARS) {
        let topic = topic.to_lowercase();
        if named.len() < MAX_TOPICS && !named.contains(&topic) {
            named.push(topic);
        }
    }
    if named.is_empty() {
        named.push(GENERAL.to_owned());
    }
    let word = |value: &Value| text(value, MAX_WORD_CHARS).map(|word| word.to_lowercase());
    let analysis = Analysis {
        salience,
        original_salience: salience,
        mood: word(&entry["mood"]),
        intensity: unit(&entry["intensity"]),
        intent: word(&entry["intent"]),
        summary: text(&entry["summary"], MAX_SUMMARY_CHARS),
        relationship_impact: impact(&report),
        contains_code,
        programming_language: language.filter(|_| contains_code).map(str::to_owned),
        error,
        heads: heads(contains_code, &named, &report),
        topics: named,
        analyser: analyser.to_owned(),
        analysed: Timestamp::default(),
        recall_count: 0,
        last_recalled: None,
    };
    Some((analysis, report))
}

fn report(value: &Value) -> Report {
    let entries = |key: &str| value[key].as_array().into_iter().flatten().take(MAX_LIST);
    let profile = &value["profile"];
    let line = |key: &str| text(&profile[key], MAX_TEXT_CHARS);
    let list = |key: &str| Some(texts(&profile[key], MAX_WORD_CHARS)).filter(|texts| !texts.is_empty());
    Report {
        facts: entries("facts").filter_map(statement).collect(),
        patterns: entries("patterns").filter_map(observation).collect(),
        profile: ProfileChanges {
            preferred_languages: list("preferred_languages"),
            coding_style: line("coding_style"),
            code_verbosity: line("code_verbosity"),
            testing_philosophy: line("testing_philosophy"),
            architecture_preferences: line("architecture_preferences"),
            explanation_depth: line("explanation_depth"),
            conversation_style: line("conversation_style"),
            profanity_comfort: line("profanity_comfort"),
            tech_stack: list("tech_stack"),
            learning_goals: list("learning_goals"),
        },
    }
}

fn statement(value: &Value) -> Option<Statement> {
    let retracted = value["retracted"] == true;
    let stated = text(&value["value"], MAX_TEXT_CHARS);
    Some(Statement {
        subject: text(&value["subject"], MAX_TEXT_CHARS).unwrap_or_else(|| "user".to_owned()),
        key: text(&value["key"], MAX_TEXT_CHARS)?,
        // Nothing in particular is taken back by taking back all.
        value: if retracted {
            stated.unwrap_or_default()
        } else {
            stated?
        },
        category: value["category"].as_str().and_then(Category::parse)?,
        confidence: unit(&value["confidence"])?,
        retracted,
        context: text(&value["context"], MAX_TEXT_CHARS),
        since: text(&value["since"], MAX_WORD_CHARS),
    })
}

fn observation(value: &Value) -> Option<Observation> {
    Some(Observation {
        kind: value["kind"].as_str().and_then(PatternKind::parse)?,
        name: text(&value["name"], MAX_WORD_CHARS)?,
        description: text(&value["description"], MAX_TEXT_CHARS)?,
        confidence: value["confidence"].as_f64()?.clamp(-1.0, 1.0),
        applies_when: text(&value["applies_when"], MAX_TEXT_CHARS),
    })
}

/// A number between 0 and 1, or the nearest to what was given.
fn unit(value: &Value) -> Option<f64> {
    value.as_f64().map(|number| number.clamp(0.0, 1.0))
}

/// A text that is not blank, on one line, cut to its longest. Models write "null" and "none" where they mean nothing.
fn text(value: &Value, max_chars: usize) -> Option<String> {
    let line: String = value
        .as_str()?
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let line = shortened(&line, max_chars);
    (!line.is_empty() && !matches!(line.as_str(), "null" | "None")).then_some(line)
}

fn texts(value: &Value, max_chars: usize) -> Vec<String> {
    let values = value.as_array().into_iter().flatten().take(MAX_LIST);
    values.filter_map(|value| text(value, max_chars)).collect()
}
