//! Sessions and operations.

use mira_memory::Session;
use mira_ops::{Opened, Resumed};
use mira_proto::error::ErrorCode;
use mira_proto::native::{
    EventNotification, OperationEventsParams, OperationEventsResult, OperationListParams,
    OperationListResult, OperationRef, OperationResult, SessionListParams, SessionListResult,
    SessionOpenParams, SessionResumeParams, SessionSummary,
};
use mira_store::{OperationId, SessionId};

use super::{Mira, id, next_cursor, optional_id, page_size};
use crate::events;
use crate::fault::Fault;
use crate::wire;

impl Mira {
    /// The session that a client wants to open, and whether it was made for it.
    pub(crate) async fn session_to_open(
        &self,
        params: &SessionOpenParams,
    ) -> Result<(Session, bool, Opened), Fault> {
        let (session, created) = match (&params.session_id, &params.name) {
            (Some(_), Some(_)) => {
                return Err(
                    Fault::new(ErrorCode::InvalidParams, "give session_id or name, not both").field("name"),
                );
            }
            (Some(wanted), None) => {
                let wanted: SessionId = id(wanted, "session_id")?;
                let session = self.memory.session(wanted).await?;
                (
                    session.ok_or_else(|| Fault::not_found("session", wanted, "session_id"))?,
                    false,
                )
            }
            (None, Some(name)) => self.memory.open_session(name).await?,
            (None, None) => (self.memory.create_session().await?, true),
        };
        let opened = self.operations.open_session(session.id).await?;
        Ok((session, created, opened))
    }

    pub(crate) async fn session_to_resume(&self, params: &SessionResumeParams) -> Result<Resumed, Fault> {
        let session: SessionId = id(&params.session_id, "session_id")?;
        Ok(self
            .operations
            .resume_session(session, wire::from_seq(params.after))
            .await?)
    }

    pub(crate) async fn session_list(&self, params: SessionListParams) -> Result<SessionListResult, Fault> {
        let after = match params.cursor {
            Some(cursor) => {
                let cursor: SessionId = id(&cursor, "cursor")?;
                let after = self.memory.session(cursor).await?;
                Some(after.ok_or_else(|| Fault::not_found("session", cursor, "cursor"))?)
            }
            None => None,
        };
        let size = page_size(params.limit);
        let page = self.memory.sessions(after.as_ref(), size).await?;
        let next_cursor = next_cursor(&page, size, |session| session.id.to_string());
        let mut sessions = Vec::with_capacity(page.len());
        for session in page {
            sessions.push(SessionSummary {
                session_id: session.id.to_string(),
                name: session.name,
                created_ms: session.created.ms(),
                updated_ms: session.updated.ms(),
                message_count: wire::seq(session.message_count),
                last_seq: wire::seq(self.operations.last_seq(session.id).await?),
                title: session.title,
            });
        }
        Ok(SessionListResult {
            sessions,
            next_cursor,
        })
    }

    pub(crate) async fn operation_get(&self, params: OperationRef) -> Result<OperationResult, Fault> {
        let operation: OperationId = id(&params.operation_id, "operation_id")?;
        let detail = self.operations.detail(operation).await?;
        let last_seq = self.operations.last_seq(detail.operation.session).await?;
        Ok(OperationResult {
            operation: wire::detail(&detail, last_seq),
        })
    }

    pub(crate) async fn operation_cancel(&self, params: OperationRef) -> Result<OperationResult, Fault> {
        let operation: OperationId = id(&params.operation_id, "operation_id")?;
        self.operations.cancel(operation).await?;
        self.operation_get(params).await
    }

    pub(crate) async fn operation_list(
        &self,
        params: OperationListParams,
    ) -> Result<OperationListResult, Fault> {
        let session: SessionId = id(&params.session_id, "session_id")?;
        let before = optional_id(params.cursor.as_deref(), "cursor")?;
        let size = page_size(params.limit);
        let page = self.operations.list(session, before, size).await?;
        let last_seq = self.operations.last_seq(session).await?;
        Ok(OperationListResult {
            next_cursor: next_cursor(&page, size, |operation| operation.id.to_string()),
            operations: page
                .iter()
                .map(|operation| wire::operation(operation, last_seq))
                .collect(),
        })
    }

    pub(crate) async fn operation_events(
        &self,
        params: OperationEventsParams,
    ) -> Result<OperationEventsResult, Fault> {
        let session: SessionId = id(&params.session_id, "session_id")?;
        let size = page_size(params.limit);
        let after = wire::from_seq(params.after.unwrap_or(0));
        let page = self.operations.events(session, after, size).await?;
        let next_after =
            next_cursor(&page, size, |event| event.seq.to_string()).and_then(|seq| seq.parse().ok());
        let mut events: Vec<EventNotification> = Vec::with_capacity(page.len());
        for recorded in page {
            events.push(events::notification(self, &recorded).await?);
        }
        Ok(OperationEventsResult { events, next_after })
    }
}
