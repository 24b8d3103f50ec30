//! What a user's message states about the user, by rules that would rather miss a statement than invent one.

mod clause;
mod phrase;

use std::sync::LazyLock;

use regex::{Captures, Regex};

use self::phrase::Phrase;
use super::lexicon::{self, Holds, Kind};
use crate::expression::fixed;
use crate::fact::Category;
use crate::relationship::{ProfileChanges, Report, Statement};

/// The most statements of one message.
const MAX_STATEMENTS: usize = 20;

/// What a message states.
pub(super) fn report(text: &str) -> Report {
    let mut found = Found::default();
    for clause in clause::of(text) {
        if found.facts.len() >= MAX_STATEMENTS {
            break;
        }
        found.greeted = clause.greeted;
        found.read(&clause.text);
    }
    found.facts.truncate(MAX_STATEMENTS);
    Report { facts: found.facts, patterns: Vec::new(), profile: found.profile }
}

/// Says of a matched clause what it states; `None` when it states nothing after all, and another rule may look at it.
type Reading = fn(&mut Found, &Captures<'_>) -> Option<()>;

/// Adverbs between a subject and its verb.
const ADVERBS: &str = r"(?:(?:really|strongly|generally|usually|personally|much|always|typically|still|now|also|definitely|mostly|mainly|normally|currently|only|exclusively|primarily|almost|do|absolutely|very|often|actually|tend to) )*";

/// The rules, the first that reads a clause wins. `ADV` stands for [`ADVERBS`].
static RULES: LazyLock<Vec<(Regex, Reading)>> = LazyLock::new(|| {
    let rules: [(&str, Reading); 29] = [
        (r"(?:please )?(remember|keep in mind|don't forget|do not forget)( that|:|,)? (.+)", remember),
        (r"(?:please )?forget (?:that |about )?(.+)", forget),
        (r"(?:please )?(?:from now on|going forward|in (?:the )?future|henceforth),? (.+)", standing),
        (r"(?:i|we) (?:no longer|don't|do not) (.+?)(?: (any ?more|any longer))?", negated),
        (r"(?:i|we)(?: have|'ve)? (?:stopped|quit) (using |working (?:at|for) |)(.+)", stopped),
        (r"(?:i'm |i am |we're |we are )?not (?:using |on |(at |with )|(in ))?(.+?) (?:any ?more|any longer)", not_any_more),
        (r"my name(?:'s| is) (.+)", name),
        (r"(?:(?:please )?call me|people call me|i(?:'m| am) called) (.+)", called),
        (r"my pronouns are (.+)", |found, with| found.personal("pronouns", &with[1])),
        (r"i use ((?:she|he|they|it|xe|ze)/\w+(?:/\w+)?)(?: pronouns)?", |found, with| found.personal("pronouns", &with[1])),
        (r"i(?:'m| am)? ADV(?:live|living|reside|residing|based|located) (?:in|near) (.+)", location),
        (r"i(?:'m| am| come) (?:originally )?from (.+)", origin),
        (r"i ADVwork (?:at|for) (.+)", employer),
        (r"i(?:'m| am) (?:working|employed) (?:at|for|by) (.+)", employer),
        (r"i(?: just| recently)? (?:joined|started at) (.+ as .+)", employer),
        (r"i(?:'m| am)? ADVwork(?:ing)? as (?:an? |the )?(.+)", role),
        (r"i(?:'m| am) (?:an? |the )?(.+)", is_a),
        (r"i ADVwork on (.+)", |found, with| found.professional("works_on", &with[1])),
        (r"(?:i|we)(?:'ve| have)? (?:(?:just|recently|finally|now|also) )?(?:switched|migrated|moved|converted|changed)(?: over)?(?: from (.+?))? to (.+)", switched),
        (r"my (favou?rite|preferred|default|main|primary) ([a-z][a-z -]{1,40}?)(?: is| are|'s) (.+)", favourite),
        (r"my ([a-z][a-z -]{1,30}?)(?:'s name)?(?: is| are|'s)( called| named)? (.+)", my),
        (r"i have (?:an? |two |three )?(\w+) (?:called|named) (.+)", |found, with| found.relation(&with[1], &with[2])),
        (r"(?:please )?(?:always )?(?:answer|reply|respond|speak|talk|write)(?: to)?(?: me)?(?: only)? in (\p{L}+)(?:,? please)?", response_language),
        (r"(?:please )?(?:always )?(?:keep|make|give me|i want|i need|i ADV(?:like|prefer))(?: me| all| your| the| my)* (?:(short|brief|concise|terse|detailed|long|thorough|in-depth)(?:er)? (?:answers|responses|replies|explanations)|(?:answers?|responses?|repl(?:y|ies)|explanations?) (?:to be |as )?(short|brief|concise|terse|succinct|to the point|detailed|long|thorough|in-depth).*)", response_length),
        (r"(?:please )?be (?:more )?(brief|concise|terse|succinct|detailed|thorough)(?: in .*)?", response_length),
        (r"(?:i|we) ADV(prefer|like|love|enjoy|adore|favou?r|hate|dislike|detest|despise|can't stand|cannot stand) (.+)", opinion),
        (r"(?:i|we)(?:'m|'re|'ve been| am| are| have been)? ADV(?:use|using|run|running|(?:code|coding|program|programming|develop|developing|work|working|write|writing)(?: mostly| mainly| my code| code| everything)? (?:in|with)|on) (.+)", uses),
        (r"i(?:'m| am)?(?: currently)? (?:learning|want to learn|wanna learn|trying to learn|studying) (.+)", learning),
        (r"(?:please )?(always|never|don't|do not|avoid|stop) (.+)", directive),
    ];
    rules
        .into_iter()
        .map(|(pattern, reading)| (fixed(&format!("(?i)^(?:{})$", pattern.replace("ADV", ADVERBS))), reading))
        .collect()
});

/// What was found so far.
#[derive(Debug, Default)]
struct Found {
    facts: Vec<Statement>,
    profile: ProfileChanges,
    /// Of the clause that is being read.
    greeted: bool,
    /// `project` when the clause says "we".
    subject: &'static str,
}

impl Found {
    fn read(&mut self, clause: &str) {
        self.subject = if phrase::begins_with(clause, &["we", "we're", "we've"]) { "project" } else { "user" };
        for (pattern, reading) in RULES.iter() {
            if let Some(captures) = pattern.captures(clause)
                && reading(self, &captures).is_some()
            {
                return;
            }
        }
    }

    /// Adds a statement about the user, unless it was made already.
    fn state(&mut self, key: &str, value: &str, category: Category, confidence: f64) -> Option<&mut Statement> {
        if value.is_empty() || self.facts.iter().any(|fact| fact.key == key && fact.value == value) {
            return None;
        }
        self.facts.push(Statement {
            subject: self.subject.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
            category,
            confidence,
            retracted: false,
            context: None,
            since: None,
        });
        self.facts.last_mut()
    }

    /// Takes something back; an empty value takes back all under the key.
    fn retract(&mut self, key: &str, value: &str, category: Category) {
        self.facts.push(Statement {
            subject: self.subject.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
            category,
            confidence: 0.9,
            retracted: true,
            context: None,
            since: None,
        });
    }

    fn personal(&mut self, key: &str, text: &str) -> Option<()> {
        self.described(key, text, Category::Personal)
    }

    fn professional(&mut self, key: &str, text: &str) -> Option<()> {
        self.described(key, text, Category::Professional)
    }

    fn described(&mut self, key: &str, text: &str, category: Category) -> Option<()> {
        let phrase = phrase::read(text).filter(phrase::is_general)?;
        let stated = self.state(key, &phrase.value, category, 0.9)?;
        stated.since = phrase.since;
        Some(())
    }

    /// Somebody or something of the user's that has a name.
    fn relation(&mut self, kind: &str, name: &str) -> Option<()> {
        let kind = kind.to_lowercase();
        let kind = kind.trim_end_matches(" name");
        let key = match kind {
            "dog" | "cat" | "puppy" | "kitten" | "horse" | "parrot" | "hamster" | "rabbit" | "pet" => "pets",
            "son" | "daughter" | "child" | "kid" | "baby" => "children",
            "brother" | "sister" | "twin" => "siblings",
            "wife" | "husband" | "partner" | "girlfriend" | "boyfriend" | "fiancé" | "fiancée" | "spouse" => "partner",
            "mother" | "mom" | "mum" => "mother",
            "father" | "dad" => "father",
            "boss" | "manager" => "manager",
            _ => return None,
        };
        let name = phrase::proper(name)?;
        let value = if phrase::is_plural(key) { format!("{name} ({kind})") } else { name };
        self.state(key, &value, Category::Personal, 0.9).map(|_| ())
    }

    /// That something is used: each of a list that the lexicon knows, or one name with a purpose.
    fn use_of(&mut self, text: &str) -> Option<()> {
        let phrase = phrase::read(text)?;
        let before = self.facts.len();
        let of_project = self.subject == "project";
        for thing in phrase::list(&phrase.value) {
            let Some(kind) = lexicon::kind_of(thing) else { continue };
            let confidence = if of_project { 0.7 } else { 0.8 };
            let Some(stated) = self.state(kind.used(), thing, kind.category(), confidence) else { continue };
            stated.context.clone_from(&phrase.context);
            stated.since.clone_from(&phrase.since);
            if !of_project && kind.holds == Holds::Many && kind.key != "drink" {
                self.profile.tech_stack.get_or_insert_default().push(thing.to_owned());
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
        self.state(&format!("tool_for_{noun}"), &name, Category::Technical, 0.7).map(|_| ())
    }

    /// That one thing is chosen above others of its kind.
    fn choice(&mut self, kind: &Kind, phrase: &Phrase, confidence: f64) -> Option<()> {
        if kind.key == "programming_language" {
            self.profile.preferred_languages.get_or_insert_default().push(phrase.value.clone());
        }
        if kind.key == "response_length" {
            return self.length_of_responses(&phrase.value, confidence);
        }
        let stated = self.state(kind.key, &phrase.value, Category::Preference, confidence)?;
        stated.context = phrase.context.clone().or_else(|| phrase.over.as_ref().map(|over| format!("over {over}")));
        stated.since.clone_from(&phrase.since);
        Some(())
    }

    fn length_of_responses(&mut self, words: &str, confidence: f64) -> Option<()> {
        let words = words.to_lowercase();
        let long = ["detailed", "long", "thorough", "depth"].iter().any(|word| words.contains(word));
        let (value, depth) = if long { ("detailed", "detailed") } else { ("short", "concise") };
        self.profile.explanation_depth = Some(depth.to_owned());
        self.state("response_length", value, Category::Preference, confidence).map(|_| ())
    }
}

fn remember(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let text = &with[3];
    if phrase::begins_with(text, &["to", "when", "how", "what", "the time", "last", "me", "why", "where", "who"]) {
        return Some(());
    }
    let before = found.facts.len();
    found.read(text);
    let own = phrase::begins_with(text, &["i", "i'm", "my", "we", "our", "the"]);
    let told = with[1].eq_ignore_ascii_case("remember") || with[1].eq_ignore_ascii_case("keep in mind");
    if found.facts.len() == before && told && (with.get(2).is_some() || own) {
        found.state("notes", &phrase::cleaned(text), Category::Personal, 0.95)?;
    }
    for fact in found.facts.iter_mut().skip(before) {
        fact.confidence = fact.confidence.max(0.95);
    }
    Some(())
}

fn forget(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let mut taken_back = Found::default();
    taken_back.read(&with[1]);
    if let Some(noun) = with[1].strip_prefix("my ").filter(|_| taken_back.facts.is_empty()) {
        let noun = phrase::cleaned(noun);
        let key = own_key(&noun).or_else(|| lexicon::kind_named(&noun).map(|kind| kind.key))?;
        found.retract(key, "", Category::Personal);
    }
    for fact in taken_back.facts {
        found.facts.push(Statement { retracted: true, ..fact });
    }
    Some(())
}

/// What holds from now on, in any of the other forms or as an order.
fn standing(found: &mut Found, with: &Captures<'_>) -> Option<()> {
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

fn negated(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let no_longer = with.get(2).is_some() || with[0].to_lowercase().contains("no longer");
    let (verb, object) = with[1].split_once(' ')?;
    match verb.to_lowercase().as_str() {
        "use" | "prefer" => take_back_thing(found, object),
        "like" | "love" | "enjoy" if no_longer => take_back_liking(found, object),
        "like" | "enjoy" => dislike(found, object),
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

fn stopped(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    if with[1].to_lowercase().starts_with("working") {
        found.retract("employer", &phrase::proper(&with[2])?, Category::Professional);
        return Some(());
    }
    take_back_thing(found, &with[2])
}

fn not_any_more(found: &mut Found, with: &Captures<'_>) -> Option<()> {
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
fn take_back_thing(found: &mut Found, text: &str) -> Option<()> {
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
        Some(kind) if kind.holds == Holds::Choice => found.retract(kind.key, &phrase.value, Category::Preference),
        Some(_) | None => {
            found.retract(&format!("opinion_of_{}", phrase::slug(&phrase.value)), "likes", Category::Preference);
        }
    }
    Some(())
}

fn dislike(found: &mut Found, text: &str) -> Option<()> {
    let phrase = phrase::read(text).filter(phrase::is_general)?;
    if let Some(kind) = lexicon::kind_of(&phrase.value).filter(|kind| kind.holds == Holds::Choice) {
        found.retract(kind.key, &phrase.value, Category::Preference);
    }
    let key = format!("opinion_of_{}", phrase::slug(&phrase.value));
    found.state(&key, "dislikes", Category::Preference, 0.8).map(|_| ())
}

fn name(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let name = phrase::proper(&with[1]).or_else(|| phrase::lone_word(&with[1]))?;
    found.state("name", &name, Category::Personal, 0.95).map(|_| ())
}

fn called(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let name = phrase::proper(&with[1])?;
    found.state("name", &name, Category::Personal, 0.95).map(|_| ())
}

fn location(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    place(found, &with[1])
}

fn origin(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let place = phrase::proper(&with[1])?;
    found.state("hometown", &place, Category::Biographical, 0.8).map(|_| ())
}

fn place(found: &mut Found, text: &str) -> Option<()> {
    let since = phrase::since(text);
    let place = phrase::proper(text).or_else(|| phrase::lone_word(text))?;
    found.state("location", &place, Category::Personal, 0.9)?.since = since;
    Some(())
}

fn employer(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let since = phrase::since(&with[1]);
    let employer = phrase::proper(&with[1])?;
    found.state("employer", &employer, Category::Professional, 0.9)?.since = since;
    if let Some((_, as_what)) = with[1].split_once(" as ") {
        state_role(found, as_what);
    }
    Some(())
}

fn role(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    state_role(found, &with[1])
}

/// A role, and the employer where that follows.
fn state_role(found: &mut Found, text: &str) -> Option<()> {
    let role = phrase::role(text)?;
    found.state("role", &role, Category::Professional, 0.9)?;
    if let Some((_, at)) = text.split_once(" at ")
        && let Some(employer) = phrase::proper(at)
    {
        found.state("employer", &employer, Category::Professional, 0.9);
    }
    Some(())
}

fn is_a(found: &mut Found, with: &Captures<'_>) -> Option<()> {
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
            return like(found, rest.trim_start_matches("fan of "));
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

fn switched(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let to = phrase::read(&with[2])?;
    let Some(kind) = lexicon::kind_of(&to.value) else {
        let moved = with[0].to_lowercase().contains("moved");
        return moved.then(|| place(found, &with[2]))?;
    };
    if let Some(from) = with.get(1).filter(|_| kind.used() != kind.key) {
        take_back_thing(found, from.as_str());
    }
    let stated = found.state(kind.used(), &to.value, kind.category(), 0.9)?;
    stated.context = to.context;
    stated.since = to.since;
    Some(())
}

fn favourite(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let phrase = phrase::read(&with[3]).filter(phrase::is_general)?;
    let noun = with[2].to_lowercase();
    if let Some(kind) = lexicon::kind_named(&noun) {
        return found.choice(kind, &phrase, 0.9);
    }
    let is_taste = with[1].to_lowercase().starts_with("favo") && !matches!(noun.as_str(), "part" | "thing" | "bit" | "one");
    if !is_taste {
        return None;
    }
    let key = format!("favourite_{}", phrase::slug(&noun));
    found.state(&key, &phrase.value, Category::Preference, 0.9).map(|_| ())
}

fn my(found: &mut Found, with: &Captures<'_>) -> Option<()> {
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
fn own_key(noun: &str) -> Option<&'static str> {
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

fn response_language(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let language = phrase::capitalised_language(&with[1])?;
    found.state("response_language", language, Category::Preference, 0.9).map(|_| ())
}

fn response_length(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let words = with.iter().skip(1).flatten().next()?.as_str().to_owned();
    found.length_of_responses(&words, 0.9)
}

fn opinion(found: &mut Found, with: &Captures<'_>) -> Option<()> {
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
    let stated = found.state(&format!("preferred_{noun}"), &phrase.value, Category::Preference, 0.85)?;
    stated.context = phrase.over.map(|over| format!("over {over}")).or(phrase.context);
    Some(())
}

fn like(found: &mut Found, text: &str) -> Option<()> {
    let phrase = phrase::read(text).filter(phrase::is_general)?;
    if let Some(kind) = lexicon::kind_of(&phrase.value).filter(|kind| kind.holds == Holds::Choice) {
        return found.choice(kind, &phrase, 0.8);
    }
    let key = format!("opinion_of_{}", phrase::slug(&phrase.value));
    found.state(&key, "likes", Category::Preference, 0.8).map(|_| ())
}

fn uses(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    found.use_of(&with[1])
}

fn learning(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let phrase = phrase::read(&with[1]).filter(phrase::is_general)?;
    found.profile.learning_goals.get_or_insert_default().push(phrase.value);
    Some(())
}

fn directive(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let (verb, object) = with[2].split_once(' ')?;
    let verb = verb.to_lowercase();
    let is_strict = matches!(with[1].to_lowercase().as_str(), "always" | "never");
    let about_this: &[&str] = if is_strict { &["it", "this", "that"] } else { &["it", "this", "that", "these", "those", "the", "my"] };
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

impl Found {
    /// An order for all time to come, kept in its own words under what it is about.
    fn order(&mut self, verb: &str, object: &str, words: &str, confidence: f64) -> Option<()> {
        let noun = phrase::read(object)
            .filter(|phrase| lexicon::kind_of(&phrase.value).is_some())
            .map(|phrase| phrase::slug(&phrase.value))
            .or_else(|| phrase::head_noun(object))
            .unwrap_or_else(|| phrase::slug(verb));
        let words = phrase::cleaned(words.trim_start_matches("please ").trim_start_matches("Please "));
        self.state(&format!("directive_{noun}"), &phrase::uncapitalised(&words), Category::Preference, confidence)
            .map(|_| ())
    }
}
