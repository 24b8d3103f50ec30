//! Finding what was said, and what memory has for a turn.

use std::collections::HashMap;
use std::time::Instant;

use mira_memory::recall::{Hit, Query, Recall};
use mira_memory::relationship::Known;
use mira_memory::summary;
use mira_proto::error::ErrorCode;
use mira_proto::native::{
    self, MemoryExplainParams, MemoryExplainResult, MemoryGetContextParams, MemoryGetContextResult,
    MemorySearchParams, MemorySearchResult,
};
use mira_store::vector::Head;
use mira_store::{MessageId, Timestamp};

use super::memory::{said_by, unknown_message};
use super::{Mira, id};
use crate::fault::Fault;
use crate::wire;

/// Hits when the client does not say, and at most.
const HITS: u32 = 10;
const MAX_HITS: u32 = 100;

/// Messages of a context when the client does not say.
const RECENT: u32 = 10;
const SEMANTIC: u32 = 5;

impl Mira {
    pub(crate) async fn memory_search(
        &self,
        params: MemorySearchParams,
    ) -> Result<MemorySearchResult, Fault> {
        let limit = within(params.max_results.unwrap_or(HITS), 1, "max_results")?;
        let roles = params.roles.as_ref().map(|roles| {
            let roles = roles.iter().enumerate();
            roles
                .map(|(index, role)| said_by(Some(role), &format!("roles.{index}")))
                .collect::<Result<Vec<_>, _>>()
        });
        let heads = params.heads.as_ref().map(|heads| {
            let heads = heads.iter().enumerate();
            heads
                .map(|(index, asked)| head(asked, index))
                .collect::<Result<Vec<_>, _>>()
        });
        let place = (params.session_id, params.project_id, params.user);
        let query = Query {
            roles: roles.transpose()?,
            heads: heads.transpose()?,
            since: params.since_ms.map(Timestamp::from_ms),
            until: params.until_ms.map(Timestamp::from_ms),
            ..self.query(params.query, place, limit).await?
        };
        let Recall { hits, degraded } = self.recall(&query).await?;
        Ok(MemorySearchResult {
            count: u32::try_from(hits.len()).unwrap_or(u32::MAX),
            hits: self.hits(hits).await?,
            degraded,
        })
    }

    /// A query for what parameters say; what they name must exist.
    async fn query(
        &self,
        text: String,
        (session, project, user): (Option<String>, Option<String>, Option<String>),
        limit: usize,
    ) -> Result<Query, Fault> {
        if text.trim().is_empty() {
            return Err(Fault::new(ErrorCode::InvalidParams, "there is nothing to look for").field("query"));
        }
        let sessions = match session {
            Some(session) => Some(vec![self.known_session(&session).await?]),
            None => None,
        };
        Ok(Query {
            sessions,
            project: self.known_project(project.as_deref()).await?,
            user,
            ..Query::new(text, limit)
        })
    }

    /// Searches, and notes how long that took.
    pub(crate) async fn recall(&self, query: &Query) -> Result<Recall, Fault> {
        let begun = Instant::now();
        let found = self.memory.recall(query).await;
        self.metrics.recall.observe(begun.elapsed());
        Ok(found?)
    }

    async fn hits(&self, hits: Vec<Hit>) -> Result<Vec<native::MemoryHit>, Fault> {
        let ids: Vec<MessageId> = hits.iter().map(|hit| hit.message.id).collect();
        let behind = self.operations.behind(&ids).await?;
        let shown = hits.into_iter().map(|hit| {
            let behind = behind.get(&hit.message.id);
            wire::hit(hit, behind)
        });
        Ok(shown.collect())
    }

    pub(crate) async fn memory_explain(
        &self,
        params: MemoryExplainParams,
    ) -> Result<MemoryExplainResult, Fault> {
        let message: MessageId = id(&params.message_id, "message_id")?;
        if self.memory.message(message).await?.is_none() {
            return Err(unknown_message(message));
        }
        let place = (params.session_id, params.project_id, params.user);
        let query = self.query(params.query, place, 1).await?;
        let explained = self.memory.explain(&query, message).await?;
        Ok(MemoryExplainResult {
            rank: explained.rank.map(|rank| u32::try_from(rank).unwrap_or(u32::MAX)),
            hit: self.hits(explained.hit.into_iter().collect()).await?.pop(),
            degraded: explained.degraded,
        })
    }

    pub(crate) async fn memory_get_context(
        &self,
        params: MemoryGetContextParams,
    ) -> Result<MemoryGetContextResult, Fault> {
        let session = self.known_session(&params.session_id).await?;
        let recent = within(params.recent_count.unwrap_or(RECENT), 0, "recent_count")?;
        let semantic = within(params.semantic_count.unwrap_or(SEMANTIC), 0, "semantic_count")?;
        let known = self.memory.session(session).await?;
        let user = known.ok_or(mira_memory::Error::UnknownSession(session))?.user;
        let page = self
            .memory
            .page(session, None, u32::try_from(recent).unwrap_or(MAX_HITS))
            .await?;
        let query = Query {
            user: Some(user.clone()),
            without: page.iter().map(|message| message.id).collect(),
            ..Query::new(params.user_text.unwrap_or_default(), semantic)
        };
        let Recall { hits, degraded } = self.recall(&query).await?;
        let Known {
            profile,
            facts,
            patterns,
        } = self.memory.known_of(&user, None).await?;
        let summary::Context { rolling, snapshot } = self.memory.context_summaries(session).await?;
        Ok(MemoryGetContextResult {
            recent: self.shown(page, &HashMap::new()).await?,
            semantic: self.hits(hits).await?,
            summaries: snapshot.into_iter().chain(rolling).map(wire::summary).collect(),
            facts: facts.into_iter().map(wire::fact).collect(),
            patterns: patterns.into_iter().map(wire::pattern).collect(),
            profile: profile.map(wire::profile),
            degraded,
        })
    }
}

/// A number of messages that a client may ask for.
fn within(count: u32, least: u32, field: &str) -> Result<usize, Fault> {
    if (least..=MAX_HITS).contains(&count) {
        return Ok(usize::try_from(count).unwrap_or(usize::MAX));
    }
    Err(Fault::new(
        ErrorCode::InvalidParams,
        format!("{field} is a number from {least} to {MAX_HITS}, not {count}"),
    )
    .field(field))
}

fn head(asked: &native::MemoryHead, index: usize) -> Result<Head, Fault> {
    Ok(match asked {
        native::MemoryHead::Semantic => Head::Semantic,
        native::MemoryHead::Code => Head::Code,
        native::MemoryHead::Summary => Head::Summary,
        native::MemoryHead::Documents => Head::Documents,
        native::MemoryHead::Relationship => Head::Relationship,
        native::MemoryHead::Other(other) => {
            let known = Head::ALL.map(Head::as_str).join(", ");
            return Err(Fault::new(
                ErrorCode::InvalidParams,
                format!("{other:?} is not a head; there are {known}"),
            )
            .field(format!("heads.{index}")));
        }
    })
}
