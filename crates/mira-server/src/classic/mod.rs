//! The classic profile on one connection: the frames of the existing frontend, made from the same requests, results and
//! events as the native profile.

mod command;
mod show;
mod turn;

use std::collections::HashMap;
use std::sync::Arc;

use mira_memory::Session;
use mira_ops::{Editor, Selection, Step, Turn};
use mira_proto::classic::{Chat, ClientFrame, ErrorFrame, Family, Incoming as Parsed, ServerFrame};
use mira_proto::error::{ErrorBody, ErrorCode};
use mira_proto::rpc::Id;
use mira_store::{OperationId, SessionId};
use tokio::sync::Semaphore;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::api::Mira;
use crate::dispatch::{project_lane, session_lane};
use crate::fault::{Fault, chain};
use crate::transport::{Connection, Frame, Incoming, Outgoing, Received, SendError, close_code};
use crate::wire;
use command::AboutSession;
use turn::Turns;

/// Commands of one connection that are handled at the same time; beyond that the next one waits to be read.
const IN_FLIGHT: usize = 64;

/// Tells a client who it is connected to. Comes before anything else.
pub(crate) async fn greet(mira: &Mira, outgoing: &Outgoing) -> Result<(), SendError> {
    let models: Vec<String> = mira
        .about
        .models
        .iter()
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
    let hints = mira.about.models.iter().filter(|binding| !binding.configured);
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
    let Connection {
        mut incoming,
        outgoing,
        ..
    } = connection;
    let mut client = Client {
        mira,
        outgoing,
        following: HashMap::new(),
        commands: TaskTracker::new(),
        in_flight: Arc::new(Semaphore::new(IN_FLIGHT)),
    };
    client.take(first).await;
    client.run(&mut incoming).await;
    client.finish().await;
}

struct Client {
    mira: Mira,
    outgoing: Outgoing,
    /// The sessions whose turns this connection shows.
    following: HashMap<SessionId, AbortOnDropHandle<()>>,
    commands: TaskTracker,
    in_flight: Arc<Semaphore>,
}

impl Client {
    async fn run(&mut self, incoming: &mut Incoming) {
        let drained = self.mira.drained.clone();
        loop {
            let received = tokio::select! {
                received = incoming.next() => received,
                () = drained.cancelled() => return,
            };
            match received {
                Received::Frame(frame) => self.take(frame).await,
                Received::Tick => self.heartbeat(),
                // The turns that run are given time; their end still goes out.
                Received::Stopping => {}
                Received::Closed => {
                    self.following.clear();
                    return;
                }
            }
        }
    }

    async fn finish(self) {
        self.commands.close();
        self.commands.wait().await;
        for (_, follower) in self.following {
            // A follower ends by itself when the server has drained; it does not panic.
            let _ = follower.await;
        }
    }

    /// Beats without holding up the reader: a peer that takes nothing for several beats is let go anyway.
    fn heartbeat(&self) {
        let frame = ServerFrame::Heartbeat {
            message: "ping".to_owned(),
            timestamp: self.mira.now().seconds(),
        };
        let outgoing = self.outgoing.clone();
        self.commands.spawn(async move {
            // A connection that is gone needs no heartbeat.
            let _ = outgoing.send(text(&frame)).await;
        });
    }

    async fn take(&mut self, frame: Frame) {
        let Parsed {
            request_id,
            frame: parsed,
        } = Parsed::parse(frame.text());
        match parsed {
            Ok(ClientFrame::Chat(chat)) => self.chat(chat, request_id).await,
            Ok(ClientFrame::CancelOperation(cancel)) => {
                let mira = self.mira.clone();
                self.spawn(None, request_id, Family::Chat, frame, async move {
                    let operation: OperationId = cancel
                        .operation_id
                        .parse()
                        .map_err(|error| Fault::from(error).field("operation_id"))?;
                    // The end of the turn is shown where its session is followed.
                    mira.operations.cancel(operation).await?;
                    Ok(vec![])
                })
                .await;
            }
            // These have no answer.
            Ok(ClientFrame::Command(_) | ClientFrame::Status(_) | ClientFrame::Typing(_)) => {}
            Ok(command) => self.command(command, request_id, frame).await,
            Err(error) => {
                let family = error.family();
                let body = ErrorBody::from(error).with_hint(
                    "a frame is a JSON object with a type, such as \
                     {\"type\":\"chat\",\"content\":\"hello\"}",
                );
                self.send(ServerFrame::Error(ErrorFrame::new(family, &body)).answering(request_id))
                    .await;
            }
        }
    }

    async fn command(&mut self, command: ClientFrame, request_id: Option<Id>, frame: Frame) {
        let family = command.family();
        let lane = command::project_of(&command).map(project_lane);
        let about = match command::session_of(&command) {
            AboutSession::Yes(name) => match self.session(&self.session_name(name)).await {
                Ok(session) => Some(session),
                Err(fault) => return self.refuse(family, fault, request_id).await,
            },
            AboutSession::No => None,
        };
        if let Some(session) = &about
            && command::is_history(&command)
        {
            return self.history(session, command, request_id).await;
        }
        let lane = lane.or_else(|| {
            about
                .as_ref()
                .map(|session| session_lane(&session.id.to_string()))
        });
        let mira = self.mira.clone();
        self.spawn(lane, request_id, family, frame, async move {
            command::answer(&mira, command, about).await
        })
        .await;
    }

