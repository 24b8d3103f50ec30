//! What the server counts and measures, and the page of `/metrics` in the text format of Prometheus. Nothing in it tells of
//! what was said.

use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mira_llm::Usage;
use mira_llm::embedding::{Embedder, Vectors};
use mira_memory::IndexState;

use crate::api::{Mira, lag};
use crate::fault::Fault;

/// Upper bounds of the buckets of durations, in milliseconds.
const BOUNDS_MS: [u64; 10] = [2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000];

/// What is counted by the server itself.
#[derive(Debug)]
pub(crate) struct Metrics {
    started: Instant,
    /// Searches in memory that clients asked for.
    pub recall: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            recall: Histogram::default(),
        }
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Durations, by how long they were.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    /// How many were within each bound and beyond the one before it; the last counts those beyond all.
    counts: [AtomicU64; BOUNDS_MS.len() + 1],
    sum_us: AtomicU64,
}

impl Histogram {
    pub(crate) fn observe(&self, duration: Duration) {
        let bucket = BOUNDS_MS.partition_point(|&bound| duration > Duration::from_millis(bound));
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.sum_us.fetch_add(micros, Ordering::Relaxed);
    }
}

/// An embedder that is counted.
#[derive(Debug)]
pub(crate) struct Embeddings {
    embedder: Arc<dyn Embedder>,
    failures: AtomicU64,
    calls: Histogram,
}

impl Embeddings {
    pub(crate) fn new(embedder: Arc<dyn Embedder>) -> Self {
        Self {
            embedder,
            failures: AtomicU64::default(),
            calls: Histogram::default(),
        }
    }
}

impl Embedder for Embeddings {
    fn name(&self) -> &str {
        self.embedder.name()
    }

    fn dimension(&self) -> usize {
        self.embedder.dimension()
    }

    fn embed<'a>(&'a self, texts: &'a [String]) -> Vectors<'a> {
        Box::pin(async move {
            let begun = Instant::now();
            let vectors = self.embedder.embed(texts).await;
            self.calls.observe(begun.elapsed());
            if vectors.is_err() {
                self.failures.fetch_add(1, Ordering::Relaxed);
            }
            vectors
        })
    }

    fn usage(&self) -> Usage {
        self.embedder.usage()
    }
}

