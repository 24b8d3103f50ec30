//! The wire of Mira: the requests, responses, events and errors that a client and the server exchange over a WebSocket.
//!
//! There are two profiles. [`native`] is JSON-RPC 2.0 and what new clients speak; [`classic`] is one JSON object per
//! frame and serves an existing frontend unmodified. Both share the codes of [`error`]. The crate holds shapes and the
//! reading and writing of them, nothing else: no sockets, no runtime, no rule of what Mira does.
//!
//! A client names a method by its type, which ties the parameters to the result:
//!
//! ```
//! use mira_proto::native::{ChatSend, ChatSendParams, ChatSendResult, Event, Method, Notification};
//! use mira_proto::rpc::{Id, Message, Outcome, Request};
//!
//! // A call.
//! let params = ChatSendParams {
//!     session_id: "s1".into(),
//!     content: "why does the build fail?".into(),
//!     ..ChatSendParams::default()
//! };
//! let frame = serde_json::to_string(&Request::new(Id::Number(1), ChatSend::NAME, params))?;
//! assert!(frame.contains(r#""method":"chat.send""#));
//!
//! // Its answer.
//! let answer = r#"{"jsonrpc":"2.0","id":1,"result":{"message_id":"m1","operation_id":"o1","seq":7,"queued":0}}"#;
//! let Message::Response(response) = Message::parse(answer)? else { panic!("not a response") };
//! let Outcome::Result(result) = response.outcome else { panic!("refused") };
//! let accepted: ChatSendResult = serde_json::from_str(result.get())?;
//! assert_eq!(accepted.operation_id, "o1");
//!
//! // What follows.
//! let event = r#"{"jsonrpc":"2.0","method":"event","params":{"session_id":"s1","seq":8,"time_ms":0,
//!     "event":{"type":"operation.streaming","operation_id":"o1","item_id":"i1","offset":0,"delta":"Because"}}}"#;
//! let Message::Notification(received) = Message::parse(event)? else { panic!("not a notification") };
//! match Notification::parse(&received.method, received.params.as_deref())? {
//!     Notification::Event(notification) => match notification.event {
//!         Event::Streaming { delta, .. } => assert_eq!(delta, "Because"),
//!         other => panic!("{other:?}"),
//!     },
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A server reads a frame with [`rpc::Message::parse`] and its parameters with [`native::Call::parse`], or, for the
//! classic profile, both at once with [`classic::Incoming::parse`]. Every error says which parameter is at fault and
//! turns into an [`error::ErrorBody`].
//!
//! # Compatibility
//! A released type is a promise. Members that are not known are ignored, values that are not known are kept in an
//! `Other` variant, events that are not known become [`native::Event::Unknown`]; so either side may be the newer one.
//!
//! # Features
//! `ts` adds `schema::typescript`, the same types in TypeScript. [`schema::json()`] gives them as JSON Schema. Both
//! are checked in under `schema/`.

pub mod classic;
pub mod error;
pub mod native;
mod open_enum;
mod params;
pub mod rpc;
pub mod schema;
