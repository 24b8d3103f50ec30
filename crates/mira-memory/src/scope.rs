//! Which part of what is remembered is meant.

use mira_store::{ProjectId, SessionId};

/// A part of memory, to be exported, erased or counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    Everything,
    /// The sessions of a user with all that belongs to them, and the facts, patterns and profile of the user.
    User(String),
    /// The messages and facts that belong to a project, and the facts that such a message told.
    Project(ProjectId),
    /// One session with all that belongs to it, and the facts that its messages told.
    Session(SessionId),
}

/// Conditions for the rows of a table that are in the scope. Each refers to [`Scope::bound`] as `?1`.
impl Scope {
    pub(crate) fn bound(&self) -> Option<String> {
        match self {
            Self::Everything => None,
            Self::User(user) => Some(user.clone()),
            Self::Project(id) => Some(id.to_string()),
            Self::Session(id) => Some(id.to_string()),
        }
    }

    /// Sessions; of a project, those with a message in it.
    pub(crate) const fn sessions(&self) -> &'static str {
        match self {
            Self::Everything => "?1 IS NULL",
            Self::User(_) => "sessions.user_id = ?1",
            Self::Project(_) => "sessions.id IN (SELECT session_id FROM messages WHERE project_id = ?1)",
            Self::Session(_) => "sessions.id = ?1",
        }
    }

    /// Messages, under the name that the statement gives to their table. Of a user they are found by walking all, in
    /// their order.
    pub(crate) fn messages(&self, table: &str) -> String {
        match self {
            Self::Everything => "?1 IS NULL".to_owned(),
            Self::User(_) => format!("+{table}.session_id IN (SELECT id FROM sessions WHERE user_id = ?1)"),
            Self::Project(_) => format!("{table}.project_id = ?1"),
            Self::Session(_) => format!("{table}.session_id = ?1"),
        }
    }

    /// Summaries; of a project, those that tell of nothing else.
    pub(crate) const fn summaries(&self) -> &'static str {
        match self {
            Self::Everything => "?1 IS NULL",
            Self::User(_) => "+summaries.session_id IN (SELECT id FROM sessions WHERE user_id = ?1)",
            Self::Project(_) => {
                "summaries.session_id IN (SELECT session_id FROM messages WHERE project_id = ?1)
                 AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.session_id = summaries.session_id
                     AND m.number BETWEEN first_message AND last_message AND m.project_id IS NOT ?1)"
            }
            Self::Session(_) => "summaries.session_id = ?1",
        }
    }

    /// Facts.
    pub(crate) const fn facts(&self) -> &'static str {
        match self {
            Self::Everything => "?1 IS NULL",
            Self::User(_) => "+facts.user_id = ?1",
            Self::Project(_) => {
                "(facts.project_id = ?1 OR facts.source_message IN (SELECT id FROM messages WHERE project_id = ?1))"
            }
            Self::Session(_) => "facts.source_message IN (SELECT id FROM messages WHERE session_id = ?1)",
        }
    }

    /// What belongs to a user as a whole, in tables whose rows have a `user_id`.
    pub(crate) const fn users(&self) -> &'static str {
        match self {
            Self::Everything => "?1 IS NULL",
            Self::User(_) => "user_id = ?1",
            Self::Project(_) | Self::Session(_) => "?1 IS NULL AND FALSE",
        }
    }
}
