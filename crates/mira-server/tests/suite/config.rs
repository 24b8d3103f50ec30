//! From variables and files to a configuration, and what is said on the way.

mod later;
mod memory;

use std::{collections::BTreeSet, path::Path, time::Duration};

use mira_server::config::{
    self, Api, Config, Effort, LogFormat, Persona, Place, Problem, Problems, Verbosity, Warning,
};
use mira_store::vector::Head;
use secrecy::{ExposeSecret, SecretString};

fn load(variables: &[(&str, &str)]) -> Result<Config, Problems> {
    load_with(variables, None)
}

fn load_with(variables: &[(&str, &str)], file: Option<&Path>) -> Result<Config, Problems> {
    let given = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let data_dir = ("MIRA_DATA_DIR".to_owned(), "/data".to_owned());
    let data_dir = (!variables.iter().any(|(name, _)| *name == "MIRA_DATA_DIR")).then_some(data_dir);
    Config::load(given.chain(data_dir), file)
}

fn shown(secret: Option<&SecretString>) -> String {
    secret.map_or_else(String::new, |secret| secret.expose_secret().to_owned())
}

/// A setting, a value for it, and whether that value arrived.
type Case = (&'static str, &'static str, fn(&Config) -> bool);

const CASES: &[Case] = &[
    ("OPENAI_API_KEY", "key", |c| {
        shown(c.models.reasoner.endpoint.api_key.as_ref()) == "key"
            && c.models.reasoner.endpoint.missing.is_none()
    }),
    ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1/", |c| {
        c.models.reasoner.endpoint.base_url == "http://127.0.0.1:9/v1"
            && c.models.reasoner.endpoint.missing.is_none()
    }),
    ("OPENAI_MODEL", "gpt-5.5", |c| {
        c.models.reasoner.model == "gpt-5.5"
    }),
    ("MIRA_REASONER_API", "chat", |c| {
        c.models.reasoner.api == Api::Chat
    }),
    ("GPT5_REASONING", "High", |c| {
        c.models.reasoner.effort == Effort::High
    }),
    ("GPT5_VERBOSITY", "low", |c| {
        c.models.reasoner.verbosity == Verbosity::Low
    }),
    ("MIRA_REASONING_SUMMARY", "false", |c| !c.models.reasoner.summary),
    ("GPT5_MAX_TOKENS", "64_000", |c| {
        c.models.reasoner.max_output_tokens == 64_000
    }),
    ("DEEPSEEK_API_KEY", "key", |c| {
        shown(c.models.coder.endpoint.api_key.as_ref()) == "key" && c.models.coder.endpoint.missing.is_none()
    }),
    ("DEEPSEEK_BASE_URL", "https://coder.example", |c| {
        c.models.coder.endpoint.base_url == "https://coder.example"
            && c.models.coder.endpoint.missing.is_none()
    }),
    ("DEEPSEEK_MODEL", "deepseek-v4-pro", |c| {
        c.models.coder.model == "deepseek-v4-pro"
    }),
    ("MIRA_CODER_API", "responses", |c| {
        c.models.coder.api == Api::Responses
    }),
    ("DEEPSEEK_THINKING", "off", |c| !c.models.coder.thinking),
    ("DEEPSEEK_REASONING", "max", |c| {
        c.models.coder.effort == Effort::Max
    }),
    ("DEEPSEEK_MAX_TOKENS", "9000", |c| {
        c.models.coder.max_output_tokens == 9000
    }),
    ("MIRA_CONNECT_TIMEOUT", "3", |c| {
        c.models.calls.connect_timeout == Duration::from_secs(3)
    }),
    ("MIRA_FIRST_TOKEN_TIMEOUT", "3", |c| {
        c.models.calls.first_token_timeout == Duration::from_secs(3)
    }),
    ("MIRA_CHUNK_TIMEOUT", "3", |c| {
        c.models.calls.chunk_timeout == Duration::from_secs(3)
    }),
    ("MIRA_API_MAX_RETRIES", "0", |c| c.models.calls.retries == 0),
    ("MIRA_API_RETRY_DELAY_MS", "70", |c| {
        c.models.calls.retry_delay == Duration::from_millis(70)
    }),
    ("MIRA_HOST", "::1", |c| c.server.host == "::1"),
    ("MIRA_PORT", "0", |c| c.server.port == 0),
    ("MIRA_AUTH_TOKEN", "token", |c| {
        shown(c.server.transport.auth_token.as_ref()) == "token"
    }),
    ("MIRA_ALLOWED_ORIGINS", "https://mira.example", |c| {
        c.server.transport.allowed_origins.allows("https://mira.example")
            && !c.server.transport.allowed_origins.allows("http://localhost")
    }),
    ("MIRA_MAX_CONNECTIONS", "7", |c| {
        c.server.transport.max_connections == 7
    }),
    ("MIRA_MAX_FRAME_BYTES", "90MiB", |c| {
        c.server.transport.max_frame_bytes == 90 << 20
    }),
    ("MIRA_MAX_UNAUTHENTICATED_FRAME_BYTES", "2048", |c| {
        c.server.transport.max_unauthenticated_frame_bytes == 2048
    }),
    ("MIRA_MAX_BUFFERED_BYTES", "1GiB", |c| {
        c.server.transport.max_buffered_bytes == 1 << 30
    }),
    ("MIRA_MAX_OUTBOUND_BYTES", "1MiB", |c| {
        c.server.transport.max_outbound_bytes == 1 << 20
    }),
    ("MIRA_HEARTBEAT", "20", |c| {
        c.server.transport.heartbeat == Duration::from_secs(20)
    }),
    ("MIRA_DEAD_PEER_TIMEOUT", "90", |c| {
        c.server.transport.dead_after == Duration::from_secs(90)
    }),
    ("MIRA_HANDSHAKE_TIMEOUT", "4", |c| {
        c.server.transport.handshake_timeout == Duration::from_secs(4)
    }),
    ("MIRA_SHUTDOWN_GRACE", "5", |c| {
        c.server.transport.shutdown_grace == Duration::from_secs(5)
    }),
    ("MIRA_DATA_DIR", "/srv/mira", |c| {
        c.storage.data_dir == Path::new("/srv/mira") && c.storage.database == Path::new("/srv/mira/mira.db")
    }),
    ("DATABASE_URL", "sqlite:///srv/other.db?mode=rwc", |c| {
        c.storage.database == Path::new("/srv/other.db") && c.storage.data_dir == Path::new("/data")
    }),
    ("MIRA_SESSION_ID", " mine ", |c| c.session == "mine"),
    ("MIRA_PERSONA", "Be brief.", |c| {
        c.persona == Persona::Text("Be brief.".to_owned())
    }),
    (
        "MIRA_PERSONA_FILE",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        |c| matches!(&c.persona, Persona::Text(text) if text.starts_with("[package]")),
    ),
    ("TOOL_MAX_ITERATIONS", "3", |c| c.operation.max_iterations == 3),
    ("MIRA_MAX_OPERATION_TOKENS", "3000", |c| {
        c.operation.max_tokens == 3000
    }),
    ("MIRA_TOOL_TIMEOUT_SECONDS", "3", |c| {
        c.operation.tool_timeout == Duration::from_secs(3)
    }),
    ("CONTEXT_RECENT_MESSAGES", "3", |c| {
        c.operation.recent_messages == 3
    }),
    ("MIRA_HISTORY_TOKEN_LIMIT", "3000", |c| {
        c.operation.recent_tokens == 3000
    }),
    ("MIRA_LOG_LEVEL", "debug", |c| c.log.filter == "debug"),
    ("LOG_FORMAT", "json", |c| c.log.format == LogFormat::Json),
];

