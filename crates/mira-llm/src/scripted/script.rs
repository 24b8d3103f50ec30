//! A script: rules that say which request gets which reply.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::endpoint::Endpoint;
use super::step::{Fault, Step};

/// What the upstream answers. The first rule whose conditions hold and which has uses left wins.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The only key accepted after `authorization: Bearer`; any key is when this is `None`.
    pub api_key: Option<String>,
    /// In order of precedence; `[[rule]]` in TOML.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
}

/// One reply and the requests that get it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Shown when no rule matches a request.
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub when: When,
    /// How many requests the rule answers; all that match when `None`.
    pub times: Option<u32>,
    /// Reported to the client; estimated at four characters per token when `None`.
    pub usage: Option<TokenUsage>,
    /// The reply, in order; `[[rule.step]]` in TOML.
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
}

/// Conditions on a request. All that are given must hold; with none given every request matches. Texts are
/// found as case-sensitive substrings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// Without it the rule answers both kinds of conversation, and neither embeddings nor models.
    pub endpoint: Option<Endpoint>,
    /// The exact model name.
    pub model: Option<String>,
    /// In any user message.
    pub user_contains: Option<String>,
    /// In the last user message.
    pub last_user_contains: Option<String>,
    /// In `instructions` or in a system or developer message.
    pub instructions_contains: Option<String>,
    /// In any text of the conversation, arguments and outputs of tools included. For embeddings: in any input.
    pub any_contains: Option<String>,
    /// The request ends with the output of a call of this tool.
    pub tool_output: Option<String>,
    /// In one of the tool outputs that end the request.
    pub tool_output_contains: Option<String>,
    /// The request does not end with a tool output.
    pub no_tool_output: bool,
}

/// Tokens of one reply as the upstream reports them. `input` includes `cached_input`; `output` includes
/// `reasoning`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenUsage {
    pub input: u64,
    pub cached_input: u64,
    pub output: u64,
    pub reasoning: u64,
}

/// Why a script cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    #[error("cannot read the script")]
    Toml(#[source] toml::de::Error),
}

impl Script {
    /// A script without rules: it refuses every conversation, and answers embeddings and models.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a script; [the module's page](super) shows the format.
    pub fn from_toml(text: &str) -> Result<Self, ScriptError> {
        toml::from_str(text).map_err(ScriptError::Toml)
    }

    /// Adds a rule after those already there.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Accepts this key only.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }
}

/// Conditions.
impl Rule {
    /// A rule without conditions and steps.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// See [`When::endpoint`].
    #[must_use]
    pub fn on(mut self, endpoint: Endpoint) -> Self {
        self.when.endpoint = Some(endpoint);
        self
    }

    /// See [`When::model`].
    #[must_use]
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.when.model = Some(name.into());
        self
    }

    /// See [`When::user_contains`].
    #[must_use]
    pub fn user_contains(mut self, text: impl Into<String>) -> Self {
        self.when.user_contains = Some(text.into());
        self
    }

    /// See [`When::last_user_contains`].
    #[must_use]
    pub fn last_user_contains(mut self, text: impl Into<String>) -> Self {
        self.when.last_user_contains = Some(text.into());
        self
    }

    /// See [`When::instructions_contains`].
    #[must_use]
    pub fn instructions_contains(mut self, text: impl Into<String>) -> Self {
        self.when.instructions_contains = Some(text.into());
        self
    }

    /// See [`When::any_contains`].
    #[must_use]
    pub fn any_contains(mut self, text: impl Into<String>) -> Self {
        self.when.any_contains = Some(text.into());
        self
    }

    /// See [`When::tool_output`].
    #[must_use]
    pub fn tool_output(mut self, tool: impl Into<String>) -> Self {
        self.when.tool_output = Some(tool.into());
        self
    }

    /// See [`When::tool_output_contains`].
    #[must_use]
    pub fn tool_output_contains(mut self, text: impl Into<String>) -> Self {
        self.when.tool_output_contains = Some(text.into());
        self
    }

    /// See [`When::no_tool_output`].
    #[must_use]
    pub fn no_tool_output(mut self) -> Self {
        self.when.no_tool_output = true;
        self
    }

    /// Answers at most so many requests.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.times = Some(count);
        self
    }

    /// Answers one request.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }
}

/// The reply.
impl Rule {
    /// Reports these tokens.
    #[must_use]
    pub fn usage(mut self, usage: TokenUsage) -> Self {
        self.usage = Some(usage);
        self
    }

    /// Adds a step.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Adds [`Step::reasoning`].
    #[must_use]
    pub fn reasoning(self, text: impl Into<String>) -> Self {
        self.step(Step::reasoning(text))
    }

    /// Adds [`Step::text`].
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.step(Step::text(text))
    }

    /// Adds [`Step::tool_call`].
    #[must_use]
    pub fn tool_call(self, name: impl Into<String>, arguments: &Value) -> Self {
        self.step(Step::tool_call(name, arguments))
    }

    /// Adds [`Step::hold`].
    #[must_use]
    pub fn hold(self, name: impl Into<String>) -> Self {
        self.step(Step::hold(name))
    }

    /// Adds [`Step::fault`].
    #[must_use]
    pub fn fault(self, fault: Fault) -> Self {
        self.step(Step::fault(fault))
    }
}

/// The conditions that are given, as a script writes them.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = [
            ("model", &self.model),
            ("user_contains", &self.user_contains),
            ("last_user_contains", &self.last_user_contains),
            ("instructions_contains", &self.instructions_contains),
            ("any_contains", &self.any_contains),
            ("tool_output", &self.tool_output),
            ("tool_output_contains", &self.tool_output_contains),
        ];
        let endpoint = self.endpoint.map(|endpoint| format!("endpoint = \"{endpoint}\""));
        let texts = texts
            .into_iter()
            .filter_map(|(key, text)| Some(format!("{key} = {:?}", text.as_ref()?)));
        let given: Vec<String> = endpoint
            .into_iter()
            .chain(texts)
            .chain(self.no_tool_output.then(|| "no_tool_output = true".to_owned()))
            .collect();
        if given.is_empty() {
            f.write_str("always")
        } else {
            f.write_str(&given.join(", "))
        }
    }
}
