//! The words of all messages, in memory: BM25 of a message alone and of a message together with those around it.
//!
//! The index is made from the messages themselves and follows them by their rising numbers, so there is nothing to
//! keep in step on disk. Unlike a full-text table shared by everybody, it weighs a word by how rare it is *in the scope of
//! the question*, and it scores a hundred thousand messages in about a millisecond.

mod score;
#[cfg(test)]
mod tests;
pub(crate) mod words;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use mira_store::{Database, MessageId, ProjectId, SessionId, Timestamp};
use sqlx::Row;

pub(crate) use self::score::Scores;
use crate::message::Role;
use crate::row::named;
use crate::{Error, form};

/// Messages that are read and indexed at a time.
const BATCH: u32 = 2_000;

/// How many messages before and after a message belong to its window.
const REACH: usize = 2;

/// A silence after which a conversation counts as taken up anew.
const EPISODE_GAP_MS: u64 = 60 * 60 * 1000;

/// A place in [`State::documents`].
pub(crate) type Place = u32;

/// The index. Readers run beside each other.
#[derive(Debug, Default)]
pub(crate) struct Lexical {
    // Ranking runs on threads of its own, so the state is shared between threads.
    state: Arc<RwLock<State>>,
    /// Held by whoever adds messages.
    adding: Arc<tokio::sync::Mutex<()>>,
}

/// What is known of all messages up to one.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub documents: Vec<Document>,
    pub sessions: Vec<SessionId>,
    pub users: Vec<String>,
    pub speakers: Vec<String>,
    /// The number of the newest message that is indexed.
    newest: i64,
    by_id: HashMap<MessageId, Place>,
    session_places: HashMap<SessionId, u32>,
    /// The last message of each session.
    last: HashMap<u32, Place>,
    /// Deleted while a batch was read in which they may still be.
    gone: HashSet<MessageId>,
    terms: HashMap<Box<str>, u32>,
    postings: Vec<Vec<Posting>>,
    /// Of each document what scoring reads for every match, close together.
    measures: Vec<Measure>,
    /// The documents of each session.
    places: Vec<Vec<Place>>,
    forgotten: Vec<Place>,
}

#[derive(Debug, Clone, Copy)]
struct Measure {
    /// How many words are indexed, of the message and of its window.
    words: u32,
    window_words: u32,
    role: u8,
    /// The window: the message itself first, and how many there are.
    near: [Place; 2 * REACH + 1],
    count: u8,
}

/// What ranking has to know of a message.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub number: i64,
    /// Places in the lists of [`State`].
    pub session: u32,
    pub user: u32,
    pub speaker: Option<u32>,
    pub project: Option<ProjectId>,
    pub role: Role,
    pub time: Timestamp,
    /// Neighbours in the session.
    pub previous: Option<Place>,
    pub next: Option<Place>,
    /// The first message after the last long silence.
    pub episode: Place,
    /// Ends with a question mark.
    pub asks: bool,
}

#[derive(Debug, Clone, Copy)]
struct Posting {
    place: Place,
    /// How often the word stands in the message.
    count: u16,
}

impl Lexical {
    /// Adds what has been stored since the last time. Cancel safe; a batch that has begun is finished in the background.
    pub(crate) async fn catch_up(&self, database: &Database) -> Result<(), Error> {
        loop {
            let adding = Arc::clone(&self.adding).lock_owned().await;
            let newest = {
                let mut state = self.write();
                // What was deleted before now is not read any more.
                state.gone.clear();
                state.newest
            };
            let rows = stored_after(database, newest).await?;
            let full = u32::try_from(rows.len()) == Ok(BATCH);
            if rows.is_empty() {
                return Ok(());
            }
            let state = Arc::clone(&self.state);
            let index = move || {
                let _adding = adding;
                for row in rows {
                    // One at a time, so that nobody waits for the whole batch.
                    state.write().unwrap_or_else(PoisonError::into_inner).add(row);
                }
            };
            if tokio::task::spawn_blocking(index).await.is_err() {
                return Err(Error::Interrupted);
            }
            if !full {
                return Ok(());
            }
        }
    }

