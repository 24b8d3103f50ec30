//! Making, reading, applying and undoing artifacts.

use mira_store::{ArtifactId, OperationId, ProjectId};
use mira_workspace::{
    Expected, Files, RelativePath, TextFile, WriteOptions, hash, language_of, unified_diff,
};

use crate::artifact::{Artifact, ArtifactDiff, ArtifactSummary, MAX_ARTIFACT_BYTES, PREVIEW_CHARS};
use crate::event::Event;
use crate::journal::{Change, Entry};
use crate::listen::note;
use crate::operation::ModelRole;
use crate::table::artifacts;
use crate::table::delegations::DelegationEnd;
use crate::tool::{Outcome, ToolError, Toolbox};
use crate::{ArtifactFilter, Error, Operations};

/// The most of a diff that the reasoner is shown, in tokens.
const DIFF_CAP: usize = 6_000;

/// A file as a model delivered it.
#[derive(Debug)]
pub(crate) struct Draft {
    pub path: String,
    pub content: String,
    pub language: Option<String>,
    pub origin: ModelRole,
}

/// Stores a draft as an artifact, with its difference to the file on disk, and tells of it. Ends the delegation that made
/// it, where there is one.
pub(crate) async fn make(
    toolbox: &Toolbox<'_>,
    draft: Draft,
    delegation: Option<DelegationEnd>,
) -> Result<Artifact, ToolError> {
    let Toolbox {
        inner, job, files, ..
    } = toolbox;
    check(&draft.content)?;
    let path = RelativePath::parse(&draft.path).map_err(mira_workspace::Error::from)?;
    let before = if let Some(files) = files {
        base(files, &path).await?.map(|file| (file.content, file.hash))
    } else {
        // Without a project the last version in this session stands in for the file.
        let mut reader = inner.database.readers().acquire().await.map_err(Error::from)?;
        let latest = artifacts::latest(&mut reader, job.turn.session, path.as_str()).await?;
        latest.map(|artifact| (artifact.content, artifact.summary.content_hash))
    };
    let (base_text, base_hash) = before.unzip();
    let Draft {
        content,
        language,
        origin,
        ..
    } = draft;
    let diff = difference(&path, base_text, content.clone()).await?;
    let now = inner.clock.now();
    let artifact = Artifact {
        summary: ArtifactSummary {
            id: delegation
                .as_ref()
                .and_then(|end| end.outcome.as_ref().ok().copied())
                .unwrap_or_else(|| ArtifactId::at(now)),
            operation: job.operation,
            session: job.turn.session,
            project: job.turn.project,
            path: path.to_string(),
            language: language.or_else(|| language_of(path.as_str()).map(str::to_owned)),
            content_hash: hash(content.as_bytes()),
            size_bytes: u64::try_from(content.len()).unwrap_or(u64::MAX),
            base_hash,
            origin,
            applied_in: None,
            change: None,
            created: now,
            applied: None,
            undone: None,
        },
        content,
        diff,
    };
    let ArtifactSummary {
        id, path, language, ..
    } = artifact.summary.clone();
    let preview = artifact.content.chars().take(PREVIEW_CHARS).collect();
    let events = vec![
        Event::ArtifactPreview {
            artifact: id,
            path,
            language,
            preview,
        },
        Event::ArtifactCompleted { artifact: id },
    ];
    let change = Change::Artifact {
        artifact: Box::new(artifact.clone()),
        delegation,
    };
    note(inner, job, Some(change), events)
        .await
        .map_err(ToolError::Fatal)?;
    Ok(artifact)
}

/// What the reasoner and the user are told of an artifact.
pub(crate) fn outcome(toolbox: &Toolbox<'_>, artifact: &Artifact, explanation: Option<&str>) -> Outcome {
    let summary = &artifact.summary;
    let (diff, cut) = toolbox.counter.truncate(&artifact.diff, DIFF_CAP);
    let output = serde_json::json!({
        "artifact_id": summary.id,
        "path": summary.path,
        "new_file": summary.is_new_file(),
        "unchanged": !summary.is_new_file() && artifact.diff.is_empty(),
        "diff": diff,
        "diff_cut": cut,
        "explanation": explanation,
        "state": "waits for the user to review and apply it",
    });
    let lines = artifact.content.lines().count();
    Outcome {
        output: output.to_string(),
        summary: format!(
            "{}: {lines} {}",
            summary.path,
            if lines == 1 { "line" } else { "lines" }
        ),
        made_artifact: true,
        spent: 0,
    }
}

/// What may become an artifact at all.
pub(crate) fn check(content: &str) -> Result<(), ToolError> {
    if content.trim().is_empty() {
        return Err(ToolError::Empty("the content"));
    }
    if content.len() > MAX_ARTIFACT_BYTES {
        return Err(ToolError::TooLarge {
            what: "the content",
            bytes: content.len(),
            limit: MAX_ARTIFACT_BYTES,
        });
    }
    Ok(())
}

