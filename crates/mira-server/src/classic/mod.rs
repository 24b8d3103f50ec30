//! The classic profile on one connection: the frames of the existing frontend, made from the same requests, results and
//! events as the native profile.

mod command;
mod memory;
mod show;
mod turn;

use std::collections::HashSet;

use mira_memory::Session;
use mira_ops::{Step, Tail};
use mira_proto::classic::{
    CancelOperation, Chat, ClientFrame, ErrorFrame, Family, Incoming as Parsed, MemoryCommand,
    MemoryGetRecent, ParseError, ServerFrame,
};
use mira_proto::error::ErrorBody;
use mira_proto::native::{ChatContext, ChatSendParams, ModelBinding, ModelRole};
use mira_proto::rpc::Id;
use mira_store::{SessionId, chain};

use crate::api::{self, Mira};
use crate::dispatch::{project_lane, session_lane};
use crate::fault::Fault;
use crate::link::{Link, Next};
use crate::transport::{Connection, Frame, Outgoing, SendError, close_code};
use crate::wire;
use turn::Turns;

/// Messages of a history when the client does not say.
const HISTORY: u32 = 20;

/// Tells a client who it is connected to. Comes before anything else.
pub(crate) async fn greet(mira: &Mira, outgoing: &Outgoing) -> Result<(), SendError> {
    // Those that talk; how memory is helped is told by `system.status`.
    let talking = |binding: &&ModelBinding| matches!(binding.role, ModelRole::Reasoner | ModelRole::Coder);
    let bound = mira.about.models.iter().filter(talking);
    let models: Vec<String> = bound
        .clone()
        .filter_map(|binding| {
            let model = binding.model.as_deref().filter(|_| binding.configured)?;
            Some(format!("{}: {model}", binding.role.as_str()))
        })
        .collect();
    let models = if models.is_empty() {
        "no model is configured".to_owned()
    } else {
        models.join(", ")
    };
    let hints = bound.filter(|binding| !binding.configured);
    let hints: Vec<&str> = hints.filter_map(|binding| binding.hint.as_deref()).collect();
    let hint = (!hints.is_empty()).then(|| hints.join("; "));
    let greeting = format!("Connected to Mira v{}", env!("CARGO_PKG_VERSION"));
    for frame in [
        ServerFrame::status(greeting, None),
        ServerFrame::status(models, hint),
        ServerFrame::ConnectionReady,
    ] {
        outgoing.send(text(&frame)).await?;
    }
    Ok(())
}

/// Serves a connection whose first frame was of this profile, after it was greeted.
pub(crate) async fn serve(mira: Mira, first: Frame, connection: Connection) {
    let mut client = Client {
        link: Link::new(mira, connection),
    };
    client.take(first).await;
    loop {
        match client.link.next().await {
            Next::Frame(frame) => client.take(frame).await,
            Next::Beat => client.heartbeat(),
            Next::End => break,
        }
    }
    client.link.finish().await;
}

struct Client {
    link: Link,
}

impl Client {
    fn heartbeat(&self) {
        self.link.beat(text(&ServerFrame::Heartbeat {
            message: "ping".to_owned(),
            timestamp: self.link.mira.now().seconds(),
        }));
    }

    async fn take(&mut self, frame: Frame) {
        let Parsed {
            request_id,
            frame: parsed,
        } = Parsed::parse(frame.text());
        match parsed {
            Ok(ClientFrame::Chat(chat)) => self.chat(chat, request_id).await,
            Ok(ClientFrame::CancelOperation(cancel)) => self.cancel(cancel, request_id, frame).await,
            Ok(ClientFrame::MemoryCommand(MemoryCommand::GetRecent(params))) => {
                self.history(params, request_id).await;
            }
            Ok(ClientFrame::MemoryCommand(command)) => self.memory(command, request_id, frame).await,
            // These have no answer.
            Ok(ClientFrame::Command(_) | ClientFrame::Status(_) | ClientFrame::Typing(_)) => {}
            Ok(command) => {
                let family = command.family();
                let lane = command::project_of(&command).map(project_lane);
                let mira = self.link.mira.clone();
                let answer = async move { command::answer(&mira, command).await };
                self.handle(lane, (family, request_id), frame, answer).await;
            }
            Err(error) => self.refuse_frame(error, request_id).await,
        }
    }

