//! Memory and what helps it.

use std::{path::Path, time::Duration};

use mira_server::config::{Api, Config, Effort, Embedder, Problem, Vectors};
use mira_store::vector::Head;

use super::{load, shown};

pub(super) const CASES: &[super::Case] = &[
    ("MIRA_UTILITY_MODEL", "gpt-5-mini", |c| {
        let utility = c.models.utility.as_ref();
        utility.is_some_and(|utility| utility.model == "gpt-5-mini" && utility.endpoint.missing.is_some())
    }),
    ("CONTEXT_SEMANTIC_MATCHES", "0", |c| {
        c.memory.recalled_messages == 0
    }),
    ("MIRA_MAX_RETRIEVAL_TOKENS", "3000", |c| {
        c.memory.recalled_tokens == 3000
    }),
    ("USE_ROLLING_SUMMARIES", "false", |c| !c.memory.summaries),
    ("SUMMARY_GENERATION_INTERVAL", "20", |c| {
        c.memory.summary_every == 20
    }),
    ("EMBED_HEADS", "code, summary", |c| {
        c.memory.heads == [Head::Code, Head::Summary]
    }),
    ("SALIENCE_MIN_FOR_EMBED", "0.25", |c| {
        (c.memory.embed_min_salience - 0.25).abs() < f64::EPSILON
    }),
    ("MIRA_QUERY_EMBEDDING_TIMEOUT_MS", "70", |c| {
        c.memory.query_embedding_timeout == Duration::from_millis(70)
    }),
    (
        "MIRA_EMBED_DIRECTORY",
        "/models/minilm",
        |c| matches!(&c.memory.embedder, Some(Embedder::Local(path)) if path == Path::new("/models/minilm")),
    ),
    ("MIRA_EMBED_BASE_URL", "http://localhost:9/v1/", |c| {
        matches!(
            server(c),
            Some(("http://localhost:9/v1", "text-embedding-3-large", 3072))
        )
    }),
    ("MIRA_EMBED_API_KEY", "key", |c| {
        matches!(server(c), Some(("https://api.openai.com/v1", _, 3072)))
    }),
    (
        "QDRANT_URL",
        "http://localhost:6334",
        |c| matches!(&c.memory.vectors, Vectors::Qdrant(qdrant) if qdrant.url == "http://localhost:6334" && qdrant.collection == "mira"),
    ),
    ("TASK_ANALYSIS_ENABLED", "false", |c| {
        c.memory.schedule.analysis.is_none()
    }),
    ("TASK_ANALYSIS_INTERVAL", "3", |c| {
        c.memory.schedule.analysis == Some(Duration::from_secs(3))
    }),
    ("TASK_EMBEDDING_ENABLED", "0", |c| {
        c.memory.schedule.embedding.is_none()
    }),
    ("TASK_EMBEDDING_INTERVAL", "3", |c| {
        c.memory.schedule.embedding == Some(Duration::from_secs(3))
    }),
    ("TASK_SUMMARY_ENABLED", "no", |c| {
        c.memory.schedule.summaries.is_none()
    }),
    ("TASK_SUMMARY_INTERVAL", "3", |c| {
        c.memory.schedule.summaries == Some(Duration::from_secs(3))
    }),
    ("TASK_DECAY_ENABLED", "off", |c| c.memory.schedule.decay.is_none()),
    ("TASK_DECAY_INTERVAL", "3", |c| {
        c.memory.schedule.decay == Some(Duration::from_secs(3))
    }),
    ("TASK_EMBEDDING_CLEANUP_ENABLED", "false", |c| {
        c.memory.schedule.sweep.is_none()
    }),
    ("TASK_EMBEDDING_CLEANUP_INTERVAL", "3", |c| {
        c.memory.schedule.sweep == Some(Duration::from_secs(3))
    }),
    ("TASK_METRICS_ENABLED", "false", |c| {
        c.memory.schedule.report.is_none()
    }),
    ("TASK_METRICS_INTERVAL", "3", |c| {
        c.memory.schedule.report == Some(Duration::from_secs(3))
    }),
];

/// The address, the model and the dimension of an embedder that is a server.
fn server(config: &Config) -> Option<(&str, &str, usize)> {
    match &config.memory.embedder {
        Some(Embedder::Server {
            endpoint,
            model,
            dimension,
            ..
        }) => Some((endpoint.base_url.as_str(), model.as_str(), *dimension)),
        Some(Embedder::Local(_)) | None => None,
    }
}

/// Settings that have an effect beside another one: that one, the setting, a value for it, and whether that value arrived.
type Beside = (
    (&'static str, &'static str),
    &'static str,
    &'static str,
    fn(&Config) -> bool,
);

const KEY: (&str, &str) = ("OPENAI_API_KEY", "openai");
const UTILITY: (&str, &str) = ("MIRA_UTILITY_MODEL", "small");
const QDRANT: (&str, &str) = ("QDRANT_URL", "http://localhost:6334");

