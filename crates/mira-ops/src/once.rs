//! Requests that are done once, however often they are sent.

use mira_memory::{Message, NewMessage, message};
use mira_store::MessageId;
use mira_workspace::hash;

use crate::table::answers;
use crate::{Error, Operations};

/// A request that carries an idempotency key.
#[derive(Debug, Clone, Copy)]
pub struct Keyed<'a> {
    pub method: &'a str,
    pub key: &'a str,
    /// Its parameters, in any form that tells them from others.
    pub params: &'a str,
}

impl Keyed<'_> {
    pub(crate) fn hash(&self) -> String {
        hash(self.params.as_bytes())
    }
}

impl Operations {
    /// The answer that was given to the same request under the same idempotency key; none when the key is new. Another
    /// request under a used key is refused.
    pub async fn answered(&self, request: &Keyed<'_>) -> Result<Option<String>, Error> {
        let mut reader = self.inner.database.readers().acquire().await?;
        match answers::get(&mut reader, request).await? {
            Some((request_hash, answer)) if request_hash == request.hash() => Ok(Some(answer)),
            Some(_) => Err(Error::IdempotencyConflict),
            None => Ok(None),
        }
    }

    /// Keeps the answer to a request under its idempotency key.
    pub async fn keep_answer(&self, request: &Keyed<'_>, answer: &str) -> Result<(), Error> {
        let mut transaction = self.inner.database.begin().await?;
        let now = self.inner.clock.now();
        answers::put(&mut transaction, request, answer, now).await?;
        transaction.commit().await.map_err(Error::from)
    }

    /// Stores a message that belongs to no turn. The answer to the request for that is kept in the same transaction, so
    /// that a repeat finds both or neither, whatever happened to the first.
    pub async fn save_once<E: From<Error>>(
        &self,
        new: NewMessage,
        request: &Keyed<'_>,
        answer: impl FnOnce(Message) -> Result<String, E>,
    ) -> Result<String, E> {
        let inner = &self.inner;
        let mut transaction = inner.database.begin().await.map_err(Error::from)?;
        let now = inner.clock.now();
        let message = message::append(&mut transaction, MessageId::at(now), new, now).await;
        let answer = answer(message.map_err(Error::from)?)?;
        answers::put(&mut transaction, request, &answer, now).await?;
        transaction.commit().await.map_err(Error::from)?;
        inner.memory.stored();
        Ok(answer)
    }
}
