//! House rules that no compiler knows.

use toml::{Table, Value};

use crate::workspace::{METADATA, assert_none, files, name, read, root};

const MAX_LINES: usize = 500;

#[test]
fn files_are_short() {
    let mut complaints = Vec::new();
    for folder in ["bins", "crates", "tests"] {
        for path in files(&root().join(folder), "rs") {
            let lines = read(&path).lines().count();
            if lines > MAX_LINES {
                complaints.push(format!("{}: {lines} lines", name(&path)));
            }
        }
    }
    assert_none(
        &format!("a file is about one noun and has at most {MAX_LINES} lines; begin another module"),
        &complaints,
    );
}

#[test]
fn every_crate_says_what_it_is() {
    let complaints: Vec<_> = METADATA
        .workspace_packages()
        .into_iter()
        .filter(|package| {
            package
                .description
                .as_ref()
                .is_none_or(|text| text.trim().is_empty())
        })
        .map(|package| format!("{}: `description` is missing", package.name))
        .collect();
    assert_none("every crate has a description", &complaints);
}

/// A feature that one crate adds makes another build of the dependency, and of everything above it.
#[test]
fn third_party_crates_are_stated_once() {
    let mut complaints = Vec::new();
    for package in METADATA.workspace_packages() {
        let manifest = package.manifest_path.as_std_path();
        let table: Table = toml::from_str(&read(manifest)).unwrap();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(Value::Table(dependencies)) = table.get(section) else {
                continue;
            };
            for (dependency, wanted) in dependencies {
                if dependency.starts_with("mira-") {
                    continue;
                }
                if wanted.get("workspace").is_none() {
                    complaints.push(format!(
                        "{}: {dependency} has a version of its own",
                        name(manifest)
                    ));
                } else if wanted.get("features").is_some() {
                    complaints.push(format!(
                        "{}: {dependency} has features of its own",
                        name(manifest)
                    ));
                }
            }
        }
    }
    assert_none(
        "versions and features of third-party crates are stated in the Cargo.toml of the workspace",
        &complaints,
    );
}

#[test]
fn every_crate_is_under_the_lints_of_the_workspace() {
    let mut complaints = Vec::new();
    for package in METADATA.workspace_packages() {
        let manifest = package.manifest_path.as_std_path();
        let table: Table = toml::from_str(&read(manifest)).unwrap();
        if table.get("lints").and_then(|lints| lints.get("workspace")) != Some(&Value::Boolean(true)) {
            complaints.push(name(manifest));
        }
    }
    assert_none("every manifest has `[lints] workspace = true`", &complaints);
}

#[test]
fn every_library_is_tested_alone() {
    let workflow = read(&root().join(".github/workflows/ci.yml"));
    let complaints: Vec<_> = METADATA
        .workspace_packages()
        .into_iter()
        .filter(|package| package.manifest_path.as_str().contains("/crates/"))
        .map(|package| package.name.to_string())
        .filter(|crate_name| {
            !workflow
                .lines()
                .any(|line| line.trim() == format!("- {crate_name}"))
        })
        .collect();
    assert_none(
        "every library is in the matrix of .github/workflows/ci.yml",
        &complaints,
    );
}

#[test]
fn links_of_the_documentation_lead_somewhere() {
    let mut pages = files(&root().join("docs"), "md");
    pages.push(root().join("README.md"));
    let mut complaints = Vec::new();
    for page in pages {
        let text = read(&page);
        for target in links(&text) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !page.parent().unwrap().join(file).exists() {
                complaints.push(format!("{}: {target}", name(&page)));
            }
        }
    }
    assert_none("links of README.md and docs/ lead to files", &complaints);
}

/// The targets of the links of a Markdown text that stay within the project. Fenced code has none.
fn links(markdown: &str) -> Vec<&str> {
    let mut fenced = false;
    markdown
        .lines()
        .filter(|line| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fenced && !fence
        })
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split([')', ' ']).next())
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        .collect()
}

#[test]
fn links_are_found() {
    let text =
        "[a](x.md) and [b](y.md#part \"title\") [c](https://example.com)\n```\n[d](z.md)\n```\n![e](p.png)";
    assert_eq!(links(text), ["x.md", "y.md#part", "p.png"]);
}
