//! Changing files on disk: look first, lay the new content beside each file, then put all in place.
//!
//! New content is written to a temporary file in the same directory, flushed to the disk, and renamed over the old:
//! a reader or a power cut sees the old file or the new one, never half of one.

use std::io::{self, Write};

use cap_std::fs::OpenOptions;
use mira_store::{ChangeId, Timestamp};

use crate::root::{self, Found, Root};
use crate::text::{self, MAX_TEXT_BYTES};
use crate::{Error, Expected, RelativePath};

/// What a change costs besides the bytes it keeps, so that changes of small files are bounded as well.
const CHANGE_BYTES: u64 = 1024;

/// The largest file, in bytes, that may be deleted: its bytes are kept so that it can be brought back.
pub const MAX_KEPT_BYTES: u64 = 32 * 1024 * 1024;

const TEMPORARY_PREFIX: &str = ".mira-";
const TEMPORARY_SUFFIX: &str = ".tmp";

/// What somebody wants done to a file.
#[derive(Debug)]
pub(crate) struct Edit {
    pub(crate) path: RelativePath,
    pub(crate) wish: Wish,
}

#[derive(Debug)]
pub(crate) enum Wish {
    Write {
        content: String,
        expected: Expected,
    },
    Delete,
    /// Exactly these bytes, or no file.
    Restore(Option<Found>),
}

/// An edit that was found possible: what is there, and what shall be.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) change: ChangeId,
    pub(crate) path: RelativePath,
    pub(crate) before: Option<Version>,
    pub(crate) after: Option<Version>,
    /// Directories that have to be made first.
    pub(crate) missing: Vec<RelativePath>,
}

#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) hash: String,
    pub(crate) found: Found,
}

impl Version {
    fn new(found: Found) -> Self {
        Self {
            hash: text::hash(&found.bytes),
            found,
        }
    }
}

impl Step {
    pub(crate) fn before_hash(&self) -> Option<&str> {
        self.before.as_ref().map(|version| &*version.hash)
    }

    pub(crate) fn after_hash(&self) -> Option<&str> {
        self.after.as_ref().map(|version| &*version.hash)
    }

    /// What the change takes of the undo history, in bytes.
    pub(crate) fn size(&self) -> u64 {
        let size = |version: &Option<Version>| version.as_ref().map_or(0, |it| it.found.bytes.len() as u64);
        CHANGE_BYTES + size(&self.before) + size(&self.after)
    }
}

/// Looks at every file of a batch and decides what its bytes shall be. Touches nothing.
pub(crate) fn plan(root: &Root, edits: Vec<Edit>, time: Timestamp) -> Result<Vec<Step>, Error> {
    let mut steps: Vec<Step> = Vec::with_capacity(edits.len());
    for edit in edits {
        let path = root.resolve(&edit.path)?;
        if steps.iter().any(|step| step.path == path) {
            return Err(Error::DuplicatePath { path });
        }
        steps.push(plan_one(root, edit, path, time)?);
    }
    Ok(steps)
}

fn plan_one(root: &Root, edit: Edit, path: RelativePath, time: Timestamp) -> Result<Step, Error> {
    let missing = root.missing_parents(&path)?;
    let look = |limit| {
        if missing.is_empty() {
            root.read_if_present(&path, limit)
        } else {
            Ok(None)
        }
    };
    let (before, after) = match edit.wish {
        Wish::Write { content, expected } => {
            let before = look(MAX_TEXT_BYTES)?;
            let as_text = before
                .as_ref()
                .map(|found| text::decode(path.clone(), &found.bytes))
                .transpose()?;
            let found = as_text.as_ref().map(|file| file.hash.clone());
            let expected = match expected {
                Expected::Anything => found.clone(),
                Expected::Nothing => None,
                Expected::Hash(hash) => Some(hash),
            };
            if expected != found {
                return Err(Error::Changed {
                    path,
                    expected,
                    found,
                });
            }
            if before.is_some() {
                root.check_writable(&path)?;
            }
            let bytes = text::encode(&content, as_text.as_ref());
            let size = bytes.len() as u64;
            if size > MAX_TEXT_BYTES {
                return Err(Error::TooLarge {
                    path,
                    size,
                    limit: MAX_TEXT_BYTES,
                });
            }
            (before, Some(Found { bytes, mode: None }))
        }
        Wish::Delete => {
            if path != root.resolve_parent(&edit.path)? {
                // Removing what a link leads to is rarely what was meant by naming the link.
                return Err(Error::NotAFile { path: edit.path });
            }
            match look(MAX_KEPT_BYTES)? {
                Some(found) => (Some(found), None),
                None => return Err(Error::NotFound { path }),
            }
        }
        Wish::Restore(after) => (look(MAX_KEPT_BYTES)?, after),
    };
    Ok(Step {
        change: ChangeId::at(time),
        path,
        before: before.map(Version::new),
        after: after.map(Version::new),
        missing,
    })
}

