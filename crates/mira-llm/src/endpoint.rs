//! Where a model is served and how patiently to talk to it.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

/// Where a model is served, with which credentials, and how long to wait for it.
///
/// ```
/// use mira_llm::{Endpoint, Retry};
///
/// let endpoint = Endpoint::new("https://api.openai.com/v1")
///     .api_key("sk-example")
///     .header("OpenAI-Project", "proj_example")
///     .retry(Retry { attempts: 2, ..Retry::default() });
/// assert!(!format!("{endpoint:?}").contains("sk-example"));
/// ```
#[derive(Clone)]
pub struct Endpoint {
    /// The URL that `/responses`, `/chat/completions` or `/embeddings` is appended to. A query string is kept.
    pub base_url: String,
    /// Sent as `Authorization: Bearer …`; none for servers that want none.
    pub api_key: Option<SecretString>,
    /// Further headers of every request. Their values are treated as secrets.
    pub headers: Vec<(String, String)>,
    /// When to stop waiting.
    pub timeouts: Timeouts,
    /// How often to try.
    pub retry: Retry,
}

/// When to stop waiting for an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// The longest silence before the first content of a stream. Reasoning models think silently for minutes.
    pub first_token: Duration,
    /// The longest silence once content has arrived.
    pub between_chunks: Duration,
    /// The longest time without content, measured before the first and between any two pieces, during which the
    /// upstream only shows that it is alive. Comments, keepalives and progress events break the silence of the
    /// two limits above; this one they do not move.
    pub without_content: Duration,
    /// For the whole of a request that does not stream, such as an embedding.
    pub request: Duration,
}

/// How often to try, and how long to wait in between.
///
/// The wait before attempt *n* + 1 is drawn evenly between half of and the whole of `base · 2ⁿ⁻¹`, at most `max`.
/// An upstream that says how long to wait is obeyed; if it asks for more than `max`, its error is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all; 0 counts as 1.
    pub attempts: u32,
    /// The first wait.
    pub base: Duration,
    /// The longest wait.
    pub max: Duration,
}

impl Endpoint {
    /// An endpoint without credentials, with the default patience.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key: None,
            headers: Vec::new(),
            timeouts: Timeouts::default(),
            retry: Retry::default(),
        }
    }

    /// Sets the key that is sent as a bearer token.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<SecretString>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Adds a header to every request.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the time limits.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets how often to try.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Endpoint")
            .field("base_url", &public_part(&self.base_url))
            .field("api_key", &self.api_key)
            .field("headers", &headers)
            .field("timeouts", &self.timeouts)
            .field("retry", &self.retry)
            .finish()
    }
}

/// A URL without the parts that can hold credentials: user and password, and the query.
pub(crate) fn public_part(url: &str) -> String {
    let shown = url.split(['?', '#']).next().unwrap_or_default();
    shown.rsplit_once('@').map_or_else(
        || shown.to_owned(),
        |(_, host_and_path)| format!("…@{host_and_path}"),
    )
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_token: Duration::from_mins(5),
            between_chunks: Duration::from_mins(3),
            without_content: Duration::from_mins(15),
            request: Duration::from_mins(1),
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 4,
            base: Duration::from_millis(500),
            max: Duration::from_secs(30),
        }
    }
}

impl Retry {
    /// One attempt and no more.
    pub const fn never() -> Self {
        Self {
            attempts: 1,
            base: Duration::ZERO,
            max: Duration::ZERO,
        }
    }

    /// The wait after `failed` failed attempts, or `None` if there is to be no further one.
    pub(crate) fn wait(self, failed: u32, asked: Option<Duration>) -> Option<Duration> {
        if failed >= self.attempts {
            return None;
        }
        if let Some(asked) = asked {
            return (asked <= self.max).then_some(asked);
        }
        let doubled = self
            .base
            .saturating_mul(2_u32.saturating_pow(failed.saturating_sub(1)));
        Some(doubled.min(self.max).mul_f64(0.5 + fastrand::f64() / 2.0))
    }
}
