//! A session as a person takes part in it.

use std::io;
use std::pin::Pin;

use mira_client::{Session, Synced, Update};
use mira_proto::native::{Event, EventNotification, Project};

use crate::connect::explain;
use crate::screen::{Screen, Tone};
use crate::transcript::Transcript;

/// A session as a person takes part in it.
pub(crate) struct Talk<'s> {
    pub(crate) session: Session,
    pub(crate) screen: &'s mut Screen,
    pub(crate) transcript: Transcript,
    pub(crate) project: Option<Project>,
    /// Operations that have not ended, oldest first.
    pub(crate) running: Vec<String>,
    pub(crate) interrupts: Interrupts,
    connected: bool,
}

impl<'s> Talk<'s> {
    pub(crate) fn new(session: Session, transcript: Transcript, screen: &'s mut Screen) -> Self {
        Self {
            session,
            screen,
            transcript,
            project: None,
            running: Vec::new(),
            interrupts: Interrupts::default(),
            connected: true,
        }
    }

    /// Takes note of an event without showing it.
    pub(crate) fn note(&mut self, notification: &EventNotification) {
        self.transcript.note(notification);
        self.follow_running(&notification.event);
    }

    /// Shows an event.
    pub(crate) fn show(&mut self, notification: &EventNotification) -> io::Result<()> {
        self.follow_running(&notification.event);
        self.transcript.show(notification, self.screen)
    }

    fn follow_running(&mut self, event: &Event) {
        let Some(operation) = event.operation_id() else {
            return;
        };
        if event.is_terminal() {
            self.running.retain(|running| running != operation);
        } else if matches!(event, Event::Started { .. })
            && !self.running.iter().any(|running| running == operation)
        {
            self.running.push(operation.to_owned());
        }
    }

    /// Takes what is not an event: shows how the connection is.
    pub(crate) fn take(&mut self, update: Update) -> io::Result<Option<EventNotification>> {
        match update {
            Update::Event(event) => return Ok(Some(event)),
            Update::Synced(Synced { running, .. }) => self.running = running,
            Update::Reconnecting { cause, .. } => {
                if std::mem::replace(&mut self.connected, false) {
                    self.screen.note(
                        Tone::Yellow,
                        &format!("connection lost ({cause}); connecting again"),
                    )?;
                }
                self.screen.activity("connecting again");
            }
            Update::Resumed { .. } => {
                self.connected = true;
                self.screen.note(Tone::Dim, "connected again")?;
                self.screen.activity("thinking");
            }
        }
        Ok(None)
    }

    /// Shows what went wrong.
    pub(crate) fn complain(&mut self, error: &anyhow::Error) -> io::Result<()> {
        let (message, hint) = explain(error);
        self.screen.error(&message, hint.as_deref())
    }

    /// Takes what comes while nobody waits for it. Shows nothing, because a person is typing.
    pub(crate) fn take_quietly(&mut self, update: Update) {
        match update {
            Update::Event(event) => self.note(&event),
            Update::Synced(Synced { running, .. }) => self.running = running,
            Update::Reconnecting { .. } => self.connected = false,
            Update::Resumed { .. } => self.connected = true,
        }
    }
}

/// Ctrl-C, where the terminal makes a signal of it.
pub(crate) struct Interrupts(Pin<Box<dyn Future<Output = io::Result<()>> + Send>>);

impl Default for Interrupts {
    fn default() -> Self {
        Self(Box::pin(tokio::signal::ctrl_c()))
    }
}

impl Interrupts {
    /// Waits for the next one. Cancel safe.
    pub(crate) async fn next(&mut self) -> io::Result<()> {
        let interrupt = self.0.as_mut().await;
        *self = Self::default();
        interrupt
    }
}
