//! Asks a model one question and shows the answer as it arrives.
//!
//! ```sh
//! OPENAI_API_KEY=… cargo run -p mira-llm --example chat -- "Why is the sky blue?"
//! ```
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the example talks to whoever runs it"
)]

use std::io::Write as _;
use std::process::ExitCode;

use futures_util::StreamExt as _;
use mira_llm::chat::{Event, Item, Request};
use mira_llm::compatible::{ChatCompletions, ChatOptions, Dialect};
use mira_llm::openai::{Responses, ResponsesOptions};
use mira_llm::{ChatModel, Endpoint, Error};

#[tokio::main]
async fn main() -> ExitCode {
    let model = match model_from_environment() {
        Ok(Some(model)) => model,
        Ok(None) => {
            eprintln!("Set OPENAI_API_KEY or DEEPSEEK_API_KEY, or MIRA_LLM_URL for a local server such as");
            eprintln!("http://localhost:8080/v1, and MIRA_LLM_MODEL to choose a model.");
            return ExitCode::from(2);
        }
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let question = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "Why is the sky blue?".to_owned());
    match ask(&*model, question).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error}");
            ExitCode::FAILURE
        }
    }
}

fn model_from_environment() -> Result<Option<Box<dyn ChatModel>>, Error> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let name = |default: &str| set("MIRA_LLM_MODEL").unwrap_or_else(|| default.to_owned());
    Ok(Some(if let Some(url) = set("MIRA_LLM_URL") {
        Box::new(ChatCompletions::new(
            Endpoint::new(url),
            ChatOptions::new(name("default"), Dialect::Generic),
        )?)
    } else if let Some(key) = set("OPENAI_API_KEY") {
        let endpoint = Endpoint::new("https://api.openai.com/v1").api_key(key);
        Box::new(Responses::new(endpoint, ResponsesOptions::new(name("gpt-5.5")))?)
    } else if let Some(key) = set("DEEPSEEK_API_KEY") {
        let endpoint = Endpoint::new("https://api.deepseek.com").api_key(key);
        let options = ChatOptions::new(name("deepseek-v4-flash"), Dialect::DeepSeek);
        Box::new(ChatCompletions::new(endpoint, options)?)
    } else {
        return Ok(None);
    }))
}

async fn ask(model: &dyn ChatModel, question: String) -> Result<(), Error> {
    let request = Request {
        input: vec![Item::User(question)],
        ..Request::default()
    };
    let mut events = model.stream(request);
    let mut out = std::io::stdout();
    while let Some(event) = events.next().await {
        match event? {
            Event::Reasoning(_) => {}
            Event::Text(piece) => {
                print!("{piece}");
                // A terminal that has gone away is no reason to stop.
                let _gone = out.flush();
            }
            Event::Retrying {
                attempt,
                delay,
                error,
            } => {
                eprintln!("{error}; attempt {attempt} follows in {delay:?}");
            }
            Event::Completed(reply) => {
                let usage = reply.usage;
                println!(
                    "\n[{}: {} tokens in, {} out]",
                    reply.model, usage.input, usage.output
                );
            }
        }
    }
    Ok(())
}
