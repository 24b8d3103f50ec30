//! The words of a text, as they are indexed and looked for.

use rust_stemmers::{Algorithm, Stemmer};

use crate::form;

/// A word is cut to this many characters; longer ones are hashes and encodings.
const MAX_WORD_CHARS: usize = 40;

/// Words that stand in every text and tell nothing.
const STOP_WORDS: &[&str] = &[
    "a", "about", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could",
    "did", "do", "does", "for", "from", "had", "has", "have", "he", "her", "him", "his", "how", "i", "if",
    "in", "into", "is", "it", "its", "just", "me", "my", "no", "not", "of", "on", "or", "our", "s", "she",
    "so", "some", "t", "that", "the", "their", "them", "then", "there", "these", "they", "this", "to", "too",
    "was", "we", "were", "what", "when", "where", "which", "who", "whom", "whose", "why", "will", "with",
    "would", "you", "your",
];

/// Calls `found` with each word of a text, in order: lower case, stemmed (Porter 2), without stop words. The parts of
/// `camelCase` are words of their own beside the whole; scripts without spaces between words give pairs of characters.
pub(crate) fn each(text: &str, mut found: impl FnMut(&str)) {
    let stemmer = Stemmer::create(Algorithm::English);
    let mut emit = |word: &str| {
        let word = word.to_lowercase();
        if STOP_WORDS.binary_search(&word.as_str()).is_ok() {
            return;
        }
        found(&stemmer.stem(form::cut(&word, MAX_WORD_CHARS)));
    };
    for run in text.split(|c: char| !c.is_alphanumeric()).flat_map(by_script) {
        if run.starts_with(is_unspaced) {
            pairs(run, &mut emit);
            continue;
        }
        emit(run);
        let mut parts = camel_parts(run).peekable();
        let first = parts.next();
        if parts.peek().is_some() {
            first.into_iter().chain(parts).for_each(&mut emit);
        }
    }
}

/// The words of a text.
pub(crate) fn of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    each(text, |word| words.push(word.to_owned()));
    words
}

/// `Rustで書く` → `Rust`, `で書く`.
fn by_script(run: &str) -> impl Iterator<Item = &str> {
    let mut rest = run;
    std::iter::from_fn(move || {
        let unspaced = is_unspaced(rest.chars().next()?);
        let end = rest.find(|c| is_unspaced(c) != unspaced);
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        Some(part)
    })
}

/// `parseHTTPRequest` → `parse`, `HTTP`, `Request`.
fn camel_parts(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let mut chars = rest.char_indices().peekable();
        let mut before = chars.next()?.1;
        let mut end = rest.len();
        while let Some((at, here)) = chars.next() {
            let after = chars.peek().is_some_and(|(_, after)| after.is_lowercase());
            if here.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && after)) {
                end = at;
                break;
            }
            before = here;
        }
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(part)
    })
}

fn pairs(run: &str, emit: &mut impl FnMut(&str)) {
    let chars: Vec<char> = run.chars().collect();
    if chars.len() == 1 {
        emit(run);
    }
    for pair in chars.windows(2) {
        emit(&pair.iter().collect::<String>());
    }
}

/// Han, kana, Hangul, Thai: written without spaces, or with spaces that do not part words.
fn is_unspaced(c: char) -> bool {
    matches!(
        c,
        '\u{0E00}'..='\u{0E7F}'
            | '\u{3005}'..='\u{3007}'
            | '\u{3040}'..='\u{30FF}'
            | '\u{3400}'..='\u{9FFF}'
            | '\u{AC00}'..='\u{D7AF}'
            | '\u{F900}'..='\u{FAFF}'
            | '\u{20000}'..='\u{3FFFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_stemmed_parted_and_without_the_ones_that_say_nothing() {
        let cases: [(&str, &[&str]); 9] = [
            (
                "What did she say about the running tests?",
                &["say", "run", "test"],
            ),
            (
                "parseHTTPRequest()",
                &["parsehttprequest", "pars", "http", "request"],
            ),
            ("max_open_files", &["max", "open", "file"]),
            ("8 May 2023", &["8", "may", "2023"]),
            ("東京タワー", &["東京", "京タ", "タワ", "ワー"]),
            (
                "Rustで書いたfooBar",
                &["rust", "で書", "書い", "いた", "foobar", "foo", "bar"],
            ),
            ("人々 猫", &["人々", "猫"]),
            ("straße Ünïcode aB", &["straße", "ünïcode", "ab", "b"]),
            ("", &[]),
        ];
        for (text, words) in cases {
            assert_eq!(of(text), words, "{text}");
        }
        assert!(STOP_WORDS.is_sorted());
        assert_eq!(of(&"x".repeat(500)), ["x".repeat(MAX_WORD_CHARS)]);
        assert_eq!(of(&"é".repeat(500)), ["é".repeat(MAX_WORD_CHARS)]);
    }
}
