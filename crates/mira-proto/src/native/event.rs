//! What happens in an operation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use super::{Artifact, ModelUsage, OperationKind, OperationStatus};
use crate::error::ErrorBody;
use crate::open_enum::open_enum;

/// What the documentation says of a kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventInfo {
    /// Its `type` on the wire.
    pub name: &'static str,
    /// Its members with their Rust types, such as `seq: u64`.
    pub fields: &'static [&'static str],
    /// What it says.
    pub summary: &'static str,
}

macro_rules! events {
    ($(#[doc = $doc:literal] $variant:ident = $name:literal {
        $($(#[$field_meta:meta])* $field:ident: $type:ty,)*
    })+) => {
        /// Something that happened in an operation, told apart by `type`.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
        #[serde(tag = "type")]
        pub enum Event {
            $(
                #[doc = $doc]
                #[serde(rename = $name)]
                $variant {
                    /// The operation.
                    operation_id: String,
                    $($(#[$field_meta])* $field: $type,)*
                },
            )+
            /// A kind of event that this version does not know; only its number matters.
            #[serde(other, rename = "unknown")]
            #[schemars(skip)]
            #[cfg_attr(feature = "ts", ts(skip))]
            Unknown,
        }

        impl Event {
            /// Every kind of event, in the order of the documentation.
            pub const TYPES: &'static [EventInfo] = &[
                $(EventInfo {
                    name: $name,
                    fields: &["operation_id: String", $(concat!(stringify!($field), ": ", stringify!($type))),*],
                    summary: $doc,
                },)+
            ];

            /// The `type` of the event.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)+
                    Self::Unknown => "unknown",
                }
            }

            /// The operation that it happened in; `None` for an unknown event.
            pub fn operation_id(&self) -> Option<&str> {
                match self {
                    $(Self::$variant { operation_id, .. })|+ => Some(operation_id),
                    Self::Unknown => None,
                }
            }
        }
    };
}

events! {
    /// Its turn was accepted and the user's message is on disk. Always the first.
    Started = "operation.started" {
        /// The user's message that it answers.
        message_id: String,
        /// What it does.
        kind: OperationKind,
    }
    /// It moved on.
    StatusChanged = "operation.status_changed" {
        /// Where it stood.
        from: OperationStatus,
        /// Where it stands.
        to: OperationStatus,
    }
    /// What a model was given to work with, part by part.
    Context = "operation.context" {
        /// Which model it was put together for.
        purpose: ContextPurpose,
        /// The model's name at its provider.
        model: String,
        /// The parts, in the order in which the model reads them.
        parts: Vec<ContextPart>,
        /// The size of all of them in tokens.
        total_tokens: u64,
    }
    /// More of the model's summary of its reasoning.
    Reasoning = "operation.reasoning" {
        /// The item that grows.
        item_id: String,
        /// Where the delta begins in the item's text, in Unicode scalar values.
        offset: u64,
        /// The new text.
        delta: String,
    }
    /// More of the answer.
    Streaming = "operation.streaming" {
        /// The item that grows.
        item_id: String,
        /// Where the delta begins in the item's text, in Unicode scalar values.
        offset: u64,
        /// The new text.
        delta: String,
    }
    /// The reasoner calls a tool.
    ToolStarted = "operation.tool_started" {
        /// The call.
        call_id: String,
        /// The tool's name.
        tool: String,
        /// What it is about to do, in a few words.
        summary: String,
    }
    /// A tool call ended.
    ToolFinished = "operation.tool_finished" {
        /// The call.
        call_id: String,
        /// The tool's name.
        tool: String,
        /// Whether it did what it was asked.
        ok: bool,
        /// What came of it, in a few words.
        summary: String,
        /// How long it took, in milliseconds.
        duration_ms: u64,
    }
    /// The reasoner handed work to the code model.
    Delegated = "operation.delegated" {
        /// The delegation.
        delegation_id: String,
        /// The tool call that asked for it.
        call_id: String,
        /// The tool's name.
        tool: String,
        /// The code model's name at its provider.
        model: String,
        /// The file that was asked for, relative to the project.
        path: String,
        /// What was asked for.
        brief: String,
    }
    /// An artifact begins to take shape.
    ArtifactPreview = "operation.artifact_preview" {
        /// The artifact that will be completed.
        artifact_id: String,
        /// The file, relative to the project.
        path: String,
        /// Its language, in lower case.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
        /// The first lines.
        preview: String,
    }
    /// An artifact is ready for review.
    ArtifactCompleted = "operation.artifact_completed" {
        /// The artifact.
        artifact: Box<Artifact>,
    }
    /// An artifact was written to disk; may come after the operation has ended.
    ArtifactApplied = "operation.artifact_applied" {
        /// The artifact.
        artifact_id: String,
        /// The file, relative to the project.
        path: String,
    }
    /// Writing an artifact was undone; may come after the operation has ended.
    ArtifactUndone = "operation.artifact_undone" {
        /// The artifact.
        artifact_id: String,
        /// The file, relative to the project.
        path: String,
    }
    /// A model call failed and will be tried again.
    Retrying = "operation.retrying" {
        /// The model's name at its provider.
        model: String,
        /// The attempt that comes, counted from 1.
        attempt: u32,
        /// How long until then, in milliseconds.
        delay_ms: u64,
        /// Why the last one failed.
        error: ErrorBody,
    }
    /// It ended well.
    Completed = "operation.completed" {
        /// The stored answer; absent when there were no words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_id: Option<String>,
        /// Tokens by role and model.
        usage: Vec<ModelUsage>,
        /// The limit that ended it early.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<LimitKind>,
    }
    /// It ended with an error.
    Failed = "operation.failed" {
        /// Why.
        error: ErrorBody,
    }
    /// The user ended it.
    Cancelled = "operation.cancelled" {}
    /// A stop of the server ended it.
    Interrupted = "operation.interrupted" {
        /// Why, for people.
        reason: String,
    }
    /// In the place of an event whose content was erased; only its number matters.
    Erased = "operation.erased" {}
}

impl Event {
    /// Whether this is the one event that ends an operation's run.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Completed { .. } | Self::Failed { .. } | Self::Cancelled { .. } | Self::Interrupted { .. }
        )
    }
}

open_enum! {
    /// Which model a context was put together for.
    pub enum ContextPurpose {
        /// The conversing model.
        Reasoner = "reasoner",
        /// The code model.
        Coder = "coder",
    }
}

/// One part of what a model was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ContextPart {
    /// What it is, such as `persona` or `recent_turns`.
    pub name: String,
    /// Which one, such as a file's path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Its size.
    pub tokens: u64,
    /// How large it may be.
    pub cap_tokens: u64,
    /// Whether it was cut to fit.
    pub truncated: bool,
    /// Why it is there.
    pub reason: String,
    /// What of memory it was made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<ContextSource>,
}

open_enum! {
    /// What part of memory something is.
    pub enum ContextSourceKind {
        /// A message.
        Memory = "memory",
        /// Something known of the user.
        Fact = "fact",
        /// How the user works.
        Pattern = "pattern",
        /// What the user prefers.
        Profile = "profile",
        /// A summary.
        Summary = "summary",
    }
}

/// Something remembered that a part was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct ContextSource {
    /// What it is.
    pub kind: ContextSourceKind,
    /// Which one, such as the `message_id` or `fact_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How well it fits; comparable within one part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Why it is there, for people.
    pub why: String,
}

open_enum! {
    /// A limit that ends an operation early.
    pub enum LimitKind {
        /// Too many rounds of tool calls.
        Iterations = "iterations",
        /// Too many tokens.
        Tokens = "tokens",
    }
}
