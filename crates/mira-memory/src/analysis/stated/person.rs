//! Who the user is, where they live and work, and who is close to them.

use regex::Captures;

use super::{Found, phrase, taste};
use crate::analysis::lexicon;
use crate::fact::Category;

pub(super) fn name(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let name = phrase::proper(&with[1]).or_else(|| phrase::lone_word(&with[1]))?;
    found.state("name", &name, Category::Personal, 0.95).map(|_| ())
}

pub(super) fn called(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let name = phrase::proper(&with[1])?;
    found.state("name", &name, Category::Personal, 0.95).map(|_| ())
}

pub(super) fn location(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    place(found, &with[1])
}

pub(super) fn origin(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let place = phrase::proper(&with[1])?;
    found
        .state("hometown", &place, Category::Biographical, 0.8)
        .map(|_| ())
}

pub(super) fn place(found: &mut Found, text: &str) -> Option<()> {
    let since = phrase::since(text);
    let place = phrase::proper(text).or_else(|| phrase::lone_word(text))?;
    found.state("location", &place, Category::Personal, 0.9)?.since = since;
    Some(())
}

pub(super) fn employer(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let since = phrase::since(&with[1]);
    let employer = phrase::proper(&with[1])?;
    found
        .state("employer", &employer, Category::Professional, 0.9)?
        .since = since;
    if let Some((_, as_what)) = with[1].split_once(" as ") {
        state_role(found, as_what);
    }
    Some(())
}

pub(super) fn role(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    state_role(found, &with[1])
}

/// A role, and the employer where that follows.
pub(super) fn state_role(found: &mut Found, text: &str) -> Option<()> {
    let role = phrase::role(text)?;
    found.state("role", &role, Category::Professional, 0.9)?;
    if let Some((_, at)) = text.split_once(" at ")
        && let Some(employer) = phrase::proper(at)
    {
        found.state("employer", &employer, Category::Professional, 0.9);
    }
    Some(())
}

pub(super) fn is_a(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let text = &with[1];
    if let Some(allergy) = text.strip_prefix("allergic to ") {
        return found.personal("allergies", allergy);
    }
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    match first.to_lowercase().as_str() {
        diet @ ("vegan" | "vegetarian" | "pescatarian") if rest.is_empty() => {
            return found.state("diet", diet, Category::Personal, 0.9).map(|_| ());
        }
        "big" | "huge" if rest.starts_with("fan of ") => {
            return taste::like(found, rest.trim_start_matches("fan of "));
        }
        level @ ("beginner" | "newbie" | "novice") if rest.starts_with("in ") || rest.starts_with("at ") => {
            let thing = phrase::read(rest.get(3..)?)?.value;
            lexicon::kind_of(&thing)?;
            let key = format!("experience_with_{}", phrase::slug(&thing));
            return found.state(&key, level, Category::Technical, 0.8).map(|_| ());
        }
        years if rest.starts_with("years old") && years.chars().all(|c| c.is_ascii_digit()) => {
            return found.state("age", years, Category::Personal, 0.9).map(|_| ());
        }
        _ => {}
    }
    if found.greeted && with[0].split_whitespace().count() <= 5 {
        let is_bare = !with[0].to_lowercase().contains(" a ") && !with[0].to_lowercase().contains(" the ");
        if let Some(name) = phrase::proper(text).filter(|_| is_bare) {
            return found.state("name", &name, Category::Personal, 0.8).map(|_| ());
        }
    }
    state_role(found, text)
}

pub(super) fn my(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let noun = with[1].to_lowercase();
    if found.relation(&noun, &with[3]).is_some() {
        return Some(());
    }
    let phrase = phrase::read(&with[3]).filter(phrase::is_general)?;
    if let Some(kind) = lexicon::kind_named(&noun) {
        // "My editor is slow" says nothing about which one it is.
        let known = lexicon::kind_of(&phrase.value)?;
        return (known == kind).then(|| found.choice(kind, &phrase, 0.85))?;
    }
    let key = own_key(&noun).filter(|key| *key != "name")?;
    let is_it = match key {
        "role" => return state_role(found, &with[3]),
        "employer" | "team" | "location" | "hometown" | "nationality" | "native_language" => {
            phrase::proper(&phrase.value).is_some()
        }
        "tech_stack" => phrase::list(&phrase.value).any(|thing| lexicon::kind_of(thing).is_some()),
        _ => true,
    };
    if !is_it {
        return None;
    }
    let category = match key {
        "employer" | "team" => Category::Professional,
        "birthday" | "hometown" | "nationality" | "native_language" => Category::Biographical,
        _ => Category::Personal,
    };
    found.state(key, &phrase.value, category, 0.9).map(|_| ())
}

/// The key of what a person has one of and calls "my …".
pub(super) fn own_key(noun: &str) -> Option<&'static str> {
    Some(match noun {
        "name" | "first name" => "name",
        "nickname" => "nickname",
        "job" | "role" | "job title" | "title" | "profession" | "occupation" => "role",
        "employer" | "company" => "employer",
        "team" => "team",
        "location" | "city" | "address" | "home" => "location",
        "hometown" | "home town" => "hometown",
        "nationality" => "nationality",
        "birthday" | "birth date" | "date of birth" => "birthday",
        "age" => "age",
        "pronouns" => "pronouns",
        "timezone" | "time zone" => "timezone",
        "native language" | "mother tongue" | "first language" => "native_language",
        "diet" => "diet",
        "hobby" | "hobbies" => "hobbies",
        "stack" | "tech stack" => "tech_stack",
        "goal" | "main goal" => "goals",
        _ => return None,
    })
}

impl Found {
    pub(super) fn personal(&mut self, key: &str, text: &str) -> Option<()> {
        self.described(key, text, Category::Personal)
    }

    pub(super) fn professional(&mut self, key: &str, text: &str) -> Option<()> {
        self.described(key, text, Category::Professional)
    }

    fn described(&mut self, key: &str, text: &str, category: Category) -> Option<()> {
        let phrase = phrase::read(text).filter(phrase::is_general)?;
        let stated = self.state(key, &phrase.value, category, 0.9)?;
        stated.since = phrase.since;
        Some(())
    }

    /// Somebody or something of the user's that has a name.
    pub(super) fn relation(&mut self, kind: &str, name: &str) -> Option<()> {
        let kind = kind.to_lowercase();
        let kind = kind.trim_end_matches(" name");
        let key = match kind {
            "dog" | "cat" | "puppy" | "kitten" | "horse" | "parrot" | "hamster" | "rabbit" | "pet" => "pets",
            "son" | "daughter" | "child" | "kid" | "baby" => "children",
            "brother" | "sister" | "twin" => "siblings",
            "wife" | "husband" | "partner" | "girlfriend" | "boyfriend" | "fiancé" | "fiancée" | "spouse" => {
                "partner"
            }
            "mother" | "mom" | "mum" => "mother",
            "father" | "dad" => "father",
            "boss" | "manager" => "manager",
            _ => return None,
        };
        let name = phrase::proper(name)?;
        let value = if phrase::is_plural(key) {
            format!("{name} ({kind})")
        } else {
            name
        };
        self.state(key, &value, Category::Personal, 0.9).map(|_| ())
    }
}
