//! Error codes and other open lists of values.

use std::collections::HashSet;

use mira_proto::error::ErrorCode;
use mira_proto::native::{ModelRole, OperationStatus};
use serde_json::json;

#[test]
fn the_table_of_codes_agrees_with_the_codes() {
    let mut seen = HashSet::new();
    for (info, code) in ErrorCode::ALL.iter().zip(ErrorCode::KNOWN) {
        assert_eq!(
            (info.code, info.status, info.retryable),
            (code.as_str(), code.status(), code.is_retryable())
        );
        assert_eq!(serde_json::to_value(code).unwrap(), json!(info.code));
        assert_eq!(
            serde_json::from_value::<ErrorCode>(json!(info.code)).unwrap(),
            *code
        );
        assert_eq!(ErrorCode::from(info.code), *code);
        assert!(seen.insert(info.code), "{} is there twice", info.code);
        assert!(
            info.code
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter == '_'),
            "{}",
            info.code
        );
    }
    assert_eq!(ErrorCode::ALL.len(), ErrorCode::KNOWN.len());
}

#[test]
fn an_unknown_value_survives() {
    let code: ErrorCode = serde_json::from_value(json!("model_on_strike")).unwrap();
    assert_eq!(code, ErrorCode::Other("model_on_strike".to_owned()));
    assert_eq!(serde_json::to_value(&code).unwrap(), json!("model_on_strike"));
    assert_eq!(
        (code.status(), code.is_retryable(), code.to_string().as_str()),
        (500, false, "model_on_strike")
    );

    assert_eq!(
        serde_json::from_value::<ModelRole>(json!("critic"))
            .unwrap()
            .as_str(),
        "critic"
    );
    assert!(serde_json::from_value::<ModelRole>(json!(7)).is_err());
}

#[test]
fn exactly_the_last_four_statuses_are_ends() {
    let ends: Vec<&str> = OperationStatus::KNOWN
        .iter()
        .filter(|status| status.is_terminal())
        .map(OperationStatus::as_str)
        .collect();
    assert_eq!(ends, ["completed", "failed", "cancelled", "interrupted"]);
}
