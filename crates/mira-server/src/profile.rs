//! The first frame decides which profile a connection speaks.

use std::time::Duration;

use serde::Deserialize;

use crate::api::Mira;
use crate::transport::{Connection, Received};
use crate::{classic, native};

/// How long a connection may be silent before it is greeted in the classic profile, whose clients may wait for that.
const SILENCE: Duration = Duration::from_millis(500);

/// Serves one connection to its end.
pub(crate) async fn serve(mira: Mira, mut connection: Connection) {
    let silence = tokio::time::sleep(SILENCE);
    tokio::pin!(silence);
    let mut greeted = false;
    let first = loop {
        tokio::select! {
            received = connection.incoming.next() => match received {
                Received::Frame(frame) => break frame,
                Received::Tick => {}
                Received::Stopping | Received::Closed => return,
            },
            () = &mut silence, if !greeted => {
                greeted = true;
                if classic::greet(&mira, &connection.outgoing).await.is_err() {
                    return;
                }
            }
        }
    };
    if is_native(first.text()) {
        return native::serve(mira, first, connection).await;
    }
    if !greeted && classic::greet(&mira, &connection.outgoing).await.is_err() {
        return;
    }
    classic::serve(mira, first, connection).await;
}

/// Frames of the native profile say which JSON-RPC they are; those of the classic profile have a `type` instead.
/// Whatever is neither is answered as JSON-RPC says.
fn is_native(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Shape {
        #[serde(default, rename = "type")]
        kind: Option<serde::de::IgnoredAny>,
        #[serde(default)]
        jsonrpc: Option<serde::de::IgnoredAny>,
    }
    match serde_json::from_str::<Shape>(text) {
        Ok(shape) => shape.jsonrpc.is_some() || shape.kind.is_none(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_native;

    #[test]
    fn a_frame_tells_its_profile() {
        let cases = [
            (r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#, true),
            (r#"{"id":1,"method":"initialize"}"#, true),
            (r#"{"type":"chat","content":"hi"}"#, false),
            (
                r#"{"type":"project_command","method":"project.list","params":{}}"#,
                false,
            ),
            ("not json", false),
            ("[]", false),
        ];
        for (text, native) in cases {
            assert_eq!(is_native(text), native, "{text}");
        }
    }
}
