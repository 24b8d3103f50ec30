//! What was said, and what a person decides about it.

use std::collections::HashMap;

use mira_memory::analysis::{self, Analysis};
use mira_memory::{Message, NewMessage, Role, Scope};
use mira_ops::{Behind, Keyed};
use mira_proto::error::ErrorCode;
use mira_proto::native::{
    self, MemoryDeleteResult, MemoryGetRecentParams, MemoryGetRecentResult, MemorySaveParams,
    MemoryUpdateSalienceParams, MessageChangeParams, MessageResult,
};
use mira_store::{MessageId, ProjectId, SessionId};

use super::{Mira, id, next_cursor, optional_id, page_size};
use crate::dispatch::unwritable;
use crate::fault::Fault;
use crate::wire;

impl Mira {
    pub(crate) async fn memory_get_recent(
        &self,
        params: MemoryGetRecentParams,
    ) -> Result<MemoryGetRecentResult, Fault> {
        let session = self.known_session(&params.session_id).await?;
        let before = match params.cursor.as_deref().map(str::parse::<i64>) {
            Some(Ok(number)) => Some(number),
            Some(Err(_)) => return Err(not_a_cursor()),
            None => None,
        };
        let size = page_size(params.limit);
        let (page, behind) = self.recent(session, before, size).await?;
        Ok(MemoryGetRecentResult {
            next_cursor: next_cursor(&page, size, |message| message.number.to_string()),
            messages: self.shown(page, &behind).await?,
        })
    }

    /// A page of messages, newest first, with what made them.
    pub(crate) async fn recent(
        &self,
        session: SessionId,
        before: Option<i64>,
        size: u32,
    ) -> Result<(Vec<Message>, HashMap<MessageId, Behind>), Fault> {
        let page = self.memory.page(session, before, size).await?;
        let ids: Vec<MessageId> = page.iter().map(|message| message.id).collect();
        let behind = self.operations.behind(&ids).await?;
        Ok((page, behind))
    }

    /// What was found out about messages, by number.
    pub(crate) async fn analyses(&self, messages: &[Message]) -> Result<HashMap<i64, Analysis>, Fault> {
        let numbers: Vec<i64> = messages.iter().map(|message| message.number).collect();
        let reader = self.database.readers().acquire().await;
        let mut reader = reader.map_err(mira_memory::Error::from)?;
        Ok(analysis::of(&mut reader, &numbers).await?)
    }

    /// Messages with what was found out about them.
    pub(super) async fn shown(
        &self,
        messages: Vec<Message>,
        behind: &HashMap<MessageId, Behind>,
    ) -> Result<Vec<native::Message>, Fault> {
        let analyses = self.analyses(&messages).await?;
        let shown = messages.into_iter().map(|message| {
            let analysis = analyses.get(&message.number);
            let behind = behind.get(&message.id);
            wire::message(message, analysis, behind)
        });
        Ok(shown.collect())
    }

    /// A message as it is now.
    async fn result(&self, message: Message) -> Result<MessageResult, Fault> {
        let behind = self.operations.behind(&[message.id]).await?;
        let analysis = self.analyses(std::slice::from_ref(&message)).await?;
        let (analysis, behind) = (analysis.get(&message.number), behind.get(&message.id));
        Ok(MessageResult {
            message: wire::message(message, analysis, behind),
        })
    }

    pub(crate) async fn memory_save(&self, params: MemorySaveParams) -> Result<MessageResult, Fault> {
        let new = self.to_save(params).await?;
        Ok(saved(self.memory.save(new).await?))
    }

    /// Like [`Self::memory_save`], where a repeat is answered like the first time.
    pub(crate) async fn memory_save_once(
        &self,
        params: MemorySaveParams,
        request: &Keyed<'_>,
    ) -> Result<String, Fault> {
        let new = self.to_save(params).await?;
        let answer = |message| serde_json::to_string(&saved(message)).map_err(|error| unwritable(&error));
        self.operations.save_once(new, request, answer).await
    }

