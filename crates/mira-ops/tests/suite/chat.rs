//! Turns without tools: what is told, stored and asked.

use mira_llm::Usage;
use mira_llm::scripted::{Endpoint as Route, Script, Step, TokenUsage};
use mira_memory::{Message, Role, message};
use mira_ops::failure::{Failure, FailureCode};
use mira_ops::operation::{ContextPart, Kind, ModelRole, ModelUsage, Operation, OperationDetail, Status};
use mira_ops::{
    Behind, Binding, Editor, Error, Event, MAX_EDITOR_BYTES, MAX_MESSAGE_BYTES, Options, Selection, Turn,
    TurnPart,
};
use mira_store::{Database, MessageId, ProjectId, SessionId};

use crate::harness::{Mira, REASONER, START, Setup, Turned, answering, reasoner, script};

#[tokio::test]
async fn a_turn_is_told_stored_and_counted() {
    let usage = TokenUsage {
        input: 100,
        cached_input: 40,
        output: 20,
        reasoning: 5,
    };
    let rule = reasoner("greeting")
        .step(Step::reasoning("A greeting.").chunk(3))
        .step(Step::text("Grüße, 🦀 from Mira!").chunk(2))
        .usage(usage);
    let mira = Mira::start(script([rule])).await;
    let accepted = mira.send(mira.turn("Hello")).await;
    assert_eq!((accepted.seq, accepted.queued), (1, 0));
    let turned = mira.ended(accepted.operation).await;
    assert_eq!(
        turned.story(),
        [
            "started",
            "pending to started",
            "shows the reasoner persona, recent_turns, request",
            "thinks A greeting.",
            "says Grüße, 🦀 from Mira!",
            "completed",
        ]
    );

    let messages = mira.messages().await;
    let [question, answer] = messages.as_slice() else {
        panic!("{messages:?}");
    };
    let said = |number, id, role, content: &str, reply_to| Message {
        number,
        id,
        session: mira.session,
        role,
        content: content.to_owned(),
        time: START,
        project: None,
        reply_to,
        speaker: None,
        tags: Vec::new(),
        pinned: false,
    };
    assert_eq!(*question, said(1, accepted.message, Role::User, "Hello", None));
    let reply_to = Some(accepted.message);
    let text = "Grüße, 🦀 from Mira!";
    assert_eq!(*answer, said(2, answer.id, Role::Assistant, text, reply_to));

    let usage = vec![ModelUsage {
        role: ModelRole::Reasoner,
        model: REASONER.to_owned(),
        calls: 1,
        usage: Usage {
            input: 100,
            cached_input: 40,
            cache_write: 0,
            output: 20,
            reasoning: 5,
        },
    }];
    let completed = Event::Completed {
        answer: Some(answer.id),
        usage: usage.clone(),
        limit: None,
    };
    assert_eq!(turned.events.last(), Some(&completed));
    let expected = OperationDetail {
        operation: Operation {
            id: accepted.operation,
            session: mira.session,
            first_seq: 1,
            message: accepted.message,
            answer: Some(answer.id),
            project: None,
            kind: Kind::Chat,
            status: Status::Completed,
            failure: None,
            created: START,
            started: Some(START),
            finished: Some(START),
        },
        text: text.to_owned(),
        usage,
        artifacts: vec![],
        delegations: vec![],
    };
    assert_eq!(turned.detail, expected);
    let behind = Behind {
        operation: accepted.operation,
        artifacts: vec![],
    };
    let unknown = MessageId::at(START);
    let found = mira
        .operations
        .behind(&[question.id, answer.id, unknown])
        .await
        .unwrap();
    assert_eq!(found, [(question.id, behind.clone()), (answer.id, behind)].into());
    mira.close().await;
}

#[tokio::test]
async fn a_message_is_on_disk_when_it_is_accepted_and_before_the_model_is_asked() {
    let mira = Mira::start(script([reasoner("slow").hold("asked").text("Yes.")])).await;
    let accepted = mira.send(mira.turn("Are you there?")).await;
    // Another connection sees only what is committed.
    let other = Database::open(mira.database.path()).await.unwrap();
    let mut reader = other.readers().acquire().await.unwrap();
    let stored = message::get(&mut reader, accepted.message)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.content, "Are you there?");
    let told = mira.operations.events(mira.session, 0, 1).await.unwrap();
    let started = Event::Started {
        message: accepted.message,
        kind: Kind::Chat,
    };
    assert_eq!(told[0].event, started);
    drop(reader);
    other.close().await;

    mira.arrived("asked").await;
    let detail = mira.operations.detail(accepted.operation).await.unwrap();
    assert_eq!(
        (detail.operation.status, detail.operation.answer),
        (Status::Started, None)
    );
    mira.upstream.release("asked");
    assert_eq!(mira.ended(accepted.operation).await.end(), "completed");
    mira.close().await;
}

