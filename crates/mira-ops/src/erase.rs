//! Forgetting for good: what memory, the journal and the undo history hold of a session, a project or a user.

use mira_memory::erase::{self, Removed};
use mira_memory::{Scope, session};
use mira_store::{FactId, MessageId, OperationId, SessionId};

use crate::table::removal;
use crate::{Error, Operations};

/// What an erasure removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    pub memory: erase::Erased,
    pub operations: u64,
    /// Copies of files that were kept to undo changes.
    pub undo_copies: u64,
}

/// What becomes of the messages that said what is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sources {
    Keep,
    /// They go too, with the answers to them.
    Erase,
}

/// What forgetting a fact removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// The fact in all its states.
    pub facts: Vec<FactId>,
    pub messages: u64,
}

impl Operations {
    /// Removes everything of a scope so that no byte of it is left in the data directory: messages and what follows from
    /// them, facts, operations with their events, artifacts and delegations, and copies of files that were kept for undo. Files
    /// in projects stay as they are. Remembered answers to idempotent requests go too, of all scopes, because they may
    /// repeat anything.
    ///
    /// Errors: [`Error::Busy`] while a turn runs or waits in the scope. Cancel safe as [`mira_memory::Memory::erase`] is.
    pub async fn erase(&self, scope: &Scope) -> Result<Erased, Error> {
        let inner = &self.inner;
        let mut erased = Erased::default();
        {
            // Held until the rows are gone, so that no turn begins in between.
            let queues = inner.queues.lock().await;
            let mut transaction = inner.database.begin().await?;
            let sessions = match scope {
                Scope::Everything => session::all(&mut transaction, None).await?,
                Scope::User(user) => session::all(&mut transaction, Some(user)).await?,
                Scope::Session(session) => vec![*session],
                Scope::Project(_) => Vec::new(),
            };
            let blank = match scope {
                Scope::Project(project) => removal::operations_of_project(&mut transaction, *project).await?,
                Scope::Everything | Scope::User(_) | Scope::Session(_) => Vec::new(),
            };
            let runs_in = |session: &SessionId| queues.contains_key(session);
            let busy = match scope {
                Scope::Project(project) => queues.values().any(|queue| queue.works_on(*project)),
                Scope::Everything | Scope::User(_) | Scope::Session(_) => sessions.iter().any(runs_in),
            };
            if busy {
                return Err(Error::Busy);
            }
            let changes = removal::changes(&mut transaction, &sessions, &blank).await?;
            erased.undo_copies = mira_workspace::forget_changes(&mut transaction, &changes).await?;
            if let Scope::Project(project) = scope {
                erased.undo_copies += mira_workspace::forget_history(&mut transaction, *project).await?;
            }
            erased.operations = removal::sessions(&mut transaction, &sessions).await?;
            removal::empty(&mut transaction, &blank).await?;
            erased.operations += blank.len() as u64;
            removal::answers(&mut transaction).await?;
            erased.memory = erase::rows(&mut transaction, scope).await?;
            transaction.commit().await?;
        }
        self.settle(&erased.memory.removed).await?;
        Ok(erased)
    }

    /// Forgets a fact in all its states; see [`mira_memory::Memory::forget_fact`]. With [`Sources::Erase`] the messages that
    /// said it, the answers to them, what the journal holds of those turns and their undo copies go too, and nothing of it
    /// is left on disk.
    pub async fn forget_fact(&self, fact: FactId, sources: Sources) -> Result<Forgotten, Error> {
        let inner = &self.inner;
        if sources == Sources::Keep {
            let facts = inner.memory.forget_fact(fact).await?;
            return Ok(Forgotten { facts, messages: 0 });
        }
        let (facts, removed) = {
            // Held until the rows are gone, so that no turn begins in between.
            let queues = inner.queues.lock().await;
            let said = inner.memory.sources_of_fact(fact).await?;
            let mut transaction = inner.database.begin().await?;
            let turns = removal::turns_of(&mut transaction, &said).await?;
            if turns
                .iter()
                .any(|turn| queues.contains_key(&turn.session) && !turn.status.is_terminal())
            {
                return Err(Error::Busy);
            }
            let answers: Vec<MessageId> = turns.iter().filter_map(|turn| turn.answer).collect();
            let turns: Vec<OperationId> = turns.iter().map(|turn| turn.id).collect();
            let changes = removal::changes(&mut transaction, &[], &turns).await?;
            mira_workspace::forget_changes(&mut transaction, &changes).await?;
            removal::empty(&mut transaction, &turns).await?;
            removal::answers(&mut transaction).await?;
            let messages: Vec<MessageId> = said.into_iter().chain(answers).collect();
            let removed = erase::messages(&mut transaction, &messages).await?;
            transaction.commit().await?;
            // Last: until it is gone, this can be called again.
            (inner.memory.forget_fact(fact).await?, removed)
        };
        self.settle(&removed).await?;
        Ok(Forgotten {
            facts,
            messages: removed.messages.len() as u64,
        })
    }

    /// Sees to it that what was removed from the tables is gone from the indices and the disk.
    async fn settle(&self, removed: &Removed) -> Result<(), Error> {
        let memory = &self.inner.memory;
        memory.forget(removed).await;
        memory.compact().await?;
        memory.stored();
        Ok(())
    }
}
