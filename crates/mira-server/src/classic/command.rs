//! Commands of the frontend, answered through the same requests as those of the native profile.

use mira_proto::classic::{
    ClientFrame, Data, FileCommand, FileData, FileHistoryEntry, FileListEntry, FileSearchResult, GitData,
    GitState, ProjectCommand, ProjectData, ServerFrame,
};
use mira_proto::error::ErrorCode;
use mira_proto::native::{
    DirectoryCreateParams, FileKind, FileRef, FilesDeleteParams, FilesListParams, FilesSearchParams,
    FilesWriteManyParams, FilesWriteParams, ProjectAttachLocalParams, ProjectCreateParams,
    ProjectDeleteParams, ProjectRef, ProjectUndoFileParams, ProjectUpdateParams,
};
use mira_proto::rpc::Id;

use super::show;
use crate::api::{self, Mira};
use crate::fault::Fault;
use crate::wire;

/// Entries of a file's history when the client does not say.
const FILE_HISTORY: u32 = 10;

/// The project that a command is about; commands about one project are handled in order.
pub(super) fn project_of(command: &ClientFrame) -> Option<&str> {
    match command {
        ClientFrame::ProjectCommand(command) => match command {
            ProjectCommand::Get(params) | ProjectCommand::Delete(params) => Some(&params.id),
            ProjectCommand::Update(params) => Some(&params.id),
            ProjectCommand::SetActive(params)
            | ProjectCommand::ModifiedFiles(params)
            | ProjectCommand::ArtifactList(params) => Some(&params.project_id),
            ProjectCommand::Run(params) => Some(&params.project_id),
            ProjectCommand::AttachLocal(params) => Some(&params.project_id),
            ProjectCommand::UndoFile(params) => Some(&params.project_id),
            ProjectCommand::FileHistory(params) => Some(&params.project_id),
            ProjectCommand::ArtifactCreate(params) => Some(&params.project_id),
            ProjectCommand::Create(_)
            | ProjectCommand::List(_)
            | ProjectCommand::ArtifactGet(_)
            | ProjectCommand::ArtifactUpdate(_)
            | ProjectCommand::ArtifactDelete(_)
            | ProjectCommand::Other(_) => None,
        },
        ClientFrame::FileSystemCommand(command) => match command {
            FileCommand::Write(params) => params.project_id.as_deref(),
            FileCommand::WriteMany(params) => params.project_id.as_deref(),
            FileCommand::Read(params)
            | FileCommand::Delete(params)
            | FileCommand::Exists(params)
            | FileCommand::CreateDirectory(params) => params.project_id.as_deref(),
            FileCommand::List(params) => params.project_id.as_deref(),
            FileCommand::Search(params) => params.project_id.as_deref(),
            FileCommand::Other(_) => None,
        },
        ClientFrame::Chat(_)
        | ClientFrame::MemoryCommand(_)
        | ClientFrame::GitCommand(_)
        | ClientFrame::CodeIntelligenceCommand(_)
        | ClientFrame::DocumentCommand(_)
        | ClientFrame::FileTransfer(_)
        | ClientFrame::CancelOperation(_)
        | ClientFrame::Command(_)
        | ClientFrame::Status(_)
        | ClientFrame::Typing(_) => None,
    }
}

/// Answers a command that only needs what the server knows.
pub(super) async fn answer(mira: &Mira, command: ClientFrame) -> Result<Vec<ServerFrame>, Fault> {
    match command {
        ClientFrame::ProjectCommand(command) => project(mira, command).await,
        ClientFrame::FileSystemCommand(command) => files(mira, command).await,
        ClientFrame::GitCommand(command)
        | ClientFrame::CodeIntelligenceCommand(command)
        | ClientFrame::DocumentCommand(command) => Err(not_built(&command.method)),
        ClientFrame::FileTransfer(_) => Err(not_built("file_transfer")),
        // The connection answers these itself.
        ClientFrame::MemoryCommand(_)
        | ClientFrame::Chat(_)
        | ClientFrame::CancelOperation(_)
        | ClientFrame::Command(_)
        | ClientFrame::Status(_)
        | ClientFrame::Typing(_) => Ok(vec![]),
    }
}

fn not_built(method: &str) -> Fault {
    Fault::new(
        ErrorCode::NotImplemented,
        format!("{method} is not available in this version"),
    )
}

