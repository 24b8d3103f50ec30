//! A summary made of the sentences that say most, without a model.
//!
//! A sentence is a vector of its words weighed by frequency and rarity (TF-IDF); the more it resembles the mean of all, the
//! more it says of the whole (centroid-based summarisation, Radev et al. 2004). A sentence that repeats a chosen one is left
//! out, in the spirit of maximal marginal relevance (Carbonell and Goldstein 1998). Messages count alike, however long they
//! are, and the more of a message is chosen the less its other sentences count: otherwise one long reply would speak for all.

use std::collections::{BTreeMap, HashMap};

use super::table::{CUT, Line, Material};
use crate::lexical::words;

/// Characters per token that is asked for.
const CHARS_PER_TOKEN: usize = 4;

/// Sentences that are compared; each message has an equal share, and its first sentences fill it.
const MAX_SENTENCES: usize = 2_000;

/// Characters of one sentence.
const MAX_SENTENCE_CHARS: usize = 300;

/// What the first sentence of a message, and a user's sentence, count for more: the one says what the message is about, the
/// other is where most of what is asked for later was said.
const FIRST_BONUS: f32 = 0.25;
const USER_BONUS: f32 = 0.25;

/// From this cosine on, one sentence repeats the other.
const REPEATS: f32 = 0.7;

struct Sentence<'a> {
    line: &'a Line,
    text: String,
    /// In characters.
    length: usize,
    /// Of its message.
    first: bool,
    /// Of unit length, by term; empty when it has no words. Ordered, so that sums come out the same every time.
    vector: BTreeMap<usize, f32>,
}

/// The sentences that say most, in the order and with the speakers of the conversation. The same material gives the same
/// text.
pub(super) fn summarise(material: &Material) -> String {
    let (tokens, _) = material.kind.tokens();
    let share = (MAX_SENTENCES / material.lines.len().max(1)).max(1);
    let mut sentences: Vec<Sentence<'_>> = material
        .lines
        .iter()
        .flat_map(|line| sentences(line).take(share))
        .collect();
    weigh(&mut sentences);

    let chosen = choose(&sentences, tokens * CHARS_PER_TOKEN);

    let mut text = String::new();
    let mut speaking = None;
    for at in chosen {
        let Sentence { line, text: said, .. } = &sentences[at];
        if speaking == Some(line.number) {
            text.push(' ');
        } else {
            if speaking.is_some() {
                text.push('\n');
            }
            text.push_str(&line.speaker);
            text.push_str(": ");
            speaking = Some(line.number);
        }
        text.push_str(said);
    }
    if text.is_empty() {
        // Code alone, or blanks: the summary still says that something was there.
        text = format!("{} messages without prose.", material.lines.len());
    }
    text
}

/// The places of the best sentences that fit into so many characters, in order.
fn choose(sentences: &[Sentence<'_>], mut room: usize) -> Vec<usize> {
    let scores = scores(sentences);
    let mut open: Vec<usize> = (0..sentences.len())
        .filter(|&at| !sentences[at].vector.is_empty() && sentences[at].length <= room)
        .collect();
    let mut taken: HashMap<i64, f32> = HashMap::new();
    let mut chosen = Vec::new();
    loop {
        let worth = |at: usize| scores[at] / (1.0 + taken.get(&sentences[at].line.number).unwrap_or(&0.0));
        // Of equals the earlier.
        let Some(best) = open
            .iter()
            .copied()
            .max_by(|&a, &b| worth(a).total_cmp(&worth(b)).then(b.cmp(&a)))
        else {
            break;
        };
        room -= sentences[best].length;
        *taken.entry(sentences[best].line.number).or_insert(0.0) += 1.0;
        chosen.push(best);
        open.retain(|&at| {
            sentences[at].length <= room && dot(&sentences[at].vector, &sentences[best].vector) <= REPEATS
        });
    }
    chosen.sort_unstable();
    chosen
}

/// The sentences of a message. Fenced code has none, nor have the pieces where its middle was cut out.
fn sentences(line: &Line) -> impl Iterator<Item = Sentence<'_>> {
    let mut texts = Vec::new();
    let (mut fenced, mut torn) = (false, false);
    for row in line.text.lines() {
        let row = row.trim().trim_start_matches(['#', '*', '-', '>', ' ']);
        if row == CUT {
            texts.pop();
            torn = true;
        } else if row.starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let before = texts.len();
            split(row, &mut texts);
            if std::mem::take(&mut torn) && texts.len() > before {
                texts.remove(before);
            }
        }
    }
    texts.into_iter().enumerate().map(move |(at, text)| Sentence {
        line,
        length: text.chars().count(),
        text,
        first: at == 0,
        vector: BTreeMap::new(),
    })
}

/// Parts a line after the marks that end a sentence.
fn split(row: &str, sentences: &mut Vec<String>) {
    let mut sentence = String::new();
    let mut chars = row.chars().peekable();
    while let Some(c) = chars.next() {
        sentence.push(c);
        let ends = match c {
            '.' | '!' | '?' | '…' => chars.peek().is_none_or(|next| next.is_whitespace()),
            '。' | '！' | '？' => true,
            _ => chars.peek().is_none(),
        };
        if ends {
            let said = std::mem::take(&mut sentence);
            let said = said.trim();
            if said.chars().any(char::is_alphanumeric) {
                let mut kept: String = said.chars().take(MAX_SENTENCE_CHARS).collect();
                if kept.len() < said.len() {
                    kept.push('…');
                }
                sentences.push(kept);
            }
        }
    }
}

/// Gives every sentence its vector.
fn weigh(sentences: &mut [Sentence<'_>]) {
    let mut terms: HashMap<String, usize> = HashMap::new();
    let mut document_frequency: Vec<f32> = Vec::new();
    for sentence in &mut *sentences {
        for word in words::of(&sentence.text) {
            let next = terms.len();
            let term = *terms.entry(word).or_insert(next);
            if term == document_frequency.len() {
                document_frequency.push(0.0);
            }
            let count = sentence.vector.entry(term).or_insert(0.0);
            if *count == 0.0 {
                document_frequency[term] += 1.0;
            }
            *count += 1.0;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let all = sentences.len() as f32;
    for sentence in sentences {
        for (term, weight) in &mut sentence.vector {
            *weight *= (1.0 + all / document_frequency[*term]).ln();
        }
        let length = dot(&sentence.vector, &sentence.vector).sqrt();
        sentence.vector.values_mut().for_each(|weight| *weight /= length);
    }
}

/// How much each sentence says of the whole.
fn scores(sentences: &[Sentence<'_>]) -> Vec<f32> {
    let mut centroid: BTreeMap<usize, f32> = BTreeMap::new();
    for message in sentences.chunk_by(|a, b| a.line.number == b.line.number) {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let sentences = message.len() as f32;
        for (term, weight) in message.iter().flat_map(|sentence| &sentence.vector) {
            *centroid.entry(*term).or_insert(0.0) += weight / sentences;
        }
    }
    sentences
        .iter()
        .map(|sentence| {
            let first = if sentence.first { FIRST_BONUS } else { 0.0 };
            let user = if sentence.line.by_user { USER_BONUS } else { 0.0 };
            dot(&sentence.vector, &centroid) * (1.0 + first + user)
        })
        .collect()
}

fn dot(a: &BTreeMap<usize, f32>, b: &BTreeMap<usize, f32>) -> f32 {
    a.iter()
        .filter_map(|(term, weight)| Some(weight * b.get(term)?))
        .sum()
}
