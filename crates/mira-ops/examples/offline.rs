//! A whole turn without a network: a scripted model reads a file of a project and answers.
//!
//! `cargo run -p mira-ops --example offline`
#![allow(clippy::print_stdout, reason = "it shows what happens")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use mira_llm::Endpoint;
use mira_llm::openai::{Responses, ResponsesOptions};
use mira_llm::scripted::{Rule, Script, Upstream};
use mira_memory::Memory;
use mira_ops::{Binding, Models, Operations, Options, Parts, Step, Turn};
use mira_store::{Database, SystemClock};
use mira_workspace::{NewProject, Workspace};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The model asks for a file first, and answers when it has seen it.
    let wanted = serde_json::json!({"path": "todo.txt", "start_line": null, "end_line": null});
    let script = Script::new()
        .rule(Rule::new("look").no_tool_output().tool_call("read_file", &wanted))
        .rule(
            Rule::new("answer")
                .tool_output("read_file")
                .text("Water the roses."),
        );
    let upstream = Upstream::start(script).await?;
    let endpoint = Endpoint::new(upstream.base_url()).api_key("any");
    let reasoner = Responses::new(endpoint, ResponsesOptions::new("gpt-5.5"))?;

    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("todo.txt"), "Water the roses.\n")?;
    let clock = Arc::new(SystemClock);
    let database = Database::open(&folder.path().join("data/mira.db")).await?;
    let memory = Memory::open(database.clone(), clock.clone()).await?;
    let workspace = Workspace::open(&database, clock.clone()).await?;
    let new = NewProject {
        name: "Garden".to_owned(),
        ..NewProject::default()
    };
    let project = workspace.create_project(new).await?;
    workspace.attach(project.id, folder.path()).await?;

    let parts = Parts {
        database,
        memory: memory.clone(),
        workspace,
        models: Models {
            reasoner: Binding::Model(Arc::new(reasoner)),
            coder: Binding::Missing {
                variable: "DEEPSEEK_API_KEY".to_owned(),
            },
        },
        clock,
    };
    let operations = Operations::open(parts, Options::default()).await?;
    let session = memory.create_session().await?;
    let mut tail = operations.open_session(session.id).await?.tail;
    let turn = Turn {
        session: session.id,
        content: "What is to do?".to_owned(),
        project: Some(project.id),
        editor: None,
        idempotency_key: None,
    };
    operations.send(turn).await?;
    // Every event up to the end of the turn, as it is journaled.
    while let Step::Event(recorded) = tail.next().await? {
        println!("{:>2} {:?}", recorded.seq, recorded.event);
        if recorded.event.is_terminal() {
            break;
        }
    }
    operations.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