async fn project(mira: &Mira, command: ProjectCommand) -> Result<Vec<ServerFrame>, Fault> {
    Ok(match command {
        ProjectCommand::Create(params) => {
            let create = ProjectCreateParams {
                name: params.name,
                description: params.description,
                tags: params.tags,
                ..ProjectCreateParams::default()
            };
            let project = show::project(mira.project_create(create).await?.project);
            data(ProjectData::ProjectCreated { project })
        }
        ProjectCommand::List(_) => {
            let projects = mira
                .project_list()
                .await?
                .projects
                .into_iter()
                .map(show::listed)
                .collect();
            data(ProjectData::ProjectList { projects })
        }
        ProjectCommand::Get(params) => {
            let found = mira
                .project_get(ProjectRef {
                    project_id: params.id,
                })
                .await?;
            data(ProjectData::Project {
                project: show::project(found.project),
            })
        }
        ProjectCommand::Update(params) => {
            let update = ProjectUpdateParams {
                project_id: params.id,
                name: params.name,
                description: params.description,
                tags: params.tags,
                idempotency_key: None,
            };
            let project = show::project(mira.project_update(update).await?.project);
            data(ProjectData::ProjectUpdated { project })
        }
        ProjectCommand::Delete(params) => {
            let delete = ProjectDeleteParams {
                project_id: params.id.clone(),
                idempotency_key: None,
            };
            mira.project_delete(delete).await?;
            // The frontend lists its projects again when it reads the word `deleted`.
            status(format!("Project {} deleted", params.id), None)
        }
        ProjectCommand::SetActive(params) => status(format!("Project {} is active", params.project_id), None),
        ProjectCommand::AttachLocal(params) => {
            let attach = ProjectAttachLocalParams {
                project_id: params.project_id,
                directory_path: params.directory_path,
                idempotency_key: None,
            };
            let project = mira.project_attach_local(attach).await?.project;
            let path = project.directory.unwrap_or_default();
            let attached = ProjectData::LocalDirectoryAttached {
                project_id: project.project_id.clone(),
                message: format!("Attached {path}"),
                path,
            };
            with_modified(mira, &project.project_id, data(attached)).await?
        }
        ProjectCommand::UndoFile(params) => {
            let undo = ProjectUndoFileParams {
                project_id: params.project_id.clone(),
                file_path: params.file_path,
                idempotency_key: None,
            };
            let undone = mira.project_undo_file(undo).await?;
            let detail = if undone.exists {
                "restored"
            } else {
                "removed, because the change had made it"
            };
            let told = status(
                format!("Undid change to {}", undone.path),
                Some(detail.to_owned()),
            );
            with_modified(mira, &params.project_id, told).await?
        }
        ProjectCommand::FileHistory(params) => file_history(mira, params).await?,
        ProjectCommand::ModifiedFiles(params) => {
            let files = modified(mira, &params.project_id).await?;
            let count = wire::size(files.len());
            data(ProjectData::ModifiedFiles {
                project_id: params.project_id,
                files,
                count,
            })
        }
        ProjectCommand::ArtifactGet(params) => {
            let wanted = api::id(&params.id, "id")?;
            let artifact = show::artifact(mira.operations.artifact(wanted).await?);
            data(ProjectData::Artifact { artifact })
        }
        ProjectCommand::ArtifactList(params) => {
            let project = api::id(&params.project_id, "project_id")?;
            let filter = mira_ops::ArtifactFilter::Project(project);
            let mut artifacts = Vec::new();
            for found in mira.operations.artifacts(filter, None, api::MAX_PAGE).await? {
                artifacts.push(show::artifact(mira.operations.artifact(found.id).await?));
            }
            data(ProjectData::ArtifactList { artifacts })
        }
        ProjectCommand::Run(_) => return Err(not_built("project.run")),
        ProjectCommand::ArtifactCreate(_) => return Err(not_built("artifact.create")),
        ProjectCommand::ArtifactUpdate(_) => return Err(not_built("artifact.update")),
        ProjectCommand::ArtifactDelete(_) => return Err(not_built("artifact.delete")),
        ProjectCommand::Other(command) => return Err(unknown(&command.method)),
    })
}

async fn file_history(
    mira: &Mira,
    params: mira_proto::classic::ProjectFileHistory,
) -> Result<Vec<ServerFrame>, Fault> {
    let (files, path) = mira.file(&params.project_id, &params.file_path).await?;
    let limit = params.limit.unwrap_or(FILE_HISTORY).clamp(1, api::MAX_PAGE);
    let history: Vec<FileHistoryEntry> = files
        .history(&path, limit)
        .await?
        .into_iter()
        .map(|entry| FileHistoryEntry {
            id: Id::Number(entry.row),
            project_id: params.project_id.clone(),
            file_path: entry.path.to_string(),
            original_content: entry.before.unwrap_or_default(),
            modified_content: entry.after.unwrap_or_default(),
            modification_time: entry.time.seconds(),
            reverted: entry.reverted,
        })
        .collect();
    let count = wire::size(history.len());
    let file_path = path.to_string();
    Ok(data(ProjectData::FileHistory {
        project_id: params.project_id,
        file_path,
        history,
        count,
    }))
}