#[test]
fn every_setting_arrives() {
    let defaults = load(&[]).unwrap();
    for (name, value, arrived) in CASES.iter().chain(memory::CASES) {
        let config = load(&[(name, value)]).unwrap_or_else(|problems| panic!("{name}={value}: {problems}"));
        assert!(arrived(&config), "{name}={value}: {config:?}");
        assert_eq!(config.warnings, [], "{name}");
        assert!(!arrived(&defaults), "the case of {name} shows nothing");
    }
}

#[test]
fn every_setting_has_a_case_and_is_documented() {
    let arriving = CASES.iter().chain(memory::CASES).map(|(name, ..)| *name);
    let later = later::CASES.iter().map(|(name, ..)| *name);
    let dependent = memory::DEPENDENT.iter().map(|(_, name, ..)| *name);
    // The file that is read has tests of its own.
    let cases: BTreeSet<&str> = arriving
        .chain(later)
        .chain(dependent)
        .chain(["MIRA_CONFIG"])
        .collect();
    let example = config::env_example();
    let documented: BTreeSet<&str> = example_values(&example).map(|(name, _)| name).collect();
    assert_eq!(cases, documented);
}

/// The names and values of `.env.example`, whether in comments or not.
fn example_values(example: &str) -> impl Iterator<Item = (&str, &str)> {
    example.lines().filter_map(|line| {
        let (name, value) = line.trim_start_matches("# ").split_once('=')?;
        let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        name.chars().all(is_name).then_some((name, value))
    })
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    let example = config::env_example();
    let mut written: Vec<_> = example_values(&example)
        .filter(|(name, _)| *name != "MIRA_DATA_DIR")
        .collect();
    written.push(("MIRA_DATA_DIR", "/data"));
    let config = load(&written).unwrap();
    assert_eq!(format!("{config:?}"), format!("{:?}", load(&[]).unwrap()));

    let options = format!("{:?}", mira_server::transport::Options::default());
    assert_eq!(format!("{:?}", config.server.transport), options);
    assert_eq!(config.models.reasoner.endpoint.missing, Some("OPENAI_API_KEY"));
    assert_eq!(config.models.coder.endpoint.missing, Some("DEEPSEEK_API_KEY"));
}

