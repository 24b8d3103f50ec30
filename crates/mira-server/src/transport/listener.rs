//! The port: binding it, accepting connections, and stopping in two stages.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream, lookup_host},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Options, channel::Connection, http};

/// TCP connections that have not become a WebSocket yet. Each has [`Options::handshake_timeout`] for it.
const MAX_HANDSHAKES: usize = 256;

/// Pause after a failed `accept`, which fails again at once while the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound port.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    options: Options,
}

/// Why a port could not be had.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    #[error("could not resolve the host {host}")]
    Resolve { host: String, source: io::Error },
    #[error(
        "refused to listen on {host} without a token, because other machines can reach it: set MIRA_AUTH_TOKEN, or \
         MIRA_HOST to 127.0.0.1"
    )]
    TokenRequired { host: String },
    #[error("could not listen on {host}, port {port}")]
    Listen {
        host: String,
        port: u16,
        source: io::Error,
    },
}

/// What the transport serves: a function that talks with one peer, and whether the time for it has come.
#[derive(Clone)]
pub struct App {
    pub(super) connect: Arc<dyn Fn(Connection) -> Conversation + Send + Sync>,
    pub(super) readiness: watch::Receiver<Readiness>,
    pub(super) metrics: Option<Metrics>,
}

/// Writes the page of `/metrics`, given the number of open sockets; none when it cannot.
pub(super) type Metrics = Arc<dyn Fn(usize) -> BoxFuture<'static, Option<String>> + Send + Sync>;

type Conversation = BoxFuture<'static, ()>;

/// What `/readyz` answers. The socket is open only when ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    Ready,
    /// Not yet, or no longer; the reason is shown to whoever asks.
    NotReady {
        reason: String,
    },
}

/// Two-stage shutdown. Cancel `soft` on the first signal, `hard` on the second.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Accept nobody, tell every application, let it finish within [`Options::shutdown_grace`].
    pub soft: CancellationToken,
    /// Cut off whatever is left.
    pub hard: CancellationToken,
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) app: App,
    pub(super) stop: Stop,
    pub(super) tasks: TaskTracker,
    /// Places for open sockets.
    pub(super) slots: Arc<Semaphore>,
    /// Bytes that may be under way from all peers.
    pub(super) budget: Arc<Semaphore>,
}

impl Listener {
    /// Binds `host`, a name or an address, and `port`; port 0 takes a free one. Refuses every address that other
    /// machines can reach unless the options hold a token.
    pub async fn bind(host: &str, port: u16, options: Options) -> Result<Self, BindError> {
        let resolved = lookup_host((host, port)).await;
        let resolved = resolved.map_err(|source| BindError::Resolve {
            host: host.to_owned(),
            source,
        })?;
        let addresses: Vec<SocketAddr> = resolved.collect();
        if options.auth_token.is_none() && !addresses.iter().all(|address| is_loopback(address.ip())) {
            return Err(BindError::TokenRequired {
                host: host.to_owned(),
            });
        }
        let listen_error = |source| BindError::Listen {
            host: host.to_owned(),
            port,
            source,
        };
        let tcp = TcpListener::bind(addresses.as_slice())
            .await
            .map_err(listen_error)?;
        let address = tcp.local_addr().map_err(listen_error)?;
        Ok(Self {
            tcp,
            address,
            options,
        })
    }

    /// The address that was bound, with the port that was chosen.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

impl App {
    /// Wraps the function that is called for each accepted WebSocket. It runs as a task of its own; when it returns,
    /// what it has sent is delivered and the connection closed.
    pub fn new<F, C>(connect: F) -> Self
    where
        F: Fn(Connection) -> C + Send + Sync + 'static,
        C: Future<Output = ()> + Send + 'static,
    {
        // A receiver keeps the last value when its sender is gone.
        let (_, readiness) = watch::channel(Readiness::Ready);
        Self {
            connect: Arc::new(move |connection| Box::pin(connect(connection))),
            readiness,
            metrics: None,
        }
    }

    /// Lets the application write the page of `/metrics`, in the text format of Prometheus. It is given the number of open
    /// sockets, and gives none when it fails.
    #[must_use]
    pub fn with_metrics<F, P>(self, page: F) -> Self
    where
        F: Fn(usize) -> P + Send + Sync + 'static,
        P: Future<Output = Option<String>> + Send + 'static,
    {
        Self {
            metrics: Some(Arc::new(move |sockets| Box::pin(page(sockets)))),
            ..self
        }
    }

    /// Lets the application say when it is ready; without, it always is.
    #[must_use]
    pub fn with_readiness(self, readiness: watch::Receiver<Readiness>) -> Self {
        Self { readiness, ..self }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("readiness", &self.readiness)
            .finish_non_exhaustive()
    }
}

/// Accepts connections until `stop`, then sees them to their end. When it returns, the port is free and no task of the
/// transport or of its applications is left.
///
/// Dropping the future closes the port and leaves open connections running; cancel `stop` instead.
pub async fn serve(listener: Listener, app: App, stop: Stop) {
    let Listener {
        tcp,
        address,
        options,
    } = listener;
    let grace = options.shutdown_grace;
    let shared = Arc::new(Shared {
        slots: Arc::new(Semaphore::new(options.max_connections)),
        budget: Arc::new(Semaphore::new(options.max_buffered_bytes)),
        tasks: TaskTracker::new(),
        options,
        app,
        stop: stop.clone(),
    });
    tracing::info!(%address, "listening");
    tokio::select! {
        () = stop.soft.cancelled() => {}
        () = stop.hard.cancelled() => stop.soft.cancel(),
        () = accept(&tcp, &shared) => {}
    }
    drop(tcp);
    shared.tasks.close();
    tokio::select! {
        () = shared.tasks.wait() => return,
        () = stop.hard.cancelled() => {}
        () = sleep(grace) => tracing::warn!(tasks = shared.tasks.len(), "cutting off what did not end in time"),
    }
    stop.hard.cancel();
    shared.tasks.wait().await;
}

async fn accept(tcp: &TcpListener, shared: &Arc<Shared>) {
    let handshakes = Arc::new(Semaphore::new(MAX_HANDSHAKES));
    // The semaphore is never closed.
    while let Ok(handshake) = Arc::clone(&handshakes).acquire_owned().await {
        match tcp.accept().await {
            Ok((stream, address)) => {
                shared
                    .tasks
                    .spawn(converse(Arc::clone(shared), stream, address, handshake));
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One HTTP request on one TCP connection.
async fn converse(
    shared: Arc<Shared>,
    stream: TcpStream,
    address: SocketAddr,
    _handshake: OwnedSemaphorePermit,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %address, "could not turn off delayed sending");
    }
    let service =
        service_fn(async |request| Ok::<_, Infallible>(http::respond(&shared, address, request).await));
    let connection = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let stop = &shared.stop;
    let served = stop
        .hard
        .run_until_cancelled(timeout(shared.options.handshake_timeout, connection))
        .await;
    match served {
        Some(Ok(Ok(()))) | None => {}
        Some(Ok(Err(error))) => tracing::debug!(%error, %address, "the HTTP connection failed"),
        Some(Err(_)) => tracing::debug!(%address, "no complete request came in time"),
    }
}