    /// A frame that cannot be read.
    async fn refuse_frame(&self, error: ParseError, request_id: Option<Id>) {
        let is_chat = matches!(&error, ParseError::InvalidParams { subject, .. } if subject == "chat");
        let family = error.family();
        let fault = Fault(ErrorBody::from(error))
            .hint("a frame is a JSON object with a type, such as {\"type\":\"chat\",\"content\":\"hello\"}");
        self.refuse(family, fault, request_id).await;
        if is_chat {
            self.unlock().await;
        }
    }

    /// Handles a command beside others, after those in the same lane.
    async fn handle(
        &self,
        lane: Option<String>,
        (family, request_id): (Family, Option<Id>),
        frame: Frame,
        answer: impl Future<Output = Result<Vec<ServerFrame>, Fault>> + Send + 'static,
    ) {
        let texts = async move {
            let frames = answer.await.unwrap_or_else(|fault| vec![refusal(family, &fault)]);
            frames
                .into_iter()
                .map(|frame| text(&frame.answering(request_id.clone())))
                .collect()
        };
        self.link.handle(lane, frame, texts).await;
    }

    async fn cancel(&self, cancel: CancelOperation, request_id: Option<Id>, frame: Frame) {
        let mira = self.link.mira.clone();
        let answer = async move {
            let operation = api::id(&cancel.operation_id, "operation_id")?;
            // The end of the turn is shown where its session is followed.
            mira.operations.cancel(operation).await?;
            Ok(vec![])
        };
        self.handle(None, (Family::Chat, request_id), frame, answer).await;
    }

    /// A turn of the user. It is stored before anything else; what comes of it is told by the session's events.
    async fn chat(&mut self, chat: Chat, request_id: Option<Id>) {
        if let Err(fault) = self.begin_turn(chat).await {
            self.refuse(Family::Chat, fault, request_id).await;
            self.unlock().await;
        }
    }

    async fn begin_turn(&mut self, chat: Chat) -> Result<(), Fault> {
        let metadata = chat.metadata.unwrap_or_default();
        let session = self.session(metadata.session_id.as_deref()).await?;
        if !self.link.follows(session.id) {
            let opened = self.link.mira.operations.open_session(session.id).await?;
            let turns = Turns::joining(&self.link.mira, &opened, HashSet::new()).await;
            self.follow(opened.tail, turns);
        }
        let has_file = metadata.file_path.is_some() || metadata.file_content.is_some();
        let send = ChatSendParams {
            session_id: session.id.to_string(),
            content: chat.content,
            project_id: chat.project_id.filter(|project| !project.is_empty()),
            context: has_file.then_some(ChatContext {
                file_path: metadata.file_path,
                file_content: metadata.file_content,
                language: metadata.language,
                selection: metadata.selection,
            }),
            idempotency_key: None,
        };
        self.link.mira.chat_send(send).await?;
        Ok(())
    }

    /// The history of a session, then what happens in it from there on.
    async fn history(&mut self, params: MemoryGetRecent, request_id: Option<Id>) {
        let size = params.count.unwrap_or(HISTORY).clamp(1, api::MAX_PAGE);
        let history = async {
            let session = self.session(params.session_id.as_deref()).await?;
            // Followed before it is read, so that nothing falls in between; what the history already shows is not shown
            // again.
            self.link.unfollow(session.id).await;
            let opened = self.link.mira.operations.open_session(session.id).await?;
            let (frame, answered) = show::history(&self.link.mira, &session, size).await?;
            Ok::<_, Fault>((opened, frame, answered))
        }
        .await;
        match history {
            Ok((opened, frame, answered)) => {
                self.send(frame.answering(request_id)).await;
                let turns = Turns::joining(&self.link.mira, &opened, answered).await;
                self.follow(opened.tail, turns);
            }
            Err(fault) => self.refuse(Family::Memory, fault, request_id).await,
        }
    }

