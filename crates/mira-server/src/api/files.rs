//! Files of a project.

use mira_proto::native::{
    DirectoryCreateParams, DirectoryCreateResult, FileEntry, FileKind, FileMatch, FileNode, FileRef,
    FilesDeleteParams, FilesDeleteResult, FilesExistsResult, FilesListParams, FilesListResult,
    FilesReadResult, FilesSearchParams, FilesSearchResult, FilesTreeParams, FilesTreeResult,
    FilesWriteManyParams, FilesWriteManyResult, FilesWriteParams, WrittenFile,
};
use mira_workspace::{
    Case, Change, Expected, Files, Kind, Listing, Node, RelativePath, Search, WriteOptions, language_of,
};

use super::{Mira, id};
use crate::fault::Fault;

/// Entries that a listing or a tree shows at most.
const MAX_ENTRIES: usize = 20_000;

/// Lines that a search shows at most, and when the client does not say.
const MAX_MATCHES: u32 = 1_000;
const MATCHES: u32 = 100;

impl Mira {
    /// The files of a project.
    pub(super) async fn files(&self, project: &str) -> Result<Files, Fault> {
        Ok(self.workspace.files(id(project, "project_id")?).await?)
    }

    /// The files of a project, and a path in it.
    pub(crate) async fn file(&self, project: &str, path: &str) -> Result<(Files, RelativePath), Fault> {
        Ok((self.files(project).await?, parse(path)?))
    }

    pub(crate) async fn files_read(&self, params: FileRef) -> Result<FilesReadResult, Fault> {
        let (files, path) = self.file(&params.project_id, &params.path).await?;
        let file = files.read(&path).await?;
        Ok(FilesReadResult {
            language: language_of(path.as_str()).map(str::to_owned),
            path: path.to_string(),
            content: file.content,
            content_hash: file.hash,
            size_bytes: file.size,
        })
    }

    pub(crate) async fn files_write(&self, params: FilesWriteParams) -> Result<WrittenFile, Fault> {
        let (files, path) = self.file(&params.project_id, &params.path).await?;
        let options = WriteOptions {
            expected: match params.expected_hash {
                None => Expected::Anything,
                Some(hash) if hash.is_empty() => Expected::Nothing,
                Some(hash) => Expected::Hash(hash),
            },
        };
        Ok(written(files.write(&path, &params.content, options).await?))
    }

    pub(crate) async fn files_write_many(
        &self,
        params: FilesWriteManyParams,
    ) -> Result<FilesWriteManyResult, Fault> {
        let files = self.files(&params.project_id).await?;
        let wanted = params.files.into_iter().enumerate().map(|(index, file)| {
            let path = parse(&file.path).map_err(|fault| fault.field(format!("files.{index}.path")))?;
            Ok((path, file.content))
        });
        let changes = files.write_many(wanted.collect::<Result<_, Fault>>()?).await?;
        Ok(FilesWriteManyResult {
            files: changes.into_iter().map(written).collect(),
        })
    }

    pub(crate) async fn files_list(&self, params: FilesListParams) -> Result<FilesListResult, Fault> {
        let files = self.files(&params.project_id).await?;
        let path = directory(params.path.as_deref())?;
        let listing = Listing {
            recursive: params.recursive.unwrap_or(false),
            limit: MAX_ENTRIES,
        };
        let found = files.list(path.as_ref(), listing).await?;
        let entries = found.entries.into_iter().map(|entry| FileEntry {
            name: entry.path.name().to_owned(),
            kind: kind(entry.kind),
            size_bytes: (entry.kind == Kind::File).then_some(entry.size),
            path: entry.path.to_string(),
        });
        Ok(FilesListResult {
            path: path.map(|path| path.to_string()).unwrap_or_default(),
            entries: entries.collect(),
            truncated: found.truncated,
        })
    }

