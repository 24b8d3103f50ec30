//! The directory of a project, held open: nothing reached through it lies outside.
//!
//! A path from a caller is resolved once, following symbolic links that stay inside. From then on the resolved path is
//! walked name by name without following any link, so that a link put in place meanwhile is refused, not followed.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use sha2::{Digest, Sha256};

use crate::{Error, RelativePath};

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    File,
    Directory,
    /// A device, a pipe, a socket, or a symbolic link that leads nowhere or out of the project.
    Other,
}

/// A file's bytes and permission bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) bytes: Vec<u8>,
    /// `None` where the system has no such bits.
    pub(crate) mode: Option<u32>,
}

pub(crate) struct Root {
    path: PathBuf,
    dir: Dir,
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Root").field(&self.path).finish()
    }
}

impl Root {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let dir = Dir::open_ambient_dir(path, ambient_authority()).map_err(|source| Error::Directory {
            directory: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            dir,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path with every symbolic link on the way followed. What does not exist yet may be named below a directory
    /// that does.
    pub(crate) fn resolve(&self, path: &RelativePath) -> Result<RelativePath, Error> {
        if path.is_git() {
            return Err(Error::PathForbidden { path: path.clone() });
        }
        let resolved = self.follow(path, path)?;
        if resolved.is_git() {
            return Err(Error::PathForbidden { path: path.clone() });
        }
        Ok(resolved)
    }

    /// As [`Root::resolve`], but a link in the last name is not followed.
    pub(crate) fn resolve_parent(&self, path: &RelativePath) -> Result<RelativePath, Error> {
        let parent = path.parent().map(|parent| self.resolve(&parent)).transpose()?;
        RelativePath::child(parent.as_ref(), path.name())
            .ok_or_else(|| Error::NotAFile { path: path.clone() })
    }

    fn follow(&self, path: &RelativePath, wanted: &RelativePath) -> Result<RelativePath, Error> {
        let unusable = || Error::NotAFile { path: wanted.clone() };
        let escapes = || Error::Escapes { path: wanted.clone() };
        let error = match self.dir.canonicalize(path.as_path()) {
            Ok(resolved) => return RelativePath::from_disk(&resolved).ok_or_else(unusable),
            Err(error) => error,
        };
        if is_escape(&error) {
            // Every absolute link counts as leading out here, also one that comes back in.
            match self.path.join(path.as_path()).canonicalize() {
                Ok(absolute) => {
                    let inside = absolute.strip_prefix(&self.path).map_err(|_| escapes())?;
                    return RelativePath::from_disk(inside).ok_or_else(unusable);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed("resolve", wanted, error)),
            }
        } else if error.kind() != io::ErrorKind::NotFound {
            return Err(failed("resolve", wanted, error));
        }
        let parent = path
            .parent()
            .map(|parent| self.follow(&parent, wanted))
            .transpose()?;
        let child = RelativePath::child(parent.as_ref(), path.name()).ok_or_else(unusable)?;
        match self.dir.symlink_metadata(child.as_path()) {
            Err(error) if is_absent(&error) => Ok(child),
            // A link that leads nowhere: writing "through" it could make a file at a place that nobody named.
            Ok(_) if is_escape(&error) => Err(escapes()),
            Ok(_) => Err(unusable()),
            Err(error) => Err(failed("resolve", wanted, error)),
        }
    }

    /// What a resolved path leads to; `None` when there is nothing.
    pub(crate) fn kind(&self, path: &RelativePath) -> Result<Option<Kind>, Error> {
        match self.dir.metadata(path.as_path()) {
            Ok(metadata) => Ok(Some(kind_of(&metadata))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(failed("look at", path, error)),
        }
    }

    /// What a symbolic link leads to; `None` when that is nothing, outside, or in a `.git`.
    pub(crate) fn behind_link(&self, path: &RelativePath) -> Option<Metadata> {
        let resolved = self.resolve(path).ok()?;
        self.dir.metadata(resolved.as_path()).ok()
    }

    /// The directory at a resolved path; the root for `None`.
    pub(crate) fn directory(&self, path: Option<&RelativePath>) -> Result<Dir, Error> {
        let Some(path) = path else {
            return self.dir.try_clone().map_err(|source| Error::Directory {
                directory: self.path.clone(),
                source,
            });
        };
        let mut names = path.names();
        let open = |dir: &Dir, name: &str| match dir.open_dir_nofollow(name) {
            Ok(dir) => Ok(dir),
            // A link among the names was put there after the path was resolved.
            Err(_) if dir.symlink_metadata(name).is_ok_and(|found| !found.is_dir()) => {
                Err(Error::NotADirectory { path: path.clone() })
            }
            Err(error) => Err(failed("open", path, error)),
        };
        let first = open(&self.dir, names.next().unwrap_or_default())?;
        names.try_fold(first, |dir, name| open(&dir, name))
    }

    /// The directory that holds a resolved path.
    pub(crate) fn parent(&self, path: &RelativePath) -> Result<Dir, Error> {
        self.directory(path.parent().as_ref())
    }

    /// Reads the regular file at a resolved path.
    pub(crate) fn read(&self, path: &RelativePath, limit: u64) -> Result<Found, Error> {
        let file = open_file(&self.parent(path)?, path)?;
        let metadata = file.metadata().map_err(|error| failed("look at", path, error))?;
        let too_large = |size| Error::TooLarge {
            path: path.clone(),
            size,
            limit,
        };
        if metadata.len() > limit {
            return Err(too_large(metadata.len()));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
        // The file may grow while it is read.
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| failed("read", path, error))?;
        if bytes.len() as u64 > limit {
            return Err(too_large(bytes.len() as u64));
        }
        Ok(Found {
            bytes,
            mode: mode_of(&metadata),
        })
    }

    /// As [`Root::read`], with `None` when there is nothing at the path.
    pub(crate) fn read_if_present(&self, path: &RelativePath, limit: u64) -> Result<Option<Found>, Error> {
        match self.read(path, limit) {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The hash of the regular file at a resolved path; `None` when there is nothing.
    pub(crate) fn hash(&self, path: &RelativePath) -> Result<Option<String>, Error> {
        let opened = self.parent(path).and_then(|dir| open_file(&dir, path));
        let mut file = match opened {
            Ok(file) => file,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut digest = Sha256::new();
        io::copy(&mut file, &mut digest).map_err(|error| failed("read", path, error))?;
        Ok(Some(format!("{:x}", digest.finalize())))
    }

    /// Makes a directory and those above it that are missing.
    pub(crate) fn make_directory(&self, path: &RelativePath) -> Result<(), Error> {
        let mut dir = self.directory(None)?;
        for name in path.names() {
            match dir.create_dir(name) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed("create", path, error)),
            }
            dir = dir.open_dir_nofollow(name).map_err(|error| match error.kind() {
                io::ErrorKind::PermissionDenied => failed("open", path, error),
                _ => Error::NotADirectory { path: path.clone() },
            })?;
        }
        Ok(())
    }

    /// The directories above a resolved path that do not exist, the highest first.
    pub(crate) fn missing_parents(&self, path: &RelativePath) -> Result<Vec<RelativePath>, Error> {
        let mut missing = Vec::new();
        let mut above = path.parent();
        while let Some(directory) = above {
            match self.kind(&directory)? {
                Some(Kind::Directory) => break,
                Some(Kind::File | Kind::Other) => return Err(Error::NotADirectory { path: directory }),
                None => {}
            }
            above = directory.parent();
            missing.push(directory);
        }
        missing.reverse();
        Ok(missing)
    }

    /// Removes a directory if it is empty; whether it is gone.
    pub(crate) fn remove_empty_directory(&self, path: &RelativePath) -> bool {
        match self.parent(path) {
            Ok(dir) => dir
                .remove_dir(path.name())
                .map_or_else(|error| is_absent(&error), |()| true),
            Err(error) => matches!(error, Error::NotFound { .. }),
        }
    }

    /// Fails when the file at a resolved path may not be written, as writing to it in place would.
    pub(crate) fn check_writable(&self, path: &RelativePath) -> Result<(), Error> {
        let mut options = OpenOptions::new();
        options.write(true).follow(FollowSymlinks::No).nonblock(true);
        let opened = self.parent(path)?.open_with(path.name(), &options);
        opened.map_err(|error| failed("write", path, error))?;
        Ok(())
    }
}

/// Opens a regular file of `dir`, which holds `path`, without following a link and without waiting for a pipe.
pub(crate) fn open_file(dir: &Dir, path: &RelativePath) -> Result<File, Error> {
    let check = |metadata: &Metadata| match kind_of(metadata) {
        Kind::File => Ok(()),
        Kind::Directory => Err(Error::IsDirectory { path: path.clone() }),
        Kind::Other => Err(Error::NotAFile { path: path.clone() }),
    };
    let look = |error| failed("look at", path, error);
    check(&dir.symlink_metadata(path.name()).map_err(look)?)?;
    let mut options = OpenOptions::new();
    options.read(true).follow(FollowSymlinks::No).nonblock(true);
    let file = dir
        .open_with(path.name(), &options)
        .map_err(|error| failed("open", path, error))?;
    check(&file.metadata().map_err(look)?)?;
    Ok(file)
}

/// The error for a failed system call on `path`.
pub(crate) fn failed(action: &'static str, path: &RelativePath, source: io::Error) -> Error {
    let path = path.clone();
    match source.kind() {
        io::ErrorKind::NotFound => Error::NotFound { path },
        io::ErrorKind::NotADirectory => Error::NotADirectory { path },
        io::ErrorKind::IsADirectory => Error::IsDirectory { path },
        io::ErrorKind::PermissionDenied if is_escape(&source) => Error::Escapes { path },
        io::ErrorKind::PermissionDenied => Error::PermissionDenied { action, path, source },
        _ => Error::Io { action, path, source },
    }
}

/// Whether a link leads out: the one refusal that does not come from the operating system.
fn is_escape(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}

/// Whether the error says that there is nothing, be it that a directory on the way is missing or is none.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

pub(crate) fn kind_of(metadata: &Metadata) -> Kind {
    if metadata.is_file() {
        Kind::File
    } else if metadata.is_dir() {
        Kind::Directory
    } else {
        Kind::Other
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such bits")]
pub(crate) fn mode_of(metadata: &Metadata) -> Option<u32> {
    use cap_std::fs::MetadataExt;
    Some(metadata.mode() & 0o777)
}

#[cfg(not(unix))]
pub(crate) fn mode_of(_: &Metadata) -> Option<u32> {
    None
}

#[cfg(unix)]
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use cap_std::fs::{Permissions, PermissionsExt};
    file.set_permissions(Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(crate) fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}
