//! Commands about memory.

use std::time::Duration;

use mira_llm::embedding::Embedder as _;
use mira_memory::recall::Query;
use mira_memory::{Message, NewMessage, Role, Session};
use mira_proto::classic::{
    EmbeddingTest, MemoryCommand, MemoryContext, MemoryContextStats, MemoryData, MemoryGetContext, MemoryHit,
    MemoryImport, MemoryList, MemorySave, MemoryToImport, ServerFrame,
};
use mira_proto::error::ErrorCode;
use mira_proto::native::{
    MemoryGetStatsParams, MemorySaveParams, MemoryTriggerRollingSummaryParams,
    MemoryTriggerSnapshotSummaryParams, Role as WireRole,
};
use mira_proto::rpc::Id;
use mira_store::chain;

use super::command::{data, unknown};
use super::show;
use crate::api::{self, Mira};
use crate::fault::Fault;
use crate::wire;

/// How many when the client does not say.
const HITS: u32 = 10;
const RECENT: u32 = 10;
const SEMANTIC: u32 = 5;

/// Hits, and messages of a context, at most.
const MAX_HITS: u32 = 100;

/// Messages of an export when the client does not say, and at most.
const EXPORTED: u32 = 1_000;

/// What earlier versions counted salience up to.
const OLD_SCALE: f64 = 10.0;

/// The collection that is told where there is no vector server.
const COLLECTION: &str = "mira";

/// How long it may take to embed a word for trial.
const EMBEDDING_PATIENCE: Duration = Duration::from_secs(10);

/// The session that a command names.
pub(super) fn session_of(command: &MemoryCommand) -> Option<&str> {
    match command {
        MemoryCommand::GetRecent(params) => params.session_id.as_deref(),
        MemoryCommand::Save(params) => params.session_id.as_deref(),
        MemoryCommand::Search(params) => params.session_id.as_deref(),
        MemoryCommand::GetContext(params) => params.session_id.as_deref(),
        MemoryCommand::GetStats(params)
        | MemoryCommand::TriggerSnapshotSummary(params)
        | MemoryCommand::CheckQdrant(params) => params.session_id.as_deref(),
        MemoryCommand::TriggerRollingSummary(params) => params.session_id.as_deref(),
        MemoryCommand::Import(params) => params.session_id.as_deref(),
        MemoryCommand::Export(params) => params.session_id.as_deref(),
        MemoryCommand::Pin(_)
        | MemoryCommand::Unpin(_)
        | MemoryCommand::Delete(_)
        | MemoryCommand::UpdateSalience(_)
        | MemoryCommand::Other(_) => None,
    }
}

