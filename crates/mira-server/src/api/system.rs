//! How the server is.

use std::time::Duration;

use mira_llm::embedding::Embedder as _;
use mira_memory::outbox::Backlog;
use mira_memory::{IndexState, Job, Schedule};
use mira_proto::native::{
    self, EmbedderStatus, IndexStatus, JobStatus, MemoryStatus, SystemStatusResult, VectorsStatus,
};
use mira_store::Timestamp;

use super::Mira;
use crate::fault::Fault;
use crate::wire;

impl Mira {
    pub(crate) async fn system_status(&self) -> Result<SystemStatusResult, Fault> {
        let status = self.memory.status().await?;
        let now = self.now();
        let jobs = status.jobs.into_iter().map(|(job, record)| JobStatus {
            name: job.as_str().to_owned(),
            interval_ms: interval(job, &self.about.memory.schedule).map(wire::milliseconds),
            runs: record.runs,
            done: record.done,
            failures: record.failures,
            last_started_ms: record.last_started.map(Timestamp::ms),
            last_finished_ms: record.last_finished.map(Timestamp::ms),
            last_error: record.last_error,
        });
        let vectors = self.memory.vector_health().await;
        Ok(SystemStatusResult {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_ms: wire::milliseconds(self.metrics.uptime()),
            models: self.about.models.clone(),
            memory: MemoryStatus {
                degraded: status.index.problem(),
                index: index(&status.index),
                embedder: self
                    .about
                    .memory
                    .embeddings
                    .as_ref()
                    .map(|embedder| EmbedderStatus {
                        name: embedder.name().to_owned(),
                        dimension: u32::try_from(embedder.dimension()).unwrap_or(u32::MAX),
                    }),
                vectors: vectors.map(|health| VectorsStatus {
                    ready: health.ready,
                    detail: health.detail,
                }),
                analysis: backlog(status.analysis, now),
                embedding: backlog(status.embedding, now),
                jobs: jobs.collect(),
            },
        })
    }
}

/// How long the oldest work has waited.
pub(crate) fn lag(backlog: &Backlog, now: Timestamp) -> Duration {
    backlog.oldest.map_or(Duration::ZERO, |oldest| now.since(oldest))
}

fn backlog(backlog: Backlog, now: Timestamp) -> native::Backlog {
    native::Backlog {
        lag_ms: wire::milliseconds(lag(&backlog, now)),
        waiting: backlog.waiting,
        failing: backlog.failing,
        error: backlog.error,
    }
}

fn index(state: &IndexState) -> IndexStatus {
    let status = |state| IndexStatus {
        state,
        done: None,
        total: None,
    };
    match state {
        IndexState::Off => status(native::IndexState::Off),
        IndexState::Unknown { .. } => status(native::IndexState::Unknown),
        IndexState::Filling { done, total } => IndexStatus {
            state: native::IndexState::Filling,
            done: Some(*done),
            total: Some(*total),
        },
        IndexState::Ready => status(native::IndexState::Ready),
        IndexState::Refused { .. } => status(native::IndexState::Refused),
    }
}

/// How often a job runs by itself; none when it is switched off.
fn interval(job: Job, schedule: &Schedule) -> Option<Duration> {
    match job {
        Job::Analysis => schedule.analysis,
        Job::Embedding => schedule.embedding,
        Job::Summaries => schedule.summaries,
        Job::Decay => schedule.decay,
        Job::Sweep => schedule.sweep,
        Job::Report => schedule.report,
    }
}
