//! The first frame decides which profile a connection speaks.

use std::time::Duration;

use mira_proto::error::ErrorCode;
use mira_proto::rpc;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

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
    let (profile, first) = loop {
        tokio::select! {
            received = connection.incoming.next() => match received {
                Received::Frame(frame) => match Profile::of(frame.text()) {
                    Ok(profile) => break (profile, frame),
                    Err(refusal) => if connection.outgoing.send(refusal).await.is_err() {
                        return;
                    },
                },
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
    match profile {
        Profile::Native => native::serve(mira, first, connection).await,
        Profile::Classic => {
            if !greeted && classic::greet(&mira, &connection.outgoing).await.is_err() {
                return;
            }
            classic::serve(mira, first, connection).await;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Profile {
    Native,
    Classic,
}

impl Profile {
    /// Frames of the native profile say which JSON-RPC they are; those of the classic profile have a `type`. What is
    /// neither decides nothing and is refused, in words that clients of both profiles understand.
    fn of(text: &str) -> Result<Self, String> {
        // Nothing is kept of the members, so that a frame full of them costs nothing.
        #[derive(Deserialize)]
        struct Shape {
            jsonrpc: Option<IgnoredAny>,
            #[serde(rename = "type")]
            kind: Option<IgnoredAny>,
        }
        let is_object = text.trim_start().starts_with('{');
        let (code, message) = match serde_json::from_str::<Shape>(text) {
            Ok(Shape { jsonrpc: Some(_), .. }) if is_object => return Ok(Self::Native),
            Ok(Shape { kind: Some(_), .. }) if is_object => return Ok(Self::Classic),
            Ok(_) if is_object => (rpc::INVALID_REQUEST, "the frame has neither `jsonrpc` nor `type`"),
            Ok(_) => (rpc::INVALID_REQUEST, "the frame is not a JSON object"),
            Err(error) if error.is_data() => (rpc::INVALID_REQUEST, "the frame is not a JSON object"),
            Err(_) => (rpc::PARSE_ERROR, "the frame is not JSON"),
        };
        let code_name = ErrorCode::BadRequest;
        let hint = "begin with initialize, as docs/PROTOCOL.md shows";
        Err(json!({
            "jsonrpc": "2.0",
            "id": null,
            "type": "error",
            "message": message,
            "code": code_name.as_str().to_ascii_uppercase(),
            "error": {
                "code": code,
                "message": message,
                "statusCode": code_name.status(),
                "data": { "code": code_name, "retryable": false, "hint": hint },
            },
        })
        .to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::Profile;

    #[test]
    fn a_frame_tells_its_profile() {
        let cases = [
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#,
                Some(Profile::Native),
            ),
            (r#"{"type":"chat","content":"hi"}"#, Some(Profile::Classic)),
            (
                r#"{"type":"project_command","method":"project.list","params":{}}"#,
                Some(Profile::Classic),
            ),
            (r#"{"id":1,"method":"initialize"}"#, None),
            ("not json", None),
            ("[]", None),
            (r#""jsonrpc""#, None),
        ];
        for (text, profile) in cases {
            assert_eq!(Profile::of(text).ok(), profile, "{text}");
        }
    }
}