/// Answers a command about a session.
pub(super) async fn answer(
    mira: &Mira,
    session: &Session,
    command: MemoryCommand,
) -> Result<Vec<ServerFrame>, Fault> {
    let method = command.method().to_owned();
    Ok(data(match command {
        // The connection follows the session as well.
        MemoryCommand::GetRecent(_) => return Ok(vec![]),
        MemoryCommand::Save(params) => save(mira, session, params).await?,
        MemoryCommand::Search(params) => {
            let limit = params.max_results.unwrap_or(HITS).clamp(1, MAX_HITS);
            let hits = search(mira, session, params.query, limit, &[]).await?;
            let results: Vec<MemoryHit> = hits.into_iter().map(hit).collect();
            MemoryData::Tagged(MemoryList::Found {
                count: wire::size(results.len()),
                results,
                session_id: show::session_name(session),
            })
        }
        MemoryCommand::GetContext(params) => context(mira, session, params).await?,
        MemoryCommand::GetStats(_) => {
            let params = MemoryGetStatsParams {
                session_id: Some(session.id.to_string()),
                ..MemoryGetStatsParams::default()
            };
            let stats = mira.memory_get_stats(params).await?;
            MemoryData::Stats {
                stats: serde_json::to_value(stats).unwrap_or_default(),
            }
        }
        MemoryCommand::TriggerRollingSummary(params) => {
            let params = MemoryTriggerRollingSummaryParams {
                session_id: session.id.to_string(),
                window_size: params.window_size,
                idempotency_key: None,
            };
            MemoryData::RollingSummary {
                success: true,
                session_id: show::session_name(session),
                message: mira.memory_trigger_rolling_summary(params).await?.summary.text,
            }
        }
        MemoryCommand::TriggerSnapshotSummary(_) => {
            let params = MemoryTriggerSnapshotSummaryParams {
                session_id: session.id.to_string(),
                idempotency_key: None,
            };
            MemoryData::SnapshotSummary {
                success: true,
                session_id: show::session_name(session),
                summary: mira.memory_trigger_snapshot_summary(params).await?.summary.text,
            }
        }
        MemoryCommand::Import(params) => import(mira, session, params).await?,
        MemoryCommand::Export(params) => {
            let count = params.count.unwrap_or(EXPORTED).clamp(1, EXPORTED);
            let page = mira.memory.page(session.id, None, count).await?;
            let memories = show::entries(mira, &show::session_name(session), page).await?;
            MemoryData::Exported {
                count: wire::size(memories.len()),
                memories,
                session_id: show::session_name(session),
                format: "json".to_owned(),
            }
        }
        MemoryCommand::CheckQdrant(_) => vector_store(mira).await,
        MemoryCommand::Pin(params) => {
            let message = known(mira, session, &params.id).await?;
            mira.memory.pin(message.id).await?;
            curated(method, &message)
        }
        MemoryCommand::Unpin(params) => {
            let message = known(mira, session, &params.id).await?;
            mira.memory.unpin(message.id).await?;
            curated(method, &message)
        }
        MemoryCommand::Delete(params) => {
            let message = known(mira, session, &params.id).await?;
            mira.memory.delete_message(message.id).await?;
            curated(method, &message)
        }
        MemoryCommand::UpdateSalience(params) => {
            let message = known(mira, session, &params.id).await?;
            let salience = new_scale(params.salience);
            mira.memory.update_salience(message.id, salience).await?;
            curated(method, &message)
        }
        MemoryCommand::Other(command) => return Err(unknown(&command.method)),
    }))
}

/// The message of an entry: by its number in the session, or by its id.
async fn known(mira: &Mira, session: &Session, id: &Id) -> Result<Message, Fault> {
    let found = match id {
        Id::Number(number) => {
            let up_to = mira
                .memory
                .page(session.id, Some(number.saturating_add(1)), 1)
                .await?;
            up_to.into_iter().find(|message| message.number == *number)
        }
        Id::String(id) => mira.memory.message(api::id(id, "id")?).await?,
    };
    found.ok_or_else(|| Fault::new(ErrorCode::NotFound, "there is no such message").field("id"))
}

fn curated(method: String, message: &Message) -> MemoryData {
    MemoryData::Curated {
        success: true,
        method,
        entry_id: Id::Number(message.number),
    }
}

async fn save(mira: &Mira, session: &Session, params: MemorySave) -> Result<MemoryData, Fault> {
    let save = MemorySaveParams {
        session_id: session.id.to_string(),
        content: params.content,
        role: params.role,
        project_id: params.project_id,
        ..MemorySaveParams::default()
    };
    let saved = mira.memory_save(save).await?.message;
    let stored = mira
        .memory
        .message(api::id(&saved.message_id, "message_id")?)
        .await?;
    Ok(MemoryData::Saved {
        success: true,
        session_id: show::session_name(session),
        entry_id: stored.map_or(Id::String(saved.message_id), |message| Id::Number(message.number)),
        message: "saved".to_owned(),
    })
}

/// Messages of the session that fit, with their scores. A blank text fits nothing.
async fn search(
    mira: &Mira,
    session: &Session,
    text: String,
    limit: u32,
    without: &[Message],
) -> Result<Vec<mira_memory::recall::Hit>, Fault> {
    let query = Query {
        sessions: Some(vec![session.id]),
        roles: Some(vec![Role::User, Role::Assistant]),
        without: without.iter().map(|message| message.id).collect(),
        ..Query::new(text, usize::try_from(limit).unwrap_or(usize::MAX))
    };
    Ok(mira.recall(&query).await?.hits)
}

fn hit(hit: mira_memory::recall::Hit) -> MemoryHit {
    MemoryHit {
        id: Id::Number(hit.message.number),
        score: wire::rounded(hit.score.total().into()),
        role: Some(WireRole::from(hit.message.role.as_str())),
        timestamp: Some(hit.message.time.to_string()),
        content: hit.message.content,
    }
}

