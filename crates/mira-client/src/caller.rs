//! Calling methods, over whichever connection is up.

use std::sync::Arc;
use std::time::Duration;

use mira_proto::native::{METHODS, Method};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::error::Error;

/// Calls methods. Cheap to clone; any number of calls may be under way at a time.
///
/// It stops working, with [`Error::Closed`], when the [`Client`](crate::Client) or [`Session`](crate::Session) that it
/// comes from is dropped.
#[derive(Debug, Clone)]
pub struct Caller {
    link: watch::Receiver<Link>,
    timeout: Duration,
}

/// What calls go over.
#[derive(Debug, Clone)]
pub(crate) enum Link {
    /// A connection that takes calls.
    Up(mpsc::Sender<Command>),
    /// None now; one will come.
    Down,
    /// None any more.
    Ended(Error),
}

/// A call on its way to the connection. The reply is dropped when the connection breaks before the answer.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) method: &'static str,
    pub(crate) params: Arc<RawValue>,
    pub(crate) reply: oneshot::Sender<Result<Box<RawValue>, Error>>,
}

impl Caller {
    pub(crate) fn new(link: watch::Receiver<Link>, timeout: Duration) -> Self {
        Self { link, timeout }
    }

    /// The same with another limit on the time that a call may take.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Calls a method and waits for its result.
    ///
    /// A mutating call without an idempotency key is given one. On a [`Session`](crate::Session) the call waits for the
    /// connection where it is down, and is repeated with the same key when the connection breaks before the answer.
    /// Dropping the future abandons the answer; the server may do what was asked all the same.
    pub async fn call<M: Method>(&self, params: M::Params) -> Result<M::Result, Error> {
        let method = M::NAME;
        let params = encode::<M>(&params).map_err(|source| Error::Encode {
            method,
            source: Arc::new(source),
        })?;
        let result = timeout(self.timeout, self.until_answered(method, params.into()))
            .await
            .map_err(|_| Error::CallTimeout {
                method,
                after: self.timeout,
            })??;
        serde_json::from_str(result.get()).map_err(|source| Error::Decode {
            method,
            source: Arc::new(source),
        })
    }

    async fn until_answered(
        &self,
        method: &'static str,
        params: Arc<RawValue>,
    ) -> Result<Box<RawValue>, Error> {
        let mut link = self.link.clone();
        let mut broken = None;
        loop {
            let connection = next_connection(&mut link, broken.as_ref()).await?;
            let (reply, answer) = oneshot::channel();
            let command = Command {
                method,
                params: Arc::clone(&params),
                reply,
            };
            if connection.send(command).await.is_ok()
                && let Ok(answer) = answer.await
            {
                return answer;
            }
            broken = Some(connection);
        }
    }

    /// Waits until there will be no connection any more.
    pub(crate) async fn ended(&self) -> Error {
        let mut link = self.link.clone();
        let ended = link.wait_for(|link| matches!(link, Link::Ended(_))).await;
        match ended.as_deref() {
            Ok(Link::Ended(error)) => error.clone(),
            Ok(Link::Up(_) | Link::Down) | Err(_) => Error::Closed,
        }
    }
}

/// Waits for a connection other than the broken one.
async fn next_connection(
    link: &mut watch::Receiver<Link>,
    broken: Option<&mpsc::Sender<Command>>,
) -> Result<mpsc::Sender<Command>, Error> {
    let usable = link
        .wait_for(|link| match link {
            Link::Up(connection) => !broken.is_some_and(|broken| broken.same_channel(connection)),
            Link::Down => false,
            Link::Ended(_) => true,
        })
        .await;
    match usable.as_deref() {
        Ok(Link::Up(connection)) => Ok(connection.clone()),
        Ok(Link::Ended(error)) => Err(error.clone()),
        Ok(Link::Down) | Err(_) => Err(Error::Closed),
    }
}

fn encode<M: Method>(params: &M::Params) -> Result<Box<RawValue>, serde_json::Error> {
    let mutates = METHODS
        .iter()
        .any(|method| method.name == M::NAME && method.mutates);
    if !mutates {
        return serde_json::value::to_raw_value(params);
    }
    let mut params = serde_json::to_value(params)?;
    if let Value::Object(members) = &mut params {
        members
            .entry("idempotency_key")
            .or_insert_with(|| format!("{:032x}", fastrand::u128(..)).into());
    }
    serde_json::value::to_raw_value(&params)
}
