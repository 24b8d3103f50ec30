//! A client of the native profile that sees every frame as it is.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::harness::{Mira, Server, soon};
use crate::socket::{Heard, Socket};
use crate::story;

#[derive(Debug)]
pub(crate) struct Native {
    pub socket: Socket,
    last_id: u64,
    /// Notifications that came while an answer was waited for.
    inbox: VecDeque<Value>,
}

/// A turn that has ended.
#[derive(Debug)]
pub(crate) struct Turn {
    pub accepted: Value,
    /// Its events, as they came.
    pub events: Vec<Value>,
}

impl Native {
    /// Connects and says nothing yet.
    pub(crate) async fn connect(server: &Server) -> Self {
        Self::over(Socket::connect(server).await)
    }

    pub(crate) fn over(socket: Socket) -> Self {
        Self {
            socket,
            last_id: 0,
            inbox: VecDeque::new(),
        }
    }

    /// Connects and initializes.
    pub(crate) async fn hello(server: &Server) -> Self {
        let mut client = Self::connect(server).await;
        client.initialize().await;
        client
    }

    /// A client that has opened the session of this name.
    pub(crate) async fn in_session(server: &Server, name: &str) -> (Self, String) {
        let mut client = Self::hello(server).await;
        let session = client.open(name).await;
        (client, session)
    }

    pub(crate) async fn initialize(&mut self) -> Value {
        let client = json!({"name": "suite", "version": "1"});
        self.call("initialize", json!({"protocol_version": 1, "client": client}))
            .await
    }

    /// Opens a session by name and returns its id.
    pub(crate) async fn open(&mut self, name: &str) -> String {
        let opened = self.call("session.open", json!({"name": name})).await;
        opened["session_id"].as_str().unwrap().to_owned()
    }

    /// The project of the directory of a Mira, made when there is none.
    pub(crate) async fn project(&mut self, mira: &Mira) -> String {
        let known = self.call("project.list", json!({})).await;
        if let Some(id) = known["projects"][0]["project_id"].as_str() {
            return id.to_owned();
        }
        let new = json!({"name": "Garden", "directory": mira.directory()});
        let made = self.call("project.create", new).await;
        made["project"]["project_id"].as_str().unwrap().to_owned()
    }

    /// Sends a request and returns its id.
    pub(crate) async fn ask(&mut self, method: &str, params: &Value) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.socket.send(request.to_string()).await;
        id
    }

    /// The whole answer to a request.
    pub(crate) async fn answer(&mut self, id: &Value) -> Value {
        soon("an answer", async {
            loop {
                let frame = self.socket.frame().await;
                if frame.get("jsonrpc").is_none() {
                    // A greeting of the classic profile, which a client that is late gets.
                    assert_eq!(frame.get("id"), None, "{frame}");
                } else if frame.get("method").is_some() {
                    self.inbox.push_back(frame);
                } else {
                    assert_eq!(frame["id"], *id, "{frame}");
                    return frame;
                }
            }
        })
        .await
    }

    /// The result of a request that must succeed.
    pub(crate) async fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, &params).await;
        let mut answer = self.answer(&id.into()).await;
        assert!(answer.get("error").is_none(), "{method} {params}: {answer}");
        answer["result"].take()
    }

    /// The error of a request that must be refused.
    pub(crate) async fn refused(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, &params).await;
        let mut answer = self.answer(&id.into()).await;
        assert!(answer.get("result").is_none(), "{method} {params}: {answer}");
        answer["error"].take()
    }

    /// All entries of a list, page by page.
    pub(crate) async fn pages(&mut self, method: &str, mut params: Value, member: &str) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let mut page = self.call(method, params.clone()).await;
            let Value::Array(entries) = page[member].take() else {
                panic!("{method} has no {member}");
            };
            all.extend(entries);
            match page["next_cursor"].take() {
                Value::Null => return all,
                cursor => params["cursor"] = cursor,
            }
        }
    }

    /// The whole journal of a session, in the shape of the parameters of `event`.
    pub(crate) async fn journal(&mut self, session: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut after = json!(0);
        while !after.is_null() {
            let params = json!({"session_id": session, "after": after, "limit": 500});
            let mut page = self.call("operation.events", params).await;
            all.extend(page["events"].as_array().unwrap().iter().cloned());
            after = page["next_after"].take();
        }
        all
    }

    /// The next notification other than a heartbeat, or the end of the connection.
    pub(crate) async fn heard(&mut self) -> Heard {
        if let Some(frame) = self.inbox.pop_front() {
            return Heard::Frame(frame);
        }
        soon("a notification", async {
            loop {
                match self.socket.hear().await {
                    Heard::Frame(frame) if frame["method"] == "heartbeat" => {}
                    Heard::Frame(frame) => {
                        assert!(frame.get("method").is_some(), "an answer to nothing: {frame}");
                        return Heard::Frame(frame);
                    }
                    end => return end,
                }
            }
        })
        .await
    }

    /// The next notification other than a heartbeat.
    pub(crate) async fn notification(&mut self) -> Value {
        match self.heard().await {
            Heard::Frame(frame) => frame,
            end => panic!("the connection ended: {end:?}"),
        }
    }

    /// Drops the notifications that came before the last answer.
    pub(crate) fn forget(&mut self) {
        self.inbox.clear();
    }

    /// The parameters of the next `event`.
    pub(crate) async fn event(&mut self) -> Value {
        let mut notification = self.notification().await;
        assert_eq!(notification["method"], "event", "{notification}");
        notification["params"].take()
    }

    /// Events up to and with the first of this type.
    pub(crate) async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = self.event().await;
            let found = event["event"]["type"] == kind;
            assert!(found || !story::is_terminal(&event), "no {kind} before {event}");
            events.push(event);
            if found {
                return events;
            }
        }
    }

    /// Events up to and with the end of an operation.
    pub(crate) async fn until_end(&mut self, operation: &Value) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = self.event().await;
            let ended = event["event"]["operation_id"] == *operation && story::is_terminal(&event);
            events.push(event);
            if ended {
                return events;
            }
        }
    }

    /// Sends a turn, which must be accepted.
    pub(crate) async fn say(&mut self, session: &str, content: &str) -> Value {
        let turn = json!({"session_id": session, "content": content});
        self.call("chat.send", turn).await
    }

    /// Sends a turn with these parameters and waits for its end.
    pub(crate) async fn run(&mut self, params: Value) -> Turn {
        let accepted = self.call("chat.send", params).await;
        let events = self.until_end(&accepted["operation_id"]).await;
        Turn { accepted, events }
    }

    /// Sends a turn and waits for its end.
    pub(crate) async fn turn(&mut self, session: &str, content: &str) -> Turn {
        self.run(json!({"session_id": session, "content": content})).await
    }

    /// What was said in a session, oldest first: role and text.
    pub(crate) async fn messages(&mut self, session: &str) -> Vec<(String, String)> {
        let params = json!({"session_id": session, "limit": 500});
        let mut messages = self.pages("memory.get_recent", params, "messages").await;
        messages.reverse();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        messages
            .iter()
            .map(|message| (text(&message["role"]), text(&message["content"])))
            .collect()
    }
}

impl Turn {
    pub(crate) fn story(&self) -> Vec<String> {
        story::story(&self.events)
    }

    /// The last event.
    pub(crate) fn end(&self) -> &Value {
        &self.events.last().unwrap()["event"]
    }
}
