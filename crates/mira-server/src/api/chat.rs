//! Sending a turn.

use mira_ops::{Editor, Selection, Turn};
use mira_proto::native::{ChatContext, ChatSendParams, ChatSendResult};

use super::{Mira, id, optional_id};
use crate::fault::Fault;
use crate::wire;

impl Mira {
    pub(crate) async fn chat_send(&self, params: ChatSendParams) -> Result<ChatSendResult, Fault> {
        let turn = Turn {
            session: id(&params.session_id, "session_id")?,
            content: params.content,
            project: optional_id(params.project_id.as_deref(), "project_id")?,
            editor: params.context.map(editor),
            idempotency_key: params.idempotency_key,
        };
        let accepted = self.operations.send(turn).await?;
        Ok(ChatSendResult {
            message_id: accepted.message.to_string(),
            operation_id: accepted.operation.to_string(),
            seq: wire::seq(accepted.seq),
            queued: u32::try_from(accepted.queued).unwrap_or(u32::MAX),
        })
    }
}

fn editor(context: ChatContext) -> Editor {
    let ChatContext {
        file_path,
        file_content,
        language,
        selection,
    } = context;
    Editor {
        path: file_path,
        content: file_content,
        language,
        selection: selection.map(|selection| Selection {
            start_line: selection.start_line,
            end_line: selection.end_line,
            text: selection.text,
        }),
    }
}
