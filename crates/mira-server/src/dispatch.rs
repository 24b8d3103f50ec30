//! Which request is answered by what, in which order, and only once.

use mira_memory::session::DEFAULT_USER;
use mira_ops::Keyed;
use mira_proto::error::ErrorCode;
use mira_proto::native::{Call, ChatSend, Method as _};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::api::Mira;
use crate::fault::Fault;

/// Requests that share a lane are handled in the order they came.
pub(crate) trait Laned {
    /// The lane: the project for what concerns its files, the session for what is said in it.
    fn lane(&self) -> Option<String>;
}

pub(crate) fn project_lane(project: &str) -> String {
    format!("project {project}")
}

pub(crate) fn session_lane(session: &str) -> String {
    format!("session {session}")
}

impl Laned for Call {
    fn lane(&self) -> Option<String> {
        let project = |id: &str| Some(project_lane(id));
        let session = |id: &str| Some(session_lane(id));
        let user = |name: Option<&str>| Some(format!("user {}", name.unwrap_or(DEFAULT_USER)));
        // A repeat under the same key waits for the first.
        let key = |key: Option<&String>| key.map(|key| format!("key {key}"));
        match self {
            Self::ProjectGet(params) | Self::ProjectModifiedFiles(params) => project(&params.project_id),
            Self::ProjectUpdate(params) => project(&params.project_id),
            Self::ProjectDelete(params) => project(&params.project_id),
            Self::ProjectAttachLocal(params) => project(&params.project_id),
            Self::ProjectUndoFile(params) => project(&params.project_id),
            Self::ProjectFileHistory(params) => project(&params.project_id),
            Self::FilesRead(params) | Self::FilesExists(params) => project(&params.project_id),
            Self::FilesWrite(params) => project(&params.project_id),
            Self::FilesWriteMany(params) => project(&params.project_id),
            Self::FilesList(params) => project(&params.project_id),
            Self::FilesTree(params) => project(&params.project_id),
            Self::FilesDelete(params) => project(&params.project_id),
            Self::FilesSearch(params) => project(&params.project_id),
            Self::DirectoryCreate(params) => project(&params.project_id),
            Self::ChatSend(params) => session(&params.session_id),
            Self::MemorySave(params) => session(&params.session_id),
            Self::MemoryGetRecent(params) => session(&params.session_id),
            Self::MemoryGetContext(params) => session(&params.session_id),
            Self::MemorySummaries(params) => session(&params.session_id),
            Self::MemoryTriggerRollingSummary(params) => session(&params.session_id),
            Self::MemoryTriggerSnapshotSummary(params) => session(&params.session_id),
            Self::MemorySearch(params) => params.session_id.as_deref().and_then(session),
            Self::MemoryImport(params) => match &params.session_id {
                Some(id) => session(id),
                None => key(params.idempotency_key.as_ref()),
            },
            Self::MemoryErase(params) => match &params.session_id {
                Some(id) => session(id),
                None => key(params.idempotency_key.as_ref()),
            },
            Self::MemoryPin(params) | Self::MemoryUnpin(params) | Self::MemoryDelete(params) => {
                Some(format!("message {}", params.message_id))
            }
            Self::MemoryUpdateSalience(params) => Some(format!("message {}", params.message_id)),
            Self::FactsPin(params) | Self::FactsUnpin(params) => Some(format!("fact {}", params.fact_id)),
            Self::FactsCorrect(params) => Some(format!("fact {}", params.fact_id)),
            Self::FactsForget(params) => Some(format!("fact {}", params.fact_id)),
            Self::FactsAdd(params) => user(params.user.as_deref()),
            Self::ProfileSet(params) => user(params.user.as_deref()),
            Self::ArtifactApply(params) => Some(format!("artifact {}", params.artifact_id)),
            Self::ArtifactUndo(params) => Some(format!("artifact {}", params.artifact_id)),
            Self::ProjectCreate(params) => key(params.idempotency_key.as_ref()),
            Self::Initialize(_)
            | Self::SessionOpen(_)
            | Self::SessionResume(_)
            | Self::SessionList(_)
            | Self::SessionClose(_)
            | Self::OperationGet(_)
            | Self::OperationList(_)
            | Self::OperationCancel(_)
            | Self::OperationEvents(_)
            | Self::ArtifactGet(_)
            | Self::ArtifactList(_)
            | Self::ArtifactDiff(_)
            | Self::ProjectList(_)
            | Self::MemoryExplain(_)
            | Self::MemoryGetStats(_)
            | Self::MemoryExport(_)
            | Self::FactsList(_)
            | Self::FactsExplain(_)
            | Self::ProfileGet(_)
            | Self::PatternsList(_)
            | Self::SystemStatus(_) => None,
        }
    }
}

impl Mira {
    /// Answers a request; a repeat under the same idempotency key gets the first answer and does nothing.
    pub(crate) async fn handle_once(&self, call: Call) -> Result<Box<RawValue>, Fault> {
        let method = call.method();
        // A turn is told from its repeat in the transaction that stores it.
        let key = call
            .idempotency_key()
            .filter(|_| method != ChatSend::NAME)
            .map(str::to_owned);
        let Some(key) = key else {
            return self.handle(call).await;
        };
        let params = format!("{call:?}");
        let request = Keyed {
            method,
            key: &key,
            params: &params,
        };
        if let Some(answer) = self.operations.answered(&request).await? {
            return kept(answer);
        }
        if let Call::MemorySave(params) = call {
            return kept(self.memory_save_once(params, &request).await?);
        }
        let answer = self.handle(call).await?;
        self.operations.keep_answer(&request, answer.get()).await?;
        Ok(answer)
    }

