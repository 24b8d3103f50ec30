//! What is found out about messages.

use mira_memory::analysis::{Analysis, ErrorKind, ReportedError, Severity, rules};
use mira_memory::relationship::{ProfileChanges, Report};
use mira_memory::{Message, Role};
use mira_store::vector::Head;
use mira_store::{MessageId, SessionId, Timestamp};

fn message(role: Role, content: &str) -> Message {
    let time = Timestamp::from_ms(1_762_000_000_000);
    Message {
        number: 1,
        id: MessageId::at(time),
        session: SessionId::at(time),
        role,
        content: content.to_owned(),
        time,
        project: None,
        reply_to: None,
        speaker: None,
        tags: Vec::new(),
        pinned: false,
    }
}

fn analysed(role: Role, content: &str) -> Analysis {
    rules::analyse(&message(role, content), None).0
}

fn report(content: &str) -> Report {
    rules::analyse(&message(Role::User, content), None).1
}

/// `key = value`, with `-` before what is taken back and `project.` before what is said of the project.
fn stated(content: &str) -> Vec<String> {
    let facts = report(content).facts;
    facts
        .iter()
        .map(|fact| {
            let back = if fact.retracted { "-" } else { "" };
            let subject = if fact.subject == "user" { String::new() } else { format!("{}.", fact.subject) };
            format!("{back}{subject}{} = {}", fact.key, fact.value)
        })
        .collect()
}

