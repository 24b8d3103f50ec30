//! Searching in files.

use mira_workspace::{Case, Error, Search};

use crate::fixture::Fixture;

async fn found(fixture: &Fixture, search: Search) -> Vec<(String, u64, String)> {
    let result = fixture.files.search(search).await.unwrap();
    let matches = result.matches.into_iter();
    matches
        .map(|found| (found.path.to_string(), found.line, found.text))
        .collect()
}

async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    fixture.put("src/a.rs", "fn alpha() {}\nfn Beta() {}\r\nlet x = a.b;\n");
    fixture.put("src/b.md", "about alpha\n");
    fixture.put(".gitignore", "/ignored\n");
    fixture.put("ignored/c.rs", "fn alpha() {}\n");
    fixture.put("binary", b"alpha\nalpha\0\n");
    fixture
}

fn line(at: &str, line: u64, text: &str) -> (String, u64, String) {
    (at.to_owned(), line, text.to_owned())
}

#[tokio::test]
async fn a_search_finds_lines_by_text_or_expression() {
    let fixture = fixture().await;
    let alpha = [
        line("src/a.rs", 1, "fn alpha() {}"),
        line("src/b.md", 1, "about alpha"),
    ];
    let beta = [line("src/a.rs", 2, "fn Beta() {}")];
    let dot = [line("src/a.rs", 3, "let x = a.b;")];
    let text = Search::text;
    let regex = |pattern: &str| Search {
        regex: true,
        ..Search::text(pattern)
    };
    let case = |pattern: &str, case| Search {
        case,
        ..Search::text(pattern)
    };
    let glob = |glob: &str| Search {
        glob: Some(glob.to_owned()),
        ..Search::text("alpha")
    };
    let cases: [(Search, &[_]); 13] = [
        (text("alpha"), &alpha),
        (text("ALPHA"), &[]),
        (text("beta"), &beta),
        (text("a.b"), &dot),
        (text("()"), &[alpha[0].clone(), beta[0].clone()]),
        (regex(r"^fn \w+\(\) \{\}$"), &alpha[..1]),
        (regex(r"B.ta"), &beta),
        (case("ALPHA", Case::Insensitive), &alpha),
        (case("beta", Case::Sensitive), &[]),
        (glob("*.rs"), &alpha[..1]),
        (glob("!*.rs"), &alpha[1..]),
        (glob("src/**"), &alpha),
        (glob("ignored/**"), &[]),
    ];
    for (search, expected) in cases {
        assert_eq!(found(&fixture, search.clone()).await, expected, "{search:?}");
    }
}

#[tokio::test]
async fn a_search_stops_at_its_limit_and_says_so() {
    let fixture = Fixture::new().await;
    fixture.put("a.txt", "x\n".repeat(10));
    fixture.put("b.txt", "x\n");
    for (limit, count, truncated) in [
        (5, 5, true),
        (10, 10, true),
        (11, 11, false),
        (usize::MAX, 11, false),
    ] {
        let search = Search {
            limit,
            ..Search::text("x")
        };
        let result = fixture.files.search(search).await.unwrap();
        assert_eq!(
            (result.matches.len(), result.truncated),
            (count, truncated),
            "{limit}"
        );
    }
}

#[tokio::test]
async fn larger_files_are_passed_over() {
    let fixture = Fixture::new().await;
    fixture.put("small.txt", "needle");
    fixture.put("large.txt", "needle and more");
    let search = Search {
        max_file_bytes: 6,
        ..Search::text("needle")
    };
    assert_eq!(found(&fixture, search).await, [line("small.txt", 1, "needle")]);
}

#[tokio::test]
async fn a_pattern_or_glob_that_is_none_is_refused() {
    let fixture = Fixture::new().await;
    for pattern in ["(", "a\\nb", "(?:a{1000}){1000}"] {
        let search = Search {
            regex: true,
            ..Search::text(pattern)
        };
        let error = fixture.files.search(search).await.unwrap_err();
        assert!(
            matches!(&error, Error::Pattern { pattern: named, .. } if named == pattern),
            "{error:?}"
        );
    }
    let search = Search {
        glob: Some("[".to_owned()),
        ..Search::text("a")
    };
    let error = fixture.files.search(search).await.unwrap_err();
    assert!(
        matches!(&error, Error::Glob { glob, .. } if glob == "["),
        "{error:?}"
    );
}
