//! What follows the verb of a statement: a thing, what it is above, why or when, and since when.

use std::sync::LazyLock;

use regex::Regex;

use crate::analysis::lexicon;
use crate::expression::fixed;

/// The longest value that is still one statement.
const MAX_WORDS: usize = 12;

/// The longest part of a key.
const MAX_SLUG_CHARS: usize = 40;

/// One thing and what is said around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phrase {
    pub value: String,
    /// What the thing is preferred to.
    pub over: Option<String>,
    /// Why, when or what for, with its first word.
    pub context: Option<String>,
    /// RFC 3339 date.
    pub since: Option<String>,
}

static OVER: LazyLock<Regex> = LazyLock::new(|| {
    fixed(r"(?i),?\s+(?:over|instead of|rather than|more than|much more than|as opposed to|and not|not)\s+")
});

static CONTEXT: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i),?\s+(?:for|when|whenever|because|as long as|so that|on|in|with|at|during|while|until|to|as|since|from|every)\s",
    )
});

/// Only what cannot be part of a name or an activity.
static REASON: LazyLock<Regex> = LazyLock::new(|| {
    fixed(r"(?i),?\s+(?:when|whenever|because|as long as|so that|while|until|since|which|as it|,)\s")
});

static TAIL: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?ix)(?: [\s,]+ (?: please | thanks | thank\ you | btw | by\ the\ way | too | as\ well | right\ now | now
          | these\ days | nowadays | at\ the\ moment | currently | a\ lot | very\ much | so\ much | anyway | though
          | actually | generally | usually | in\ general | instead | everywhere | better | the\ most | most | best | more ) )+$",
    )
});

static ARTICLE: LazyLock<Regex> = LazyLock::new(|| fixed(r"(?i)^(?:an?|the|some|using|to use)\s+"));

/// What goes without changing whether a particular thing is meant.
static INDEFINITE: LazyLock<Regex> = LazyLock::new(|| fixed(r"(?i)^(?:an?|using)\s+"));

static PROPER: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"^(?:[Tt]he )?\p{Lu}[\w'.&-]*(?:(?:,? | (?:of|de|del|la|le|der|den|am|an|upon|von|van) )\p{Lu}[\w'.&-]*){0,5}",
    )
});

static SINCE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)\b(?:since|as of)\s+(?:(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+)?((?:19|20)[0-9]{2})\b",
    )
});

static ROLE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?ix)^((?:[\w+\#.&/-]+\s+){0,4}
          (?: engineer | developer | dev | programmer | designer | student | teacher | doctor | physician | scientist
            | researcher | manager | architect | consultant | founder | co-?founder | freelancer | analyst | administrator
            | admin | sysadmin | writer | nurse | lawyer | professor | cto | ceo | sre | lead | intern | accountant
            | journalist | artist | musician | photographer | translator | librarian | physicist | biologist | chemist
            | mathematician | statistician | economist | electrician | mechanic | chef | pilot | data\ scientist ))
          \b(?: \s+ (?: at | in | for | by | with | from | on | working | specialised | specialized | who | and ) \b .* | \s* , .* )?$",
    )
});

/// First words of what is about the matter at hand and not about things in general.
const PARTICULAR: &str = "it this that these those the how what your you when where him her them everything to my his their our \
    its all both one any not too very so broken wrong failing slow down dead gone missing empty null \
    undefined crashing giving throwing getting being just still why whether in on at stuck acting there \
    some something anything nothing no another every each such here seeing having if about full as me \
    with from working running now also always never currently";

/// Verbs of an order that can hold for all time to come.
const ORDERS: &str = "use write add put include commit push run change touch edit answer reply respond explain format \
    create generate make ask assume show keep give start end delete remove modify install import call \
    prefer suggest mention apologize apologise refactor rename test check return throw panic unwrap log \
    print comment document wrap name quote cite translate follow avoid do be provide send tell speak talk \
    stick address deploy merge rebase squash mock sort indent store share propose repeat";

/// Of those, the ones that speak of a habit even without "always" or "never".
const STANDING: &str = "use us add write writ include includ generate generat explain apologize apologiz apologise apologis \
    mention suggest comment repeat mock";

