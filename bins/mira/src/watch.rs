//! `mira watch`: following a session without taking part.

use std::process::ExitCode;

use mira_client::{Start, Update};
use mira_proto::native::Event;
use tokio::time::interval;

use crate::args::{Server, Watch};
use crate::connect::{self, TICK};
use crate::screen::{Screen, Tone};
use crate::talk::Talk;
use crate::transcript::Transcript;

pub(crate) async fn run(server: &Server, args: &Watch, screen: &mut Screen) -> anyhow::Result<ExitCode> {
    let client = connect::client(server, screen).await?;
    let session_id = connect::find_session(&client.caller(), &args.session).await?;
    client.close().await;
    let start = Start::After {
        session_id,
        seq: args.after,
    };
    let session = connect::session(server, start, screen).await?;
    let mut talk = Talk::new(session, Transcript::new(!args.no_reasoning), screen);
    let mut ticks = interval(TICK);
    loop {
        tokio::select! {
            update = talk.session.next() => follow(&mut talk, update?)?,
            interrupt = talk.interrupts.next() => {
                interrupt?;
                talk.screen.idle()?;
                talk.session.close().await;
                return Ok(ExitCode::SUCCESS);
            }
            _ = ticks.tick() => talk.screen.tick()?,
        }
    }
}

fn follow(talk: &mut Talk<'_>, update: Update) -> anyhow::Result<()> {
    // A watcher who begins in the middle has not seen the texts begin.
    if let Update::Synced(synced) = &update {
        for item in &synced.in_flight {
            talk.transcript.in_flight(item, talk.screen)?;
        }
    }
    if let Some(event) = talk.take(update)? {
        if let Event::Started { operation_id, .. } = &event.event {
            talk.screen.end_text()?;
            talk.screen.note(
                Tone::Cyan,
                &format!("── turn {operation_id} (event {})", event.seq),
            )?;
        }
        talk.show(&event)?;
    }
    Ok(())
}
