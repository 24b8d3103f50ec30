//! A model upstream that answers from a script, for tests, benchmarks and demonstrations without a key.
//!
//! [`Upstream`] is an HTTP server on a loopback port that speaks the providers' own wire formats, streamed and
//! whole: `POST {base}/responses` as OpenAI does, `POST {base}/chat/completions` as DeepSeek and other compatible
//! servers do, `POST {base}/embeddings` and `GET {base}/models`. What it says comes from a [`Script`]: rules, each
//! with conditions on the request and the steps of a reply, built in Rust or read from TOML. The same script
//! answered in the same order gives the same bytes, ids and times included.
//!
//! ```
//! use mira_llm::scripted::{Rule, Script, Upstream};
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let script = Script::new()
//!     .rule(Rule::new("look").no_tool_output().tool_call("read_file", &json!({"path": "src/lib.rs"})))
//!     .rule(Rule::new("answer").tool_output("read_file").text("It is empty."));
//! let upstream = Upstream::start(script).await?;
//! // … a client configured with `upstream.base_url()` and any key talks to it …
//! assert_eq!(upstream.violations(), []);
//! upstream.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # A script in TOML
//!
//! ```
//! # let script = r#"
//! [[rule]]
//! name = "look at the file first"
//! when = { endpoint = "responses", last_user_contains = "rename", no_tool_output = true }
//! times = 1
//! usage = { input = 1200, cached_input = 1000, output = 80, reasoning = 30 }
//! [[rule.step]]
//! reasoning = "I should look first."
//! [[rule.step]]
//! text = "Let me look at it."
//! chunk = 5                      # scalar values per delta
//! delay_ms = 10                  # before each delta
//! [[rule.step]]
//! tool_call = { name = "read_file", arguments = { path = "src/lib.rs" } }
//!
//! [[rule]]
//! name = "busy once, then answer"
//! when = { tool_output = "read_file" }
//! times = 1
//! [[rule.step]]
//! fault = { http = 429, retry_after = 1 }
//!
//! [[rule]]
//! name = "answer"
//! when = { tool_output = "read_file" }
//! [[rule.step]]
//! text = "Renamed "
//! [[rule.step]]
//! hold = "half of the answer"    # until Upstream::release("half of the answer")
//! [[rule.step]]
//! text = "it."
//! # "#;
//! # assert_eq!(mira_llm::scripted::Script::from_toml(script).unwrap().rules.len(), 3);
//! ```
//!
//! The first rule whose conditions all hold and which has uses left answers; a conversation that no rule answers
//! is refused with a message that shows the last user text and all rules. [`When`] lists the conditions.
//!
//! A step is one of
//! * `reasoning`, `text`, `refusal`: content, with `chunk` and `delay_ms`;
//! * `tool_call = { name, arguments }`, or `arguments_text` for a text that need not be JSON; `chunk` and `delay_ms`
//!   apply to the arguments;
//! * `hold`: a name to wait for; `delay_ms` alone: a pause;
//! * `fault`: one of `{ http = 429, retry_after = 1, body = "…" }`, `{ error_event = "code", message = "…", nested =
//!   true }`, `{ failed = "code", message = "…" }`, `{ cut = true }`, `{ stall = true }`, `{ garbage = "…" }` (or an
//!   array of bytes), `{ unknown_event = "type" }`, `{ comment = "keepalive" }`, `{ split_bytes = 3 }`,
//!   `{ no_terminal_event = true }`, `{ incomplete = "max_output_tokens" }`. [`Fault`] explains them.
//!
//! An item of the reply is closed only when the next begins or the reply ends, so a hold or a fault after a tool call
//! happens before the call is complete. In a reply that is not streamed, faults of the stream's bytes have no effect,
//! errors become HTTP errors, and a missing end is a dropped connection.
//!
//! Embeddings are [`embed`], which gives similar vectors for similar texts. A rule with `endpoint = "embeddings"` or
//! `"models"` makes these fail or wait by its faults, holds and pauses.
//!
//! # Every request is checked
//!
//! What a provider would refuse is refused, with 400 in most cases, and kept in [`Upstream::violations`], so that a
//! test can assert at its end that there was nothing. [`Problem`] lists it all: the key, the content type, the
//! fields, the schemas of tools (strict ones by the rules of strict mode), every call of a tool with exactly one
//! output, reasoning items back verbatim before the calls of the turn that they led to, `reasoning_content` back with
//! the calls when thinking is on. Item types of the Responses API are `message`, `reasoning`, `function_call` and
//! `function_call_output`; any other is refused.
//!
//! # Telling what the client did
//!
//! [`Upstream::requests`] has every request with its body, and how its reply ended: [`Outcome::ClientGone`] proves
//! that a cancelled turn was cancelled upstream. Wait with [`Upstream::arrived`],
//! [`Upstream::request_count_reaches`] and [`Upstream::ended`] instead of sleeping.

mod body;
mod chat;
mod check;
mod dialect;
mod embedding;
mod endpoint;
mod envelope;
mod exchange;
mod facts;
mod form;
mod ledger;
mod models;
mod play;
mod record;
mod reply;
mod responses;
mod script;
mod shared;
mod step;
mod tally;
mod upstream;
mod violation;

pub use embedding::embed;
pub use endpoint::Endpoint;
pub use record::{Outcome, Recorded};
pub use script::{Rule, Script, ScriptError, TokenUsage, When};
pub use step::{Action, ErrorEvent, Fault, HttpFault, Step};
pub use upstream::Upstream;
pub use violation::{Problem, Violation};
