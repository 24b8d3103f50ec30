//! Names of earlier versions that have no meaning today. They are harmless, and their owner should know.

/// Names that are ignored for the same reason.
#[derive(Debug)]
pub(super) struct Ignored {
    /// A name that ends in `_` stands for all that begin with it.
    pub(super) names: &'static [&'static str],
    pub(super) reason: &'static str,
}

/// Why a name has no effect; none when it is not one of these.
pub(super) fn reason(name: &str) -> Option<&'static str> {
    let is_meant =
        |pattern: &&str| *pattern == name || (pattern.ends_with('_') && name.starts_with(*pattern));
    IGNORED
        .iter()
        .find(|ignored| ignored.names.iter().any(is_meant))
        .map(|ignored| ignored.reason)
}

pub(super) const IGNORED: &[Ignored] = &[
    Ignored {
        names: &["MIRA_ENV"],
        reason: "there is one way to run; set LOG_FORMAT and MIRA_LOG_LEVEL instead",
    },
    Ignored {
        names: &["MIRA_DEBUG_LOGGING", "MIRA_TRACE_SQL"],
        reason: "set MIRA_LOG_LEVEL instead",
    },
    Ignored {
        names: &["MIRA_SQLITE_MAX_CONNECTIONS", "DATABASE_TIMEOUT"],
        reason: "the database needs no tuning",
    },
    Ignored {
        names: &["MIRA_DEFAULT_PERSONA"],
        reason: "set MIRA_PERSONA or MIRA_PERSONA_FILE instead",
    },
    Ignored {
        names: &["USE_DEEPSEEK_CODEGEN"],
        reason: "code is delegated whenever DEEPSEEK_API_KEY is set",
    },
    Ignored {
        names: &[
            "MAX_JSON_OUTPUT_TOKENS",
            "ENABLE_JSON_VALIDATION",
            "MAX_JSON_REPAIR_ATTEMPTS",
            "TOKEN_WARNING_THRESHOLD",
            "INPUT_TOKEN_WARNING",
        ],
        reason: "answers are always validated, and what they cost is reported for each operation",
    },
    Ignored {
        names: &[
            "MEM_ALWAYS_EMBED_USER",
            "MEM_ALWAYS_EMBED_ASSISTANT",
            "MEM_EMBED_MIN_CHARS",
            "MEM_DEDUP_SIM_THRESHOLD",
            "MIRA_EMBED_CODE_FROM_CHAT",
        ],
        reason: "replaced by SALIENCE_MIN_FOR_EMBED",
    },
    Ignored {
        names: &["MIRA_DECAY_"],
        reason: "how memories fade is fixed, and none is deleted by age",
    },
    Ignored {
        names: &[
            "SESSION_MAX_AGE_HOURS",
            "TASK_SESSION_MAX_AGE_HOURS",
            "ACTIVE_SESSION_LIMIT",
        ],
        reason: "sessions are never deleted by age, nor limited in number",
    },
    Ignored {
        names: &[
            "MIRA_RECALL_K_PER_HEAD",
            "MIRA_MAX_VECTOR_RESULTS",
            "MIRA_ENABLE_VECTOR_SEARCH",
            "MIRA_ENABLE_RECENT_CACHE",
            "MIRA_RECENT_CACHE_",
            "MIRA_ENABLE_REQUEST_CACHE",
            "MIRA_CACHE_TTL_SECONDS",
            "MIRA_MAX_CONCURRENT_EMBEDDINGS",
        ],
        reason: "recall needs no tuning and no cache",
    },
    Ignored {
        names: &[
            "MIRA_SUMMARY_TOKEN_LIMIT",
            "MIRA_SUMMARY_OUTPUT_TOKENS",
            "MIRA_SUMMARY_ROLLING_10",
            "MIRA_SUMMARY_ROLLING_100",
            "MIRA_ROLLING_SUMMARY_MAX_AGE_HOURS",
            "MIRA_ROLLING_SUMMARY_MIN_GAP",
        ],
        reason: "replaced by SUMMARY_GENERATION_INTERVAL and USE_ROLLING_SUMMARIES",
    },
    Ignored {
        names: &[
            "MIRA_ENABLE_CHAT_TOOLS",
            "MIRA_ENABLE_WEB_SEARCH",
            "MIRA_ENABLE_CODE_INTERPRETER",
            "MIRA_ENABLE_FILE_SEARCH",
            "MIRA_ENABLE_IMAGE_GENERATION",
            "MIRA_WEB_SEARCH_MAX_RESULTS",
        ],
        reason: "the tools are Mira's own and always there",
    },
    Ignored {
        names: &["TASK_CLEANUP_", "TASK_CODE_SYNC_"],
        reason: "there is nothing to clean up, and code is read when it is asked for",
    },
];