#[tokio::test]
async fn an_empty_reply_fails_as_malformed() {
    let mira = Mira::start(script([reasoner("nothing to say")])).await;
    let turned = mira.run(mira.turn("Hello")).await;
    let error = Failure {
        code: FailureCode::ModelMalformed,
        message: format!("{REASONER} answered with nothing"),
        retryable: true,
        hint: None,
    };
    assert_eq!(
        turned.events.last(),
        Some(&Event::Failed { error: error.clone() })
    );
    assert_eq!(turned.detail.operation.failure, Some(error));
    assert_eq!(mira.messages().await.len(), 1);
    mira.close().await;
}

#[tokio::test]
async fn what_a_later_turn_is_asked_begins_with_what_the_earlier_one_was_asked() {
    let mira = Mira::start(answering("Noted.")).await;
    mira.run(mira.turn("Remember seven.")).await;
    mira.run(mira.turn("Which number?")).await;
    let requests = mira.requests(Route::Responses);
    let [first, second] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    let earlier = first["input"].as_array().unwrap();
    let later = second["input"].as_array().unwrap();
    assert_eq!(later.get(..earlier.len()), Some(earlier.as_slice()));
    assert_eq!(later.len(), 3, "the question, its answer, the new question");
    for part in ["instructions", "tools", "prompt_cache_key", "model"] {
        assert!(!first[part].is_null());
        assert_eq!(first[part], second[part], "{part}");
    }
    let instructions = first["instructions"].as_str().unwrap();
    assert!(instructions.starts_with(&Options::default().persona));
    mira.close().await;
}

#[tokio::test]
async fn the_window_on_the_conversation_moves_in_steps() {
    let options = Options {
        recent_messages: 4,
        ..Options::default()
    };
    let setup = Setup {
        options,
        ..Setup::default()
    };
    let mira = Mira::start_with(answering("Yes."), &setup).await;
    let mut shown = Vec::new();
    for turn in 1..=6 {
        let turned = mira.run(mira.turn(&format!("Question {turn}"))).await;
        shown.push(recent_turns(&turned).detail.unwrap());
    }
    let expected = [
        "0 of 0 messages",
        "2 of 2 messages",
        "4 of 4 messages",
        "6 of 6 messages",
        "4 of 8 messages",
        "6 of 10 messages",
    ];
    assert_eq!(shown, expected);
    let requests = mira.requests(Route::Responses);
    let first = |request: usize| requests[request]["input"][0]["content"].clone();
    assert_eq!(
        [first(3), first(4), first(5)],
        ["Question 1", "Question 3", "Question 3"]
    );
    mira.close().await;
}

#[tokio::test]
async fn the_conversation_takes_no_more_tokens_than_allowed() {
    let options = Options {
        recent_tokens: 80,
        ..Options::default()
    };
    let setup = Setup {
        options,
        ..Setup::default()
    };
    let mira = Mira::start_with(answering(&"A long answer. ".repeat(50)), &setup).await;
    let mut parts = Vec::new();
    for turn in 1..=5 {
        let turned = mira.run(mira.turn(&format!("Question {turn}"))).await;
        parts.push(recent_turns(&turned));
    }
    assert!(
        parts.iter().all(|part| part.cap == 80 && part.tokens <= 80),
        "{parts:?}"
    );
    let last = parts.pop().unwrap();
    assert_eq!(
        (last.detail.as_deref(), last.truncated),
        (Some("6 of 8 messages"), true)
    );
    let request = mira.requests(Route::Responses).pop().unwrap();
    assert_eq!(request["input"][0]["content"], "Question 2");
    let answer = request["input"][1]["content"].to_string();
    assert!(answer.contains("[… cut here to fit]"), "{answer}");
    mira.close().await;
}

