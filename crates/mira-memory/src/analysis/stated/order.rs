//! Orders for all time to come, and how the user wants to be answered.

use regex::Captures;

use super::{Found, phrase};
use crate::analysis::lexicon::{self, Holds};
use crate::fact::Category;

/// What holds from now on, in any of the other forms or as an order.
pub(super) fn standing(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let text = with[1].trim_start_matches("please ");
    let before = found.facts.len();
    found.read(text);
    if found.facts.len() == before {
        let (verb, object) = text.split_once(' ')?;
        let verb = verb.to_lowercase();
        phrase::is_order(&verb).then(|| found.order(&verb, object, text, 0.9))?
    } else {
        Some(())
    }
}

pub(super) fn directive(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let (verb, object) = with[2].split_once(' ')?;
    let verb = verb.to_lowercase();
    let is_strict = matches!(with[1].to_lowercase().as_str(), "always" | "never");
    let about_this: &[&str] = if is_strict {
        &["it", "this", "that"]
    } else {
        &["it", "this", "that", "these", "those", "the", "my"]
    };
    if phrase::begins_with(object, about_this) {
        return None;
    }
    match with[1].to_lowercase().as_str() {
        "always" => {
            if !phrase::is_order(&verb) {
                return None;
            }
            if verb == "use"
                && let Some(phrase) = phrase::read(object)
                && let Some(kind) = lexicon::kind_of(&phrase.value).filter(|kind| kind.holds != Holds::Many)
            {
                return found.choice(kind, &phrase, 0.9);
            }
            found.order(&verb, object, &with[0], 0.9)
        }
        "never" => phrase::is_order(&verb).then(|| found.order(&verb, object, &with[0], 0.9))?,
        // These speak of a habit only with some verbs; mostly they are about the work at hand.
        "avoid" | "stop" => phrase::is_standing(verb.trim_end_matches("ing"))
            .then(|| found.order(&verb, object, &with[0], 0.7))?,
        _ => phrase::is_standing(&verb).then(|| found.order(&verb, object, &with[0], 0.7))?,
    }
}

pub(super) fn response_length(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let words = with.iter().skip(1).flatten().next()?.as_str().to_owned();
    found.length_of_responses(&words, 0.9)
}

pub(super) fn response_language(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let language = phrase::capitalised_language(&with[1])?;
    found
        .state("response_language", language, Category::Preference, 0.9)
        .map(|_| ())
}

impl Found {
    pub(super) fn length_of_responses(&mut self, words: &str, confidence: f64) -> Option<()> {
        let words = words.to_lowercase();
        let long = ["detailed", "long", "thorough", "depth"]
            .iter()
            .any(|word| words.contains(word));
        let (value, depth) = if long {
            ("detailed", "detailed")
        } else {
            ("short", "concise")
        };
        self.profile.explanation_depth = Some(depth.to_owned());
        self.state("response_length", value, Category::Preference, confidence)
            .map(|_| ())
    }

    /// An order for all time to come, kept in its own words under what it is about.
    fn order(&mut self, verb: &str, object: &str, words: &str, confidence: f64) -> Option<()> {
        let noun = phrase::read(object)
            .filter(|phrase| lexicon::kind_of(&phrase.value).is_some())
            .map(|phrase| phrase::slug(&phrase.value))
            .or_else(|| phrase::head_noun(object))
            .unwrap_or_else(|| phrase::slug(verb));
        let words = phrase::cleaned(words.trim_start_matches("please ").trim_start_matches("Please "));
        self.state(
            &format!("directive_{noun}"),
            &phrase::uncapitalised(&words),
            Category::Preference,
            confidence,
        )
        .map(|_| ())
    }
}
