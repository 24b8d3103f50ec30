//! The token of a peer: from the `Authorization` header, or from the first frame where a browser cannot set headers.

use hyper::{HeaderMap, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use subtle::ConstantTimeEq;

/// What the handshake said about who is connecting.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Presented {
    /// Nothing more is needed.
    Valid,
    /// The first frame has to bring the token.
    Nothing,
    /// A token that is not ours, or a scheme other than `Bearer`.
    Invalid,
}

/// Judges the headers of a handshake.
pub(super) fn in_headers(headers: &HeaderMap, expected: Option<&SecretString>) -> Presented {
    let Some(expected) = expected else {
        return Presented::Valid;
    };
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Presented::Nothing;
    };
    let token = value.to_str().ok().and_then(|value| value.split_once(' '));
    match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && matches(token.trim(), expected) => {
            Presented::Valid
        }
        Some(_) | None => Presented::Invalid,
    }
}

/// Whether a first frame is an `initialize` request with the right token.
pub(super) fn in_first_frame(text: &str, expected: &SecretString) -> bool {
    #[derive(Deserialize)]
    struct Initialize {
        method: String,
        params: Params,
    }
    #[derive(Deserialize)]
    struct Params {
        token: String,
    }
    serde_json::from_str::<Initialize>(text)
        .is_ok_and(|frame| frame.method == "initialize" && matches(&frame.params.token, expected))
}

/// Takes as long for a nearly right token as for a wrong one of the same length.
fn matches(token: &str, expected: &SecretString) -> bool {
    token.as_bytes().ct_eq(expected.expose_secret().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_judged() {
        let expected = SecretString::from("s3cret");
        for (value, presented) in [
            (None, Presented::Nothing),
            (Some("Bearer s3cret"), Presented::Valid),
            (Some("bearer  s3cret"), Presented::Valid),
            (Some("Bearer s3creT"), Presented::Invalid),
            (Some("Bearer "), Presented::Invalid),
            (Some("Bearer"), Presented::Invalid),
            (Some("Basic s3cret"), Presented::Invalid),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            }
            assert_eq!(in_headers(&headers, Some(&expected)), presented, "{value:?}");
            assert_eq!(in_headers(&headers, None), Presented::Valid);
        }
    }

    #[test]
    fn first_frames_are_judged() {
        let expected = SecretString::from("s3cret");
        for (frame, valid) in [
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"token":"s3cret","protocol_version":1}}"#,
                true,
            ),
            (r#"{"method":"initialize","params":{"token":"s3cre"}}"#, false),
            (r#"{"method":"chat.send","params":{"token":"s3cret"}}"#, false),
            (r#"{"method":"initialize","params":{}}"#, false),
            (r#"{"type":"chat","content":"s3cret"}"#, false),
            ("s3cret", false),
            ("", false),
        ] {
            assert_eq!(in_first_frame(frame, &expected), valid, "{frame}");
        }
    }
}
