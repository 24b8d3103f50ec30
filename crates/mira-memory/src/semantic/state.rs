//! How the vector store stands to the truth.

use std::sync::{Mutex, PoisonError};

use mira_store::vector::{Space, VectorError};

use super::chain;

/// How the vector store stands to the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexState {
    /// There is no embedder, or nowhere to search.
    Off,
    /// It has not been compared since the start, or since it failed or a change of it was cut short.
    Unknown {
        /// What failed.
        error: Option<String>,
    },
    /// It is being filled; searches find what is there already.
    Filling {
        done: u64,
        total: u64,
    },
    Ready,
    /// The stored vectors were made with something else than the configured embedder; they are left alone until they are
    /// made anew.
    Refused {
        found: Space,
        wanted: Space,
    },
}

impl Default for IndexState {
    fn default() -> Self {
        Self::Unknown { error: None }
    }
}

impl IndexState {
    /// What a person should know; none when all is well.
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::Off | Self::Ready => None,
            Self::Unknown { error: None } => Some("the vector index is being opened".to_owned()),
            Self::Unknown { error: Some(error) } => Some(format!("the vector index failed: {error}")),
            Self::Filling { done, total } => {
                Some(format!("the vector index is being rebuilt: {done} of {total}"))
            }
            Self::Refused { found, wanted } => Some(format!(
                "the stored vectors were made with {found}, the configured embedder is {wanted}; run `mira-backend reindex`"
            )),
        }
    }
}

/// The state, as everybody sees it.
#[derive(Debug, Default)]
pub(crate) struct Index {
    // Set by one worker, read by all.
    state: Mutex<IndexState>,
    /// Held by whoever changes the store, so that what is changed there last is what became true last.
    pub(super) changing: tokio::sync::Mutex<()>,
}

impl Index {
    pub(crate) fn state(&self) -> IndexState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, state: IndexState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    pub(super) fn failed(&self, error: &VectorError) {
        self.set(IndexState::Unknown {
            error: Some(chain(error)),
        });
    }

    /// For a change of the truth that the store is yet to follow: unless it is told that the store has, the index counts as
    /// not compared from then on, also when the work is dropped half-way.
    pub(super) fn behind(&self) -> Behind<'_> {
        Behind(Some(self))
    }
}

#[derive(Debug)]
pub(super) struct Behind<'a>(Option<&'a Index>);

impl Behind<'_> {
    pub(super) fn caught_up(mut self) {
        self.0 = None;
    }
}

impl Drop for Behind<'_> {
    fn drop(&mut self) {
        if let Some(index) = self.0
            && index.state() == IndexState::Ready
        {
            index.set(IndexState::default());
        }
    }
}