const LANGUAGES: &str = "English German French Spanish Italian Portuguese Dutch Polish Russian Ukrainian Turkish Arabic Hebrew \
    Hindi Chinese Japanese Korean Swedish Norwegian Danish Finnish Czech Greek Hungarian Romanian \
    Vietnamese Thai Indonesian";

fn among(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|known| known == word)
}

/// A text without the marks around it and what politeness adds, on one line.
pub(super) fn cleaned(text: &str) -> String {
    let text = text.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '.' | ',' | ';' | ':' | '!' | '"' | '(' | ')')
    });
    TAIL.replace(text, "").trim_end_matches([',', ' ']).to_owned()
}

/// Reads a phrase; `None` when it is empty or too long to be one thing.
pub(super) fn read(text: &str) -> Option<Phrase> {
    let since = since(text);
    let text = SINCE.replace(text, "");
    let text = cleaned(&text);
    let (text, over) = split(&text, &OVER);
    let (short, context) = split(text, &CONTEXT);
    let short = cleaned(short);
    // "The" with a capital is part of a name.
    let short = if short.starts_with("The ") {
        short
    } else {
        without_article(&short)
    };
    // Where the short form is no known thing or name, the rest may belong to it: "working in the morning".
    let known = list(&short).all(|thing| lexicon::kind_of(thing).is_some())
        || proper(&short).as_ref() == Some(&short);
    let (value, context) = if known {
        (short, context)
    } else {
        let (long, reason) = split(text, &REASON);
        (INDEFINITE.replace(&cleaned(long), "").into_owned(), reason)
    };
    let fits = !value.is_empty() && value.split_whitespace().count() <= MAX_WORDS;
    fits.then(|| Phrase {
        value,
        over: over.map(|over| over_what(&over)).filter(|over| !over.is_empty()),
        context: context
            .map(|context| cleaned(&context))
            .filter(|context| !context.is_empty()),
        since,
    })
}

/// Like [`read`], after "prefer": "tabs to spaces", "to write tests first".
pub(super) fn preferred(text: &str) -> Option<Phrase> {
    let text = text.strip_prefix("to ").unwrap_or(text);
    let mut phrase = read(text)?;
    let to = phrase
        .context
        .as_deref()
        .and_then(|context| context.strip_prefix("to "));
    if let Some(other) = to.filter(|_| phrase.over.is_none()) {
        phrase.over = Some(cleaned(other));
        phrase.context = None;
    }
    Some(phrase)
}

/// Whether it is about things in general, and not about "this" or "the one you wrote".
pub(super) fn is_general(phrase: &Phrase) -> bool {
    let first = phrase
        .value
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let points = |word: &str| {
        matches!(
            word,
            "you" | "your" | "this" | "that" | "these" | "those" | "it" | "here"
        )
    };
    (!among(PARTICULAR, &first) || proper(&phrase.value).as_ref() == Some(&phrase.value))
        && phrase.value.chars().any(char::is_alphanumeric)
        && !phrase.value.to_lowercase().split_whitespace().any(points)
}

/// Whether it is one of the choices that were just offered.
pub(super) fn is_alternative(value: &str) -> bool {
    let offered = "option approach version variant solution second former latter one choice suggestion";
    value
        .to_lowercase()
        .split_whitespace()
        .any(|word| among(offered, word))
}

/// Whether it is written as only code is.
pub(super) fn is_identifier(value: &str) -> bool {
    let mut pairs = value.chars().zip(value.chars().skip(1));
    value.contains(['_', '(', ':', '<', '/']) || pairs.any(|(a, b)| a.is_lowercase() && b.is_uppercase())
}

fn over_what(over: &str) -> String {
    let (thing, _) = split(over, &CONTEXT);
    cleaned(thing)
}

/// What comes before the first match, and the match with what follows.
fn split<'t>(text: &'t str, at: &Regex) -> (&'t str, Option<String>) {
    let Some(found) = at.find(text) else {
        return (text, None);
    };
    let (before, after) = text.split_at(found.start());
    let after = after.trim_start_matches([',', ' ']);
    // The words over which something is preferred go without the word that says so.
    let after = match OVER.find(&format!(" {after}")) {
        Some(over) if over.start() == 0 => after.get(over.end() - 1..).unwrap_or_default(),
        Some(_) | None => after,
    };
    (before, Some(after.to_owned()))
}

