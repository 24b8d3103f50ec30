//! Things of the domain as the frontend knows them.

use std::collections::{HashMap, HashSet};

use mira_memory::{Message, Role, Session};
use mira_ops::Behind;
use mira_proto::classic::{
    Artifact, ListedProject, MemoryData, MemoryEntry, MemoryList, Project, ServerFrame,
};
use mira_proto::native::{self, Role as WireRole};
use mira_proto::rpc::Id;
use mira_store::{MessageId, OperationId, Timestamp};

use crate::api::Mira;
use crate::fault::Fault;
use crate::wire;

/// An artifact. The frontend drops a file without content, so an empty one has a line.
pub(super) fn artifact(artifact: mira_ops::artifact::Artifact) -> Artifact {
    let is_new_file = artifact.summary.is_new_file();
    Artifact {
        id: Some(artifact.summary.id.to_string()),
        title: Some(artifact.summary.path.clone()),
        path: artifact.summary.path,
        content: if artifact.content.is_empty() {
            "\n".to_owned()
        } else {
            artifact.content
        },
        language: artifact.summary.language,
        kind: Some("code".to_owned()),
        change_type: Some("primary".to_owned()),
        diff: Some(artifact.diff),
        is_new_file: Some(is_new_file),
    }
}

/// A project without what only lists show.
pub(super) fn project(project: native::Project) -> Project {
    Project {
        id: project.project_id,
        name: project.name,
        description: project.description,
        tags: Some(project.tags).filter(|tags| !tags.is_empty()),
        owner: None,
        created_at: Timestamp::from_ms(project.created_ms).to_string(),
        updated_at: Timestamp::from_ms(project.updated_ms).to_string(),
    }
}

/// A project of a list. A directory counts as a repository, which is what gives it the buttons of one.
pub(super) fn listed(found: native::Project) -> ListedProject {
    let attached = found.directory.is_some();
    ListedProject {
        project: project(found),
        has_repository: attached,
        repository_url: String::new(),
        import_status: if attached { "Imported" } else { "Pending" }.to_owned(),
        last_sync_at: None,
    }
}

/// What the frontend calls a session.
pub(super) fn session_name(session: &Session) -> String {
    session.name.clone().unwrap_or_else(|| session.id.to_string())
}

/// The messages of a session, newest first, and the turns whose answers are among them.
pub(super) async fn history(
    mira: &Mira,
    session: &Session,
    size: u32,
) -> Result<(ServerFrame, HashSet<OperationId>), Fault> {
    let name = session_name(session);
    let (page, behind) = mira.recent(session.id, None, size).await?;
    let answers = page.iter().filter(|message| message.role == Role::Assistant);
    let answered = answers
        .filter_map(|message| behind.get(&message.id))
        .map(|behind| behind.operation)
        .collect();
    let memories = with_artifacts(mira, &name, page, behind).await?;
    let recent = MemoryList::Recent {
        count: wire::size(memories.len()),
        memories,
        session_id: name,
    };
    Ok((ServerFrame::data(MemoryData::Tagged(recent)), answered))
}

/// Messages without the files that came with them.
pub(super) async fn entries(
    mira: &Mira,
    session: &str,
    messages: Vec<Message>,
) -> Result<Vec<MemoryEntry>, Fault> {
    with_artifacts(mira, session, messages, HashMap::new()).await
}

async fn with_artifacts(
    mira: &Mira,
    session: &str,
    messages: Vec<Message>,
    mut behind: HashMap<MessageId, Behind>,
) -> Result<Vec<MemoryEntry>, Fault> {
    let mut analyses = mira.analyses(&messages).await?;
    let mut entries = Vec::with_capacity(messages.len());
    for message in messages {
        let role = match message.role {
            Role::User => WireRole::User,
            Role::Assistant => WireRole::Assistant,
            // The frontend shows notes of the system as grey text; they are not part of the talk.
            Role::System => continue,
        };
        let behind = behind.remove(&message.id);
        let analysis = analyses.remove(&message.number);
        let about = analysis.as_ref();
        entries.push(MemoryEntry {
            id: Id::Number(message.number),
            session_id: session.to_owned(),
            role,
            content: message.content,
            timestamp: message.time.to_string(),
            salience: about.map(|analysis| wire::rounded(analysis.salience)),
            mood: about.and_then(|analysis| analysis.mood.clone()),
            intent: about.and_then(|analysis| analysis.intent.clone()),
            programming_lang: about.and_then(|analysis| analysis.programming_language.clone()),
            contains_code: about.map(|analysis| analysis.contains_code),
            topics: analysis.map(|analysis| analysis.topics).unwrap_or_default(),
            tags: message.tags,
            artifacts: behind
                .map(|behind| behind.artifacts.into_iter().map(artifact).collect())
                .unwrap_or_default(),
        });
    }
    Ok(entries)
}
