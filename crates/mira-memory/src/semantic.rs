//! Similarity: embedding what was stored, keeping the vector store in step with the truth, asking it.

mod state;

use mira_llm::embedding::Embedder;
use mira_store::vector::{Filter, Head, Health, Hit, PointId, Search, Space, VectorError, VectorStore};
use mira_store::{MessageId, Timestamp, chain};
use sqlx::SqliteConnection;

pub(crate) use self::state::Index;
pub use self::state::IndexState;
use crate::memory::Inner;
use crate::outbox::{self, Subject, Task, Work};
use crate::{Error, Memory, analysis, embedding, fact, form, message, summary};

/// Things that are embedded at a time.
const BATCH: u32 = 64;

/// Points that are brought into the vector store at a time.
const REFILL_BATCH: usize = 500;

/// Failures after which the things of a batch are embedded one by one, in case one of them is to blame.
const BATCH_ATTEMPTS: u32 = 2;

impl Inner {
    /// The embedder and the store, when there are both.
    pub(crate) fn similarity(&self) -> Option<(&dyn Embedder, &dyn VectorStore)> {
        Some((
            self.helpers.embedder.as_deref()?,
            self.helpers.vectors.as_deref()?,
        ))
    }

    pub(crate) fn wanted_space(&self) -> Option<Space> {
        let embedder = self.helpers.embedder.as_deref()?;
        Some(Space {
            embedder: embedder.name().to_owned(),
            dimension: embedder.dimension(),
            text_form: form::VERSION,
        })
    }
}

impl Memory {
    /// How the vector store stands to the truth.
    pub fn index(&self) -> IndexState {
        match self.inner.similarity() {
            Some(_) => self.inner.index.state(),
            None => IndexState::Off,
        }
    }

    /// How the vector store is; none when there is none.
    pub async fn vector_health(&self) -> Option<Health> {
        let (_, vectors) = self.inner.similarity()?;
        Some(vectors.health().await)
    }

    /// Brings the vector store in step with the stored embeddings: adds what is missing or stale, removes what is gone.
    /// `progress` is told how many of how many points are done. Nothing is embedded. Cancel safe: what was done stays done.
    pub async fn refill(&self, progress: impl Fn(u64, u64) + Send) -> Result<IndexState, Error> {
        let Some((_, vectors)) = self.inner.similarity() else {
            return Ok(IndexState::Off);
        };
        let _changing = self.inner.index.changing.lock().await;
        if let Some(refused) = self.agree_on_space().await? {
            self.inner.index.set(refused.clone());
            return Ok(refused);
        }
        match self.fill(vectors, &progress).await {
            Ok(()) => self.inner.index.set(IndexState::Ready),
            Err(Error::Vectors(error)) => {
                self.inner.index.failed(&error);
                return Err(error.into());
            }
            Err(error) => return Err(error),
        }
        Ok(IndexState::Ready)
    }

    /// Writes down what the embeddings are made with if that is not said yet; otherwise compares.
    async fn agree_on_space(&self) -> Result<Option<IndexState>, Error> {
        let Some(wanted) = self.inner.wanted_space() else {
            return Ok(Some(IndexState::Off));
        };
        let found = embedding::space(&mut *self.inner.database.readers().acquire().await?).await?;
        match found {
            Some(found) if found != wanted => Ok(Some(IndexState::Refused { found, wanted })),
            Some(_) => Ok(None),
            None => {
                let mut transaction = self.inner.database.begin().await?;
                embedding::set_space(&mut transaction, &wanted).await?;
                transaction.commit().await?;
                Ok(None)
            }
        }
    }

    async fn fill(
        &self,
        vectors: &dyn VectorStore,
        progress: &(impl Fn(u64, u64) + Send),
    ) -> Result<(), Error> {
        let Some(space) = self.inner.wanted_space() else {
            return Ok(());
        };
        // The truth agrees with the embedder, so a store of another space is merely stale.
        match vectors.ensure(&space, false).await {
            Err(VectorError::OtherSpace { .. }) => vectors.ensure(&space, true).await?,
            answer => answer?,
        }
        let mut missing = Vec::new();
        for head in Head::ALL {
            let found = vectors.inventory(head).await?;
            let wanted = {
                let mut reader = self.inner.database.readers().acquire().await?;
                embedding::inventory(&mut reader, head).await?
            };
            let (add, remove) = embedding::difference(&wanted, &found);
            if !remove.is_empty() {
                let gone = Filter {
                    ids: Some(remove),
                    ..Filter::default()
                };
                vectors.delete(Some(head), &gone).await?;
            }
            missing.extend(add.into_iter().map(|id| (head, id)));
        }
        let total = missing.len() as u64;
        let mut done = 0;
        for batch in missing.chunk_by(|a, b| a.0 == b.0) {
            for ids in batch.chunks(REFILL_BATCH) {
                self.inner.index.set(IndexState::Filling { done, total });
                progress(done, total);
                let head = ids.first().map(|(head, _)| *head);
                let ids: Vec<PointId> = ids.iter().map(|(_, id)| *id).collect();
                let points = {
                    let mut reader = self.inner.database.readers().acquire().await?;
                    embedding::points(&mut reader, &ids, head).await?
                };
                vectors.upsert(points).await?;
                done += ids.len() as u64;
            }
        }
        progress(total, total);
        Ok(())
    }

