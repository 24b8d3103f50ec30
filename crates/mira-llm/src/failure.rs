//! What went wrong with a call, before it is said who was called.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::Error;
use crate::error::{Detail, Phase};

/// The longest excerpt of an upstream's words that an error carries, in characters.
const MAX_EXCERPT_CHARS: usize = 300;
/// Configured values shorter than this are not cut out of messages: they would take innocent words with them.
const MIN_SECRET_BYTES: usize = 6;

/// A failed call, to be turned into an [`Error`] by [`Origin::error`].
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    status: Option<u16>,
    code: Option<String>,
    message: String,
    retry_after: Option<Duration>,
}

#[derive(Debug)]
enum Kind {
    Authentication,
    Quota,
    RateLimited,
    ContextTooLong,
    Refused,
    InvalidRequest,
    Overloaded,
    Server,
    Network(Option<reqwest::Error>),
    Stalled { phase: Phase, after: Duration },
    Malformed,
    WrongDimension { expected: usize, actual: usize },
}

impl Failure {
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, message)
    }

    pub(crate) fn wrong_dimension(expected: usize, actual: usize) -> Self {
        Self::new(Kind::WrongDimension { expected, actual }, "")
    }

    pub(crate) fn overloaded(message: impl Into<String>) -> Self {
        Self::new(Kind::Overloaded, message)
    }

    pub(crate) fn server(message: impl Into<String>) -> Self {
        Self::new(Kind::Server, message)
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidRequest, message)
    }

    pub(crate) fn stalled(phase: Phase, after: Duration) -> Self {
        Self::new(Kind::Stalled { phase, after }, "")
    }

    /// The body ended in an orderly way, but before the reply was complete.
    pub(crate) fn cut() -> Self {
        Self::new(Kind::Network(None), "the reply ended before it was complete")
    }

    pub(crate) fn transport(error: reqwest::Error) -> Self {
        let message = if error.is_connect() {
            "could not connect"
        } else if error.is_body() || error.is_decode() {
            "the reply broke off"
        } else {
            "the request could not be sent"
        };
        // The URL can carry a key in its query.
        Self::new(Kind::Network(Some(error.without_url())), message)
    }

    /// What a status and a body say that are not the answer asked for.
    pub(crate) fn from_answer(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let json = serde_json::from_slice::<Value>(body).ok();
        let mut failure = match json {
            Some(json) if status >= 300 || json.get("error").is_some() => {
                Self::from_json(Some(status), &json)
            }
            Some(_) | None => {
                let text = without_markup(&String::from_utf8_lossy(body));
                let kind = if status < 300 {
                    Kind::Malformed
                } else {
                    classify(Some(status), &[], &text)
                };
                Self {
                    status: Some(status),
                    ..Self::new(kind, text)
                }
            }
        };
        failure.retry_after = retry_after(headers, SystemTime::now());
        failure
    }

    /// What an error object says: `{"error": {…}}`, `{"error": "…"}`, `{"detail": …}` or the bare object.
    pub(crate) fn from_json(status: Option<u16>, json: &Value) -> Self {
        let error = match json.get("error") {
            Some(Value::Null) | None => json,
            Some(error) => error,
        };
        let text = |name: &str| error.get(name).and_then(Value::as_str);
        let message = error
            .as_str()
            .or_else(|| text("message"))
            .map_or_else(|| error.get("detail").unwrap_or(error).to_string(), str::to_owned);
        // Aggregators put an HTTP status where OpenAI has a word.
        let status = error
            .get("code")
            .and_then(Value::as_u64)
            .and_then(|code| u16::try_from(code).ok())
            .filter(|code| (400..600).contains(code))
            .or(status);
        let words: Vec<&str> = text("code").into_iter().chain(text("type")).collect();
        Self {
            status,
            // Events of the Responses API have `error` for their own type.
            code: words
                .iter()
                .find(|word| **word != "error")
                .map(|word| (*word).to_owned()),
            ..Self::new(classify(status, &words, &message), message)
        }
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            code: None,
            message: message.into(),
            retry_after: None,
        }
    }
}

/// The upstream, by the names under which errors speak of it, and what must not appear in them.
pub(crate) struct Origin {
    pub(crate) provider: String,
    pub(crate) model: String,
    secrets: Vec<SecretString>,
}

impl Origin {
    pub(crate) fn new(provider: String, model: &str, mut secrets: Vec<SecretString>) -> Self {
        // Longest first, so that no secret survives the removal of another one that is part of it.
        secrets.sort_by_key(|secret| Reverse(secret.expose_secret().len()));
        Self {
            provider,
            model: model.to_owned(),
            secrets,
        }
    }

