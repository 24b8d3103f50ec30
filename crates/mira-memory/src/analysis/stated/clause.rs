//! A message in clauses that the user says in earnest and in person: without code, quotations, questions and
//! hypotheses.

use std::sync::LazyLock;

use regex::Regex;

use crate::expression::fixed;

/// Whoever says one of these in a sentence does not say how things are.
static SUPPOSED: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?ix)\b(?: if | unless | would | could | might | maybe | perhaps | suppose | supposing | imagine | pretend
          | hypothetically | let's\ say | say\ i | for\ example | e\.g | for\ instance | assuming | wish | whether
          | i'd | act\ as | role-?play | user\ story | as\ an?\ \w+,\ i | says? | said | told | thinks | asked | wrote
          | claims | joking | kidding )\b",
    )
});

/// Where a new clause with its own subject begins within a sentence.
static JOINT: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?ix)(?: ,\s* (?: (?: and | but | so | also | plus | then )\s+ )?
            | \s+ (?: and | but | so | also | plus | while | though | although ) \s+ )
          (i | i'm | i've | my | we | please | always | never | don't | do\ not | call\ me )\b",
    )
});

/// Words that open a clause and change nothing of what it says; the longer ones first.
static OPENING: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?ix)^(?: (?: hi\ there | hello\ there | hey\ there | good\ morning | hi | hello | hey | and | but | so | also
          | plus | then | well | okay | ok | yes | yeah | yep | nope | no | actually | oh | btw | by\ the\ way | fyi
          | for\ the\ record | just\ so\ you\ know | in\ general | generally | personally | honestly | usually
          | these\ days | nowadays | currently | as\ a\ rule | for\ your\ information | one\ more\ thing | thanks
          | thank\ you | in\ my\ opinion | imo | i\ think | i\ believe | you\ should\ know | know\ that | for\ me | as\ for\ me
          | mira )\b (?:\ that\b)? [,:!.\s–-]* )+",
    )
});

static GREETING: LazyLock<Regex> = LazyLock::new(|| fixed(r"(?i)^(?:hi|hello|hey|good morning)\b"));

static QUOTED: LazyLock<Regex> = LazyLock::new(|| fixed("\"[^\"\n]{1,400}\"|`[^`\n]{1,200}`"));

static ABBREVIATION: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"(?i)(?:^|\W)(?:e\.g|i\.e|vs|mr|mrs|ms|dr|st|approx|\w)$"));

/// One clause.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clause {
    /// Without what opens it, and without the mark that ends it.
    pub text: String,
    /// Whether the sentence begins with a greeting, after which people say who they are.
    pub greeted: bool,
}

/// The clauses of a message, in order.
pub(super) fn of(text: &str) -> Vec<Clause> {
    let prose = prose(text);
    sentences(&prose)
        .filter(|sentence| !SUPPOSED.is_match(sentence))
        .flat_map(|sentence| {
            let greeted = GREETING.is_match(sentence);
            parts(sentence).map(move |part| Clause {
                text: OPENING.replace(part.trim(), "").trim().to_owned(),
                greeted,
            })
        })
        .filter(|clause| !clause.text.is_empty())
        .collect()
}

/// What the user wrote as prose, with typewriter quotes.
fn prose(text: &str) -> String {
    let mut in_fence = false;
    let mut prose = String::with_capacity(text.len());
    for line in text.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            in_fence = !in_fence;
            continue;
        }
        if in_fence || trimmed.starts_with('>') || line.starts_with('\t') || line.starts_with("    ") {
            continue;
        }
        let line: String = trimmed
            .trim_start_matches(['-', '*', '•', '#'])
            .trim_start()
            .chars()
            .map(|c| match c {
                '’' | '‘' => '\'',
                '“' | '”' | '„' => '"',
                other => other,
            })
            .collect();
        let unquoted = QUOTED.replace_all(&line, |found: &regex::Captures<'_>| {
            let inner = found[0].trim_matches(['"', '`']);
            // A name in quotes is still the speaker's own word; a sentence in quotes is somebody else's.
            if inner.split_whitespace().count() <= 2 {
                inner.to_owned()
            } else {
                "…".to_owned()
            }
        });
        prose.push_str(&unquoted);
        prose.push('\n');
    }
    prose
}

/// The sentences that are no questions, without their last mark.
fn sentences(prose: &str) -> impl Iterator<Item = &str> {
    let mut rest = prose;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = sentence_end(rest);
            let (sentence, after) = rest.split_at(end);
            let mut marks = after
                .char_indices()
                .take_while(|(_, c)| matches!(c, '.' | '!' | '?' | ';' | '\n' | '。'));
            let asked = marks.by_ref().any(|(_, c)| c == '?');
            rest = after.trim_start_matches(['.', '!', '?', ';', '\n', '。', ' ']);
            let sentence = sentence.trim();
            if !asked && !sentence.is_empty() {
                return Some(sentence);
            }
        }
        None
    })
}

/// Where the first sentence ends: before a mark that a blank or nothing follows.
fn sentence_end(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let followed = chars
            .peek()
            .is_none_or(|(_, next)| next.is_whitespace() || matches!(next, '.' | '!' | '?'));
        let ends = match c {
            '\n' | ';' | '。' => true,
            '!' | '?' => followed,
            '.' => followed && !text.get(..at).is_some_and(ends_in_abbreviation),
            _ => false,
        };
        if ends {
            return at;
        }
    }
    text.len()
}

fn ends_in_abbreviation(text: &str) -> bool {
    let start = text.char_indices().rev().nth(7).map_or(0, |(at, _)| at);
    text.get(start..).is_some_and(|tail| ABBREVIATION.is_match(tail))
}

fn parts(sentence: &str) -> impl Iterator<Item = &str> {
    let mut at = 0;
    let mut joints = JOINT.captures_iter(sentence);
    let mut done = false;
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        let joint = joints
            .next()
            .and_then(|found| Some((found.get(0)?.start(), found.get(1)?.start())));
        let (end, next) = joint.unwrap_or((sentence.len(), sentence.len()));
        done = joint.is_none();
        let part = sentence.get(at..end).unwrap_or_default();
        at = next;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_falls_into_clauses_of_its_own_words() {
        let cases: [(&str, &[&str]); 8] = [
            (
                "Hi, I'm Anna and I live in Berlin. I use Node.js 20.1!",
                &["I'm Anna", "I live in Berlin", "I use Node.js 20.1"],
            ),
            ("Do you know? I do.", &["I do"]),
            ("Would you prefer tabs? I would prefer tabs.", &[]),
            ("> I prefer tabs\nNot me", &["Not me"]),
            ("```\nI prefer tabs\n```\nBtw, my name’s Jo", &["my name's Jo"]),
            ("He wrote \"I hate this language\" on it", &[]),
            ("I use `cargo nextest`, but I like “jest” e.g. at work", &[]),
            (
                "Use tabs; never spaces\n\n- I am a nurse",
                &["Use tabs", "never spaces", "I am a nurse"],
            ),
        ];
        for (text, expected) in cases {
            let clauses = of(text);
            let texts: Vec<&str> = clauses.iter().map(|clause| clause.text.as_str()).collect();
            assert_eq!(texts, expected, "{text}");
        }
    }
}
