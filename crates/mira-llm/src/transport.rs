//! One HTTP request to a model endpoint, and what its answer amounts to.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, Url};
use secrecy::{ExposeSecret as _, SecretString};

use crate::endpoint::public_part;
use crate::error::Phase;
use crate::failure::{Failure, Origin};
use crate::{Endpoint, Error, Retry, Timeouts};

/// The most that is read of the body of an error.
const MAX_ERROR_BODY_BYTES: usize = 64 * 1024;
/// How long the body of an error may take; its status is worth more than its words.
const ERROR_BODY_PATIENCE: Duration = Duration::from_secs(5);

/// A path of an endpoint that answers for one model.
pub(crate) struct Transport {
    client: Client,
    url: Url,
    headers: HeaderMap,
    pub(crate) origin: Origin,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: Retry,
}

impl Transport {
    pub(crate) fn new(endpoint: Endpoint, path: &[&str], model: &str) -> Result<Self, Error> {
        let url = join(&endpoint.base_url, path)?;
        let host = url.host_str().unwrap_or_default();
        let provider = url
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let headers = headers(&endpoint)?;
        let Endpoint {
            api_key,
            headers: extra,
            timeouts,
            retry,
            base_url: _,
        } = endpoint;
        let secrets = extra
            .into_iter()
            .map(|(_, value)| SecretString::from(value))
            .chain(api_key)
            .collect();

        install_crypto_provider();
        let mut client = Client::builder()
            .connect_timeout(timeouts.connect)
            // A redirect would turn the POST into a GET or carry the conversation to another host.
            .redirect(reqwest::redirect::Policy::none());
        if is_loopback(host) {
            client = client.no_proxy();
        }
        if url.scheme() == "http" {
            // Loading the system's certificates takes time, and fails where a bare container has none.
            client = client.tls_certs_only([]);
        }
        let client = client
            .build()
            .map_err(|error| configuration(format!("no HTTP client: {error}")))?;
        let origin = Origin::new(provider, model, secrets);
        Ok(Self {
            client,
            url,
            headers,
            origin,
            timeouts,
            retry,
        })
    }

    /// Sends the body and waits for the head of the answer; anything but 2xx is an error.
    pub(crate) async fn send(&self, body: Bytes, accept: &'static str) -> Result<Response, Error> {
        let sent = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(ACCEPT, accept)
            .body(body)
            .send()
            .await;
        let response = sent.map_err(|error| self.error(Failure::transport(error), None))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refusal(response).await)
    }

    /// The error that an answer amounts to which is not what was asked for.
    pub(crate) async fn refusal(&self, mut response: Response) -> Error {
        let status = response.status().as_u16();
        let id = request_id(&response);
        let headers = response.headers().clone();
        let mut body = BytesMut::new();
        let read = async {
            while let Ok(Some(chunk)) = response.chunk().await {
                let room = MAX_ERROR_BODY_BYTES - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if body.len() == MAX_ERROR_BODY_BYTES {
                    break;
                }
            }
        };
        // Whatever has arrived by then has to do.
        let _elapsed = tokio::time::timeout(ERROR_BODY_PATIENCE, read).await;
        self.error(Failure::from_answer(status, &headers, &body), id.as_deref())
    }

    /// Sends the body and reads the whole answer, at most `limit` bytes of it, with retries.
    pub(crate) async fn call(&self, body: Bytes, limit: usize) -> Result<Bytes, Error> {
        let mut failed = 0;
        loop {
            let patience = self.timeouts.request;
            let attempt = tokio::time::timeout(patience, self.call_once(body.clone(), limit)).await;
            let error = match attempt {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(_elapsed) => self.error(Failure::stalled(Phase::FirstToken, patience), None),
            };
            failed += 1;
            let Some(delay) = self.wait_before_retry(failed, &error) else {
                return Err(error);
            };
            tokio::time::sleep(delay).await;
        }
    }

    async fn call_once(&self, body: Bytes, limit: usize) -> Result<Bytes, Error> {
        let mut response = self.send(body, "application/json").await?;
        let id = request_id(&response);
        let mut answer = BytesMut::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.error(Failure::transport(error), id.as_deref()))?
        {
            if answer.len() + chunk.len() > limit {
                let failure = Failure::malformed(format!("the answer is longer than {limit} bytes"));
                return Err(self.error(failure, id.as_deref()));
            }
            answer.extend_from_slice(&chunk);
        }
        Ok(answer.freeze())
    }

    /// How long to wait before the request is sent again, or `None` if the error is final.
    pub(crate) fn wait_before_retry(&self, failed: u32, error: &Error) -> Option<Duration> {
        let delay = if error.is_retryable() {
            self.retry.wait(failed, error.retry_after())
        } else {
            None
        };
        if let Some(delay) = delay {
            tracing::debug!(%error, ?delay, attempt = failed + 1, "a model call is tried again");
        }
        delay
    }

    pub(crate) fn error(&self, failure: Failure, request_id: Option<&str>) -> Error {
        self.origin.error(failure, request_id)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("provider", &self.origin.provider)
            .field("path", &self.url.path())
            .field("model", &self.origin.model)
            .finish_non_exhaustive()
    }
}

/// The id under which the upstream remembers the request.
pub(crate) fn request_id(response: &Response) -> Option<String> {
    ["x-request-id", "request-id", "x-ds-trace-id"]
        .iter()
        .find_map(|name| response.headers().get(*name)?.to_str().ok())
        .map(str::to_owned)
}

fn configuration(message: String) -> Error {
    Error::Configuration(message.into())
}

fn join(base_url: &str, path: &[&str]) -> Result<Url, Error> {
    let unusable = |reason: &str| configuration(format!("the base URL {:?} {reason}", public_part(base_url)));
    let mut url = Url::parse(base_url).map_err(|error| unusable(&format!("is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(unusable("is not an http or https URL with a host"));
    }
    url.path_segments_mut()
        .map_err(|()| unusable("cannot have a path"))?
        .pop_if_empty()
        .extend(path);
    Ok(url)
}

fn headers(endpoint: &Endpoint) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(key) = &endpoint.api_key {
        let value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()))
            .map_err(|_| configuration("the API key has characters that HTTP cannot carry".to_owned()))?;
        headers.insert(AUTHORIZATION, value);
    }
    for (name, value) in &endpoint.headers {
        let unusable = |part: &str| configuration(format!("the {part} of header {name:?} is not valid HTTP"));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable("name"))?;
        headers.insert(
            header,
            HeaderValue::from_str(value).map_err(|_| unusable("value"))?,
        );
    }
    headers.values_mut().for_each(|value| value.set_sensitive(true));
    Ok(headers)
}

/// A server on this machine is never behind a proxy.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The client is built without a TLS implementation of its own; a program that has chosen one keeps it.
fn install_crypto_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing the race against another thread leaves a provider installed as well.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
    }
}