    pub(crate) fn error(&self, failure: Failure, request_id: Option<&str>) -> Error {
        let Failure {
            kind,
            status,
            code,
            message,
            retry_after,
        } = failure;
        let detail = Box::new(Detail {
            provider: self.provider.clone(),
            model: self.model.clone(),
            status,
            code: code.map(|code| self.excerpt(&code)),
            message: self.excerpt(&message),
            request_id: request_id.map(|id| self.excerpt(id)),
            retry_after,
        });
        match kind {
            Kind::Authentication => Error::Authentication(detail),
            Kind::Quota => Error::Quota(detail),
            Kind::RateLimited => Error::RateLimited(detail),
            Kind::ContextTooLong => Error::ContextTooLong(detail),
            Kind::Refused => Error::Refused(detail),
            Kind::InvalidRequest => Error::InvalidRequest(detail),
            Kind::Overloaded => Error::Overloaded(detail),
            Kind::Server => Error::Server(detail),
            Kind::Network(None) => Error::Network { detail, source: None },
            Kind::Network(Some(source)) => Error::Network {
                detail,
                source: Some(Arc::new(source)),
            },
            Kind::Stalled { phase, after } => Error::Stalled { detail, phase, after },
            Kind::Malformed => Error::Malformed(detail),
            Kind::WrongDimension { expected, actual } => Error::WrongDimension {
                detail,
                expected,
                actual,
            },
        }
    }

    /// One short line without control characters and without secrets.
    fn excerpt(&self, text: &str) -> String {
        let visible: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let mut line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
        for secret in &self.secrets {
            let secret = secret.expose_secret().trim();
            if secret.len() >= MIN_SECRET_BYTES {
                line = line.replace(secret, "[redacted]");
            }
        }
        match line.char_indices().nth(MAX_EXCERPT_CHARS) {
            Some((end, _)) => {
                line.truncate(end);
                line.push('…');
                line
            }
            None => line,
        }
    }
}

/// The text of an HTML page without its tags; other text as it is.
fn without_markup(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    let mut inside = false;
    text.chars()
        .filter_map(|c| match c {
            '<' => {
                inside = true;
                Some(' ')
            }
            '>' if inside => {
                inside = false;
                None
            }
            c => (!inside).then_some(c),
        })
        .collect()
}

/// The kind of failure that a status, the upstream's code words and its message amount to. Words win over the
/// status, because providers agree on words more than on statuses.
fn classify(status: Option<u16>, words: &[&str], message: &str) -> Kind {
    let status = status.filter(|status| *status >= 300);
    let says = |any: &[&str]| words.iter().any(|word| any.contains(word));
    let message = message.to_lowercase();
    let mentions = |any: &[&str]| any.iter().any(|phrase| message.contains(phrase));

    if status == Some(402)
        || says(&[
            "insufficient_quota",
            "billing_hard_limit_reached",
            "billing_not_active",
            "insufficient_balance",
        ])
    {
        Kind::Quota
    } else if status == Some(413)
        || says(&["context_length_exceeded"])
        || (matches!(status, None | Some(400 | 422))
            && mentions(&[
                "maximum context length",
                "context window",
                "exceeds the available context size",
            ]))
    {
        Kind::ContextTooLong
    } else if says(&[
        "content_policy_violation",
        "content_filter",
        "invalid_prompt",
        "moderation_blocked",
    ]) {
        Kind::Refused
    } else if matches!(status, Some(401 | 403)) || says(&["invalid_api_key", "authentication_error"]) {
        Kind::Authentication
    } else if status == Some(429) || says(&["rate_limit_exceeded", "rate_limit_error"]) {
        Kind::RateLimited
    } else if matches!(status, Some(503 | 529))
        || says(&["server_is_overloaded", "overloaded_error", "slow_down"])
    {
        Kind::Overloaded
    } else if matches!(status, Some(408 | 409 | 425 | 500..)) || says(&["server_error"]) {
        Kind::Server
    } else if status.is_some() || says(&["invalid_request_error"]) {
        Kind::InvalidRequest
    } else {
        Kind::Server
    }
}

/// `retry-after-ms`, or `retry-after` as seconds or as an HTTP date. A date that has passed asks for no wait.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let number = |text: &str| text.parse::<f64>().ok();
    let seconds = |value: f64| Duration::try_from_secs_f64(value).ok();

    if let Some(wait) = text("retry-after-ms")
        .and_then(number)
        .and_then(|ms| seconds(ms / 1000.0))
    {
        return Some(wait);
    }
    let value = text("retry-after")?;
    if let Some(value) = number(value) {
        return seconds(value);
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}
