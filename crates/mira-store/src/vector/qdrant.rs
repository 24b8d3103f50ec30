//! A Qdrant server: one collection, in which a thing is one point with a named vector for each of its heads.

mod collection;
mod filter;
mod read;
mod record;
mod write;

use std::error::Error;
use std::fmt::{self, Debug};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use qdrant_client::qdrant::PointId as ServerId;
use qdrant_client::{Qdrant, QdrantError};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Answer, Filter, Head, Health, Hit, Payload, Point, PointId, Search, Space, VectorError, VectorStore,
};

/// Where a [`QdrantVectors`] finds its server.
#[derive(Debug, Clone)]
pub struct QdrantOptions {
    /// The gRPC port of the server, such as `http://127.0.0.1:6334`. With `https` the certificate must be known to the
    /// system.
    pub url: String,
    /// Sent with every request, so use `https` when the server is on another machine.
    pub api_key: Option<SecretString>,
    /// The collection to keep the vectors in. It must not be shared with other programs.
    pub collection: String,
    /// The longest that one request may take, including the connection it may need. A method makes several when there is
    /// much to write or to list.
    pub timeout: Duration,
}

/// Vectors in a collection of a Qdrant server, version 1.19 or later.
///
/// Only one `QdrantVectors` may write to a collection at a time. A thing has one payload: the one that was written last,
/// with whichever head, is what all its heads are filtered by.
pub struct QdrantVectors {
    client: Qdrant,
    url: String,
    collection: String,
    timeout: Duration,
    state: Mutex<State>,
    /// Held by whoever changes points. The server replaces points whole, so that a write has to read first what the
    /// point has for other heads, and nothing may change it in between.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Unprepared,
    Ready { dimension: usize },
    Closed,
}

/// Why an answer of the server is of no use.
#[derive(Debug, thiserror::Error)]
enum Unexpected {
    #[error("the collection {0} was not made by Mira; name another one")]
    ForeignCollection(String),
    #[error("an answer without a description of the collection")]
    NoDescription,
    #[error("{found} answers to {asked} searches")]
    Answers { asked: usize, found: usize },
    #[error("a point with the id {0:?}, which Mira does not give")]
    ForeignPoint(Option<ServerId>),
}

impl QdrantVectors {
    /// A store on the server; the first request connects. Fails when the address is not a URL.
    pub fn connect(options: QdrantOptions) -> Result<Self, VectorError> {
        let QdrantOptions {
            url,
            api_key,
            collection,
            timeout,
        } = options;
        // The client's own check of the server blocks the thread and prints.
        let mut builder = Qdrant::from_url(&url)
            .skip_compatibility_check()
            .timeout(timeout)
            .connect_timeout(timeout);
        if let Some(key) = api_key {
            builder.set_api_key(key.expose_secret());
        }
        let client = builder.build().map_err(|error| VectorError::Server {
            url: url.clone(),
            attempted: "be addressed",
            source: error.into(),
        })?;
        Ok(Self {
            client,
            url,
            collection,
            timeout,
            state: Mutex::new(State::Unprepared),
            writing: tokio::sync::Mutex::new(()),
        })
    }

    async fn examine(&self) -> Health {
        let described = async {
            let version = self.ask("answer", self.client.health_check()).await?.version;
            self.dimension()?;
            Ok::<_, VectorError>((version, self.describe().await?))
        };
        let (ready, detail) = match described.await {
            Ok((version, Some((points, None)))) => (true, format!("Qdrant {version}, {points} points")),
            Ok((version, Some((_, Some(fault))))) => (false, format!("Qdrant {version}: {fault}")),
            Ok((version, None)) => (false, format!("Qdrant {version}: the collection is gone")),
            Err(error) => (false, in_full(&error)),
        };
        Health {
            ready,
            detail: format!("collection {} at {}: {detail}", self.collection, self.url),
        }
    }

    /// A request with its time limit. The client has limits of its own, but connects anew and asks again within them.
    async fn ask<T>(
        &self,
        attempted: &'static str,
        request: impl Future<Output = Result<T, QdrantError>> + Send,
    ) -> Result<T, VectorError> {
        match tokio::time::timeout(self.timeout, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.error(attempted, error)),
            Err(elapsed) => Err(self.error(attempted, elapsed)),
        }
    }

    fn error(&self, attempted: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> VectorError {
        VectorError::Server {
            url: self.url.clone(),
            attempted,
            source: source.into(),
        }
    }

    fn own_id(&self, id: Option<&ServerId>) -> Result<PointId, VectorError> {
        id.and_then(record::own_id)
            .ok_or_else(|| self.error("name its points", Unexpected::ForeignPoint(id.cloned())))
    }

    /// The length of the vectors, once they are known and until the store is closed.
    fn dimension(&self) -> Result<usize, VectorError> {
        match *self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Unprepared => Err(VectorError::NotReady),
            State::Ready { dimension } => Ok(dimension),
            State::Closed => Err(VectorError::Closed),
        }
    }
}

