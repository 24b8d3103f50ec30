//! Settings of parts that do not exist yet. Their names are kept, so that a configuration written for them stays valid.

use super::{Group, later};
use crate::config::kind::Kind;

pub(super) const LATER: Group = Group {
    title: "Accepted for later",
    note: Some(
        "These belong to parts that are not built yet: accepted now, without effect until then. A value is checked all the same, and a variable that is set is named in a warning at start.",
    ),
    settings: &[
        later(
            "GIT_ENABLED",
            Kind::Flag,
            "Git: whether projects can be attached to repositories.",
        ),
        later(
            "DEFAULT_REPO_PATH",
            Kind::Path,
            "Git: where repositories are cloned to.",
        ),
    ],
};
