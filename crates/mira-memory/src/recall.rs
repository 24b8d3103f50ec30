//! Finding what was said: candidates by meaning and by words, scores fused, small priors, near repetitions set back.
//!
//! Recall makes one embedding call and no other model call. Everything that adds to a score is kept apart in [`Score`], so
//! that a hit can be explained.

mod keys;
mod rank;
mod weights;

use std::time::Duration;

use mira_store::vector::Head;
use mira_store::{MessageId, ProjectId, SessionId, Timestamp, chain};

use crate::analysis::{self, Analysis};
use crate::message::{self, Message, Role};
use crate::salience::Strength;
use crate::semantic::IndexState;
use crate::{Error, Memory, embedding, form};
use rank::Ranked;
use weights::CANDIDATES;

/// The longest wait for messages that are not indexed yet, right after a start with a large database.
const CATCH_UP_WAIT: Duration = Duration::from_millis(500);

/// Characters of a query that count.
const MAX_QUERY_CHARS: usize = 4_000;

/// What to look for, and where.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    pub text: String,
    /// Only conversations of this user.
    pub user: Option<String>,
    /// Only these sessions.
    pub sessions: Option<Vec<SessionId>>,
    /// Only what belongs to this project.
    pub project: Option<ProjectId>,
    /// Only messages of these roles.
    pub roles: Option<Vec<Role>>,
    /// From this time on.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// The heads that are asked; all that help, when left out.
    pub heads: Option<Vec<Head>>,
    /// Messages that are known already.
    pub without: Vec<MessageId>,
    /// The most hits.
    pub limit: usize,
}

impl Query {
    /// Looks everywhere.
    pub fn new(text: impl Into<String>, limit: usize) -> Self {
        Self {
            text: text.into(),
            limit,
            ..Self::default()
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Recall {
    /// Best first.
    pub hits: Vec<Hit>,
    /// Why something could not take part; words alone found the hits then, or not all messages were looked at.
    pub degraded: Option<String>,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub message: Message,
    pub analysis: Option<Analysis>,
    pub score: Score,
}

/// What a score is made of: weighted parts that add up to the total. Comparable within one recall only.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Score {
    /// Similarity of meaning.
    pub meaning: f32,
    /// Words in the message.
    pub words: f32,
    /// Words in the message and those around it.
    pub window: f32,
    /// A fact that came from this message fits.
    pub fact: f32,
    /// A summary that covers this message fits.
    pub summary: f32,
    /// It answers a question that fits.
    pub answer: f32,
    /// The messages before and after fit.
    pub neighbours: f32,
    /// The best message of the same stretch of conversation fits.
    pub conversation: f32,
    /// The query names the speaker.
    pub speaker: f32,
    /// The user's own words rather than an answer.
    pub role: f32,
    /// How much the message matters.
    pub salience: f32,
    /// How young it is.
    pub recency: f32,
    /// Set back for saying nearly the same as a better hit; zero or negative.
    pub repetition: f32,
}

impl Score {
    /// The sum of all parts.
    pub fn total(&self) -> f32 {
        let Self {
            meaning,
            words,
            window,
            fact,
            summary,
            answer,
            neighbours,
            conversation,
            speaker,
            role,
            salience,
            recency,
            repetition,
        } = self;
        meaning
            + words
            + window
            + fact
            + summary
            + answer
            + neighbours
            + conversation
            + speaker
            + role
            + salience
            + recency
            + repetition
    }
}

/// Why a message is or is not among the hits of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Its place among the hits, from 1; none when it is not among the candidates.
    pub rank: Option<usize>,
    pub hit: Option<Hit>,
    pub degraded: Option<String>,
}

impl Memory {
    /// Finds messages. Nothing is written; see [`Memory::reinforce`] for saying which hits were of use.
    pub async fn recall(&self, query: &Query) -> Result<Recall, Error> {
        let text = form::cut(&query.text, MAX_QUERY_CHARS);
        if text.trim().is_empty() || query.limit == 0 {
            return Ok(Recall {
                hits: Vec::new(),
                degraded: None,
            });
        }
        let mut degraded = Vec::new();
        let catching_up = self.inner.lexical.catch_up(&self.inner.database);
        match tokio::time::timeout(CATCH_UP_WAIT, catching_up).await {
            Ok(result) => result?,
            Err(_) => degraded.push("the messages are still being read".to_owned()),
        }
        let query = Query {
            text: text.to_owned(),
            ..query.clone()
        };
        // Runs while the query is embedded and the vectors are asked.
        let asked = query.clone();
        let words = self
            .inner
            .lexical
            .ask(move |state| rank::score_words(state, &asked));
        let keys = match self.embed_query(text).await {
            Ok(Some(vector)) => match self.keys(&query, vector).await {
                Ok(keys) => {
                    degraded.extend(self.index().problem());
                    Some(keys)
                }
                Err(Error::Vectors(error)) => {
                    degraded.push(format!("the vector index failed: {}", chain(&error)));
                    None
                }
                Err(error) => return Err(error),
            },
            Ok(None) => {
                degraded.extend(self.index().problem());
                None
            }
            Err(why) => {
                degraded.push(why);
                None
            }
        };

        let words = words.await.map_err(|_| Error::Interrupted)?;
        let (limit, now) = (query.limit, self.inner.clock.now());
        let ranked = self
            .inner
            .lexical
            .ask(move |state| rank::rank(state, &query, &words, keys.as_ref(), now))
            .await
            .map_err(|_| Error::Interrupted)?;
        let hits = self.hits(ranked, limit, now).await?;
        Ok(Recall {
            hits,
            degraded: (!degraded.is_empty()).then(|| degraded.join("; ")),
        })
    }

