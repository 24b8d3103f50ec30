//! Artifacts.

use mira_ops::{Apply, ArtifactFilter};
use mira_proto::error::ErrorCode;
use mira_proto::native::{
    ArtifactApplyParams, ArtifactApplyResult, ArtifactDiffResult, ArtifactGetResult, ArtifactListParams,
    ArtifactListResult, ArtifactRef, ArtifactUndoParams, ArtifactUndoResult,
};

use super::{Mira, id, next_cursor, optional_id, page_size};
use crate::fault::Fault;
use crate::wire;

impl Mira {
    pub(crate) async fn artifact_get(&self, params: ArtifactRef) -> Result<ArtifactGetResult, Fault> {
        let artifact = self
            .operations
            .artifact(id(&params.artifact_id, "artifact_id")?)
            .await?;
        Ok(ArtifactGetResult {
            artifact: wire::artifact(artifact),
        })
    }

    pub(crate) async fn artifact_list(
        &self,
        params: ArtifactListParams,
    ) -> Result<ArtifactListResult, Fault> {
        let filter = match (&params.operation_id, &params.session_id, &params.project_id) {
            (Some(operation), None, None) => ArtifactFilter::Operation(id(operation, "operation_id")?),
            (None, Some(session), None) => ArtifactFilter::Session(id(session, "session_id")?),
            (None, None, Some(project)) => ArtifactFilter::Project(id(project, "project_id")?),
            _ => {
                return Err(Fault::new(
                    ErrorCode::InvalidParams,
                    "give exactly one of session_id, project_id and operation_id",
                )
                .field("session_id"));
            }
        };
        let before = optional_id(params.cursor.as_deref(), "cursor")?;
        let size = page_size(params.limit);
        let page = self.operations.artifacts(filter, before, size).await?;
        Ok(ArtifactListResult {
            next_cursor: next_cursor(&page, size, |artifact| artifact.id.to_string()),
            artifacts: page.iter().map(wire::artifact_summary).collect(),
        })
    }

    pub(crate) async fn artifact_diff(&self, params: ArtifactRef) -> Result<ArtifactDiffResult, Fault> {
        let now = self
            .operations
            .artifact_diff(id(&params.artifact_id, "artifact_id")?)
            .await?;
        Ok(ArtifactDiffResult {
            artifact_id: params.artifact_id,
            path: now.path,
            diff: now.diff,
            is_new_file: now.is_new_file,
            base_changed: now.base_changed,
        })
    }

    pub(crate) async fn artifact_apply(
        &self,
        params: ArtifactApplyParams,
    ) -> Result<ArtifactApplyResult, Fault> {
        let project = optional_id(params.project_id.as_deref(), "project_id")?;
        let how = if params.force.unwrap_or(false) {
            Apply::Overwriting
        } else {
            Apply::IfUnchanged
        };
        let wanted = id(&params.artifact_id, "artifact_id")?;
        let artifact = self.operations.apply(wanted, project, how).await?.summary;
        Ok(ArtifactApplyResult {
            path: artifact.path.clone(),
            change_id: artifact
                .change
                .map(|change| change.to_string())
                .unwrap_or_default(),
            artifact: wire::artifact_summary(&artifact),
        })
    }

    pub(crate) async fn artifact_undo(
        &self,
        params: ArtifactUndoParams,
    ) -> Result<ArtifactUndoResult, Fault> {
        let artifact = self
            .operations
            .undo(id(&params.artifact_id, "artifact_id")?)
            .await?
            .summary;
        Ok(ArtifactUndoResult {
            path: artifact.path.clone(),
            artifact: wire::artifact_summary(&artifact),
        })
    }
}
