//! The whole server on a port of this process.

use std::net::SocketAddr;
use std::path::Path;

use mira_server::Server;
use mira_server::config::Config;
use mira_server::transport::Stop;
use tokio::task::JoinHandle;

#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: Stop,
    task: JoinHandle<()>,
}

impl Running {
    /// Starts a server over a data directory, with these settings and no others.
    pub(crate) async fn start<const N: usize>(
        data: &Path,
        settings: [(&str, String); N],
    ) -> anyhow::Result<Self> {
        let own = [
            ("MIRA_DATA_DIR", data.display().to_string()),
            ("MIRA_PORT", "0".to_owned()),
        ];
        let settings = own.into_iter().chain(settings);
        let config = Config::load(settings.map(|(name, value)| (name.to_owned(), value)), None)?;
        let server = Server::start(config).await?;
        let stop = Stop::default();
        Ok(Self {
            address: server.local_addr(),
            stop: stop.clone(),
            task: tokio::spawn(server.run(stop)),
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stop.soft.cancel();
        Ok(self.task.await?)
    }
}
