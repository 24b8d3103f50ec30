//! The index compared with BM25 as the books have it, worked out from nothing each time.

use proptest::prelude::*;
use ulid::Ulid;

use super::*;

const VOCABULARY: [&str; 7] = ["anchor", "basalt", "copper", "dune", "ember", "fjord", "granite"];

#[derive(Debug, Clone)]
enum Event {
    Said {
        session: u8,
        role: Role,
        words: Vec<usize>,
        minutes_later: i64,
    },
    /// One of the messages so far.
    Deleted(prop::sample::Index),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let role = prop::sample::select(Role::ALL);
    let words = prop::collection::vec(0..VOCABULARY.len(), 0..12);
    // Also a clock that goes backwards, as in what was imported.
    let said =
        (0..3_u8, role, words, -30..90_i64).prop_map(|(session, role, words, minutes_later)| Event::Said {
            session,
            role,
            words,
            minutes_later,
        });
    let deleted = any::<prop::sample::Index>().prop_map(Event::Deleted);
    prop::collection::vec(prop_oneof![4 => said, 1 => deleted], 1..60)
}

#[derive(Debug, Clone)]
struct Told {
    number: u8,
    session: u8,
    role: Role,
    content: String,
    time: Timestamp,
}

impl Told {
    fn id(&self) -> MessageId {
        MessageId::from(Ulid(u128::from(self.number)))
    }

    fn stored(&self) -> Stored {
        Stored {
            number: i64::from(self.number) + 1,
            id: self.id(),
            session: SessionId::from(Ulid(u128::from(self.session))),
            user: "somebody".to_owned(),
            project: None,
            role: self.role,
            speaker: None,
            content: self.content.clone(),
            time: self.time,
        }
    }

    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        form::each_indexed(None, self.role, self.time, &self.content, |word| {
            words.push(word.to_owned());
        });
        words
    }
}

/// What was told and not deleted, and the index that saw it all.
fn live(events: &[Event]) -> (Vec<Told>, State) {
    let (mut told, mut state) = (Vec::new(), State::default());
    let mut time = 1_762_000_000_000;
    let mut number = 0;
    for event in events {
        match event {
            Event::Said {
                session,
                role,
                words,
                minutes_later,
            } => {
                time += minutes_later * 60_000;
                let words: Vec<&str> = words.iter().map(|&word| VOCABULARY[word]).collect();
                let message = Told {
                    number,
                    session: *session,
                    role: *role,
                    content: words.join(" "),
                    time: Timestamp::from_ms(time),
                };
                number += 1;
                state.add(message.stored());
                told.push(message);
            }
            Event::Deleted(_) if told.is_empty() => {}
            Event::Deleted(which) => {
                let deleted = told.remove(which.index(told.len()));
                state.forget(deleted.id());
            }
        }
    }
    (told, state)
}

/// The words of a message and of up to two before and after, as far as no silence of an hour parts them.
fn window(told: &[Told], at: usize) -> Vec<String> {
    let session: Vec<&Told> = told
        .iter()
        .filter(|other| other.session == told[at].session)
        .collect();
    let own = session
        .iter()
        .position(|other| other.number == told[at].number)
        .unwrap();
    let together = |pair: &[&Told]| pair[0].time.ms().abs_diff(pair[1].time.ms()) <= 3_600_000;
    let first = (1..=own)
        .rev()
        .take_while(|&later| together(&session[later - 1..=later]))
        .take(2)
        .last();
    let last = (own..session.len() - 1)
        .take_while(|&at| together(&session[at..=at + 1]))
        .take(2)
        .last();
    let (first, last) = (first.map_or(own, |at| at - 1), last.map_or(own, |at| at + 1));
    session[first..=last]
        .iter()
        .flat_map(|message| message.words())
        .collect()
}

/// BM25 with lengths compared within a role.
#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn bm25(told: &[Told], texts: &[Vec<String>], in_scope: &[bool], query: &[String]) -> Vec<f64> {
    let scoped: Vec<usize> = (0..told.len()).filter(|&at| in_scope[at]).collect();
    let average = |role: Role| {
        let lengths: Vec<usize> = scoped
            .iter()
            .filter(|&&at| told[at].role == role)
            .map(|&at| texts[at].len())
            .collect();
        (lengths.iter().sum::<usize>() as f64 / lengths.len().max(1) as f64).max(1.0)
    };
    let count = |at: usize, word: &String| texts[at].iter().filter(|other| *other == word).count() as f64;
    let score = |at: usize| {
        let norm = 1.2 * (0.25 + 0.75 * texts[at].len() as f64 / average(told[at].role));
        let weighed = query.iter().map(|word| {
            let matching = scoped.iter().filter(|&&at| count(at, word) > 0.0).count() as f64;
            let rarity = (1.0 + (scoped.len() as f64 - matching + 0.5) / (matching + 0.5)).ln();
            rarity * count(at, word) / (count(at, word) + norm)
        });
        weighed.sum()
    };
    (0..told.len())
        .map(|at| if in_scope[at] { score(at) } else { 0.0 })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn scores_are_those_of_bm25_whatever_was_deleted(
        events in events(),
        asked in prop::collection::hash_set(0..VOCABULARY.len(), 1..4),
        scope in 0..4_u8,
    ) {
        let (told, state) = live(&events);
        let takes = |session: u8, role: Role| match scope {
            0 => true,
            1 => session == 1,
            2 => role == Role::User,
            _ => session != 2 && role != Role::System,
        };
        let query: Vec<String> = asked.iter().flat_map(|&word| words::of(VOCABULARY[word])).collect();
        let in_scope: Vec<bool> = told.iter().map(|told| takes(told.session, told.role)).collect();
        let own: Vec<Vec<String>> = told.iter().map(Told::words).collect();
        let windows: Vec<Vec<String>> = (0..told.len()).map(|at| window(&told, at)).collect();
        let own = bm25(&told, &own, &in_scope, &query);
        let windows = bm25(&told, &windows, &in_scope, &query);

        // An index that was made after the deletions, as after a restart, gives the same.
        let mut restarted = State::default();
        for told in &told {
            restarted.add(told.stored());
        }
        for state in [&state, &restarted] {
            let session = |document: &Document| u8::try_from(state.sessions[document.session as usize].ulid().0).unwrap();
            let scores = state.score(
                &query.join(" "),
                &state.mask(None, Some(&|document| takes(session(document), document.role))),
            );
            for (at, told) in told.iter().enumerate() {
                let place = state.place(told.id()).unwrap();
                let found = (scores.own[place as usize], scores.window[place as usize]);
                prop_assert!(
                    (f64::from(found.0) - own[at]).abs() < 1e-4 && (f64::from(found.1) - windows[at]).abs() < 1e-4,
                    "{told:?}: {found:?} instead of {:?}", (own[at], windows[at])
                );
                prop_assert_eq!(scores.touched.contains(&place), windows[at] > 0.0);
            }
            let total: f32 = scores.own.iter().sum();
            prop_assert!((f64::from(total) - own.iter().sum::<f64>()).abs() < 1e-3, "what was deleted has a score");
        }
    }
}

#[test]
fn what_was_deleted_while_its_batch_was_read_is_not_added() {
    let message = |number| Told {
        number,
        session: 0,
        role: Role::User,
        content: "anchor".to_owned(),
        time: Timestamp::default(),
    };
    let mut state = State::default();
    state.forget(message(0).id());
    state.add(message(0).stored());
    state.add(message(1).stored());
    let indexed: Vec<MessageId> = state.by_id.keys().copied().collect();
    assert_eq!((indexed, state.newest), (vec![message(1).id()], 2));
}
