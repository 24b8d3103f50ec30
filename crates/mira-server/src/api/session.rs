//! Sessions and operations.

use mira_memory::Session;
use mira_memory::session::{self, DEFAULT_USER};
use mira_proto::error::ErrorCode;
use mira_proto::native::{
    EventNotification, OperationEventsParams, OperationEventsResult, OperationListParams,
    OperationListResult, OperationRef, OperationResult, SessionListParams, SessionListResult,
    SessionOpenParams, SessionSummary,
};
use mira_store::{OperationId, SessionId};

use super::{Mira, id, next_cursor, optional_id, page_size};
use crate::events;
use crate::fault::Fault;
use crate::wire;

impl Mira {
    /// The session that a parameter names; there must be one.
    pub(super) async fn known_session(&self, named: &str) -> Result<SessionId, Fault> {
        let session: SessionId = id(named, "session_id")?;
        match self.memory.session(session).await? {
            Some(_) => Ok(session),
            None => Err(mira_memory::Error::UnknownSession(session).into()),
        }
    }

    /// The session that a client wants to open, and whether it was made for it.
    pub(crate) async fn session_to_open(&self, params: &SessionOpenParams) -> Result<(Session, bool), Fault> {
        match (&params.session_id, &params.name) {
            (Some(_), Some(_)) => {
                Err(Fault::new(ErrorCode::InvalidParams, "give session_id or name, not both").field("name"))
            }
            (Some(wanted), None) => {
                let wanted: SessionId = id(wanted, "session_id")?;
                let session = self.memory.session(wanted).await?;
                let session = session.ok_or(mira_memory::Error::UnknownSession(wanted))?;
                Ok((session, false))
            }
            (None, name) => {
                let user = params.user.as_deref().unwrap_or(DEFAULT_USER);
                self.open_session(name.as_deref(), user).await
            }
        }
    }

    /// The session of a name, made for the user when there is none; without a name, a new one.
    async fn open_session(&self, name: Option<&str>, user: &str) -> Result<(Session, bool), Fault> {
        if let Some(name) = name
            && let Some(session) = self.memory.session_named(name).await?
        {
            return Ok((session, false));
        }
        let mut transaction = self.database.begin().await?;
        // Another client may have made it while this one waited to write.
        if let Some(name) = name
            && let Some(session) = session::named(&mut transaction, name).await?
        {
            return Ok((session, false));
        }
        let session = session::create(&mut transaction, name, user, self.now()).await?;
        let committed = transaction.commit().await;
        committed.map_err(mira_memory::Error::from)?;
        Ok((session, true))
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
        let session = self.known_session(&params.session_id).await?;
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
        let session = self.known_session(&params.session_id).await?;
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