#[test]
fn older_names_still_mean_what_they_meant() {
    for (alias, name, value) in [
        ("GPT5_API_KEY", "OPENAI_API_KEY", "key"),
        ("GPT5_MODEL", "OPENAI_MODEL", "gpt-5.5"),
        ("MAX_OUTPUT_TOKENS", "GPT5_MAX_TOKENS", "64000"),
        ("MIRA_MAX_RESPONSE_TOKENS", "GPT5_MAX_TOKENS", "64000"),
        ("MIRA_CONTEXT_RECENT_MESSAGES", "CONTEXT_RECENT_MESSAGES", "3"),
        ("MIRA_RECALL_RECENT", "CONTEXT_RECENT_MESSAGES", "3"),
        ("MIRA_RECENT_MESSAGE_LIMIT", "CONTEXT_RECENT_MESSAGES", "3"),
        ("MIRA_HISTORY_MESSAGE_CAP", "CONTEXT_RECENT_MESSAGES", "3"),
        ("RUST_LOG", "MIRA_LOG_LEVEL", "debug"),
        ("MAX_RECALLED_MESSAGES", "CONTEXT_SEMANTIC_MATCHES", "3"),
        ("MIRA_CONTEXT_SEMANTIC_MATCHES", "CONTEXT_SEMANTIC_MATCHES", "3"),
        ("MIRA_RECALL_SEMANTIC", "CONTEXT_SEMANTIC_MATCHES", "3"),
        (
            "MIRA_USE_ROLLING_SUMMARIES_IN_CONTEXT",
            "USE_ROLLING_SUMMARIES",
            "false",
        ),
        ("MIRA_ENABLE_SUMMARIZATION", "USE_ROLLING_SUMMARIES", "false"),
        (
            "MIRA_SUMMARIZE_AFTER_MESSAGES",
            "SUMMARY_GENERATION_INTERVAL",
            "3",
        ),
        ("MEM_ROLLUP_EVERY", "SUMMARY_GENERATION_INTERVAL", "3"),
        ("MIRA_EMBED_HEADS", "EMBED_HEADS", "code"),
        ("MEM_SALIENCE_MIN_FOR_EMBED", "SALIENCE_MIN_FOR_EMBED", "0.5"),
        ("MIN_SALIENCE_FOR_QDRANT", "SALIENCE_MIN_FOR_EMBED", "0.5"),
    ] {
        let (old, new) = (load(&[(alias, value)]).unwrap(), load(&[(name, value)]).unwrap());
        assert_eq!(format!("{old:?}"), format!("{new:?}"), "{alias}");
    }
    let both = load(&[
        ("GPT5_MODEL", "old"),
        ("OPENAI_MODEL", "new"),
        ("GPT5_API_KEY", "k"),
        ("OPENAI_API_KEY", "k"),
    ]);
    let both = both.unwrap();
    assert_eq!(both.models.reasoner.model, "new");
    let (name, instead) = ("GPT5_MODEL".to_owned(), "OPENAI_MODEL".to_owned());
    assert_eq!(
        both.warnings,
        [Warning::Shadowed {
            name,
            place: Place::Environment,
            instead
        }]
    );
}

