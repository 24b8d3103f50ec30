//! Rolling summaries and snapshots.

mod extracted;

use std::fmt::Write as _;
use std::sync::Arc;

use mira_llm::openai::{Responses, ResponsesOptions};
use mira_llm::scripted::{Fault, HttpFault, Rule, Script, Step, Upstream};
use mira_llm::{Endpoint, Retry};
use mira_memory::summary::{Context, EXTRACTIVE, Kind, Summary};
use mira_memory::{Error, Helpers, Memory, NewMessage, Options, Role};
use mira_store::{SessionId, Timestamp};
use proptest::prelude::*;
use sqlx::Row as _;

use super::{Fixture, memory};

async fn with_options(options: Options, helpers: Helpers) -> Fixture {
    let mut fixture = memory().await;
    let (database, clock) = (fixture.database.clone(), fixture.clock.clone());
    fixture.memory = Memory::open_with(database, clock, helpers, options)
        .await
        .unwrap();
    fixture
}

async fn with_model(script: Script) -> (Fixture, Upstream) {
    let upstream = Upstream::start(script).await.unwrap();
    let endpoint = Endpoint::new(upstream.base_url())
        .api_key("key")
        .retry(Retry::never());
    let model = Responses::new(endpoint, ResponsesOptions::new("summariser")).unwrap();
    let helpers = Helpers {
        utility: Some(Arc::new(model)),
        ..Helpers::default()
    };
    (with_options(Options::default(), helpers).await, upstream)
}

async fn say(memory: &Memory, session: SessionId, texts: impl IntoIterator<Item = String>) -> Vec<i64> {
    let mut numbers = Vec::new();
    for (n, text) in texts.into_iter().enumerate() {
        let role = if n % 2 == 0 { Role::User } else { Role::Assistant };
        let message = memory.save(NewMessage::new(session, role, text)).await.unwrap();
        numbers.push(message.number);
    }
    numbers
}

fn lines(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|n| format!("Thought number {n} was about topic{n}."))
}

/// Removes messages and the summaries that cover them.
async fn delete(fixture: &Fixture, numbers: &[i64]) {
    let mut transaction = fixture.database.begin().await.unwrap();
    for number in numbers {
        sqlx::query(
            "DELETE FROM summaries WHERE ?1 BETWEEN first_message AND last_message
                 AND session_id = (SELECT session_id FROM messages WHERE number = ?1)",
        )
        .bind(number)
        .execute(&mut *transaction)
        .await
        .unwrap();
        sqlx::query("DELETE FROM messages WHERE number = ?1")
            .bind(number)
            .execute(&mut *transaction)
            .await
            .unwrap();
    }
    transaction.commit().await.unwrap();
}

/// Makes what is due; says how many that were.
async fn settle(memory: &Memory) -> usize {
    let mut made = 0;
    while let more @ 1.. = memory.summarise_due().await.unwrap() {
        made += more;
    }
    made
}

/// First message, last message and count of the summaries of a kind, in the order of the conversation.
async fn ranges(memory: &Memory, session: SessionId, kind: Kind) -> Vec<(i64, i64, u32)> {
    let mut ranges: Vec<_> = memory
        .summaries(session, 1_000)
        .await
        .unwrap()
        .iter()
        .filter(|summary| summary.kind == kind)
        .map(|summary| (summary.first_message, summary.last_message, summary.message_count))
        .collect();
    ranges.sort_unstable();
    ranges
}

fn texts(summaries: &[Summary]) -> Vec<&str> {
    summaries.iter().map(|summary| summary.text.as_str()).collect()
}

