//! How the server is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ts")]
use ts_rs::TS;

use super::ModelBinding;
use crate::open_enum::open_enum;

/// Result of `system.status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct SystemStatusResult {
    /// The version of the server.
    pub version: String,
    /// How long it runs, in milliseconds.
    pub uptime_ms: u64,
    /// Which models are bound to which role.
    pub models: Vec<ModelBinding>,
    /// How memory keeps up.
    pub memory: MemoryStatus,
}

/// How memory keeps up with what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct MemoryStatus {
    /// The index of vectors.
    pub index: IndexStatus,
    /// What turns texts into vectors; absent when nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedder: Option<EmbedderStatus>,
    /// Where the vectors are searched; absent when nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vectors: Option<VectorsStatus>,
    /// Messages that wait to be analysed.
    pub analysis: Backlog,
    /// Things that wait for their vectors.
    pub embedding: Backlog,
    /// The work in the background.
    pub jobs: Vec<JobStatus>,
    /// Why recall does not go by meaning as it should, for people; absent when it does, or was not set up to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
}

open_enum! {
    /// How the index of vectors stands.
    pub enum IndexState {
        /// There is none: recall goes by words alone.
        Off = "off",
        /// It is being opened, or failed and is tried again.
        Unknown = "unknown",
        /// It is being filled; what is there already is found.
        Filling = "filling",
        /// It is complete.
        Ready = "ready",
        /// It was made by another embedder; recall goes by words until it is made anew with `mira-backend reindex`.
        Refused = "refused",
    }
}

/// The index of vectors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct IndexStatus {
    /// How it stands.
    pub state: IndexState,
    /// While it is being filled, how many vectors are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<u64>,
    /// While it is being filled, how many there will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

/// What turns texts into vectors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct EmbedderStatus {
    /// Its name, which is stamped on the vectors.
    pub name: String,
    /// The length of its vectors.
    pub dimension: u32,
}

/// Where vectors are searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct VectorsStatus {
    /// Whether searches are answered.
    pub ready: bool,
    /// Where it is and what is wrong, for people.
    pub detail: String,
}

/// Work that waits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct Backlog {
    /// How much.
    pub waiting: u64,
    /// How much of it has failed before.
    pub failing: u64,
    /// How long the oldest has waited, in milliseconds; 0 when nothing waits.
    pub lag_ms: u64,
    /// What the last failure said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A job in the background.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS), ts(optional_fields))]
pub struct JobStatus {
    /// Its name, such as `analysis`.
    pub name: String,
    /// How often it runs by itself; absent when it is switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_ms: Option<u64>,
    /// How often it ran since the start.
    pub runs: u64,
    /// How much it did.
    pub done: u64,
    /// How often it failed.
    pub failures: u64,
    /// When it last began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_started_ms: Option<i64>,
    /// When it last ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_finished_ms: Option<i64>,
    /// What went wrong the last time; absent when nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}
