//! A memory with some of everything, of two users in three sessions, one of which is about a project.

use mira_memory::{Memory, NewMessage, Role, session};
use mira_store::{
    Database, FactId, ManualClock, MessageId, PatternId, ProjectId, SessionId, SummaryId, Timestamp,
};

pub(crate) struct Filled {
    /// Of the user "anna", named "marmalade session".
    pub anna: SessionId,
    /// Of the user "bert".
    pub bert: SessionId,
    /// Of the user "bert" too, and about the project.
    pub work: SessionId,
    pub project: ProjectId,
    /// The messages of each session, in order.
    pub messages: [Vec<MessageId>; 3],
}

async fn sessions(database: &Database, now: Timestamp) -> [SessionId; 3] {
    let mut transaction = database.begin().await.unwrap();
    let anna = session::create(&mut transaction, Some("marmalade session"), "anna", now)
        .await
        .unwrap()
        .id;
    let bert = session::create(&mut transaction, Some("granite session"), "bert", now)
        .await
        .unwrap()
        .id;
    let work = session::create(&mut transaction, None, "bert", now)
        .await
        .unwrap()
        .id;
    transaction.commit().await.unwrap();
    [anna, bert, work]
}

/// What is told in the session of Anna contains "marmalade" wherever texts are kept, in the others "granite" and "cobalt".
pub(crate) async fn fill(memory: &Memory, database: &Database, clock: &ManualClock) -> Filled {
    let now = mira_store::Clock::now(clock);
    let project = ProjectId::at(now);
    let [anna, bert, work] = sessions(database, now).await;
    let mut messages = [Vec::new(), Vec::new(), Vec::new()];
    for n in 0..12 {
        for (place, (session, word)) in [(anna, "marmalade"), (bert, "granite"), (work, "cobalt")]
            .into_iter()
            .enumerate()
        {
            clock.advance(std::time::Duration::from_mins(1));
            let role = if n % 2 == 0 { Role::User } else { Role::Assistant };
            let new = NewMessage {
                project: (word == "cobalt").then_some(project),
                reply_to: messages[place].last().copied().filter(|_| n % 2 == 1),
                speaker: Some(format!("speaker of {word}")),
                tags: vec![format!("tag of {word}"), "naïve \"🦀\"\n\u{1}".to_owned()],
                ..NewMessage::new(
                    session,
                    role,
                    format!("{word} {n}\r\nnaïve 🦀 \0 {}", word.repeat(n * 200)),
                )
            };
            messages[place].push(memory.save(new).await.unwrap().id);
        }
    }
    let mut transaction = database.begin().await.unwrap();
    let connection = &mut *transaction;
    for (place, word) in ["marmalade", "granite", "cobalt"].into_iter().enumerate() {
        let user = if place == 0 { "anna" } else { "bert" };
        let told = &messages[place];
        for (n, message) in told.iter().take(11).enumerate() {
            sqlx::query(
                "INSERT INTO analyses (message, salience, original_salience, topics, mood, intensity, intent, summary,
                     relationship_impact, contains_code, programming_language, contains_error, error_type,
                     error_severity, error_file, heads, analyser, analysed_ms, recall_count, last_recalled_ms)
                 SELECT number, ?2, ?3, json_array('topic ' || ?4), 'mood ' || ?4, 0.1 + 0.2, 'intent', 'in short ' || ?4,
                     'impact ' || ?4, 1, 'rust', 1, 'linter', 'info', ?4 || '.rs', '[\"semantic\",\"code\"]', 'rules',
                     time_ms + 1, 3, time_ms + 2 FROM messages WHERE id = ?1",
            )
            .bind(message)
            .bind(f64::from(u32::try_from(n).unwrap()) / 11.0)
            .bind(1.0 / 3.0)
            .bind(word)
            .execute(&mut *connection)
            .await
            .unwrap();
            sqlx::query("DELETE FROM outbox WHERE subject = ?1")
                .bind(message)
                .execute(&mut *connection)
                .await
                .unwrap();
            for head in ["semantic", "code"] {
                embedding(connection, &message.to_string(), "message", head).await;
            }
        }
        for (first, last) in [(0, 4), (5, 9)] {
            let id = SummaryId::at(now);
            sqlx::query(
                "INSERT INTO summaries (id, session_id, kind, text, message_count, first_message, last_message, author, created_ms)
                 SELECT ?1, a.session_id, 'rolling_10', 'told of ' || ?4, 5, a.number, b.number, 'extractive', ?5
                 FROM messages a, messages b WHERE a.id = ?2 AND b.id = ?3",
            )
            .bind(id)
            .bind(told[first])
            .bind(told[last])
            .bind(word)
            .bind(now)
            .execute(&mut *connection)
            .await
            .unwrap();
            embedding(connection, &id.to_string(), "summary", "summary").await;
        }
        let (old, new) = (FactId::at(now), FactId::at(now));
        for (id, source, ended) in [
            (old, Some(told[0]), true),
            (new, Some(told[2]), false),
            (FactId::at(now), None, false),
        ] {
            let by_hand = if source.is_some() { "said" } else { "by hand" };
            sqlx::query(
                "INSERT INTO facts (id, user_id, project_id, subject, key, value, category, confidence, context,
                     source_message, valid_from_ms, valid_to_ms, recorded_ms, retracted_ms, ended, ended_ms, confirmations,
                     tentative, pinned)
                 VALUES (?1, ?2, ?3, 'user', 'likes_' || ?4, ?4 || ' ' || ?7, 'preference', 0.7, 'because of ' || ?4, ?5,
                     1000, iif(?6, 2000, NULL), 1001, iif(?6, 1002, NULL), iif(?6, 'superseded', NULL),
                     iif(?6, 1003, NULL), iif(?5 IS NULL, '[]', json_array(json_object('message', ?5, 'at', 1004))), 1, 1)",
            )
            .bind(id)
            .bind(user)
            .bind((word == "cobalt" && source.is_some()).then_some(project))
            .bind(word)
            .bind(source)
            .bind(ended)
            .bind(by_hand)
            .execute(&mut *connection)
            .await
            .unwrap();
            embedding(connection, &id.to_string(), "fact", "relationship").await;
        }
        sqlx::query("UPDATE facts SET replaced_by = ?2 WHERE id = ?1")
            .bind(old)
            .bind(new)
            .execute(&mut *connection)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO patterns (id, user_id, kind, name, description, examples, confidence, applies_when, observations,
                 applications, first_observed_ms, last_observed_ms, weakened_ms)
             VALUES (?1, ?2, 'communication', 'asks for ' || ?3, 'asks for ' || ?3, json_array(?4), 0.55, 'when ' || ?3,
                 2, 1, 1000, 2000, 3000)",
        )
        .bind(PatternId::at(now))
        .bind(user)
        .bind(word)
        .bind(told[0])
        .execute(&mut *connection)
        .await
        .unwrap();
    }
    profiles(connection).await;
    transaction.commit().await.unwrap();
    memory.pin(messages[0][3]).await.unwrap();
    Filled {
        anna,
        bert,
        work,
        project,
        messages,
    }
}

