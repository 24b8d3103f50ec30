//! From the scores of single signals to a ranking.

use std::collections::{HashMap, HashSet};

use mira_store::{MessageId, Timestamp};

use super::keys::Keys;
use super::weights::{
    ANSWER, CANDIDATES, CONVERSATION, FACT, MEANING, NEIGHBOURS, RECENCY, RECENCY_HALF_LIFE_DAYS, REPETITION,
    REPETITION_FROM, ROLE, SPEAKER, SUMMARY, WINDOW, WINDOW_ALONE, WORDS, WORDS_ALONE,
};
use super::{Hit, Query, Score};
use crate::form;
use crate::lexical::{Document, Place, Scores, State, words};
use crate::message::Role;

/// Characters of a message that tell whether it repeats another.
const COMPARED_CHARS: usize = 2_000;

/// Messages that are ranked beyond twice as many as are asked for: what is known later changes little.
const SPARE: usize = 10;

/// A message with its score so far.
#[derive(Debug)]
pub(super) struct Ranked {
    pub number: i64,
    pub score: Score,
}

/// What the words of a query find. Messages that are indexed afterwards are not in its scope.
#[derive(Debug)]
pub(super) struct Words {
    scope: Vec<bool>,
    scores: Scores,
}

impl Words {
    fn takes(&self, place: Place) -> bool {
        self.scope.get(place as usize).is_some_and(|taken| *taken)
    }
}

/// Scores the messages that a query looks at by its words.
pub(super) fn score_words(state: &State, query: &Query) -> Words {
    let scope = scope(state, query);
    let scores = state.score(&query.text, &scope);
    Words { scope, scores }
}

/// The best messages, in order, more than are asked for, so that what is known later can change the order.
pub(super) fn rank(
    state: &State,
    query: &Query,
    scope: &Words,
    keys: Option<&Keys>,
    now: Timestamp,
) -> Vec<Ranked> {
    let lexical = &scope.scores;
    let mut scores: HashMap<Place, Score> = HashMap::new();

    let (words_weight, window_weight) = match keys {
        Some(_) => (WORDS, WINDOW),
        None => (WORDS_ALONE, WINDOW_ALONE),
    };
    let best_own = best(&lexical.touched, &lexical.own);
    let best_window = best(&lexical.touched, &lexical.window);
    let most = |places: &[Place], values: &[f32]| {
        places
            .first()
            .map_or(1.0, |&place| values[place as usize].max(f32::MIN_POSITIVE))
    };
    let (most_own, most_window) = (most(&best_own, &lexical.own), most(&best_window, &lexical.window));
    let scale = keys.map(Scale::of);
    let mut candidates: HashSet<Place> = best_own.into_iter().chain(best_window).collect();
    if let (Some(keys), Some(scale)) = (keys, scale) {
        let known = |(id, similarity): (&MessageId, &f32)| {
            let place = state.place(*id).filter(|place| scope.takes(*place))?;
            Some((place, scale.fit(*similarity)))
        };
        for (place, meaning) in keys.messages.iter().filter_map(known) {
            candidates.insert(place);
            scores.entry(place).or_default().meaning = MEANING * meaning;
        }
        for (place, fact) in keys.facts.iter().filter_map(known) {
            candidates.insert(place);
            scores.entry(place).or_default().fact = FACT * fact;
        }
    }
    for &place in &candidates {
        let score = scores.entry(place).or_default();
        // Places that are in scope were there when the words were scored.
        score.words = words_weight * lexical.own[place as usize] / most_own;
        score.window = window_weight * lexical.window[place as usize] / most_window;
        if let (Some(keys), Some(scale)) = (keys, scale) {
            let document = state.at(place);
            let session = state.sessions[document.session as usize];
            let fitting = keys
                .summaries
                .iter()
                .filter(|covered| covered.session == session && covered.numbers.contains(&document.number));
            score.summary = SUMMARY
                * fitting
                    .map(|covered| scale.fit(covered.similarity))
                    .fold(0.0, f32::max);
        }
    }

    add_answers(state, scope, &mut scores);
    add_neighbours(state, scope, &mut scores);
    add_conversations(state, &mut scores);
    let named = words::of(&query.text);
    let named: HashSet<&str> = named.iter().map(String::as_str).collect();
    let speaker_named: Vec<bool> = state
        .speakers
        .iter()
        .map(|speaker| {
            words::of(speaker)
                .iter()
                .any(|word| named.contains(word.as_str()))
        })
        .collect();
    let mut ranked: Vec<(Place, Score)> = scores.into_iter().collect();
    for (place, score) in &mut ranked {
        let document = state.at(*place);
        if document
            .speaker
            .is_some_and(|speaker| speaker_named[speaker as usize])
        {
            score.speaker = SPEAKER;
        }
        if document.role == Role::User && document.speaker.is_none() {
            score.role = ROLE;
        }
        score.recency = recency(document.time, now);
    }
    ranked.sort_by(|(a_place, a), (b_place, b)| b.total().total_cmp(&a.total()).then(a_place.cmp(b_place)));
    ranked.truncate(query.limit.saturating_mul(2).saturating_add(SPARE));
    ranked
        .into_iter()
        .map(|(place, score)| Ranked {
            number: state.at(place).number,
            score,
        })
        .collect()
}

/// What follows a question that fits is likely its answer.
fn add_answers(state: &State, scope: &Words, scores: &mut HashMap<Place, Score>) {
    let questions: Vec<(Place, f32)> = scores
        .iter()
        .filter(|&(&place, _)| state.at(place).asks)
        .filter_map(|(&place, score)| Some((state.after(place)?, score.total())))
        .collect();
    for (answer, total) in questions {
        if scope.takes(answer) {
            scores.entry(answer).or_default().answer = ANSWER * total;
        }
    }
}