#[tokio::test]
async fn messages_are_summarised_by_tens_without_gap_or_repeat_whenever_it_is_looked() {
    let fixture = memory().await;
    let memory = &fixture.memory;
    let session = memory.create_session().await.unwrap().id;
    let other = memory.create_session().await.unwrap().id;
    let mut numbers = say(memory, session, lines(9)).await;
    say(memory, other, lines(9)).await;
    assert_eq!(settle(memory).await, 0);
    numbers.extend(say(memory, session, lines(1)).await);
    assert_eq!(settle(memory).await, 1);
    assert_eq!(settle(memory).await, 0);
    numbers.extend(say(memory, session, lines(27)).await);
    assert_eq!(settle(memory).await, 2);
    let expected = [0, 10, 20].map(|first| (numbers[first], numbers[first + 9], 10));
    assert_eq!(ranges(memory, session, Kind::Rolling10).await, expected);
    assert_eq!(ranges(memory, other, Kind::Rolling10).await, []);
}

#[tokio::test]
async fn a_hundred_messages_have_ten_short_summaries_and_a_long_one() {
    let fixture = memory().await;
    let memory = &fixture.memory;
    let session = memory.create_session().await.unwrap().id;
    let numbers = say(memory, session, lines(115)).await;
    assert_eq!(settle(memory).await, 12);
    assert_eq!(
        ranges(memory, session, Kind::Rolling100).await,
        [(numbers[0], numbers[99], 100)]
    );
    assert_eq!(ranges(memory, session, Kind::Rolling10).await.len(), 11);
    let to_embed: Vec<String> =
        sqlx::query("SELECT subject FROM outbox WHERE work = 'embed' AND kind = 'summary' ORDER BY seq")
            .try_map(|row: sqlx::sqlite::SqliteRow| row.try_get("subject"))
            .fetch_all(fixture.database.readers())
            .await
            .unwrap();
    let mut made = memory.summaries(session, 20).await.unwrap();
    // The long one after those that it is made of.
    assert_eq!(made[0].kind, Kind::Rolling100);
    made.reverse();
    let made: Vec<String> = made.iter().map(|summary| summary.id.to_string()).collect();
    assert_eq!(to_embed, made);
}

#[tokio::test]
async fn what_is_left_where_a_message_was_deleted_is_summarised_again() {
    let fixture = memory().await;
    let memory = &fixture.memory;
    let session = memory.create_session().await.unwrap().id;
    let mut numbers = say(memory, session, lines(29)).await;
    settle(memory).await;
    // One that leaves a gap with nine messages, and one that nothing covers.
    delete(&fixture, &[numbers[3], numbers[25]]).await;
    assert_eq!(settle(memory).await, 1);
    // A gap without messages.
    delete(&fixture, &numbers[10..20]).await;
    assert_eq!(settle(memory).await, 0);
    let first = (numbers[0], numbers[9], 9);
    assert_eq!(ranges(memory, session, Kind::Rolling10).await, [first]);
    // Eight are left after it.
    numbers.extend(say(memory, session, lines(2)).await);
    assert_eq!(settle(memory).await, 1);
    let last = (numbers[20], numbers[30], 10);
    assert_eq!(ranges(memory, session, Kind::Rolling10).await, [first, last]);
}

#[tokio::test]
async fn a_request_covers_what_is_left_and_the_next_summary_begins_after_it() {
    let fixture = memory().await;
    let memory = &fixture.memory;
    let session = memory.create_session().await.unwrap().id;
    for kind in [Kind::Rolling10, Kind::Rolling100, Kind::Snapshot] {
        let refused = memory.summarise(session, kind).await;
        assert!(
            matches!(refused, Err(Error::NothingToSummarise { session: named, kind: asked }) if named == session && asked == kind)
        );
    }
    let nowhere = SessionId::at(Timestamp::default());
    let refused = memory.summarise(nowhere, Kind::Snapshot).await;
    assert!(matches!(refused, Err(Error::UnknownSession(id)) if id == nowhere));

    let mut numbers = say(memory, session, lines(13)).await;
    let newest = memory.summarise(session, Kind::Rolling10).await.unwrap();
    assert_eq!(
        (newest.first_message, newest.last_message, newest.message_count),
        (numbers[10], numbers[12], 3)
    );
    assert_eq!(memory.summary(newest.id).await.unwrap(), Some(newest));
    let long = memory.summarise(session, Kind::Rolling100).await.unwrap();
    assert_eq!(long.message_count, 13);
    assert!(memory.summarise(session, Kind::Rolling10).await.is_err());
    numbers.extend(say(memory, session, lines(10)).await);
    settle(memory).await;
    let short = [(0, 9, 10), (10, 12, 3), (13, 22, 10)]
        .map(|(first, last, count)| (numbers[first], numbers[last], count));
    assert_eq!(ranges(memory, session, Kind::Rolling10).await, short);
}

