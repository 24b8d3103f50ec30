//! What the reasoner is shown: typed parts, each under a cap, each on the receipt.
//!
//! What changes least comes first, so that providers can cache the beginning of the request: persona, project, what is known
//! of the user, the conversation, then what belongs to this turn alone.

use std::fmt::Write as _;

use mira_llm::chat::Item;
use mira_llm::tokens::{self, Counter};
use mira_memory::{Message, Role};
use mira_store::MessageId;
use mira_workspace::{Files, Project, RelativePath, language_of};

use crate::Error;
use crate::operation::{ContextPart, ContextSource};
use crate::operations::Inner;
use crate::remembered;
use crate::turns::{Editor, Job, MAX_MESSAGE_BYTES, Selection};

/// Caps of the parts, in tokens. That of the conversation is among the options.
const PERSONA_CAP: usize = 4_000;
const PROJECT_CAP: usize = 1_000;
const EDITOR_CAP: usize = 16_000;
const OUTLINE_CAP: usize = 3_000;

/// A single message of the conversation takes at most this part of its cap.
const MESSAGE_SHARE: usize = 4;

/// Files that an outline looks at before it is cut to its cap.
const OUTLINE_FILES: usize = 2_000;

/// What goes into the first request of a turn.
#[derive(Debug)]
pub(crate) struct Context {
    pub instructions: String,
    pub input: Vec<Item>,
    pub parts: Vec<ContextPart>,
}

/// Puts the context of a turn together.
pub(crate) async fn assemble(
    inner: &Inner,
    job: &Job,
    files: Option<&Files>,
    model: &str,
) -> Result<Context, Error> {
    let mut receipt = Receipt {
        counter: tokens::counter_for(model),
        parts: Vec::new(),
    };
    let mut instructions = receipt.take(
        "persona",
        None,
        &inner.options.persona,
        PERSONA_CAP,
        "who the assistant is",
    );
    instructions.push_str("\n\n");
    instructions.push_str(include_str!("../prompts/work.md").trim_end());

    if let Some(id) = job.turn.project
        && let Some(project) = inner.workspace.project(id).await?
    {
        let described = describe(&project, files.is_some());
        let part = receipt.take(
            "project",
            Some(project.name),
            &described,
            PROJECT_CAP,
            "the project of this turn",
        );
        instructions.push_str("\n\n");
        instructions.push_str(&part);
    }

    let user = remembered::user_of(inner, job).await?;
    if let Some(known) = remembered::known(inner, job, &user, &mut receipt).await? {
        instructions.push_str("\n\n");
        instructions.push_str(&known);
    }

    let mut input = Vec::new();
    if let Some(summaries) = remembered::summaries(inner, job, &mut receipt).await? {
        input.push(Item::Developer(summaries));
    }
    let (turns, shown) = recent_turns(inner, job, &mut receipt).await?;
    input.extend(turns);
    if let Some(recalled) = remembered::recalled(inner, job, &user, shown, &mut receipt).await? {
        input.push(Item::Developer(recalled));
    }
    if let Some(files) = files {
        let outline = files.outline(OUTLINE_FILES).await?;
        let mut text = String::from("Files of the project (path, bytes):\n");
        for file in &outline.files {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{} {}", file.path, file.size);
        }
        if outline.truncated {
            text.push_str("… and more; use list_files.\n");
        }
        let detail = format!("{} files", outline.files.len());
        let part = receipt.take(
            "outline",
            Some(detail),
            &text,
            OUTLINE_CAP,
            "what the project holds",
        );
        input.push(Item::Developer(part));
    }
    if let Some(editor) = &job.turn.editor
        && let Some((path, text)) = open_file(editor, files).await
    {
        let part = receipt.take(
            "editor",
            Some(path),
            &text,
            EDITOR_CAP,
            "the file the user has open",
        );
        input.push(Item::Developer(part));
    }
    let said = &job.turn.content;
    // The user's own words are never cut: what a turn may carry was checked when it was accepted, and a token is at
    // least a byte.
    let said = receipt.take("request", None, said, MAX_MESSAGE_BYTES, "what the user said");
    input.push(Item::User(said));
    Ok(Context {
        instructions,
        input,
        parts: receipt.parts,
    })
}

/// Counts parts and keeps them under their caps.
pub(crate) struct Receipt {
    pub counter: Counter,
    pub parts: Vec<ContextPart>,
}

