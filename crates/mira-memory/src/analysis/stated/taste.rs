//! What the user likes, prefers, uses and learns.

use regex::Captures;

use super::phrase::{self, Phrase};
use super::{Found, person, taken_back};
use crate::analysis::lexicon::{self, Holds, Kind};
use crate::fact::Category;

pub(super) fn favourite(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let phrase = phrase::read(&with[3]).filter(phrase::is_general)?;
    let noun = with[2].to_lowercase();
    if let Some(kind) = lexicon::kind_named(&noun) {
        return found.choice(kind, &phrase, 0.9);
    }
    let is_taste = with[1].to_lowercase().starts_with("favo")
        && !matches!(noun.as_str(), "part" | "thing" | "bit" | "one");
    if !is_taste {
        return None;
    }
    let key = format!("favourite_{}", phrase::slug(&noun));
    found
        .state(&key, &phrase.value, Category::Preference, 0.9)
        .map(|_| ())
}

pub(super) fn opinion(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    match with[1].to_lowercase().as_str() {
        "prefer" | "favor" | "favour" => prefer(found, &with[2]),
        "like" | "love" | "enjoy" | "adore" => like(found, &with[2]),
        _ => dislike(found, &with[2]),
    }
}

fn prefer(found: &mut Found, text: &str) -> Option<()> {
    let phrase = phrase::preferred(text).filter(phrase::is_general)?;
    if let Some(kind) = lexicon::kind_of(&phrase.value) {
        return found.choice(kind, &phrase, 0.9);
    }
    let noun = phrase::head_noun(&phrase.value).filter(|noun| noun.chars().count() > 2)?;
    if phrase::is_alternative(&phrase.value) {
        return None;
    }
    let stated = found.state(
        &format!("preferred_{noun}"),
        &phrase.value,
        Category::Preference,
        0.85,
    )?;
    stated.context = phrase.over.map(|over| format!("over {over}")).or(phrase.context);
    Some(())
}

pub(super) fn like(found: &mut Found, text: &str) -> Option<()> {
    let phrase = phrase::read(text).filter(phrase::is_general)?;
    if let Some(kind) = lexicon::kind_of(&phrase.value).filter(|kind| kind.holds == Holds::Choice) {
        return found.choice(kind, &phrase, 0.8);
    }
    let key = format!("opinion_of_{}", phrase::slug(&phrase.value));
    found.state(&key, "likes", Category::Preference, 0.8).map(|_| ())
}

pub(super) fn dislike(found: &mut Found, text: &str) -> Option<()> {
    let phrase = phrase::read(text).filter(phrase::is_general)?;
    if let Some(kind) = lexicon::kind_of(&phrase.value).filter(|kind| kind.holds == Holds::Choice) {
        found.retract(kind.key, &phrase.value, Category::Preference);
    }
    let key = format!("opinion_of_{}", phrase::slug(&phrase.value));
    found
        .state(&key, "dislikes", Category::Preference, 0.8)
        .map(|_| ())
}

pub(super) fn uses(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    found.use_of(&with[1])
}

pub(super) fn switched(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let to = phrase::read(&with[2])?;
    let Some(kind) = lexicon::kind_of(&to.value) else {
        let moved = with[0].to_lowercase().contains("moved");
        return moved.then(|| person::place(found, &with[2]))?;
    };
    if let Some(from) = with.get(1).filter(|_| kind.used() != kind.key) {
        taken_back::take_back_thing(found, from.as_str());
    }
    let stated = found.state(kind.used(), &to.value, kind.category(), 0.9)?;
    stated.context = to.context;
    stated.since = to.since;
    Some(())
}

pub(super) fn learning(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let phrase = phrase::read(&with[1]).filter(phrase::is_general)?;
    found
        .profile
        .learning_goals
        .get_or_insert_default()
        .push(phrase.value);
    Some(())
}

impl Found {
    /// That one thing is chosen above others of its kind.
    pub(super) fn choice(&mut self, kind: &Kind, phrase: &Phrase, confidence: f64) -> Option<()> {
        if kind.key == "programming_language" {
            self.profile
                .preferred_languages
                .get_or_insert_default()
                .push(phrase.value.clone());
        }
        if kind.key == "response_length" {
            return self.length_of_responses(&phrase.value, confidence);
        }
        let stated = self.state(kind.key, &phrase.value, Category::Preference, confidence)?;
        stated.context = phrase
            .context
            .clone()
            .or_else(|| phrase.over.as_ref().map(|over| format!("over {over}")));
        stated.since.clone_from(&phrase.since);
        Some(())
    }

    /// That something is used: each of a list that the lexicon knows, or one name with a purpose.
    fn use_of(&mut self, text: &str) -> Option<()> {
        let phrase = phrase::read(text)?;
        let before = self.facts.len();
        let of_project = self.subject == "project";
        for thing in phrase::list(&phrase.value) {
            let Some(kind) = lexicon::kind_of(thing) else {
                continue;
            };
            let confidence = if of_project { 0.7 } else { 0.8 };
            let Some(stated) = self.state(kind.used(), thing, kind.category(), confidence) else {
                continue;
            };
            stated.context.clone_from(&phrase.context);
            stated.since.clone_from(&phrase.since);
            if !of_project && kind.holds == Holds::Many && kind.key != "drink" {
                self.profile
                    .tech_stack
                    .get_or_insert_default()
                    .push(thing.to_owned());
            }
        }
        if self.facts.len() > before {
            return Some(());
        }
        // A name that the lexicon does not know, if it is said what for; in code everything has a name.
        if phrase::is_identifier(&phrase.value) {
            return None;
        }
        let purpose = phrase.context.as_deref()?.strip_prefix("for ")?;
        let name = phrase::proper(&phrase.value).filter(|name| *name == phrase.value)?;
        let noun = phrase::head_noun(purpose)?;
        self.state(&format!("tool_for_{noun}"), &name, Category::Technical, 0.7)
            .map(|_| ())
    }
}
