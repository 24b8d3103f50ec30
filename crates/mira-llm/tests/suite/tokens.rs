//! Token counts: right where they are exact, near where they are not, and never slow.

use std::time::{Duration, Instant};

use mira_llm::tokens::{counter_for, estimate};
use proptest::prelude::*;

#[test]
fn counts_are_those_of_the_models_tokeniser() {
    let cases = [
        ("gpt-5.5", "", 0),
        ("gpt-5.5", "hello world", 2),
        ("gpt-5.5", "<|endoftext|>", 7),
        ("deepseek-v4-flash", "fn main() { println!(\"hello\"); }", 9),
        ("gpt-5.5", "Привет, мир", 4),
        ("text-embedding-3-large", "Привет, мир", 6),
    ];
    for (model, text, expected) in cases {
        assert_eq!(counter_for(model).count(text), expected, "{model}: {text}");
    }
}

#[test]
fn pieces_of_a_text_count_like_the_whole() {
    let counter = counter_for("gpt-5.5");
    let line = "The quick brown fox jumps over the lazy dog; then it rests.\n";
    let one = counter.count(line);
    let many = counter.count(&line.repeat(1000));
    assert!(many.abs_diff(one * 1000) * 100 < many, "{many} for 1000 × {one}");
}

#[test]
fn huge_texts_are_counted_quickly() {
    let counter = counter_for("gpt-5.5");
    counter.count("loads the tables");
    let mut noise = String::new();
    let mut state = 1_u64;
    while noise.len() < 1024 * 1024 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        noise.push(char::from(b'!' + u8::try_from(state >> 58).unwrap()));
    }
    for (name, text) in [
        ("one letter", "a".repeat(1024 * 1024)),
        ("spaces", " ".repeat(1024 * 1024)),
        ("noise without spaces", noise),
        ("accents", "é".repeat(512 * 1024)),
        (
            "prose",
            "All work and no play makes Jack a dull boy. ".repeat(24 * 1024),
        ),
    ] {
        let started = Instant::now();
        let count = counter.count(&text);
        let (kept, cut) = counter.truncate(&text, 1000);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5), "{name}: {took:?}");
        assert!(count > 1000 && cut && counter.count(kept) <= 1000, "{name}");
    }
}

#[test]
fn a_truncated_text_uses_the_room_it_is_given() {
    let counter = counter_for("gpt-5.5");
    let text = "one two three four five six seven eight nine ten ".repeat(20_000);
    for max in [0, 1, 10, 999, 5_000, 60_000, 150_000] {
        let (kept, cut) = counter.truncate(&text, max);
        let count = counter.count(kept);
        assert!(cut && text.starts_with(kept) && count <= max, "{count} of {max}");
        assert!(count * 100 >= max * 98, "{count} of {max}");
    }
    assert_eq!(counter.truncate(&text, usize::MAX), (text.as_str(), false));
}

#[test]
fn an_estimate_is_near_for_english_and_high_for_others() {
    let english =
        "The estimate should be within a third of the count for ordinary English prose and for code.";
    let counted = counter_for("gpt-5.5").count(english);
    assert!(
        estimate(english).abs_diff(counted) * 3 <= counted,
        "{} {counted}",
        estimate(english)
    );
    assert_eq!(
        (
            estimate(""),
            estimate("abcd"),
            estimate("abcde"),
            estimate("日本語")
        ),
        (0, 1, 2, 3)
    );
}

proptest! {
    #[test]
    fn truncation_keeps_a_beginning_within_the_limit(text in "(\\PC{0,40}[ \n]{0,3}){0,80}", max in 0_usize..400) {
        let counter = counter_for("gpt-5.5");
        let (kept, cut) = counter.truncate(&text, max);
        prop_assert!(text.starts_with(kept));
        prop_assert_eq!(cut, kept.len() < text.len());
        prop_assert!(counter.count(kept) <= max);
        prop_assert!(cut || counter.count(&text) <= max);
    }
}
