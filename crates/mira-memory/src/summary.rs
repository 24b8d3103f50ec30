//! Summaries: what stands in for messages that are too many to be read again.
//!
//! Rolling summaries follow a session by counting what none of their kind covers yet, so that no message is skipped and
//! none is told twice, whenever and however often it is looked for work. Where a removed summary left a gap between others,
//! what is left of the gap is summarised again, however little it is.

mod extractive;
mod model;
mod table;

use std::fmt;

use mira_store::{SessionId, SummaryId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Error, Job, Memory, secret, session};
pub(crate) use table::get;
use table::{Draft, Material};

/// The author of summaries that were made without a model.
pub const EXTRACTIVE: &str = "extractive";

/// The newest messages that a snapshot covers.
pub const SNAPSHOT_MESSAGES: u32 = 50;

/// Short rolling summaries that go into a context at most, the newest.
pub const CONTEXT_SUMMARIES: u32 = 10;

/// Summaries made by one call at most.
const BATCH: usize = 8;

/// Attempts of the model before the summary is extracted.
const ATTEMPTS: u32 = 2;

/// How many short rolling summaries' messages a long one covers.
const LONG: u32 = 10;

/// Characters of a summary that are embedded: no embedder takes more than about eight thousand tokens.
const EMBEDDED_CHARS: usize = 6_000;

/// A summary of messages of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub id: SummaryId,
    pub session: SessionId,
    pub kind: Kind,
    /// Without secrets.
    pub text: String,
    /// How many messages it covers.
    pub message_count: u32,
    /// The [`Message::number`](crate::Message::number) of the first message that it covers.
    pub first_message: i64,
    /// That of the last one.
    pub last_message: i64,
    /// The name of a model, or [`EXTRACTIVE`].
    pub author: String,
    pub created: Timestamp,
}

/// What a summary covers. The numbers in the names are those of the default
/// [`summary_every`](crate::Options::summary_every).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// The next ten messages.
    #[serde(rename = "rolling_10")]
    Rolling10,
    /// The next hundred messages.
    #[serde(rename = "rolling_100")]
    Rolling100,
    /// The last [`SNAPSHOT_MESSAGES`], on request only.
    #[serde(rename = "snapshot")]
    Snapshot,
}

/// The summaries that tell a session up to now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The newest long rolling summary and the short ones that reach beyond it, in the order of the conversation; of the
    /// short ones the newest [`CONTEXT_SUMMARIES`].
    pub rolling: Vec<Summary>,
    /// The newest snapshot, until a long rolling summary reaches as far.
    pub snapshot: Option<Summary>,
}

