//! What happens in the background: analysis, embedding, summaries, decay, comparing the index with the truth.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mira_store::{Timestamp, chain};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::outbox::{self, Backlog, Work};
use crate::semantic::IndexState;
use crate::{Error, Memory};

/// The wait before an index that failed is tried again.
const INDEX_RETRY: Duration = Duration::from_secs(5);

/// How often each job runs by itself; none for never. Stored messages wake the first three at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    pub analysis: Option<Duration>,
    pub embedding: Option<Duration>,
    pub summaries: Option<Duration>,
    /// Weakens patterns that were not observed for long. Messages need no job: their decay is computed when they are read.
    pub decay: Option<Duration>,
    /// Compares the vector index with the stored embeddings.
    pub sweep: Option<Duration>,
    /// Writes how things stand into the log.
    pub report: Option<Duration>,
}

impl Default for Schedule {
    fn default() -> Self {
        const HOUR: u64 = 3600;
        Self {
            analysis: Some(Duration::from_secs(10)),
            embedding: Some(Duration::from_secs(10)),
            summaries: Some(Duration::from_secs(HOUR / 2)),
            decay: Some(Duration::from_secs(4 * HOUR)),
            sweep: Some(Duration::from_secs(7 * 24 * HOUR)),
            report: Some(Duration::from_secs(HOUR / 12)),
        }
    }
}

/// A background job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Job {
    Analysis,
    Embedding,
    Summaries,
    Decay,
    Sweep,
    Report,
}

impl Job {
    pub const ALL: [Self; 6] = [
        Self::Analysis,
        Self::Embedding,
        Self::Summaries,
        Self::Decay,
        Self::Sweep,
        Self::Report,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Analysis => "analysis",
            Self::Embedding => "embedding",
            Self::Summaries => "summaries",
            Self::Decay => "decay",
            Self::Sweep => "sweep",
            Self::Report => "report",
        }
    }

    const fn place(self) -> usize {
        self as usize
    }

    fn interval(self, schedule: &Schedule) -> Option<Duration> {
        match self {
            Self::Analysis => schedule.analysis,
            Self::Embedding => schedule.embedding,
            Self::Summaries => schedule.summaries,
            Self::Decay => schedule.decay,
            Self::Sweep => schedule.sweep,
            Self::Report => schedule.report,
        }
    }

    /// What to wake when this job has done something.
    const fn wakes(self) -> &'static [Self] {
        match self {
            Self::Analysis => &[Self::Embedding, Self::Summaries],
            Self::Summaries => &[Self::Embedding],
            Self::Embedding | Self::Decay | Self::Sweep | Self::Report => &[],
        }
    }
}

/// How a job has fared since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    pub runs: u64,
    /// Things done in all runs.
    pub done: u64,
    pub failures: u64,
    pub last_started: Option<Timestamp>,
    pub last_finished: Option<Timestamp>,
    pub last_error: Option<String>,
}

/// How far behind the background work is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub index: IndexState,
    pub analysis: Backlog,
    pub embedding: Backlog,
    pub jobs: Vec<(Job, Record)>,
}

/// What wakes the jobs, and what they have done.
#[derive(Debug, Default)]
pub(crate) struct Board {
    wake: [Notify; Job::ALL.len()],
    // Each job writes its own record, anybody reads.
    records: Mutex<[Record; Job::ALL.len()]>,
}

impl Board {
    pub(crate) fn wake(&self, job: Job) {
        self.wake[job.place()].notify_one();
    }

    fn record(&self, job: Job, change: impl FnOnce(&mut Record)) {
        change(&mut self.records.lock().unwrap_or_else(PoisonError::into_inner)[job.place()]);
    }
}

/// The running jobs of a memory. Dropping this stops them without waiting.
#[derive(Debug)]
pub struct Jobs {
    memory: Memory,
    tasks: TaskTracker,
    cancel: CancellationToken,
}

