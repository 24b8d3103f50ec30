//! Keys and values as they are compared.

/// What a stated value says beside a known one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// The same, apart from case, blanks and punctuation.
    Same,
    /// The known value and more: `Berlin` and then `Berlin, Kreuzberg`.
    Finer,
    /// Less than is known, without denying it: `Berlin, Kreuzberg` and then `Berlin`.
    Coarser,
    /// Something else.
    Other,
}

/// The last words of keys that hold several values at once.
const MANY: &[&str] = &[
    "allergies",
    "allergy",
    "book",
    "books",
    "brothers",
    "certifications",
    "child",
    "children",
    "colleague",
    "colleagues",
    "cousins",
    "databases",
    "daughters",
    "device",
    "devices",
    "directive",
    "directives",
    "dislike",
    "dislikes",
    "frameworks",
    "friend",
    "friends",
    "games",
    "goal",
    "goals",
    "hates",
    "hobbies",
    "hobby",
    "instruments",
    "interest",
    "interests",
    "kids",
    "knows",
    "known",
    "languages",
    "libraries",
    "library",
    "like",
    "likes",
    "loves",
    "movies",
    "note",
    "notes",
    "owns",
    "pet",
    "pets",
    "platforms",
    "projects",
    "reminder",
    "reminders",
    "sibling",
    "siblings",
    "sisters",
    "skill",
    "skills",
    "sons",
    "speaks",
    "sports",
    "technologies",
    "tool",
    "tools",
    "topics",
    "used",
    "uses",
    "visited",
];

/// What turns the words after or before it into their opposite.
const NEGATIONS: &[&str] = &[
    "avoid", "avoids", "dont", "except", "instead", "kein", "keine", "neither", "never", "nicht", "nie",
    "no", "not", "nor", "over", "rather", "than", "without",
];

/// Whether statements with this key stand beside each other instead of contradicting. That goes by the last word of the
/// key: `pets`, `spoken_languages`, `tools_used`; but `programming_language` has one value.
pub fn holds_many(key: &str) -> bool {
    let last = key.rsplit('_').next().unwrap_or(key);
    MANY.contains(&last)
}

/// A key in the form that is stored: lower case, words joined by `_`.
pub(super) fn key(text: &str, max_chars: usize) -> String {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric() && c != '+' && c != '#')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("_").chars().take(max_chars).collect()
}

/// A text on one line without repeated blanks, of at most so many characters.
pub(crate) fn line(text: &str, max_chars: usize) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let kept: String = joined
        .chars()
        .filter(|c| !c.is_control())
        .take(max_chars)
        .collect();
    kept.trim_end().to_owned()
}

/// What `stated` says beside `known`, where a key holds one value, or `many`. Words alone do not make a value of many
/// finer: who likes coffee with milk may also like coffee.
pub(super) fn relation(known: &str, stated: &str, many: bool) -> Relation {
    let (known_words, stated_words) = (words(known), words(stated));
    if known_words == stated_words {
        Relation::Same
    } else if details(known, stated) || (!many && contains(&stated_words, &known_words)) {
        Relation::Finer
    } else if details(stated, known) {
        Relation::Coarser
    } else {
        Relation::Other
    }
}

/// Whether `fact` is, or says in more words, what somebody takes back.
pub(super) fn is_taken_back(fact: &str, taken_back: &str) -> bool {
    let (fact, taken_back) = (words(fact), words(taken_back));
    taken_back.is_empty() || fact == taken_back || contains(&fact, &taken_back)
}

/// Whether `full` is `short` and then a detail set off by a comma, colon or bracket, or a version.
fn details(short: &str, full: &str) -> bool {
    let (short, full) = (short.trim().to_lowercase(), full.trim().to_lowercase());
    let Some(rest) = full.strip_prefix(&short) else {
        return false;
    };
    let version = rest
        .strip_prefix(' ')
        .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'x')));
    !short.is_empty()
        && (version || rest.trim_start().starts_with([',', ':', '(']))
        && !words(rest).iter().any(|word| NEGATIONS.contains(&word.as_str()))
}

/// Whether the words of `part` stand in `whole` in one piece, and nothing else there denies them.
fn contains(whole: &[String], part: &[String]) -> bool {
    let denies = |words: &[String]| words.iter().any(|word| NEGATIONS.contains(&word.as_str()));
    !part.is_empty()
        && part.len() < whole.len()
        && whole.windows(part.len()).any(|window| window == part)
        && denies(part) == denies(whole)
}

/// The words of a value. `+` and `#` belong to them, so that C, C++ and C# differ; a value of signs alone is one word.
fn words(value: &str) -> Vec<String> {
    let lower = value.to_lowercase().replace('\'', "");
    let words: Vec<String> = lower
        .split(|c: char| !c.is_alphanumeric() && c != '+' && c != '#')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let signs = lower.trim();
    if words.is_empty() && !signs.is_empty() {
        return vec![signs.to_owned()];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_by_their_words() {
        use Relation::{Coarser, Finer, Other, Same};
        let cases = [
            ("tabs", "Tabs", false, Same),
            ("snake_case", "Snake case.", false, Same),
            ("🦀", "🦀", false, Same),
            ("🦀", "🐍", false, Other),
            ("C", "C++", false, Other),
            ("C++", "C#", false, Other),
            ("Berlin", "Berlin, Kreuzberg", false, Finer),
            ("Berlin", "the outskirts of Berlin", false, Finer),
            ("Berlin, Kreuzberg", "Berlin", false, Coarser),
            ("PostgreSQL 17.2", "postgresql", false, Coarser),
            ("Java", "JavaScript", false, Other),
            ("tabs", "not tabs", false, Other),
            ("tabs", "spaces instead of tabs", false, Other),
            ("spaces instead of tabs", "tabs", false, Other),
            ("Berlin, not Hamburg", "Berlin", false, Other),
            ("Anna", "Anna Schmidt", false, Finer),
            ("Anna Schmidt", "Anna", false, Other),
            ("coffee", "coffee with milk", true, Other),
            ("cat", "cat (Tom)", true, Finer),
            ("Python 3", "Python", true, Coarser),
            ("Python 3", "Python 2", true, Other),
        ];
        for (known, stated, many, expected) in cases {
            assert_eq!(
                relation(known, stated, many),
                expected,
                "{known:?}, then {stated:?}"
            );
        }
    }

    #[test]
    fn what_is_taken_back_may_be_known_in_more_words() {
        let cases = [
            ("Berlin, Kreuzberg", "berlin", true),
            ("Berlin", "", true),
            ("Berlin", "Berlin, Kreuzberg", false),
            ("JavaScript", "Java", false),
            ("never Vim", "Vim", false),
        ];
        for (fact, taken_back, expected) in cases {
            assert_eq!(
                is_taken_back(fact, taken_back),
                expected,
                "{fact:?}, {taken_back:?}"
            );
        }
    }

    #[test]
    fn keys_that_are_written_differently_meet() {
        for text in ["Code Style", "code-style", " code__style ", "CODE_STYLE."] {
            assert_eq!(key(text, 80), "code_style", "{text:?}");
        }
        assert_eq!(key("äöü ß", 3), "äöü");
        assert!(holds_many("tools_used") && holds_many("pet") && !holds_many("programming_language"));
    }
}
