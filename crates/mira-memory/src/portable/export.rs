//! Memory as lines.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, Sqlite, Transaction};

use super::HEADER;
use super::table::{ANALYSES, FACTS, MESSAGES, PATTERNS, PROFILES, SESSIONS, SUMMARIES, Table};
use crate::scope::Scope;
use crate::{Error, Memory};

/// Rows that are read at a time.
const PAGE: usize = 50;

/// What is written, in an order in which nothing refers to what comes later.
const PARTS: [Part; 7] = [
    Part::Rows(&SESSIONS),
    Part::Messages,
    Part::Rows(&SUMMARIES),
    Part::Rows(&FACTS),
    Part::Replacements,
    Part::Rows(&PROFILES),
    Part::Rows(&PATTERNS),
];

/// Memory, line by line. It shows the state of one moment and holds one reading connection until it is dropped.
#[derive(Debug)]
pub struct Export {
    transaction: Transaction<'static, Sqlite>,
    scope: Scope,
    /// Lines that were read and not handed out yet, with the places after them.
    ready: VecDeque<(String, Position)>,
    /// Where to go on reading.
    next: Position,
    /// Where the last line that was handed out ended.
    told: Position,
}

/// A place in an export, between two lines. It stays good when rows before it go away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// A place in [`PARTS`].
    part: usize,
    /// The row of it after which to go on.
    row: i64,
}

impl Position {
    /// Before the header.
    pub const START: Self = Self {
        part: 0,
        row: i64::MIN,
    };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.part, self.row)
    }
}

/// A text is not the [`Display`](fmt::Display) form of a [`Position`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a position in an export")]
pub struct InvalidPosition;

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let (part, row) = text.split_once(':').ok_or(InvalidPosition)?;
        let part = part.parse().map_err(|_| InvalidPosition)?;
        let row = row.parse().map_err(|_| InvalidPosition)?;
        Ok(Self { part, row })
    }
}

#[derive(Debug)]
enum Part {
    Rows(&'static Table),
    /// Messages with their analyses.
    Messages,
    /// Which fact took the place of which.
    Replacements,
}

impl Memory {
    /// Everything in a scope as lines of JSON, to be kept elsewhere and given to [`Memory::import`]. What refers to
    /// something outside of the scope comes without that reference. Embeddings are left out, because they can be made again.
    pub async fn export(&self, scope: Scope) -> Result<Export, Error> {
        self.export_from(scope, Position::START).await
    }

    /// Like [`Self::export`], from a place on that an earlier export was left at. What was added or removed since then
    /// counts, so pages of an export together do not show the state of one moment.
    pub async fn export_from(&self, scope: Scope, position: Position) -> Result<Export, Error> {
        let begun = Position {
            part: 0,
            row: i64::MIN + 1,
        };
        let (ready, next) = if position == Position::START {
            (VecDeque::from([(HEADER.to_owned(), begun)]), begun)
        } else {
            (VecDeque::new(), position)
        };
        Ok(Export {
            transaction: self.inner.database.readers().begin().await?,
            scope,
            ready,
            next,
            told: position,
        })
    }
}

impl Export {
    /// The next line, without a line end; none after the last. However much there is, only a few rows are in memory.
    /// Cancel safe.
    pub async fn next(&mut self) -> Result<Option<String>, Error> {
        while self.ready.is_empty() {
            let Position {
                part: number,
                row: after,
            } = self.next;
            let Some(part) = PARTS.get(number) else {
                return Ok(None);
            };
            let rows = sqlx::query(AssertSqlSafe(part.select(&self.scope)))
                .bind(self.scope.bound())
                .bind(after)
                .try_map(|row: SqliteRow| Ok((row.try_get::<i64, _>(0)?, part.line(&row)?)))
                .fetch_all(&mut *self.transaction)
                .await?;
            self.next = match rows.last() {
                Some((last, _)) if rows.len() == PAGE => Position {
                    part: number,
                    row: *last,
                },
                _ => Position {
                    part: number + 1,
                    row: i64::MIN,
                },
            };
            let lines = rows
                .into_iter()
                .map(|(row, line)| (line, Position { part: number, row }));
            self.ready.extend(lines);
        }
        Ok(self.ready.pop_front().map(|(line, after)| {
            self.told = after;
            line
        }))
    }

    /// The place after the last line that [`Self::next`] gave, for [`Memory::export_from`].
    pub fn position(&self) -> Position {
        self.told
    }
}

impl Part {
    /// The rows after `?2`: first the number of the row, then what [`Self::line`] reads.
    fn select(&self, scope: &Scope) -> String {
        match self {
            Self::Rows(table) => {
                let name = table.name;
                format!(
                    "SELECT {name}.rowid, {} FROM {name} WHERE {name}.rowid > ?2 AND {} ORDER BY {name}.rowid LIMIT {PAGE}",
                    table.expressions(scope),
                    (table.scope)(scope)
                )
            }
            Self::Messages => format!(
                "SELECT messages.number, {}, analyses.message IS NOT NULL, {}
                 FROM messages LEFT JOIN analyses ON analyses.message = messages.number
                 WHERE messages.number > ?2 AND {} ORDER BY messages.number LIMIT {PAGE}",
                MESSAGES.expressions(scope),
                ANALYSES.expressions(scope),
                scope.messages("messages")
            ),
            Self::Replacements => format!(
                "SELECT facts.rowid, facts.id, facts.replaced_by FROM facts
                 WHERE facts.rowid > ?2 AND {scope} AND facts.replaced_by IN (SELECT facts.id FROM facts WHERE {scope})
                 ORDER BY facts.rowid LIMIT {PAGE}",
                scope = scope.facts()
            ),
        }
    }

    fn line(&self, row: &SqliteRow) -> Result<String, sqlx::Error> {
        Ok(match self {
            Self::Rows(table) => {
                let fields = table.write(&table.read(row, 1)?);
                format!(r#"{{"type":"{}",{fields}}}"#, table.kind.as_str())
            }
            Self::Messages => {
                let fields = MESSAGES.write(&MESSAGES.read(row, 1)?);
                let analysed = MESSAGES.columns.len() + 1;
                if row.try_get(analysed)? {
                    let analysis = ANALYSES.write(&ANALYSES.read(row, analysed + 1)?);
                    format!(r#"{{"type":"message",{fields},"analysis":{{{analysis}}}}}"#)
                } else {
                    format!(r#"{{"type":"message",{fields}}}"#)
                }
            }
            Self::Replacements => {
                let (fact, by): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
                format!(r#"{{"type":"replacement","fact":"{fact}","by":"{by}"}}"#)
            }
        })
    }
}
