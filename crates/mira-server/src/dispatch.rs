//! Which request is answered by what, in which order, and only once.

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
            Self::ChatSend(params) => Some(session_lane(&params.session_id)),
            Self::MemorySave(params) => Some(session_lane(&params.session_id)),
            Self::MemoryGetRecent(params) => Some(session_lane(&params.session_id)),
            Self::ArtifactApply(params) => Some(format!("artifact {}", params.artifact_id)),
            Self::ArtifactUndo(params) => Some(format!("artifact {}", params.artifact_id)),
            // A repeat under the same key waits for the first.
            Self::ProjectCreate(params) => params.idempotency_key.as_ref().map(|key| format!("key {key}")),
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
            | Self::ProjectList(_) => None,
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
        let request = format!("{call:?}");
        if let Some(answer) = self.operations.answered(method, &key, &request).await? {
            return RawValue::from_string(answer).map_err(|error| unwritable(&error));
        }
        let answer = self.handle(call).await?;
        self.operations
            .keep_answer(method, &key, &request, answer.get())
            .await?;
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

fn unwritable(error: &serde_json::Error) -> Fault {
    tracing::error!(%error, "an answer could not be written");
    Fault::new(ErrorCode::Internal, "the server could not write its answer")
}
