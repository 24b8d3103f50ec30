//! Messages that wait, a real database, and a model that answers from a script.

use std::sync::Arc;
use std::time::Duration;

use mira_llm::openai::{Responses, ResponsesOptions};
use mira_llm::scripted::{Fault, HttpFault, Rule, Script, Step, Upstream};
use mira_llm::{Endpoint, Retry};
use mira_store::{Database, ManualClock};
use serde_json::{Value, json};

use super::*;
use crate::analysis::{self, ErrorKind, ReportedError};
use crate::fact::{Category, Facts};
use crate::{Helpers, NewMessage, Options};

struct Fixture {
    _folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    memory: Memory,
}

async fn fixture(helpers: Helpers) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("memory.db")).await.unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_ms(1_762_000_000_000)));
    let memory = Memory::open_with(database, clock.clone(), helpers, Options::default())
        .await
        .unwrap();
    Fixture {
        _folder: folder,
        clock,
        memory,
    }
}

async fn with_model(script: Script) -> (Fixture, Upstream) {
    let upstream = Upstream::start(script).await.unwrap();
    let endpoint = Endpoint::new(upstream.base_url()).api_key("key").retry(Retry {
        attempts: 1,
        ..Retry::default()
    });
    let model = Responses::new(endpoint, ResponsesOptions::new("analyst")).unwrap();
    let helpers = Helpers {
        utility: Some(Arc::new(model)),
        ..Helpers::default()
    };
    (fixture(helpers).await, upstream)
}

impl Fixture {
    async fn say(&self, texts: &[(Role, &str)]) -> Vec<Message> {
        let session = self.memory.create_session().await.unwrap().id;
        let mut messages = Vec::new();
        for (role, text) in texts {
            messages.push(
                self.memory
                    .save(NewMessage::new(session, *role, *text))
                    .await
                    .unwrap(),
            );
        }
        messages
    }

    async fn analysis(&self, message: &Message) -> Option<Analysis> {
        let mut reader = self.memory.inner.database.readers().acquire().await.unwrap();
        analysis::of(&mut reader, &[message.number])
            .await
            .unwrap()
            .remove(&message.number)
    }

    /// The messages that wait to be embedded.
    async fn to_embed(&self) -> Vec<Subject> {
        let mut reader = self.memory.inner.database.readers().acquire().await.unwrap();
        let tasks = outbox::due(&mut reader, Work::Embed, Timestamp::from_ms(i64::MAX), 100)
            .await
            .unwrap();
        tasks
            .into_iter()
            .map(|task| task.subject)
            .filter(|subject| matches!(subject, Subject::Message(_)))
            .collect()
    }

    async fn facts(&self) -> Vec<(String, String)> {
        let facts = self.memory.facts(&Facts::of("default")).await.unwrap();
        facts.into_iter().map(|fact| (fact.key, fact.value)).collect()
    }

    async fn waiting(&self) -> u64 {
        let mut reader = self.memory.inner.database.readers().acquire().await.unwrap();
        outbox::backlog(&mut reader, Work::Analyse).await.unwrap().waiting
    }
}

fn entry(index: usize) -> Value {
    json!({
        "message_index": index, "salience": 0.8, "topics": ["Editors", "editors", " "], "contains_code": true,
        "programming_language": "cobol", "contains_error": false, "error_type": null, "error_severity": null,
        "error_file": null, "mood": "Happy", "intensity": 7, "intent": "preference", "summary": null,
        "relationship": {
            "facts": [
                {"subject": "user", "key": "editor", "value": "Helix", "category": "technical", "confidence": 0.9,
                 "retracted": false, "context": null, "since": null},
                {"subject": "user", "key": "shoe", "value": "red", "category": "nonsense", "confidence": 0.9,
                 "retracted": false, "context": null, "since": null},
            ],
            "patterns": [], "profile": {"code_verbosity": null},
        },
    })
}

fn answer(entries: &[Value]) -> String {
    json!({"messages": entries}).to_string()
}

fn busy() -> Fault {
    Fault::Http(HttpFault {
        status: 503,
        retry_after: None,
        body: None,
    })
}

