//! Walking a project as git sees it: without `.git`, without what is ignored, without following links.
//!
//! Directories are visited breadth first, so that a walk that is cut short has seen the top of the project. Ignore
//! files are read like any other file of the project: a link or a pipe in their place is no ignore file.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;

use cap_std::fs::{Dir, FileType, Metadata};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::root::{self, Kind, Root};
use crate::{Error, RelativePath, edit, path};

/// The largest ignore file that is honoured, in bytes.
const MAX_IGNORE_FILE_BYTES: u64 = 1024 * 1024;

/// One entry of a directory, handed out in order of depth, directory and name.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    pub(crate) path: RelativePath,
    pub(crate) kind: Kind,
    /// A symbolic link; `kind` is what it leads to.
    pub(crate) is_link: bool,
    /// Bytes of a file, else 0.
    pub(crate) size: u64,
    /// The directory that holds the entry.
    pub(crate) dir: &'a Dir,
}

/// Visits what lies below `start` (the root for `None`), or only directly in it. Entries whose names no
/// [`RelativePath`] can hold are left out.
pub(crate) fn walk(
    root: &Root,
    start: Option<&RelativePath>,
    recursive: bool,
    mut visit: impl FnMut(Visit<'_>) -> ControlFlow<()>,
) -> Result<(), Error> {
    let mut rules = Rules::outside(root);
    for directory in ancestors(start) {
        // When it cannot be opened, neither can the start, and that is the error to report.
        if let Ok(dir) = root.directory(directory.as_ref()) {
            rules = Rc::new(Rules::of(root, &dir, directory.as_ref(), rules));
        }
    }
    let mut queue = VecDeque::from([(start.cloned(), rules)]);
    while let Some((directory, above)) = queue.pop_front() {
        let (dir, entries) = match open(root, directory.as_ref()) {
            Ok(opened) => opened,
            Err(error) if directory.as_ref() == start => return Err(error),
            // Gone, closed or replaced since it was seen: a walk shows what it can.
            Err(error) => {
                tracing::debug!(?directory, %error, "skipped a directory");
                continue;
            }
        };
        let rules = Rc::new(Rules::of(root, &dir, directory.as_ref(), above));
        for (name, file_type) in entries {
            let Some(path) = RelativePath::child(directory.as_ref(), &name) else {
                continue;
            };
            // For git a link is a file, wherever it leads.
            if rules.ignore(&root.path().join(path.as_path()), file_type.is_dir()) {
                continue;
            }
            let is_link = file_type.is_symlink();
            let metadata = if is_link {
                root.behind_link(&path)
            } else {
                dir.symlink_metadata(&name).ok()
            };
            let kind = metadata.as_ref().map_or(Kind::Other, root::kind_of);
            let size = metadata.filter(Metadata::is_file).map_or(0, |file| file.len());
            if recursive && file_type.is_dir() {
                queue.push_back((Some(path.clone()), Rc::clone(&rules)));
            }
            let visited = visit(Visit {
                path,
                kind,
                is_link,
                size,
                dir: &dir,
            });
            if visited.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The directories above `start` from the root down, `start` itself left out.
fn ancestors(start: Option<&RelativePath>) -> Vec<Option<RelativePath>> {
    let mut above = Vec::new();
    let mut next = start.map(RelativePath::parent);
    while let Some(directory) = next {
        next = directory.as_ref().map(RelativePath::parent);
        above.push(directory);
    }
    above.reverse();
    above
}

/// A directory and its entries in order of name.
fn open(root: &Root, directory: Option<&RelativePath>) -> Result<(Dir, Vec<(String, FileType)>), Error> {
    let dir = root.directory(directory)?;
    let mut entries = list(&dir).map_err(|source| match directory {
        Some(path) => root::failed("list", path, source),
        None => Error::Directory {
            directory: root.path().to_owned(),
            source,
        },
    })?;
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok((dir, entries))
}

fn list(dir: &Dir) -> io::Result<Vec<(String, FileType)>> {
    let mut entries = Vec::new();
    for entry in dir.entries()? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if !path::is_git_name(&name) && !edit::is_temporary(&name) {
            entries.push((name, entry.file_type()?));
        }
    }
    Ok(entries)
}

/// The ignore rules that hold in one directory: its own, then those above.
#[derive(Debug)]
struct Rules {
    own: Option<Gitignore>,
    above: Option<Rc<Rules>>,
}

impl Rules {
    /// The rules from outside the project, weakest last: ignore files of the repository that the project is a part
    /// of, the repository's exclude file, the user's own.
    fn outside(root: &Root) -> Rc<Self> {
        let mut rules = Rc::new(Self {
            own: Some(GitignoreBuilder::new(root.path()).build_global().0),
            above: None,
        });
        let repository = root.path().ancestors().find(|path| path.join(".git").exists());
        let Some(repository) = repository else {
            return rules;
        };
        let mut files = vec![repository.join(".git/info/exclude")];
        let inside: Vec<&Path> = root.path().ancestors().skip(1).collect();
        let inside = inside
            .into_iter()
            .rev()
            .filter(|path| path.starts_with(repository));
        files.extend(inside.map(|path| path.join(".gitignore")));
        for file in files {
            let folder = match file.parent() {
                Some(folder) if file.ends_with(".gitignore") => folder,
                _ => repository,
            };
            let is_file = file.symlink_metadata().is_ok_and(|found| found.is_file());
            let text = is_file.then(|| std::fs::File::open(&file).and_then(read_rules));
            if let Some(Ok(text)) = text {
                rules = Rc::new(Self {
                    own: parse(folder, &text),
                    above: Some(rules),
                });
            }
        }
        rules
    }

    fn of(root: &Root, dir: &Dir, directory: Option<&RelativePath>, above: Rc<Self>) -> Self {
        let own = RelativePath::child(directory, ".gitignore").and_then(|path| {
            let file = root::open_file(dir, &path).ok()?;
            let text = read_rules(file).ok()?;
            let folder =
                directory.map_or_else(|| root.path().to_owned(), |it| root.path().join(it.as_path()));
            parse(&folder, &text)
        });
        Self {
            own,
            above: Some(above),
        }
    }

    /// Whether the entry at the absolute `path` is ignored; the nearest rule that says anything decides.
    fn ignore(&self, path: &Path, is_directory: bool) -> bool {
        let mut next = Some(self);
        while let Some(rules) = next {
            let own = rules.own.as_ref();
            match own.map_or(Match::None, |own| own.matched(path, is_directory)) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => next = rules.above.as_deref(),
            }
        }
        false
    }
}

fn read_rules(file: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(MAX_IGNORE_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// As git does, a line that is no pattern is skipped.
fn parse(folder: &Path, text: &str) -> Option<Gitignore> {
    let mut builder = GitignoreBuilder::new(folder);
    for line in text.strip_prefix('\u{feff}').unwrap_or(text).lines() {
        if let Err(error) = builder.add_line(None, line) {
            tracing::debug!(%error, "skipped a line of an ignore file");
        }
    }
    builder.build().ok()
}