    /// Leaves out messages that were deleted.
    pub(crate) fn forget(&self, ids: &[MessageId]) {
        let mut state = self.write();
        for id in ids {
            state.forget(*id);
        }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the index on a thread of its own, which begins at once.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&State) -> T + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        let state = Arc::clone(&self.state);
        tokio::task::spawn_blocking(move || question(&state.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

struct Stored {
    number: i64,
    id: MessageId,
    session: SessionId,
    user: String,
    project: Option<ProjectId>,
    role: Role,
    speaker: Option<String>,
    content: String,
    time: Timestamp,
}

async fn stored_after(database: &Database, number: i64) -> Result<Vec<Stored>, Error> {
    let mut reader = database.readers().acquire().await?;
    sqlx::query(
        "SELECT m.number, m.id, m.session_id, s.user_id, m.project_id, m.role, m.speaker, m.content, m.time_ms
         FROM messages m JOIN sessions s ON s.id = m.session_id
         WHERE m.number > ?1 ORDER BY m.number LIMIT ?2",
    )
    .bind(number)
    .bind(BATCH)
    .try_map(|row: sqlx::sqlite::SqliteRow| {
        Ok(Stored {
            number: row.try_get("number")?,
            id: row.try_get("id")?,
            session: row.try_get("session_id")?,
            user: row.try_get("user_id")?,
            project: row.try_get("project_id")?,
            role: named(&row, "role", Role::parse)?,
            speaker: row.try_get("speaker")?,
            content: row.try_get("content")?,
            time: row.try_get("time_ms")?,
        })
    })
    .fetch_all(&mut *reader)
    .await
    .map_err(Error::from)
}

impl State {
    fn add(&mut self, stored: Stored) {
        let Ok(place) = Place::try_from(self.documents.len()) else {
            return;
        };
        self.newest = stored.number;
        if self.gone.contains(&stored.id) {
            return;
        }
        let session = *self.session_places.entry(stored.session).or_insert_with(|| {
            self.sessions.push(stored.session);
            self.places.push(Vec::new());
            u32::try_from(self.sessions.len() - 1).unwrap_or(u32::MAX)
        });
        let previous = self.last.insert(session, place);
        if let Some(previous) = previous {
            self.documents[previous as usize].next = Some(place);
        }
        let mut counts: HashMap<u32, u16> = HashMap::new();
        let mut words = 0;
        let speaker = stored.speaker.as_deref();
        form::each_indexed(speaker, stored.role, stored.time, &stored.content, |word| {
            words += 1;
            let term = if let Some(&term) = self.terms.get(word) {
                term
            } else {
                let term = u32::try_from(self.postings.len()).unwrap_or(u32::MAX);
                self.terms.insert(word.into(), term);
                self.postings.push(Vec::new());
                term
            };
            let count = counts.entry(term).or_default();
            *count = count.saturating_add(1);
        });
        for (term, count) in counts {
            self.postings[term as usize].push(Posting { place, count });
        }
        self.by_id.insert(stored.id, place);
        let asks = stored.content.trim_end().ends_with('?');
        let speaker = stored
            .speaker
            .map(|name| interned(&mut self.speakers, name.to_lowercase()));
        let user = interned(&mut self.users, stored.user);
        self.documents.push(Document {
            number: stored.number,
            session,
            user,
            speaker,
            project: stored.project,
            role: stored.role,
            time: stored.time,
            previous,
            next: None,
            episode: self.episode(place, stored.time, previous),
            asks,
        });
        self.places[session as usize].push(place);
        self.measures.push(Measure {
            words,
            window_words: words,
            role: u8::try_from(stored.role.place()).unwrap_or(0),
            near: [place; 2 * REACH + 1],
            count: 1,
        });
        for around in self.around(place).collect::<Vec<_>>() {
            self.measure_window(around);
        }
    }

    /// The first message of the stretch of conversation that a message belongs to.
    fn episode(&self, place: Place, time: Timestamp, previous: Option<Place>) -> Place {
        match previous.map(|previous| self.at(previous)) {
            Some(before) if time.ms().abs_diff(before.time.ms()) <= EPISODE_GAP_MS => before.episode,
            Some(_) | None => place,
        }
    }

    fn measure_window(&mut self, place: Place) {
        let mut near = [place; 2 * REACH + 1];
        let mut count = 0;
        let mut window_words = 0;
        for (slot, around) in near.iter_mut().zip(self.around(place)) {
            *slot = around;
            count += 1;
            window_words += self.measures[around as usize].words;
        }
        let measure = &mut self.measures[place as usize];
        (measure.near, measure.count, measure.window_words) = (near, count, window_words);
    }

    /// The message and those of its stretch of conversation that are at most [`REACH`] away.
    fn around(&self, place: Place) -> impl Iterator<Item = Place> + '_ {
        let before = std::iter::successors(Some(place), |&place| self.before(place));
        let after = std::iter::successors(self.after(place), |&place| self.after(place));
        before.take(REACH + 1).chain(after.take(REACH))
    }

    fn forget(&mut self, id: MessageId) {
        let Some(place) = self.by_id.remove(&id) else {
            self.gone.insert(id);
            return;
        };
        let Document {
            previous,
            next,
            session,
            ..
        } = self.documents[place as usize];
        self.forgotten.push(place);
        // Nothing of it is in any window any more.
        self.measures[place as usize].count = 0;
        if let Some(previous) = previous {
            self.documents[previous as usize].next = next;
        }
        match (next, previous) {
            (Some(next), _) => self.documents[next as usize].previous = previous,
            (None, Some(previous)) => {
                self.last.insert(session, previous);
            }
            (None, None) => {
                self.last.remove(&session);
            }
        }
        // What follows may belong to another stretch of conversation now, as after a restart.
        let mut follower = next;
        while let Some(place) = follower {
            let document = self.at(place);
            let episode = self.episode(place, document.time, document.previous);
            if episode == document.episode {
                break;
            }
            follower = document.next;
            self.documents[place as usize].episode = episode;
        }
        let before = std::iter::successors(previous, |&place| self.at(place).previous).take(REACH);
        let after = std::iter::successors(next, |&place| self.at(place).next).take(REACH);
        for around in before.chain(after).collect::<Vec<_>>() {
            self.measure_window(around);
        }
    }

    pub(crate) fn session_place(&self, session: SessionId) -> Option<u32> {
        self.session_places.get(&session).copied()
    }

    pub(crate) fn place(&self, id: MessageId) -> Option<Place> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn at(&self, place: Place) -> &Document {
        &self.documents[place as usize]
    }

    /// The message before, if it belongs to the same stretch of conversation.
    pub(crate) fn before(&self, place: Place) -> Option<Place> {
        let document = self.at(place);
        document
            .previous
            .filter(|&previous| self.at(previous).episode == document.episode)
    }

    /// The message after, if it belongs to the same stretch of conversation.
    pub(crate) fn after(&self, place: Place) -> Option<Place> {
        let document = self.at(place);
        document
            .next
            .filter(|&next| self.at(next).episode == document.episode)
    }
}

fn interned(names: &mut Vec<String>, name: String) -> u32 {
    let place = names.iter().position(|known| *known == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    });
    u32::try_from(place).unwrap_or(u32::MAX)
}