    async fn memory(&self, command: MemoryCommand, request_id: Option<Id>, frame: Frame) {
        let session = match self.session(memory::session_of(&command)).await {
            Ok(session) => session,
            Err(fault) => return self.refuse(Family::Memory, fault, request_id).await,
        };
        let lane = session_lane(&session.id.to_string());
        let mira = self.link.mira.clone();
        // There are many commands, and the connection should not have room for all of them.
        let answer = Box::pin(async move { memory::answer(&mira, &session, command).await });
        self.handle(Some(lane), (Family::Memory, request_id), frame, answer)
            .await;
    }

    /// Shows the turns of a session from now on.
    fn follow(&mut self, tail: Tail, turns: Turns) {
        let (mira, outgoing) = (self.link.mira.clone(), self.link.outgoing.clone());
        self.link
            .follow(tail.session(), forward(mira, tail, turns, outgoing));
    }

    /// The session that a client names, or the server's own: by name, made when there is none, or by id, so that those of
    /// the native profile can be had too.
    async fn session(&self, named: Option<&str>) -> Result<Session, Fault> {
        let Mira { memory, about, .. } = &self.link.mira;
        let name = named
            .filter(|name| !name.is_empty())
            .unwrap_or(&about.default_session);
        if let Ok(id) = name.parse::<SessionId>()
            && let Some(session) = memory.session(id).await?
        {
            return Ok(session);
        }
        Ok(memory.open_session(name).await?.0)
    }

    async fn refuse(&self, family: Family, fault: Fault, request_id: Option<Id>) {
        self.send(refusal(family, &fault).answering(request_id)).await;
    }

    /// Ends a turn that was refused; without this the client's input stays locked.
    async fn unlock(&self) {
        self.send(ServerFrame::terminator()).await;
    }

    async fn send(&self, frame: ServerFrame) {
        self.link.send(text(&frame)).await;
    }
}

/// Shows the turns of a session until the connection goes, or the server has drained.
async fn forward(mira: Mira, mut tail: Tail, mut turns: Turns, outgoing: Outgoing) {
    for frame in turns.begin() {
        if outgoing.send(text(&frame)).await.is_err() {
            return;
        }
    }
    loop {
        let step = tokio::select! {
            biased;
            step = tail.next() => step,
            () = mira.drained.cancelled() => return,
        };
        let shown = match step {
            Ok(Step::Event(recorded)) => turns
                .show(&mira, &recorded)
                .await
                .map(|frames| (frames, recorded.seq)),
            Ok(Step::Synced(_)) => continue,
            Err(error) => Err(error.into()),
        };
        match shown {
            Ok((frames, seq)) => {
                for frame in frames {
                    if outgoing.try_send_event(text(&frame), wire::seq(seq)).is_err() {
                        return;
                    }
                }
            }
            Err(Fault(body)) => {
                tracing::error!(session = %tail.session(), error = %body.message, "cannot follow a session");
                outgoing.close(close_code::INTERNAL, "connect again");
                return;
            }
        }
    }
}

fn refusal(family: Family, Fault(body): &Fault) -> ServerFrame {
    ServerFrame::Error(ErrorFrame::new(family, body))
}

fn text(frame: &ServerFrame) -> String {
    serde_json::to_string(frame).unwrap_or_else(|error| {
        // Types of the wire have string keys and no fallible parts, so this is a defect; the client hears of it.
        tracing::error!(error = %chain(&error), "a frame could not be written");
        r#"{"type":"error","message":"the server could not write its answer","code":"CHAT_ERROR"}"#.to_owned()
    })
}