#[test]
fn all_problems_are_reported_at_once_and_no_secret_in_them() {
    let problems = load(&[
        ("MIRA_PORT", "80000"),
        ("GPT5_REASONING", "very"),
        ("DATABASE_URL", "postgres://mira:s3cret@db/mira"),
        ("OPENAI_BASE_URL", "ftp://user:s3cret@example.com"),
        ("MIRA_MAX_FRAME_BYTES", "80MB"),
        ("MIRA_ALLOWED_ORIGINS", "*"),
        ("MIN_SALIENCE_FOR_QDRANT", "6"),
        ("EMBED_HEADS", "code,dreams"),
        ("USE_ROLLING_SUMMARIES", "perhaps"),
        ("MIRA_HEARTBEAT", "30"),
        ("MIRA_HOST", "0.0.0.0"),
        ("MIRA_PERSONA", "one"),
        ("MIRA_PERSONA_FILE", "two"),
        ("OPENAI_API_KEY", "s3cret"),
    ])
    .unwrap_err();
    assert_eq!(
        problems.to_string(),
        "the configuration cannot be used:
  - OPENAI_BASE_URL in the environment: expected an http:// or https:// address, found something else
  - GPT5_REASONING in the environment: expected minimal, low, medium or high, found `very`
  - EMBED_HEADS in the environment: expected a comma-separated list of semantic, code, summary, documents, relationship, found `code,dreams`
  - MIN_SALIENCE_FOR_QDRANT in the environment: expected a number from 0 to 1, found `6`
  - USE_ROLLING_SUMMARIES in the environment: expected true or false, found `perhaps`
  - MIRA_PORT in the environment: expected a whole number from 0 to 65535, found `80000`
  - MIRA_ALLOWED_ORIGINS in the environment: expected a comma-separated list of `loopback` and origins such as https://mira.example.com, found `*`
  - MIRA_MAX_FRAME_BYTES in the environment: expected bytes, from 64KiB to 1TiB, such as 512KiB, 80MiB or 1GiB, found `80MB`
  - DATABASE_URL in the environment: expected a path or sqlite:PATH; PostgreSQL, other servers and in-memory databases are not supported, found something else
  - MIRA_DEAD_PEER_TIMEOUT must be at least twice MIRA_HEARTBEAT, or healthy clients would be dropped
  - MIRA_HOST is 0.0.0.0, which other machines can reach: set MIRA_AUTH_TOKEN as well, or MIRA_HOST to 127.0.0.1
  - MIRA_PERSONA and MIRA_PERSONA_FILE exclude each other: set one of them"
    );
    let error = load(&[("MIRA_MAX_BUFFERED_BYTES", "1MiB")]).unwrap_err();
    assert!(
        matches!(
            error.0[..],
            [Problem::TooSmall {
                name: "MIRA_MAX_BUFFERED_BYTES",
                ..
            }]
        ),
        "{error}"
    );
}

#[test]
fn an_address_that_others_can_reach_needs_a_token() {
    for (host, alone) in [
        ("127.0.0.1", true),
        ("127.8.8.8", true),
        ("::1", true),
        ("::ffff:127.0.0.1", true),
        ("localhost", true),
        ("0.0.0.0", false),
        ("::", false),
        ("192.168.1.2", false),
    ] {
        match load(&[("MIRA_HOST", host)]) {
            Ok(_) => assert!(alone, "{host}"),
            Err(problems) => {
                assert!(!alone, "{problems}");
                assert!(
                    matches!(&problems.0[..], [Problem::TokenRequired { host: refused }] if refused == host),
                    "{problems}"
                );
            }
        }
        load(&[("MIRA_HOST", host), ("MIRA_AUTH_TOKEN", "token")]).unwrap();
    }
}

#[test]
fn secrets_are_not_shown() {
    let names = [
        "OPENAI_API_KEY",
        "DEEPSEEK_API_KEY",
        "MIRA_AUTH_TOKEN",
        "MIRA_EMBED_API_KEY",
        "MIRA_UTILITY_API_KEY",
        "QDRANT_API_KEY",
    ];
    let mut variables = names.map(|name| (name, "s3cret")).to_vec();
    variables.extend([
        ("MIRA_UTILITY_MODEL", "small"),
        ("QDRANT_URL", "http://localhost:6334"),
    ]);
    let shown = format!("{:?}", load(&variables).unwrap());
    assert!(!shown.contains("s3cret"), "{shown}");
    assert_eq!(shown.matches("REDACTED").count(), names.len(), "{shown}");
}

