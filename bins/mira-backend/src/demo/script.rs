//! What the scripted models say: a plan that fits the directory at hand.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use mira_server::scripted::{Endpoint, Rule, Script, Step, TokenUsage};
use serde_json::json;

/// The pace of the scripted models: a delta, and the time before the next one.
const PACE: (usize, Duration) = (6, Duration::from_millis(18));

/// The largest file that is rewritten here.
const MAX_FILE_BYTES: u64 = 64 * 1024;

const NOTE: &str = "\n## Reviewing changes\n\nEvery change arrives as an artifact: read its diff, apply it, and undo it \
                    if it is not what you wanted.\nNothing is written before you say so.\n";

/// What is asked in the second turn.
pub(super) const QUESTION: &str = "What happens when my connection breaks while you answer?";

/// What is to be changed.
pub(super) struct Plan {
    path: String,
    /// The file as it is, where there is one.
    before: Option<String>,
}

impl Plan {
    /// The readme of a directory, or a new file where there is none that can be rewritten.
    pub(super) fn for_directory(directory: &Path) -> anyhow::Result<Self> {
        let entries = std::fs::read_dir(directory)
            .with_context(|| format!("could not read the directory {}", directory.display()))?;
        let mut readmes: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| {
                entry
                    .metadata()
                    .is_ok_and(|data| data.is_file() && data.len() < MAX_FILE_BYTES)
            })
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.eq_ignore_ascii_case("readme.md"))
            .collect();
        readmes.sort();
        let found = readmes.into_iter().find_map(|name| {
            // A readme that is no text is left alone.
            let text = std::fs::read_to_string(directory.join(&name)).ok()?;
            Some((name, text))
        });
        Ok(match found {
            Some((path, text)) => Self {
                path,
                before: Some(text),
            },
            None => Self {
                path: "REVIEWING.md".to_owned(),
                before: None,
            },
        })
    }

    /// What the user asks for.
    pub(super) fn request(&self) -> String {
        match self.before {
            Some(_) => format!(
                "Add a section to {} that says how changes are reviewed.",
                self.path
            ),
            None => format!("Write {} that says how changes are reviewed.", self.path),
        }
    }

    fn after(&self) -> String {
        let before = self.before.as_deref().unwrap_or("# Notes\n");
        let gap = if before.ends_with('\n') { "" } else { "\n" };
        format!("{before}{gap}{NOTE}")
    }

    /// Both models' parts.
    pub(super) fn script(&self) -> Script {
        let path = &self.path;
        let (action, look) = match self.before {
            Some(_) => ("add the section", true),
            None => ("write the file", false),
        };
        let brief = json!({
            "path": path,
            "description": "A section \"Reviewing changes\" at the end: changes arrive as artifacts, are read, applied, \
                            undone; nothing is written before the user says so. Leave everything else as it is.",
            "language": "markdown",
            "framework": null, "dependencies": null, "style_guide": null, "context_files": null,
        });
        let delegate = |rule: Rule| {
            rule.step(spoken(Step::reasoning(
                "The wording is clear and the file is small. One section at the end, in the tone of what is there.",
            )))
            .step(spoken(Step::text(format!("I will have the coder {action} from a short brief."))))
            .tool_call("generate_code", &brief)
            .usage(tokens(2_900, 2_100, 140))
        };
        let mut script = Script::new();
        if look {
            script = script
                .rule(
                    Rule::new("look first")
                        .on(Endpoint::Responses)
                        .last_user_contains("how changes are reviewed")
                        .no_tool_output()
                        .step(spoken(Step::reasoning(format!(
                            "They want a section about reviewing in {path}. I should see what the file says today \
                             before I plan anything."
                        ))))
                        .step(spoken(Step::text(format!("Let me read {path} first."))))
                        .tool_call("read_file", &json!({"path": path, "start_line": null, "end_line": null}))
                        .usage(tokens(2_100, 0, 90)),
                )
                .rule(delegate(Rule::new("delegate").on(Endpoint::Responses).tool_output("read_file")));
        } else {
            let first = Rule::new("delegate")
                .on(Endpoint::Responses)
                .last_user_contains("how changes are reviewed")
                .no_tool_output();
            script = script.rule(delegate(first));
        }
        script
            .rule(
                Rule::new("the coder")
                    .on(Endpoint::ChatCompletions)
                    .step(spoken(Step::reasoning("Append one section, keep every other byte.")))
                    .tool_call(
                        "submit_file",
                        &json!({
                            "path": path,
                            "content": self.after(),
                            "language": "markdown",
                            "explanation": "Added the section at the end.",
                        }),
                    )
                    .usage(tokens(1_400, 0, 420)),
            )
            .rule(
                Rule::new("sum up")
                    .on(Endpoint::Responses)
                    .tool_output("generate_code")
                    .step(spoken(Step::text(format!(
                        "{path} is ready for your review: one new section at the end, nothing else touched."
                    ))))
                    .usage(tokens(3_300, 2_900, 40)),
            )
            .rule(
                Rule::new("explain")
                    .on(Endpoint::Responses)
                    .last_user_contains("connection breaks")
                    .step(spoken(Step::text(
                        "Nothing is lost. Every piece of this answer gets a number and is on disk before it is sent to \
                         you. When your connection breaks I go on; when you are back you say the last number that you \
                         have, and you are told the rest, each piece once and in order, and from there on what happens \
                         now. Even naïve clients with 🦀 in their text lose no character.",
                    )))
                    .usage(tokens(3_500, 3_300, 110)),
            )
    }
}

fn spoken(step: Step) -> Step {
    let (chunk, delay) = PACE;
    step.chunk(chunk).delay(delay)
}

fn tokens(input: u64, cached_input: u64, output: u64) -> TokenUsage {
    TokenUsage {
        input,
        cached_input,
        output,
        ..TokenUsage::default()
    }
}
