//! Settings of parts that do not exist yet.

use mira_server::config::{Place, Problem, Warning};

use super::load;

/// The names of a setting, a value that is accepted, and one that is not where there is such a value.
pub(super) const CASES: &[(&[&str], &str, Option<&str>)] = &[
    (&["OPENAI_EMBEDDING_MODEL", "MIRA_EMBED_MODEL"], "small", None),
    (
        &["MIRA_EMBED_DIMENSIONS", "QDRANT_EMBEDDING_DIM"],
        "1024",
        Some("7"),
    ),
    (&["MIRA_EMBED_BASE_URL"], "http://localhost:9", Some("localhost")),
    (&["MIRA_EMBED_API_KEY"], "s3cret", None),
    (&["OPENAI_TIMEOUT"], "3", Some("0")),
    (
        &["EMBED_HEADS", "MIRA_EMBED_HEADS"],
        "code, summary",
        Some("code,dreams"),
    ),
    (
        &[
            "SALIENCE_MIN_FOR_EMBED",
            "MEM_SALIENCE_MIN_FOR_EMBED",
            "MIN_SALIENCE_FOR_QDRANT",
        ],
        "0.25",
        Some("6"),
    ),
    (&["QDRANT_URL"], "http://localhost:6334", Some("localhost:6334")),
    (&["QDRANT_API_KEY"], "s3cret", None),
    (&["QDRANT_COLLECTION"], "mine", None),
    (&["QDRANT_TIMEOUT"], "3", Some("soon")),
    (
        &[
            "CONTEXT_SEMANTIC_MATCHES",
            "MIRA_CONTEXT_SEMANTIC_MATCHES",
            "MIRA_RECALL_SEMANTIC",
        ],
        "0",
        Some("-1"),
    ),
    (&["MAX_RECALLED_MESSAGES"], "3", Some("few")),
    (&["MIRA_MAX_RETRIEVAL_TOKENS"], "3000", Some("255")),
    (
        &[
            "USE_ROLLING_SUMMARIES",
            "MIRA_USE_ROLLING_SUMMARIES_IN_CONTEXT",
            "MIRA_ENABLE_SUMMARIZATION",
        ],
        "false",
        Some("perhaps"),
    ),
    (
        &[
            "SUMMARY_GENERATION_INTERVAL",
            "MIRA_SUMMARIZE_AFTER_MESSAGES",
            "MEM_ROLLUP_EVERY",
        ],
        "20",
        Some("1"),
    ),
    (&["GIT_ENABLED"], "0", Some("maybe")),
    (&["DEFAULT_REPO_PATH"], "repos", None),
];

#[test]
fn settings_of_parts_to_come_are_checked_and_warned_about() {
    let without = format!("{:?}", load(&[]).unwrap());
    for (names, accepted, refused) in CASES {
        for &name in *names {
            let mut config = load(&[(name, accepted)]).unwrap_or_else(|problems| panic!("{problems}"));
            let warning = Warning::Later {
                name: name.to_owned(),
                place: Place::Environment,
            };
            assert_eq!(std::mem::take(&mut config.warnings), [warning]);
            assert_eq!(format!("{config:?}"), without, "{name}");
            if let Some(refused) = refused {
                let problems = load(&[(name, refused)]).unwrap_err();
                assert!(
                    matches!(&problems.0[..], [Problem::Invalid { name: found, .. }] if found == name),
                    "{problems}"
                );
            }
        }
    }
    let config = load(&[
        ("QDRANT_URL", "http://localhost:6334"),
        ("QDRANT_API_KEY", "s3cret"),
    ])
    .unwrap();
    let warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "QDRANT_URL is set in the environment and has no effect in this version",
            "QDRANT_API_KEY is set in the environment and has no effect in this version",
        ]
    );
}