/// Carries out a batch as far as it goes. Returns the changes that were made; on an error the caller takes them back.
pub(crate) fn carry_out(root: &Root, steps: &[Step]) -> (Vec<ChangeId>, Result<(), Error>) {
    let mut made = Vec::new();
    let done = replace_all(root, steps, &mut made);
    (made, done)
}

fn replace_all(root: &Root, steps: &[Step], made: &mut Vec<ChangeId>) -> Result<(), Error> {
    let staged: Vec<(Staged<'_>, &Step)> = steps
        .iter()
        .filter(|step| step.before_hash() != step.after_hash())
        .map(|step| {
            let content = step.after.as_ref().map(|version| &version.found);
            Ok((Staged::new(root, step.change, &step.path, content)?, step))
        })
        .collect::<Result<_, Error>>()?;
    for (staged, step) in staged {
        staged.put_in_place(step.before_hash())?;
        made.push(step.change);
    }
    Ok(())
}

/// New content that lies ready beside the file it shall replace; dropping it removes it again. It keeps no file open,
/// so that a batch may be larger than the number of files a process may open.
#[derive(Debug)]
pub(crate) struct Staged<'a> {
    root: &'a Root,
    path: &'a RelativePath,
    /// `None` when the file shall be removed.
    temporary: Option<String>,
}

impl<'a> Staged<'a> {
    /// Makes missing directories and lays `content` beside the file at the resolved `path`, with the permission bits
    /// of the file that is there, else with its own.
    pub(crate) fn new(
        root: &'a Root,
        change: ChangeId,
        path: &'a RelativePath,
        content: Option<&Found>,
    ) -> Result<Self, Error> {
        let mut staged = Self {
            root,
            path,
            temporary: None,
        };
        if let Some(content) = content {
            if let Some(parent) = path.parent() {
                root.make_directory(&parent)?;
            }
            let dir = root.parent(path)?;
            let name = temporary_name(change);
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            let failed = |error| root::failed("write", path, error);
            let mut file = dir.open_with(&name, &options).map_err(failed)?;
            staged.temporary = Some(name);
            let there = dir.symlink_metadata(path.name()).ok();
            // First, so that what is private is never readable by others.
            if let Some(mode) = there.as_ref().and_then(root::mode_of).or(content.mode) {
                root::set_mode(&file, mode).map_err(failed)?;
            }
            file.write_all(&content.bytes).map_err(failed)?;
            file.sync_all().map_err(failed)?;
        }
        Ok(staged)
    }

    /// Replaces the file if its content still is `expected`.
    pub(crate) fn put_in_place(mut self, expected: Option<&str>) -> Result<(), Error> {
        let found = self.root.hash(self.path)?;
        if found.as_deref() != expected {
            return Err(Error::Changed {
                path: self.path.clone(),
                expected: expected.map(str::to_owned),
                found,
            });
        }
        let dir = self.root.parent(self.path)?;
        let done = match &self.temporary {
            Some(name) => dir.rename(name, &dir, self.path.name()),
            None => dir.remove_file(self.path.name()),
        };
        done.map_err(|error| root::failed("replace", self.path, error))?;
        self.temporary = None;
        Ok(())
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        let Some(name) = &self.temporary else { return };
        let path = self.path;
        let removed = match self.root.parent(path) {
            Ok(dir) => dir
                .remove_file(name)
                .map_err(|error| root::failed("tidy up", path, error)),
            Err(error) => Err(error),
        };
        if let Err(error) = removed {
            tracing::warn!(%path, %name, %error, "could not remove a temporary file");
        }
    }
}

/// Removes what a crash in the middle of `change` may have left beside the file.
pub(crate) fn remove_left_over(root: &Root, change: ChangeId, path: &RelativePath) {
    let Ok(dir) = root.parent(path) else { return };
    match dir.remove_file(temporary_name(change)) {
        Ok(()) => tracing::info!(%path, "removed a temporary file that a crash had left"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(%path, %error, "could not remove a temporary file"),
    }
}

/// Whether a file of this name lies beside another only until it replaces it.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY_PREFIX) && name.ends_with(TEMPORARY_SUFFIX)
}

fn temporary_name(change: ChangeId) -> String {
    format!("{TEMPORARY_PREFIX}{change}{TEMPORARY_SUFFIX}")
}