impl Jobs {
    /// Stops the jobs and writes the vector index to disk. Work that was cut short is done after the next start.
    pub async fn stop(self) {
        self.cancel.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        if let Some((_, vectors)) = self.memory.inner.similarity()
            && let Err(error) = vectors.flush().await
        {
            tracing::warn!(
                error = chain(&error),
                "the vector index was not written; it will be rebuilt"
            );
        }
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Memory {
    /// Starts the background jobs, once per process and memory.
    pub fn start_jobs(&self, schedule: Schedule) -> Jobs {
        let (tasks, cancel) = (TaskTracker::new(), CancellationToken::new());
        for job in Job::ALL {
            let Some(interval) = job.interval(&schedule) else {
                continue;
            };
            let (memory, cancel) = (self.clone(), cancel.clone());
            tasks.spawn(async move {
                cancel.run_until_cancelled(memory.repeat(job, interval)).await;
            });
        }
        Jobs {
            memory: self.clone(),
            tasks,
            cancel,
        }
    }

    async fn repeat(&self, job: Job, interval: Duration) {
        let board = &self.inner.board;
        // What an earlier process left is taken up at once; telling how things stand can wait.
        let mut wait = if job == Job::Report {
            interval
        } else {
            Duration::ZERO
        };
        loop {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = board.wake[job.place()].notified() => {}
            }
            board.record(job, |record| {
                record.runs += 1;
                record.last_started = Some(self.inner.clock.now());
            });
            let outcome = self.run_to_end(job).await;
            board.record(job, |record| {
                record.last_finished = Some(self.inner.clock.now());
                match &outcome {
                    Ok(done) => {
                        record.done += done;
                        record.last_error = None;
                    }
                    Err(error) => {
                        record.failures += 1;
                        record.last_error = Some(chain(error));
                    }
                }
            });
            wait = interval;
            match outcome {
                Ok(0) => {}
                Ok(_) => job.wakes().iter().for_each(|&next| board.wake(next)),
                Err(error) => {
                    tracing::warn!(
                        job = job.as_str(),
                        error = chain(&error),
                        "a background job failed"
                    );
                    wait = interval.min(INDEX_RETRY);
                }
            }
        }
    }

    /// Does what a job has to do now; says how much that was.
    async fn run_to_end(&self, job: Job) -> Result<u64, Error> {
        let mut done = 0;
        match job {
            Job::Analysis => {
                self.inner.lexical.catch_up(&self.inner.database).await?;
                while let more @ 1.. = self.analyse_due().await? {
                    done += more as u64;
                    self.inner.board.wake(Job::Embedding);
                }
            }
            Job::Embedding => {
                let compared = match self.index() {
                    // Nobody fills it any more, or whoever does is waited for.
                    IndexState::Unknown { .. } | IndexState::Filling { .. } => {
                        self.refill(|_, _| {}).await.map(drop)
                    }
                    IndexState::Off | IndexState::Ready | IndexState::Refused { .. } => Ok(()),
                };
                // What is embedded while there is nowhere to search gets there later.
                while let more @ 1.. = self.embed_due().await? {
                    done += more as u64;
                }
                compared?;
                self.keep_index().await?;
            }
            Job::Summaries => {
                while let more @ 1.. = self.summarise_due().await? {
                    done += more as u64;
                }
            }
            Job::Decay => done = self.weaken_stale_patterns().await?,
            Job::Sweep => {
                self.refill(|_, _| {}).await?;
                self.keep_index().await?;
            }
            Job::Report => {
                let Status {
                    index,
                    analysis,
                    embedding,
                    jobs: _,
                } = self.status().await?;
                tracing::info!(
                    ?index,
                    to_analyse = analysis.waiting,
                    to_embed = embedding.waiting,
                    failing = analysis.failing + embedding.failing,
                    "memory"
                );
            }
        }
        Ok(done)
    }

    /// Writes the index to disk, when it has changed.
    async fn keep_index(&self) -> Result<(), Error> {
        match self.inner.similarity() {
            Some((_, vectors)) if self.index() == IndexState::Ready => Ok(vectors.flush().await?),
            _ => Ok(()),
        }
    }

    /// Does everything that is due now: analysis, summaries, embedding. For programs that run no jobs.
    pub async fn settle(&self) -> Result<(), Error> {
        for job in [Job::Analysis, Job::Summaries, Job::Embedding] {
            self.run_to_end(job).await?;
        }
        Ok(())
    }

    /// How far behind the background work is.
    pub async fn status(&self) -> Result<Status, Error> {
        let mut reader = self.inner.database.readers().acquire().await?;
        let records = {
            let records = self.inner.board.records.lock();
            records.unwrap_or_else(PoisonError::into_inner).clone()
        };
        Ok(Status {
            index: self.index(),
            analysis: outbox::backlog(&mut reader, Work::Analyse).await?,
            // Without an embedder nothing is behind; the work is kept for when there is one.
            embedding: match self.inner.helpers.embedder {
                Some(_) => outbox::backlog(&mut reader, Work::Embed).await?,
                None => Backlog::default(),
            },
            jobs: Job::ALL.into_iter().zip(records).collect(),
        })
    }
}
