//! Model names that DeepSeek has retired.

/// What to ask for instead of a model name that may be retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    /// The name to send.
    pub name: String,
    /// What the old name said about thinking.
    pub thinking: Option<bool>,
    /// What to tell the user, if the name was replaced.
    pub notice: Option<String>,
}

/// The current name for `model`: DeepSeek retired `deepseek-chat` and `deepseek-reasoner` in July 2026 in favour of
/// one model that thinks or does not. Other names are their own.
///
/// ```
/// let canonical = mira_llm::compatible::canonical_model("deepseek-reasoner");
/// assert_eq!((canonical.name.as_str(), canonical.thinking), ("deepseek-v4-flash", Some(true)));
/// ```
pub fn canonical_model(model: &str) -> Canonical {
    let thinking = match model {
        "deepseek-chat" => false,
        "deepseek-reasoner" => true,
        _ => {
            return Canonical {
                name: model.to_owned(),
                thinking: None,
                notice: None,
            };
        }
    };
    let name = "deepseek-v4-flash".to_owned();
    let state = if thinking { "on" } else { "off" };
    let notice = format!("the model name {model} is retired; {name} with thinking {state} is used instead");
    Canonical {
        name,
        thinking: Some(thinking),
        notice: Some(notice),
    }
}