impl VectorStore for QdrantVectors {
    fn ensure<'a>(&'a self, space: &'a Space, replace: bool) -> Answer<'a, ()> {
        self.prepare(space, replace).boxed()
    }

    fn upsert(&self, points: Vec<Point>) -> Answer<'_, ()> {
        self.upsert_points(points).boxed()
    }

    fn delete<'a>(&'a self, head: Option<Head>, filter: &'a Filter) -> Answer<'a, ()> {
        self.delete_points(head, filter).boxed()
    }

    fn search<'a>(&'a self, searches: &'a [Search]) -> Answer<'a, Vec<Vec<Hit>>> {
        self.nearest(searches).boxed()
    }

    fn count<'a>(&'a self, head: Head, filter: &'a Filter) -> Answer<'a, u64> {
        self.count_points(head, filter).boxed()
    }

    fn inventory(&self, head: Head) -> Answer<'_, Vec<(PointId, i64)>> {
        self.list(head).boxed()
    }

    /// Has nothing to do: a write is answered when the server has it in its log.
    fn flush(&self) -> Answer<'_, ()> {
        async { self.dimension().map(drop) }.boxed()
    }

    fn health(&self) -> BoxFuture<'_, Health> {
        self.examine().boxed()
    }

    fn close(&self) -> Answer<'_, ()> {
        async {
            *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::Closed;
            Ok(())
        }
        .boxed()
    }
}

impl Debug for QdrantVectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QdrantVectors")
            .field("url", &self.url)
            .field("collection", &self.collection)
            .finish_non_exhaustive()
    }
}

fn check(vector: &[f32], dimension: usize) -> Result<(), VectorError> {
    if vector.len() == dimension && vector.iter().all(|number| number.is_finite()) {
        return Ok(());
    }
    Err(VectorError::BadVector {
        expected: dimension,
        found: vector.len(),
    })
}

/// An error with its causes in one line.
fn in_full(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Instant;

    use tokio::net::TcpListener;

    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(500);

    fn store(port: u16) -> QdrantVectors {
        QdrantVectors::connect(QdrantOptions {
            url: format!("http://127.0.0.1:{port}"),
            api_key: Some(SecretString::from("the key")),
            collection: "mira".to_owned(),
            timeout: TIMEOUT,
        })
        .unwrap()
    }

    fn space() -> Space {
        Space {
            embedder: "test".to_owned(),
            dimension: 3,
            text_form: 1,
        }
    }

    #[tokio::test]
    async fn a_port_with_nothing_behind_it_is_a_server_error() {
        let port = {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            listener.local_addr().unwrap().port()
        };
        let error = store(port).ensure(&space(), false).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the vector server at http://127.0.0.1:{port} could not describe its collection"),
        );
    }

    #[tokio::test]
    async fn a_server_that_never_answers_is_given_up_on() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let store = store(listener.local_addr().unwrap().port());
        let started = Instant::now();
        let error = store.ensure(&space(), false).await.unwrap_err();
        assert!(matches!(error, VectorError::Server { .. }), "{error:?}");
        assert!(started.elapsed() < TIMEOUT * 4, "{:?}", started.elapsed());
        assert!(!store.health().await.ready);
    }

    #[tokio::test]
    async fn what_is_not_prepared_or_closed_asks_nothing_of_the_server() {
        let store = store(1);
        assert!(matches!(store.search(&[]).await, Err(VectorError::NotReady)));
        assert!(matches!(
            store.upsert(Vec::new()).await,
            Err(VectorError::NotReady)
        ));
        store.close().await.unwrap();
        assert!(matches!(
            store.inventory(Head::Code).await,
            Err(VectorError::Closed)
        ));
        assert!(matches!(
            store.ensure(&space(), false).await,
            Err(VectorError::Closed)
        ));
    }

    #[test]
    fn an_address_that_is_no_url_is_refused() {
        let options = QdrantOptions {
            url: "not a url".to_owned(),
            api_key: None,
            collection: "mira".to_owned(),
            timeout: TIMEOUT,
        };
        assert!(matches!(
            QdrantVectors::connect(options),
            Err(VectorError::Server { .. })
        ));
    }

    #[test]
    fn the_key_is_not_shown() {
        let options = QdrantOptions {
            url: "http://127.0.0.1:1".to_owned(),
            api_key: Some(SecretString::from("the key")),
            collection: "mira".to_owned(),
            timeout: TIMEOUT,
        };
        assert!(!format!("{options:?}").contains("the key"));
        let store = QdrantVectors::connect(options).unwrap();
        assert!(!format!("{store:?}").contains("the key"));
    }
}
