//! What messages state about the user.

use mira_memory::Role;
use mira_memory::analysis::rules;
use mira_memory::relationship::{ProfileChanges, Report};

use super::{message, report};

/// `key = value`, with `-` before what is taken back and `project.` before what is said of the project.
fn stated(content: &str) -> Vec<String> {
    let facts = report(content).facts;
    facts
        .iter()
        .map(|fact| {
            let back = if fact.retracted { "-" } else { "" };
            let subject = if fact.subject == "user" {
                String::new()
            } else {
                format!("{}.", fact.subject)
            };
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
        (
            "I hate semicolons",
            &["-semicolons = semicolons", "opinion_of_semicolons = dislikes"],
        ),
        (
            "I love Rust and I hate Java.",
            &["opinion_of_rust = likes", "opinion_of_java = dislikes"],
        ),
        (
            "I enjoy hiking in the mountains",
            &["opinion_of_hiking_in_the_mountains = likes"],
        ),
        (
            "I don't like long meetings",
            &["opinion_of_long_meetings = dislikes"],
        ),
        (
            "I prefer small functions over clever ones",
            &["preferred_function = small functions"],
        ),
        (
            "I prefer to write tests first",
            &["preferred_test = write tests first"],
        ),
        ("I use Neovim.", &["editor = Neovim"]),
        ("I use VS Code and zsh", &["editor = VS Code", "shell = zsh"]),
        (
            "I mostly write in Rust and TypeScript",
            &["languages_known = Rust", "languages_known = TypeScript"],
        ),
        (
            "We use Postgres 16 for the main database",
            &["project.tools_used = Postgres 16"],
        ),
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
        (
            "I moved from Berlin to Porto, Portugal.",
            &["location = Porto, Portugal"],
        ),
        ("I live in Berlin since 2021", &["location = Berlin"]),
        ("i live in berlin", &["location = berlin"]),
        ("I'm based in New York", &["location = New York"]),
        ("I'm originally from Sweden", &["hometown = Sweden"]),
        ("My name is Anna Schmidt.", &["name = Anna Schmidt"]),
        ("my name is anna", &["name = anna"]),
        ("Hi, I'm Jo!", &["name = Jo"]),
        ("Call me Ishmael", &["name = Ishmael"]),
        ("My pronouns are they/them", &["pronouns = they/them"]),
        (
            "I work at Acme Corp as a backend engineer",
            &["employer = Acme Corp", "role = backend engineer"],
        ),
        (
            "I'm a data scientist at Globex",
            &["role = data scientist", "employer = Globex"],
        ),
        ("I work as a nurse", &["role = nurse"]),
        ("My dog is called Rex", &["pets = Rex (dog)"]),
        ("I have a cat named Tom", &["pets = Tom (cat)"]),
        ("My wife's name is Sara", &["partner = Sara"]),
        ("I'm allergic to peanuts", &["allergies = peanuts"]),
        ("I'm vegetarian", &["diet = vegetarian"]),
        ("My timezone is CET", &["timezone = CET"]),
        ("My birthday is 3 May", &["birthday = 3 May"]),
        (
            "From now on always use single quotes",
            &["quotes = single quotes"],
        ),
        (
            "Always add tests to new code",
            &["directive_test = always add tests to new code"],
        ),
        (
            "Never use unwrap in library code.",
            &["directive_unwrap = never use unwrap in library code"],
        ),
        ("Please don't use emojis", &["directive_emoji = don't use emojis"]),
        (
            "From now on, call the project Atlas",
            &["directive_atlas = call the project Atlas"],
        ),
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
        (
            "I don't use Docker any more",
            &["-containers = Docker", "-tools_used = Docker"],
        ),
        ("I no longer work at Acme", &["-employer = Acme"]),
        ("I stopped using Chrome", &["-browser = Chrome"]),
        ("I'm not at Acme any more", &["-employer = Acme"]),
        (
            "My favourite book is The Hobbit",
            &["favourite_book = The Hobbit"],
        ),
        ("I've been using Emacs since March 2019", &["editor = Emacs"]),
        ("I'm a vegan chef. My goals are many", &["role = vegan chef"]),
        (
            "I’m a vegan, and I live in Rome",
            &["diet = vegan", "location = Rome"],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(stated(text), *expected, "{text}");
    }
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
        "I like the new design",
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
        (
            "I prefer tabs over spaces",
            (text("tabs"), Some(text("over spaces")), None, 0.9),
        ),
        (
            "I use Postgres for analytics",
            (text("Postgres"), Some(text("for analytics")), None, 0.8),
        ),
        (
            "I live in Berlin since March 2021",
            (text("Berlin"), None, Some(text("2021-03-01")), 0.9),
        ),
        ("Remember I live in Oslo", (text("Oslo"), None, None, 0.95)),
        (
            "Don't add comments",
            (text("don't add comments"), None, None, 0.7),
        ),
    ];
    for (said, expected) in cases {
        assert_eq!(of(said), expected, "{said}");
    }
}

#[test]
fn statements_change_the_profile_too() {
    let text =
        "I prefer Rust. I use Docker and Postgres. I'm learning Haskell. Please keep your answers short.";
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
