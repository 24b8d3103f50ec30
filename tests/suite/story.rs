//! Events of the native profile as short lines, and what must hold for every journal.

use std::collections::HashMap;

use serde_json::Value;

/// Whether an event, as `event` carries it, ends its operation.
pub(crate) fn is_terminal(event: &Value) -> bool {
    let kind = event["event"]["type"].as_str().unwrap();
    ["completed", "failed", "cancelled", "interrupted"]
        .iter()
        .any(|end| kind.strip_prefix("operation.") == Some(end))
}

/// One line per event; the deltas of one text are one line, however they were cut.
pub(crate) fn story(events: &[Value]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut speaking = None;
    for event in events {
        let event = &event["event"];
        let item = event["item_id"].as_str();
        match lines.last_mut() {
            Some(last) if item.is_some() && speaking == item => last.push_str(text(&event["delta"])),
            _ => lines.push(line(event)),
        }
        speaking = item;
    }
    lines
}

fn line(event: &Value) -> String {
    let kind = text(&event["type"]).trim_start_matches("operation.");
    let of = |member: &str| text(&event[member]);
    match kind {
        "status_changed" => format!("{} to {}", of("from"), of("to")),
        "context" => format!("shows the {}", of("purpose")),
        "reasoning" => format!("thinks {}", of("delta")),
        "streaming" => format!("says {}", of("delta")),
        "tool_started" => format!("calls {}", of("tool")),
        "tool_finished" if event["ok"] == true => format!("{} gives {}", of("tool"), of("summary")),
        "tool_finished" => format!("{} fails: {}", of("tool"), of("summary")),
        "delegated" => format!("delegates {} {} to {}", of("tool"), of("path"), of("model")),
        "artifact_preview" => format!("previews {}", of("path")),
        "artifact_completed" => format!("offers {}", text(&event["artifact"]["path"])),
        "artifact_applied" | "artifact_undone" => format!("{kind} {}", of("path")),
        "retrying" => format!("retries after {}", text(&event["error"]["code"])),
        "failed" => format!("failed: {}", text(&event["error"]["code"])),
        _ => kind.to_owned(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

/// What the answer of events is: the texts of its items, in order, with empty lines between.
pub(crate) fn answer<'a>(events: impl IntoIterator<Item = &'a Value>) -> String {
    let mut items: Vec<(&str, String)> = Vec::new();
    for event in events {
        let event = &event["event"];
        if event["type"] == "operation.streaming" {
            let item = text(&event["item_id"]);
            match items.iter_mut().find(|(known, _)| *known == item) {
                Some((_, said)) => said.push_str(text(&event["delta"])),
                None => items.push((item, text(&event["delta"]).to_owned())),
            }
        }
    }
    let texts: Vec<String> = items.into_iter().map(|(_, text)| text).collect();
    texts.join("\n\n")
}

/// Numbers without a gap, from the first on.
pub(crate) fn check_order(events: &[Value]) {
    for pair in events.windows(2) {
        let (before, after) = (pair[0]["seq"].as_u64().unwrap(), pair[1]["seq"].as_u64().unwrap());
        assert_eq!(after, before + 1, "{} is followed by {}", pair[0], pair[1]);
    }
}

/// A journal from its beginning, when nothing runs: numbered without gaps; each operation begins once, is ended once and
/// says nothing after that but what becomes of its artifacts; offsets fit; every tool call has one result. What was erased
/// stands for anything.
pub(crate) fn check_journal(events: &[Value]) {
    if let Some(first) = events.first() {
        assert_eq!(first["seq"], 1);
    }
    check_order(events);
    let mut ended: HashMap<&str, bool> = HashMap::new();
    let mut lengths: HashMap<&str, u64> = HashMap::new();
    let mut calls: HashMap<&str, (u32, u32)> = HashMap::new();
    for recorded in events {
        let event = &recorded["event"];
        let operation = text(&event["operation_id"]);
        match text(&event["type"]) {
            "operation.started" => assert!(ended.insert(operation, false).is_none(), "begins twice: {event}"),
            "operation.artifact_applied" | "operation.artifact_undone" | "operation.erased" => {}
            kind => {
                let ended = ended
                    .get_mut(operation)
                    .unwrap_or_else(|| panic!("never began: {event}"));
                assert!(!*ended, "has ended: {event}");
                *ended = is_terminal(recorded);
                if matches!(kind, "operation.streaming" | "operation.reasoning") {
                    let length = lengths.entry(text(&event["item_id"])).or_default();
                    assert_eq!(event["offset"], *length, "{event}");
                    *length += text(&event["delta"]).chars().count() as u64;
                }
                let call = text(&event["call_id"]);
                match kind {
                    "operation.tool_started" => calls.entry(call).or_default().0 += 1,
                    "operation.tool_finished" => calls.entry(call).or_default().1 += 1,
                    _ => {}
                }
            }
        }
    }
    let running: Vec<_> = ended.iter().filter(|(_, ended)| !**ended).collect();
    assert!(running.is_empty(), "no end: {running:?}");
    for (call, (begun, finished)) in calls {
        assert!(
            begun == 1 && finished <= 1,
            "{call}: {begun} begun, {finished} finished"
        );
    }
}