    /// Throws away all vectors when they were made with something else than the configured embedder, and notes that
    /// everything is to be embedded anew; says how much that is. Vectors that fit stay.
    pub async fn renew_embeddings(&self) -> Result<u64, Error> {
        let Some(wanted) = self.inner.wanted_space() else {
            return Ok(0);
        };
        let mut transaction = self.inner.database.begin().await?;
        let found = embedding::space(&mut transaction).await?;
        if found.as_ref() == Some(&wanted) {
            return Ok(0);
        }
        embedding::set_space(&mut transaction, &wanted).await?;
        let noted = note_everything(
            &mut transaction,
            self.inner.options.embed_min_salience,
            self.inner.clock.now(),
        )
        .await?;
        transaction.commit().await?;
        self.inner.index.set(IndexState::default());
        Ok(noted)
    }

    /// Removes points from the vector store, also from what it keeps on disk. Failing does no harm: the next comparison with
    /// the truth removes them.
    pub(crate) async fn drop_vectors(&self, points: &[PointId]) {
        if points.is_empty() {
            return;
        }
        if let Err(error) = self.remove_from_store(points).await {
            tracing::warn!(
                error = chain(&error),
                "vectors stay in the index until it is compared again"
            );
            if let Error::Vectors(error) = error {
                self.inner.index.failed(&error);
            }
        }
    }

    async fn remove_from_store(&self, points: &[PointId]) -> Result<(), Error> {
        let Some((_, vectors)) = self.inner.similarity() else {
            return Ok(());
        };
        if self.index() == IndexState::default() {
            self.refill(|_, _| {}).await?;
        }
        let behind = self.inner.index.behind();
        let _changing = self.inner.index.changing.lock().await;
        if let IndexState::Refused { found, .. } = self.index() {
            vectors.ensure(&found, false).await?;
        }
        let gone = Filter {
            ids: Some(points.to_vec()),
            ..Filter::default()
        };
        vectors.delete(None, &gone).await?;
        vectors.flush().await?;
        behind.caught_up();
        Ok(())
    }

    /// Embeds what is due, up to a batch; says how much was done. Failures are noted and put off.
    pub(crate) async fn embed_due(&self) -> Result<usize, Error> {
        let Some(embedder) = self.inner.helpers.embedder.as_deref() else {
            return Ok(0);
        };
        if matches!(self.inner.index.state(), IndexState::Refused { .. })
            || self.agree_on_space().await?.is_some()
        {
            return Ok(0);
        }
        let now = self.inner.clock.now();
        let texts = {
            let mut reader = self.inner.database.readers().acquire().await?;
            let tasks = outbox::due(&mut reader, Work::Embed, now, BATCH).await?;
            let mut texts = Vec::with_capacity(tasks.len());
            for task in tasks {
                texts.push((task, self.text_of(&mut reader, task.subject).await?));
            }
            texts
        };
        if texts.is_empty() {
            return Ok(0);
        }
        let alone = texts.iter().any(|(task, _)| task.attempts >= BATCH_ATTEMPTS);
        let mut done = 0;
        for batch in texts.chunks(if alone { 1 } else { texts.len() }) {
            match self.embed_batch(embedder, batch).await? {
                Outcome::Done => done += batch.len(),
                Outcome::Refused => {}
                Outcome::Unreachable => break,
            }
        }
        Ok(done)
    }

    async fn embed_batch(
        &self,
        embedder: &dyn Embedder,
        batch: &[(Task, Option<Embeddable>)],
    ) -> Result<Outcome, Error> {
        let tasks: Vec<Task> = batch.iter().map(|(task, _)| *task).collect();
        let (embedded, texts): (Vec<(Subject, &Embeddable)>, Vec<String>) = batch
            .iter()
            .filter_map(|(task, thing)| thing.as_ref().map(|thing| (task.subject, thing)))
            .map(|(subject, thing)| ((subject, thing), thing.text.clone()))
            .unzip();
        let vectors = if texts.is_empty() {
            Vec::new()
        } else {
            match embedder.embed(&texts).await {
                Ok(vectors) => vectors,
                Err(error) => {
                    self.put_off(&tasks, &chain(&error)).await?;
                    return Ok(if error.is_retryable() {
                        Outcome::Unreachable
                    } else {
                        Outcome::Refused
                    });
                }
            }
        };
        if !embedding::are_promised(embedder, texts.len(), &vectors) {
            self.put_off(&tasks, &embedding::broken_promise(embedder)).await?;
            return Ok(Outcome::Refused);
        }
        let _changing = self.inner.index.changing.lock().await;
        let behind = self.inner.index.behind();
        let mut transaction = self.inner.database.begin().await?;
        for ((subject, thing), vector) in embedded.iter().zip(&vectors) {
            // What was deleted while it was embedded stays deleted.
            if exists(&mut transaction, *subject).await? {
                embedding::put(&mut transaction, *subject, &thing.heads, vector).await?;
            }
        }
        outbox::done(&mut transaction, &tasks).await?;
        transaction.commit().await?;
        if let Some((_, store)) = self.inner.similarity()
            && self.inner.index.state() == IndexState::Ready
        {
            let ids: Vec<PointId> = embedded.iter().map(|(subject, _)| subject.point()).collect();
            let points = {
                let mut reader = self.inner.database.readers().acquire().await?;
                embedding::points(&mut reader, &ids, None).await?
            };
            if let Err(error) = store.upsert(points).await {
                tracing::warn!(error = chain(&error), "the vector store took no new vectors");
                self.inner.index.failed(&error);
            }
        }
        behind.caught_up();
        Ok(Outcome::Done)
    }

