//! How hard a model should think.

use serde::{Deserialize, Serialize};

/// How hard a model should think before it answers. Not every model knows every level; providers refuse or round
/// what they do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
}