    async fn to_save(&self, params: MemorySaveParams) -> Result<NewMessage, Fault> {
        if params.content.trim().is_empty() {
            return Err(Fault::new(ErrorCode::InvalidParams, "the message is empty").field("content"));
        }
        Ok(NewMessage {
            project: self.known_project(params.project_id.as_deref()).await?,
            tags: params.tags.unwrap_or_default(),
            ..NewMessage::new(
                id(&params.session_id, "session_id")?,
                said_by(params.role.as_ref(), "role")?,
                params.content,
            )
        })
    }

    pub(crate) async fn memory_pin(&self, params: MessageChangeParams) -> Result<MessageResult, Fault> {
        let message: MessageId = id(&params.message_id, "message_id")?;
        let pinned = self.memory.pin(message).await?;
        self.result(pinned.ok_or_else(|| unknown_message(message))?).await
    }

    pub(crate) async fn memory_unpin(&self, params: MessageChangeParams) -> Result<MessageResult, Fault> {
        let message: MessageId = id(&params.message_id, "message_id")?;
        let unpinned = self.memory.unpin(message).await?;
        self.result(unpinned.ok_or_else(|| unknown_message(message))?)
            .await
    }

    pub(crate) async fn memory_update_salience(
        &self,
        params: MemoryUpdateSalienceParams,
    ) -> Result<MessageResult, Fault> {
        let message: MessageId = id(&params.message_id, "message_id")?;
        let updated = self.memory.update_salience(message, params.salience).await?;
        self.result(updated.ok_or_else(|| unknown_message(message))?)
            .await
    }

    pub(crate) async fn memory_delete(
        &self,
        params: MessageChangeParams,
    ) -> Result<MemoryDeleteResult, Fault> {
        let message: MessageId = id(&params.message_id, "message_id")?;
        if !self.memory.delete_message(message).await? {
            return Err(unknown_message(message));
        }
        Ok(MemoryDeleteResult {
            message_id: params.message_id,
        })
    }

    /// The project that a parameter names, if it names one; it must exist.
    pub(super) async fn known_project(&self, named: Option<&str>) -> Result<Option<ProjectId>, Fault> {
        let Some(project) = optional_id::<ProjectId>(named, "project_id")? else {
            return Ok(None);
        };
        match self.workspace.project(project).await? {
            Some(_) => Ok(Some(project)),
            None => {
                Err(Fault::not_found("project", project, "project_id")
                    .hint("project.list shows those there are"))
            }
        }
    }

    /// The part of memory that parameters name: at most one of these, everything when there is none. What belongs to a
    /// project may outlive it, so that it need not exist.
    pub(super) async fn scope(
        &self,
        session: Option<&str>,
        project: Option<&str>,
        user: Option<String>,
    ) -> Result<Scope, Fault> {
        match (session, project, user) {
            (None, None, None) => Ok(Scope::Everything),
            (Some(session), None, None) => Ok(Scope::Session(self.known_session(session).await?)),
            (None, Some(project), None) => Ok(Scope::Project(id(project, "project_id")?)),
            (None, None, Some(user)) => Ok(Scope::User(user)),
            _ => Err(Fault::new(
                ErrorCode::InvalidParams,
                "session_id, project_id and user exclude each other here",
            )
            .field("session_id")
            .hint("give one of them")),
        }
    }
}

/// A message as it is right after it was stored.
fn saved(message: Message) -> MessageResult {
    MessageResult {
        message: wire::message(message, None, None),
    }
}

/// The role that a parameter names; the user's when it is left out.
pub(super) fn said_by(role: Option<&native::Role>, field: &str) -> Result<Role, Fault> {
    match role {
        None | Some(native::Role::User) => Ok(Role::User),
        Some(native::Role::Assistant) => Ok(Role::Assistant),
        Some(native::Role::Other(other)) => Err(Fault::new(
            ErrorCode::InvalidParams,
            format!("{other:?} is not a role; it is user or assistant"),
        )
        .field(field)),
    }
}

pub(super) fn unknown_message(message: MessageId) -> Fault {
    Fault::not_found("message", message, "message_id")
        .hint("memory.get_recent and memory.search show messages")
}

pub(super) fn not_a_cursor() -> Fault {
    Fault::new(ErrorCode::InvalidParams, "this is not a cursor of a page before").field("cursor")
}