    /// Says how a message stands to a query.
    pub async fn explain(&self, query: &Query, message: MessageId) -> Result<Explanation, Error> {
        let everything = Query {
            limit: CANDIDATES,
            ..query.clone()
        };
        let Recall { hits, degraded } = self.recall(&everything).await?;
        let found = hits
            .into_iter()
            .zip(1..)
            .find(|(hit, _)| hit.message.id == message);
        Ok(Explanation {
            rank: found.as_ref().map(|(_, rank)| *rank),
            hit: found.map(|(hit, _)| hit),
            degraded,
        })
    }

    /// The vector of a query, unless there is no embedder or no index to ask; an error says why there is none.
    async fn embed_query(&self, text: &str) -> Result<Option<Vec<f32>>, String> {
        let Some((embedder, _)) = self.inner.similarity() else {
            return Ok(None);
        };
        match self.inner.index.state() {
            IndexState::Off | IndexState::Refused { .. } | IndexState::Unknown { error: None } => {
                return Ok(None);
            }
            IndexState::Unknown { error: Some(_) } | IndexState::Filling { .. } | IndexState::Ready => {}
        }
        let texts = [form::embedded_query(text, &self.inner.lexical.read().speakers)];
        let wait = self.inner.options.query_embedding_timeout;
        match tokio::time::timeout(wait, embedder.embed(&texts)).await {
            Ok(Ok(mut vectors)) if embedding::are_promised(embedder, 1, &vectors) => Ok(vectors.pop()),
            Ok(Ok(_)) => Err(embedding::broken_promise(embedder)),
            Ok(Err(error)) => Err(format!("the query could not be embedded: {}", chain(&error))),
            Err(_) => Err(format!(
                "the query was not embedded within {} ms",
                wait.as_millis()
            )),
        }
    }

    /// Loads what was ranked, applies what only the stored analysis tells, and takes the best.
    async fn hits(&self, ranked: Vec<Ranked>, limit: usize, now: Timestamp) -> Result<Vec<Hit>, Error> {
        let numbers: Vec<i64> = ranked.iter().map(|ranked| ranked.number).collect();
        let (mut messages, mut analyses) = {
            let readers = self.inner.database.readers();
            let messages = async { message::by_number(&mut *readers.acquire().await?, &numbers).await };
            let analyses = async { analysis::of(&mut *readers.acquire().await?, &numbers).await };
            tokio::try_join!(messages, analyses)?
        };
        let hits: Vec<Hit> = ranked
            .into_iter()
            .filter_map(|Ranked { number, mut score }| {
                // Gone since it was ranked.
                let message = messages.remove(&number)?;
                let analysis = analyses.remove(&number);
                let salience = match &analysis {
                    _ if message.pinned => 1.0,
                    Some(analysis) => Strength::of(&message, analysis).at(now),
                    None => 0.0,
                };
                #[expect(clippy::cast_possible_truncation, reason = "0 to 1")]
                {
                    score.salience = weights::SALIENCE * salience as f32;
                }
                Some(Hit {
                    message,
                    analysis,
                    score,
                })
            })
            .collect();
        Ok(rank::diverse(hits, limit))
    }
}
