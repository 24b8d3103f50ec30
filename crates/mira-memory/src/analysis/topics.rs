//! What a text is about, by its technical terms, its names and the words that it repeats.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};

use super::{GENERAL, MAX_TOPICS, lexicon};

/// The longest topic, in characters.
pub(super) const MAX_CHARS: usize = 40;

/// What technical messages are about, by the words that say so.
static TERMS: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    [
        ("api", "api apis"),
        ("architecture", "architecture"),
        ("async", "async"),
        ("authentication", "auth authentication login oauth"),
        ("authorization", "authorization"),
        ("backend", "backend"),
        ("backup", "backup"),
        ("bug", "bug bugs"),
        ("cache", "cache caching"),
        ("ci", "ci"),
        ("compiler", "compiler"),
        ("concurrency", "concurrency deadlock"),
        ("configuration", "config configuration"),
        ("database", "database"),
        ("debug", "debug debugging"),
        ("deployment", "deploy deployed deployment"),
        ("documentation", "docs documentation"),
        (
            "error",
            "crash crashes error errors exception exceptions panic panics",
        ),
        ("fix", "fix fixed fixes"),
        ("frontend", "frontend"),
        ("migration", "migration migrations"),
        ("monitoring", "monitoring"),
        ("parser", "parser"),
        ("performance", "benchmark latency performance"),
        ("production", "production"),
        ("query", "queries query"),
        ("refactoring", "refactor refactoring"),
        ("regex", "regex"),
        ("release", "release"),
        ("schema", "schema"),
        ("security", "encryption security tls vulnerability"),
        ("sql", "sql"),
        ("testing", "test testing tests"),
        ("websocket", "websocket websockets"),
    ]
    .into_iter()
    .flat_map(|(term, words)| words.split(' ').map(move |word| (word, term)))
    .collect()
});

/// Words that are no topics, besides those of three letters and fewer.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "able about above actually after again all almost already also although always and another any anyone \
    anything are around ask back bad because been before being best better between big bit both but call \
    came can cannot come comes could course day did didn different does doesn doing don done down each \
    either else enough even ever every everything example far feel few find first for found from gave get \
    gets getting give given goes going gonna good got great had has have haven having hello help her here \
    him his hope how however i'll idea instead into isn issue it's its just keep kind knew know last \
    least less let let's lets like little long look looking looks lot lots love made make makes making \
    many may maybe mean means might more most much must myself need needs never new next nice not nothing \
    now off okay old once one only other others our out over own part people perfect place please point \
    prefer pretty probably problem put question quite rather really right said same saw say see seem \
    seems seen she should show since some someone something soon sorry still stuff such sure take talk \
    tell than thank thanks that that's the their them then there there's these they thing things think \
    this those though thought through time today together told tomorrow too took tried try trying two \
    under until upon use used uses using usually very want wanted wants was way ways week well went were \
    what when where whether which while who whole why will with without won work working works would \
    wouldn wow wrong yeah year years yes yesterday yet you your yours"
        .split_whitespace()
        .collect()
});

/// How much a sign counts: an everyday word, a name, something in code, a term.
const WORD: f64 = 1.0;
const NAME: f64 = 2.2;
const CODE: f64 = 2.4;
const TERM: f64 = 3.0;

#[derive(Debug)]
struct Candidate {
    shown: String,
    weight: f64,
    count: u32,
    first: usize,
    /// Whether one mention suffices.
    certain: bool,
}

