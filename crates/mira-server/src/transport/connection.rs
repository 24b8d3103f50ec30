//! One WebSocket from its handshake to its end: who it is, then frames in both directions.

use std::sync::Arc;

use secrecy::SecretString;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, mpsc},
    task::{JoinError, JoinHandle},
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

use super::{
    channel::{self, Close, Frame, Outbound, Outbox, Outgoing, Peer},
    close_code,
    listener::Shared,
    refusal::Refusal,
    socket::{End, Failure, Inbound, Socket},
    token,
};

/// Serves one upgraded stream until both the socket and the application are done. `first_frame_token` is the token that
/// the first frame has to bring. The slot in the number of connections is held until the end.
pub(super) async fn run(
    shared: Arc<Shared>,
    stream: (TcpStream, bytes::Bytes),
    peer: Peer,
    first_frame_token: Option<SecretString>,
    slot: OwnedSemaphorePermit,
) {
    let hard = shared.stop.hard.clone();
    let mut application = None;
    let served = hard
        .run_until_cancelled(serve(&shared, stream, peer, first_frame_token, &mut application))
        .await;
    drop(slot);
    if let Some(mut application) = application {
        if served.is_some() {
            // The socket is gone and the application has been told; it may still be finishing something.
            match hard.run_until_cancelled(&mut application).await {
                Some(Ok(())) => {}
                Some(Err(error)) => log_failure(&error),
                None => application.abort(),
            }
        } else {
            application.abort();
        }
    }
}

async fn serve(
    shared: &Arc<Shared>,
    (stream, read_ahead): (TcpStream, bytes::Bytes),
    peer: Peer,
    first_frame_token: Option<SecretString>,
    application: &mut Option<JoinHandle<()>>,
) {
    let options = &shared.options;
    let limit = match first_frame_token {
        Some(_) => options.max_unauthenticated_frame_bytes,
        None => options.max_frame_bytes,
    };
    let mut socket = Socket::new(stream, read_ahead, limit, Arc::clone(&shared.budget));
    let first = match first_frame_token {
        None => None,
        Some(expected) => match authenticate(&mut socket, shared, &expected).await {
            Ok(frame) => Some(frame),
            Err(end) => return socket.finish(end).await,
        },
    };
    socket.set_max_frame_bytes(options.max_frame_bytes);

    let (connection, inbox, mut outbox) = channel::open(options, peer, shared.stop.soft.clone());
    if let Some(first) = first {
        // The queue is empty, so there is room for one.
        let _ = inbox.try_send(first);
    }
    let outgoing = connection.outgoing.clone();
    let running = application.insert(shared.tasks.spawn((shared.app.connect)(connection)));
    let (end, ended) = exchange(&mut socket, shared, &inbox, &mut outbox, (outgoing, running)).await;
    if ended {
        *application = None;
    }
    // From here on the application sees a closed connection.
    drop((inbox, outbox));
    socket.finish(end).await;
}

/// Waits for the frame with the token, and looks at no other.
async fn authenticate(socket: &mut Socket, shared: &Shared, expected: &SecretString) -> Result<Frame, End> {
    let unauthorized = |message: &str| {
        let hint = "send an Authorization: Bearer header, or the token in the first frame as initialize.params.token";
        End::refuse(
            close_code::UNAUTHORIZED,
            Refusal::new(401, "unauthorized", message).hint(hint),
        )
    };
    let first = tokio::select! {
        () = shared.stop.soft.cancelled() => return Err(going_away()),
        first = timeout(shared.options.handshake_timeout, first_message(socket)) => first,
    };
    match first {
        Ok(Ok(Some(frame))) if token::in_first_frame(frame.text(), expected) => Ok(frame),
        Ok(Ok(_)) => Err(unauthorized(
            "the first frame does not carry the token of this server",
        )),
        Ok(Err(failure)) => Err(failure.into()),
        Err(_) => Err(unauthorized("no token was presented in time")),
    }
}