impl Receipt {
    /// The text, cut to its cap, with a mark where it was cut.
    pub(crate) fn take(
        &mut self,
        name: &str,
        detail: Option<String>,
        text: &str,
        cap: usize,
        reason: &str,
    ) -> String {
        let (kept, truncated) = self.counter.truncate(text, cap);
        self.parts.push(ContextPart {
            name: name.to_owned(),
            detail,
            tokens: self.counter.count(kept),
            cap,
            truncated,
            reason: reason.to_owned(),
            sources: Vec::new(),
        });
        marked(kept, truncated)
    }

    /// Says what of memory the last part was made of.
    pub(crate) fn credit(&mut self, sources: Vec<ContextSource>) {
        if let Some(part) = self.parts.last_mut() {
            part.sources = sources;
        }
    }
}

/// A text as it goes to a model, with a mark where it was cut.
pub(crate) fn marked(kept: &str, cut: bool) -> String {
    if cut {
        format!("{kept}\n[… cut here to fit]")
    } else {
        kept.to_owned()
    }
}

fn describe(project: &Project, attached: bool) -> String {
    let mut text = format!("The user works on the project \"{}\".", project.name);
    if let Some(description) = &project.description {
        // Writing to a string cannot fail.
        let _ = write!(text, " {description}");
    }
    if !project.tags.is_empty() {
        let _ = write!(text, " Tags: {}.", project.tags.join(", "));
    }
    text.push_str(if attached {
        " Its files are at hand through your tools; all paths are relative to its root."
    } else {
        " It has no directory attached, so there are no files to read."
    });
    text
}

/// The conversation before this turn, as turns, and the messages that need not be recalled.
///
/// The window begins at a multiple of its length, so that it stays the same over several turns and moves in steps.
async fn recent_turns(
    inner: &Inner,
    job: &Job,
    receipt: &mut Receipt,
) -> Result<(Vec<Item>, Vec<MessageId>), Error> {
    let window = i64::from(inner.options.recent_messages.max(1));
    let Some(current) = inner.memory.message(job.message).await? else {
        return Ok((Vec::new(), Vec::new()));
    };
    let mut shown_messages = vec![current.id];
    let before = inner.memory.page(
        job.turn.session,
        Some(current.number),
        u32::try_from(2 * window).unwrap_or(u32::MAX),
    );
    let mut messages = before.await?;
    let total = inner
        .memory
        .count_before(job.turn.session, current.number)
        .await?;
    let shown = total - ((total - window).max(0) / window) * window;
    messages.truncate(usize::try_from(shown).unwrap_or(usize::MAX));

    let cap = inner.options.recent_tokens;
    let mut left = cap;
    let mut truncated = false;
    let mut turns: Vec<Item> = Vec::new();
    for message in messages {
        let (text, cut) = receipt.counter.truncate(&message.content, cap / MESSAGE_SHARE);
        let tokens = receipt.counter.count(text);
        if tokens > left {
            truncated = true;
            break;
        }
        left -= tokens;
        truncated |= cut;
        turns.push(item(&message, marked(text, cut)));
        shown_messages.push(message.id);
    }
    turns.reverse();
    receipt.parts.push(ContextPart {
        name: "recent_turns".to_owned(),
        detail: Some(format!("{} of {total} messages", turns.len())),
        tokens: cap - left,
        cap,
        truncated,
        reason: "the conversation so far".to_owned(),
        sources: Vec::new(),
    });
    Ok((turns, shown_messages))
}

fn item(message: &Message, text: String) -> Item {
    match message.role {
        Role::User => Item::User(text),
        Role::Assistant => Item::Assistant(text),
        Role::System => Item::Developer(text),
    }
}

/// The file in the editor with its path; from disk when the editor did not send it.
async fn open_file(editor: &Editor, files: Option<&Files>) -> Option<(String, String)> {
    let path = editor.path.clone().unwrap_or_else(|| "untitled".to_owned());
    let content = match (&editor.content, files, RelativePath::parse(&path)) {
        (Some(content), _, _) => content.clone(),
        // A file that cannot be read is left out; the reasoner finds out why when it reads it.
        (None, Some(files), Ok(relative)) => files.read(&relative).await.ok()?.content,
        (None, _, _) => return None,
    };
    let language = editor
        .language
        .as_deref()
        .or_else(|| language_of(&path))
        .unwrap_or("text");
    let mut text = format!("The user has {path} open ({language}):\n```{language}\n{content}\n```\n");
    if let Some(Selection {
        start_line,
        end_line,
        text: selected,
    }) = &editor.selection
    {
        // Writing to a string cannot fail.
        let _ = write!(text, "Selected: lines {start_line} to {end_line}.");
        if let Some(selected) = selected {
            let _ = write!(text, "\n```{language}\n{selected}\n```");
        }
    }
    Some((path, text))
}
