//! Remembers what it is told and finds it again, by words alone:
//!
//! ```text
//! cargo run -p mira-memory --example remember -- tell "The spare key hangs behind the boiler."
//! cargo run -p mira-memory --example remember -- ask "Where is the spare key?"
//! ```

use std::error::Error;

use mira_memory::recall::Query;
use mira_memory::{Memory, NewMessage, Role};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let memory = Memory::in_directory(&std::env::temp_dir().join("mira-remember")).await?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tell", note] => {
            let (session, _created) = memory.open_session("notes").await?;
            memory.save(NewMessage::new(session.id, Role::User, note)).await?;
        }
        ["ask", question] => {
            for hit in memory.recall(&Query::new(question, 5)).await?.hits {
                #[expect(clippy::print_stdout, reason = "an example shows its result")]
                {
                    println!(
                        "{:.2}  {}  {}",
                        hit.score.total(),
                        hit.message.time,
                        hit.message.content
                    );
                }
            }
        }
        _ => return Err("usage: remember tell NOTE | remember ask QUESTION".into()),
    }
    Ok(())
}
