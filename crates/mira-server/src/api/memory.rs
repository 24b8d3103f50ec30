//! What was said.

use std::collections::HashMap;

use mira_memory::{Message, NewMessage, Role};
use mira_ops::Behind;
use mira_proto::error::ErrorCode;
use mira_proto::native::{
    self, MemoryGetRecentParams, MemoryGetRecentResult, MemorySaveParams, MemorySaveResult,
};
use mira_store::{MessageId, SessionId};

use super::{Mira, id, next_cursor, optional_id, page_size};
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
            Some(Err(_)) => {
                return Err(
                    Fault::new(ErrorCode::InvalidParams, "this is not a cursor of a page before")
                        .field("cursor"),
                );
            }
            None => None,
        };
        let size = page_size(params.limit);
        let (page, behind) = self.recent(session, before, size).await?;
        Ok(MemoryGetRecentResult {
            next_cursor: next_cursor(&page, size, |message| message.number.to_string()),
            messages: page.into_iter().map(|message| shown(message, &behind)).collect(),
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

    pub(crate) async fn memory_save(&self, params: MemorySaveParams) -> Result<MemorySaveResult, Fault> {
        if params.content.trim().is_empty() {
            return Err(Fault::new(ErrorCode::InvalidParams, "the message is empty").field("content"));
        }
        let role = match params.role {
            None | Some(native::Role::User) => Role::User,
            Some(native::Role::Assistant) => Role::Assistant,
            Some(native::Role::Other(other)) => {
                return Err(Fault::new(
                    ErrorCode::InvalidParams,
                    format!("{other:?} is not a role; it is user or assistant"),
                )
                .field("role"));
            }
        };
        let project = optional_id(params.project_id.as_deref(), "project_id")?;
        let new = NewMessage {
            project,
            ..NewMessage::new(id(&params.session_id, "session_id")?, role, params.content)
        };
        let message = self.memory.save(new).await?;
        Ok(MemorySaveResult {
            message: shown(message, &HashMap::new()),
        })
    }
}

fn shown(message: Message, behind: &HashMap<MessageId, Behind>) -> native::Message {
    let behind = behind.get(&message.id);
    let artifacts: Option<Vec<_>> = behind.map(|behind| {
        behind
            .artifacts
            .iter()
            .map(|artifact| wire::artifact_summary(&artifact.summary))
            .collect()
    });
    native::Message {
        message_id: message.id.to_string(),
        session_id: message.session.to_string(),
        role: match message.role {
            Role::User => native::Role::User,
            Role::Assistant => native::Role::Assistant,
            Role::System => native::Role::Other("system".to_owned()),
        },
        content: message.content,
        time_ms: message.time.ms(),
        project_id: message.project.map(|project| project.to_string()),
        operation_id: behind.map(|behind| behind.operation.to_string()),
        artifacts: artifacts.filter(|artifacts| !artifacts.is_empty()),
    }
}