impl Kind {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rolling10 => "rolling_10",
            Self::Rolling100 => "rolling_100",
            Self::Snapshot => "snapshot",
        }
    }

    pub(crate) fn stored(text: &str) -> Option<Self> {
        [Self::Rolling10, Self::Rolling100, Self::Snapshot]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }

    /// The fewest and the most tokens that are asked for.
    const fn tokens(self) -> (usize, usize) {
        match self {
            Self::Rolling10 => (400, 600),
            Self::Rolling100 => (2_000, 2_500),
            Self::Snapshot => (2_700, 3_300),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text of a summary that goes to an embedder.
pub(crate) fn text_to_embed(summary: &Summary) -> String {
    secret::mask(&summary.text).chars().take(EMBEDDED_CHARS).collect()
}

impl Memory {
    /// Makes up to eight of the rolling summaries that are due, over all sessions; says how many were made. A dropped call
    /// loses the summary in progress, which the next call makes.
    pub async fn summarise_due(&self) -> Result<usize, Error> {
        let mut made = 0;
        if self.inner.options.summaries {
            for _ in 0..BATCH {
                let Some(draft) = self.next_due().await? else {
                    break;
                };
                made += usize::from(self.make(draft).await?.is_some());
            }
        }
        Ok(made)
    }

    /// Makes a summary now. A rolling one covers what none of its kind covers yet, be it one message; when that is more than
    /// one summary holds, up to eight are made and the last is returned. A snapshot is always made anew.
    ///
    /// Takes as long as the model does; each summary is stored as soon as it is made.
    pub async fn summarise(&self, session: SessionId, kind: Kind) -> Result<Summary, Error> {
        let mut newest = None;
        for _ in 0..BATCH {
            let mut reader = self.inner.database.readers().acquire().await?;
            if session::get(&mut reader, session).await?.is_none() {
                return Err(Error::UnknownSession(session));
            }
            let numbers = match kind {
                Kind::Rolling10 | Kind::Rolling100 => {
                    table::uncovered(&mut reader, session, kind, self.size(kind), 1).await?
                }
                Kind::Snapshot => table::newest_messages(&mut reader, session, SNAPSHOT_MESSAGES).await?,
            };
            if numbers.is_empty() {
                break;
            }
            drop(reader);
            // What another caller stored meanwhile, or a message that was removed, shows in the next round.
            newest = self
                .make(Draft {
                    session,
                    kind,
                    numbers,
                })
                .await?
                .or(newest);
            if kind == Kind::Snapshot && newest.is_some() {
                break;
            }
        }
        newest.ok_or(Error::NothingToSummarise { session, kind })
    }

    /// A summary by id.
    pub async fn summary(&self, id: SummaryId) -> Result<Option<Summary>, Error> {
        get(&mut *self.inner.database.readers().acquire().await?, id).await
    }

    /// Up to `limit` summaries of a session, the last made first.
    pub async fn summaries(&self, session: SessionId, limit: u32) -> Result<Vec<Summary>, Error> {
        table::page(
            &mut *self.inner.database.readers().acquire().await?,
            session,
            limit,
        )
        .await
    }

    /// The summaries that tell a session up to now.
    pub async fn context_summaries(&self, session: SessionId) -> Result<Context, Error> {
        let mut reader = self.inner.database.readers().acquire().await?;
        let long = table::latest(&mut reader, session, Kind::Rolling100).await?;
        let told = long.as_ref().map_or(0, |long| long.last_message);
        let short = table::beyond(&mut reader, session, told, CONTEXT_SUMMARIES).await?;
        let snapshot = table::latest(&mut reader, session, Kind::Snapshot).await?;
        Ok(Context {
            rolling: long.into_iter().chain(short).collect(),
            snapshot: snapshot.filter(|snapshot| snapshot.last_message > told),
        })
    }

    /// The rolling summary to be made next; marks the sessions that need none. A short one goes before the long one that is
    /// made of it.
    async fn next_due(&self) -> Result<Option<Draft>, Error> {
        loop {
            let mut transaction = self.inner.database.begin().await?;
            let Some(session) = table::unsummarised(&mut transaction).await? else {
                return Ok(None);
            };
            for kind in [Kind::Rolling10, Kind::Rolling100] {
                let size = self.size(kind);
                let numbers = table::uncovered(&mut transaction, session, kind, size, size).await?;
                if !numbers.is_empty() {
                    return Ok(Some(Draft {
                        session,
                        kind,
                        numbers,
                    }));
                }
            }
            table::mark_summarised(&mut transaction, session).await?;
            transaction.commit().await?;
        }
    }

    /// Messages that a summary of this kind covers at most.
    fn size(&self, kind: Kind) -> u32 {
        let every = self.inner.options.summary_every.clamp(2, 1_000);
        match kind {
            Kind::Rolling10 => every,
            Kind::Rolling100 => every * LONG,
            Kind::Snapshot => SNAPSHOT_MESSAGES,
        }
    }

    /// Writes a summary and stores it. `None` when what it was to cover has changed meanwhile; then nothing is stored.
    async fn make(&self, draft: Draft) -> Result<Option<Summary>, Error> {
        let mut reader = self.inner.database.readers().acquire().await?;
        let material = table::material(&mut reader, &draft).await?;
        drop(reader);
        let (text, author) = self.write(&material).await;

        let mut transaction = self.inner.database.begin().await?;
        let now = self.inner.clock.now();
        let (first_message, last_message) = draft.range();
        let summary = Summary {
            id: SummaryId::at(now),
            session: draft.session,
            kind: draft.kind,
            text,
            message_count: u32::try_from(draft.numbers.len()).unwrap_or(u32::MAX),
            first_message,
            last_message,
            author,
            created: now,
        };
        let unchanged = table::is_current(&mut transaction, &draft, &material).await?;
        if !unchanged || !table::insert(&mut transaction, &summary).await? {
            return Ok(None);
        }
        transaction.commit().await?;
        self.inner.board.wake(Job::Embedding);
        Ok(Some(summary))
    }

    /// The text of a summary, and its author.
    async fn write(&self, material: &Material) -> (String, String) {
        if let Some(model) = self.inner.helpers.utility.as_deref() {
            for attempt in 1..=ATTEMPTS {
                match model::summarise(model, material).await {
                    Ok(text) => return (text, model.model().to_owned()),
                    Err(failure) => {
                        tracing::warn!(attempt, kind = %material.kind, error = &failure as &dyn std::error::Error, "the model gave no summary");
                    }
                }
            }
        }
        (extractive::summarise(material), EXTRACTIVE.to_owned())
    }
}