/// The file as it stands; none when there is none.
pub(crate) async fn base(
    files: &Files,
    path: &RelativePath,
) -> Result<Option<TextFile>, mira_workspace::Error> {
    match files.read(path).await {
        Ok(file) => Ok(Some(file)),
        Err(mira_workspace::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Differences of large files take a while, so they are made off the reactor.
async fn difference(path: &RelativePath, before: Option<String>, after: String) -> Result<String, Error> {
    let path = path.clone();
    tokio::task::spawn_blocking(move || unified_diff(&path, before.as_deref(), &after))
        .await
        .map_err(|error| mira_workspace::Error::Interrupted(error).into())
}

impl Operations {
    /// An artifact.
    pub async fn artifact(&self, id: ArtifactId) -> Result<Artifact, Error> {
        let mut reader = self.inner.database.readers().acquire().await?;
        artifacts::get(&mut reader, id)
            .await?
            .ok_or(Error::UnknownArtifact(id))
    }

    /// Up to `limit` artifacts made before `before`, newest first.
    pub async fn artifacts(
        &self,
        filter: ArtifactFilter,
        before: Option<ArtifactId>,
        limit: u32,
    ) -> Result<Vec<ArtifactSummary>, Error> {
        let mut reader = self.inner.database.readers().acquire().await?;
        artifacts::page(&mut reader, filter, before, limit).await
    }

    /// How an artifact differs from the disk now. Of an artifact without a project: from nothing.
    pub async fn artifact_diff(&self, id: ArtifactId) -> Result<ArtifactDiff, Error> {
        let artifact = self.artifact(id).await?;
        let path = path_of(&artifact)?;
        let now = match artifact.summary.project {
            Some(project) => {
                let files = self.inner.workspace.files(project).await?;
                base(&files, &path).await?
            }
            None => None,
        };
        let (before, hash) = now.map(|file| (file.content, file.hash)).unzip();
        Ok(ArtifactDiff {
            path: artifact.summary.path,
            is_new_file: before.is_none(),
            base_changed: hash != artifact.summary.base_hash,
            diff: difference(&path, before, artifact.content).await?,
        })
    }

    /// Writes an artifact to `project`, or to the one it was made in. A file that is no longer the one that the
    /// artifact was made from is overwritten only by [`Apply::Overwriting`]; the undo history has it in any case. An
    /// artifact that is applied already, and whose file is unchanged, stays as it is. Runs to its end once it is polled,
    /// even when the future is dropped.
    pub async fn apply(
        &self,
        id: ArtifactId,
        project: Option<ProjectId>,
        how: Apply,
    ) -> Result<Artifact, Error> {
        let this = self.clone();
        self.to_the_end(async move { this.write(id, project, how).await })
            .await
    }

    /// Takes an applied artifact back: the file is again what it was before. Refused when the file changed since. Runs to
    /// its end once it is polled, even when the future is dropped.
    pub async fn undo(&self, id: ArtifactId) -> Result<Artifact, Error> {
        let this = self.clone();
        self.to_the_end(async move { this.take_back(id).await }).await
    }

    /// Runs a change of the disk and of what is known about it as one: another one waits, and a caller who goes away
    /// leaves nothing half done.
    async fn to_the_end(
        &self,
        change: impl Future<Output = Result<Artifact, Error>> + Send + 'static,
    ) -> Result<Artifact, Error> {
        let this = self.clone();
        let whole = async move {
            let _turn = this.inner.applying.lock().await;
            change.await
        };
        self.inner
            .tasks
            .spawn(whole)
            .await
            .map_err(|_| Error::ShuttingDown)?
    }

    async fn write(&self, id: ArtifactId, project: Option<ProjectId>, how: Apply) -> Result<Artifact, Error> {
        let artifact = self.artifact(id).await?;
        let project = project.or(artifact.summary.project).ok_or(Error::NoProject(id))?;
        let path = path_of(&artifact)?;
        let files = self.inner.workspace.files(project).await?;
        let found = base(&files, &path).await?;
        let unchanged = found
            .as_ref()
            .is_some_and(|file| same_lines(&file.content, &artifact.content));
        if artifact.summary.applied_in == Some(project) && unchanged {
            return Ok(artifact);
        }
        let now = found.map(|file| file.hash);
        // A file that is the artifact already, as after a crash between the write and its record, hides nothing.
        if how == Apply::IfUnchanged && !unchanged && now != artifact.summary.base_hash {
            return Err(Error::BaseChanged {
                path: artifact.summary.path,
            });
        }
        // Between the look and the write somebody else may write: the write looks again.
        let expected = now.map_or(Expected::Nothing, Expected::Hash);
        let options = WriteOptions { expected };
        let change = files.write(&path, &artifact.content, options).await?;
        let applied = Change::Applied {
            artifact: id,
            project,
            change: change.id,
        };
        let event = Event::ArtifactApplied {
            artifact: id,
            path: path.to_string(),
        };
        self.tell(&artifact.summary, applied, event).await?;
        self.artifact(id).await
    }

    async fn take_back(&self, id: ArtifactId) -> Result<Artifact, Error> {
        let artifact = self.artifact(id).await?;
        let (Some(project), Some(change)) = (artifact.summary.applied_in, artifact.summary.change) else {
            return Err(Error::NotApplied(id));
        };
        let files = self.inner.workspace.files(project).await?;
        match files.undo(change).await {
            // Undone by way of the file's own history: the artifact only has to learn of it.
            Ok(_) | Err(mira_workspace::Error::AlreadyUndone { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let event = Event::ArtifactUndone {
            artifact: id,
            path: artifact.summary.path.clone(),
        };
        self.tell(&artifact.summary, Change::Undone { artifact: id }, event)
            .await?;
        self.artifact(id).await
    }

    async fn tell(&self, artifact: &ArtifactSummary, change: Change, event: Event) -> Result<(), Error> {
        let operation: OperationId = artifact.operation;
        let entry = Entry {
            session: artifact.session,
            operation,
            change: Some(change),
            events: vec![event],
        };
        self.inner.journal.commit(entry).await.map(drop)
    }
}

/// What to do when the file changed since the artifact was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apply {
    /// Refuse.
    IfUnchanged,
    Overwriting,
}

/// Whether two texts are the same but for what a write keeps of the file on disk: byte order mark and line endings.
fn same_lines(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    plain(one) == plain(other)
}

fn path_of(artifact: &Artifact) -> Result<RelativePath, Error> {
    let path = RelativePath::parse(&artifact.summary.path).map_err(mira_workspace::Error::from)?;
    Ok(path)
}