#[test]
fn statements_about_the_user_are_found_under_keys_where_contradictions_meet() {
    let cases: &[(&str, &[&str])] = &[
        ("I prefer tabs over spaces.", &["indentation = tabs"]),
        ("I prefer spaces to tabs", &["indentation = spaces"]),
        ("Actually, I like tabs better.", &["indentation = tabs"]),
        ("I prefer Python for scripts", &["programming_language = Python"]),
        ("My favourite language is Rust.", &["programming_language = Rust"]),
        ("I strongly prefer dark mode", &["theme = dark mode"]),
        ("I hate semicolons", &["-semicolons = semicolons", "opinion_of_semicolons = dislikes"]),
        ("I love Rust and I hate Java.", &["opinion_of_rust = likes", "opinion_of_java = dislikes"]),
        ("I enjoy hiking in the mountains", &["opinion_of_hiking_in_the_mountains = likes"]),
        ("I don't like long meetings", &["opinion_of_long_meetings = dislikes"]),
        ("I prefer small functions over clever ones", &["preferred_function = small functions"]),
        ("I prefer to write tests first", &["preferred_test = write tests first"]),
        ("I use Neovim.", &["editor = Neovim"]),
        ("I use VS Code and zsh", &["editor = VS Code", "shell = zsh"]),
        ("I mostly write in Rust and TypeScript", &["languages_known = Rust", "languages_known = TypeScript"]),
        ("We use Postgres 16 for the main database", &["project.tools_used = Postgres 16"]),
        ("I use Obsidian for notes", &["tool_for_note = Obsidian"]),
        ("I'm on Windows 11", &["operating_system = Windows 11"]),
        ("My editor is Helix", &["editor = Helix"]),
        ("I switched from Vim to Helix", &["editor = Helix"]),
        (
            "We recently moved from npm to pnpm",
            &[
                "-project.package_manager = npm",
                "-project.tools_used = npm",
                "project.tools_used = pnpm",
            ],
        ),
        ("I just moved to Lisbon", &["location = Lisbon"]),
        ("I moved from Berlin to Porto, Portugal.", &["location = Porto, Portugal"]),
        ("I live in Berlin since 2021", &["location = Berlin"]),
        ("i live in berlin", &["location = berlin"]),
        ("I'm based in New York", &["location = New York"]),
        ("I'm originally from Sweden", &["hometown = Sweden"]),
        ("My name is Anna Schmidt.", &["name = Anna Schmidt"]),
        ("my name is anna", &["name = anna"]),
        ("Hi, I'm Jo!", &["name = Jo"]),
        ("Call me Ishmael", &["name = Ishmael"]),
        ("My pronouns are they/them", &["pronouns = they/them"]),
        ("I work at Acme Corp as a backend engineer", &["employer = Acme Corp", "role = backend engineer"]),
        ("I'm a data scientist at Globex", &["role = data scientist", "employer = Globex"]),
        ("I work as a nurse", &["role = nurse"]),
        ("My dog is called Rex", &["pets = Rex (dog)"]),
        ("I have a cat named Tom", &["pets = Tom (cat)"]),
        ("My wife's name is Sara", &["partner = Sara"]),
        ("I'm allergic to peanuts", &["allergies = peanuts"]),
        ("I'm vegetarian", &["diet = vegetarian"]),
        ("My timezone is CET", &["timezone = CET"]),
        ("My birthday is 3 May", &["birthday = 3 May"]),
        ("From now on always use single quotes", &["quotes = single quotes"]),
        ("Always add tests to new code", &["directive_test = always add tests to new code"]),
        ("Never use unwrap in library code.", &["directive_unwrap = never use unwrap in library code"]),
        ("Please don't use emojis", &["directive_emoji = don't use emojis"]),
        ("From now on, call the project Atlas", &["directive_atlas = call the project Atlas"]),
        ("Please keep answers short", &["response_length = short"]),
        ("I want detailed explanations", &["response_length = detailed"]),
        ("Answer in German please", &["response_language = German"]),
        ("Remember that I live in Oslo", &["location = Oslo"]),
        (
            "Remember that the deploy window is on Thursdays",
            &["notes = the deploy window is on Thursdays"],
        ),
        ("Forget that I live in Oslo", &["-location = Oslo"]),
        ("Forget my location", &["-location = "]),
        ("I no longer use Vim", &["-editor = Vim"]),
        ("I don't use Docker any more", &["-containers = Docker", "-tools_used = Docker"]),
        ("I no longer work at Acme", &["-employer = Acme"]),
        ("I stopped using Chrome", &["-browser = Chrome"]),
        ("I'm not at Acme any more", &["-employer = Acme"]),
        ("I've been using Emacs since March 2019", &["editor = Emacs"]),
        ("I'm a vegan chef. My goals are many", &["role = vegan chef"]),
        ("I’m a vegan, and I live in Rome", &["diet = vegan", "location = Rome"]),
    ];
    let found: Vec<(&str, Vec<String>)> = cases.iter().map(|(text, _)| (*text, stated(text))).collect();
    let expected: Vec<(&str, Vec<String>)> = cases
        .iter()
        .map(|(text, expected)| (*text, expected.iter().map(|fact| (*fact).to_owned()).collect()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn what_is_not_said_in_earnest_of_the_user_states_nothing() {
    let texts = [
        "",
        "Do I prefer tabs?",
        "Would you prefer tabs over spaces?",
        "If I used Vim, I would be faster",
        "Suppose I live in Paris",
        "He said I prefer tabs",
        "\"I prefer tabs over spaces\" is what they wrote",
        "> I prefer tabs",
        "```\nI prefer tabs\nmy name is Bob\n```",
        "    I prefer tabs",
        "As a user, I use Chrome to log in",
        "I prefer this one",
        "I like how you did that",
        "I love it!",
        "I like your idea",
        "I use this function to parse the header",
        "I use the second one",
        "My code is broken",
        "My name is displayed wrong",
        "My build is failing",
        "My editor is slow",
        "My dog is sick",
        "I'm a bit confused",
        "I'm a little tired",
        "I'm stuck on the parser",
        "I live in fear of deadlocks",
        "I work from home",
        "I moved to a new folder",
        "I moved the function to the module",
        "I switched to the other branch",
        "Call me when you are done",
        "Never seen this before",
        "Always the same problem",
        "Never mind",
        "Don't worry about it",
        "Don't forget to add tests",
        "Remember when we talked about this",
        "Forget about it",
        "I don't know",
        "I don't think I use Vim",
        "I no longer see the error",
        "Write a function in Rust that sorts a list",
        "I work on it",
        "Maybe I like tabs",
        "I prefer option B",
        "I love working with you",
        "I'm using a HashMap for lookups",
        "My main problem is the parser",
        "My job is boring",
        "My company is bankrupt",
        "My stack is overflowing",
        "I joined the Zoom call",
        "I like to keep things simple",
        "Don't use the old API here",
        "Never do that again",
        "I work at night",
        "I'm on it",
        "Use tabs here",
    ];
    for text in texts {
        let report = report(text);
        assert_eq!(report, Report::default(), "{text}");
    }
    let (_, said_by_assistant) = rules::analyse(&message(Role::Assistant, "I prefer tabs."), None);
    assert_eq!(said_by_assistant, Report::default());
}

#[test]
fn a_statement_carries_its_reason_its_time_and_its_confidence() {
    let of = |text: &str| {
        let fact = report(text).facts.remove(0);
        (fact.value, fact.context, fact.since, fact.confidence)
    };
    let text = |text: &str| text.to_owned();
    let cases = [
        ("I prefer tabs over spaces", (text("tabs"), Some(text("over spaces")), None, 0.9)),
        ("I use Postgres for analytics", (text("Postgres"), Some(text("for analytics")), None, 0.8)),
        ("I live in Berlin since March 2021", (text("Berlin"), None, Some(text("2021-03-01")), 0.9)),
        ("Remember I live in Oslo", (text("Oslo"), None, None, 0.95)),
        ("Don't add comments", (text("don't add comments"), None, None, 0.7)),
    ];
    for (said, expected) in cases {
        assert_eq!(of(said), expected, "{said}");
    }
}

#[test]
fn statements_change_the_profile_too() {
    let text = "I prefer Rust. I use Docker and Postgres. I'm learning Haskell. Please keep your answers short.";
    assert_eq!(
        report(text).profile,
        ProfileChanges {
            preferred_languages: Some(vec!["Rust".to_owned()]),
            explanation_depth: Some("concise".to_owned()),
            tech_stack: Some(vec!["Docker".to_owned(), "Postgres".to_owned()]),
            learning_goals: Some(vec!["Haskell".to_owned()]),
            ..ProfileChanges::default()
        }
    );
}

#[test]
fn messages_are_told_apart_by_how_much_they_matter_and_what_they_want() {
    let cases = [
        ("ok", 0.1, "acknowledgement"),
        ("Thanks, looks good!", 0.1, "acknowledgement"),
        ("👍", 0.1, "acknowledgement"),
        ("", 0.1, "acknowledgement"),
        ("Hi there!", 0.1, "greeting"),
        ("We went to the lake", 0.4, "statement"),
        ("What did we do last summer?", 0.5, "question"),
        ("Why does the borrow checker reject this function?", 0.6, "question"),
        ("Please write a function that sorts a list", 0.6, "request"),
        ("I prefer tabs", 0.75, "preference"),
        ("Always write tests", 0.85, "directive"),
        ("We decided to go with Postgres for the orders service", 0.8, "decision"),
        ("The login crashes when I click twice", 0.75, "bug_report"),
        ("Production is down, the API crashes with a panic", 0.9, "bug_report"),
        ("We decided to rotate all leaked credentials", 0.9, "decision"),
        ("Remember that the deploy window is on Thursdays", 0.85, "preference"),
    ];
    let found: Vec<(&str, f64, String)> = cases
        .iter()
        .map(|(text, ..)| {
            let analysis = analysed(Role::User, text);
            (*text, analysis.salience, analysis.intent.unwrap_or_default())
        })
        .collect();
    assert_eq!(found, cases.map(|(text, salience, intent)| (text, salience, intent.to_owned())));
}

#[test]
fn a_short_answer_to_a_question_is_more_than_an_acknowledgement() {
    let question = message(Role::Assistant, "Shall I drop the table?");
    let (analysis, _) = rules::analyse(&message(Role::User, "yes"), Some(&question));
    assert_eq!((analysis.intent.as_deref(), analysis.salience), (Some("confirmation"), 0.3));
}

#[test]
fn moods_are_few() {
    let cases = [
        ("The weather was mild", ("neutral", 0.1)),
        ("This is so frustrating!!", ("frustrated", 0.6)),
        ("Great, it works now", ("happy", 0.4)),
        ("I am worried about the deadline", ("worried", 0.4)),
        ("I don't understand this at all", ("confused", 0.4)),
        ("How does a B-tree split its nodes?", ("curious", 0.4)),
    ];
    for (text, (mood, intensity)) in cases {
        let analysis = analysed(Role::User, text);
        assert_eq!((analysis.mood.as_deref(), analysis.intensity), (Some(mood), Some(intensity)), "{text}");
    }
}

#[test]
fn code_and_its_language_are_recognised() {
    let cases = [
        ("The weather was mild", (false, None)),
        ("I want to go to class in Java next week", (true, Some("java"))),
        ("```rs\nlet x = 1;\n```", (true, Some("rust"))),
        ("```\ndef f(x):\n    return self.x\n```", (true, Some("python"))),
        ("fn main() { let mut x = vec![1]; x.iter().sum() }", (true, Some("rust"))),
        ("func main() { if err != nil { fmt.Println(err) } }", (true, Some("go"))),
        ("interface A { b: string }\nconst a: string = 'x'", (true, Some("typescript"))),
        ("const a = require('b'); console.log(a === 1)", (true, Some("javascript"))),
        ("public class A { private int x; @Override public String b() {} }", (true, Some("java"))),
        ("Look at src/main.rs", (true, Some("rust"))),
        ("How do I refactor this function?", (true, None)),
        ("The C++ compiler is slow", (true, None)),
        ("We go to the sea and trust the rusty boat", (false, None)),
    ];
    for (text, (contains_code, language)) in cases {
        let analysis = analysed(Role::User, text);
        let found = (analysis.contains_code, analysis.programming_language.as_deref());
        assert_eq!(found, (contains_code, language), "{text}");
    }
}

#[test]
fn errors_are_told_by_kind_severity_and_file() {
    use ErrorKind::{BuildFailure, Compiler, Linter, Runtime, TestFailure, TypeError};
    use Severity::{Critical, Warning};
    let cases = [
        ("error[E0502]: cannot borrow `x`\n --> src/lib.rs:12:5", Some(Compiler), Critical, Some("src/lib.rs")),
        ("error[E0308]: mismatched types\n --> src/lib.rs:1:5", Some(TypeError), Critical, Some("src/lib.rs")),
        ("src/app.ts(4,7): error TS2322: Type 'string'", Some(TypeError), Critical, Some("src/app.ts")),
        (
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n  File \"b.py\", line 2, in f\nKeyError: 'x'",
            Some(Runtime),
            Critical,
            Some("b.py"),
        ),
        ("thread 'main' panicked at src/main.rs:4:10:\nindex out of bounds", Some(Runtime), Critical, Some("src/main.rs")),
        ("test result: FAILED. 3 passed; 1 failed", Some(TestFailure), Critical, None),
        ("--- FAIL: TestX (0.00s)\n    x_test.go:12: got 1", Some(TestFailure), Critical, Some("x_test.go")),
        ("npm ERR! code ELIFECYCLE", Some(BuildFailure), Critical, None),
        ("warning: unused variable: `x`\n --> src/a.rs:2:9", Some(Linter), Warning, Some("src/a.rs")),
        ("Exception in thread \"main\" java.lang.NullPointerException\n\tat A.b(A.java:3)", Some(Runtime), Critical, Some("A.java")),
        ("I get a weird error when I log in", None, Warning, None),
        ("The tests keep failing on CI", Some(TestFailure), Warning, None),
    ];
    for (text, kind, severity, file) in cases {
        let expected = ReportedError { kind, severity: Some(severity), file: file.map(str::to_owned) };
        assert_eq!(analysed(Role::User, text).error, Some(expected), "{text}");
    }
    for text in ["How does error handling work in Rust?", "The tests pass now", "I like crash tests"] {
        assert_eq!(analysed(Role::User, text).error, None, "{text}");
    }
    assert_eq!(analysed(Role::Assistant, "You get an error when the file is missing.").error, None);
}

#[test]
fn vectors_go_where_they_apply() {
    let cases = [
        (Role::User, "The weather was mild", vec![Head::Semantic]),
        (Role::User, "Look at src/main.rs", vec![Head::Semantic, Head::Code]),
        (Role::User, "There is a bug in the coffee machine", vec![Head::Semantic, Head::Code]),
        (Role::User, "I live in Berlin", vec![Head::Semantic, Head::Relationship]),
        (Role::User, "I use Vim", vec![Head::Semantic, Head::Code, Head::Relationship]),
        (Role::System, "You write Rust", vec![]),
    ];
    for (role, text, heads) in cases {
        assert_eq!(analysed(role, text).heads, heads, "{text}");
    }
}

#[test]
fn a_long_text_is_summed_up_by_its_first_sentence() {
    let long = format!("# Plan\n\nWe move the service to the new cluster. {}", "Then we rest. ".repeat(20));
    assert_eq!(analysed(Role::User, &long).summary.as_deref(), Some("Plan"));
    let long = format!("We move the service v1.2 to the new cluster. {}", "Then we rest. ".repeat(20));
    assert_eq!(
        analysed(Role::User, &long).summary.as_deref(),
        Some("We move the service v1.2 to the new cluster.")
    );
    assert_eq!(analysed(Role::User, "We rest.").summary, None);
}

#[test]
fn any_text_is_analysed_within_bounds_and_always_alike() {
    let texts = [
        "\0\u{feff}\u{202e}".to_owned(),
        "🦀".repeat(30_000),
        "I use ".repeat(20_000),
        "a".repeat(200_000),
        "```".repeat(10_000),
        format!("{}I prefer tabs.", "日本語のテキスト。".repeat(4_000)),
        "I prefer tabs and ".repeat(5_000),
        "\"`'".repeat(20_000),
        "I prefer tabs. I live in Rome. ".repeat(900),
    ];
    for text in &texts {
        let message = message(Role::User, text);
        let (analysis, report) = rules::analyse(&message, None);
        assert_eq!(rules::analyse(&message, None), (analysis.clone(), report.clone()));
        assert!((0.0..=1.0).contains(&analysis.salience));
        assert!((1..=5).contains(&analysis.topics.len()));
        assert!(analysis.topics.iter().all(|topic| topic.chars().count() <= 40));
        assert!(analysis.summary.is_none_or(|summary| summary.chars().count() <= 200));
        assert!(report.facts.len() <= 20);
        assert!(report.facts.iter().all(|fact| fact.value.chars().count() <= 500));
    }
}
