//! What is found out about messages.

mod statements;

use mira_memory::analysis::{Analysis, ErrorKind, ReportedError, Severity, rules};
use mira_memory::relationship::Report;
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
        (
            "Why does the borrow checker reject this function?",
            0.6,
            "question",
        ),
        ("Please write a function that sorts a list", 0.6, "request"),
        ("I prefer tabs", 0.75, "preference"),
        ("Always write tests", 0.85, "directive"),
        (
            "We decided to go with Postgres for the orders service",
            0.8,
            "decision",
        ),
        ("The login crashes when I click twice", 0.75, "bug_report"),
        (
            "Production is down, the API crashes with a panic",
            0.9,
            "bug_report",
        ),
        ("We decided to rotate all leaked credentials", 0.9, "decision"),
        (
            "Remember that the deploy window is on Thursdays",
            0.85,
            "preference",
        ),
    ];
    let found: Vec<(&str, f64, String)> = cases
        .iter()
        .map(|(text, ..)| {
            let analysis = analysed(Role::User, text);
            (*text, analysis.salience, analysis.intent.unwrap_or_default())
        })
        .collect();
    assert_eq!(
        found,
        cases.map(|(text, salience, intent)| (text, salience, intent.to_owned()))
    );
}

#[test]
fn a_short_answer_to_a_question_is_more_than_an_acknowledgement() {
    let question = message(Role::Assistant, "Shall I drop the table?");
    let (analysis, _) = rules::analyse(&message(Role::User, "yes"), Some(&question));
    assert_eq!(
        (analysis.intent.as_deref(), analysis.salience),
        (Some("confirmation"), 0.3)
    );
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
        assert_eq!(
            (analysis.mood.as_deref(), analysis.intensity),
            (Some(mood), Some(intensity)),
            "{text}"
        );
    }
}

#[test]
fn code_and_its_language_are_recognised() {
    let cases = [
        ("The weather was mild", (false, None)),
        ("I want to go to class in Java next week", (true, Some("java"))),
        ("```rs\nlet x = 1;\n```", (true, Some("rust"))),
        ("```\ndef f(x):\n    return self.x\n```", (true, Some("python"))),
        (
            "fn main() { let mut x = vec![1]; x.iter().sum() }",
            (true, Some("rust")),
        ),
        (
            "func main() { if err != nil { fmt.Println(err) } }",
            (true, Some("go")),
        ),
        (
            "interface A { b: string }\nconst a: string = 'x'",
            (true, Some("typescript")),
        ),
        (
            "const a = require('b'); console.log(a === 1)",
            (true, Some("javascript")),
        ),
        (
            "public class A { private int x; @Override public String b() {} }",
            (true, Some("java")),
        ),
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
        (
            "error[E0502]: cannot borrow `x`\n --> src/lib.rs:12:5",
            Some(Compiler),
            Critical,
            Some("src/lib.rs"),
        ),
        (
            "error[E0308]: mismatched types\n --> src/lib.rs:1:5",
            Some(TypeError),
            Critical,
            Some("src/lib.rs"),
        ),
        (
            "src/app.ts(4,7): error TS2322: Type 'string'",
            Some(TypeError),
            Critical,
            Some("src/app.ts"),
        ),
        (
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n  File \"b.py\", line 2, in f\nKeyError: 'x'",
            Some(Runtime),
            Critical,
            Some("b.py"),
        ),
        (
            "thread 'main' panicked at src/main.rs:4:10:\nindex out of bounds",
            Some(Runtime),
            Critical,
            Some("src/main.rs"),
        ),
        (
            "test result: FAILED. 3 passed; 1 failed",
            Some(TestFailure),
            Critical,
            None,
        ),
        (
            "--- FAIL: TestX (0.00s)\n    x_test.go:12: got 1",
            Some(TestFailure),
            Critical,
            Some("x_test.go"),
        ),
        ("npm ERR! code ELIFECYCLE", Some(BuildFailure), Critical, None),
        (
            "warning: unused variable: `x`\n --> src/a.rs:2:9",
            Some(Linter),
            Warning,
            Some("src/a.rs"),
        ),
        (
            "Exception in thread \"main\" java.lang.NullPointerException\n\tat A.b(A.java:3)",
            Some(Runtime),
            Critical,
            Some("A.java"),
        ),
        ("I get a weird error when I log in", None, Warning, None),
        ("The tests keep failing on CI", Some(TestFailure), Warning, None),
    ];
    for (text, kind, severity, file) in cases {
        let expected = ReportedError {
            kind,
            severity: Some(severity),
            file: file.map(str::to_owned),
        };
        assert_eq!(analysed(Role::User, text).error, Some(expected), "{text}");
    }
    for text in [
        "How does error handling work in Rust?",
        "The tests pass now",
        "I like crash tests",
    ] {
        assert_eq!(analysed(Role::User, text).error, None, "{text}");
    }
    assert_eq!(
        analysed(Role::Assistant, "You get an error when the file is missing.").error,
        None
    );
}

#[test]
fn vectors_go_where_they_apply() {
    let cases = [
        (Role::User, "The weather was mild", vec![Head::Semantic]),
        (
            Role::User,
            "Look at src/main.rs",
            vec![Head::Semantic, Head::Code],
        ),
        (
            Role::User,
            "There is a bug in the coffee machine",
            vec![Head::Semantic, Head::Code],
        ),
        (
            Role::User,
            "I live in Berlin",
            vec![Head::Semantic, Head::Relationship],
        ),
        (
            Role::User,
            "I use Vim",
            vec![Head::Semantic, Head::Code, Head::Relationship],
        ),
        (Role::System, "You write Rust", vec![]),
    ];
    for (role, text, heads) in cases {
        assert_eq!(analysed(role, text).heads, heads, "{text}");
    }
}

#[test]
fn a_long_text_is_summed_up_by_its_first_sentence() {
    let long = format!(
        "# Plan\n\nWe move the service to the new cluster. {}",
        "Then we rest. ".repeat(20)
    );
    assert_eq!(analysed(Role::User, &long).summary.as_deref(), Some("Plan"));
    let long = format!(
        "We move the service v1.2 to the new cluster. {}",
        "Then we rest. ".repeat(20)
    );
    assert_eq!(
        analysed(Role::User, &long).summary.as_deref(),
        Some("We move the service v1.2 to the new cluster.")
    );
    assert_eq!(analysed(Role::User, "We rest.").summary, None);
}

#[test]
fn what_is_found_out_holds_no_secrets() {
    let key = format!("sk_live_{}", "a1B2".repeat(6));
    let text = format!(
        "Use `{key}` for the payments. {}",
        "It is for the tests only. ".repeat(10)
    );
    let found = format!("{:?}", rules::analyse(&message(Role::User, &text), None));
    assert!(!found.to_lowercase().contains("a1b2"), "{found}");
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
        assert!(
            analysis
                .summary
                .is_none_or(|summary| summary.chars().count() <= 200)
        );
        assert!(report.facts.len() <= 20);
        assert!(report.facts.iter().all(|fact| fact.value.chars().count() <= 500));
    }
}
