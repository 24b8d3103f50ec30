//! A summary written by a model.

use std::fmt::Write as _;
use std::time::Duration;

use mira_llm::chat::{ChatModel, Item, Request, StopReason};
use mira_llm::complete;

use super::table::Material;
use crate::secret;

/// The most that a model may write, its thoughts included.
const MAX_OUTPUT_TOKENS: u32 = 12_000;

/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_mins(2);

/// Characters that are kept per token asked for: twice of what text has on average.
const CHARS_PER_TOKEN: usize = 8;

/// Why a model gave no summary.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the call failed")]
    Call(#[from] mira_llm::Error),
    #[error("there was no answer within {} s", PATIENCE.as_secs())]
    Slow,
    #[error("it stopped early: {0:?}")]
    Stopped(StopReason),
    #[error("it said nothing")]
    Empty,
}

/// Has a model write a summary. The text is bounded and without secrets.
pub(super) async fn summarise(model: &dyn ChatModel, material: &Material) -> Result<String, Failure> {
    let reply = tokio::time::timeout(PATIENCE, complete(model, request(material)))
        .await
        .map_err(|_| Failure::Slow)??;
    match reply.stop {
        StopReason::Completed | StopReason::Other(_) => {}
        StopReason::ToolCalls
        | StopReason::MaxOutputTokens
        | StopReason::ContentFilter
        | StopReason::Declined => return Err(Failure::Stopped(reply.stop)),
    }
    let (_, tokens) = material.kind.tokens();
    let text = reply.text();
    let text: String = secret::mask(text.trim())
        .chars()
        .take(tokens * CHARS_PER_TOKEN)
        .collect();
    if text.is_empty() {
        Err(Failure::Empty)
    } else {
        Ok(text)
    }
}

fn request(material: &Material) -> Request {
    Request {
        instructions: include_str!("../../prompts/summary.md").trim_end().to_owned(),
        input: vec![Item::User(question(material))],
        max_output_tokens: Some(MAX_OUTPUT_TOKENS),
        ..Request::default()
    }
}

fn question(material: &Material) -> String {
    let (least, most) = material.kind.tokens();
    let mut text = format!("Summarise this conversation in {least} to {most} tokens.\n\n");
    if let Some(before) = &material.before {
        text.push_str("<before>\n");
        text.push_str(&secret::mask(&before.text));
        text.push_str("\n</before>\n\n");
    }
    text.push_str("<conversation>\n");
    let mut parts = material.parts.iter().peekable();
    for line in &material.lines {
        // A part stands where its first message was; the messages that it covers are left out.
        while let Some(part) = parts.next_if(|part| part.last_message < line.number) {
            part_text(&mut text, &part.text);
        }
        if parts.peek().is_none_or(|part| line.number < part.first_message) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "[{}] {}: {}", line.time, line.speaker, line.text);
        }
    }
    parts.for_each(|part| part_text(&mut text, &part.text));
    text.push_str("</conversation>");
    text
}

fn part_text(text: &mut String, part: &str) {
    text.push_str("[summary] ");
    text.push_str(&secret::mask(part));
    text.push('\n');
}
