//! A workspace with one project in a temporary directory, and a place beside it that must stay as it is.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mira_store::{Database, ManualClock, Timestamp};
use mira_workspace::{Change, Error, Files, NewProject, Project, RelativePath, Workspace, WriteOptions};
use tempfile::TempDir;

pub(crate) const SECRET: &str = "outside\n";

#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) workspace: Workspace,
    pub(crate) project: Project,
    pub(crate) files: Files,
    pub(crate) database: Database,
    pub(crate) clock: Arc<ManualClock>,
    /// The directory of the project.
    pub(crate) root: PathBuf,
    /// Beside the project: holds `secret.txt` with [`SECRET`].
    pub(crate) outside: PathBuf,
    _folder: TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let (root, outside) = (base.join("project"), base.join("outside"));
        std::fs::create_dir(&root).unwrap();
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("secret.txt"), SECRET).unwrap();
        let database = Database::open(&base.join("mira.db")).await.unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::from_ms(1_000)));
        let workspace = Workspace::open(&database, clock.clone()).await.unwrap();
        let new = NewProject {
            name: "demo".to_owned(),
            ..NewProject::default()
        };
        let project = workspace.create_project(new).await.unwrap();
        let project = workspace.attach(project.id, &root).await.unwrap();
        let files = workspace.files(project.id).await.unwrap();
        Self {
            workspace,
            project,
            files,
            database,
            clock,
            root,
            outside,
            _folder: folder,
        }
    }

    /// As after a restart of the program.
    pub(crate) async fn reopen(&mut self) {
        self.workspace = Workspace::open(&self.database, self.clock.clone()).await.unwrap();
        self.files = self.workspace.files(self.project.id).await.unwrap();
    }

    pub(crate) async fn write(&self, at: &str, content: &str) -> Result<Change, Error> {
        self.clock.advance(Duration::from_millis(1));
        self.files
            .write(&path(at), content, WriteOptions::default())
            .await
    }

    /// Puts bytes on the disk behind Mira's back.
    pub(crate) fn put(&self, at: &str, bytes: impl AsRef<[u8]>) {
        let file = self.root.join(at);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }

    /// The bytes on disk; `None` when there is no file.
    pub(crate) fn on_disk(&self, at: &str) -> Option<Vec<u8>> {
        std::fs::read(self.root.join(at)).ok()
    }

    pub(crate) fn text_on_disk(&self, at: &str) -> Option<String> {
        self.on_disk(at).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    /// Everything below the project's directory, in order.
    pub(crate) fn all_on_disk(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                }
                let path = entry.path();
                let relative = path.strip_prefix(&self.root).unwrap();
                found.push(relative.to_str().unwrap().to_owned());
            }
        }
        found.sort();
        found
    }

    pub(crate) fn assert_outside_is_untouched(&self) {
        let names: Vec<_> = std::fs::read_dir(&self.outside)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["secret.txt"]);
        assert_eq!(
            std::fs::read_to_string(self.outside.join("secret.txt")).unwrap(),
            SECRET
        );
    }
}

pub(crate) fn path(text: &str) -> RelativePath {
    RelativePath::parse(text).unwrap()
}

/// The mode bits of a file.
#[cfg(unix)]
pub(crate) fn mode(file: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
pub(crate) fn set_mode(file: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Whether the system holds this process to mode bits; it does not hold the superuser to them.
#[cfg(unix)]
pub(crate) fn modes_are_enforced() -> bool {
    let folder = tempfile::tempdir().unwrap();
    set_mode(folder.path(), 0o500);
    std::fs::write(folder.path().join("probe"), "").is_err()
}
