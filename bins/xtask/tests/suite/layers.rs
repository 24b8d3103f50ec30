//! Which crate may know which.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Package, PackageId};

use crate::workspace::{METADATA, assert_none, files, name, read, root};

/// What a crate may depend on, and whom of the outer world it must not know.
struct Layer {
    name: &'static str,
    may_use: &'static [&'static str],
    never: &'static [&'static str],
}

const SOCKETS: &[&str] = &["hyper", "tungstenite"];

/// Arrows point down only. Dependencies for tests are free. A forbidden crate is forbidden on every way that does not
/// lead through another crate of ours.
const LAYERS: &[Layer] = &[
    Layer {
        name: "mira-proto",
        may_use: &[],
        never: &["tokio", "sqlx", "hyper", "tungstenite"],
    },
    Layer {
        name: "mira-llm",
        may_use: &[],
        never: &["sqlx"],
    },
    Layer {
        name: "mira-store",
        may_use: &[],
        // Not hyper: the client of the vector server brings it.
        never: &["tungstenite"],
    },
    Layer {
        name: "mira-memory",
        may_use: &["mira-llm", "mira-store"],
        never: SOCKETS,
    },
    Layer {
        name: "mira-workspace",
        may_use: &["mira-store"],
        never: SOCKETS,
    },
    Layer {
        name: "mira-ops",
        may_use: &["mira-llm", "mira-memory", "mira-store", "mira-workspace"],
        never: SOCKETS,
    },
    Layer {
        name: "mira-client",
        may_use: &["mira-proto"],
        never: &["sqlx"],
    },
    Layer {
        name: "mira-server",
        may_use: &[
            "mira-llm",
            "mira-memory",
            "mira-ops",
            "mira-proto",
            "mira-store",
            "mira-workspace",
        ],
        never: &["sqlx"],
    },
    Layer {
        name: "mira-backend",
        may_use: &["mira-client", "mira-proto", "mira-server"],
        never: &["sqlx"],
    },
    Layer {
        name: "mira",
        may_use: &["mira-client", "mira-proto"],
        never: &["sqlx"],
    },
];

/// Developers' tasks may use everything, and nothing is built on them.
const FREE: &str = "xtask";

fn ours() -> BTreeMap<&'static str, &'static Package> {
    METADATA
        .workspace_packages()
        .into_iter()
        .map(|package| (package.name.as_str(), package))
        .collect()
}

#[test]
fn every_crate_has_a_layer() {
    let crates: BTreeSet<_> = ours().into_keys().collect();
    let layers: BTreeSet<_> = LAYERS.iter().map(|layer| layer.name).chain([FREE]).collect();
    assert_eq!(
        crates,
        layers,
        "the crates (left) are those of the layers in {} (right)",
        file!()
    );
}

#[test]
fn arrows_point_down() {
    let ours = ours();
    let mut complaints = Vec::new();
    for layer in LAYERS {
        let Some(package) = ours.get(layer.name) else {
            continue;
        };
        for dependency in &package.dependencies {
            let used = dependency.name.as_str();
            if dependency.kind != DependencyKind::Development
                && ours.contains_key(used)
                && !layer.may_use.contains(&used)
            {
                complaints.push(format!(
                    "{} may not depend on {used}; it may use: {}",
                    layer.name,
                    if layer.may_use.is_empty() {
                        "none of our crates".to_owned()
                    } else {
                        layer.may_use.join(", ")
                    }
                ));
            }
        }
    }
    assert_none("crates depend only on what their layer allows", &complaints);
}

#[test]
fn crates_know_only_their_part_of_the_world() {
    let ours = ours();
    let mut complaints = Vec::new();
    for layer in LAYERS {
        let Some(package) = ours.get(layer.name) else {
            continue;
        };
        let ways = third_party(&package.id);
        for forbidden in layer.never {
            if let Some(way) = ways.get(forbidden) {
                complaints.push(format!("{} must not know {forbidden}: {way}", layer.name));
            }
        }
    }
    assert_none("crates stay away from what is not their business", &complaints);
}

/// The packages of others that a crate of ours is built with by itself, each with the way that leads to it.
fn third_party(from: &PackageId) -> BTreeMap<&'static str, String> {
    let nodes: BTreeMap<&PackageId, _> = METADATA
        .resolve
        .as_ref()
        .unwrap()
        .nodes
        .iter()
        .map(|node| (&node.id, node))
        .collect();
    let mut ways = BTreeMap::new();
    let mut seen = BTreeSet::from([from]);
    let mut open = vec![(nodes[from], METADATA[from].name.to_string())];
    while let Some((node, way)) = open.pop() {
        for dependency in &node.deps {
            let built = dependency
                .dep_kinds
                .iter()
                .any(|kind| kind.kind != DependencyKind::Development);
            let is_ours = METADATA.workspace_members.contains(&dependency.pkg);
            if built && !is_ours && seen.insert(&dependency.pkg) {
                let name = METADATA[&dependency.pkg].name.as_str();
                let way = format!("{way} > {name}");
                ways.insert(name, way.clone());
                open.push((nodes[&dependency.pkg], way));
            }
        }
    }
    ways
}

/// A library is told what it needs; only the server turns the environment into settings, and programs are their own
/// masters.
#[test]
fn libraries_do_not_read_the_environment() {
    let mut complaints = Vec::new();
    for path in files(&root().join("crates"), "rs") {
        let from_root = name(&path);
        let in_sources = from_root.split('/').nth(2) == Some("src");
        if !in_sources || from_root.starts_with("crates/mira-server/") {
            continue;
        }
        let text = read(&path);
        // By custom the tests of a file are its end.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let comment = line.trim_start().starts_with("//");
            if !comment && (line.contains("env::var") || line.contains("env::{var")) {
                complaints.push(format!("{from_root}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert_none(
        "the environment is read by mira-server and the programs; elsewhere it is a parameter",
        &complaints,
    );
}