impl Mira {
    /// The page of `/metrics`.
    pub(crate) async fn metrics_page(&self, connections: usize) -> Result<String, Fault> {
        let memory = self.memory.status().await?;
        let now = self.now();
        let mut page = Page::default();
        page.family("mira_build_info", "gauge", "Which version runs.");
        page.sample("mira_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        page.family("mira_uptime_seconds", "gauge", "Time since the start.");
        page.sample("mira_uptime_seconds", &[], self.metrics.uptime().as_secs());
        page.family("mira_connections", "gauge", "Open WebSockets.");
        page.sample("mira_connections", &[], connections);

        let backlogs = [("analysis", &memory.analysis), ("embedding", &memory.embedding)];
        page.family("mira_memory_backlog", "gauge", "Work of memory that waits.");
        for (work, backlog) in backlogs {
            page.sample("mira_memory_backlog", &[("work", work)], backlog.waiting);
        }
        page.family(
            "mira_memory_backlog_failing",
            "gauge",
            "Of that, what has failed before.",
        );
        for (work, backlog) in backlogs {
            page.sample("mira_memory_backlog_failing", &[("work", work)], backlog.failing);
        }
        page.family(
            "mira_memory_lag_seconds",
            "gauge",
            "How long the oldest of it has waited.",
        );
        for (work, backlog) in backlogs {
            let lag = lag(backlog, now).as_secs_f64();
            page.sample("mira_memory_lag_seconds", &[("work", work)], lag);
        }
        page.family(
            "mira_vector_index_state",
            "gauge",
            "1 for the state that the vector index is in.",
        );
        let state = state(&memory.index);
        for known in STATES {
            let is_it = u8::from(known == state);
            page.sample("mira_vector_index_state", &[("state", known)], is_it);
        }

        page.family("mira_job_runs_total", "counter", "Runs of background jobs.");
        for (job, record) in &memory.jobs {
            page.sample("mira_job_runs_total", &[("job", job.as_str())], record.runs);
        }
        page.family("mira_job_done_total", "counter", "Things that they have done.");
        for (job, record) in &memory.jobs {
            page.sample("mira_job_done_total", &[("job", job.as_str())], record.done);
        }
        page.family("mira_job_failures_total", "counter", "Runs that failed.");
        for (job, record) in &memory.jobs {
            page.sample(
                "mira_job_failures_total",
                &[("job", job.as_str())],
                record.failures,
            );
        }
        page.family(
            "mira_job_last_duration_seconds",
            "gauge",
            "How long the last run took.",
        );
        for (job, record) in &memory.jobs {
            if let (Some(begun), Some(ended)) = (record.last_started, record.last_finished)
                && ended >= begun
            {
                let took = ended.since(begun).as_secs_f64();
                page.sample("mira_job_last_duration_seconds", &[("job", job.as_str())], took);
            }
        }

        page.histogram(
            "mira_recall_duration_seconds",
            "Searches in memory that clients asked for.",
            &self.metrics.recall,
        );
        if let Some(embeddings) = &self.about.memory.embeddings {
            page.histogram(
                "mira_embedding_duration_seconds",
                "Calls of the embedder.",
                &embeddings.calls,
            );
            page.family(
                "mira_embedding_failures_total",
                "counter",
                "Calls of the embedder that failed.",
            );
            let failures = embeddings.failures.load(Ordering::Relaxed);
            page.sample("mira_embedding_failures_total", &[], failures);
            page.family(
                "mira_embedding_tokens_total",
                "counter",
                "Tokens that were embedded by a provider.",
            );
            page.sample("mira_embedding_tokens_total", &[], embeddings.usage().input);
        }
        Ok(page.0)
    }
}

const STATES: [&str; 5] = ["off", "unknown", "filling", "ready", "refused"];

fn state(index: &IndexState) -> &'static str {
    match index {
        IndexState::Off => "off",
        IndexState::Unknown { .. } => "unknown",
        IndexState::Filling { .. } => "filling",
        IndexState::Ready => "ready",
        IndexState::Refused { .. } => "refused",
    }
}

/// The page while it is written. Names and labels are the server's own and need no escaping.
#[derive(Debug, Default)]
struct Page(String);

impl Page {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{value}\""))
            .collect();
        if labels.is_empty() {
            self.line(format_args!("{name} {value}"));
        } else {
            self.line(format_args!("{name}{{{}}} {value}", labels.join(",")));
        }
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.family(name, "histogram", help);
        let mut total = 0;
        let bounds = BOUNDS_MS.map(|ms| Duration::from_millis(ms).as_secs_f64().to_string());
        let bounds = bounds.iter().map(String::as_str).chain(["+Inf"]);
        for (bound, count) in bounds.zip(&histogram.counts) {
            total += count.load(Ordering::Relaxed);
            self.sample(&format!("{name}_bucket"), &[("le", bound)], total);
        }
        let sum = Duration::from_micros(histogram.sum_us.load(Ordering::Relaxed));
        self.sample(&format!("{name}_sum"), &[], sum.as_secs_f64());
        self.sample(&format!("{name}_count"), &[], total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_what_is_within_each_bound() {
        let histogram = Histogram::default();
        for ms in [1, 2, 3, 10_000] {
            histogram.observe(Duration::from_millis(ms));
        }
        let mut page = Page::default();
        page.histogram("x", "Help.", &histogram);
        let expected = "# HELP x Help.\n# TYPE x histogram\nx_bucket{le=\"0.002\"} 2\nx_bucket{le=\"0.005\"} 3\n\
            x_bucket{le=\"0.01\"} 3\nx_bucket{le=\"0.025\"} 3\nx_bucket{le=\"0.05\"} 3\nx_bucket{le=\"0.1\"} 3\n\
            x_bucket{le=\"0.25\"} 3\nx_bucket{le=\"0.5\"} 3\nx_bucket{le=\"1\"} 3\nx_bucket{le=\"5\"} 3\n\
            x_bucket{le=\"+Inf\"} 4\nx_sum 10.006\nx_count 4\n";
        assert_eq!(page.0, expected);
    }
}
