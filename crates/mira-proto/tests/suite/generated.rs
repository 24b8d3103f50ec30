//! Files that are generated from the types.

use std::path::Path;

use mira_proto::schema::{self, RefreshError};

#[track_caller]
fn assert_up_to_date(path: &str, generated: impl FnOnce(&str) -> String) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    // The text is not printed: a difference is seen better in the diff after the command.
    assert!(
        kept == generated(&kept),
        "{path} does not say what the types say; run `cargo xtask schema`"
    );
}

#[test]
fn json_schema_is_up_to_date() {
    assert_up_to_date("schema/mira.schema.json", |_| schema::json());
}

#[test]
fn typescript_is_up_to_date() {
    assert_up_to_date("schema/mira.ts", |_| schema::typescript());
}

/// A comment of a type that has an asterisk before a slash would end early in TypeScript.
#[test]
fn comments_in_typescript_end_where_their_lines_end() {
    for line in schema::typescript()
        .lines()
        .filter(|line| line.trim_start().starts_with("/**"))
    {
        assert_eq!(line.find("*/"), Some(line.len() - 2), "{line}");
    }
}

#[test]
fn tables_of_the_documentation_are_up_to_date() {
    assert_up_to_date("../../docs/PROTOCOL.md", |text| {
        schema::refresh_tables(text).unwrap()
    });
}

#[test]
fn the_documentation_has_every_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/PROTOCOL.md");
    let text = std::fs::read_to_string(file).unwrap();
    for table in ["methods", "notifications", "events", "objects", "errors"] {
        assert!(text.contains(&format!("<!-- table: {table} -->")), "{table}");
    }
}

#[test]
fn refreshing_touches_only_tables() {
    let text = "before\n<!-- table: notifications -->\nold\nolder\n<!-- end of table -->\nafter\n";
    let fresh = schema::refresh_tables(text).unwrap();
    assert!(
        fresh.starts_with("before\n<!-- table: notifications -->\n| notification |"),
        "{fresh}"
    );
    assert!(fresh.ends_with(" |\n<!-- end of table -->\nafter\n"), "{fresh}");
    assert!(!fresh.contains("old"), "{fresh}");
    assert_eq!(schema::refresh_tables(&fresh).unwrap(), fresh);

    assert_eq!(
        schema::refresh_tables("<!-- table: fish -->\n<!-- end of table -->\n"),
        Err(RefreshError::UnknownTable {
            name: "fish".to_owned()
        })
    );
    assert_eq!(
        schema::refresh_tables("<!-- table: errors -->\nold\n"),
        Err(RefreshError::Endless {
            name: "errors".to_owned()
        })
    );
}
