//! The settings of the models.

use super::{Group, SECONDS, TOKENS, setting, unset};
use crate::config::kind::Kind;

pub(super) const MODELS: Group = Group {
    title: "Models",
    note: None,
    settings: &[
        unset(
            "OPENAI_API_KEY",
            Kind::Secret,
            "Key of the reasoner. Without it everything that needs no model works.",
        )
        .or(&["GPT5_API_KEY"]),
        setting(
            "OPENAI_BASE_URL",
            Kind::Url,
            "https://api.openai.com/v1",
            "Where the reasoner is reached. Any OpenAI-compatible server will do; one other than OpenAI's needs no key.",
        ),
        setting(
            "OPENAI_MODEL",
            Kind::Text,
            "gpt-5",
            "The reasoner: it converses, plans and decides.",
        )
        .or(&["GPT5_MODEL"]),
        setting(
            "MIRA_REASONER_API",
            Kind::Choice(&["responses", "chat"]),
            "responses",
            "Which API the reasoner's server speaks: OpenAI Responses or Chat Completions.",
        ),
        setting(
            "GPT5_REASONING",
            Kind::Choice(&["minimal", "low", "medium", "high"]),
            "medium",
            "How hard the reasoner thinks.",
        ),
        setting(
            "GPT5_VERBOSITY",
            Kind::Choice(&["low", "medium", "high"]),
            "medium",
            "How much the reasoner writes. Has an effect with the Responses API only.",
        ),
        setting(
            "MIRA_REASONING_SUMMARY",
            Kind::Flag,
            "true",
            "Whether the reasoner's thoughts are asked for and shown as it has them. Has an effect with the Responses API only; OpenAI allows it to verified organisations only.",
        ),
        setting(
            "GPT5_MAX_TOKENS",
            TOKENS,
            "128000",
            "The longest answer of the reasoner, in tokens, its reasoning included.",
        )
        .or(&["MAX_OUTPUT_TOKENS", "MIRA_MAX_RESPONSE_TOKENS"]),
        unset(
            "DEEPSEEK_API_KEY",
            Kind::Secret,
            "Key of the coder. Without it the reasoner cannot delegate and writes code itself.",
        ),
        setting(
            "DEEPSEEK_BASE_URL",
            Kind::Url,
            "https://api.deepseek.com/v1",
            "Where the coder is reached. Any OpenAI-compatible server will do; one other than DeepSeek's needs no key.",
        ),
        setting(
            "DEEPSEEK_MODEL",
            Kind::Text,
            "deepseek-v4-flash",
            "The coder: it writes the files that the reasoner asks for.",
        ),
        setting(
            "MIRA_CODER_API",
            Kind::Choice(&["responses", "chat"]),
            "chat",
            "Which API the coder's server speaks.",
        ),
        setting(
            "DEEPSEEK_THINKING",
            Kind::Flag,
            "true",
            "Whether the coder thinks before it writes. Has an effect with Chat Completions only, and where the model leaves the choice.",
        ),
        setting(
            "DEEPSEEK_REASONING",
            Kind::Choice(&["low", "high", "max"]),
            "high",
            "How hard the coder thinks, when it does.",
        ),
        setting(
            "DEEPSEEK_MAX_TOKENS",
            TOKENS,
            "32000",
            "The longest answer of the coder, in tokens, its reasoning included.",
        ),
        unset(
            "MIRA_UTILITY_MODEL",
            Kind::Text,
            "A small model that analyses messages and writes summaries in the background, such as `gpt-5-mini`. It is asked about every message, which costs money. Without it, messages are analysed by rules and summaries are made of sentences that were said.",
        ),
        unset(
            "MIRA_UTILITY_BASE_URL",
            Kind::Url,
            "Where the utility model is reached. Without it OPENAI_BASE_URL, with OPENAI_API_KEY.",
        ),
        unset(
            "MIRA_UTILITY_API_KEY",
            Kind::Secret,
            "Key of the utility model. OPENAI_API_KEY is not sent to MIRA_UTILITY_BASE_URL.",
        ),
        setting(
            "MIRA_UTILITY_API",
            Kind::Choice(&["responses", "chat"]),
            "responses",
            "Which API the utility model's server speaks.",
        ),
        unset(
            "MIRA_UTILITY_REASONING",
            Kind::Choice(&["minimal", "low", "medium", "high"]),
            "How hard the utility model thinks. Without it, as hard as it does by itself; models that do not reason refuse it.",
        ),
    ],
};

pub(super) const CALLS: Group = Group {
    title: "Model calls",
    note: None,
    settings: &[
        setting(
            "MIRA_CONNECT_TIMEOUT",
            SECONDS,
            "10",
            "Longest wait for a connection to a model's server.",
        ),
        setting(
            "MIRA_FIRST_TOKEN_TIMEOUT",
            SECONDS,
            "300",
            "Longest wait for the first token of an answer; reasoning at high effort is silent for minutes.",
        ),
        setting(
            "MIRA_CHUNK_TIMEOUT",
            SECONDS,
            "120",
            "Longest silence within an answer.",
        ),
        setting(
            "MIRA_API_MAX_RETRIES",
            Kind::Integer { min: 0, max: 20 },
            "3",
            "Retries of a call that failed before its answer began.",
        ),
        setting(
            "MIRA_API_RETRY_DELAY_MS",
            Kind::Milliseconds { min: 1, max: 600_000 },
            "500",
            "Delay before the first retry; it doubles with each further one.",
        ),
    ],
};
