//! Every setting, once. Parsing, `.env.example` and docs/CONFIGURATION.md are made from this table.

mod later;
mod memory;
mod models;

use super::kind::Kind;

/// One variable.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    /// Older names, in order of precedence.
    pub(super) aliases: &'static [&'static str],
    pub(super) kind: Kind,
    /// As it would be written; none when leaving the variable out means something that a value cannot say.
    pub(super) default: Option<&'static str>,
    /// Belongs to a part that does not exist yet: a value is checked, then warned about and dropped.
    pub(super) later: bool,
    pub(super) doc: &'static str,
}

/// Settings that belong together.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) note: Option<&'static str>,
    pub(super) settings: &'static [Setting],
}

pub(super) fn all() -> impl Iterator<Item = &'static Setting> {
    GROUPS.iter().flat_map(|group| group.settings)
}

/// What holds when a setting is left out.
pub(super) fn default_of(name: &str) -> Option<&'static str> {
    all().find(|setting| setting.name == name)?.default
}

/// Whether this is the name of a setting, or was one.
pub(super) fn is_known(name: &str) -> bool {
    all().flat_map(Setting::names).any(|known| known == name)
}

const fn setting(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Setting {
    Setting {
        name,
        aliases: &[],
        kind,
        default: Some(default),
        later: false,
        doc,
    }
}

const fn unset(name: &'static str, kind: Kind, doc: &'static str) -> Setting {
    Setting {
        name,
        aliases: &[],
        kind,
        default: None,
        later: false,
        doc,
    }
}

const fn later(name: &'static str, kind: Kind, doc: &'static str) -> Setting {
    Setting {
        later: true,
        ..unset(name, kind, doc)
    }
}

impl Setting {
    /// All names, the one that wins first.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }
}

const COUNT: Kind = Kind::Integer {
    min: 1,
    max: 1_000_000,
};
const TOKENS: Kind = Kind::Integer {
    min: 256,
    max: 1_000_000_000,
};
const SECONDS: Kind = Kind::Seconds { min: 1, max: 86_400 };
const BYTES: Kind = Kind::Bytes {
    min: 64 * 1024,
    max: 1 << 40,
};

pub(super) const GROUPS: &[Group] = &[
    models::MODELS,
    models::CALLS,
    memory::EMBEDDINGS,
    memory::MEMORY,
    Group {
        title: "Server",
        note: None,
        settings: &[
            setting(
                "MIRA_HOST",
                Kind::Text,
                "127.0.0.1",
                "Address to listen on. One that other machines can reach needs MIRA_AUTH_TOKEN.",
            ),
            setting(
                "MIRA_PORT",
                Kind::Integer { min: 0, max: 65_535 },
                "8080",
                "Port to listen on; 0 takes a free one.",
            ),
            unset(
                "MIRA_AUTH_TOKEN",
                Kind::Secret,
                "What clients must present, as `Authorization: Bearer` or as `token` of `initialize`. `/metrics` takes it as well.",
            ),
            setting(
                "MIRA_ALLOWED_ORIGINS",
                Kind::Origins,
                "loopback",
                "Origins of the web pages that may connect. `loopback` stands for this machine on every port.",
            ),
            setting(
                "MIRA_MAX_CONNECTIONS",
                COUNT,
                "1024",
                "Sockets open at the same time.",
            ),
            setting(
                "MIRA_MAX_FRAME_BYTES",
                BYTES,
                "80MiB",
                "Largest message of a client.",
            ),
            setting(
                "MIRA_MAX_UNAUTHENTICATED_FRAME_BYTES",
                Kind::Bytes {
                    min: 1024,
                    max: 1 << 30,
                },
                "1MiB",
                "Largest message of a client that has yet to present its token.",
            ),
            setting(
                "MIRA_MAX_BUFFERED_BYTES",
                BYTES,
                "320MiB",
                "Messages of all clients together that may be under way at the same time.",
            ),
            setting(
                "MIRA_MAX_OUTBOUND_BYTES",
                BYTES,
                "16MiB",
                "Events, and as much again of replies, that may wait for one client to read them. A client that falls further behind is disconnected and resumes.",
            ),
            setting("MIRA_HEARTBEAT", SECONDS, "15", "Time between heartbeats."),
            setting(
                "MIRA_DEAD_PEER_TIMEOUT",
                SECONDS,
                "45",
                "A client that was silent for so long is gone. At least two heartbeats.",
            ),
            setting(
                "MIRA_HANDSHAKE_TIMEOUT",
                SECONDS,
                "10",
                "Longest wait for a request, and for the token of a client that has yet to present it.",
            ),
            setting(
                "MIRA_SHUTDOWN_GRACE",
                SECONDS,
                "20",
                "How long running work may take to finish when the server is told to stop.",
            ),
        ],
    },
    Group {
        title: "Storage",
        note: None,
        settings: &[
            unset(
                "MIRA_DATA_DIR",
                Kind::Path,
                "Where everything is kept. Without it, the directory that the operating system has for such data.",
            ),
            unset(
                "DATABASE_URL",
                Kind::Database,
                "Moves the database alone. Without it, `mira.db` in the data directory.",
            ),
        ],
    },
    Group {
        title: "Conversation",
        note: None,
        settings: &[
            setting(
                "MIRA_SESSION_ID",
                Kind::Text,
                "peter-eternal",
                "The session of clients that name none.",
            ),
            unset(
                "MIRA_PERSONA",
                Kind::Text,
                "Who Mira is, as the first words of every prompt. Without it and MIRA_PERSONA_FILE, the built-in persona.",
            ),
            unset("MIRA_PERSONA_FILE", Kind::Path, "A text file with the persona."),
            setting(
                "TOOL_MAX_ITERATIONS",
                Kind::Integer { min: 1, max: 1000 },
                "25",
                "Rounds of tool calls after which the reasoner has to answer.",
            ),
            setting(
                "MIRA_MAX_OPERATION_TOKENS",
                TOKENS,
                "2000000",
                "Tokens after which a turn ends, all its model calls together.",
            ),
            setting(
                "MIRA_TOOL_TIMEOUT_SECONDS",
                SECONDS,
                "60",
                "Longest run of one tool call, delegations excepted.",
            ),
            setting(
                "CONTEXT_RECENT_MESSAGES",
                COUNT,
                "5",
                "The fewest of the latest messages that a prompt carries, where there are as many. It carries up to twice as many, so that its beginning stays the same over several turns and is served from the provider's cache.",
            )
            .or(&[
                "MIRA_CONTEXT_RECENT_MESSAGES",
                "MIRA_RECALL_RECENT",
                "MIRA_RECENT_MESSAGE_LIMIT",
                "MIRA_HISTORY_MESSAGE_CAP",
            ]),
            setting(
                "MIRA_HISTORY_TOKEN_LIMIT",
                TOKENS,
                "24000",
                "The most tokens of a prompt for the latest messages, a quarter of them for one message. A longer message is cut, and the oldest that do not fit are left out.",
            ),
        ],
    },
    Group {
        title: "Logs and files",
        note: None,
        settings: &[
            setting(
                "MIRA_LOG_LEVEL",
                Kind::Text,
                "info",
                "What is logged: a level, or directives such as `info,mira_llm=debug`.",
            )
            .or(&["RUST_LOG"]),
            setting(
                "LOG_FORMAT",
                Kind::Choice(&["text", "json"]),
                "text",
                "How it is logged.",
            ),
            unset(
                "MIRA_CONFIG",
                Kind::Path,
                "A TOML file with any of these settings, under the same names. Without it, `config.toml` in the operating system's directory for Mira's configuration, if there is one.",
            ),
        ],
    },
    later::LATER,
];
