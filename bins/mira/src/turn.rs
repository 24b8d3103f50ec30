//! One turn: sending it, and following it to its end.

use std::collections::VecDeque;
use std::pin::{Pin, pin};

use mira_client::Error;
use mira_proto::native::{
    ChatSend, ChatSendParams, ChatSendResult, Event, EventNotification, OperationCancel, OperationRef,
    OperationResult,
};
use tokio::time::interval;

use crate::connect::TICK;
use crate::screen::Tone;
use crate::talk::Talk;

/// Events that are kept while a turn is being sent; beyond that they wait in the connection.
const BACKLOG: usize = 1024;

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Answered,
    NotAnswered,
    /// The user wants to leave. The turn may still be running.
    Left,
}

type Cancelling = Pin<Box<dyn Future<Output = Result<OperationResult, Error>> + Send>>;

/// Sends a turn and shows its answer.
pub(crate) async fn send(talk: &mut Talk<'_>, content: String) -> anyhow::Result<Ending> {
    let caller = talk.session.caller();
    let mut sending = pin!(caller.call::<ChatSend>(ChatSendParams {
        session_id: talk.session.id().to_owned(),
        content,
        project_id: talk.project.as_ref().map(|project| project.project_id.clone()),
        ..ChatSendParams::default()
    }));
    let mut ticks = interval(TICK);
    let mut backlog = VecDeque::new();
    let mut interrupted = false;
    talk.screen.activity("sending");
    let sent = loop {
        tokio::select! {
            sent = &mut sending => break sent,
            update = talk.session.next(), if backlog.len() < BACKLOG => backlog.extend(talk.take(update?)?),
            interrupt = talk.interrupts.next() => {
                interrupt?;
                if std::mem::replace(&mut interrupted, true) {
                    return Ok(Ending::Left);
                }
                talk.screen.note(Tone::Yellow, "will be cancelled as soon as it is sent; Ctrl-C again to leave")?;
            }
            _ = ticks.tick() => talk.screen.tick()?,
        }
    };
    match sent {
        Ok(ChatSendResult {
            operation_id, queued, ..
        }) => {
            let mut turn = Turn::new(operation_id, queued);
            if interrupted {
                turn.cancel(talk);
            }
            turn.wait_in_line(talk)?;
            turn.follow(talk, backlog).await
        }
        Err(error) => {
            for event in &backlog {
                talk.note(event);
            }
            talk.screen.idle()?;
            talk.complain(&error.into())?;
            Ok(Ending::NotAnswered)
        }
    }
}

/// Shows the rest of a turn that was already running.
pub(crate) async fn attach(talk: &mut Talk<'_>, operation_id: String) -> anyhow::Result<Ending> {
    talk.screen.activity("thinking");
    Turn::new(operation_id, 0).follow(talk, VecDeque::new()).await
}

/// A turn under way.
struct Turn {
    operation_id: String,
    /// Turns that run first.
    ahead: u32,
    cancelling: Option<Cancelling>,
    interrupted: bool,
}

impl Turn {
    fn new(operation_id: String, ahead: u32) -> Self {
        Self {
            operation_id,
            ahead,
            cancelling: None,
            interrupted: false,
        }
    }

    async fn follow(
        mut self,
        talk: &mut Talk<'_>,
        backlog: VecDeque<EventNotification>,
    ) -> anyhow::Result<Ending> {
        for event in backlog {
            if let Some(ending) = self.take(talk, &event)? {
                return Ok(ending);
            }
        }
        let mut ticks = interval(TICK);
        loop {
            tokio::select! {
                update = talk.session.next() => {
                    if let Some(event) = talk.take(update?)?
                        && let Some(ending) = self.take(talk, &event)?
                    {
                        return Ok(ending);
                    }
                }
                interrupt = talk.interrupts.next() => {
                    interrupt?;
                    if self.interrupted {
                        talk.screen.idle()?;
                        return Ok(Ending::Left);
                    }
                    talk.screen.note(Tone::Yellow, "cancelling; Ctrl-C again to leave")?;
                    self.cancel(talk);
                }
                cancelled = resolved(&mut self.cancelling) => {
                    self.cancelling = None;
                    if let Err(error) = cancelled {
                        talk.complain(&error.into())?;
                    }
                }
                _ = ticks.tick() => talk.screen.tick()?,
            }
        }
    }

    /// Shows what belongs to the turn, and counts the turns ahead of it.
    fn take(
        &mut self,
        talk: &mut Talk<'_>,
        notification: &EventNotification,
    ) -> anyhow::Result<Option<Ending>> {
        let event = &notification.event;
        if event.operation_id() != Some(&self.operation_id) {
            talk.note(notification);
            if event.is_terminal() && self.ahead > 0 {
                self.ahead -= 1;
                self.wait_in_line(talk)?;
            }
            return Ok(None);
        }
        talk.show(notification)?;
        Ok(match event {
            Event::Completed { .. } => Some(Ending::Answered),
            event if event.is_terminal() => Some(Ending::NotAnswered),
            _ => None,
        })
    }

    fn wait_in_line(&self, talk: &mut Talk<'_>) -> anyhow::Result<()> {
        let label = match self.ahead {
            0 => {
                talk.screen.activity("thinking");
                return Ok(());
            }
            1 => "waiting, 1 turn ahead".to_owned(),
            ahead => format!("waiting, {ahead} turns ahead"),
        };
        talk.screen.activity(&label);
        talk.screen.note(Tone::Dim, &label)?;
        Ok(())
    }

    fn cancel(&mut self, talk: &Talk<'_>) {
        self.interrupted = true;
        let caller = talk.session.caller();
        let operation_id = self.operation_id.clone();
        self.cancelling = Some(Box::pin(async move {
            caller
                .call::<OperationCancel>(OperationRef { operation_id })
                .await
        }));
    }
}

/// Waits for a cancellation that is under way; for ever when there is none. Cancel safe.
async fn resolved(cancelling: &mut Option<Cancelling>) -> Result<OperationResult, Error> {
    match cancelling {
        Some(cancelling) => cancelling.await,
        None => std::future::pending().await,
    }
}