#[tokio::test]
async fn without_a_model_rules_analyse_what_waits_and_note_what_is_to_be_embedded() {
    let fixture = fixture(Helpers::default()).await;
    let said = fixture
        .say(&[
            (Role::System, "You are Mira."),
            (Role::User, "I use Helix and Linux."),
            (Role::Assistant, "Noted, I prefer it too."),
            (Role::User, "ok"),
        ])
        .await;
    assert_eq!(fixture.memory.analyse_due().await.unwrap(), 4);
    assert_eq!(fixture.memory.analyse_due().await.unwrap(), 0);
    assert_eq!(fixture.waiting().await, 0);
    assert_eq!(
        fixture.to_embed().await,
        [Subject::Message(said[1].id), Subject::Message(said[2].id)]
    );
    let facts = fixture.facts().await;
    assert!(
        facts.contains(&("editor".to_owned(), "Helix".to_owned())),
        "{facts:?}"
    );
    assert_eq!(facts.len(), 2);
    for message in &said {
        let (expected, _) = rules::analyse(message, None);
        assert_eq!(fixture.analysis(message).await, Some(expected));
    }
}

#[tokio::test]
async fn analysing_again_keeps_what_was_first_and_what_recall_counted() {
    let fixture = fixture(Helpers::default()).await;
    let said = fixture
        .say(&[(Role::User, "error[E0502]: cannot borrow\n --> src/lib.rs:1:2")])
        .await;
    let (first, _) = rules::analyse(&said[0], None);
    let first = Analysis {
        recall_count: 3,
        last_recalled: Some(Timestamp::from_ms(5)),
        ..first
    };
    let again = Analysis {
        salience: 0.2,
        original_salience: 0.2,
        topics: vec!["other".to_owned()],
        error: Some(ReportedError {
            kind: Some(ErrorKind::Linter),
            severity: None,
            file: None,
        }),
        recall_count: 0,
        last_recalled: None,
        ..first.clone()
    };
    let mut transaction = fixture.memory.inner.database.begin().await.unwrap();
    put(&mut transaction, said[0].number, &first).await.unwrap();
    put(&mut transaction, said[0].number, &again).await.unwrap();
    transaction.commit().await.unwrap();
    let expected = Analysis {
        // Recall has reinforced it.
        salience: first.salience,
        original_salience: first.original_salience,
        recall_count: 3,
        last_recalled: first.last_recalled,
        ..again
    };
    assert_eq!(fixture.analysis(&said[0]).await, Some(expected));
}

#[tokio::test]
async fn the_model_is_asked_for_several_at_once_and_only_what_is_valid_is_kept() {
    let script = Script::new().rule(Rule::new("analyse").text(answer(&[entry(1), entry(2)])));
    let (fixture, upstream) = with_model(script).await;
    let said = fixture
        .say(&[
            (Role::User, "I moved to Helix. My password is hunter2."),
            (Role::Assistant, "Fine."),
            (Role::System, "Be brief."),
        ])
        .await;
    let mut transaction = fixture.memory.inner.database.begin().await.unwrap();
    let known = Report {
        facts: vec![crate::relationship::Statement {
            subject: "user".to_owned(),
            key: "editor".to_owned(),
            value: "Vim".to_owned(),
            category: Category::Technical,
            confidence: 0.8,
            retracted: false,
            context: None,
            since: Some("2020-01-01".to_owned()),
        }],
        ..Report::default()
    };
    let source = Message {
        time: Timestamp::from_ms(1_600_000_000_000),
        ..said[1].clone()
    };
    relationship::apply(&mut transaction, "default", &source, &known, source.time)
        .await
        .unwrap();
    transaction.commit().await.unwrap();

    assert_eq!(fixture.memory.analyse_due().await.unwrap(), 3);
    let analysis = fixture.analysis(&said[0]).await.unwrap();
    assert_eq!(
        analysis,
        Analysis {
            salience: 0.8,
            original_salience: 0.8,
            topics: vec!["editors".to_owned()],
            mood: Some("happy".to_owned()),
            intensity: Some(1.0),
            intent: Some("preference".to_owned()),
            summary: None,
            relationship_impact: Some("editor: Helix".to_owned()),
            contains_code: true,
            programming_language: None,
            error: None,
            heads: analysis.heads.clone(),
            analyser: "analyst".to_owned(),
            analysed: fixture.memory.inner.clock.now(),
            recall_count: 0,
            last_recalled: None,
        }
    );
    assert_eq!(
        fixture.analysis(&said[1]).await.unwrap().relationship_impact,
        None
    );
    assert_eq!(
        fixture.analysis(&said[2]).await.unwrap().analyser,
        rules::ANALYSER
    );
    assert_eq!(fixture.facts().await, [("editor".to_owned(), "Helix".to_owned())]);

    assert_eq!(upstream.violations(), []);
    let requests = upstream.requests();
    assert_eq!(requests.len(), 1);
    let mut body = requests[0].body.clone();
    assert_eq!(
        body["instructions"],
        include_str!("../../../prompts/analysis.md").trim_end()
    );
    body["instructions"] = "prompts/analysis.md".into();
    let snapshot: Value =
        serde_json::from_str(include_str!("../../../tests/suite/analysis/request.json")).unwrap();
    assert_eq!(
        body, snapshot,
        "tests/suite/analysis/request.json should be\n{body:#}"
    );
}

