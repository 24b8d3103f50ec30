//! Similarity search in the process.

mod graph;
mod index;
mod points;
mod product;
mod snapshot;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use futures_util::future::{BoxFuture, try_join_all};
use tokio::sync::{Mutex, OwnedRwLockWriteGuard, RwLock, RwLockReadGuard, Semaphore};

use self::index::Index;
use self::snapshot::Found;
use super::{
    Answer, Filter, Head, Health, Hit, Point, PointId, Search, Space, VectorError, VectorStore, f16,
};

/// Calls that work on vectors at a time, and threads that a graph is prepared for.
const THREADS: usize = 8;
/// Points that are written at a time, while searches of their head wait: a few milliseconds.
const BATCH: usize = 1_000;

/// A vector store in memory with a snapshot of each head on disk.
///
/// A head of up to 20,000 points is an array that is compared with whole: exact, and quick to write to. Of a larger head the
/// [`flush`] makes a graph (HNSW, by `USearch`), which a search walks unless its filter leaves few points. What was written
/// since the last flush is compared with one by one, so that every search sees all points. Vectors are kept in float16.
///
/// Nothing but [`flush`] and [`close`] writes to disk, and each writes the heads that changed as a whole: flush after much
/// was written, and now and then. The snapshots hold nothing of removed points once a flush has succeeded. A crash leaves the
/// snapshots of the last flush; the owner finds what they lack by comparing inventories.
///
/// Needs a Tokio runtime: all work is done on its threads for blocking calls.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use mira_store::vector::{EmbeddedVectors, Filter, Head, Search, Space, VectorStore};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path();
/// let store = EmbeddedVectors::open(path).await?;
/// let space = Space { embedder: "example".to_owned(), dimension: 3, text_form: 1 };
/// store.ensure(&space, false).await?;
/// let vector = vec![0.1, 0.7, -0.2];
/// let nearest = Search { head: Head::Code, vector, filter: Filter::default(), limit: 10, exact: false };
/// let hits = store.search(&[nearest]).await?;
/// assert!(hits[0].is_empty());
/// store.close().await?;
/// # Ok::<(), mira_store::vector::VectorError>(()) }).unwrap();
/// ```
///
/// [`flush`]: VectorStore::flush
/// [`close`]: VectorStore::close
#[derive(Debug)]
pub struct EmbeddedVectors {
    directory: PathBuf,
    damaged: Vec<Head>,
    state: RwLock<State>,
    /// In the order of [`Head::ALL`].
    heads: Vec<(Head, Shared)>,
    permits: Arc<Semaphore>,
    /// For each head, the changes that its snapshot holds.
    saved: Mutex<Vec<u64>>,
}

/// The index of a head goes to the thread that works on it. Those who wait for the lock take turns, so that a long series of
/// writes lets searches through.
type Shared = Arc<RwLock<Index>>;

#[derive(Debug)]
enum State {
    /// Nobody has said which space is wanted.
    Opened,
    Ready(Space),
    Closed,
}

impl EmbeddedVectors {
    /// Loads the snapshots in a directory, which is made when it is missing. A snapshot that cannot be used is not an error:
    /// see [`EmbeddedVectors::damaged`].
    pub async fn open(directory: &Path) -> Result<Self, VectorError> {
        let directory = directory.to_owned();
        blocking(move || Self::load(directory)).await
    }

    fn load(directory: PathBuf) -> Result<Self, VectorError> {
        std::fs::create_dir_all(&directory).map_err(|source| snapshot::file_error(&directory, source))?;
        let (mut heads, mut saved, mut damaged) = (Vec::new(), Vec::new(), Vec::new());
        for head in Head::ALL {
            let (index, changes) = match snapshot::read(&snapshot::path(&directory, head), head)? {
                Found::Whole(index) => (*index, 0),
                Found::Nothing => (Index::unused(), 0),
                Found::Damaged => {
                    damaged.push(head);
                    // The next flush writes over it.
                    (Index::unused(), u64::MAX)
                }
            };
            saved.push(changes);
            heads.push((head, Arc::new(RwLock::new(index))));
        }
        Ok(Self {
            directory,
            damaged,
            state: RwLock::new(State::Opened),
            saved: Mutex::new(saved),
            heads,
            permits: Arc::new(Semaphore::new(THREADS)),
        })
    }

    /// The heads that started empty because the file found for them was not a whole snapshot. A head without a file is not
    /// among them.
    pub fn damaged(&self) -> &[Head] {
        &self.damaged
    }

    fn head(&self, head: Head) -> Shared {
        Arc::clone(&self.heads[head as usize].1)
    }

