//! The native profile: methods, results, notifications and events over JSON-RPC 2.0.
//!
//! A field that is left out means "none" or "the default"; `null` means the same. Fields and enum values that this
//! version does not know are ignored, so that either side can be the newer one. Ids are opaque strings, times are
//! milliseconds since 1970 UTC, text offsets and lengths count Unicode scalar values unless they say bytes.

mod artifact;
mod chat;
mod event;
mod fact;
mod files;
mod memory;
mod method;
mod notification;
mod operation;
mod portable;
mod profile;
mod project;
mod recall;
mod session;
mod summary;
mod system;

pub use artifact::*;
pub use chat::*;
pub use event::*;
pub use fact::*;
pub use files::*;
pub use memory::*;
#[cfg(feature = "ts")]
pub(crate) use method::visit_method_types;
pub use method::*;
#[cfg(feature = "ts")]
pub(crate) use notification::visit_notification_types;
pub use notification::*;
pub use operation::*;
pub use portable::*;
pub use profile::*;
pub use project::*;
pub use recall::*;
pub use session::*;
pub use summary::*;
pub use system::*;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

/// The version of the native profile that this crate describes.
pub const PROTOCOL_VERSION: u32 = 1;

/// Parameters or a result with nothing in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(type = "Record<string, unknown>"))]
pub struct Empty {}
