//! The tools that the reasoner may call. A tool's arguments are one type: its schema is shown to the model, and its
//! handler receives it.

mod look;
mod recall;
pub(crate) mod schema;

use std::time::Instant;

use mira_llm::chat::{Tool, ToolCall};
use mira_llm::tokens::{self, Counter};
use mira_workspace::Files;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::artifacts::{self, Draft};
use crate::context::marked;
use crate::delegation::{self, DebugCode, GenerateCode, RefactorCode};
use crate::event::Event;
use crate::failure::Failure;
use crate::listen::note;
use crate::operation::ModelRole;
use crate::operations::Inner;
use crate::turns::Job;

/// The most of a tool's result that the model is shown, in tokens.
const OUTPUT_CAP: usize = 12_000;

/// How much of a summary goes into an event, in characters.
const SUMMARY_CHARS: usize = 200;

/// The arguments of a tool.
pub(crate) trait Arguments: JsonSchema + DeserializeOwned {
    const NAME: &'static str;
    const DESCRIPTION: &'static str;
}

/// Write a file that is already thought out.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct CreateArtifact {
    /// Where the file belongs, relative to the project's root.
    path: String,
    /// The complete file.
    content: String,
    /// The language of the file, such as rust, markdown or text.
    language: Option<String>,
}

impl Arguments for CreateArtifact {
    const NAME: &'static str = "create_artifact";
    const DESCRIPTION: &'static str = "Deliver a small file or document whose every line you know. It becomes an \
                                       artifact that the user reviews and applies.";
}

/// The tools of one turn, and what they work on.
pub(crate) struct Toolbox<'a> {
    pub inner: &'a Inner,
    pub job: &'a Job,
    /// None when the turn has no project with a directory.
    pub files: Option<Files>,
    pub counter: Counter,
}

/// What came of a tool call.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What the model is told.
    pub output: String,
    /// What the user is told.
    pub summary: String,
    pub made_artifact: bool,
    /// Tokens that another model used for it.
    pub spent: u64,
}

impl Outcome {
    fn told(output: String, summary: String) -> Self {
        Self {
            output,
            summary,
            made_artifact: false,
            spent: 0,
        }
    }
}

/// Why a tool did not work. The model is told, and goes on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ToolError {
    #[error("there is no tool {name:?}; the tools are {known}")]
    Unknown { name: String, known: String },
    #[error("the arguments of {tool} cannot be read: {source}")]
    Arguments {
        tool: &'static str,
        source: serde_json::Error,
    },
    #[error("this needs a project with a directory, and the user has none selected")]
    NoProject,
    #[error("{}", crate::error::chain(.0))]
    Workspace(#[from] mira_workspace::Error),
    #[error("it took longer than {0} s and was stopped")]
    TimedOut(u64),
    #[error("{0} is empty")]
    Empty(&'static str),
    #[error("{what} has {bytes} bytes, more than the {limit} that are allowed")]
    TooLarge {
        what: &'static str,
        bytes: usize,
        limit: usize,
    },
    /// The coder failed; the turn goes on.
    #[error("the coder did not deliver: {}", failure.with_hint())]
    Delegation { failure: Failure, spent: u64 },
    /// The server itself failed; the turn ends.
    #[error("{}", .0.message)]
    Fatal(Failure),
}

impl From<crate::Error> for ToolError {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Workspace(error) => Self::Workspace(error),
            other => Self::Fatal((&other).into()),
        }
    }
}

impl<'a> Toolbox<'a> {
    pub(crate) fn new(inner: &'a Inner, job: &'a Job, files: Option<Files>) -> Self {
        let model = inner
            .models
            .get(ModelRole::Reasoner)
            .map(|model| model.model().to_owned());
        Self {
            inner,
            job,
            files,
            counter: tokens::counter_for(&model.unwrap_or_default()),
        }
    }

    /// What the reasoner may call, always in the same order.
    pub(crate) fn tools(&self) -> Vec<Tool> {
        let mut tools = vec![
            schema::tool::<CreateArtifact>(),
            schema::tool::<GenerateCode>(),
            schema::tool::<RefactorCode>(),
            schema::tool::<DebugCode>(),
            schema::tool::<recall::SearchMemory>(),
        ];
        if self.files.is_some() {
            tools.extend([
                schema::tool::<look::ReadFile>(),
                schema::tool::<look::ListFiles>(),
                schema::tool::<look::SearchText>(),
                schema::tool::<look::ProjectOutline>(),
            ]);
        }
        tools
    }

    pub(crate) fn files(&self) -> Result<&Files, ToolError> {
        self.files.as_ref().ok_or(ToolError::NoProject)
    }

