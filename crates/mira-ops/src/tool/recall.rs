//! The tool that looks into memory.

use std::fmt::Write as _;

use mira_memory::recall::{Query, Recall};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Arguments, Outcome, ToolError, Toolbox};
use crate::context::marked;
use crate::remembered;

/// Messages that are found when the model does not say, and at most.
const FOUND: u32 = 10;
const FOUND_AT_MOST: u32 = 50;

/// The most tokens of one message.
const MESSAGE_CAP: usize = 1_000;

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SearchMemory {
    /// What to look for, in the words that were likely used.
    query: String,
    /// How many messages to show, up to 50; null for 10.
    limit: Option<u32>,
}

impl Arguments for SearchMemory {
    const NAME: &'static str = "search_memory";
    const DESCRIPTION: &'static str = "Find what was said in this and earlier conversations with the user. Use it \
                                       when they refer to something that you do not see.";
}

pub(super) async fn search_memory(toolbox: &Toolbox<'_>, wanted: SearchMemory) -> Result<Outcome, ToolError> {
    if wanted.query.trim().is_empty() {
        return Err(ToolError::Empty("the query"));
    }
    let Toolbox { inner, job, .. } = toolbox;
    let limit = wanted.limit.unwrap_or(FOUND).clamp(1, FOUND_AT_MOST);
    let query = Query {
        user: Some(remembered::user_of(inner, job).await?),
        without: vec![job.message],
        ..Query::new(wanted.query, usize::try_from(limit).unwrap_or(usize::MAX))
    };
    let Recall { hits, degraded } = inner.memory.recall(&query).await.map_err(crate::Error::from)?;
    let mut output = String::new();
    for hit in &hits {
        let message = &hit.message;
        let who = message.speaker.as_deref().unwrap_or(message.role.as_str());
        let (kept, cut) = toolbox.counter.truncate(&message.content, MESSAGE_CAP);
        // Writing to a string cannot fail.
        let _ = writeln!(output, "[{}, {who}] {}\n", message.time, marked(kept, cut));
    }
    if hits.is_empty() {
        output.push_str("Nothing was found.");
    }
    if let Some(why) = degraded {
        // Writing to a string cannot fail.
        let _ = write!(output, "(searched by words alone: {why})");
    }
    Ok(Outcome::told(output, format!("{} messages", hits.len())))
}
