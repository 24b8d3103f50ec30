//! How a message becomes the text that is indexed and embedded: with its speaker, and for words with its date.

use std::collections::HashSet;

use mira_store::Timestamp;
use time::OffsetDateTime;

use crate::lexical::words;
use crate::message::Role;
use crate::secret;

/// Rises whenever [`embedded`] changes, so that vectors of different forms are never mixed.
pub(crate) const VERSION: u32 = 1;

/// Words of a long message that are indexed. An assistant's replies are long and answer the question first.
const INDEXED_USER_WORDS: usize = 2_000;
const INDEXED_ASSISTANT_WORDS: usize = 200;

/// Characters of a message that are indexed at all.
const INDEXED_CHARS: usize = 64 * 1024;

/// Characters of a message that are embedded; an embedder reads a few hundred tokens well.
const EMBEDDED_CHARS: usize = 2_000;

/// Calls `found` with every word that a message is to be found by.
pub(crate) fn each_indexed(
    speaker: Option<&str>,
    role: Role,
    time: Timestamp,
    content: &str,
    mut found: impl FnMut(&str),
) {
    words::each(&date(time), &mut found);
    words::each(speaker.unwrap_or(role.as_str()), &mut found);
    let limit = match role {
        Role::User => INDEXED_USER_WORDS,
        Role::Assistant | Role::System => INDEXED_ASSISTANT_WORDS,
    };
    let mut indexed = 0;
    for line in cut(content, INDEXED_CHARS).lines() {
        // Headings tell what a long reply is about.
        let heading = line.starts_with('#');
        if heading || indexed < limit {
            words::each(line, |word| {
                if heading || indexed < limit {
                    indexed += 1;
                    found(word);
                }
            });
        }
    }
}

/// The text of a message that goes to an embedder. Secrets are masked.
pub(crate) fn embedded(speaker: Option<&str>, role: Role, content: &str) -> String {
    let who = speaker.unwrap_or(role.as_str());
    let content = secret::mask(content);
    format!("{who}: {}", cut(&content, EMBEDDED_CHARS))
}

/// A query as it goes to an embedder: without secrets, and without the names of speakers. A name draws the query to
/// whatever mentions it, which is mostly what the others say.
pub(crate) fn embedded_query(text: &str, speakers: &[String]) -> String {
    let masked = secret::mask(text);
    let names: HashSet<&str> = speakers.iter().flat_map(|name| name.split_whitespace()).collect();
    let named = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let bare = bare
            .strip_suffix("'s")
            .or(bare.strip_suffix("’s"))
            .unwrap_or(&bare);
        names.contains(bare)
    };
    let kept: Vec<&str> = masked.split_whitespace().filter(|word| !named(word)).collect();
    if kept.is_empty() {
        masked.into_owned()
    } else {
        kept.join(" ")
    }
}

/// The beginning of a text, in characters.
pub(crate) fn cut(text: &str, chars: usize) -> &str {
    match text.char_indices().nth(chars) {
        Some((end, _)) => text.split_at(end).0,
        None => text,
    }
}

/// Such as `8 May 2023`.
fn date(time: Timestamp) -> String {
    OffsetDateTime::from_unix_timestamp(time.seconds())
        .map(|time| format!("{} {} {}", time.day(), time.month(), time.year()))
        .unwrap_or_default()
}