#[tokio::test]
async fn a_snapshot_covers_the_last_fifty_messages() {
    let fixture = memory().await;
    let memory = &fixture.memory;
    let session = memory.create_session().await.unwrap().id;
    let numbers = say(memory, session, lines(60)).await;
    memory.summarise(session, Kind::Snapshot).await.unwrap();
    memory.summarise(session, Kind::Snapshot).await.unwrap();
    let range = (numbers[10], numbers[59], 50);
    assert_eq!(ranges(memory, session, Kind::Snapshot).await, [range, range]);
}

#[tokio::test]
async fn the_context_tells_the_whole_session_up_to_now_once() {
    let options = Options {
        summary_every: 2,
        ..Options::default()
    };
    let fixture = with_options(options, Helpers::default()).await;
    let memory = &fixture.memory;
    let session = memory.create_session().await.unwrap().id;
    assert_eq!(
        memory.context_summaries(session).await.unwrap(),
        Context::default()
    );
    let mut numbers = say(memory, session, lines(5)).await;
    settle(memory).await;
    let snapshot = memory.summarise(session, Kind::Snapshot).await.unwrap();
    let context = memory.context_summaries(session).await.unwrap();
    let covered = |context: &Context| -> Vec<(Kind, i64)> {
        context
            .rolling
            .iter()
            .map(|summary| (summary.kind, summary.last_message))
            .collect()
    };
    assert_eq!(
        covered(&context),
        [(Kind::Rolling10, numbers[1]), (Kind::Rolling10, numbers[3])]
    );
    assert_eq!(context.snapshot, Some(snapshot));

    numbers.extend(say(memory, session, lines(20)).await);
    settle(memory).await;
    let context = memory.context_summaries(session).await.unwrap();
    let expected = [
        (Kind::Rolling100, numbers[19]),
        (Kind::Rolling10, numbers[21]),
        (Kind::Rolling10, numbers[23]),
    ];
    assert_eq!(covered(&context), expected);
    assert_eq!(context.snapshot, None);
}

#[tokio::test]
async fn nothing_is_made_by_itself_when_summaries_are_off() {
    let options = Options {
        summaries: false,
        ..Options::default()
    };
    let fixture = with_options(options, Helpers::default()).await;
    let session = fixture.memory.create_session().await.unwrap().id;
    say(&fixture.memory, session, lines(10)).await;
    assert_eq!(settle(&fixture.memory).await, 0);
    fixture.memory.summarise(session, Kind::Rolling10).await.unwrap();
}

