//! The work that waits for its analysis.

use std::collections::HashMap;

use mira_store::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::model::{self, Told};
use super::{Analysis, put, rules};
use crate::message::{self, Message, Role};
use crate::outbox::{self, Subject, Task, Work};
use crate::relationship::{self, Report};
use crate::row::to_json;
use crate::{Error, Memory, fact};

/// How many messages are analysed by rules in one transaction, during which nobody else writes.
const BATCH: u32 = 32;

/// Failures of the model after which a message is analysed by rules.
const ATTEMPTS: u32 = 2;

/// A message that waits.
#[derive(Debug)]
struct Waiting {
    task: Task,
    user: String,
    message: Message,
    previous: Option<Message>,
}

/// A message and what was found out about it.
type Found<'a> = (&'a Waiting, Analysis, Report);

impl Memory {
    /// Analyses some of the messages that wait and may be tried now; says how many were done. By the utility model where
    /// there is one: when it fails, they are put off, and when it fails again, analysed by rules.
    ///
    /// Cancel safe: what was not committed waits on.
    pub(crate) async fn analyse_due(&self) -> Result<usize, Error> {
        let now = self.inner.clock.now();
        let mut reader = self.inner.database.readers().acquire().await?;
        let tasks = outbox::due(&mut reader, Work::Analyse, now, BATCH).await?;
        if tasks.is_empty() {
            return Ok(0);
        }
        let waiting = load(&mut reader, &tasks).await?;
        drop(reader);

        let asked = match self.inner.helpers.utility {
            Some(_) => first_of_one_user(&waiting),
            None => Vec::new(),
        };
        let found = if asked.is_empty() {
            waiting.iter().map(by_rules).collect()
        } else {
            let system = waiting
                .iter()
                .filter(|waiting| waiting.message.role == Role::System)
                .map(by_rules);
            match self.ask(&asked, now).await? {
                Ok(found) => found.into_iter().chain(system).collect(),
                Err(failure) => {
                    let failed: Vec<&Waiting> = waiting
                        .iter()
                        .filter(|waiting| waiting.message.role != Role::System)
                        .filter(|waiting| {
                            failure.concerns_all() || asked.iter().any(|asked| asked.task == waiting.task)
                        })
                        .collect();
                    self.failed(&failed, &failure)
                        .await?
                        .into_iter()
                        .chain(system)
                        .collect()
                }
            }
        };
        // Of a message that is gone, the work is too.
        let gone = tasks
            .iter()
            .filter(|task| !waiting.iter().any(|waiting| waiting.task == **task))
            .copied()
            .collect();
        self.store(found, gone).await
    }

    /// Asks the utility model; where it gave nothing that can be used, rules do.
    async fn ask<'a>(
        &self,
        asked: &[&'a Waiting],
        now: Timestamp,
    ) -> Result<Result<Vec<Found<'a>>, model::Failure>, Error> {
        let (Some(utility), Some(first)) = (&self.inner.helpers.utility, asked.first()) else {
            return Ok(Ok(Vec::new()));
        };
        let known = {
            let mut reader = self.inner.database.readers().acquire().await?;
            let project = first.message.project;
            fact::current(&mut reader, &first.user, project, now, model::MAX_KNOWN).await?
        };
        let batch: Vec<Told<'_>> = asked
            .iter()
            .map(|waiting| Told {
                message: &waiting.message,
                previous: waiting.previous.as_ref(),
            })
            .collect();
        Ok(model::analyse(utility.as_ref(), &batch, &known)
            .await
            .map(|outcomes| {
                asked
                    .iter()
                    .zip(outcomes)
                    .map(|(waiting, outcome)| match outcome {
                        Some((analysis, report)) => (*waiting, analysis, report),
                        None => by_rules(waiting),
                    })
                    .collect()
            }))
    }

    /// Puts off what failed for the first time; what did before is analysed by rules.
    async fn failed<'a>(
        &self,
        failed: &[&'a Waiting],
        failure: &model::Failure,
    ) -> Result<Vec<Found<'a>>, Error> {
        let (again, first): (Vec<&Waiting>, Vec<&Waiting>) = failed
            .iter()
            .copied()
            .partition(|waiting| waiting.task.attempts + 1 >= ATTEMPTS);
        let error = mira_store::chain(failure);
        tracing::warn!(
            error,
            by_rules = again.len(),
            put_off = first.len(),
            "messages were not analysed by the model"
        );
        let tasks: Vec<Task> = first.iter().map(|waiting| waiting.task).collect();
        let mut transaction = self.inner.database.begin().await?;
        outbox::failed(&mut transaction, &tasks, &error, self.inner.clock.now()).await?;
        transaction.commit().await?;
        Ok(again.into_iter().map(by_rules).collect())
    }

    /// Writes everything in one transaction.
    async fn store(&self, found: Vec<Found<'_>>, gone: Vec<Task>) -> Result<usize, Error> {
        let mut done = gone;
        let mut transaction = self.inner.database.begin().await?;
        let now = self.inner.clock.now();
        let open = still_open(&mut transaction, &found).await?;
        for (waiting, mut analysis, report) in found {
            if !open.contains(&waiting.task.seq) {
                continue;
            }
            let Waiting {
                task, user, message, ..
            } = waiting;
            analysis.analysed = now;
            put(&mut transaction, message.number, &analysis).await?;
            if report != Report::default() {
                relationship::apply(&mut transaction, user, message, &report, now).await?;
            }
            if !analysis.heads.is_empty() && analysis.salience >= self.inner.options.embed_min_salience {
                outbox::add(&mut transaction, Work::Embed, task.subject, now).await?;
            }
            done.push(*task);
        }
        outbox::done(&mut transaction, &done).await?;
        transaction.commit().await?;
        Ok(done.len())
    }
}

