//! What the transport says when it refuses something: one shape for HTTP bodies and for WebSocket error frames.

use serde_json::json;

/// The JSON-RPC code of errors that are not about JSON-RPC itself.
const JSON_RPC_APPLICATION_ERROR: i32 = -32000;

/// A refusal, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// HTTP status, or what it would be.
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: Option<&'static str>,
    pub(super) retryable: bool,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            hint: None,
            retryable: false,
        }
    }

    pub(super) fn hint(self, hint: &'static str) -> Self {
        Self {
            hint: Some(hint),
            ..self
        }
    }

    pub(super) fn retryable(self) -> Self {
        Self {
            retryable: true,
            ..self
        }
    }

    pub(super) fn body(&self) -> String {
        json!({ "error": self.data(), "message": self.message }).to_string()
    }

    /// An error frame. The transport may have to send one before it is known which profile the peer speaks, so the
    /// frame is a JSON-RPC error response and a classic error frame at once.
    pub(super) fn frame(&self) -> String {
        json!({
            "jsonrpc": "2.0",
            "id": null,
            "type": "error",
            "message": self.message,
            "code": self.code,
            "error": {
                "code": JSON_RPC_APPLICATION_ERROR,
                "statusCode": self.status,
                "message": self.message,
                "data": self.data(),
            },
        })
        .to_string()
    }

    fn data(&self) -> serde_json::Value {
        let mut data = json!({ "code": self.code, "retryable": self.retryable });
        if let (Some(hint), Some(fields)) = (self.hint, data.as_object_mut()) {
            fields.insert("hint".to_owned(), hint.into());
        }
        data
    }
}