    async fn dispatch(&self, call: &ToolCall) -> Result<Outcome, ToolError> {
        match call.name.as_str() {
            look::ReadFile::NAME => self.bounded(look::read_file(self, arguments(call)?)).await,
            look::ListFiles::NAME => self.bounded(look::list_files(self, arguments(call)?)).await,
            look::SearchText::NAME => self.bounded(look::search_text(self, arguments(call)?)).await,
            look::ProjectOutline::NAME => self.bounded(look::project_outline(self)).await,
            recall::SearchMemory::NAME => self.bounded(recall::search_memory(self, arguments(call)?)).await,
            CreateArtifact::NAME => create_artifact(self, arguments(call)?).await,
            GenerateCode::NAME => delegation::run(self, call, arguments::<GenerateCode>(call)?.into()).await,
            RefactorCode::NAME => delegation::run(self, call, arguments::<RefactorCode>(call)?.into()).await,
            DebugCode::NAME => delegation::run(self, call, arguments::<DebugCode>(call)?.into()).await,
            name => Err(ToolError::Unknown {
                name: clip(name, SUMMARY_CHARS),
                known: self
                    .tools()
                    .iter()
                    .map(|tool| tool.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }

    /// Stops waiting for a tool that works on this machine after a while.
    async fn bounded(
        &self,
        tool: impl Future<Output = Result<Outcome, ToolError>>,
    ) -> Result<Outcome, ToolError> {
        let limit = self.inner.options.tool_timeout;
        tokio::time::timeout(limit, tool)
            .await
            .unwrap_or(Err(ToolError::TimedOut(limit.as_secs())))
    }
}

/// Runs a tool and tells of its beginning and end. Every call has exactly one result, also a failed one; only a failure
/// of the server itself is an error.
pub(crate) async fn run(toolbox: &Toolbox<'_>, call: &ToolCall) -> Result<Outcome, Failure> {
    let Toolbox { inner, job, .. } = toolbox;
    let (id, tool) = (call.call_id.clone(), clip(&call.name, SUMMARY_CHARS));
    let begun = Instant::now();
    let started = Event::ToolStarted {
        call: id.clone(),
        tool: tool.clone(),
        summary: summary_of(&call.arguments),
    };
    note(inner, job, None, vec![started]).await?;

    let (ok, outcome) = match toolbox.dispatch(call).await {
        Ok(outcome) => (true, outcome),
        Err(ToolError::Fatal(failure)) => return Err(failure),
        Err(error) => {
            let spent = match &error {
                ToolError::Delegation { spent, .. } => *spent,
                _ => 0,
            };
            let summary = error.to_string();
            let output = serde_json::json!({ "error": summary }).to_string();
            (
                false,
                Outcome {
                    spent,
                    ..Outcome::told(output, summary)
                },
            )
        }
    };
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let summary = clip(&outcome.summary, SUMMARY_CHARS);
    let finished = Event::ToolFinished {
        call: id,
        tool,
        ok,
        summary,
        duration_ms,
    };
    note(inner, job, None, vec![finished]).await?;
    let (kept, cut) = toolbox.counter.truncate(&outcome.output, OUTPUT_CAP);
    let output = marked(kept, cut);
    Ok(Outcome { output, ..outcome })
}

async fn create_artifact(toolbox: &Toolbox<'_>, wanted: CreateArtifact) -> Result<Outcome, ToolError> {
    let CreateArtifact {
        path,
        content,
        language,
    } = wanted;
    let draft = Draft {
        path,
        content,
        language,
        origin: ModelRole::Reasoner,
    };
    let artifact = artifacts::make(toolbox, draft, None).await?;
    Ok(artifacts::outcome(toolbox, &artifact, None))
}

fn arguments<T: Arguments>(call: &ToolCall) -> Result<T, ToolError> {
    serde_json::from_str(&call.arguments).map_err(|source| ToolError::Arguments {
        tool: T::NAME,
        source,
    })
}

/// The short arguments of a call, as `key: value`.
fn summary_of(arguments: &str) -> String {
    const SHORT: usize = 80;
    let Ok(serde_json::Value::Object(arguments)) = serde_json::from_str(arguments) else {
        return clip(arguments, SHORT);
    };
    let shown = arguments.iter().filter_map(|(key, value)| match value {
        serde_json::Value::String(text) if text.chars().count() <= SHORT => Some(format!("{key}: {text}")),
        serde_json::Value::Number(number) => Some(format!("{key}: {number}")),
        serde_json::Value::Bool(flag) => Some(format!("{key}: {flag}")),
        _ => None,
    });
    clip(&shown.collect::<Vec<_>>().join(", "), SUMMARY_CHARS)
}

fn clip(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    text.chars().take(chars).chain(['…']).collect()
}
