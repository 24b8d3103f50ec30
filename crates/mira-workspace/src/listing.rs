//! What a project holds: one directory, the whole tree, or an outline for a prompt.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::root::{Kind, Root};
use crate::walk::{Visit, walk};
use crate::{Error, RelativePath, language_of};

/// How much of a directory to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// Everything below, or only what lies directly in it.
    pub recursive: bool,
    /// At most this many entries; those nearest to the top are kept.
    pub limit: usize,
}

/// Entries in order of path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries {
    pub entries: Vec<Entry>,
    /// There are more.
    pub truncated: bool,
}

/// A file or directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub path: RelativePath,
    /// Of a symbolic link: what it leads to.
    pub kind: Kind,
    /// Bytes of a file, else 0.
    pub size: u64,
}

/// A project as nested nodes, in each directory the directories first, then by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    pub nodes: Vec<Node>,
    /// There are more; those nearest to the top are here.
    pub truncated: bool,
}

/// One entry of a [`Tree`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub path: RelativePath,
    pub kind: Kind,
    /// Bytes of a file, else 0.
    pub size: u64,
    /// Empty unless it is a directory; a symbolic link to a directory is not entered.
    pub children: Vec<Node>,
}

/// The files of a project in order of path, symbolic links left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    pub files: Vec<OutlineFile>,
    /// There are more; those nearest to the top are here.
    pub truncated: bool,
}

/// One line of an [`Outline`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlineFile {
    pub path: RelativePath,
    /// Bytes.
    pub size: u64,
    pub language: Option<&'static str>,
}

pub(crate) fn list(root: &Root, start: Option<&RelativePath>, listing: Listing) -> Result<Entries, Error> {
    let Listing { recursive, limit } = listing;
    let (mut entries, truncated) = collect(root, start, recursive, limit, |visit| {
        Some(Entry {
            path: visit.path,
            kind: visit.kind,
            size: visit.size,
        })
    })?;
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Entries { entries, truncated })
}

pub(crate) fn tree(root: &Root, limit: usize) -> Result<Tree, Error> {
    let everything = Listing {
        recursive: true,
        limit,
    };
    let Entries { entries, truncated } = list(root, None, everything)?;
    let mut top = Vec::new();
    let mut children: BTreeMap<RelativePath, Vec<Entry>> = BTreeMap::new();
    for entry in entries {
        match entry.path.parent() {
            Some(directory) => children.entry(directory).or_default().push(entry),
            None => top.push(entry),
        }
    }
    Ok(Tree {
        nodes: nest(top, &mut children),
        truncated,
    })
}

fn nest(mut entries: Vec<Entry>, children: &mut BTreeMap<RelativePath, Vec<Entry>>) -> Vec<Node> {
    entries.sort_by_key(|entry| entry.kind != Kind::Directory);
    let node = |Entry { path, kind, size }| {
        let below = children.remove(&path).unwrap_or_default();
        Node {
            path,
            kind,
            size,
            children: nest(below, children),
        }
    };
    entries.into_iter().map(node).collect()
}

pub(crate) fn outline(root: &Root, limit: usize) -> Result<Outline, Error> {
    let (mut files, truncated) = collect(root, None, true, limit, |visit| {
        (visit.kind == Kind::File && !visit.is_link).then(|| OutlineFile {
            language: language_of(visit.path.as_str()),
            path: visit.path,
            size: visit.size,
        })
    })?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Outline { files, truncated })
}

/// The first `limit` things that `pick` makes of a walk, and whether there are more.
fn collect<T>(
    root: &Root,
    start: Option<&RelativePath>,
    recursive: bool,
    limit: usize,
    pick: impl Fn(Visit<'_>) -> Option<T>,
) -> Result<(Vec<T>, bool), Error> {
    let mut picked = Vec::new();
    let mut truncated = false;
    walk(root, start, recursive, |visit| {
        if let Some(item) = pick(visit) {
            if picked.len() == limit {
                truncated = true;
                return ControlFlow::Break(());
            }
            picked.push(item);
        }
        ControlFlow::Continue(())
    })?;
    Ok((picked, truncated))
}
