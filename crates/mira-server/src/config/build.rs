//! The typed configuration from its values.

use std::{net::IpAddr, path::PathBuf};

use etcetera::AppStrategy as _;

use super::{
    Api, Calls, Coder, Config, Effort, Endpoint, Log, LogFormat, Models, Operation, Persona, Problem,
    Problems, Reasoner, Server, Storage, Utility, Verbosity, directories, memory, settings, values::Values,
};
use crate::transport;

const APIS: [(&str, Api); 2] = [("responses", Api::Responses), ("chat", Api::Chat)];

const EFFORTS: [(&str, Effort); 5] = [
    ("minimal", Effort::Minimal),
    ("low", Effort::Low),
    ("medium", Effort::Medium),
    ("high", Effort::High),
    ("max", Effort::Max),
];

const VERBOSITIES: [(&str, Verbosity); 3] = [
    ("low", Verbosity::Low),
    ("medium", Verbosity::Medium),
    ("high", Verbosity::High),
];

impl Config {
    pub(super) fn from_values(mut values: Values) -> Result<Self, Problems> {
        let values = &mut values;
        let server = server(values);
        let storage = storage(values);
        let models = models(values);
        let memory = memory::memory(values);
        let operation = operation(values);
        let persona = persona(values);
        let session = values.text("MIRA_SESSION_ID");
        let format = values.choice("LOG_FORMAT", LogFormat::Text, &[("json", LogFormat::Json)]);
        let log = Log {
            filter: values.text("MIRA_LOG_LEVEL"),
            format,
        };
        match storage {
            Some(storage) if values.problems.is_empty() => {
                let warnings = std::mem::take(&mut values.warnings);
                Ok(Self {
                    server,
                    storage,
                    models,
                    memory,
                    operation,
                    persona,
                    session,
                    log,
                    warnings,
                })
            }
            _ => Err(Problems(std::mem::take(&mut values.problems))),
        }
    }
}

fn server(values: &mut Values) -> Server {
    let transport = transport::Options {
        auth_token: values.secret("MIRA_AUTH_TOKEN"),
        allowed_origins: values.text("MIRA_ALLOWED_ORIGINS").parse().unwrap_or_default(),
        max_connections: values.number("MIRA_MAX_CONNECTIONS"),
        max_frame_bytes: values.number("MIRA_MAX_FRAME_BYTES"),
        max_unauthenticated_frame_bytes: values.number("MIRA_MAX_UNAUTHENTICATED_FRAME_BYTES"),
        max_buffered_bytes: values.number("MIRA_MAX_BUFFERED_BYTES"),
        max_outbound_bytes: values.number("MIRA_MAX_OUTBOUND_BYTES"),
        heartbeat: values.seconds("MIRA_HEARTBEAT"),
        dead_after: values.seconds("MIRA_DEAD_PEER_TIMEOUT"),
        handshake_timeout: values.seconds("MIRA_HANDSHAKE_TIMEOUT"),
        shutdown_grace: values.seconds("MIRA_SHUTDOWN_GRACE"),
    };
    if transport.max_buffered_bytes < transport.max_frame_bytes {
        let least = "MIRA_MAX_FRAME_BYTES, or the largest message could never arrive".to_owned();
        values.problems.push(Problem::TooSmall {
            name: "MIRA_MAX_BUFFERED_BYTES",
            least,
        });
    }
    if transport.dead_after < transport.heartbeat * 2 {
        let least = "twice MIRA_HEARTBEAT, or healthy clients would be dropped".to_owned();
        values.problems.push(Problem::TooSmall {
            name: "MIRA_DEAD_PEER_TIMEOUT",
            least,
        });
    }
    let host = values.text("MIRA_HOST");
    // What a name stands for is known when the port is bound, which refuses it as well.
    let is_reachable = host
        .parse::<IpAddr>()
        .is_ok_and(|address| !address.to_canonical().is_loopback());
    if is_reachable && transport.auth_token.is_none() {
        let host = host.clone();
        values.problems.push(Problem::TokenRequired { host });
    }
    Server {
        host,
        port: values.number("MIRA_PORT"),
        transport,
    }
}

/// None, with a problem noted, when there is no place for the data.
fn storage(values: &mut Values) -> Option<Storage> {
    let data_dir = values.path("MIRA_DATA_DIR");
    let Some(data_dir) = data_dir.or_else(|| Some(directories()?.data_dir())) else {
        values.problems.push(Problem::NoDataDirectory);
        return None;
    };
    let database = values.database("DATABASE_URL");
    Some(Storage {
        database: database.unwrap_or_else(|| data_dir.join("mira.db")),
        data_dir,
    })
}

