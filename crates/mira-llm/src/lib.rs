//! Talking to language models: chat that streams, thinks and calls tools, embeddings, and token counts.
//!
//! A [`ChatModel`] takes a [`chat::Request`], which holds the whole conversation, and gives a stream of
//! [`chat::Event`]s that ends with the complete [`chat::Reply`]. There are two of them:
//!
//! - [`openai::Responses`] speaks OpenAI's Responses API;
//! - [`compatible::ChatCompletions`] speaks chat completions as DeepSeek, OpenAI and compatible servers do.
//!
//! Both take and give the same items, so that a conversation can move from one to the other. What belongs to a
//! provider alone, such as encrypted reasoning, travels inside the items and is ignored elsewhere.
//!
//! ```no_run
//! use std::io::Write as _;
//!
//! use futures_util::StreamExt as _;
//! use mira_llm::chat::{Event, Item, Request, Tool};
//! use mira_llm::compatible::{ChatCompletions, ChatOptions, Dialect};
//! use mira_llm::{ChatModel as _, Endpoint};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let endpoint = Endpoint::new("https://api.deepseek.com").api_key(std::env::var("DEEPSEEK_API_KEY")?);
//! let model = ChatCompletions::new(endpoint, ChatOptions::new("deepseek-v4-flash", Dialect::DeepSeek))?;
//!
//! let mut request = Request {
//!     instructions: "You answer in one sentence.".to_owned(),
//!     input: vec![Item::User("What time is it?".to_owned())],
//!     tools: vec![Tool {
//!         name: "now".to_owned(),
//!         description: "The current time in UTC.".to_owned(),
//!         parameters: serde_json::json!({"type": "object", "properties": {}, "additionalProperties": false}),
//!         strict: false,
//!     }],
//!     ..Request::default()
//! };
//! loop {
//!     let mut events = model.stream(request.clone());
//!     let mut calls = Vec::new();
//!     while let Some(event) = events.next().await {
//!         match event? {
//!             Event::Text(piece) => write!(std::io::stdout(), "{piece}")?,
//!             Event::Reasoning(_) | Event::Retrying { .. } => {}
//!             Event::Completed(reply) => {
//!                 calls.extend(reply.tool_calls().cloned());
//!                 request.input.extend(reply.items);
//!             }
//!         }
//!     }
//!     if calls.is_empty() {
//!         break;
//!     }
//!     for call in calls {
//!         let output = "2026-11-22T12:00:00Z".to_owned();
//!         request.input.push(Item::ToolOutput { call_id: call.call_id, output });
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Where the stream is of no interest, [`complete`] waits for the reply.
//!
//! # Embeddings
//!
//! An [`embedding::Embedder`] turns texts into vectors. [`embedding::OpenAiEmbeddings`] asks OpenAI or a compatible
//! server. With the feature `local-embeddings`, `embedding::LocalEmbeddings` needs neither key nor network: it
//! computes them in this process, from the directory of a model of the BERT family such as `all-MiniLM-L6-v2`.
//!
#![cfg_attr(
    feature = "local-embeddings",
    doc = r#"
```no_run
use std::path::Path;

use mira_llm::embedding::{Embedder as _, LocalEmbeddings};

# async fn example() -> Result<(), Box<dyn std::error::Error>> {
let model = LocalEmbeddings::open(Path::new("models/all-MiniLM-L6-v2"))?;
let texts = ["How do I undo a commit?".to_owned(), "git revert makes a new one".to_owned()];
let vectors = model.embed(&texts).await?;
let similarity: f32 = vectors[0].iter().zip(&vectors[1]).map(|(a, b)| a * b).sum();
assert!(similarity > 0.2);
# Ok(())
# }
```
"#
)]
//! # What a caller can rely on
//!
//! - The same request is sent in the same bytes, so that a provider's prefix cache can work.
//! - A failed attempt is repeated, as [`Retry`] says, only while the caller has seen no content. After that the
//!   error is the caller's to handle, because text cannot be taken back.
//! - A tool call is delivered whole or not at all, and a reply that was cut off is an error.
//! - No stream waits for ever: [`Timeouts`] limit the silence before the first content, the silence after it, and
//!   the time that keepalives alone can fill.
//! - Nothing runs in the background. A stream is driven by polling it and cancelled by dropping it. (A local model
//!   computes on tokio's blocking threads, a few texts at a time.)
//! - An [`Error`] says who failed, how, and whether trying again can help; it never holds an API key.
//! - What an upstream adds to its protocol is skipped.
//!
//! # TLS
//!
//! TLS is rustls. If the program has installed no process-wide crypto provider by the time the first model is
//! made, *ring* is installed.
//!
//! # Features
//!
//! - `scripted`: a local HTTP server that speaks the providers' wire formats from a script, for tests and
//!   demonstrations without a network.
//! - `local-embeddings`: embeddings computed in this process. Pure Rust, on one or more processor cores.

pub mod chat;
pub mod compatible;
mod effort;
pub mod embedding;
mod endpoint;
mod error;
mod failure;
pub mod openai;
mod replies;
#[cfg(feature = "scripted")]
pub mod scripted;
mod sse;
pub mod tokens;
mod transport;
mod usage;

pub use chat::{ChatModel, complete};
pub use effort::Effort;
pub use endpoint::{Endpoint, Retry, Timeouts};
pub use error::{Detail, Error, Phase};
pub use usage::Usage;
