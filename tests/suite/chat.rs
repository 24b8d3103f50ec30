//! Turns that go well, in the native profile.

use mira_client::Update;
use mira_llm::scripted::{Endpoint as Route, Step};
use mira_proto::native::{ChatSend, ChatSendParams, Event};
use serde_json::json;

use crate::harness::{Mira, answering, delegating, reasoner, script, soon, writing};
use crate::native::Native;
use crate::story::{answer, story};

#[tokio::test]
async fn a_chat_without_tools() {
    let rule = reasoner("greeting")
        .step(Step::reasoning("A greeting.").chunk(3))
        .step(Step::text("Grüße, 🦀 from Mira!").chunk(2));
    let mira = Mira::start(script([rule])).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let turn = client.turn(&session, "Hello").await;
    assert_eq!(
        turn.story(),
        [
            "started",
            "pending to started",
            "shows the reasoner",
            "thinks A greeting.",
            "says Grüße, 🦀 from Mira!",
            "completed",
        ]
    );
    let accepted = &turn.accepted;
    assert_eq!((&accepted["seq"], &accepted["queued"]), (&json!(1), &json!(0)));
    assert_eq!(turn.events[0]["event"]["message_id"], accepted["message_id"]);
    assert_eq!(client.journal(&session).await, turn.events);
    let said = |role: &str, text: &str| (role.to_owned(), text.to_owned());
    assert_eq!(
        client.messages(&session).await,
        [said("user", "Hello"), said("assistant", "Grüße, 🦀 from Mira!")]
    );
    let got = client
        .call("operation.get", json!({"operation_id": accepted["operation_id"]}))
        .await;
    assert_eq!(got["operation"]["status"], "completed");
    assert_eq!(got["operation"]["text"], "Grüße, 🦀 from Mira!");
    mira.close(client).await;
}

#[tokio::test]
async fn a_second_turn_knows_the_first() {
    let mira = Mira::start(answering("Yes.")).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    client.turn(&session, "My name is Peter.").await;
    client.turn(&session, "What is my name?").await;
    let second = mira.asked(Route::Responses).pop().unwrap().to_string();
    assert!(
        second.contains("My name is Peter.") && second.contains("Yes."),
        "{second}"
    );
    mira.close(client).await;
}

#[tokio::test]
async fn a_chat_with_tool_calls() {
    let rules = [
        reasoner("looks")
            .no_tool_output()
            .text("Let me look.")
            .tool_call(
                "read_file",
                &json!({"path": "src/lib.rs", "start_line": null, "end_line": null}),
            )
            .tool_call(
                "read_file",
                &json!({"path": "../secret", "start_line": null, "end_line": null}),
            ),
        reasoner("answers")
            .tool_output_contains("fn seven")
            .text("It gives 7."),
    ];
    let mira = Mira::start(script(rules)).await;
    mira.put("src/lib.rs", "pub fn seven() -> u8 { 7 }\n");
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let project = client.project(&mira).await;
    let turn = json!({"session_id": session, "content": "What does it do?", "project_id": project});
    let turn = client.run(turn).await;
    assert_eq!(
        turn.story(),
        [
            "started",
            "pending to started",
            "shows the reasoner",
            "says Let me look.",
            "calls read_file",
            "read_file gives src/lib.rs: lines 1 to 1 of 1",
            "calls read_file",
            "read_file fails: \"../secret\" leads above the root of the project",
            "says It gives 7.",
            "completed",
        ]
    );
    mira.close(client).await;
}

#[tokio::test]
async fn a_delegation_offers_a_file_that_is_applied_and_undone() {
    let new = "pub fn greet() {}\n";
    let mira = Mira::start(delegating("src/greet.rs", writing("src/greet.rs", new))).await;
    mira.put("src/greet.rs", "// old\r\n");
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let project = client.project(&mira).await;
    let turn = json!({"session_id": session, "content": "Write a greeting.", "project_id": project});
    let turn = client.run(turn).await;
    assert_eq!(
        turn.story(),
        [
            "started",
            "pending to started",
            "shows the reasoner",
            "says I hand it over.",
            "calls generate_code",
            "started to delegating",
            "delegates generate_code src/greet.rs to deepseek-v4-flash",
            "shows the coder",
            "delegating to generating",
            "previews src/greet.rs",
            "offers src/greet.rs",
            "generating to started",
            "generate_code gives src/greet.rs: 1 line",
            "says It is ready.",
            "completed",
        ]
    );
    let offered = turn
        .events
        .iter()
        .find(|event| event["event"]["type"] == "operation.artifact_completed");
    let artifact = &offered.unwrap()["event"]["artifact"];
    assert_eq!(artifact["content"], new);
    assert_eq!(
        mira.on_disk("src/greet.rs").unwrap(),
        b"// old\r\n",
        "nothing is written unasked"
    );
    let wanted = json!({"artifact_id": artifact["artifact_id"]});
    let diff = client.call("artifact.diff", wanted.clone()).await;
    assert_eq!(
        (&diff["base_changed"], &diff["is_new_file"]),
        (&json!(false), &json!(false))
    );

    let applied = client.call("artifact.apply", wanted.clone()).await;
    assert_eq!(applied["path"], "src/greet.rs");
    // The file keeps its line ends.
    assert_eq!(mira.on_disk("src/greet.rs").unwrap(), b"pub fn greet() {}\r\n");
    assert_eq!(story(&[client.event().await]), ["artifact_applied src/greet.rs"]);

    client.call("artifact.undo", wanted.clone()).await;
    assert_eq!(mira.on_disk("src/greet.rs").unwrap(), b"// old\r\n");
    assert_eq!(story(&[client.event().await]), ["artifact_undone src/greet.rs"]);

    mira.put("src/greet.rs", "// changed by hand\n");
    let refused = client.refused("artifact.apply", wanted.clone()).await;
    assert_eq!(refused["data"]["code"], "conflict");
    let forced = json!({"artifact_id": wanted["artifact_id"], "force": true});
    client.call("artifact.apply", forced).await;
    assert_eq!(mira.on_disk("src/greet.rs").unwrap(), b"pub fn greet() {}\n");
    mira.close(client).await;
}