fn without_article(text: &str) -> String {
    ARTICLE.replace(text, "").into_owned()
}

/// The things of "a, b and c".
pub(super) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .flat_map(|part| part.split(" and "))
        .flat_map(|part| part.split(" & "))
        .map(|thing| thing.trim().trim_start_matches("and ").trim())
        .filter(|thing| !thing.is_empty())
}

/// The name that a text begins with.
pub(super) fn proper(text: &str) -> Option<String> {
    let found = PROPER.find(text.trim())?;
    let name = found.as_str().trim_end_matches(['.', ',', '-', '&', '\'']);
    let is_pronoun = matches!(name, "I" | "I'm" | "The" | "It" | "This" | "That" | "A");
    (!is_pronoun).then(|| name.to_owned())
}

/// A name in lower case, if it is all that is said.
pub(super) fn lone_word(text: &str) -> Option<String> {
    let word = cleaned(text);
    let is_name = word.chars().all(|c| c.is_alphabetic() || c == '-') && word.chars().count() >= 2;
    let is_state = ["ed", "ing", "less"].iter().any(|ending| word.ends_with(ending));
    let is_known = among(PARTICULAR, &word)
        || matches!(
            word.as_str(),
            "town" | "peace" | "fear" | "alone" | "unknown" | "used" | "home" | "abroad" | "nearby"
        );
    (is_name && !is_state && !is_known).then_some(word)
}

/// The noun that a phrase is about, in the singular: "small, pure functions in Rust" → `function`.
pub(super) fn head_noun(text: &str) -> Option<String> {
    static END: LazyLock<Regex> = LazyLock::new(|| {
        fixed(
            r"(?i)(?:^|,?\s+)(?:for|in|when|whenever|with|that|which|to|on|at|of|because|before|after|by|from|over|if|unless|without|instead|into|as|and|or|than|while|first|always|everywhere|please)(?:\s|$)",
        )
    });
    let head = END
        .find(text)
        .map_or(text, |end| text.get(..end.start()).unwrap_or_default());
    let noun = slug(head.split_whitespace().next_back()?);
    let singular = if let Some(stem) = noun.strip_suffix("ies").filter(|stem| stem.len() > 2) {
        format!("{stem}y")
    } else if ["ss", "as", "us", "sis", "xis"]
        .iter()
        .any(|ending| noun.ends_with(ending))
        || noun.len() <= 3
    {
        noun
    } else {
        noun.strip_suffix('s').map(str::to_owned).unwrap_or(noun)
    };
    let says_something = !singular.is_empty() && !among(PARTICULAR, &singular);
    says_something.then_some(singular)
}

/// A text as a part of a key.
pub(super) fn slug(text: &str) -> String {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric() && c != '+' && c != '#')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("_").chars().take(MAX_SLUG_CHARS).collect()
}

/// The month or year since which something holds, as an RFC 3339 date.
pub(super) fn since(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let found = SINCE.captures(text)?;
    let month = found.get(1).map(|month| month.as_str().to_lowercase());
    let month = month
        .and_then(|month| MONTHS.iter().position(|known| *known == month))
        .unwrap_or(0)
        + 1;
    Some(format!("{}-{month:02}-01", &found[2]))
}

/// What somebody is by profession.
pub(super) fn role(text: &str) -> Option<String> {
    let text = without_article(text.trim());
    let found = ROLE.captures(&text)?;
    Some(found[1].to_owned())
}

pub(super) fn begins_with(text: &str, starts: &[&str]) -> bool {
    let text = text.to_lowercase();
    starts.iter().any(|start| {
        text.strip_prefix(start)
            .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    })
}

pub(super) fn is_order(verb: &str) -> bool {
    among(ORDERS, verb)
}

pub(super) fn is_standing(verb: &str) -> bool {
    among(STANDING, verb)
}

/// The name of a language that people speak.
pub(super) fn capitalised_language(text: &str) -> Option<&'static str> {
    LANGUAGES
        .split_whitespace()
        .find(|language| language.eq_ignore_ascii_case(text))
}

/// With a small first letter.
pub(super) fn uncapitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}

/// Whether a key holds several people or animals.
pub(super) fn is_plural(key: &str) -> bool {
    crate::fact::holds_many(key)
}
