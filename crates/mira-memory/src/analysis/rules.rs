//! Analysis without a model: the same message always gives the same result, in time linear in what is looked at.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::source::{self, Source};
use super::{Analysis, heads, stated, topics};
use crate::expression::{fixed, fixed_set};
use crate::message::{Message, Role};
use crate::relationship::Report;
use crate::secret;

/// What [`Analysis::analyser`] says of an analysis by rules.
pub const ANALYSER: &str = "rules";

/// How much of a message is looked at, in bytes from its beginning and its end.
const BEGINNING_BYTES: usize = 16 * 1024;
const END_BYTES: usize = 4 * 1024;

/// The longest summary, in characters; a text that is not longer needs none.
pub(super) const MAX_SUMMARY_CHARS: usize = 200;

/// The longest account of what a message says of the user, in characters.
const MAX_IMPACT_CHARS: usize = 500;

/// Analyses a message; `previous` is the one before it in its session. Only what a user says reports something about
/// the user.
pub fn analyse(message: &Message, previous: Option<&Message>) -> (Analysis, Report) {
    let text = looked_at(&message.content);
    let text = secret::mask(&text);
    let source = source::read(&text, message.role);
    let report = match message.role {
        Role::User => stated::report(&text),
        Role::Assistant | Role::System => Report::default(),
    };
    let signs = Signs::of(&source.prose);
    let intent = intent(message.role, &source, &signs, &report, previous);
    let topics = topics::of(&source.prose, source.language);
    let (mood, intensity) = match message.role {
        Role::User => mood(&source.prose, &signs),
        Role::Assistant | Role::System => ("neutral", 0.1),
    };
    let salience = salience(message.role, &source, &signs, intent, &report);
    let heads = match message.role {
        Role::System => Vec::new(),
        Role::User | Role::Assistant => heads(source.contains_code, &topics, &report),
    };
    let analysis = Analysis {
        salience,
        original_salience: salience,
        topics,
        mood: Some(mood.to_owned()),
        intensity: Some(intensity),
        intent: Some(intent.as_str().to_owned()),
        summary: summary(&source.prose),
        relationship_impact: impact(&report),
        contains_code: source.contains_code,
        programming_language: source.language.map(str::to_owned),
        error: source.error,
        heads,
        analyser: ANALYSER.to_owned(),
        analysed: message.time,
        recall_count: 0,
        last_recalled: None,
    };
    (analysis, report)
}

/// The beginning and the end of a long text; all of another.
fn looked_at(text: &str) -> Cow<'_, str> {
    if text.len() <= BEGINNING_BYTES + END_BYTES {
        return Cow::Borrowed(text);
    }
    let (beginning, _) = text.split_at(text.floor_char_boundary(BEGINNING_BYTES));
    let (_, end) = text.split_at(text.ceil_char_boundary(text.len() - END_BYTES));
    Cow::Owned(format!("{beginning}\n{end}"))
}

/// What somebody wants by a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intent {
    Acknowledgement,
    Greeting,
    /// A short answer to what the assistant asked.
    Confirmation,
    Question,
    Request,
    Directive,
    Preference,
    Decision,
    BugReport,
    Statement,
    /// What an assistant says.
    Answer,
    Instruction,
}

impl Intent {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledgement => "acknowledgement",
            Self::Greeting => "greeting",
            Self::Confirmation => "confirmation",
            Self::Question => "question",
            Self::Request => "request",
            Self::Directive => "directive",
            Self::Preference => "preference",
            Self::Decision => "decision",
            Self::BugReport => "bug_report",
            Self::Statement => "statement",
            Self::Answer => "answer",
            Self::Instruction => "instruction",
        }
    }
}

static TRIVIAL: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?ix)^\W*(?: (?: ok(?:ay)? | k | kk | thanks | thank\ you | thx | ty | cheers | yes | yep | yeah | yup | no | nope | sure | cool
          | great | nice | perfect | awesome | good | fine | right | done | lol | haha+ | wow | hm+ | mhm | ah+ | oh | got\ it | i\ see
          | sounds\ good | looks\ good | lgtm | makes\ sense | go\ ahead | do\ it | please\ do | never\ ?mind | np | no\ problem
          | you'?re\ welcome | alright | agreed | exactly | correct | same | much | so | a\ lot | very | that'?s | it | works | for
          | the | help | will\ do | bye | good\ ?night | see\ you | later | again | mira ) \W* )+$",
    )
});

static GREETING: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?i)^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening)|greetings|how are you|what'?s up|howdy)(?: (?:there|mira|everyone|all|again))?\W*(?:how are you(?: doing)?(?: today)?\W*)?$",
    )
});

