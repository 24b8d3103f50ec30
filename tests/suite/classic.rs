//! A client of the classic profile that sees every frame as it is.

mod commands;
mod history;
mod screen;
mod turns;

use serde_json::{Value, json};

use crate::harness::{Server, soon};
use crate::socket::Socket;

#[derive(Debug)]
pub(crate) struct Classic {
    pub socket: Socket,
}

impl Classic {
    /// Connects and says nothing yet.
    pub(crate) async fn connect(server: &Server) -> Self {
        Self {
            socket: Socket::connect(server).await,
        }
    }

    /// Connects as the frontend does: it asks for the history at once. Returns what came for that, after the greeting.
    pub(crate) async fn attach(server: &Server, session: &str) -> (Self, Value) {
        let mut client = Self::connect(server).await;
        client.ask_history(session).await;
        let greeting = client.until(&json!({"type": "connection_ready"})).await;
        assert_eq!(greeting.len(), 3, "{greeting:?}");
        let history = client.frame().await;
        (client, history)
    }

    pub(crate) async fn ask_history(&mut self, session: &str) {
        let params = json!({"session_id": session, "count": 100});
        self.send(&command("memory", "memory.get_recent", &params)).await;
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.socket.send(frame.to_string()).await;
    }

    /// The next frame other than a heartbeat.
    pub(crate) async fn frame(&mut self) -> Value {
        soon("a frame", async {
            loop {
                let frame = self.socket.frame().await;
                if frame["type"] != "heartbeat" {
                    return frame;
                }
            }
        })
        .await
    }

    /// Frames up to and with the first that has these members.
    pub(crate) async fn until(&mut self, members: &Value) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let frame = self.frame().await;
            let found = has(&frame, members);
            frames.push(frame);
            if found {
                return frames;
            }
        }
    }

    /// Sends a turn as the frontend does.
    pub(crate) async fn say(&mut self, session: &str, content: &str) {
        self.say_in(session, content, None).await;
    }

    pub(crate) async fn say_in(&mut self, session: &str, content: &str, project: Option<&str>) {
        let metadata = json!({
            "session_id": session,
            "timestamp": 1_762_000_000_000_u64,
            "file_path": null,
            "file_content": null,
            "language": null,
            "has_repository": project.is_some(),
            "current_branch": "main",
            "modified_files_count": 0,
        });
        let chat = json!({"type": "chat", "content": content, "project_id": project, "metadata": metadata});
        self.send(&chat).await;
    }

    /// Sends a command and returns the next frame.
    pub(crate) async fn ask(&mut self, family: &str, method: &str, params: Value) -> Value {
        self.send(&command(family, method, &params)).await;
        self.frame().await
    }

    /// Makes a project of this directory and returns its id.
    pub(crate) async fn project(&mut self, directory: &std::path::Path) -> String {
        let made = self
            .ask("project", "project.create", json!({"name": "Garden"}))
            .await;
        let id = made["data"]["project"]["id"].as_str().unwrap().to_owned();
        let params = json!({"project_id": id, "directory_path": directory});
        let attached = self.ask("project", "project.attach_local", params).await;
        assert_eq!(attached["data"]["type"], "local_directory_attached", "{attached}");
        let status = self.frame().await;
        assert_eq!(status["data"]["type"], "git_status", "{status}");
        id
    }
}

pub(crate) fn command(family: &str, method: &str, params: &Value) -> Value {
    json!({"type": format!("{family}_command"), "method": method, "params": params})
}

/// Whether a frame has these members, and those of their members, whatever else it has.
pub(crate) fn has(frame: &Value, members: &Value) -> bool {
    match members {
        Value::Object(members) => members
            .iter()
            .all(|(name, member)| frame.get(name).is_some_and(|found| has(found, member))),
        other => frame == other,
    }
}