/// What the receipt of a turn says about the conversation before it.
fn recent_turns(turned: &Turned) -> ContextPart {
    let part = turned.events.iter().find_map(|event| match event {
        Event::Context { parts, .. } => parts.iter().find(|part| part.name == "recent_turns"),
        _ => None,
    });
    part.unwrap().clone()
}

#[tokio::test]
async fn the_open_file_is_shown_as_it_stands_in_the_editor_or_on_disk() {
    let mira = Mira::start(answering("I see.")).await;
    mira.put("src/a.rs", "fn on_disk() {}\n");
    let selection = Selection {
        start_line: 1,
        end_line: 1,
        text: Some("fn typed()".to_owned()),
    };
    let in_editor = Editor {
        path: Some("src/a.rs".to_owned()),
        content: Some("fn typed() {}\n".to_owned()),
        language: None,
        selection: Some(selection),
    };
    let on_disk = Editor {
        path: Some("src/a.rs".to_owned()),
        ..Editor::default()
    };
    let missing = Editor {
        path: Some("src/missing.rs".to_owned()),
        ..Editor::default()
    };
    let cases = [
        (
            in_editor,
            Some(
                "The user has src/a.rs open (rust):\n```rust\nfn typed() {}\n\n```\n\
                 Selected: lines 1 to 1.\n```rust\nfn typed()\n```",
            ),
        ),
        (
            on_disk,
            Some("The user has src/a.rs open (rust):\n```rust\nfn on_disk() {}\n\n```\n"),
        ),
        (missing, None),
    ];
    for (editor, expected) in cases {
        let turn = Turn {
            editor: Some(editor),
            ..mira.project_turn("What is this?")
        };
        let turned = mira.run(turn).await;
        let names = "persona, project, recent_turns, outline";
        let editor = if expected.is_some() { ", editor" } else { "" };
        assert_eq!(
            turned.story()[2],
            format!("shows the reasoner {names}{editor}, request")
        );
        let request = mira.requests(Route::Responses).pop().unwrap();
        let developer = request["input"].as_array().unwrap().iter();
        let shown = developer
            .filter(|item| item["role"] == "developer")
            .find(|item| item["content"].as_str().unwrap().starts_with("The user has"));
        assert_eq!(shown.map(|item| item["content"].as_str().unwrap()), expected);
    }
    mira.close().await;
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_and_leaves_nothing() {
    let mira = Mira::start(Script::new()).await;
    let refused = async |turn: Turn| mira.operations.send(turn).await.unwrap_err();

    assert!(matches!(refused(mira.turn(" \n")).await, Error::EmptyMessage));
    let long = "x".repeat(MAX_MESSAGE_BYTES + 1);
    assert!(matches!(
        refused(mira.turn(&long)).await,
        Error::TooLarge {
            part: TurnPart::Message,
            ..
        }
    ));
    let editor = Editor {
        content: Some("x".repeat(MAX_EDITOR_BYTES + 1)),
        ..Editor::default()
    };
    let turn = Turn {
        editor: Some(editor),
        ..mira.turn("Look")
    };
    assert!(matches!(
        refused(turn).await,
        Error::TooLarge {
            part: TurnPart::EditorFile,
            ..
        }
    ));
    let session = SessionId::at(START);
    let turn = Turn {
        session,
        ..mira.turn("Hello")
    };
    assert!(matches!(refused(turn).await, Error::UnknownSession(unknown) if unknown == session));
    let turn = Turn {
        project: Some(ProjectId::at(START)),
        ..mira.turn("Hello")
    };
    assert!(matches!(
        refused(turn).await,
        Error::Workspace(mira_workspace::Error::UnknownProject { .. })
    ));

    assert_eq!(mira.messages().await, []);
    assert_eq!(mira.operations.last_seq(mira.session).await.unwrap(), 0);
    mira.close().await;
}

#[tokio::test]
async fn without_a_reasoner_a_turn_is_refused_with_the_variable_to_set() {
    let missing = Binding::Missing {
        variable: "OPENAI_API_KEY".to_owned(),
    };
    let setup = Setup {
        reasoner: Some(missing),
        ..Setup::default()
    };
    let mira = Mira::start_with(Script::new(), &setup).await;
    let refused = mira.operations.send(mira.turn("Hello")).await.unwrap_err();
    let Error::ModelNotConfigured { role, variable } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((role, variable.as_str()), (ModelRole::Reasoner, "OPENAI_API_KEY"));
    assert_eq!(mira.messages().await, []);
    mira.close().await;
}