/// Up to [`MAX_TOPICS`] topics in lower case, the strongest first; [`GENERAL`] when there are none.
pub(super) fn of(prose: &str, language: Option<&str>) -> Vec<String> {
    let stemmer = Stemmer::create(Algorithm::English);
    let mut candidates: HashMap<String, Candidate> = HashMap::new();
    let mut starts_sentence = true;
    for (at, raw) in prose.split_whitespace().enumerate() {
        let word = raw.trim_matches(|c: char| !c.is_alphanumeric() && c != '_' && c != '+' && c != '#');
        if let Some((shown, weight)) = judged(word, raw, starts_sentence) {
            let certain = weight > WORD;
            let key = if certain {
                shown.clone()
            } else {
                stemmer.stem(&shown).into_owned()
            };
            let known = candidates.entry(key).or_insert(Candidate {
                shown,
                weight,
                count: 0,
                first: at,
                certain,
            });
            known.count += 1;
            known.weight = known.weight.max(weight);
        }
        starts_sentence = raw.ends_with(['.', '!', '?', ':', '\n']);
    }
    if let Some(language) = language {
        let first = usize::MAX;
        let known = candidates.entry(language.to_owned());
        known.or_insert(Candidate {
            shown: language.to_owned(),
            weight: TERM,
            count: 1,
            first,
            certain: true,
        });
    }
    let mut found: Vec<Candidate> = candidates.into_values().collect();
    found.sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.first.cmp(&b.first)));
    // Words that come once are topics only where nothing better is there.
    let repeated = found
        .iter()
        .filter(|candidate| candidate.certain || candidate.count > 1)
        .count();
    let wanted = repeated.clamp(2, MAX_TOPICS);
    let mut topics: Vec<String> = found
        .into_iter()
        .take(wanted)
        .map(|candidate| candidate.shown)
        .collect();
    if topics.is_empty() {
        topics.push(GENERAL.to_owned());
    }
    topics
}

fn score(candidate: &Candidate) -> f64 {
    // A word that is repeated ten times is not ten times the topic.
    candidate.weight * f64::from(candidate.count).sqrt()
}

/// What a word is as a topic, if it can be one.
fn judged(word: &str, raw: &str, starts_sentence: bool) -> Option<(String, f64)> {
    let chars = word.chars().count();
    if !(2..=MAX_CHARS).contains(&chars) || !word.chars().any(char::is_alphabetic) || word.contains("://") {
        return None;
    }
    let lower = word.to_lowercase();
    if let Some(term) = TERMS.get(lower.as_str()) {
        return Some(((*term).to_owned(), TERM));
    }
    if lexicon::is_technical(&lower) {
        return Some((lower, TERM));
    }
    let plain = lower.split_once('\'').map_or(lower.as_str(), |(plain, _)| plain);
    if COMMON.contains(plain) {
        return None;
    }
    let is_identifier = raw.starts_with('`') || word.contains('_') || is_camel_case(word) || is_file(&lower);
    if is_identifier
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '/' | '-'))
    {
        return Some((lower, CODE));
    }
    if !plain.chars().all(|c| c.is_alphabetic() || c == '-') {
        return None;
    }
    let is_name = word.starts_with(char::is_uppercase) && chars >= 3 && !starts_sentence;
    if is_name {
        Some((plain.to_owned(), NAME))
    } else {
        (chars >= 4).then(|| (plain.to_owned(), WORD))
    }
}

fn is_camel_case(word: &str) -> bool {
    let mut pairs = word.chars().zip(word.chars().skip(1));
    pairs.any(|(a, b)| a.is_lowercase() && b.is_uppercase())
}

fn is_file(lower: &str) -> bool {
    lower.rsplit_once('.').is_some_and(|(name, ending)| {
        !name.is_empty()
            && matches!(
                ending,
                "rs" | "ts"
                    | "tsx"
                    | "js"
                    | "jsx"
                    | "py"
                    | "go"
                    | "java"
                    | "toml"
                    | "json"
                    | "yaml"
                    | "yml"
                    | "md"
                    | "sql"
                    | "html"
                    | "css"
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_terms_names_and_repeated_words() {
        let cases: [(&str, &[&str]); 6] = [
            ("", &["general"]),
            ("ok, and you?", &["general"]),
            (
                "The login fails with an error in `parse_token`.",
                &["authentication", "error", "parse_token"],
            ),
            ("We went to Lisbon with Caroline.", &["lisbon", "caroline"]),
            (
                "Gardens need water. A garden without watering dies.",
                &["gardens", "water"],
            ),
            ("Postgres migrations are slow", &["postgres", "migration"]),
        ];
        for (text, topics) in cases {
            assert_eq!(of(text, None), topics, "{text}");
        }
        assert_eq!(of("hm", Some("rust")), ["rust"]);
    }
}