    async fn handle(&self, call: Call) -> Result<Box<RawValue>, Fault> {
        match call {
            Call::ChatSend(params) => written(&self.chat_send(params).await?),
            Call::SessionList(params) => written(&self.session_list(params).await?),
            Call::OperationGet(params) => written(&self.operation_get(params).await?),
            Call::OperationList(params) => written(&self.operation_list(params).await?),
            Call::OperationCancel(params) => written(&self.operation_cancel(params).await?),
            Call::OperationEvents(params) => written(&self.operation_events(params).await?),
            Call::ArtifactGet(params) => written(&self.artifact_get(params).await?),
            Call::ArtifactList(params) => written(&self.artifact_list(params).await?),
            Call::ArtifactDiff(params) => written(&self.artifact_diff(params).await?),
            Call::ArtifactApply(params) => written(&self.artifact_apply(params).await?),
            Call::ArtifactUndo(params) => written(&self.artifact_undo(params).await?),
            Call::ProjectCreate(params) => written(&self.project_create(params).await?),
            Call::ProjectList(_) => written(&self.project_list().await?),
            Call::ProjectGet(params) => written(&self.project_get(params).await?),
            Call::ProjectUpdate(params) => written(&self.project_update(params).await?),
            Call::ProjectDelete(params) => written(&self.project_delete(params).await?),
            Call::ProjectAttachLocal(params) => written(&self.project_attach_local(params).await?),
            Call::ProjectUndoFile(params) => written(&self.project_undo_file(params).await?),
            Call::ProjectFileHistory(params) => written(&self.project_file_history(params).await?),
            Call::ProjectModifiedFiles(params) => written(&self.project_modified_files(params).await?),
            Call::FilesRead(params) => written(&self.files_read(params).await?),
            Call::FilesWrite(params) => written(&self.files_write(params).await?),
            Call::FilesWriteMany(params) => written(&self.files_write_many(params).await?),
            Call::FilesList(params) => written(&self.files_list(params).await?),
            Call::FilesTree(params) => written(&self.files_tree(params).await?),
            Call::FilesDelete(params) => written(&self.files_delete(params).await?),
            Call::FilesExists(params) => written(&self.files_exists(params).await?),
            Call::FilesSearch(params) => written(&self.files_search(params).await?),
            Call::DirectoryCreate(params) => written(&self.directory_create(params).await?),
            Call::MemoryGetRecent(params) => written(&self.memory_get_recent(params).await?),
            Call::MemorySave(params) => written(&self.memory_save(params).await?),
            Call::MemorySearch(params) => written(&self.memory_search(params).await?),
            Call::MemoryExplain(params) => written(&self.memory_explain(params).await?),
            Call::MemoryGetContext(params) => written(&self.memory_get_context(params).await?),
            Call::MemoryPin(params) => written(&self.memory_pin(params).await?),
            Call::MemoryUnpin(params) => written(&self.memory_unpin(params).await?),
            Call::MemoryUpdateSalience(params) => written(&self.memory_update_salience(params).await?),
            Call::MemoryDelete(params) => written(&self.memory_delete(params).await?),
            Call::MemoryTriggerRollingSummary(params) => {
                written(&self.memory_trigger_rolling_summary(params).await?)
            }
            Call::MemoryTriggerSnapshotSummary(params) => {
                written(&self.memory_trigger_snapshot_summary(params).await?)
            }
            Call::MemorySummaries(params) => written(&self.memory_summaries(params).await?),
            Call::MemoryGetStats(params) => written(&self.memory_get_stats(params).await?),
            Call::MemoryImport(params) => written(&self.memory_import(params).await?),
            Call::MemoryExport(params) => written(&self.memory_export(params).await?),
            Call::MemoryErase(params) => written(&self.memory_erase(params).await?),
            Call::FactsList(params) => written(&self.facts_list(params).await?),
            Call::FactsAdd(params) => written(&self.facts_add(params).await?),
            Call::FactsCorrect(params) => written(&self.facts_correct(params).await?),
            Call::FactsPin(params) => written(&self.facts_pin(params).await?),
            Call::FactsUnpin(params) => written(&self.facts_unpin(params).await?),
            Call::FactsForget(params) => written(&self.facts_forget(params).await?),
            Call::FactsExplain(params) => written(&self.facts_explain(params).await?),
            Call::ProfileGet(params) => written(&self.profile_get(params).await?),
            Call::ProfileSet(params) => written(&self.profile_set(params).await?),
            Call::PatternsList(params) => written(&self.patterns_list(params).await?),
            Call::SystemStatus(_) => written(&self.system_status().await?),
            // These change the connection, which answers them itself.
            Call::Initialize(_) | Call::SessionOpen(_) | Call::SessionResume(_) | Call::SessionClose(_) => {
                Err(Fault::new(
                    ErrorCode::Internal,
                    "this request belongs to the connection",
                ))
            }
        }
    }
}

fn written(result: &impl Serialize) -> Result<Box<RawValue>, Fault> {
    to_raw_value(result).map_err(|error| unwritable(&error))
}

/// An answer that was kept under its key.
fn kept(answer: String) -> Result<Box<RawValue>, Fault> {
    RawValue::from_string(answer).map_err(|error| unwritable(&error))
}

pub(crate) fn unwritable(error: &serde_json::Error) -> Fault {
    tracing::error!(%error, "an answer could not be written");
    Fault::new(ErrorCode::Internal, "the server could not write its answer")
}
