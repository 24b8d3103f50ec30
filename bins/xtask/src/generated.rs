//! Files that are written from what the code knows. A test of the crate that knows it fails when they are out of date.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// Writes the wire types as JSON Schema and TypeScript, and the tables of the protocol's documentation.
pub(crate) fn schema() -> anyhow::Result<()> {
    write(
        "crates/mira-proto/schema/mira.schema.json",
        &mira_proto::schema::json(),
    )?;
    write(
        "crates/mira-proto/schema/mira.ts",
        &mira_proto::schema::typescript(),
    )?;
    let page = "docs/PROTOCOL.md";
    write(page, &mira_proto::schema::refresh_tables(&read(page)?)?)
}

/// Writes the example of an environment and the tables of settings.
pub(crate) fn docs() -> anyhow::Result<()> {
    write(".env.example", &mira_server::config::env_example())?;
    let page = "docs/CONFIGURATION.md";
    let renewed = mira_server::config::renew_page(&read(page)?);
    write(
        page,
        &renewed.with_context(|| format!("{page} has lost the marks around its tables"))?,
    )
}

fn read(path: &str) -> anyhow::Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| format!("could not read {path}"))
}

fn write(path: &str, text: &str) -> anyhow::Result<()> {
    fs::write(root().join(path), text).with_context(|| format!("could not write {path}"))
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
