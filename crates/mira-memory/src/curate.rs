//! What a person decides about a message: that it stays in view, that it matters, that it goes.

use mira_store::{MessageId, Timestamp};
use sqlx::SqliteConnection;

use crate::outbox::{self, Subject, Work};
use crate::{Error, Memory, Message, erase, message};

impl Memory {
    /// Keeps a message above others when there is a choice, and from decaying. Gives the message, or none when it is not
    /// there.
    pub async fn pin(&self, id: MessageId) -> Result<Option<Message>, Error> {
        self.change(id, "UPDATE messages SET pinned = 1 WHERE id = ?1 RETURNING *")
            .await
    }

    /// Takes back [`Self::pin`].
    pub async fn unpin(&self, id: MessageId) -> Result<Option<Message>, Error> {
        self.change(id, "UPDATE messages SET pinned = 0 WHERE id = ?1 RETURNING *")
            .await
    }

    async fn change(&self, id: MessageId, sql: &'static str) -> Result<Option<Message>, Error> {
        let mut transaction = self.inner.database.begin().await?;
        let changed = sqlx::query(sql)
            .bind(id)
            .try_map(|row| message::from_row(&row))
            .fetch_optional(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// Says how much a message matters, 0 to 1, in the place of what analysis and recall made of it; from now on it decays
    /// from there. Gives the message, or none when it is not there.
    pub async fn update_salience(&self, id: MessageId, salience: f64) -> Result<Option<Message>, Error> {
        if !(0.0..=1.0).contains(&salience) {
            return Err(Error::InvalidSalience(salience));
        }
        let mut transaction = self.inner.database.begin().await?;
        let Some(message) = message::get(&mut transaction, id).await? else {
            return Ok(None);
        };
        let now = self.inner.clock.now();
        set_salience(&mut transaction, message.number, salience, now).await?;
        renew_vectors(&mut transaction, id).await?;
        if salience >= self.inner.options.embed_min_salience {
            embed_if_missing(&mut transaction, &message, now).await?;
        }
        transaction.commit().await?;
        self.stored();
        Ok(Some(message))
    }

    /// Removes a message with its analysis, its vectors and its place in the index; says whether it was there.
    ///
    /// Summaries are written with everything before them in view, so those that cover the message and the later ones of
    /// its session go too; they are made anew from what is left. Facts that the message was the source of stay, without
    /// a source; [`Self::forget_fact`] removes those. What is deleted is overwritten in the database file and leaves
    /// its journal with time; [`Self::compact`] sees to it at once.
    pub async fn delete_message(&self, id: MessageId) -> Result<bool, Error> {
        let mut transaction = self.inner.database.begin().await?;
        let Some(message) = message::get(&mut transaction, id).await? else {
            return Ok(false);
        };
        let removed = erase::remove_messages(&mut transaction, &[message.number]).await?;
        transaction.commit().await?;
        self.forget(&removed).await;
        self.stored();
        Ok(true)
    }
}

/// Replaces what is known of the salience of a message. One that was not analysed yet gets an analysis that says no more
/// than this, whose original salience the coming one respects.
pub(crate) async fn set_salience(
    connection: &mut SqliteConnection,
    number: i64,
    salience: f64,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO analyses (message, salience, original_salience, analyser, analysed_ms) VALUES (?1, ?2, ?2, 'person', ?3)
         ON CONFLICT (message) DO UPDATE SET salience = ?2, original_salience = ?2, last_recalled_ms = ?3",
    )
    .bind(number)
    .bind(salience)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives the vectors of a message new versions, because what goes along with them has changed.
async fn renew_vectors(connection: &mut SqliteConnection, id: MessageId) -> Result<(), Error> {
    sqlx::query(
        "INSERT OR REPLACE INTO embeddings (subject, kind, head, vector)
         SELECT subject, kind, head, vector FROM embeddings WHERE subject = ?1",
    )
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a message is to be embedded, unless it was or its analysis, which decides, is still to come.
async fn embed_if_missing(
    connection: &mut SqliteConnection,
    message: &Message,
    now: Timestamp,
) -> Result<(), Error> {
    let missing: bool = sqlx::query_scalar(
        "SELECT heads <> '[]' AND NOT EXISTS (SELECT 1 FROM embeddings WHERE subject = ?2) FROM analyses WHERE message = ?1",
    )
    .bind(message.number)
    .bind(message.id)
    .fetch_one(&mut *connection)
    .await?;
    if missing {
        outbox::add(connection, Work::Embed, Subject::Message(message.id), now).await?;
    }
    Ok(())
}
