//! Keys, tokens and passwords in a text, known by their form or by the name they are assigned to.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::expression::fixed;

/// What stands in the place of a secret.
pub const MASK: &str = "[secret]";

/// Bits per character from which a value that mixes letters and digits counts as made by a machine or to be hard to
/// guess. `hunter2!` has 3.0, a key in hexadecimal about 3.7.
const MIN_ENTROPY: f64 = 2.75;

/// Secrets that show by their form. The whole match is the secret, or the group `part` where there is one; `maybe` is
/// one only when it has a digit, because words with hyphens have the same form.
static BY_FORM: LazyLock<Regex> = LazyLock::new(|| {
    let forms = [
        // Private keys, also when they are cut off.
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
        // AWS
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
        // GitHub, GitLab
        r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b",
        r"\bgithub_pat_[A-Za-z0-9_]{22,255}\b",
        r"\bgl(?:pat|rt|dt|cbt|ptt|oas|soat|ft)-[A-Za-z0-9_-]{20,}",
        // Slack
        r"\bxox[abceoprs]-[A-Za-z0-9-]{10,}",
        r"\bxapp-[0-9]-[A-Za-z0-9-]{10,}",
        r"\bhttps://hooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
        // Stripe
        r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
        r"\bwhsec_[A-Za-z0-9+/=]{24,}",
        // OpenAI, Anthropic, DeepSeek and others that begin alike
        r"\b(?P<maybe>sk-[A-Za-z0-9_-]{20,})",
        // Google
        r"\bAIza[0-9A-Za-z_-]{35}",
        r"\bya29\.[0-9A-Za-z_-]{20,}",
        r"\bGOCSPX-[0-9A-Za-z_-]{20,}",
        // npm, PyPI, crates.io, Hugging Face, SendGrid, DigitalOcean, Telegram
        r"\bnpm_[A-Za-z0-9]{36}\b",
        r"\bpypi-[A-Za-z0-9_-]{50,}",
        r"\bcio[A-Za-z0-9]{32}\b",
        r"\bhf_[A-Za-z0-9]{30,}\b",
        r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
        r"\bdop_v1_[a-f0-9]{64}\b",
        r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b",
        // JSON web tokens
        r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
        // The password of a URL
        r#"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s:/@"'<>]{0,100}:(?P<password>[^\s/@"'<>${}\[\]]{1,200})@"#,
        // Authorization headers
        r"(?i:\b(?:bearer|basic)[ \t]+)(?P<header>[A-Za-z0-9._~+/=-]{16,})",
    ];
    fixed(&forms.join("|"))
});

/// A name that promises a secret, and the value assigned to it.
static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r#"(?ix)
        (?: (?P<password> password | passwd | passphrase | pwd )
          | secret (?: [_-]? (?: access )? [_-]? key (?: _base )? )? | token | api [_\ -]? key | access [_-]? key
          | private [_-]? key | auth [_-]? key | encryption [_-]? key | signing [_-]? key | credentials? )
        ["'`]? \s{0,4} (?: := | => | [:=] | (?P<said> \b is \b ) ) \s{0,4}
        (?: "(?P<double> [^"\r\n]{4,400} )" | '(?P<single> [^'\r\n]{4,400} )' | `(?P<tick> [^`\r\n]{4,400} )`
          | (?P<bare> [^\s"'`,;(){}\[\]<>]{4,400} (?P<code> [({\[<]? ) ) )"#,
    )
});

/// The text with every secret replaced by [`MASK`]; borrowed when there is none. Linear in the length of the text.
pub fn mask(text: &str) -> Cow<'_, str> {
    match masked(text, &BY_FORM, form) {
        Cow::Borrowed(text) => masked(text, &ASSIGNED, assigned),
        Cow::Owned(text) => Cow::Owned(masked(&text, &ASSIGNED, assigned).into_owned()),
    }
}

/// Whether [`mask`] would find anything.
pub fn contains(text: &str) -> bool {
    matches!(mask(text), Cow::Owned(_))
}

/// Replaces what `secret` finds in the matches of the pattern.
fn masked<'t>(
    text: &'t str,
    pattern: &Regex,
    secret: impl Fn(&Captures<'t>) -> Option<regex::Match<'t>>,
) -> Cow<'t, str> {
    let mut masked = String::new();
    let mut kept = 0;
    for captures in pattern.captures_iter(text) {
        if let Some(found) = secret(&captures) {
            masked.push_str(text.get(kept..found.start()).unwrap_or_default());
            masked.push_str(MASK);
            kept = found.end();
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(masked)
}

fn form<'t>(captures: &Captures<'t>) -> Option<regex::Match<'t>> {
    let has_digit = |found: &regex::Match<'_>| found.as_str().contains(|c: char| c.is_ascii_digit());
    if let Some(found) = captures.name("maybe").or_else(|| captures.name("header")) {
        return Some(found).filter(has_digit);
    }
    captures.name("password").or_else(|| captures.get(0))
}

fn assigned<'t>(captures: &Captures<'t>) -> Option<regex::Match<'t>> {
    let quoted = ["double", "single", "tick"]
        .iter()
        .find_map(|group| captures.name(group));
    let is_call = captures.name("code").is_some_and(|code| !code.is_empty());
    let value = quoted.or_else(|| captures.name("bare").filter(|_| !is_call))?;
    let text = value.as_str().trim_end_matches(['.', '!', '?']);
    let is_reference = text.starts_with(['$', '<', '%', '&', '*', '#', '/', '@', '{', '['])
        || text.contains("::")
        || text.contains(char::is_whitespace);
    if is_reference || is_placeholder(text) {
        return None;
    }
    let has_letter = text.contains(char::is_alphabetic);
    let has_digit = text.contains(|c: char| c.is_ascii_digit());
    let is_password = captures.name("password").is_some();
    let is_secret = match (is_password, quoted.is_some(), captures.name("said").is_some()) {
        (true, true, _) => true,
        // `password = value` may be code; `my password is value` may be prose.
        (true, false, false) => has_digit && !text.contains(".."),
        (true, false, true) => has_digit && has_letter,
        (false, ..) => {
            let mixed = has_letter && has_digit && text.chars().count() >= 8;
            let long = text.chars().count() >= 20 && has_mixed_case(text) && !text.contains('.');
            (mixed || long) && entropy(text) >= MIN_ENTROPY
        }
    };
    is_secret.then_some(value)
}

/// What documentation and schemas put where a secret would be.
fn is_placeholder(value: &str) -> bool {
    let value = value.to_lowercase();
    let words = [
        "string", "text", "password", "secret", "token", "none", "null", "true", "false",
    ];
    words.contains(&value.as_str())
        || value.starts_with("your")
        || value.starts_with("xxx")
        || value.starts_with("...")
}

fn has_mixed_case(text: &str) -> bool {
    text.contains(char::is_uppercase) && text.contains(char::is_lowercase)
}

/// Shannon's, in bits per character.
fn entropy(text: &str) -> f64 {
    let mut counts: HashMap<char, u32> = HashMap::new();
    for c in text.chars() {
        *counts.entry(c).or_default() += 1;
    }
    let total = f64::from(counts.values().sum::<u32>());
    counts
        .values()
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}
