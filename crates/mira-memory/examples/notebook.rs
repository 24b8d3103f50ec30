//! A notebook that survives restarts: `cargo run -p mira-memory --example notebook -- "something to remember"`.

use std::sync::Arc;

use mira_memory::{Memory, NewMessage, Role};
use mira_store::{Database, SystemClock};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let database = Database::open(&std::env::temp_dir().join("mira-notebook.db")).await?;
    let memory = Memory::open(database, Arc::new(SystemClock)).await?;
    let (session, _created) = memory.open_session("notebook").await?;
    if let Some(note) = std::env::args().nth(1) {
        memory.save(NewMessage::new(session.id, Role::User, note)).await?;
    }
    for message in memory.page(session.id, None, 20).await? {
        #[expect(clippy::print_stdout, reason = "an example shows its result")]
        {
            println!("{}  {}", message.time, message.content);
        }
    }
    Ok(())
}