    /// Keeps the store from being closed or given another space while the guard lives.
    async fn ready(&self) -> Result<RwLockReadGuard<'_, State>, VectorError> {
        let state = self.state.read().await;
        match *state {
            State::Ready(_) => Ok(state),
            State::Opened => Err(VectorError::NotReady),
            State::Closed => Err(VectorError::Closed),
        }
    }

    // A lock is taken before a permit, and the holder of a permit waits for nothing; so nobody waits in a circle.

    async fn read<T: Send + 'static>(
        &self,
        head: Head,
        work: impl FnOnce(&Index) -> Result<T, VectorError> + Send + 'static,
    ) -> Result<T, VectorError> {
        let index = self.head(head).read_owned().await;
        self.work(move || work(&index)).await
    }

    async fn write<T: Send + 'static>(
        &self,
        head: Head,
        work: impl FnOnce(&mut Index) -> Result<T, VectorError> + Send + 'static,
    ) -> Result<T, VectorError> {
        let mut index = self.head(head).write_owned().await;
        self.work(move || work(&mut index)).await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, VectorError> + Send + 'static,
    ) -> Result<T, VectorError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        blocking(move || {
            let _permit = permit;
            work()
        })
        .await
    }

    async fn ensure_space(&self, space: &Space, replace: bool) -> Result<(), VectorError> {
        let mut state = self.state.write().await;
        if matches!(*state, State::Closed) {
            return Err(VectorError::Closed);
        }
        if space.dimension == 0 {
            return Err(VectorError::BadVector {
                expected: 1,
                found: 0,
            });
        }
        // Nobody else holds two of these locks.
        let mut heads: Vec<OwnedRwLockWriteGuard<Index>> = Vec::new();
        for &head in &Head::ALL {
            heads.push(self.head(head).write_owned().await);
        }
        let other = heads
            .iter()
            .find(|index| index.points.live() > 0 && index.space != *space);
        let emptied = other.is_some();
        if let Some(other) = other.filter(|_| !replace) {
            return Err(VectorError::OtherSpace {
                found: other.space.clone(),
                wanted: space.clone(),
            });
        }
        let space_of_heads = space.clone();
        blocking(move || {
            for mut index in heads.into_iter().filter(|index| index.space != space_of_heads) {
                index.reset(space_of_heads.clone());
            }
            Ok(())
        })
        .await?;
        *state = State::Ready(space.clone());
        // Or a crash would bring back what was to be thrown away.
        if emptied { self.save().await } else { Ok(()) }
    }

    async fn insert(&self, points: Vec<Point>) -> Result<(), VectorError> {
        let state = self.ready().await?;
        let State::Ready(space) = &*state else {
            return Err(VectorError::NotReady);
        };
        let expected = space.dimension;
        let prepared = self.work(move || {
            let mut prepared: BTreeMap<Head, Vec<_>> = BTreeMap::new();
            for mut point in points {
                let vector = f16::round(&f16::unit(&std::mem::take(&mut point.vector)));
                index::check(&vector, expected)?;
                prepared.entry(point.head).or_default().push((point, vector));
            }
            Ok(prepared)
        });
        for (head, points) in prepared.await? {
            let mut points = points.into_iter();
            while points.len() > 0 {
                let batch = points.by_ref().take(BATCH).collect();
                self.write(head, |index| index.upsert(batch)).await?;
            }
        }
        Ok(())
    }

    async fn remove(&self, head: Option<Head>, filter: &Filter) -> Result<(), VectorError> {
        let _ready = self.ready().await?;
        for other in Head::ALL
            .into_iter()
            .filter(|&other| head.is_none_or(|head| head == other))
        {
            let filter = filter.clone();
            self.write(other, move |index| {
                index.delete(&filter);
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    async fn find(&self, searches: &[Search]) -> Result<Vec<Vec<Hit>>, VectorError> {
        let _ready = self.ready().await?;
        let searches = searches.iter().cloned();
        try_join_all(searches.map(|search| self.read(search.head, move |index| index.search(&search)))).await
    }

    async fn tidy_and_save(&self) -> Result<(), VectorError> {
        let _ready = self.ready().await?;
        for head in Head::ALL {
            self.write(head, Index::compact).await?;
            while self.write(head, Index::fold).await? {}
        }
        self.save().await
    }

    /// Writes every head whose snapshot does not show it as it is, and gives the first failure.
    async fn save(&self) -> Result<(), VectorError> {
        let mut saved = self.saved.lock().await;
        let mut outcome = Ok(());
        for ((head, _), saved) in self.heads.iter().zip(saved.iter_mut()) {
            match self.save_head(*head, *saved).await {
                Ok(changes) => *saved = changes,
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        outcome
    }

    async fn save_head(&self, head: Head, saved: u64) -> Result<u64, VectorError> {
        let path = snapshot::path(&self.directory, head);
        let is_there = path.clone();
        let encoded = self.read(head, move |index| {
            let lost = index.points.rows() > 0 && !is_there.exists();
            let stale = index.changes != saved || lost;
            let body = stale.then(|| snapshot::encode(index, head)).transpose()?;
            Ok((index.changes, body))
        });
        let (changes, body) = encoded.await?;
        if let Some(body) = body {
            self.work(move || snapshot::write(&path, &body)).await?;
        }
        Ok(changes)
    }

    async fn describe(&self) -> Health {
        let state = self.state.read().await;
        let (ready, what) = match &*state {
            State::Ready(space) => (true, format!("vectors of {space}")),
            State::Opened => (false, "not told which vectors to keep".to_owned()),
            State::Closed => (false, "closed".to_owned()),
        };
        Health {
            ready,
            detail: format!("in this process, {}: {what}", self.directory.display()),
        }
    }

    async fn shut(&self) -> Result<(), VectorError> {
        let mut state = self.state.write().await;
        match &*state {
            State::Closed => return Err(VectorError::Closed),
            State::Opened => {}
            State::Ready(_) => self.save().await?,
        }
        *state = State::Closed;
        for &head in &Head::ALL {
            self.write(head, |index| {
                index.reset(index.space.clone());
                Ok(())
            })
            .await?;
        }
        Ok(())
    }
}

impl VectorStore for EmbeddedVectors {
    fn ensure<'a>(&'a self, space: &'a Space, replace: bool) -> Answer<'a, ()> {
        Box::pin(self.ensure_space(space, replace))
    }

    fn upsert(&self, points: Vec<Point>) -> Answer<'_, ()> {
        Box::pin(self.insert(points))
    }

    fn delete<'a>(&'a self, head: Option<Head>, filter: &'a Filter) -> Answer<'a, ()> {
        Box::pin(self.remove(head, filter))
    }

    fn search<'a>(&'a self, searches: &'a [Search]) -> Answer<'a, Vec<Vec<Hit>>> {
        Box::pin(self.find(searches))
    }

    fn count<'a>(&'a self, head: Head, filter: &'a Filter) -> Answer<'a, u64> {
        Box::pin(async move {
            let _ready = self.ready().await?;
            let filter = filter.clone();
            self.read(head, move |index| Ok(index.count(&filter) as u64))
                .await
        })
    }

    fn inventory(&self, head: Head) -> Answer<'_, Vec<(PointId, i64)>> {
        Box::pin(async move {
            let _ready = self.ready().await?;
            self.read(head, |index| Ok(index.inventory())).await
        })
    }

    /// Also moves what was written into the graph of a large head, which takes about a millisecond a point, and builds the
    /// graph anew when a fifth of its points were removed. Searches go on meanwhile. A full disk leaves the former snapshot
    /// and everything in memory; a directory that has vanished is made anew.
    fn flush(&self) -> Answer<'_, ()> {
        Box::pin(self.tidy_and_save())
    }

    fn health(&self) -> BoxFuture<'_, Health> {
        Box::pin(self.describe())
    }

    /// Writes what changed without touching the graphs. A store that cannot be written stays open.
    fn close(&self) -> Answer<'_, ()> {
        Box::pin(self.shut())
    }
}

/// Runs work that blocks away from the reactor. A dropped future lets the work run to its end.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VectorError> + Send + 'static,
) -> Result<T, VectorError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down.
            Err(_) => Err(VectorError::Closed),
        },
    }
}

/// Works on the parts of a slice on several threads when the parts are worth one.
fn spread<T: Sync, R: Send>(
    items: &[T],
    worth_a_thread: usize,
    work: impl Fn(&[T]) -> Result<R, VectorError> + Sync,
) -> Result<Vec<R>, VectorError> {
    static CORES: LazyLock<usize> =
        LazyLock::new(|| std::thread::available_parallelism().map_or(1, |cores| cores.get().min(THREADS)));

    let part = items.len().div_ceil(*CORES).max(worth_a_thread);
    if items.len() <= part {
        return Ok(vec![work(items)?]);
    }
    std::thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(part)
            .map(|part| scope.spawn(|| work(part)))
            .collect();
        let join = |part: std::thread::ScopedJoinHandle<'_, _>| {
            part.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        parts.into_iter().map(join).collect()
    })
}
