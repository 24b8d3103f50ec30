//! Memory as a whole: counting it, moving it, erasing it.

use mira_memory::Scope;
use mira_memory::portable::Position;
use mira_proto::error::ErrorCode;
use mira_proto::native::{
    ImportError, ImportedMemory, MemoryEraseParams, MemoryEraseResult, MemoryExportParams,
    MemoryExportResult, MemoryGetStatsParams, MemoryGetStatsResult, MemoryImportParams, MemoryImportResult,
};
use mira_store::Timestamp;
use serde_json::json;

use super::Mira;
use super::memory::not_a_cursor;
use crate::fault::Fault;
use crate::wire;

/// Lines of a page of an export when the client does not say, and at most.
const LINES: u32 = 500;
const MAX_LINES: u32 = 5_000;

/// Bytes after which a page takes no further line.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

impl Mira {
    pub(crate) async fn memory_get_stats(
        &self,
        params: MemoryGetStatsParams,
    ) -> Result<MemoryGetStatsResult, Fault> {
        let scope = self
            .scope(
                params.session_id.as_deref(),
                params.project_id.as_deref(),
                params.user,
            )
            .await?;
        Ok(wire::stats(self.memory.stats(&scope).await?))
    }

    pub(crate) async fn memory_import(
        &self,
        params: MemoryImportParams,
    ) -> Result<MemoryImportResult, Fault> {
        let memories = params.memories.unwrap_or_default();
        let into = match &params.session_id {
            Some(session) => Some(self.known_session(session).await?),
            None if memories.is_empty() => None,
            None => {
                return Err(Fault::new(
                    ErrorCode::InvalidParams,
                    "session_id is missing, which says where the memories go",
                )
                .field("session_id")
                .hint("session.open makes a session"));
            }
        };
        let mut text = String::new();
        for memory in memories {
            text.push_str(&line(memory));
            text.push('\n');
        }
        for line in params.lines.unwrap_or_default() {
            // In JSON a line end can only stand between things, where a blank does as well.
            text.push_str(&line.replace(['\n', '\r'], " "));
            text.push('\n');
        }
        let imported = self.memory.import(text.as_bytes(), into).await?;
        let errors = imported.errors.iter().map(|refused| ImportError {
            line: refused.line,
            message: refused.why.to_string(),
        });
        Ok(MemoryImportResult {
            sessions: imported.sessions,
            messages: imported.messages,
            summaries: imported.summaries,
            facts: imported.facts,
            profiles: imported.profiles,
            patterns: imported.patterns,
            skipped: imported.skipped,
            refused: imported.refused,
            errors: errors.collect(),
        })
    }

    pub(crate) async fn memory_export(
        &self,
        params: MemoryExportParams,
    ) -> Result<MemoryExportResult, Fault> {
        let scope = self
            .scope(
                params.session_id.as_deref(),
                params.project_id.as_deref(),
                params.user,
            )
            .await?;
        let begin = match params.cursor.as_deref().map(str::parse) {
            Some(Ok(position)) => position,
            Some(Err(_)) => return Err(not_a_cursor()),
            None => Position::START,
        };
        let limit = params.limit.unwrap_or(LINES).clamp(1, MAX_LINES);
        let mut export = self.memory.export_from(scope, begin).await?;
        let mut lines = Vec::new();
        let mut bytes = 0;
        while let Some(line) = export.next().await? {
            bytes += line.len();
            lines.push(line);
            if u32::try_from(lines.len()) == Ok(limit) || bytes >= PAGE_BYTES {
                return Ok(MemoryExportResult {
                    next_cursor: Some(export.position().to_string()),
                    lines,
                });
            }
        }
        Ok(MemoryExportResult {
            lines,
            next_cursor: None,
        })
    }

    pub(crate) async fn memory_erase(&self, params: MemoryEraseParams) -> Result<MemoryEraseResult, Fault> {
        let scope = self
            .scope(
                params.session_id.as_deref(),
                params.project_id.as_deref(),
                params.user,
            )
            .await?;
        if scope == Scope::Everything {
            return Err(
                Fault::new(ErrorCode::InvalidParams, "it is not said what is to be erased")
                    .field("session_id")
                    .hint("give session_id, project_id or user"),
            );
        }
        let erased = self.operations.erase(&scope).await?;
        Ok(MemoryEraseResult {
            sessions: erased.memory.sessions,
            messages: erased.memory.messages,
            summaries: erased.memory.summaries,
            facts: erased.memory.facts,
            patterns: erased.memory.patterns,
            profiles: erased.memory.profiles,
            operations: erased.operations,
            undo_copies: erased.undo_copies,
        })
    }
}

/// A message from elsewhere as a line of an import.
fn line(memory: ImportedMemory) -> String {
    let mut line = json!({
        "content": memory.content,
        "role": memory.role.as_str(),
        "speaker": memory.speaker,
        "salience": memory.salience,
        "memory_type": memory.memory_type,
        "tags": memory.tags.unwrap_or_default(),
    });
    if let Some(time) = memory.time_ms {
        line["time"] = Timestamp::from_ms(time).to_string().into();
    }
    line.to_string()
}