/// What is looked for in the prose at once.
static SIGNS: LazyLock<RegexSet> = LazyLock::new(|| {
    fixed_set([
        r"(?i)\b(?:security|vulnerab\w+|cve-[0-9]+|exploit\w*|injection|xss|csrf|leaked|breach|credentials|rce|privilege escalation)\b",
        r"(?i)\b(?:in prod(?:uction)?|production|outage|data loss|lost data|downtime|on-?call|incident|postmortem|rollback|customers? affected)\b",
        r"(?i)\b(?:we(?:'ve| have)? decided|i(?:'ve| have)? decided|decision|let'?s (?:go with|use|switch|drop|keep)|we(?:'ll| will) (?:go with|use|switch)|i(?:'ll| will) go with|we agreed|final(?:ly)? (?:choice|decision)|going with|settled on|the plan is)\b",
        r"(?i)(?:^|[.!?]\s+|\n\s*)(?:who|what|when|where|why|how|which|is|are|am|was|were|do|does|did|can|could|will|would|should|shall|has|have|any idea|whose)\b[^.!\n]*\?",
        r"(?i)(?:^|[.!,]\s+|\n\s*[-*]?\s*)(?:please|can you|could you|would you|help me|i need you to|i want you to|write|implement|add|fix|create|make|show|explain|refactor|change|update|remove|delete|rename|generate|build|run|test|check|review|find|give|convert|translate|summari[sz]e|list|tell|let'?s)\b",
        r"(?i)\b(?:frustrat\w+|annoy\w+|ugh+|argh+|damn|wtf|hate (?:this|it)|still (?:not|doesn'?t|fails|failing|broken)|keeps? (?:failing|crashing|breaking)|useless|ridiculous|stupid|sick of|fed up|wasted?)\b",
        r"(?i)\b(?:thanks|thank you|great|awesome|perfect|love (?:it|this)|amazing|excellent|wonderful|it works|works now|glad|happy|fantastic|brilliant|yay|can'?t wait|excited|so cool)\b|[😀😃😄😁😊🎉❤👍🙏🥳😍]|:-?\)",
        r"(?i)\b(?:worried|afraid|concern\w*|urgent\w*|asap|scared|anxious|nervous|stress\w*|deadline|overwhelm\w*)\b",
        r"(?i)\b(?:confus\w+|don'?t (?:understand|get (?:it|why|how))|makes no sense|lost here|unclear|no idea)\b",
        r"(?i)\b(?:curious|wonder(?:ing)?|interest(?:ed|ing)|how (?:does|do|did|can|would|come)|why (?:does|do|did|is|are))\b",
        r"(?i)\b(?:sad|unfortunately|disappoint\w+|miss(?:ed)? (?:him|her|them)|passed away|heartbroken|depress\w+|lonely|crying)\b|[😢😭😞]",
        r"(?i)\b(?:remember|don'?t forget|important|crucial|critical|must never|deadline|birthday|married|pregnant|diagnosed|new job|quit my job|moved to)\b",
    ])
});

/// What is in the prose; the fields in the order of [`SIGNS`].
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one sign, independent of the others"
)]
struct Signs {
    security: bool,
    production: bool,
    decision: bool,
    asks: bool,
    requests: bool,
    frustrated: bool,
    happy: bool,
    worried: bool,
    confused: bool,
    curious: bool,
    sad: bool,
    important: bool,
    trivial: bool,
    greeting: bool,
    words: usize,
}

impl Signs {
    fn of(prose: &str) -> Self {
        let found = SIGNS.matches(prose);
        let trimmed = prose.trim();
        Self {
            security: found.matched(0),
            production: found.matched(1),
            decision: found.matched(2),
            asks: found.matched(3) || trimmed.ends_with('?') || trimmed.ends_with('？'),
            requests: found.matched(4),
            frustrated: found.matched(5),
            happy: found.matched(6),
            worried: found.matched(7),
            confused: found.matched(8),
            curious: found.matched(9),
            sad: found.matched(10),
            important: found.matched(11),
            trivial: !trimmed.chars().any(char::is_alphanumeric) || TRIVIAL.is_match(trimmed),
            greeting: GREETING.is_match(trimmed),
            words: trimmed.split_whitespace().count(),
        }
    }
}

fn intent(role: Role, source: &Source, signs: &Signs, report: &Report, previous: Option<&Message>) -> Intent {
    let stated = |prefix: &str| report.facts.iter().any(|fact| fact.key.starts_with(prefix));
    let was_asked = previous.is_some_and(|previous| {
        previous.role == Role::Assistant && previous.content.trim_end().ends_with('?')
    });
    match role {
        Role::System => Intent::Instruction,
        Role::User | Role::Assistant if signs.greeting => Intent::Greeting,
        Role::User if signs.trivial && was_asked && signs.words > 0 => Intent::Confirmation,
        Role::User | Role::Assistant if signs.trivial && !source.has_code => Intent::Acknowledgement,
        Role::Assistant if signs.asks && source.prose.trim_end().ends_with('?') => Intent::Question,
        Role::Assistant => Intent::Answer,
        Role::User if stated("directive_") || stated("response_") => Intent::Directive,
        Role::User if source.error.is_some() => Intent::BugReport,
        Role::User if signs.decision && !signs.asks => Intent::Decision,
        Role::User if signs.asks => Intent::Question,
        Role::User if !report.facts.is_empty() => Intent::Preference,
        Role::User if signs.requests => Intent::Request,
        Role::User => Intent::Statement,
    }
}