/// The first message; none when it is not text.
async fn first_message(socket: &mut Socket) -> Result<Option<Frame>, Failure> {
    loop {
        match socket.read()? {
            Inbound::Text(frame) => return Ok(Some(frame)),
            Inbound::Binary => return Ok(None),
            Inbound::Close => return Err(Failure::Lost),
            Inbound::Control => socket.flush().map_err(|_| Failure::Lost)?,
            Inbound::Nothing => socket.readable().await.map_err(|_| Failure::Lost)?,
        }
    }
}

/// Moves frames both ways until one side ends it. Also says whether the application has returned.
async fn exchange(
    socket: &mut Socket,
    shared: &Shared,
    inbox: &mpsc::Sender<Frame>,
    outbox: &mut Outbox,
    (outgoing, application): (Outgoing, &mut JoinHandle<()>),
) -> (End, bool) {
    let heartbeat = shared.options.heartbeat;
    let mut pings = interval_at(Instant::now() + heartbeat, heartbeat);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let overrun = outbox.overrun();
    let mut last_seq = None;
    let mut returned = false;
    // Whether the protocol machine may have a message without another byte from the network.
    let mut unread = true;
    loop {
        tokio::select! {
            result = &mut *application, if !returned => {
                returned = true;
                let (code, reason) = farewell(shared, result);
                outgoing.close(code, reason);
            }
            () = overrun.cancelled() => {
                tracing::info!(?last_seq, "a client that does not read its events is let go");
                return (End::Close { refusal: None, close: Close::slow_client(last_seq) }, returned);
            }
            outbound = outbox.next(), if socket.is_drained() => match outbound {
                Outbound::Frame { text, seq, permit } => {
                    last_seq = seq.or(last_seq);
                    socket.queue_text(text, Some(permit));
                    if socket.flush().is_err() {
                        return (End::Gone, returned);
                    }
                }
                Outbound::Close(close) => return (End::Close { refusal: None, close }, returned),
            },
            // A place is taken before a message is, so that frames which nobody takes stay in the network.
            place = inbox.reserve(), if unread => match socket.read() {
                // An application that has dropped its receiving half wants none of them.
                Ok(Inbound::Text(frame)) => if let Ok(place) = place { place.send(frame) },
                Ok(Inbound::Binary) => refuse_binary(socket),
                Ok(Inbound::Control) => {}
                Ok(Inbound::Nothing) => unread = false,
                Ok(Inbound::Close) => return (End::Gone, returned),
                Err(failure) => return (failure.into(), returned),
            },
            ready = socket.readable(), if !unread => match ready {
                Ok(()) => unread = true,
                Err(_) => return (End::Gone, returned),
            },
            ready = socket.writable(), if !socket.is_drained() => {
                if ready.and_then(|()| socket.flush()).is_err() {
                    return (End::Gone, returned);
                }
            }
            _ = pings.tick() => {
                if inbox.capacity() == 0 {
                    socket.not_listening();
                }
                if socket.is_dead(shared.options.dead_after) {
                    return (End::close(close_code::GOING_AWAY, "no sign of life"), returned);
                }
                // Behind unsent data a ping would tell no more than whether that data is taken.
                if socket.is_drained() {
                    socket.queue_ping();
                }
            }
        }
    }
}

fn refuse_binary(socket: &mut Socket) {
    // A peer that sends binary frames without reading the answers gets one.
    if socket.is_drained() {
        let refusal = Refusal::new(
            400,
            "bad_request",
            "binary frames are not understood; send JSON as text",
        );
        socket.queue_text(refusal.frame().into(), None);
    }
}

/// What is said to the peer when the application has returned.
fn farewell(shared: &Shared, result: Result<(), JoinError>) -> (u16, &'static str) {
    match result {
        Err(error) => {
            log_failure(&error);
            (close_code::INTERNAL, "internal error")
        }
        Ok(()) if shared.stop.soft.is_cancelled() => (close_code::GOING_AWAY, "the server is shutting down"),
        Ok(()) => (close_code::NORMAL, ""),
    }
}

fn log_failure(error: &JoinError) {
    tracing::error!(%error, "a connection's application ended abnormally");
}

fn going_away() -> End {
    End::close(close_code::GOING_AWAY, "the server is shutting down")
}
