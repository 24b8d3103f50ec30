//! Summaries that are made without a model.

use mira_memory::summary::EXTRACTIVE;

use super::{memory, say, settle, texts};

#[tokio::test]
async fn an_extracted_summary_tells_the_main_things_in_order_with_their_speakers() {
    let fixture = memory().await;
    let memory = &fixture.memory;
    let session = memory.create_session().await.unwrap().id;
    let filler = "Well, that may or may not turn out some way. ".repeat(8);
    let chat = [
        "The importer loses rows when the CSV file has quoted newlines. Ok.".to_owned(),
        format!(
            "The CSV reader splits quoted newlines too early.\n```rust\nlet hidden = split(csv);\n```\n{filler}"
        ),
        "Please fix the CSV importer. My key is ghp_0123456789abcdefghijABCDEFGHIJ012345.".to_owned(),
        format!("The CSV importer now keeps quoted newlines. {filler}"),
        "ok".to_owned(),
        "Anything else?".to_owned(),
        "Please fix the CSV importer.".to_owned(),
        "It is fixed.".to_owned(),
        "```\nonly code\n```".to_owned(),
        "   ".to_owned(),
    ];
    say(memory, session, chat).await;
    settle(memory).await;
    let summary = memory.summaries(session, 1).await.unwrap().remove(0);
    assert_eq!(summary.author, EXTRACTIVE);
    assert_eq!(
        summary.text,
        "user: The importer loses rows when the CSV file has quoted newlines.\n\
         assistant: The CSV reader splits quoted newlines too early. Well, that may or may not turn out some way.\n\
         user: Please fix the CSV importer. My key is [secret].\n\
         assistant: The CSV importer now keeps quoted newlines.\n\
         user: ok\n\
         assistant: Anything else?\n\
         assistant: It is fixed."
    );
}

#[tokio::test]
async fn an_extracted_summary_of_very_long_messages_is_short_and_tells_of_each() {
    let fixture = memory().await;
    let memory = &fixture.memory;
    let session = memory.create_session().await.unwrap().id;
    let long = (0..10).map(|n| {
        let aside: Vec<String> = (0..2_000)
            .map(|m| format!("Aside{n}x{m} and remark{n}x{m}."))
            .collect();
        format!("The parser of chapter{n} was rewritten. {}", aside.join(" "))
    });
    say(memory, session, long).await;
    settle(memory).await;
    let text = memory.summaries(session, 1).await.unwrap().remove(0).text;
    assert!(text.chars().count() < 2_000, "{}", text.len());
    for n in 0..10 {
        assert!(text.contains(&format!("chapter{n} ")), "{text}");
    }
}

#[tokio::test]
async fn one_long_reply_does_not_crowd_out_what_others_said() {
    let fixture = memory().await;
    let memory = &fixture.memory;
    let session = memory.create_session().await.unwrap().id;
    let places = [
        "Oslo", "Lima", "Cairo", "Perth", "Quito", "Hanoi", "Dakar", "Turin", "Bergen",
    ];
    let mut chat: Vec<String> = places
        .iter()
        .map(|place| format!("We met in {place} once."))
        .collect();
    let reply: Vec<String> = (0..130)
        .map(|n| format!("The scheduler has detail{n} and remark{n}."))
        .collect();
    chat.insert(1, reply.join(" "));
    say(memory, session, chat).await;
    settle(memory).await;
    let text = memory.summaries(session, 1).await.unwrap().remove(0).text;
    for place in places {
        assert!(text.contains(place), "{place} in {text}");
    }
    assert!(text.contains("scheduler"), "{text}");
}

#[tokio::test]
async fn messages_without_a_sentence_are_covered_all_the_same() {
    let fixture = memory().await;
    let session = fixture.memory.create_session().await.unwrap().id;
    say(
        &fixture.memory,
        session,
        std::iter::repeat_n("\0 \n```\nx\n```".to_owned(), 10),
    )
    .await;
    settle(&fixture.memory).await;
    let made = fixture.memory.summaries(session, 1).await.unwrap();
    assert_eq!(texts(&made), ["10 messages without prose."]);
}
