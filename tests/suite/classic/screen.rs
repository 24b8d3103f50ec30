//! What the existing frontend makes of frames: bubbles, live text, the artifact panel, and whether the input is locked.

use serde_json::Value;

/// The state of the frontend, by the rules that it is known to follow. It has one text buffer for all turns.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Screen {
    /// Role, text, and the paths of the artifacts with Apply buttons.
    pub bubbles: Vec<(String, String, Vec<String>)>,
    /// The longest text that was shown while it was streamed.
    pub live: String,
    /// Paths of the artifacts in the panel.
    pub panel: Vec<String>,
    pub locked: bool,
    pub modified: Vec<String>,
    pub stream: Option<String>,
    pub has_history: bool,
}

impl Screen {
    /// A frontend whose user has just sent something.
    pub(super) fn waiting() -> Self {
        Self {
            locked: true,
            ..Self::default()
        }
    }

    pub(super) fn after(mut self, frames: &[Value]) -> Self {
        for frame in frames {
            self.show(frame);
        }
        self
    }

    pub(super) fn show(&mut self, frame: &Value) {
        let of = |member: &str| text(&frame[member]);
        match of("type").as_str() {
            "status" if frame["status"] == "thinking" => self.stream = Some(String::new()),
            "stream" => self.append(&of("delta")),
            "chat_complete" => {
                self.end_stream();
                self.bubble("assistant", of("content"), &frame["artifacts"]);
                self.open(&frame["artifacts"]);
            }
            "response" if frame["streaming"] == true => self.append(&of("content")),
            "response" if frame["complete"] == true => self.end_stream(),
            "response" => self.bubble("assistant", of("content"), &frame["data"]["artifacts"]),
            "error" => self.bubble("error", text(&frame["error"]["message"]), &Value::Null),
            "data" => self.show_data(&frame["data"]),
            _ => {}
        }
    }

    fn show_data(&mut self, data: &Value) {
        if let Some(memories) = data["memories"].as_array() {
            assert!(!self.has_history, "a second history would be merged");
            self.has_history = true;
            self.bubbles.clear();
            for memory in memories.iter().rev() {
                self.bubble(
                    &text(&memory["role"]),
                    text(&memory["content"]),
                    &memory["artifacts"],
                );
            }
            return;
        }
        match data["type"].as_str().unwrap_or_default() {
            "operation.started" => self.stream = Some(String::new()),
            "operation.streaming" => self.append(&text(&data["content"])),
            "operation.artifact_completed" => self.open(&Value::Array(vec![data["artifact"].clone()])),
            "operation.completed" => {
                self.end_stream();
                self.open(&data["artifacts"]);
            }
            "git_status" => self.modified = paths(&data["modified_files"], text),
            _ => {}
        }
    }

    fn append(&mut self, text: &str) {
        if let Some(stream) = &mut self.stream {
            stream.push_str(text);
            if stream.chars().count() > self.live.chars().count() {
                self.live.clone_from(stream);
            }
        }
    }

    fn end_stream(&mut self) {
        self.locked = false;
        if let Some(text) = self.stream.take().filter(|text| !text.is_empty()) {
            self.bubble("assistant", text, &Value::Null);
        }
    }

    fn bubble(&mut self, role: &str, text: String, artifacts: &Value) {
        self.bubbles
            .push((role.to_owned(), text, paths(artifacts, usable)));
    }

    fn open(&mut self, artifacts: &Value) {
        for path in paths(artifacts, usable) {
            if !self.panel.contains(&path) {
                self.panel.push(path);
            }
        }
    }
}

/// A bubble without artifacts.
pub(super) fn bubble(role: &str, text: &str) -> (String, String, Vec<String>) {
    (role.to_owned(), text.to_owned(), vec![])
}

/// An artifact without content is dropped by the frontend.
fn usable(artifact: &Value) -> String {
    assert!(!text(&artifact["content"]).is_empty(), "dropped: {artifact}");
    text(&artifact["path"])
}

fn paths(list: &Value, path: impl Fn(&Value) -> String) -> Vec<String> {
    list.as_array().into_iter().flatten().map(path).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
