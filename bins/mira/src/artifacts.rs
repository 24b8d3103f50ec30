//! The files that were proposed in a session, under the numbers that the user sees.

use std::io;

use anyhow::{Context as _, bail};
use mira_client::Caller;
use mira_proto::error::ErrorCode;
use mira_proto::native::{
    Artifact, ArtifactApply, ArtifactApplyParams, ArtifactDiff, ArtifactGet, ArtifactList,
    ArtifactListParams, ArtifactRef, ArtifactSummary, ArtifactUndo, ArtifactUndoParams,
};

use crate::clean::{clean, clean_line};
use crate::command::Which;
use crate::diff;
use crate::screen::{Screen, Tone};

/// Artifacts of earlier turns that are fetched when a session is opened.
const EARLIER: u32 = 50;

/// The artifacts of a session, oldest first. Numbers count from 1 and stay.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    entries: Vec<ArtifactSummary>,
}

impl Shelf {
    /// Puts an artifact on the shelf, once, and says its number.
    pub(crate) fn put(&mut self, artifact: ArtifactSummary) -> usize {
        let known = self
            .entries
            .iter()
            .position(|entry| entry.artifact_id == artifact.artifact_id);
        if let Some(index) = known {
            index + 1
        } else {
            self.entries.push(artifact);
            self.entries.len()
        }
    }

    /// Notes that an artifact was written to disk at this time, or that this was undone.
    pub(crate) fn note_applied(&mut self, artifact_id: &str, time_ms: i64) {
        if let Some(entry) = self.entry_of(artifact_id) {
            entry.applied_ms = Some(time_ms);
            entry.undone_ms = None;
        }
    }

    pub(crate) fn note_undone(&mut self, artifact_id: &str, time_ms: i64) {
        if let Some(entry) = self.entry_of(artifact_id) {
            entry.undone_ms = Some(time_ms);
        }
    }

    fn entry_of(&mut self, artifact_id: &str) -> Option<&mut ArtifactSummary> {
        self.entries
            .iter_mut()
            .find(|entry| entry.artifact_id == artifact_id)
    }

    fn number(&self, number: usize) -> anyhow::Result<usize> {
        match number.checked_sub(1) {
            Some(index) if index < self.entries.len() => Ok(index),
            Some(_) | None => bail!("there is no artifact {number}; /artifacts lists them"),
        }
    }

    fn to_apply(&self, which: Which) -> anyhow::Result<Vec<usize>> {
        let mut open = (0..self.entries.len()).filter(|index| !is_applied(&self.entries[*index]));
        let chosen: Vec<usize> = match which {
            Which::Number(number) => vec![self.number(number)?],
            Which::Newest => open.next_back().into_iter().collect(),
            Which::All => open.collect(),
        };
        if chosen.is_empty() {
            bail!("there is nothing to apply");
        }
        Ok(chosen)
    }

    fn to_undo(&self, number: Option<usize>) -> anyhow::Result<usize> {
        match number {
            Some(number) => self.number(number),
            None => (0..self.entries.len())
                .filter(|index| is_applied(&self.entries[*index]))
                .max_by_key(|index| self.entries[*index].applied_ms)
                .context("there is nothing to undo"),
        }
    }
}

fn is_applied(artifact: &ArtifactSummary) -> bool {
    artifact.applied_ms.is_some() && artifact.undone_ms.is_none()
}

/// Fills the shelf with what earlier turns have proposed.
pub(crate) async fn load(shelf: &mut Shelf, caller: &Caller, session_id: &str) -> anyhow::Result<()> {
    let params = ArtifactListParams {
        session_id: Some(session_id.to_owned()),
        limit: Some(EARLIER),
        ..ArtifactListParams::default()
    };
    let newest_first = caller.call::<ArtifactList>(params).await?.artifacts;
    for artifact in newest_first.into_iter().rev() {
        shelf.put(artifact);
    }
    Ok(())
}

