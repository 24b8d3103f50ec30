//! The running server and the handle a test holds.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::exchange;
use super::record::{Outcome, Recorded};
use super::script::Script;
use super::shared::Shared;
use super::violation::Violation;

/// Waited after a failed `accept`, which without file descriptors left fails at once again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// A model upstream on a loopback port. Dropping it ends every reply; [`shutdown`](Self::shutdown) also waits
/// for that.
///
/// The waiting methods have no deadline of their own and can be dropped at any time without losing anything.
#[derive(Debug)]
pub struct Upstream {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Upstream {
    /// Starts on a free port of 127.0.0.1.
    pub async fn start(script: Script) -> io::Result<Self> {
        Self::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), script).await
    }

    /// Starts on this address.
    pub async fn start_on(address: SocketAddr, script: Script) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(script));
        shared.tasks.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { shared, address })
    }

    /// What a client is configured with: `http://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The requests so far, oldest first; of more than 32 MiB of bodies only the newest.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.requests()
    }

    /// What was wrong with the requests so far. A test ends with asserting that this is empty.
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.violations()
    }

    /// Opens a hold for good: replies that wait there go on, and later ones do not stop.
    pub fn release(&self, hold: &str) {
        self.shared.release(hold);
    }

    /// Waits until some reply has come to this hold.
    pub async fn arrived(&self, hold: &str) {
        self.shared
            .wait_for(|| self.shared.has_arrived(hold).then_some(()))
            .await;
    }

    /// Waits until so many requests have come in since the start.
    pub async fn request_count_reaches(&self, count: usize) {
        self.shared
            .wait_for(|| (self.shared.request_count() >= count).then_some(()))
            .await;
    }

    /// Waits until the reply to a request, counted from 0, has ended, and says how; waits for the request too
    /// when it is yet to come. For a request so old that it is forgotten it waits for ever.
    pub async fn ended(&self, request: usize) -> Outcome {
        self.shared
            .wait_for(|| {
                self.shared
                    .outcome(request)
                    .filter(|outcome| *outcome != Outcome::InProgress)
            })
            .await
    }

    /// Answers further requests from this script, whose rules all have their uses left. Replies that have begun
    /// end as they would have; holds stay as they are.
    pub fn replace(&self, script: Script) {
        self.shared.replace(script);
    }

    /// Drops all connections and waits until every task has ended.
    pub async fn shutdown(self) {
        self.shared.stopping.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.stopping.cancel();
        self.shared.tasks.close();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let accepted = tokio::select! {
            () = shared.stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                shared.tasks.spawn(converse(stream, Arc::clone(&shared)));
            }
            Err(error) => {
                tracing::warn!(%error, "scripted upstream cannot accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "scripted upstream cannot set nodelay");
    }
    let service = service_fn(|request| exchange::answer(request, &shared));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        () = shared.stopping.cancelled() => {}
        ended = connection => {
            if let Err(error) = ended {
                // Clients that leave and deliberate cuts end here too; their requests say what happened.
                tracing::debug!(%error, "scripted upstream lost a connection");
            }
        }
    }
}
