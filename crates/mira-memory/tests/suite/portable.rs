//! Export and import.

use mira_memory::portable::{Imported, MAX_LINE_BYTES, Refusal};
use mira_memory::{Error, Memory, Message, NewMessage, Role, Scope};
use mira_store::{SessionId, Timestamp};
use tokio::io::{AsyncReadExt as _, BufReader};

use super::filled::{Filled, count, fill};
use super::{Fixture, memory};

async fn exported(memory: &Memory, scope: Scope) -> String {
    let mut export = memory.export(scope).await.unwrap();
    let mut text = String::new();
    while let Some(line) = export.next().await.unwrap() {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

async fn imported(memory: &Memory, lines: &str) -> Imported {
    memory.import(lines.as_bytes(), None).await.unwrap()
}

fn refusals(imported: &Imported) -> Vec<(u64, &Refusal)> {
    imported
        .errors
        .iter()
        .map(|error| (error.line, &error.why))
        .collect()
}

#[tokio::test]
async fn what_was_exported_comes_back_byte_for_byte_and_only_once() {
    let from = memory().await;
    let Filled { anna, .. } = fill(&from.memory, &from.database, &from.clock).await;
    for n in 0..300 {
        from.memory
            .save(NewMessage::new(anna, Role::User, format!("{n}")))
            .await
            .unwrap();
    }
    let text = exported(&from.memory, Scope::Everything).await;

    let to = memory().await;
    let first = imported(&to.memory, &text).await;
    let everything = Imported {
        sessions: 3,
        messages: 336,
        summaries: 6,
        facts: 9,
        profiles: 2,
        patterns: 3,
        ..Imported::default()
    };
    assert_eq!(first, everything);
    assert_eq!(exported(&to.memory, Scope::Everything).await, text);
    assert_eq!(
        to.memory.sessions(None, 10).await.unwrap(),
        from.memory.sessions(None, 10).await.unwrap()
    );

    let again = imported(&to.memory, &text).await;
    let all_known = Imported {
        skipped: 336 + 3 + 6 + 9 + 2 + 3 + 3,
        ..Imported::default()
    };
    assert_eq!(again, all_known);
    assert_eq!(exported(&to.memory, Scope::Everything).await, text);
}

#[tokio::test]
async fn what_was_imported_is_embedded_and_where_needed_analysed() {
    let from = memory().await;
    fill(&from.memory, &from.database, &from.clock).await;
    let to = memory().await;
    imported(&to.memory, &exported(&from.memory, Scope::Everything).await).await;
    let mut waiting: Vec<(String, String, i64)> =
        sqlx::query_as("SELECT work, kind, count(*) FROM outbox GROUP BY work, kind ORDER BY work, kind")
            .fetch_all(to.database.readers())
            .await
            .unwrap();
    waiting.sort();
    // Of the eleven analysed messages of a session, four are not salient enough.
    let expected = [
        ("analyse", "message", 3),
        ("embed", "fact", 9),
        ("embed", "message", 21),
        ("embed", "summary", 6),
    ];
    let expected = expected.map(|(work, kind, count)| (work.to_owned(), kind.to_owned(), count));
    assert_eq!(waiting, expected);
}

#[tokio::test]
async fn a_part_of_memory_can_be_moved_alone() {
    let from = memory().await;
    let filled = fill(&from.memory, &from.database, &from.clock).await;
    let things = |sessions, messages, summaries, facts, profiles, patterns| Imported {
        sessions,
        messages,
        summaries,
        facts,
        profiles,
        patterns,
        ..Imported::default()
    };
    for (scope, expected, words) in [
        (
            Scope::Session(filled.anna),
            things(1, 12, 2, 2, 0, 0),
            ["marmalade"].as_slice(),
        ),
        (
            Scope::User("bert".to_owned()),
            things(2, 24, 4, 6, 1, 2),
            &["granite", "cobalt"],
        ),
        (
            Scope::Project(filled.project),
            things(1, 12, 2, 2, 0, 0),
            &["cobalt"],
        ),
        (Scope::User("nobody".to_owned()), things(0, 0, 0, 0, 0, 0), &[]),
    ] {
        let text = exported(&from.memory, scope.clone()).await;
        for word in ["marmalade", "granite", "cobalt"] {
            assert_eq!(text.contains(word), words.contains(&word), "{word} in {scope:?}");
        }
        let to = memory().await;
        assert_eq!(imported(&to.memory, &text).await, expected, "{scope:?}");
        assert_eq!(exported(&to.memory, Scope::Everything).await, text, "{scope:?}");
    }
}

#[tokio::test]
async fn what_refers_out_of_the_scope_comes_without_the_reference() {
    let from = memory().await;
    let Filled {
        work,
        project,
        messages,
        ..
    } = fill(&from.memory, &from.database, &from.clock).await;
    let stray = NewMessage {
        reply_to: Some(messages[0][0]),
        project: Some(project),
        ..NewMessage::new(work, Role::User, "about something else")
    };
    let stray = from.memory.save(stray).await.unwrap();
    let to = memory().await;
    let done = imported(&to.memory, &exported(&from.memory, Scope::Project(project)).await).await;
    assert_eq!(done.refused, 0);
    let arrived = to.memory.message(stray.id).await.unwrap().unwrap();
    assert_eq!((arrived.reply_to, arrived.content), (None, stray.content));
}

#[tokio::test]
async fn an_export_shows_one_moment() {
    let Fixture {
        memory,
        database,
        clock,
        ..
    } = &memory().await;
    let filled = fill(memory, database, clock).await;
    let before = exported(memory, Scope::Everything).await;
    let mut export = memory.export(Scope::Everything).await.unwrap();
    let mut lines = vec![export.next().await.unwrap().unwrap()];
    lines.push(export.next().await.unwrap().unwrap());
    memory
        .save(NewMessage::new(filled.bert, Role::User, "meanwhile"))
        .await
        .unwrap();
    assert!(memory.delete_message(filled.messages[0][0]).await.unwrap());
    while let Some(line) = export.next().await.unwrap() {
        lines.push(line);
    }
    assert_eq!(lines.join("\n") + "\n", before);
}

#[tokio::test]
async fn nothing_that_is_there_is_overwritten() {
    let Fixture {
        memory,
        database,
        clock,
        ..
    } = &memory().await;
    fill(memory, database, clock).await;
    let text = exported(memory, Scope::Everything).await;
    let changed: String = text
        .lines()
        .map(|line| {
            line.replace("marmalade", "jam")
                .replace("\"minimal\"", "\"verbose\"")
                + "\n"
        })
        .collect();
    let done = imported(memory, &changed).await;
    assert!(
        done.errors
            .iter()
            .all(|error| matches!(error.why, Refusal::Conflict { .. })),
        "{done:?}"
    );
    // The session, its messages and summaries, the facts and the pattern of Anna, and both profiles.
    assert_eq!(
        (done.refused, done.skipped),
        (1 + 12 + 2 + 3 + 1 + 2, 2 + 24 + 4 + 6 + 2 + 3)
    );
    assert_eq!(exported(memory, Scope::Everything).await, text);
}

#[tokio::test]
async fn what_changes_in_the_course_of_time_is_no_conflict() {
    let Fixture {
        memory,
        database,
        clock,
        ..
    } = &memory().await;
    let filled = fill(memory, database, clock).await;
    let text = exported(memory, Scope::Everything).await;
    memory.unpin(filled.messages[0][3]).await.unwrap();
    memory.update_salience(filled.messages[0][4], 1.0).await.unwrap();
    memory
        .save(NewMessage::new(filled.anna, Role::User, "more"))
        .await
        .unwrap();
    let now = exported(memory, Scope::Everything).await;
    assert_eq!(imported(memory, &text).await.refused, 0);
    assert_eq!(exported(memory, Scope::Everything).await, now);
}

#[tokio::test]
async fn bad_lines_are_told_and_do_not_keep_the_good_ones_out() {
    let Fixture { memory, .. } = &memory().await;
    let session = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let other = "01ARZ3NDEKTSV4RRFFQ69G5FAW";
    let message = |id: &str, more: &str| {
        format!(
            r#"{{"type":"message","id":"01BX5ZZKBKACTAV9WEVGEMM{id}","session":"{session}","role":"user","content":"{id}","time_ms":5,"tags":[],"pinned":false{more}}}"#
        )
    };
    let lines = [
        r#"{"mira":"memory","version":1}"#.to_owned(),
        format!(r#"{{"type":"session","id":"{session}","user":"anna","created_ms":1,"updated_ms":1}}"#),
        message("VS0", ""),
        "nonsense".to_owned(),
        r#"{"mira":"memory","version":2}"#.to_owned(),
        r#"{"type":"cake"}"#.to_owned(),
        String::new(),
        message("VS1", r#","sort":"odd""#),
        message("VS1", r#","reply_to":"01ARZ3NDEKTSV4RRFFQ69G5FAX""#),
        message("VS2", "").replace(session, other),
        message("VS3", "").replace(r#""user""#, r#""oracle""#),
        message("VS4", "").replace(r#","tags":[]"#, r#","tags":[7]"#),
        message("VS5", "").replace(r#""time_ms":5"#, r#""time_ms":9000000000000000"#),
        message("VS6", "").replace(r#","content":"VS6""#, ""),
        message("vs7", ""),
        message("VS8", r#","analysis":{"salience":2}"#),
        format!(r#"{{"type":"replacement","fact":"{session}","by":"{other}"}}"#),
        format!(r#"{{"type":"session","id":"{other}","user":" ","created_ms":1,"updated_ms":1}}"#),
        message("VS9", r#","reply_to":"01BX5ZZKBKACTAV9WEVGEMMVS0""#),
        r#"{"content":"where to?","role":"user"}"#.to_owned(),
        r#"{"role":"user"}"#.to_owned(),
    ];
    let id = "an id of 26 characters (a ULID)";
    let unknown = |field, id: &str| Refusal::UnknownReference {
        field,
        id: id.to_owned(),
    };
    let expected = [
        (4, Refusal::NotAnObject { column: 2 }),
        (5, Refusal::UnknownFormat),
        (
            6,
            Refusal::UnknownType {
                kind: "cake".to_owned(),
            },
        ),
        (
            8,
            Refusal::UnknownField {
                field: "sort".to_owned(),
            },
        ),
        (9, unknown("reply_to", "01ARZ3NDEKTSV4RRFFQ69G5FAX")),
        (10, unknown("session", other)),
        (
            11,
            Refusal::Rule {
                rule: "CHECK constraint failed: role IN ('user', 'assistant', 'system')".to_owned(),
            },
        ),
        (
            12,
            Refusal::Invalid {
                field: "tags",
                wanted: "a list of texts",
            },
        ),
        (
            13,
            Refusal::Invalid {
                field: "time_ms",
                wanted: "a time in milliseconds since 1970",
            },
        ),
        (14, Refusal::Missing { field: "content" }),
        (
            15,
            Refusal::Invalid {
                field: "id",
                wanted: id,
            },
        ),
        (
            16,
            Refusal::Invalid {
                field: "salience",
                wanted: "a number from 0 to 1",
            },
        ),
        (17, unknown("fact", session)),
        (
            18,
            Refusal::Invalid {
                field: "user",
                wanted: "a name of 1 to 200 characters without control characters",
            },
        ),
        (20, Refusal::NoSession),
        (
            21,
            Refusal::NotAMessage {
                why: "missing field `content` at line 1 column 15".to_owned(),
            },
        ),
    ];
    let done = imported(memory, &lines.join("\r\n")).await;
    let expected: Vec<(u64, &Refusal)> = expected.iter().map(|(line, why)| (*line, why)).collect();
    assert_eq!(refusals(&done), expected);
    assert_eq!((done.sessions, done.messages, done.refused), (1, 2, 16));
    let session = memory.session(session.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(
        (session.message_count, session.title.as_deref()),
        (2, Some("VS0"))
    );
}

#[tokio::test]
async fn a_line_without_end_or_sense_is_passed_over_in_bounded_memory() {
    let Fixture { memory, .. } = &memory().await;
    let session = memory.create_session().await.unwrap().id;
    let endless = tokio::io::repeat(b'x').take(MAX_LINE_BYTES as u64 + 1);
    let rest = b"\n\xff\xfe\n{\"content\":\"kept\",\"role\":\"user\"}".as_slice();
    let done = memory
        .import(BufReader::new(endless.chain(rest)), Some(session))
        .await
        .unwrap();
    assert_eq!(refusals(&done), [(1, &Refusal::TooLong), (2, &Refusal::NotUtf8)]);
    assert_eq!(done.messages, 1);
}

#[tokio::test]
async fn messages_from_elsewhere_go_into_the_session_that_they_name_or_the_given_one() {
    let Fixture { memory, database, .. } = &memory().await;
    let given = memory.create_session().await.unwrap().id;
    let lines = format!(
        r#"{{"content":"plain","role":"user"}}
{{"content":"dated","role":"assistant","time":"2024-05-01T12:00:00Z","tags":["a"],"memory_type":"fact","more":1}}
{{"content":"seconds","role":"user","timestamp":1714564800,"salience":7,"speaker":"Ann"}}
{{"content":"milliseconds","role":"user","timestamp":1714564800500,"salience":0.25}}
{{"content":"elsewhere","role":"user","session":"notes"}}
{{"content":"by id","role":"user","session":"{given}","time":1}}
{{"content":"when?","role":"user","time":"yesterday"}}
{{"content":"too much","role":"user","salience":11}}
{{"content":"nowhere","role":"user","session":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}}
"#
    );
    let done = memory.import(lines.as_bytes(), Some(given)).await.unwrap();
    assert_eq!(
        (done.messages, done.refused, done.errors.len()),
        (6, 3, 3),
        "{done:?}"
    );
    let page = memory.page(given, None, 10).await.unwrap();
    let told: Vec<(&str, i64, Vec<String>)> = page
        .iter()
        .rev()
        .map(
            |Message {
                 content, time, tags, ..
             }| (content.as_str(), time.ms(), tags.clone()),
        )
        .collect();
    assert_eq!(
        told,
        [
            ("plain", 1_762_000_000_000, vec![]),
            (
                "dated",
                1_714_564_800_000,
                vec!["a".to_owned(), "fact".to_owned()]
            ),
            ("seconds", 1_714_564_800_000, vec![]),
            ("milliseconds", 1_714_564_800_500, vec![]),
            ("by id", 1_000, vec![]),
        ]
    );
    let notes = memory.session_named("notes").await.unwrap().unwrap();
    assert_eq!(notes.message_count, 1);
    let saliences: Vec<f64> = sqlx::query_scalar("SELECT original_salience FROM analyses ORDER BY message")
        .fetch_all(database.readers())
        .await
        .unwrap();
    assert_eq!(saliences, [0.7, 0.25]);
    assert_eq!(
        count(database, "SELECT count(*) FROM outbox WHERE work = 'analyse'").await,
        6
    );

    let again = memory.import(lines.as_bytes(), Some(given)).await.unwrap();
    assert_eq!(
        (again.messages, again.skipped),
        (2, 4),
        "those without a time are new"
    );
    let nowhere = SessionId::at(Timestamp::default());
    let refused = memory.import(lines.as_bytes(), Some(nowhere)).await;
    assert!(matches!(refused, Err(Error::UnknownSession(id)) if id == nowhere));
}