/// Shows a new artifact: what it is, and its diff.
pub(crate) fn show(artifact: &Artifact, number: usize, screen: &mut Screen) -> io::Result<()> {
    let summary = &artifact.summary;
    let size = diff::size(&artifact.diff);
    let mut facts = vec![format!("[{number}] {}", clean_line(&summary.path))];
    facts.extend(summary.language.as_deref().map(clean_line));
    facts.push(format!("+{} −{}", size.added, size.removed));
    facts.extend(summary.is_new_file.then(|| "new file".to_owned()));
    screen.line(Tone::Bold, &facts.join(" · "))?;
    diff::show_folded(&artifact.diff, number, screen)?;
    if screen.is_terminal() {
        screen.note(Tone::Dim, &format!("/apply {number} writes it to the project"))?;
    }
    Ok(())
}

/// Lists the shelf.
pub(crate) fn list(shelf: &Shelf, screen: &mut Screen) -> io::Result<()> {
    if shelf.entries.is_empty() {
        return screen.note(Tone::Dim, "no files have been proposed in this session");
    }
    for (index, artifact) in shelf.entries.iter().enumerate() {
        let state = match (artifact.applied_ms, artifact.undone_ms) {
            (None, None) => "proposed",
            (Some(_), None) => "applied",
            (_, Some(_)) => "undone",
        };
        screen.line(
            Tone::Plain,
            &format!("[{}] {} · {state}", index + 1, clean_line(&artifact.path)),
        )?;
    }
    Ok(())
}

/// Writes artifacts to the project. Stops at the first that cannot be written.
pub(crate) async fn apply(
    shelf: &mut Shelf,
    (which, force): (Which, bool),
    project_id: Option<&str>,
    caller: &Caller,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    for index in shelf.to_apply(which)? {
        let params = ArtifactApplyParams {
            artifact_id: shelf.entries[index].artifact_id.clone(),
            project_id: project_id.map(str::to_owned),
            force: force.then_some(true),
            idempotency_key: None,
        };
        let number = index + 1;
        match caller.call::<ArtifactApply>(params).await {
            Ok(applied) => {
                screen.line(Tone::Green, &format!("wrote {}", clean_line(&applied.path)))?;
                shelf.entries[index] = applied.artifact;
            }
            Err(error) => {
                if error.body().is_some_and(|body| body.code == ErrorCode::Conflict) {
                    let advice =
                        format!("/diff {number} compares with the disk, /apply {number} force writes anyway");
                    screen.note(Tone::Yellow, &advice)?;
                }
                return Err(error.into());
            }
        }
    }
    Ok(())
}

/// Puts a file back to before its artifact was written.
pub(crate) async fn undo(
    shelf: &mut Shelf,
    number: Option<usize>,
    caller: &Caller,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let index = shelf.to_undo(number)?;
    let params = ArtifactUndoParams {
        artifact_id: shelf.entries[index].artifact_id.clone(),
        idempotency_key: None,
    };
    let undone = caller.call::<ArtifactUndo>(params).await?;
    screen.line(Tone::Green, &format!("put back {}", clean_line(&undone.path)))?;
    shelf.entries[index] = undone.artifact;
    Ok(())
}

/// Shows all of a proposed change, and how it compares with the disk where that has moved on.
pub(crate) async fn show_diff(
    shelf: &Shelf,
    number: Option<usize>,
    caller: &Caller,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let index = shelf.number(number.unwrap_or(shelf.entries.len()))?;
    let reference = ArtifactRef {
        artifact_id: shelf.entries[index].artifact_id.clone(),
    };
    let artifact = caller.call::<ArtifactGet>(reference.clone()).await?.artifact;
    diff::show(&artifact.diff, screen)?;
    // Without a project there is no disk to compare with.
    if let Ok(now) = caller.call::<ArtifactDiff>(reference).await
        && now.base_changed
    {
        screen.note(
            Tone::Yellow,
            &format!("{} has changed since; against the disk now:", clean(&now.path)),
        )?;
        diff::show(&now.diff, screen)?;
    }
    Ok(())
}