    async fn put_off(&self, tasks: &[Task], error: &str) -> Result<(), Error> {
        tracing::warn!(error, waiting = tasks.len(), "embedding failed and is put off");
        let mut transaction = self.inner.database.begin().await?;
        outbox::failed(&mut transaction, tasks, error, self.inner.clock.now()).await?;
        transaction.commit().await.map_err(Error::from)
    }

    /// What is embedded of a thing; none when it is gone.
    async fn text_of(
        &self,
        connection: &mut SqliteConnection,
        subject: Subject,
    ) -> Result<Option<Embeddable>, Error> {
        let enabled = &self.inner.options.heads;
        let embeddable = |text: String, heads: &[Head]| {
            let heads: Vec<_> = heads
                .iter()
                .filter(|head| enabled.contains(head))
                .copied()
                .collect();
            (!heads.is_empty() && !text.trim().is_empty()).then_some(Embeddable { text, heads })
        };
        Ok(match subject {
            Subject::Message(id) => {
                let Some(message) = message::get(connection, id).await? else {
                    return Ok(None);
                };
                let analysis = analysis::of(connection, &[message.number]).await?;
                let heads = analysis
                    .get(&message.number)
                    .map_or_else(|| vec![Head::Semantic], |analysis| analysis.heads.clone());
                let text = form::embedded(message.speaker.as_deref(), message.role, &message.content);
                embeddable(text, &heads)
            }
            Subject::Summary(id) => summary::get(connection, id)
                .await?
                .and_then(|summary| embeddable(summary::text_to_embed(&summary), &[Head::Summary])),
            Subject::Fact(id) => fact::get(connection, id)
                .await?
                .filter(|fact| fact.retracted.is_none())
                .and_then(|fact| embeddable(fact::text(&fact), &[Head::Relationship])),
        })
    }

    /// Asks the vector store.
    pub(crate) async fn nearest(&self, searches: &[Search]) -> Result<Vec<Vec<Hit>>, Error> {
        let Some((_, vectors)) = self.inner.similarity() else {
            return Ok(vec![Vec::new(); searches.len()]);
        };
        let found = vectors.search(searches).await;
        if let Err(error) = &found
            && self.inner.index.state() == IndexState::Ready
        {
            self.inner.index.failed(error);
        }
        Ok(found?)
    }
}

/// How a batch fared. What was not embedded is put off.
enum Outcome {
    Done,
    /// By a fault of the texts, or one that will not pass by itself.
    Refused,
    /// Others would fare no better now.
    Unreachable,
}

/// What is embedded of a thing.
struct Embeddable {
    text: String,
    heads: Vec<Head>,
}

async fn exists(connection: &mut SqliteConnection, subject: Subject) -> Result<bool, Error> {
    let table = match subject {
        Subject::Message(_) => "SELECT 1 FROM messages WHERE id = ?1",
        Subject::Summary(_) => "SELECT 1 FROM summaries WHERE id = ?1",
        Subject::Fact(_) => "SELECT 1 FROM facts WHERE id = ?1",
    };
    let found: Option<i64> = sqlx::query_scalar(table)
        .bind(subject.to_string())
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

/// Empties the table of embeddings and notes that everything which deserves vectors is to be embedded.
async fn note_everything(
    connection: &mut SqliteConnection,
    min_salience: f64,
    now: Timestamp,
) -> Result<u64, Error> {
    sqlx::query("DELETE FROM embeddings")
        .execute(&mut *connection)
        .await?;
    let noted = sqlx::query(
        "INSERT INTO outbox (work, kind, subject, noted_ms, due_ms)
         SELECT 'embed', 'message', m.id, ?1, ?1 FROM messages m JOIN analyses a ON a.message = m.number
             WHERE a.salience >= ?2 AND a.heads <> '[]'
         UNION ALL SELECT 'embed', 'summary', id, ?1, ?1 FROM summaries
         UNION ALL SELECT 'embed', 'fact', id, ?1, ?1 FROM facts WHERE retracted_ms IS NULL
         ON CONFLICT (work, subject) DO UPDATE SET attempts = 0, due_ms = ?1, error = NULL",
    )
    .bind(now)
    .bind(min_salience)
    .execute(connection)
    .await?;
    Ok(noted.rows_affected())
}

/// The message that a point stands for.
pub(crate) fn message_of(point: PointId) -> MessageId {
    point.0.into()
}
