//! Serves a script as a model upstream, for writing a frontend without a key:
//! `cargo run -p mira-llm --features scripted --example scripted -- script.toml 127.0.0.1:9090`,
//! then start the server with `OPENAI_BASE_URL` and `DEEPSEEK_BASE_URL` set to what it prints, and any keys.

use std::net::SocketAddr;

use mira_llm::scripted::{Script, Upstream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: scripted SCRIPT.toml [ADDRESS]")?;
    let address: SocketAddr = arguments.next().as_deref().unwrap_or("127.0.0.1:0").parse()?;
    let script = Script::from_toml(&std::fs::read_to_string(path)?)?;
    let upstream = Upstream::start_on(address, script).await?;
    #[expect(clippy::print_stdout, reason = "an example says where it is")]
    {
        println!("{}", upstream.base_url());
    }
    tokio::signal::ctrl_c().await?;
    #[expect(clippy::print_stdout, reason = "an example shows what was wrong")]
    for violation in upstream.violations() {
        println!("{violation:?}");
    }
    upstream.shutdown().await;
    Ok(())
}
