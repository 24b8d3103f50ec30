//! Memory as lines.

use std::collections::VecDeque;

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
    /// Lines that were read and not handed out yet.
    ready: VecDeque<String>,
    /// What is still to be read.
    parts: std::slice::Iter<'static, Part>,
    /// What is being read, and the row after which to go on.
    current: Option<(&'static Part, i64)>,
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
        Ok(Export {
            transaction: self.inner.database.readers().begin().await?,
            scope,
            ready: VecDeque::from([HEADER.to_owned()]),
            parts: PARTS.iter(),
            current: None,
        })
    }
}

impl Export {
    /// The next line, without a line end; none after the last. However much there is, only a few rows are in memory.
    /// Cancel safe.
    pub async fn next(&mut self) -> Result<Option<String>, Error> {
        while self.ready.is_empty() {
            let (part, after) = match self.current {
                Some(current) => current,
                None => match self.parts.next() {
                    Some(part) => (part, i64::MIN),
                    None => return Ok(None),
                },
            };
            self.current = Some((part, after));
            let rows = sqlx::query(AssertSqlSafe(part.select(&self.scope)))
                .bind(self.scope.bound())
                .bind(after)
                .try_map(|row: SqliteRow| Ok((row.try_get::<i64, _>(0)?, part.line(&row)?)))
                .fetch_all(&mut *self.transaction)
                .await?;
            self.current = match rows.last() {
                Some((last, _)) if rows.len() == PAGE => Some((part, *last)),
                _ => None,
            };
            self.ready.extend(rows.into_iter().map(|(_, line)| line));
        }
        Ok(self.ready.pop_front())
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
