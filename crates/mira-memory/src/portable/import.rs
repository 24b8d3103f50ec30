//! Lines as memory.

use std::str::FromStr;

use mira_store::{InvalidId, MessageId, SessionId, Timestamp};
use sqlx::{Connection as _, SqliteConnection};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

use super::line::{Line, Refusal};
use super::shape::Shape;
use super::store::{Outcome, Trouble, insert, known, replace};
use super::table::{ANALYSES, Kind, Table};
use crate::message::{self, Role};
use crate::outbox::{self, Subject, Work};
use crate::{Error, Memory, analysis, fact, profile, session, summary};

/// The longest line that is read. What a message may hold fits into it however it is escaped.
pub const MAX_LINE_BYTES: usize = 64 * 1024 * 1024;

/// How many refused lines are told one by one.
pub const MAX_REPORTED: usize = 1_000;

/// Lines, and about how many bytes of them, that are stored in one transaction.
const BATCH_LINES: usize = 200;
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// What became of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    pub sessions: u64,
    pub messages: u64,
    pub summaries: u64,
    pub facts: u64,
    pub profiles: u64,
    pub patterns: u64,
    /// Lines that told of what was there already.
    pub skipped: u64,
    /// Lines that could not be taken.
    pub refused: u64,
    /// The first [`MAX_REPORTED`] of them.
    pub errors: Vec<RefusedLine>,
}

/// A line that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedLine {
    /// From 1.
    pub line: u64,
    pub why: Refusal,
}

impl Memory {
    /// Takes lines from [`Memory::export`], or messages in a plainer form ([`crate::portable`]), which go `into` a session
    /// unless they name one. A line that cannot be taken does not keep the others from being taken. Nothing that is there
    /// is changed, so an import can be repeated; things are the same when their ids are, and what does not change by
    /// itself. What was imported is embedded, and where it has no analysis analysed, in the background.
    ///
    /// When the call fails or is dropped, the lines up to some point are stored.
    pub async fn import(
        &self,
        mut lines: impl AsyncBufRead + Unpin + Send,
        into: Option<SessionId>,
    ) -> Result<Imported, Error> {
        if let Some(id) = into
            && self.session(id).await?.is_none()
        {
            return Err(Error::UnknownSession(id));
        }
        let mut imported = Imported::default();
        let mut line = 0;
        loop {
            let mut batch = Vec::new();
            let mut bytes = 0;
            while batch.len() < BATCH_LINES && bytes < BATCH_BYTES {
                let Some(text) = next_line(&mut lines).await.map_err(Error::Import)? else {
                    break;
                };
                line += 1;
                bytes += text.as_ref().map_or(0, String::len);
                batch.push((line, text));
            }
            if batch.is_empty() {
                return Ok(imported);
            }
            self.import_batch(batch, into, &mut imported).await?;
            self.stored();
        }
    }

    async fn import_batch(
        &self,
        batch: Vec<(u64, Result<String, Refusal>)>,
        into: Option<SessionId>,
        imported: &mut Imported,
    ) -> Result<(), Error> {
        let mut counted = imported.clone();
        let mut transaction = self.inner.database.begin().await?;
        for (number, text) in batch {
            let parsed = match text {
                Ok(text) if text.trim().is_empty() => continue,
                Ok(text) => Line::parse(&text),
                Err(refusal) => Err(refusal),
            };
            let taken = match parsed {
                Ok(line) => {
                    let adds = line.adds();
                    let mut savepoint = transaction.begin().await?;
                    let outcome = self.take(&mut savepoint, line, into).await;
                    if matches!(outcome, Ok(Outcome::Added)) {
                        savepoint.commit().await?;
                    } else {
                        savepoint.rollback().await?;
                    }
                    outcome.map(|outcome| (outcome, adds))
                }
                Err(refusal) => Err(Trouble::Refused(refusal)),
            };
            match taken {
                Ok((Outcome::Added, Some(kind))) => counted.count(kind),
                Ok((Outcome::Added, None)) => {}
                Ok((Outcome::Known, _)) => counted.skipped += 1,
                Err(Trouble::Refused(why)) => {
                    counted.refused += 1;
                    if counted.errors.len() < MAX_REPORTED {
                        counted.errors.push(RefusedLine { line: number, why });
                    }
                }
                Err(Trouble::Failed(error)) => return Err(error),
            }
        }
        transaction.commit().await?;
        *imported = counted;
        Ok(())
    }

