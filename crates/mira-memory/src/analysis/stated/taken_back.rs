//! What the user takes back.

use regex::Captures;

use super::{Found, person, phrase, taste};
use crate::analysis::lexicon::{self, Holds};
use crate::fact::Category;
use crate::relationship::Statement;

pub(super) fn forget(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let mut taken_back = Found::default();
    taken_back.read(&with[1]);
    if let Some(noun) = with[1]
        .strip_prefix("my ")
        .filter(|_| taken_back.facts.is_empty())
    {
        let noun = phrase::cleaned(noun);
        let key = person::own_key(&noun).or_else(|| lexicon::kind_named(&noun).map(|kind| kind.key))?;
        found.retract(key, "", Category::Personal);
    }
    for fact in taken_back.facts {
        found.facts.push(Statement {
            retracted: true,
            ..fact
        });
    }
    Some(())
}

pub(super) fn negated(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let no_longer = with.get(2).is_some() || with[0].to_lowercase().contains("no longer");
    let (verb, object) = with[1].split_once(' ')?;
    match verb.to_lowercase().as_str() {
        "use" | "prefer" => take_back_thing(found, object),
        "like" | "love" | "enjoy" if no_longer => take_back_liking(found, object),
        "like" | "enjoy" => taste::dislike(found, object),
        "live" if no_longer => {
            let place = phrase::proper(object.strip_prefix("in ")?)?;
            found.retract("location", &place, Category::Personal);
            Some(())
        }
        "work" if no_longer => {
            let (joint, rest) = object.split_once(' ')?;
            match joint {
                "at" | "for" => found.retract("employer", &phrase::proper(rest)?, Category::Professional),
                "as" => found.retract("role", &phrase::read(rest)?.value, Category::Professional),
                "with" | "in" => return take_back_thing(found, rest),
                _ => return None,
            }
            Some(())
        }
        _ => None,
    }
}

pub(super) fn stopped(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    if with[1].to_lowercase().starts_with("working") {
        found.retract("employer", &phrase::proper(&with[2])?, Category::Professional);
        return Some(());
    }
    take_back_thing(found, &with[2])
}

pub(super) fn not_any_more(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    if with.get(1).is_some() {
        found.retract("employer", &phrase::proper(&with[3])?, Category::Professional);
        Some(())
    } else if with.get(2).is_some() {
        found.retract("location", &phrase::proper(&with[3])?, Category::Personal);
        Some(())
    } else {
        take_back_thing(found, &with[3])
    }
}

/// Takes back both that a thing is used and that it is preferred.
pub(super) fn take_back_thing(found: &mut Found, text: &str) -> Option<()> {
    let phrase = phrase::read(text)?;
    let kind = lexicon::kind_of(&phrase.value)?;
    found.retract(kind.key, &phrase.value, kind.category());
    if kind.used() != kind.key {
        found.retract(kind.used(), &phrase.value, kind.category());
    }
    Some(())
}

fn take_back_liking(found: &mut Found, text: &str) -> Option<()> {
    let phrase = phrase::read(text).filter(phrase::is_general)?;
    match lexicon::kind_of(&phrase.value) {
        Some(kind) if kind.holds == Holds::Choice => {
            found.retract(kind.key, &phrase.value, Category::Preference);
        }
        Some(_) | None => {
            found.retract(
                &format!("opinion_of_{}", phrase::slug(&phrase.value)),
                "likes",
                Category::Preference,
            );
        }
    }
    Some(())
}