async fn files(mira: &Mira, command: FileCommand) -> Result<Vec<ServerFrame>, Fault> {
    Ok(match command {
        FileCommand::Write(params) => {
            let project_id = needed(params.project_id)?;
            let write = FilesWriteParams {
                project_id: project_id.clone(),
                path: params.path,
                content: params.content,
                ..FilesWriteParams::default()
            };
            let written = mira.files_write(write).await?;
            let told = status(
                format!("Saved {}", written.path),
                Some("undo available".to_owned()),
            );
            with_modified(mira, &project_id, told).await?
        }
        FileCommand::WriteMany(params) => {
            let project_id = needed(params.project_id)?;
            let write = FilesWriteManyParams {
                project_id: project_id.clone(),
                files: params.files,
                idempotency_key: None,
            };
            let written = mira.files_write_many(write).await?;
            let what = match written.files.as_slice() {
                [only] => only.path.clone(),
                files => format!("{} files", files.len()),
            };
            let told = status(format!("Saved {what}"), None);
            with_modified(mira, &project_id, told).await?
        }
        FileCommand::Read(params) => {
            let read = FileRef {
                project_id: needed(params.project_id)?,
                path: params.path,
            };
            let file = mira.files_read(read).await?;
            data(FileData::FileContent {
                path: file.path,
                content: file.content,
            })
        }
        FileCommand::List(params) => {
            let list = FilesListParams {
                project_id: needed(params.project_id)?,
                path: params.path,
                recursive: params.recursive,
            };
            let found = mira.files_list(list).await?;
            let files: Vec<FileListEntry> = found
                .entries
                .into_iter()
                .map(|entry| FileListEntry {
                    name: entry.name,
                    path: entry.path,
                    is_file: entry.kind == FileKind::File,
                    is_dir: entry.kind == FileKind::Directory,
                    size: entry.size_bytes.unwrap_or(0),
                })
                .collect();
            let count = wire::size(files.len());
            data(FileData::FileList {
                path: found.path,
                files,
                count,
            })
        }
        FileCommand::Delete(params) => {
            let project_id = needed(params.project_id)?;
            let delete = FilesDeleteParams {
                project_id: project_id.clone(),
                path: params.path,
                idempotency_key: None,
            };
            let path = mira.files_delete(delete).await?.path;
            let told = status(format!("Removed {path}"), Some("undo available".to_owned()));
            with_modified(mira, &project_id, told).await?
        }
        FileCommand::Exists(params) => {
            let wanted = FileRef {
                project_id: needed(params.project_id)?,
                path: params.path,
            };
            let found = mira.files_exists(wanted).await?;
            data(FileData::FileExists {
                path: found.path,
                exists: found.exists,
                is_file: found.kind == Some(FileKind::File),
                is_dir: found.kind == Some(FileKind::Directory),
            })
        }
        FileCommand::CreateDirectory(params) => {
            let create = DirectoryCreateParams {
                project_id: needed(params.project_id)?,
                path: params.path,
                idempotency_key: None,
            };
            status(
                format!("Created {}", mira.directory_create(create).await?.path),
                None,
            )
        }
        FileCommand::Search(params) => {
            let search = FilesSearchParams {
                project_id: needed(params.project_id)?,
                pattern: params.query.clone(),
                ..FilesSearchParams::default()
            };
            let found = mira.files_search(search).await?;
            let results: Vec<FileSearchResult> = found
                .matches
                .into_iter()
                .map(|found| FileSearchResult {
                    path: found.path,
                    line: found.line,
                    text: found.text,
                })
                .collect();
            let count = wire::size(results.len());
            data(FileData::FileSearchResults {
                query: params.query,
                results,
                count,
            })
        }
        FileCommand::Other(command) => return Err(unknown(&command.method)),
    })
}

/// Files outside of projects are nobody's business here.
fn needed(project: Option<String>) -> Result<String, Fault> {
    project.ok_or_else(|| {
        Fault::new(ErrorCode::InvalidParams, "project_id is missing")
            .field("project_id")
            .hint("select a project; files are read and written in projects only")
    })
}

pub(super) fn unknown(method: &str) -> Fault {
    let method: String = method.chars().take(100).collect();
    Fault::new(ErrorCode::UnknownMethod, format!("there is no method {method}")).field("method")
}

async fn modified(mira: &Mira, project: &str) -> Result<Vec<String>, Fault> {
    Ok(mira
        .project_modified_files(ProjectRef {
            project_id: project.to_owned(),
        })
        .await?
        .files)
}

/// An answer, followed by what is modified, which is what the Commit button goes by.
async fn with_modified(
    mira: &Mira,
    project: &str,
    mut frames: Vec<ServerFrame>,
) -> Result<Vec<ServerFrame>, Fault> {
    let modified_files = modified(mira, project).await?;
    let status = if modified_files.is_empty() {
        GitState::Synced
    } else {
        GitState::Modified
    };
    frames.push(ServerFrame::data(GitData::GitStatus {
        status,
        modified_files,
    }));
    Ok(frames)
}

pub(super) fn data(data: impl Into<Data>) -> Vec<ServerFrame> {
    vec![ServerFrame::data(data)]
}

fn status(message: String, detail: Option<String>) -> Vec<ServerFrame> {
    vec![ServerFrame::status(message, detail)]
}