#[test]
fn odd_names_are_reported_and_not_fatal() {
    let config = load(&[
        ("MIRA_PROT", "3001"),
        ("MIRA_SOMETHING_ELSE_ENTIRELY", "1"),
        ("MIRA_DECAY_FLOOR", "2.0"),
        ("USE_DEEPSEEK_CODEGEN", "true"),
        ("TASK_CODE_SYNC_ENABLED", "true"),
        ("DATABASE_TIMEOUT", "10"),
        ("OPENAI_ORGANIZATION", "somebody else's"),
        ("MIRA_EMPTY_AND_UNKNOWN", " "),
    ])
    .unwrap();
    let warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "DATABASE_TIMEOUT in the environment has no effect: the database needs no tuning",
            "MIRA_DECAY_FLOOR in the environment has no effect: how memories fade is fixed, and none is deleted by age",
            "MIRA_PROT in the environment is no setting of this server; is MIRA_PORT meant?",
            "MIRA_SOMETHING_ELSE_ENTIRELY in the environment is no setting of this server",
            "TASK_CODE_SYNC_ENABLED in the environment has no effect: there is nothing to clean up, and code is read when \
             it is asked for",
            "USE_DEEPSEEK_CODEGEN in the environment has no effect: code is delegated whenever DEEPSEEK_API_KEY is set",
        ]
    );
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mira.toml");
    let text = r#"
        MIRA_PORT = 3001
        MIRA_HOST = "::1"
        GPT5_MAX_TOKENS = 64_000
        MIRA_REASONING_SUMMARY = false
        MIRA_ALLOWED_ORIGINS = ["loopback", "https://mira.example"]
        SALIENCE_MIN_FOR_EMBED = 0.5
        EMBED_HEADS = ["code", "summary"]
        GIT_ENABLED = true
        OPENAI_ORGANISATION = "a mistake in a file of ours"
        [server]
        port = 3002
    "#;
    std::fs::write(&path, text).unwrap();
    let by_variable = load(&[("MIRA_CONFIG", path.to_str().unwrap()), ("MIRA_PORT", "4000")]).unwrap();
    let by_argument = load_with(&[("MIRA_PORT", "4000")], Some(&path)).unwrap();
    for config in [by_variable, by_argument] {
        assert_eq!((config.server.host.as_str(), config.server.port), ("::1", 4000));
        let reasoner = &config.models.reasoner;
        assert_eq!((reasoner.max_output_tokens, reasoner.summary), (64_000, false));
        let origins = &config.server.transport.allowed_origins;
        assert!(origins.allows("http://localhost") && origins.allows("https://mira.example"));
        assert_eq!(config.operation.recent_messages, 5);
        assert_eq!(config.memory.heads, [Head::Code, Head::Summary]);
        let unknown = |name: &str| Warning::Unknown {
            name: name.to_owned(),
            place: Place::File,
            suggestion: None,
        };
        let later = |name: &str| Warning::Later {
            name: name.to_owned(),
            place: Place::File,
        };
        let warnings = [
            later("GIT_ENABLED"),
            unknown("OPENAI_ORGANISATION"),
            unknown("server"),
        ];
        assert_eq!(config.warnings, warnings);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_a_problem() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mira.toml");
    let load_it = || load_with(&[("LOG_FORMAT", "xml")], Some(&path)).unwrap_err();
    let problems = load_it();
    assert!(
        matches!(problems.0[..], [Problem::Invalid { .. }, Problem::File { .. }]),
        "{problems:?}"
    );
    std::fs::write(&path, "MIRA_PORT = 3001\nOPENAI_API_KEY = \"s3cret").unwrap();
    let problems = load_it();
    assert!(
        matches!(problems.0[..], [Problem::Invalid { .. }, Problem::Syntax { .. }]),
        "{problems:?}"
    );
    let shown = format!("{problems} {problems:?}");
    assert!(shown.contains("mira.toml") && shown.contains("line 2"), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
    let problems = load(&[("MIRA_PERSONA_FILE", "/nowhere/persona.md")]).unwrap_err();
    assert!(
        matches!(problems.0[..], [Problem::Persona { .. }]),
        "{problems:?}"
    );
}

#[test]
fn the_generated_files_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let example = std::fs::read_to_string(root.join(".env.example")).unwrap();
    assert!(
        example == config::env_example(),
        ".env.example is out of date: run `cargo xtask docs`"
    );
    let page = std::fs::read_to_string(root.join("docs/CONFIGURATION.md")).unwrap();
    let renewed =
        config::renew_page(&page).expect("docs/CONFIGURATION.md has lost the marks around its tables");
    assert!(
        page == renewed,
        "docs/CONFIGURATION.md is out of date: run `cargo xtask docs`"
    );
}