/// How much a message matters: below 0.3 an acknowledgement, 0.3 to 0.5 little, 0.4 to 0.6 questions and talk, 0.7 to 0.9
/// technical matters, decisions and bugs, above that security, production and what is to be remembered.
fn salience(role: Role, source: &Source, signs: &Signs, intent: Intent, report: &Report) -> f64 {
    if role == Role::System {
        return 0.2;
    }
    let base: f64 = match intent {
        Intent::Acknowledgement | Intent::Greeting => return 0.1,
        Intent::Confirmation => return 0.3,
        Intent::Question | Intent::Request => 0.5,
        Intent::Directive => 0.85,
        Intent::Decision => 0.8,
        Intent::Preference | Intent::BugReport => 0.75,
        Intent::Statement | Intent::Answer | Intent::Instruction => 0.4,
    };
    let mut salience = base;
    if source.contains_code {
        let technical = match (role, source.has_code || source.error.is_some()) {
            (Role::User, true) => 0.7,
            (Role::User, false) | (Role::Assistant, true) => 0.6,
            (Role::Assistant | Role::System, _) => 0.5,
        };
        salience = salience.max(technical);
    }
    let is_weighty = matches!(intent, Intent::BugReport | Intent::Decision | Intent::Directive);
    if signs.security || signs.production {
        salience = salience.max(if is_weighty && role == Role::User {
            0.9
        } else {
            0.7
        });
    }
    if signs.important && role == Role::User {
        salience += 0.1;
    }
    if report.facts.iter().any(|fact| fact.confidence >= 0.95) {
        salience = salience.max(0.85);
    }
    if signs.words > 60 {
        salience += 0.05;
    }
    // A remark of a few words that says nothing of the above.
    if signs.words < 4 && base < 0.5 && !source.contains_code {
        salience = 0.3;
    }
    (salience.clamp(0.0, 1.0) * 100.0).round() / 100.0
}

fn mood(prose: &str, signs: &Signs) -> (&'static str, f64) {
    let mood = if signs.frustrated {
        "frustrated"
    } else if signs.worried {
        "worried"
    } else if signs.sad {
        "sad"
    } else if signs.confused {
        "confused"
    } else if signs.happy {
        "happy"
    } else if signs.curious {
        "curious"
    } else {
        return ("neutral", 0.1);
    };
    let exclamations = prose.matches('!').take(3).count();
    let shouted = prose
        .split(|c: char| !c.is_alphabetic())
        .any(|word| word.len() >= 5 && word.chars().all(char::is_uppercase));
    let tenths = 4 + exclamations + usize::from(shouted) * 2;
    (
        mood,
        f64::from(u32::try_from(tenths.min(10)).unwrap_or(10)) / 10.0,
    )
}

/// The first sentence of a text that is too long to be its own summary.
fn summary(prose: &str) -> Option<String> {
    let text = prose.trim();
    text.char_indices().nth(MAX_SUMMARY_CHARS)?;
    let line = text
        .lines()
        .map(|line| line.trim_start_matches(['#', '-', '*', '>', ' ']))
        .find(|line| !line.is_empty())?;
    let mut ends = line
        .char_indices()
        .zip(line.chars().skip(1).map(Some).chain([None]));
    let end = ends.find_map(|((at, c), next)| {
        let is_end = matches!(c, '.' | '!' | '?' | '。') && next.is_none_or(char::is_whitespace) && at > 20;
        is_end.then_some(at + c.len_utf8())
    });
    let sentence = line.get(..end.unwrap_or(line.len()))?;
    Some(shortened(sentence, MAX_SUMMARY_CHARS))
}

/// At most so many characters, with a mark where it was cut.
pub(super) fn shortened(text: &str, max_chars: usize) -> String {
    let text = text.trim();
    if text.char_indices().nth(max_chars).is_none() {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max_chars.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// What a report says, for people to read.
pub(super) fn impact(report: &Report) -> Option<String> {
    let facts = report.facts.iter().map(|fact| {
        let gone = if fact.retracted { "no longer " } else { "" };
        let said = format!("{}: {gone}{}", fact.key.replace('_', " "), fact.value);
        said.trim_end().to_owned()
    });
    let patterns = report
        .patterns
        .iter()
        .map(|pattern| format!("{}: {}", pattern.name, pattern.description));
    let said: Vec<String> = facts.chain(patterns).collect();
    if said.is_empty() {
        return (*report != Report::default()).then(|| "profile".to_owned());
    }
    Some(shortened(&said.join("; "), MAX_IMPACT_CHARS))
}