    pub(crate) async fn files_tree(&self, params: FilesTreeParams) -> Result<FilesTreeResult, Fault> {
        let tree = self.files(&params.project_id).await?.tree(MAX_ENTRIES).await?;
        let mut nodes = tree.nodes;
        if let Some(path) = directory(params.path.as_deref())? {
            nodes = below(nodes, &path).ok_or_else(|| Fault::not_found("directory", &path, "path"))?;
        }
        Ok(FilesTreeResult {
            nodes: nodes.into_iter().map(node).collect(),
            truncated: tree.truncated,
        })
    }

    pub(crate) async fn files_delete(&self, params: FilesDeleteParams) -> Result<FilesDeleteResult, Fault> {
        let (files, path) = self.file(&params.project_id, &params.path).await?;
        let change = files.delete(&path).await?;
        Ok(FilesDeleteResult {
            path: change.path.to_string(),
            change_id: change.id.to_string(),
        })
    }

    pub(crate) async fn files_exists(&self, params: FileRef) -> Result<FilesExistsResult, Fault> {
        let (files, path) = self.file(&params.project_id, &params.path).await?;
        let found = files.exists(&path).await?;
        Ok(FilesExistsResult {
            path: path.to_string(),
            exists: found.is_some(),
            kind: found.map(kind),
        })
    }

    pub(crate) async fn files_search(&self, params: FilesSearchParams) -> Result<FilesSearchResult, Fault> {
        let limit = params.limit.unwrap_or(MATCHES).clamp(1, MAX_MATCHES);
        let search = Search {
            regex: params.regex.unwrap_or(false),
            glob: params.glob,
            case: match params.case_sensitive {
                Some(true) => Case::Sensitive,
                Some(false) => Case::Insensitive,
                None => Case::Smart,
            },
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            ..Search::text(params.pattern)
        };
        let found = self.files(&params.project_id).await?.search(search).await?;
        let matches = found.matches.into_iter().map(|found| FileMatch {
            path: found.path.to_string(),
            line: found.line,
            text: found.text,
        });
        Ok(FilesSearchResult {
            matches: matches.collect(),
            truncated: found.truncated,
        })
    }

    pub(crate) async fn directory_create(
        &self,
        params: DirectoryCreateParams,
    ) -> Result<DirectoryCreateResult, Fault> {
        let (files, path) = self.file(&params.project_id, &params.path).await?;
        files.create_directory(&path).await?;
        Ok(DirectoryCreateResult {
            path: path.to_string(),
        })
    }
}

fn parse(path: &str) -> Result<RelativePath, Fault> {
    RelativePath::parse(path).map_err(|error| mira_workspace::Error::from(error).into())
}

/// A directory, or the root for nothing, `.` and `/`.
fn directory(path: Option<&str>) -> Result<Option<RelativePath>, Fault> {
    path.filter(|path| !matches!(path.trim(), "" | "." | "./" | "/"))
        .map(parse)
        .transpose()
}

fn kind(kind: Kind) -> FileKind {
    match kind {
        Kind::File => FileKind::File,
        Kind::Directory => FileKind::Directory,
        Kind::Other => FileKind::Other("other".to_owned()),
    }
}

fn written(change: Change) -> WrittenFile {
    WrittenFile {
        path: change.path.to_string(),
        content_hash: change.after_hash.unwrap_or_default(),
        created: change.created,
        change_id: change.id.to_string(),
    }
}

fn node(found: Node) -> FileNode {
    FileNode {
        name: found.path.name().to_owned(),
        path: found.path.to_string(),
        kind: kind(found.kind),
        children: found.children.into_iter().map(node).collect(),
    }
}

/// The children of the directory at a path.
fn below(nodes: Vec<Node>, path: &RelativePath) -> Option<Vec<Node>> {
    let mut nodes = nodes;
    for name in path.names() {
        let directory = nodes
            .into_iter()
            .find(|node| node.path.name() == name && node.kind == Kind::Directory)?;
        nodes = directory.children;
    }
    Some(nodes)
}