    async fn take(
        &self,
        connection: &mut SqliteConnection,
        line: Line,
        into: Option<SessionId>,
    ) -> Result<Outcome, Trouble> {
        let now = self.inner.clock.now();
        match line {
            Line::Header => Ok(Outcome::Added),
            Line::Row {
                table,
                values,
                analysis,
            } => {
                if known(connection, table, &values).await? {
                    return Ok(Outcome::Known);
                }
                let number = insert(connection, table, &values, None).await?;
                if let Some(analysis) = &analysis {
                    insert(connection, &ANALYSES, analysis, Some(number)).await?;
                }
                self.follow_up(connection, table, table.key(&values), now).await?;
                Ok(Outcome::Added)
            }
            Line::Replacement { fact, by } => replace(connection, fact, by).await,
            Line::Simple(message) => message.store(connection, into, now).await,
        }
    }

    /// Reads a new row as everybody else will, because nothing may be taken that cannot be read, and does what it makes
    /// necessary.
    async fn follow_up(
        &self,
        connection: &mut SqliteConnection,
        table: &Table,
        key: &str,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        match table.kind {
            Kind::Message => self.count_message(connection, id(key)?, now).await?,
            Kind::Summary => {
                let summary = id(key)?;
                summary::get(connection, summary).await?;
                outbox::add(connection, Work::Embed, Subject::Summary(summary), now).await?;
            }
            Kind::Fact => {
                let fact = id(key)?;
                fact::get(connection, fact).await?;
                outbox::add(connection, Work::Embed, Subject::Fact(fact), now).await?;
            }
            Kind::Profile => {
                profile::of(connection, key).await?;
            }
            Kind::Session => {
                session::get(connection, id(key)?).await?;
            }
            Kind::Analysis | Kind::Pattern => {}
        }
        Ok(())
    }

    async fn count_message(
        &self,
        connection: &mut SqliteConnection,
        id: MessageId,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let Some(message) = message::get(connection, id).await? else {
            return Ok(());
        };
        let title = (message.role == Role::User).then_some(message.content.as_str());
        session::touch(connection, message.session, title, message.time).await?;
        let least = self.inner.options.embed_min_salience;
        let work = match analysis::of(connection, &[message.number])
            .await?
            .get(&message.number)
        {
            None => Work::Analyse,
            Some(analysis) if !analysis.heads.is_empty() && analysis.salience >= least => Work::Embed,
            Some(_) => return Ok(()),
        };
        Ok(outbox::add(connection, work, Subject::Message(id), now).await?)
    }
}

fn id<T: FromStr<Err = InvalidId>>(key: &str) -> Result<T, Refusal> {
    key.parse().map_err(|_: InvalidId| Refusal::Invalid {
        field: "id",
        wanted: Shape::Id.wanted(),
    })
}

/// The next line without its end; none after the last.
async fn next_line(
    lines: &mut (impl AsyncBufRead + Unpin),
) -> std::io::Result<Option<Result<String, Refusal>>> {
    let mut line = Vec::new();
    let mut length = 0;
    loop {
        let ready = lines.fill_buf().await?;
        if ready.is_empty() && length == 0 {
            return Ok(None);
        }
        let end = ready.iter().position(|byte| *byte == b'\n');
        let part = &ready[..end.unwrap_or(ready.len())];
        length += part.len();
        if length <= MAX_LINE_BYTES {
            line.extend_from_slice(part);
        }
        let (last, used) = (
            ready.is_empty() || end.is_some(),
            part.len() + usize::from(end.is_some()),
        );
        lines.consume(used);
        if last {
            break;
        }
    }
    Ok(Some(if length > MAX_LINE_BYTES {
        Err(Refusal::TooLong)
    } else {
        String::from_utf8(line).map_err(|_| Refusal::NotUtf8)
    }))
}

impl Line {
    /// What there is one more of once it is taken.
    const fn adds(&self) -> Option<Kind> {
        match self {
            Self::Row { table, .. } => Some(table.kind),
            Self::Simple(_) => Some(Kind::Message),
            Self::Header | Self::Replacement { .. } => None,
        }
    }
}

impl Imported {
    fn count(&mut self, kind: Kind) {
        match kind {
            Kind::Session => self.sessions += 1,
            Kind::Message => self.messages += 1,
            Kind::Summary => self.summaries += 1,
            Kind::Fact => self.facts += 1,
            Kind::Profile => self.profiles += 1,
            Kind::Pattern => self.patterns += 1,
            // Counts with its message.
            Kind::Analysis => {}
        }
    }
}
