//! What is known of a user, with a life: confirmed, refined, superseded, retracted; never overwritten.

use serde::{Deserialize, Serialize};

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    Personal,
    Professional,
    Technical,
    Preference,
    Biographical,
}