#[tokio::test]
async fn a_model_is_given_the_messages_without_secrets_and_what_came_before() {
    let script = Script::new()
        .rule(
            Rule::new("first")
                .last_user_contains("message 9")
                .times(1)
                .text("  They spoke of ten things.\n"),
        )
        .rule(Rule::new("second").text("Then of ten more."));
    let (fixture, upstream) = with_model(script).await;
    let memory = &fixture.memory;
    let session = memory.create_session().await.unwrap().id;
    let secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    say(memory, session, (0..20).map(|n| format!("message {n} {secret}"))).await;
    assert_eq!(settle(memory).await, 2);
    let made = memory.summaries(session, 2).await.unwrap();
    assert_eq!(texts(&made), ["Then of ten more.", "They spoke of ten things."]);
    assert_eq!(made[0].author, "summariser");

    let requests = upstream.requests();
    let body = requests[1].body.to_string();
    assert!(!body.contains(secret));
    let question = &requests[1].body["input"][0]["content"];
    let mut expected = "Summarise this conversation in 400 to 600 tokens.\n\n\
        <before>\nThey spoke of ten things.\n</before>\n\n<conversation>\n"
        .to_owned();
    for n in 10..20 {
        let speaker = if n % 2 == 0 { "user" } else { "assistant" };
        writeln!(expected, "[2025-11-01T12:26:40Z] {speaker}: message {n} [secret]").unwrap();
    }
    expected.push_str("</conversation>");
    assert_eq!(question, &expected);
    assert_eq!(
        requests[1].body["instructions"],
        include_str!("../../prompts/summary.md").trim_end()
    );
    assert_eq!(upstream.violations(), []);
}

#[tokio::test]
async fn a_long_summary_is_made_of_the_short_ones_and_of_messages_that_have_none() {
    let (fixture, upstream) = with_model(Script::new().rule(Rule::new("any").text("What was said."))).await;
    let memory = &fixture.memory;
    let session = memory.create_session().await.unwrap().id;
    say(memory, session, (0..12).map(|n| format!("message {n}."))).await;
    settle(memory).await;
    memory.summarise(session, Kind::Rolling100).await.unwrap();
    let body = upstream.requests()[1].body.to_string();
    assert!(body.contains("[summary] What was said."));
    let raw: Vec<usize> = (0..12)
        .filter(|n| body.contains(&format!("message {n}.")))
        .collect();
    assert_eq!(raw, [10, 11]);
    assert_eq!(upstream.violations(), []);
}

#[tokio::test]
async fn a_model_that_fails_is_asked_once_more_and_then_done_without() {
    let busy = || {
        Rule::new("busy").times(1).fault(Fault::Http(HttpFault {
            status: 500,
            retry_after: None,
            body: None,
        }))
    };
    let cut = Rule::new("cut")
        .times(1)
        .text("half a")
        .fault(Fault::Incomplete("max_output_tokens".to_owned()));
    let blank = Rule::new("blank").times(1).text(" \n");
    let declined = Rule::new("declined").times(1).step(Step::refusal("No."));
    let well = || Rule::new("well").text("All is well.");
    let cases: [(&str, Script, &str); 3] = [
        ("once", Script::new().rule(busy()).rule(well()), "summariser"),
        (
            "twice",
            Script::new().rule(cut).rule(blank).rule(well()),
            EXTRACTIVE,
        ),
        (
            "declined",
            Script::new().rule(declined).rule(busy()).rule(well()),
            EXTRACTIVE,
        ),
    ];
    for (what, script, author) in cases {
        let (fixture, upstream) = with_model(script).await;
        let session = fixture.memory.create_session().await.unwrap().id;
        say(&fixture.memory, session, lines(10)).await;
        assert_eq!(settle(&fixture.memory).await, 1, "{what}");
        assert_eq!(
            fixture.memory.summaries(session, 1).await.unwrap()[0].author,
            author,
            "{what}"
        );
        assert_eq!(upstream.requests().len(), 2, "{what}");
    }
}

#[tokio::test]
async fn a_message_deleted_while_the_model_writes_does_not_live_on_in_the_summary() {
    let script = Script::new()
        .rule(
            Rule::new("held")
                .times(1)
                .hold("writing")
                .text("They spoke of topic3."),
        )
        .rule(Rule::new("again").text("They spoke."));
    let (fixture, upstream) = with_model(script).await;
    let memory = &fixture.memory;
    let session = memory.create_session().await.unwrap().id;
    let numbers = say(memory, session, lines(11)).await;
    let (made, ()) = tokio::join!(settle(memory), async {
        upstream.arrived("writing").await;
        // The database is free while the model writes.
        delete(&fixture, &[numbers[3]]).await;
        upstream.release("writing");
    });
    assert_eq!(made, 1);
    let made = memory.summaries(session, 10).await.unwrap();
    assert_eq!(texts(&made), ["They spoke."]);
    assert_eq!(
        (made[0].first_message, made[0].last_message, made[0].message_count),
        (numbers[0], numbers[10], 10)
    );
}