    /// Handles a command beside others, after those about the same thing. The frame counts against the server's buffers
    /// until then.
    async fn spawn(
        &self,
        lane: Option<String>,
        request_id: Option<Id>,
        family: Family,
        frame: Frame,
        answer: impl Future<Output = Result<Vec<ServerFrame>, Fault>> + Send + 'static,
    ) {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.in_flight).acquire_owned().await.ok();
        let place = lane.map(|lane| self.mira.lanes.join(lane));
        let outgoing = self.outgoing.clone();
        self.commands.spawn(async move {
            let mut place = place;
            if let Some(place) = &mut place {
                place.turn().await;
            }
            let answered = answer.await;
            drop((place, frame));
            let frames = answered
                .unwrap_or_else(|Fault(body)| vec![ServerFrame::Error(ErrorFrame::new(family, &body))]);
            for frame in frames {
                // A connection that is gone needs no answer; what was asked is done.
                if outgoing
                    .send(text(&frame.answering(request_id.clone())))
                    .await
                    .is_err()
                {
                    break;
                }
            }
            drop(permit);
        });
    }

    /// A turn of the user. It is stored before anything else; what comes of it is told by the session's events.
    async fn chat(&mut self, chat: Chat, request_id: Option<Id>) {
        let metadata = chat.metadata.unwrap_or_default();
        let name = self.session_name(metadata.session_id.as_deref());
        let sent = async {
            let session = self.session(&name).await?;
            self.follow(&session).await?;
            let project = match chat.project_id.as_deref().filter(|project| !project.is_empty()) {
                Some(project) => Some(
                    project
                        .parse()
                        .map_err(|error| Fault::from(error).field("project_id"))?,
                ),
                None => None,
            };
            let open_file = metadata.file_path.is_some() || metadata.file_content.is_some();
            let editor = open_file.then(|| Editor {
                path: metadata.file_path.clone(),
                content: metadata.file_content.clone(),
                language: metadata.language.clone(),
                selection: metadata.selection.as_ref().map(|selection| Selection {
                    start_line: selection.start_line,
                    end_line: selection.end_line,
                    text: selection.text.clone(),
                }),
            });
            let turn = Turn {
                session: session.id,
                content: chat.content,
                project,
                editor,
                idempotency_key: None,
            };
            Ok::<_, Fault>(self.mira.operations.send(turn).await?)
        }
        .await;
        if let Err(fault) = sent {
            self.refuse(Family::Chat, fault, request_id).await;
            // Without this the client's input stays locked.
            self.send(ServerFrame::terminator()).await;
        }
    }

    /// The history of a session, then what happens in it from there on.
    async fn history(&mut self, session: &Session, command: ClientFrame, request_id: Option<Id>) {
        let name = session.name.clone().unwrap_or_else(|| session.id.to_string());
        let history = async {
            // Followed before it is read, so that nothing falls in between; what the history already shows is not shown
            // again.
            let opened = self.mira.operations.open_session(session.id).await?;
            let (frame, answered) =
                show::history(&self.mira, session, &name, command::history_size(&command)).await?;
            Ok::<_, Fault>((opened, frame, answered))
        }
        .await;
        match history {
            Ok((opened, frame, answered)) => {
                self.send(frame.answering(request_id)).await;
                let turns = Turns::joining(&self.mira, &opened, answered).await;
                self.start_following(session.id, opened.tail, turns);
            }
            Err(fault) => self.refuse(Family::Memory, fault, request_id).await,
        }
    }

    /// Shows the turns of a session from now on, unless that happens already.
    async fn follow(&mut self, session: &Session) -> Result<(), Fault> {
        if !self.following.contains_key(&session.id) {
            let opened = self.mira.operations.open_session(session.id).await?;
            let turns = Turns::joining(&self.mira, &opened, std::collections::HashSet::new()).await;
            self.start_following(session.id, opened.tail, turns);
        }
        Ok(())
    }

    fn start_following(&mut self, session: SessionId, tail: mira_ops::Tail, turns: Turns) {
        // First gone, then replaced, so that nothing is shown twice.
        self.following.remove(&session);
        let forward = forward(self.mira.clone(), tail, turns, self.outgoing.clone());
        self.following
            .insert(session, AbortOnDropHandle::new(tokio::spawn(forward)));
    }

    /// The session that a client names, or the server's own.
    fn session_name(&self, named: Option<&str>) -> String {
        named
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.mira.about.default_session)
            .to_owned()
    }

    /// A session by name, made when there is none; or by id, so that those of the native profile can be had too.
    async fn session(&self, name: &str) -> Result<Session, Fault> {
        if let Ok(id) = name.parse::<SessionId>()
            && let Some(session) = self.mira.memory.session(id).await?
        {
            return Ok(session);
        }
        Ok(self.mira.memory.open_session(name).await?.0)
    }

    async fn refuse(&self, family: Family, Fault(body): Fault, request_id: Option<Id>) {
        self.send(ServerFrame::Error(ErrorFrame::new(family, &body)).answering(request_id))
            .await;
    }

    async fn send(&self, frame: ServerFrame) {
        // A connection that is gone needs no answer.
        let _ = self.outgoing.send(text(&frame)).await;
    }
}

/// Shows the turns of a session until the connection goes, or the server has drained.
async fn forward(mira: Mira, mut tail: mira_ops::Tail, mut turns: Turns, outgoing: Outgoing) {
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

fn text(frame: &ServerFrame) -> String {
    serde_json::to_string(frame).unwrap_or_else(|error| {
        // Types of the wire have string keys and no fallible parts, so this is a defect; the client hears of it.
        tracing::error!(error = %chain(&error), "a frame could not be written");
        let body = ErrorBody::new(ErrorCode::Internal, "the server could not write its answer");
        format!(
            r#"{{"type":"error","message":"{}","code":"CHAT_ERROR"}}"#,
            body.message
        )
    })
}