#[tokio::test]
async fn when_the_model_fails_messages_are_put_off_once_and_then_analysed_by_rules() {
    let (fixture, upstream) = with_model(Script::new().rule(Rule::new("busy").fault(busy()))).await;
    let texts: Vec<(Role, &str)> = vec![(Role::User, "I use Helix."); 20];
    let said = fixture.say(&texts).await;
    assert_eq!(fixture.memory.analyse_due().await.unwrap(), 0);
    assert_eq!(fixture.waiting().await, 20);
    assert_eq!(fixture.memory.analyse_due().await.unwrap(), 0, "they wait");
    assert_eq!(upstream.requests().len(), 1);
    fixture.clock.advance(Duration::from_secs(3));
    assert_eq!(fixture.memory.analyse_due().await.unwrap(), 20);
    assert_eq!(upstream.requests().len(), 2);
    assert_eq!(
        fixture.analysis(&said[19]).await.unwrap().analyser,
        rules::ANALYSER
    );
}

#[tokio::test]
async fn a_refusal_concerns_only_the_messages_that_were_asked_about() {
    let refused = Fault::Http(HttpFault {
        status: 400,
        retry_after: None,
        body: None,
    });
    let script = Script::new()
        .rule(Rule::new("refuse").once().fault(refused))
        .rule(Rule::new("analyse").text(answer(&[entry(1), entry(2)])));
    let (fixture, upstream) = with_model(script).await;
    fixture.say(&[(Role::User, "Say something"); 10]).await;
    assert_eq!(fixture.memory.analyse_due().await.unwrap(), 0);
    assert_eq!(
        fixture.memory.analyse_due().await.unwrap(),
        2,
        "the other two do not wait"
    );
    assert_eq!(upstream.violations(), []);
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_repaired_once_and_rules_fill_what_is_missing() {
    let cases = [
        (
            "no JSON at all".to_owned(),
            answer(&[entry(1)]),
            ["analyst", "rules"],
        ),
        (
            answer(&[entry(2), entry(9), json!({"message_index": 1})]),
            answer(&[entry(1)]),
            ["analyst", "analyst"],
        ),
        ("[1, 2".to_owned(), "{}".to_owned(), ["rules", "rules"]),
        (
            format!("```json\n{}\n```", answer(&[entry(1), entry(2)])),
            String::new(),
            ["analyst", "analyst"],
        ),
    ];
    for (first, repaired, analysers) in cases {
        let script = Script::new()
            .rule(Rule::new("repair").user_contains("cannot be used").text(repaired))
            .rule(Rule::new("answer").text(first.clone()));
        let (fixture, upstream) = with_model(script).await;
        let said = fixture
            .say(&[(Role::User, "One thing"), (Role::User, "Another thing")])
            .await;
        assert_eq!(fixture.memory.analyse_due().await.unwrap(), 2);
        let mut found = Vec::new();
        for message in &said {
            found.push(fixture.analysis(message).await.unwrap().analyser);
        }
        assert_eq!(found, analysers, "{first}");
        assert_eq!(upstream.violations(), []);
    }
}

#[tokio::test]
async fn what_is_erased_while_the_model_thinks_leaves_nothing() {
    let script = Script::new().rule(
        Rule::new("slow")
            .step(Step::hold("thinking"))
            .text(answer(&[entry(1), entry(2)])),
    );
    let (fixture, upstream) = with_model(script).await;
    let said = fixture
        .say(&[(Role::User, "I use Helix"), (Role::User, "Hello world")])
        .await;
    let erasing = async {
        upstream.arrived("thinking").await;
        let mut transaction = fixture.memory.inner.database.begin().await.unwrap();
        sqlx::query("DELETE FROM messages WHERE number = ?1")
            .bind(said[0].number)
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        upstream.release("thinking");
    };
    let (done, ()) = tokio::join!(fixture.memory.analyse_due(), erasing);
    assert_eq!(done.unwrap(), 1);
    assert_eq!(fixture.analysis(&said[0]).await, None);
    assert!(fixture.analysis(&said[1]).await.is_some());
    assert_eq!(
        fixture.memory.analyse_due().await.unwrap(),
        1,
        "its work goes too"
    );
    assert_eq!(fixture.waiting().await, 0);
}