fn by_rules(waiting: &Waiting) -> Found<'_> {
    let (analysis, report) = rules::analyse(&waiting.message, waiting.previous.as_ref());
    (waiting, analysis, report)
}

/// The messages for one request: those of one user in one project, so that nothing known of one goes along with another.
/// System messages say nothing that a model is needed for.
fn first_of_one_user(waiting: &[Waiting]) -> Vec<&Waiting> {
    let mut asked = waiting
        .iter()
        .filter(|waiting| waiting.message.role != Role::System)
        .peekable();
    let first = asked
        .peek()
        .map(|first| (first.user.clone(), first.message.project));
    asked
        .filter(|waiting| Some((waiting.user.clone(), waiting.message.project)) == first)
        .take(model::BATCH)
        .collect()
}

/// The messages of the tasks with their users and the messages before them.
async fn load(connection: &mut SqliteConnection, tasks: &[Task]) -> Result<Vec<Waiting>, Error> {
    let ids: Vec<String> = tasks
        .iter()
        .filter(|task| matches!(task.subject, Subject::Message(_)))
        .map(|task| task.subject.to_string())
        .collect();
    let mut rows: HashMap<String, (Message, String, Option<i64>)> = sqlx::query(
        "SELECT messages.*, sessions.user_id,
             (SELECT max(before.number) FROM messages before
              WHERE before.session_id = messages.session_id AND before.number < messages.number) AS previous
         FROM messages JOIN sessions ON sessions.id = messages.session_id
         WHERE messages.id IN (SELECT value FROM json_each(?1))",
    )
    .bind(to_json(&ids))
    .try_map(|row: SqliteRow| {
        let message = message::from_row(&row)?;
        Ok((
            message.id.to_string(),
            (message, row.try_get("user_id")?, row.try_get("previous")?),
        ))
    })
    .fetch_all(&mut *connection)
    .await?
    .into_iter()
    .collect();
    let previous: Vec<i64> = rows.values().filter_map(|(_, _, previous)| *previous).collect();
    let previous: HashMap<i64, Message> =
        sqlx::query("SELECT * FROM messages WHERE number IN (SELECT value FROM json_each(?1))")
            .bind(to_json(&previous))
            .try_map(|row: SqliteRow| message::from_row(&row))
            .fetch_all(connection)
            .await?
            .into_iter()
            .map(|message| (message.number, message))
            .collect();
    Ok(tasks
        .iter()
        .filter_map(|task| {
            let (message, user, before) = rows.remove(&task.subject.to_string())?;
            let previous = before.and_then(|number| previous.get(&number).cloned());
            Some(Waiting {
                task: *task,
                user,
                message,
                previous,
            })
        })
        .collect())
}

/// Which tasks nobody has done meanwhile and have a message still: it may be erased while a model thinks about it.
async fn still_open(connection: &mut SqliteConnection, found: &[Found<'_>]) -> Result<Vec<i64>, Error> {
    let seqs: Vec<i64> = found.iter().map(|(waiting, ..)| waiting.task.seq).collect();
    sqlx::query_scalar(
        "SELECT seq FROM outbox JOIN messages ON messages.id = outbox.subject
         WHERE seq IN (SELECT value FROM json_each(?1))",
    )
    .bind(to_json(&seqs))
    .fetch_all(connection)
    .await
    .map_err(Error::from)
}

#[cfg(test)]
mod tests;
