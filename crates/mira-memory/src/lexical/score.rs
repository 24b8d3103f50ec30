//! Scoring: BM25 in the scope of a question.

use super::{Document, Measure, Place, State, words};
use crate::message::Role;

/// BM25: how quickly the repetition of a word stops to count, and how much longer texts are marked down. The values of
/// Lucene.
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// The BM25 scores of all messages in a scope; zero where no word matches.
#[derive(Debug)]
pub(crate) struct Scores {
    pub own: Vec<f32>,
    pub window: Vec<f32>,
    /// Where one of them is not zero.
    pub touched: Vec<Place>,
}

impl State {
    /// Which documents are in a scope: of these sessions, or of all, those that are taken.
    pub(crate) fn mask(
        &self,
        sessions: Option<&[u32]>,
        takes: Option<&dyn Fn(&Document) -> bool>,
    ) -> Vec<bool> {
        let mut mask = vec![sessions.is_none(); self.documents.len()];
        for &session in sessions.unwrap_or_default() {
            for &place in &self.places[session as usize] {
                mask[place as usize] = true;
            }
        }
        if let Some(takes) = takes {
            for (taken, document) in mask.iter_mut().zip(&self.documents) {
                *taken = *taken && takes(document);
            }
        }
        for &place in &self.forgotten {
            mask[place as usize] = false;
        }
        mask
    }

    /// Scores every message that is in scope against a query.
    pub(crate) fn score(&self, query: &str, in_scope: &[bool]) -> Scores {
        let mut scores = Scores {
            own: vec![0.0; self.documents.len()],
            window: vec![0.0; self.documents.len()],
            touched: Vec::new(),
        };
        let mut terms: Vec<u32> = words::of(query)
            .iter()
            .filter_map(|word| self.terms.get(word.as_str()).copied())
            .collect();
        terms.sort_unstable();
        terms.dedup();
        if terms.is_empty() {
            return scores;
        }
        let lengths = Lengths::of(self, in_scope);
        // Worked out once for all, because every match of every word asks for them.
        let own_norms: Vec<f32> = self
            .measures
            .iter()
            .map(|measure| lengths.own_norm(measure))
            .collect();
        let window_norms: Vec<f32> = self
            .measures
            .iter()
            .map(|measure| lengths.window_norm(measure))
            .collect();
        let mut counts: Vec<u32> = vec![0; self.documents.len()];
        let mut windows: Vec<Place> = Vec::new();
        for term in terms {
            let postings = &self.postings[term as usize];
            let matching = postings.iter().filter(|posting| in_scope[posting.place as usize]);
            let own_weight = rarity(matching.clone().count(), lengths.documents);
            for posting in matching {
                let norm = own_norms[posting.place as usize];
                scores.own[posting.place as usize] += own_weight * saturated(u32::from(posting.count), norm);
            }
            // A window has the words of the messages around, whether those are in scope or not.
            windows.clear();
            for posting in postings {
                let Measure { near, count, .. } = &self.measures[posting.place as usize];
                for &place in &near[..usize::from(*count)] {
                    if in_scope[place as usize] {
                        if counts[place as usize] == 0 {
                            windows.push(place);
                        }
                        counts[place as usize] += u32::from(posting.count);
                    }
                }
            }
            let window_weight = rarity(windows.len(), lengths.documents);
            for &place in &windows {
                let score = &mut scores.window[place as usize];
                if *score == 0.0 {
                    scores.touched.push(place);
                }
                let count = std::mem::take(&mut counts[place as usize]);
                *score += window_weight * saturated(count, window_norms[place as usize]);
            }
        }
        scores
    }
}

/// Inverse document frequency, in Lucene's form, which is never negative.
#[expect(clippy::cast_precision_loss, reason = "counts of messages")]
fn rarity(matching: usize, documents: usize) -> f32 {
    let (matching, documents) = (matching as f32, documents as f32);
    (1.0 + (documents - matching + 0.5) / (matching + 0.5)).ln()
}

#[expect(clippy::cast_precision_loss, reason = "counts of words")]
fn saturated(count: u32, norm: f32) -> f32 {
    let count = count as f32;
    count / (count + norm)
}

/// Average lengths in a scope, by role, because an assistant's messages are many times longer than a user's.
struct Lengths {
    documents: usize,
    own: [f32; Role::COUNT],
    window: [f32; Role::COUNT],
}

impl Lengths {
    #[expect(clippy::cast_possible_truncation, reason = "averages of counts of words")]
    fn of(state: &State, in_scope: &[bool]) -> Self {
        let mut count = [0_u32; Role::COUNT];
        let mut own = [0.0_f64; Role::COUNT];
        let mut window = [0.0_f64; Role::COUNT];
        let counted = state.measures.iter().zip(in_scope).filter(|(_, counts)| **counts);
        for (measure, _) in counted {
            let role = usize::from(measure.role);
            count[role] += 1;
            own[role] += f64::from(measure.words);
            window[role] += f64::from(measure.window_words);
        }
        let averages = |sums: [f64; Role::COUNT]| {
            std::array::from_fn(|role| ((sums[role] / f64::from(count[role].max(1))) as f32).max(1.0))
        };
        Self {
            documents: count.iter().map(|&count| count as usize).sum(),
            own: averages(own),
            window: averages(window),
        }
    }

    fn own_norm(&self, measure: &Measure) -> f32 {
        norm(measure.words, self.own[usize::from(measure.role)])
    }

    fn window_norm(&self, measure: &Measure) -> f32 {
        norm(measure.window_words, self.window[usize::from(measure.role)])
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of words")]
fn norm(words: u32, average: f32) -> f32 {
    K1 * (1.0 - B + B * words as f32 / average)
}
