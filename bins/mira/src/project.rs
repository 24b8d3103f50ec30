//! Choosing a project.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use mira_client::Caller;
use mira_proto::native::{Empty, Project, ProjectCreate, ProjectCreateParams, ProjectList};

/// The project with this id, name or directory. A directory that belongs to none becomes one.
pub(crate) async fn find(caller: &Caller, text: &str) -> anyhow::Result<Project> {
    let projects = caller.call::<ProjectList>(Empty {}).await?.projects;
    let named = |project: &&Project| project.project_id == text || project.name == text;
    if let Some(project) = projects.iter().find(named) {
        return Ok(project.clone());
    }
    let Some(directory) = directory(text)? else {
        bail!("there is no project `{text}`; `mira projects` lists them, and a directory makes a new one");
    };
    let Some(spelled) = directory.to_str() else {
        bail!("the path {} is not UTF-8", directory.display());
    };
    if let Some(project) = projects
        .into_iter()
        .find(|project| project.directory.as_deref() == Some(spelled))
    {
        return Ok(project);
    }
    let name = directory
        .file_name()
        .map_or_else(|| spelled.to_owned(), |name| name.to_string_lossy().into_owned());
    let params = ProjectCreateParams {
        name,
        directory: Some(spelled.to_owned()),
        ..ProjectCreateParams::default()
    };
    Ok(caller.call::<ProjectCreate>(params).await?.project)
}

/// The directory that a text means; none when it can only be a name. It is the server that opens it, so one that does
/// not exist here is passed on when it is absolute.
fn directory(text: &str) -> anyhow::Result<Option<PathBuf>> {
    let path = match text.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with(['/', '\\']) => {
            let home = etcetera::home_dir().context("there is no home directory")?;
            home.join(rest.trim_start_matches(['/', '\\']))
        }
        Some(_) | None => PathBuf::from(text),
    };
    if path.is_dir() {
        let absolute = path
            .canonicalize()
            .with_context(|| format!("cannot resolve {}", path.display()))?;
        return Ok(Some(absolute));
    }
    if path.is_absolute() {
        return Ok(Some(path));
    }
    if Path::new(text).components().count() > 1 {
        bail!("there is no directory {}", path.display());
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_directory_or_a_name() {
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(directory(".").unwrap(), Some(here.clone()));
        assert_eq!(directory("src").unwrap(), Some(here.join("src")));
        assert_eq!(
            directory("/no/such/place").unwrap(),
            Some("/no/such/place".into())
        );
        assert_eq!(directory("webshop").unwrap(), None);
        assert_eq!(directory("~webshop").unwrap(), None);
        assert!(directory("no/such/place").is_err());
    }
}
