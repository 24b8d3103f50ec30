//! Summaries of sessions.

use mira_memory::summary::Kind;
use mira_proto::error::ErrorCode;
use mira_proto::native::{
    MemorySummariesParams, MemorySummariesResult, MemoryTriggerRollingSummaryParams,
    MemoryTriggerSnapshotSummaryParams, SummaryResult,
};

use super::{Mira, page_size};
use crate::fault::Fault;
use crate::wire;

impl Mira {
    pub(crate) async fn memory_trigger_rolling_summary(
        &self,
        params: MemoryTriggerRollingSummaryParams,
    ) -> Result<SummaryResult, Fault> {
        let kind = match params.window_size {
            None | Some(10) => Kind::Rolling10,
            Some(100) => Kind::Rolling100,
            Some(other) => {
                return Err(Fault::new(
                    ErrorCode::InvalidParams,
                    format!("a rolling summary has a window of 10 or 100 messages, not {other}"),
                )
                .field("window_size"));
            }
        };
        self.summarise(&params.session_id, kind).await
    }

    pub(crate) async fn memory_trigger_snapshot_summary(
        &self,
        params: MemoryTriggerSnapshotSummaryParams,
    ) -> Result<SummaryResult, Fault> {
        self.summarise(&params.session_id, Kind::Snapshot).await
    }

    async fn summarise(&self, session: &str, kind: Kind) -> Result<SummaryResult, Fault> {
        let session = self.known_session(session).await?;
        let summary = self.memory.summarise(session, kind).await?;
        self.memory.stored();
        Ok(SummaryResult {
            summary: wire::summary(summary),
        })
    }

    pub(crate) async fn memory_summaries(
        &self,
        params: MemorySummariesParams,
    ) -> Result<MemorySummariesResult, Fault> {
        let session = self.known_session(&params.session_id).await?;
        let summaries = self.memory.summaries(session, page_size(params.limit)).await?;
        Ok(MemorySummariesResult {
            summaries: summaries.into_iter().map(wire::summary).collect(),
        })
    }
}