#[tokio::test]
async fn a_file_of_the_reasoner_is_offered_and_a_new_file_is_removed_by_undo() {
    let artifact = json!({"path": "notes/todo.md", "content": "- water\n", "language": "markdown"});
    let rules = [
        reasoner("offers")
            .no_tool_output()
            .tool_call("create_artifact", &artifact),
        reasoner("answers").tool_output("create_artifact").text("A list."),
    ];
    let mira = Mira::start(script(rules)).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let project = client.project(&mira).await;
    let turn = json!({"session_id": session, "content": "A list, please.", "project_id": project});
    let turn = client.run(turn).await;
    assert_eq!(turn.story().last().unwrap(), "completed");
    let listed = client.call("artifact.list", json!({"session_id": session})).await;
    let wanted = json!({"artifact_id": listed["artifacts"][0]["artifact_id"]});
    client.call("artifact.apply", wanted.clone()).await;
    assert_eq!(mira.on_disk("notes/todo.md").unwrap(), b"- water\n");
    client.call("artifact.undo", wanted).await;
    assert_eq!(mira.on_disk("notes/todo.md"), None);
    mira.close(client).await;
}

#[tokio::test]
async fn odd_texts_come_back_as_they_are() {
    let texts = [
        "\0",
        "a\u{0}b",
        "\u{feff}bom",
        "e\u{301}",
        "مرحبا",
        "👩‍👩‍👧\u{200d}",
        "\r\n\t x",
        "\u{10ffff}",
        "<script>",
    ];
    let rules = texts.map(|text| reasoner(text).last_user_contains(format!("[{text}]")).text(text));
    let mira = Mira::start(script(rules)).await;
    let (mut client, session) = Native::in_session(&mira.server, "main").await;
    let mut said = Vec::new();
    for text in texts {
        let turn = client.turn(&session, &format!("[{text}]")).await;
        assert_eq!(answer(&turn.events), text);
        said.push(("user".to_owned(), format!("[{text}]")));
        said.push(("assistant".to_owned(), text.to_owned()));
    }
    assert_eq!(client.messages(&session).await, said);
    mira.close(client).await;
}

#[tokio::test]
async fn two_sessions_run_side_by_side_and_hear_only_themselves() {
    let rules = ["one", "two"].map(|name| {
        reasoner(name)
            .last_user_contains(name)
            .hold(name)
            .text(format!("This is {name}."))
    });
    let mira = Mira::start(script(rules)).await;
    let (mut first, one) = Native::in_session(&mira.server, "one").await;
    let (mut second, two) = Native::in_session(&mira.server, "two").await;
    let in_one = first.say(&one, "one").await;
    let in_two = second.say(&two, "two").await;
    mira.arrived("one").await;
    mira.arrived("two").await;
    mira.upstream.release("two");
    let events = second.until_end(&in_two["operation_id"]).await;
    assert_eq!(answer(&events), "This is two.");
    assert!(events.iter().all(|event| event["session_id"] == two.as_str()));
    mira.upstream.release("one");
    let events = first.until_end(&in_one["operation_id"]).await;
    assert_eq!(answer(&events), "This is one.");
    assert!(events.iter().all(|event| event["session_id"] == one.as_str()));
    mira.close((first, second)).await;
}

#[tokio::test]
async fn two_clients_of_a_session_hear_the_same() {
    let mira = Mira::start(answering("To both of you.")).await;
    let (mut first, session) = Native::in_session(&mira.server, "main").await;
    let (mut second, _) = Native::in_session(&mira.server, "main").await;
    let turn = first.turn(&session, "Hello").await;
    let operation = &turn.accepted["operation_id"];
    assert_eq!(second.until_end(operation).await, turn.events);
    first.call("session.close", json!({"session_id": session})).await;
    let again = second.turn(&session, "And again").await;
    assert_eq!(
        first.call("session.open", json!({"name": "main"})).await["last_seq"],
        again.events.last().unwrap()["seq"]
    );
    mira.close((first, second)).await;
}

#[tokio::test]
async fn the_client_crate_is_served_too() {
    let mira = Mira::start(answering("From Mira.")).await;
    let options = mira_client::Options::new(format!("ws://{}/ws", mira.server.address));
    let start = mira_client::Start::Named("main".to_owned());
    let mut session = mira_client::Session::open(options, start).await.unwrap();
    let params = ChatSendParams {
        session_id: session.id().to_owned(),
        content: "Hello".to_owned(),
        ..ChatSendParams::default()
    };
    session.call::<ChatSend>(params).await.unwrap();
    let mut said = String::new();
    loop {
        match soon("an update", session.next()).await.unwrap() {
            Update::Event(event) => match event.event {
                Event::Streaming { delta, .. } => said.push_str(&delta),
                event if event.is_terminal() => break,
                _ => {}
            },
            Update::Synced(_) => {}
            update @ (Update::Reconnecting { .. } | Update::Resumed { .. }) => panic!("{update:?}"),
        }
    }
    assert_eq!(said, "From Mira.");
    session.close().await;
    mira.close(()).await;
}