async fn profiles(connection: &mut sqlx::SqliteConnection) {
    for (user, word) in [("anna", "marmalade"), ("bert", "granite")] {
        sqlx::query(
            "INSERT INTO profiles (user_id, preferred_languages, coding_style, code_verbosity, testing_philosophy,
                 architecture_preferences, explanation_depth, conversation_style, profanity_comfort, tech_stack,
                 learning_goals, created_ms, updated_ms)
             VALUES (?1, '[\"rust\"]', ?2, 'minimal', ?2, ?2, 'concise', 'casual', 'mild', json_array(?2), '[]', 1, 2)",
        )
        .bind(user)
        .bind(word)
        .execute(&mut *connection)
        .await
        .unwrap();
    }
}

async fn embedding(connection: &mut sqlx::SqliteConnection, subject: &str, kind: &str, head: &str) {
    sqlx::query("INSERT INTO embeddings (subject, kind, head, vector) VALUES (?1, ?2, ?3, x'0001')")
        .bind(subject)
        .bind(kind)
        .bind(head)
        .execute(connection)
        .await
        .unwrap();
}

/// How many rows a condition on a table has.
pub(crate) async fn count(database: &Database, from: &'static str) -> i64 {
    sqlx::query_scalar(from)
        .fetch_one(database.readers())
        .await
        .unwrap()
}

pub(crate) fn unknown() -> MessageId {
    MessageId::at(Timestamp::default())
}