fn models(values: &Values) -> Models {
    let reasoner = Reasoner {
        endpoint: endpoint(values, "OPENAI_BASE_URL", "OPENAI_API_KEY"),
        api: values.choice("MIRA_REASONER_API", Api::Responses, &APIS),
        model: values.text("OPENAI_MODEL"),
        effort: values.choice("GPT5_REASONING", Effort::Medium, &EFFORTS),
        verbosity: values.choice("GPT5_VERBOSITY", Verbosity::Medium, &VERBOSITIES),
        summary: values.flag("MIRA_REASONING_SUMMARY"),
        max_output_tokens: values.number("GPT5_MAX_TOKENS"),
    };
    let coder = Coder {
        endpoint: endpoint(values, "DEEPSEEK_BASE_URL", "DEEPSEEK_API_KEY"),
        api: values.choice("MIRA_CODER_API", Api::Chat, &APIS),
        model: values.text("DEEPSEEK_MODEL"),
        thinking: values.flag("DEEPSEEK_THINKING"),
        effort: values.choice("DEEPSEEK_REASONING", Effort::High, &EFFORTS),
        max_output_tokens: values.number("DEEPSEEK_MAX_TOKENS"),
    };
    let utility = values.optional("MIRA_UTILITY_MODEL").map(|model| Utility {
        endpoint: endpoint_or_openai(values, "MIRA_UTILITY_BASE_URL", "MIRA_UTILITY_API_KEY"),
        api: values.choice("MIRA_UTILITY_API", Api::Responses, &APIS),
        model,
        effort: values
            .optional("MIRA_UTILITY_REASONING")
            .map(|_| values.choice("MIRA_UTILITY_REASONING", Effort::Low, &EFFORTS)),
    });
    let calls = Calls {
        connect_timeout: values.seconds("MIRA_CONNECT_TIMEOUT"),
        first_token_timeout: values.seconds("MIRA_FIRST_TOKEN_TIMEOUT"),
        chunk_timeout: values.seconds("MIRA_CHUNK_TIMEOUT"),
        retries: values.number("MIRA_API_MAX_RETRIES"),
        retry_delay: values.milliseconds("MIRA_API_RETRY_DELAY_MS"),
    };
    Models {
        reasoner,
        coder,
        utility,
        calls,
    }
}

fn endpoint(values: &Values, base_url: &'static str, api_key: &'static str) -> Endpoint {
    let url = values.text(base_url);
    let is_the_providers = settings::default_of(base_url) == Some(url.as_str());
    let key = values.secret(api_key);
    Endpoint {
        base_url: url.trim_end_matches('/').to_owned(),
        missing: (is_the_providers && key.is_none()).then_some(api_key),
        api_key: key,
    }
}

/// An endpoint that is the reasoner's unless it has an address of its own. Its own key goes first; that of OpenAI is only
/// sent where the reasoner is.
pub(super) fn endpoint_or_openai(values: &Values, base_url: &'static str, api_key: &'static str) -> Endpoint {
    let own_key = values.secret(api_key);
    if let Some(url) = values.optional(base_url) {
        return Endpoint {
            base_url: url.trim_end_matches('/').to_owned(),
            api_key: own_key,
            missing: None,
        };
    }
    let openai = endpoint(values, "OPENAI_BASE_URL", "OPENAI_API_KEY");
    Endpoint {
        missing: openai.missing.filter(|_| own_key.is_none()),
        api_key: own_key.or(openai.api_key),
        base_url: openai.base_url,
    }
}

fn operation(values: &Values) -> Operation {
    Operation {
        max_iterations: values.number("TOOL_MAX_ITERATIONS"),
        max_tokens: values.number("MIRA_MAX_OPERATION_TOKENS"),
        tool_timeout: values.seconds("MIRA_TOOL_TIMEOUT_SECONDS"),
        recent_messages: values.number("CONTEXT_RECENT_MESSAGES"),
        recent_tokens: values.number("MIRA_HISTORY_TOKEN_LIMIT"),
    }
}

fn persona(values: &mut Values) -> Persona {
    let file: Option<PathBuf> = values.path("MIRA_PERSONA_FILE");
    match (values.optional("MIRA_PERSONA"), file) {
        (None, None) => Persona::BuiltIn,
        (Some(text), None) => Persona::Text(text),
        (None, Some(path)) => match std::fs::read_to_string(&path) {
            Ok(text) => Persona::Text(text.trim().to_owned()),
            Err(source) => {
                values.problems.push(Problem::Persona { path, source });
                Persona::BuiltIn
            }
        },
        (Some(_), Some(_)) => {
            values.problems.push(Problem::Both {
                first: "MIRA_PERSONA",
                second: "MIRA_PERSONA_FILE",
            });
            Persona::BuiltIn
        }
    }
}