/// Each message gains a share of what its neighbours score by themselves.
fn add_neighbours(state: &State, scope: &Words, scores: &mut HashMap<Place, Score>) {
    let own: Vec<(Place, f32)> = scores
        .iter()
        .map(|(&place, score)| (place, score.total()))
        .collect();
    for (place, total) in own {
        for neighbour in [state.before(place), state.after(place)].into_iter().flatten() {
            if scope.takes(neighbour) {
                scores.entry(neighbour).or_default().neighbours += NEIGHBOURS * total;
            }
        }
    }
}

/// Each message gains a share of the best score in its stretch of conversation.
fn add_conversations(state: &State, scores: &mut HashMap<Place, Score>) {
    let mut best: HashMap<Place, f32> = HashMap::new();
    for (&place, score) in scores.iter() {
        let best = best.entry(state.at(place).episode).or_default();
        *best = best.max(score.total());
    }
    for (place, score) in scores {
        score.conversation = CONVERSATION * best.get(&state.at(*place).episode).copied().unwrap_or(0.0);
    }
}

/// What a cosine is worth. Embedders differ in where similarity begins, so the scale is that of the messages that were found:
/// the least similar of them is worth nothing, the most similar one 1. Facts and summaries are measured by it too, so
/// that one which merely is the best of its kind gains nothing.
#[derive(Debug, Clone, Copy)]
struct Scale {
    low: f32,
    high: f32,
}

impl Scale {
    fn of(keys: &Keys) -> Self {
        let found = keys.messages.values();
        let (low, high) = found.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &similarity| {
            (low.min(similarity), high.max(similarity))
        });
        if low < high {
            Self { low, high }
        } else {
            // One message or none tells nothing of the scale.
            let high = if high > 0.0 { high } else { 1.0 };
            Self { low: 0.0, high }
        }
    }

    fn fit(self, similarity: f32) -> f32 {
        ((similarity - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// The best [`CANDIDATES`] places with a score, best first.
fn best(places: &[Place], values: &[f32]) -> Vec<Place> {
    let mut best: Vec<Place> = places
        .iter()
        .copied()
        .filter(|&place| values[place as usize] > 0.0)
        .collect();
    let order = |a: &Place, b: &Place| values[*b as usize].total_cmp(&values[*a as usize]).then(a.cmp(b));
    if best.len() > CANDIDATES {
        best.select_nth_unstable_by(CANDIDATES, order);
        best.truncate(CANDIDATES);
    }
    best.sort_unstable_by(order);
    best
}

#[expect(clippy::cast_possible_truncation, reason = "0 to 1")]
fn recency(time: Timestamp, now: Timestamp) -> f32 {
    let days = now.since(time).as_secs_f64() / 86_400.0;
    RECENCY * (-days / RECENCY_HALF_LIFE_DAYS).exp2() as f32
}

/// Which messages a query looks at.
fn scope(state: &State, query: &Query) -> Vec<bool> {
    let Query {
        user,
        sessions,
        project,
        roles,
        since,
        until,
        without,
        ..
    } = query;
    let sessions: Option<Vec<u32>> = sessions.as_ref().map(|wanted| {
        wanted
            .iter()
            .filter_map(|session| state.session_place(*session))
            .collect()
    });
    let takes = |document: &Document| {
        user.as_ref()
            .is_none_or(|user| state.users[document.user as usize] == *user)
            && project.is_none_or(|project| document.project == Some(project))
            && roles.as_ref().is_none_or(|roles| roles.contains(&document.role))
            && since.is_none_or(|since| document.time >= since)
            && until.is_none_or(|until| document.time < until)
    };
    // Where everything belongs to one user, saying so takes nothing away.
    let everybody = user
        .as_ref()
        .is_none_or(|user| state.users.iter().all(|known| known == user));
    let narrow = !everybody || project.is_some() || roles.is_some() || since.is_some() || until.is_some();
    let mut scope = state.mask(sessions.as_deref(), narrow.then_some(&takes));
    for place in without.iter().filter_map(|id| state.place(*id)) {
        scope[place as usize] = false;
    }
    scope
}

/// The best hits, one after the other; a message that nearly repeats a better hit is set back (maximal marginal
/// relevance, Carbonell and Goldstein 1998, with a threshold).
pub(super) fn diverse(mut hits: Vec<Hit>, limit: usize) -> Vec<Hit> {
    let order = |a: &Hit, b: &Hit| {
        b.score
            .total()
            .total_cmp(&a.score.total())
            .then(a.message.number.cmp(&b.message.number))
    };
    hits.sort_by(order);
    let mut kept: Vec<HashSet<String>> = Vec::new();
    for hit in &mut hits {
        // What comes after so many that are kept cannot get in.
        if kept.len() >= limit {
            break;
        }
        let said = words::of(form::cut(&hit.message.content, COMPARED_CHARS))
            .into_iter()
            .collect();
        if kept.iter().any(|better| alike(&said, better) >= REPETITION_FROM) {
            hit.score.repetition = -REPETITION * hit.score.total();
        } else {
            kept.push(said);
        }
    }
    hits.sort_by(order);
    hits.truncate(limit);
    hits
}

/// The share of words that two texts have in common (Jaccard), 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "counts of words")]
fn alike(a: &HashSet<String>, b: &HashSet<String>) -> f32 {
    let common = a.intersection(b).count();
    let all = a.len() + b.len() - common;
    if all == 0 { 0.0 } else { common as f32 / all as f32 }
}
