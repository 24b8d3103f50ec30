//! Handing work to the coder: brief, context, validation of what comes back, one repair.

use std::fmt::Write as _;

use mira_llm::chat::{Item, Reply, Request, ToolCall};
use mira_llm::{Usage, tokens};
use mira_store::{ArtifactId, DelegationId};
use mira_workspace::{RelativePath, language_of};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::artifacts::{self, Draft};
use crate::context::Receipt;
use crate::event::Event;
use crate::failure::{Failure, FailureCode};
use crate::journal::Change;
use crate::listen::{self, note};
use crate::operation::{ModelRole, Status};
use crate::table::delegations::{DelegationEnd, NewDelegation};
use crate::tool::{Arguments, Outcome, ToolError, Toolbox, schema};

/// Caps of what the coder is shown, in tokens.
const BRIEF_CAP: usize = 16_000;
const FILE_CAP: usize = 64_000;
const CONTEXT_FILE_CAP: usize = 16_000;

/// Context files that a brief may name.
const MAX_CONTEXT_FILES: usize = 8;

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct GenerateCode {
    /// The file to write, relative to the project's root.
    path: String,
    /// Everything the file must do, with every decision that was taken: names, signatures, behaviour, errors.
    description: String,
    /// The language of the file.
    language: String,
    /// The framework to use; null for none.
    framework: Option<String>,
    /// Libraries to use; null for whatever the project has.
    dependencies: Option<Vec<String>>,
    /// Rules of style; null for those that the existing code shows.
    style_guide: Option<String>,
    /// Files of the project that the coder should read; null for none.
    context_files: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct RefactorCode {
    /// The file to change, relative to the project's root. Its content is read from disk.
    path: String,
    /// What to change, and how.
    changes_requested: String,
    /// The language of the file.
    language: String,
    /// The code, only when there is no such file on disk; null otherwise.
    current_code: Option<String>,
    /// Whether behaviour must stay the same; null for yes.
    preserve_behavior: Option<bool>,
    /// Other files of the project that the coder should read; null for none.
    context_files: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct DebugCode {
    /// The file to mend, relative to the project's root. Its content is read from disk.
    path: String,
    /// What goes wrong: the message, the failing test, the wrong result.
    error_message: String,
    /// The language of the file.
    language: String,
    /// The code, only when there is no such file on disk; null otherwise.
    buggy_code: Option<String>,
    /// What should happen instead; null when that is obvious.
    expected_behavior: Option<String>,
    /// Other files of the project that the coder should read; null for none.
    context_files: Option<Vec<String>>,
}

impl Arguments for GenerateCode {
    const NAME: &'static str = "generate_code";
    const DESCRIPTION: &'static str =
        "Have the coder write a complete file, new or rewritten, from your brief.";
}

impl Arguments for RefactorCode {
    const NAME: &'static str = "refactor_code";
    const DESCRIPTION: &'static str = "Have the coder change the structure of an existing file.";
}

impl Arguments for DebugCode {
    const NAME: &'static str = "debug_code";
    const DESCRIPTION: &'static str = "Have the coder find and mend a fault in an existing file.";
}

/// What the coder is asked, whichever tool asked for it.
#[derive(Debug)]
pub(crate) struct Brief {
    tool: &'static str,
    path: String,
    language: String,
    task: String,
    /// Stands in for the file when there is none on disk.
    code: Option<String>,
    context_files: Vec<String>,
}

impl From<GenerateCode> for Brief {
    fn from(wanted: GenerateCode) -> Self {
        let mut task = format!("Write this file.\n\n{}", wanted.description);
        let mut add = |label: &str, text: Option<String>| {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                // Writing to a string cannot fail.
                let _ = write!(task, "\n\n{label}: {text}");
            }
        };
        add("Framework", wanted.framework);
        add("Libraries", wanted.dependencies.map(|names| names.join(", ")));
        add("Style", wanted.style_guide);
        Self {
            tool: GenerateCode::NAME,
            path: wanted.path,
            language: wanted.language,
            task,
            code: None,
            context_files: wanted.context_files.unwrap_or_default(),
        }
    }
}

impl From<RefactorCode> for Brief {
    fn from(wanted: RefactorCode) -> Self {
        let behaviour = if wanted.preserve_behavior.unwrap_or(true) {
            "Its behaviour must stay exactly the same."
        } else {
            "Its behaviour may change where the request says so."
        };
        Self {
            tool: RefactorCode::NAME,
            path: wanted.path,
            language: wanted.language,
            task: format!("Refactor this file. {behaviour}\n\n{}", wanted.changes_requested),
            code: wanted.current_code,
            context_files: wanted.context_files.unwrap_or_default(),
        }
    }
}

impl From<DebugCode> for Brief {
    fn from(wanted: DebugCode) -> Self {
        let mut task = format!(
            "Find the fault in this file and mend it, changing as little as possible.\n\nWhat goes wrong:\n{}",
            wanted.error_message
        );
        if let Some(expected) = wanted.expected_behavior {
            // Writing to a string cannot fail.
            let _ = write!(task, "\n\nWhat should happen:\n{expected}");
        }
        Self {
            tool: DebugCode::NAME,
            path: wanted.path,
            language: wanted.language,
            task,
            code: wanted.buggy_code,
            context_files: wanted.context_files.unwrap_or_default(),
        }
    }
}

/// Deliver the file.
#[derive(Debug, Deserialize, JsonSchema)]
struct SubmitFile {
    /// The path from the brief.
    path: String,
    /// The complete file.
    content: String,
    /// The language of the file.
    language: Option<String>,
    /// What was done and why, in a few sentences.
    explanation: Option<String>,
}

impl Arguments for SubmitFile {
    const NAME: &'static str = "submit_file";
    const DESCRIPTION: &'static str = "Deliver the complete file.";
}

/// Hands a brief to the coder and turns its answer into an artifact.
pub(crate) async fn run(toolbox: &Toolbox<'_>, call: &ToolCall, brief: Brief) -> Result<Outcome, ToolError> {
    let Toolbox { inner, job, .. } = toolbox;
    let path = RelativePath::parse(&brief.path).map_err(mira_workspace::Error::from)?;
    let coder = inner
        .models
        .get(ModelRole::Coder)
        .map_err(|error| ToolError::Delegation {
            failure: (&error).into(),
            spent: 0,
        })?;
    let mut receipt = Receipt {
        counter: tokens::counter_for(coder.model()),
        parts: Vec::new(),
    };
    let message = compose(toolbox, &brief, &path, &mut receipt).await?;

    let status = |from, to| (Some(Change::Status(to)), vec![Event::StatusChanged { from, to }]);
    let tell = async |(change, events): (Option<Change>, Vec<Event>)| {
        note(inner, job, change, events).await.map_err(ToolError::Fatal)
    };
    tell(status(Status::Started, Status::Delegating)).await?;
    let delegation = DelegationId::at(inner.clock.now());
    let new = NewDelegation {
        id: delegation,
        call: call.call_id.clone(),
        tool: brief.tool.to_owned(),
        model: coder.model().to_owned(),
        path: path.to_string(),
        brief: brief.task.clone(),
        manifest: receipt.parts.clone(),
    };
    let delegated = Event::Delegated {
        delegation,
        call: call.call_id.clone(),
        tool: brief.tool.to_owned(),
        model: coder.model().to_owned(),
        path: path.to_string(),
        brief: brief.task.clone(),
    };
    let shown = Event::Context {
        purpose: ModelRole::Coder,
        model: coder.model().to_owned(),
        parts: receipt.parts,
    };
    tell((Some(Change::Delegate(new)), vec![delegated, shown])).await?;
    tell(status(Status::Delegating, Status::Generating)).await?;

    let mut usage = Usage::default();
    let written = write(toolbox, message, &path, &mut usage).await;
    let delivered = match written {
        Ok(file) => {
            let end = DelegationEnd {
                id: delegation,
                outcome: Ok(ArtifactId::at(inner.clock.now())),
                usage,
            };
            match deliver(toolbox, &brief, file, end).await {
                Err(ToolError::Fatal(failure)) => return Err(ToolError::Fatal(failure)),
                // What lies on disk became unreadable while the coder wrote.
                Err(error) => Err(Failure::new(FailureCode::DelegationFailed, error.to_string())),
                Ok(outcome) => Ok(outcome),
            }
        }
        Err(failure) => Err(failure),
    };
    if let Err(failure) = &delivered {
        let end = DelegationEnd {
            id: delegation,
            outcome: Err(failure.clone()),
            usage,
        };
        tell((Some(Change::DelegationEnded(end)), vec![])).await?;
    }
    tell(status(Status::Generating, Status::Started)).await?;
    delivered.map_err(|failure| ToolError::Delegation {
        failure,
        spent: usage.total(),
    })
}

/// Makes the coder's file an artifact, which ends the delegation.
async fn deliver(
    toolbox: &Toolbox<'_>,
    brief: &Brief,
    file: SubmitFile,
    end: DelegationEnd,
) -> Result<Outcome, ToolError> {
    let SubmitFile {
        path,
        content,
        language,
        explanation,
    } = file;
    let language = Some(brief.language.clone())
        .filter(|language| !language.is_empty())
        .or(language);
    let draft = Draft {
        path,
        content,
        language,
        origin: ModelRole::Coder,
    };
    let spent = end.usage.total();
    let artifact = artifacts::make(toolbox, draft, Some(end)).await?;
    Ok(Outcome {
        spent,
        ..artifacts::outcome(toolbox, &artifact, explanation.as_deref())
    })
}

/// What the coder reads: the task, the file as it stands, the files for context.
async fn compose(
    toolbox: &Toolbox<'_>,
    brief: &Brief,
    path: &RelativePath,
    receipt: &mut Receipt,
) -> Result<String, ToolError> {
    let language = if brief.language.is_empty() {
        language_of(path.as_str()).unwrap_or("text")
    } else {
        &brief.language
    };
    let mut message = format!("Path: {path}\nLanguage: {language}\n\n");
    message += &receipt.take("request", None, &brief.task, BRIEF_CAP, "the brief");
    let on_disk = match &toolbox.files {
        Some(files) => artifacts::base(files, path).await?.map(|file| file.content),
        None => None,
    };
    match on_disk.or_else(|| brief.code.clone()) {
        Some(code) => {
            let part = receipt.take(
                "file",
                Some(path.to_string()),
                &code,
                FILE_CAP,
                "the file as it stands",
            );
            // Writing to a string cannot fail.
            let _ = write!(message, "\n\nThe file as it stands:\n```{language}\n{part}\n```");
        }
        None => message.push_str("\n\nThere is no such file yet."),
    }
    for name in brief.context_files.iter().take(MAX_CONTEXT_FILES) {
        let other = RelativePath::parse(name).map_err(mira_workspace::Error::from)?;
        // A context file that cannot be read is the reasoner's to put right.
        let file = toolbox.files()?.read(&other).await?;
        let part = receipt.take(
            "file",
            Some(other.to_string()),
            &file.content,
            CONTEXT_FILE_CAP,
            "named in the brief",
        );
        let _ = write!(message, "\n\nFor context, {other}:\n```\n{part}\n```");
    }
    Ok(message)
}

/// Asks the coder; an answer that cannot be used is sent back once with the reason.
async fn write(
    toolbox: &Toolbox<'_>,
    message: String,
    path: &RelativePath,
    usage: &mut Usage,
) -> Result<SubmitFile, Failure> {
    let Toolbox { inner, job, .. } = toolbox;
    let coder = inner
        .models
        .get(ModelRole::Coder)
        .map_err(|error| Failure::from(&error))?;
    let mut request = Request {
        instructions: include_str!("../prompts/coder.md").trim_end().to_owned(),
        input: vec![Item::User(message)],
        tools: vec![schema::tool::<SubmitFile>()],
        max_output_tokens: inner.options.coder_output_tokens,
        ..Request::default()
    };
    let mut repaired = false;
    loop {
        let reply = listen::reply(inner, job, ModelRole::Coder, coder.as_ref(), request.clone()).await?;
        *usage += reply.usage;
        let fault = match submitted(&reply, path) {
            Ok(file) => return Ok(file),
            Err(fault) => fault,
        };
        if repaired {
            return Err(Failure::new(
                FailureCode::DelegationFailed,
                format!("{} delivered nothing usable, twice: {fault}", coder.model()),
            )
            .hint("write a clearer or smaller brief, or use create_artifact"));
        }
        repaired = true;
        let complaint = format!("This cannot be used: {fault}. Deliver the complete file again.");
        let mut answered = false;
        request.input.extend(reply.items.iter().cloned());
        for call in reply.tool_calls() {
            answered = true;
            request.input.push(Item::ToolOutput {
                call_id: call.call_id.clone(),
                output: complaint.clone(),
            });
        }
        if !answered {
            request.input.push(Item::User(complaint));
        }
    }
}

/// Why a coder's answer cannot be used.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("there is neither a call of submit_file nor a JSON object with path and content")]
    Nothing,
    #[error("the answer was cut off")]
    CutOff,
    #[error("the arguments cannot be read ({0})")]
    Unreadable(#[source] serde_json::Error),
    #[error("the path is {found:?} instead of {wanted:?}")]
    OtherPath { found: String, wanted: String },
    #[error("{0}")]
    Content(#[source] ToolError),
}

/// The file in a reply: a call of `submit_file`, or the same as JSON in the text.
fn submitted(reply: &Reply, path: &RelativePath) -> Result<SubmitFile, Fault> {
    let cut_off = matches!(reply.stop, mira_llm::chat::StopReason::MaxOutputTokens);
    let text = reply.text();
    let json = match reply.tool_calls().find(|call| call.name == SubmitFile::NAME) {
        Some(call) => call.arguments.as_str(),
        None if cut_off => return Err(Fault::CutOff),
        None => json_object(&text).ok_or(Fault::Nothing)?,
    };
    let file: SubmitFile = serde_json::from_str(json).map_err(Fault::Unreadable)?;
    if RelativePath::parse(&file.path).ok().as_ref() != Some(path) {
        return Err(Fault::OtherPath {
            found: file.path,
            wanted: path.to_string(),
        });
    }
    artifacts::check(&file.content).map_err(Fault::Content)?;
    Ok(file)
}

/// From the first brace to the last, which leaves out a fence or a sentence around the object.
fn json_object(text: &str) -> Option<&str> {
    let (start, end) = (text.find('{')?, text.rfind('}')?);
    text.get(start..=end)
}