#[tokio::test]
async fn two_that_summarise_the_same_messages_make_one_summary() {
    let script = Script::new()
        .rule(Rule::new("held").times(2).hold("writing").text("They spoke."))
        .rule(Rule::new("too many").fault(Fault::Cut));
    let (fixture, upstream) = with_model(script).await;
    let memory = &fixture.memory;
    let session = memory.create_session().await.unwrap().id;
    say(memory, session, lines(10)).await;
    let (one, two, ()) = tokio::join!(memory.summarise_due(), memory.summarise_due(), async {
        upstream.request_count_reaches(2).await;
        upstream.release("writing");
    });
    assert_eq!(one.unwrap() + two.unwrap(), 1);
    assert_eq!(memory.summaries(session, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_goes_with_its_summaries() {
    let fixture = memory().await;
    let session = fixture.memory.create_session().await.unwrap().id;
    say(&fixture.memory, session, lines(10)).await;
    settle(&fixture.memory).await;
    let mut transaction = fixture.database.begin().await.unwrap();
    sqlx::query("DELETE FROM sessions")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(fixture.memory.summaries(session, 1).await.unwrap(), []);
    assert_eq!(settle(&fixture.memory).await, 0);
}

#[derive(Debug, Clone)]
enum Act {
    Say(usize),
    Delete(prop::sample::Index),
    Ask(Kind),
    Settle,
}

fn steps() -> impl Strategy<Value = Vec<Act>> {
    let step = prop_oneof![
        4 => (1..12_usize).prop_map(Act::Say),
        3 => any::<prop::sample::Index>().prop_map(Act::Delete),
        1 => prop_oneof![Just(Kind::Rolling10), Just(Kind::Rolling100)].prop_map(Act::Ask),
        2 => Just(Act::Settle),
    ];
    prop::collection::vec(step, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_happens_every_message_is_covered_once_or_waits_for_company(steps in steps(), every in 2..4_u32) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let fixture = with_options(Options { summary_every: every, ..Options::default() }, Helpers::default()).await;
            let memory = &fixture.memory;
            let session = memory.create_session().await.unwrap().id;
            let mut numbers = Vec::new();
            for step in steps {
                match step {
                    Act::Say(count) => numbers.extend(say(memory, session, lines(count)).await),
                    Act::Delete(at) if !numbers.is_empty() => {
                        let number = numbers.remove(at.index(numbers.len()));
                        delete(&fixture, &[number]).await;
                    }
                    Act::Ask(kind) => match memory.summarise(session, kind).await {
                        Ok(_) | Err(Error::NothingToSummarise { .. }) => {}
                        Err(error) => panic!("{error}"),
                    },
                    Act::Settle => {
                        settle(memory).await;
                    }
                    Act::Delete(_) => {}
                }
            }
            settle(memory).await;
            for (kind, size) in [(Kind::Rolling10, every), (Kind::Rolling100, every * 10)] {
                let ranges = ranges(memory, session, kind).await;
                let mut left = numbers.iter().copied().peekable();
                for (first, last, count) in ranges {
                    // Exactly the messages that come next, from the first to the last.
                    let covered: Vec<i64> = std::iter::from_fn(|| left.next_if(|&number| number <= last)).collect();
                    assert_eq!((covered.first(), covered.len()), (Some(&first), count as usize));
                    assert!(count <= size);
                }
                assert!(left.count() < size as usize);
            }
            let unsettled: i64 = sqlx::query_scalar("SELECT count(*) FROM sessions WHERE summarised = 0")
                .fetch_one(fixture.database.readers())
                .await
                .unwrap();
            assert_eq!(unsettled, 0);
        });
    }
}