async fn context(mira: &Mira, session: &Session, params: MemoryGetContext) -> Result<MemoryData, Fault> {
    let name = show::session_name(session);
    let recent = params.recent_count.unwrap_or(RECENT).min(MAX_HITS);
    let semantic = params.semantic_count.unwrap_or(SEMANTIC).min(MAX_HITS);
    let page = mira.memory.page(session.id, None, recent).await?;
    let hits = search(
        mira,
        session,
        params.user_text.unwrap_or_default(),
        semantic,
        &page,
    )
    .await?;
    let found = hits.into_iter().map(|hit| hit.message).collect();
    let context = MemoryContext {
        recent: show::entries(mira, &name, page).await?,
        semantic: show::entries(mira, &name, found).await?,
    };
    Ok(MemoryData::Context {
        stats: MemoryContextStats {
            recent_count: wire::size(context.recent.len()),
            semantic_count: wire::size(context.semantic.len()),
        },
        context,
        session_id: name,
    })
}

async fn import(mira: &Mira, session: &Session, params: MemoryImport) -> Result<MemoryData, Fault> {
    let mut imported_ids = Vec::new();
    let mut errors = Vec::new();
    for (index, memory) in params.memories.into_iter().enumerate() {
        match import_one(mira, session, memory).await {
            Ok(message) => imported_ids.push(Id::Number(message.number)),
            Err(Fault(body)) => errors.push(format!("memories.{index}: {}", body.message)),
        }
    }
    Ok(MemoryData::Imported {
        imported: wire::size(imported_ids.len()),
        imported_ids,
        errors,
        session_id: show::session_name(session),
    })
}

async fn import_one(mira: &Mira, session: &Session, memory: MemoryToImport) -> Result<Message, Fault> {
    let invalid = |message: &str| Fault::new(ErrorCode::InvalidParams, message);
    if memory.content.trim().is_empty() {
        return Err(invalid("the message is empty"));
    }
    let role = match memory.role {
        WireRole::User => Role::User,
        WireRole::Assistant => Role::Assistant,
        WireRole::Other(_) => return Err(invalid("a role is user or assistant")),
    };
    let salience = memory.salience.map(new_scale);
    if salience.is_some_and(|salience| !(0.0..=1.0).contains(&salience)) {
        return Err(invalid("a salience is a number from 0 to 1, or up to 10"));
    }
    let mut tags = memory.tags.unwrap_or_default();
    tags.extend(memory.memory_type.filter(|kind| !kind.is_empty()));
    let new = NewMessage {
        tags,
        ..NewMessage::new(session.id, role, memory.content)
    };
    let message = mira.memory.save(new).await?;
    if let Some(salience) = salience {
        mira.memory.update_salience(message.id, salience).await?;
    }
    Ok(message)
}

/// A salience from 0 to 1, also where it was counted up to 10.
fn new_scale(salience: f64) -> f64 {
    if salience > 1.0 {
        salience / OLD_SCALE
    } else {
        salience
    }
}

async fn vector_store(mira: &Mira) -> MemoryData {
    let about = &mira.about.memory;
    let failed = |error: String| EmbeddingTest {
        success: false,
        dimension: None,
        error: Some(error),
    };
    let embedding_test = match &about.embeddings {
        None => failed("no embedder is configured".to_owned()),
        Some(embeddings) => {
            let texts = ["test".to_owned()];
            match tokio::time::timeout(EMBEDDING_PATIENCE, embeddings.embed(&texts)).await {
                Ok(Ok(vectors)) => EmbeddingTest {
                    success: true,
                    dimension: vectors.first().map(|vector| wire::size(vector.len())),
                    error: None,
                },
                Ok(Err(error)) => failed(chain(&error)),
                Err(_) => failed(format!("no answer in {} seconds", EMBEDDING_PATIENCE.as_secs())),
            }
        }
    };
    let collection = about.qdrant.as_ref().map(|(_, collection)| collection.clone());
    MemoryData::VectorStore {
        qdrant_url: about.qdrant.as_ref().map(|(url, _)| url.clone()),
        qdrant_configured: about.qdrant.is_some(),
        openai_embedding_key_configured: about.embeddings.is_some(),
        embedding_heads: about.heads.iter().map(|head| head.as_str().to_owned()).collect(),
        collection_name: collection.unwrap_or_else(|| COLLECTION.to_owned()),
        embedding_test,
    }
}
