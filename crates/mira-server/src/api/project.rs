//! Projects and the history of their files.

use std::path::Path;

use mira_proto::native::{
    Empty, FileChange, Project, ProjectAttachLocalParams, ProjectCreateParams, ProjectDeleteParams,
    ProjectFileHistoryParams, ProjectFileHistoryResult, ProjectListResult, ProjectModifiedFilesResult,
    ProjectRef, ProjectResult, ProjectUndoFileParams, ProjectUndoFileResult, ProjectUpdateParams,
};
use mira_store::ProjectId;
use mira_workspace::{NewProject, ProjectUpdate};

use super::{Mira, id, page_size};
use crate::fault::Fault;

impl Mira {
    pub(crate) async fn project_create(&self, params: ProjectCreateParams) -> Result<ProjectResult, Fault> {
        let new = NewProject {
            name: params.name,
            description: params.description,
            tags: params.tags.unwrap_or_default(),
        };
        let created = self.workspace.create_project(new).await?;
        let Some(directory) = params.directory else {
            return Ok(result(created));
        };
        match self.workspace.attach(created.id, Path::new(&directory)).await {
            Ok(project) => Ok(result(project)),
            Err(error) => {
                // All or nothing: a project without the directory that was asked for helps nobody.
                self.workspace.delete_project(created.id).await?;
                Err(Fault::from(error).field("directory"))
            }
        }
    }

    pub(crate) async fn project_list(&self) -> Result<ProjectListResult, Fault> {
        let projects = self.workspace.projects().await?;
        Ok(ProjectListResult {
            projects: projects.into_iter().map(project).collect(),
        })
    }

    pub(crate) async fn project_get(&self, params: ProjectRef) -> Result<ProjectResult, Fault> {
        let wanted: ProjectId = id(&params.project_id, "project_id")?;
        self.workspace
            .project(wanted)
            .await?
            .map(result)
            .ok_or_else(|| unknown(wanted))
    }

    pub(crate) async fn project_update(&self, params: ProjectUpdateParams) -> Result<ProjectResult, Fault> {
        let wanted: ProjectId = id(&params.project_id, "project_id")?;
        let update = ProjectUpdate {
            name: params.name,
            description: params.description,
            tags: params.tags,
        };
        self.workspace
            .update_project(wanted, update)
            .await?
            .map(result)
            .ok_or_else(|| unknown(wanted))
    }

    pub(crate) async fn project_delete(&self, params: ProjectDeleteParams) -> Result<Empty, Fault> {
        let wanted: ProjectId = id(&params.project_id, "project_id")?;
        if self.workspace.delete_project(wanted).await? {
            Ok(Empty {})
        } else {
            Err(unknown(wanted))
        }
    }

    pub(crate) async fn project_attach_local(
        &self,
        params: ProjectAttachLocalParams,
    ) -> Result<ProjectResult, Fault> {
        let wanted: ProjectId = id(&params.project_id, "project_id")?;
        Ok(result(
            self.workspace
                .attach(wanted, Path::new(&params.directory_path))
                .await?,
        ))
    }

    pub(crate) async fn project_undo_file(
        &self,
        params: ProjectUndoFileParams,
    ) -> Result<ProjectUndoFileResult, Fault> {
        let (files, path) = self
            .file(&params.project_id, &params.file_path)
            .await
            .map_err(in_file_path)?;
        let undone = files.undo_last(&path).await.map_err(in_file_path)?;
        Ok(ProjectUndoFileResult {
            path: undone.path.to_string(),
            change_id: undone.change.to_string(),
            exists: undone.hash.is_some(),
        })
    }

    pub(crate) async fn project_file_history(
        &self,
        params: ProjectFileHistoryParams,
    ) -> Result<ProjectFileHistoryResult, Fault> {
        let (files, path) = self
            .file(&params.project_id, &params.file_path)
            .await
            .map_err(in_file_path)?;
        let history = files.history(&path, page_size(params.limit)).await?;
        let changes = history.into_iter().map(|entry| FileChange {
            change_id: entry.change.to_string(),
            time_ms: entry.time.ms(),
            before: entry.before,
            after: entry.after,
            undone: entry.reverted,
        });
        Ok(ProjectFileHistoryResult {
            path: path.to_string(),
            changes: changes.collect(),
        })
    }

    pub(crate) async fn project_modified_files(
        &self,
        params: ProjectRef,
    ) -> Result<ProjectModifiedFilesResult, Fault> {
        let files = self.files(&params.project_id).await?.modified().await?;
        Ok(ProjectModifiedFilesResult {
            files: files.iter().map(ToString::to_string).collect(),
        })
    }
}

fn unknown(project: ProjectId) -> Fault {
    Fault::not_found("project", project, "project_id")
}

/// Elsewhere the path of a file is called `path`.
fn in_file_path(error: impl Into<Fault>) -> Fault {
    let fault = error.into();
    match fault.0.field.as_deref() {
        Some("path") => fault.field("file_path"),
        _ => fault,
    }
}

fn result(found: mira_workspace::Project) -> ProjectResult {
    ProjectResult {
        project: project(found),
    }
}

fn project(project: mira_workspace::Project) -> Project {
    Project {
        project_id: project.id.to_string(),
        name: project.name,
        description: project.description,
        tags: project.tags,
        directory: project
            .directory
            .map(|directory| directory.to_string_lossy().into_owned()),
        created_ms: project.created.ms(),
        updated_ms: project.updated.ms(),
    }
}