pub(super) const DEPENDENT: &[Beside] = &[
    (KEY, "OPENAI_EMBEDDING_MODEL", "text-embedding-3-small", |c| {
        matches!(server(c), Some((_, "text-embedding-3-small", 1536)))
    }),
    (KEY, "MIRA_EMBED_DIMENSIONS", "1024", |c| {
        matches!(server(c), Some((_, "text-embedding-3-large", 1024)))
    }),
    (
        KEY,
        "OPENAI_TIMEOUT",
        "3",
        |c| matches!(&c.memory.embedder, Some(Embedder::Server { timeout, .. }) if *timeout == Duration::from_secs(3)),
    ),
    (UTILITY, "MIRA_UTILITY_BASE_URL", "http://localhost:9/", |c| {
        utility(c, |utility| {
            utility.endpoint.base_url == "http://localhost:9" && utility.endpoint.missing.is_none()
        })
    }),
    (UTILITY, "MIRA_UTILITY_API_KEY", "own", |c| {
        utility(c, |utility| shown(utility.endpoint.api_key.as_ref()) == "own")
    }),
    (UTILITY, "MIRA_UTILITY_API", "chat", |c| {
        utility(c, |utility| utility.api == Api::Chat)
    }),
    (UTILITY, "MIRA_UTILITY_REASONING", "low", |c| {
        utility(c, |utility| utility.effort == Some(Effort::Low))
    }),
    (
        QDRANT,
        "QDRANT_API_KEY",
        "own",
        |c| matches!(&c.memory.vectors, Vectors::Qdrant(qdrant) if shown(qdrant.api_key.as_ref()) == "own"),
    ),
    (
        QDRANT,
        "QDRANT_COLLECTION",
        "mine",
        |c| matches!(&c.memory.vectors, Vectors::Qdrant(qdrant) if qdrant.collection == "mine"),
    ),
    (
        QDRANT,
        "QDRANT_TIMEOUT",
        "3",
        |c| matches!(&c.memory.vectors, Vectors::Qdrant(qdrant) if qdrant.timeout == Duration::from_secs(3)),
    ),
];

fn utility(config: &Config, holds: fn(&mira_server::config::Utility) -> bool) -> bool {
    config.models.utility.as_ref().is_some_and(holds)
}

#[test]
fn every_setting_that_depends_on_another_arrives() {
    for &(other, name, value, arrived) in DEPENDENT {
        let config =
            load(&[other, (name, value)]).unwrap_or_else(|problems| panic!("{name}={value}: {problems}"));
        assert!(arrived(&config), "{name}={value}: {config:?}");
        assert_eq!(config.warnings, [], "{name}");
        assert!(
            !arrived(&load(&[other]).unwrap()),
            "the case of {name} shows nothing"
        );
    }
}

#[test]
fn a_key_of_openai_is_enough_for_embeddings_and_goes_nowhere_else() {
    assert!(load(&[]).unwrap().memory.embedder.is_none());
    let key = |variables: &[(&str, &str)]| match load(variables).unwrap().memory.embedder {
        Some(Embedder::Server { endpoint, .. }) => Some(shown(endpoint.api_key.as_ref())),
        Some(Embedder::Local(_)) | None => None,
    };
    assert_eq!(key(&[KEY]).as_deref(), Some("openai"));
    assert_eq!(key(&[KEY, ("MIRA_EMBED_API_KEY", "own")]).as_deref(), Some("own"));
    assert_eq!(
        key(&[KEY, ("MIRA_EMBED_BASE_URL", "http://localhost:9")]).as_deref(),
        Some("")
    );
    assert_eq!(key(&[KEY, ("OPENAI_EMBEDDING_MODEL", "none")]), None);
    // A reasoner elsewhere that needs no key is not known to embed.
    assert_eq!(key(&[("OPENAI_BASE_URL", "http://localhost:9")]), None);

    let utility = load(&[KEY, UTILITY, ("MIRA_UTILITY_BASE_URL", "http://localhost:9")]).unwrap();
    let utility = utility.models.utility.unwrap();
    assert!(utility.endpoint.api_key.is_none(), "{utility:?}");
    let utility = load(&[KEY, UTILITY]).unwrap().models.utility.unwrap();
    assert_eq!(shown(utility.endpoint.api_key.as_ref()), "openai");
    assert_eq!(utility.endpoint.missing, None);
}

#[test]
fn an_embedder_that_cannot_be_used_is_a_problem() {
    let problems = load(&[KEY, ("OPENAI_EMBEDDING_MODEL", "nomic-embed-text")]).unwrap_err();
    assert!(
        matches!(
            &problems.0[..],
            [Problem::Needed {
                name: "MIRA_EMBED_DIMENSIONS",
                ..
            }]
        ),
        "{problems}"
    );
    load(&[
        KEY,
        ("OPENAI_EMBEDDING_MODEL", "nomic-embed-text"),
        ("QDRANT_EMBEDDING_DIM", "768"),
    ])
    .unwrap();
    let problems = load(&[
        ("MIRA_EMBED_DIRECTORY", "/models"),
        ("MIRA_EMBED_BASE_URL", "http://localhost:9"),
    ]);
    let problems = problems.unwrap_err();
    assert!(matches!(&problems.0[..], [Problem::Both { .. }]), "{problems}");
}
