//! What a user's message states about the user, by rules that would rather miss a statement than invent one.

mod clause;
mod order;
mod person;
mod phrase;
mod taken_back;
mod taste;

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::expression::fixed;
use crate::fact::Category;
use crate::relationship::{ProfileChanges, Report, Statement};

/// The most statements of one message.
const MAX_STATEMENTS: usize = 20;

/// What a message states.
pub(super) fn report(text: &str) -> Report {
    let mut found = Found::default();
    for clause in clause::of(text) {
        if found.facts.len() >= MAX_STATEMENTS {
            break;
        }
        found.greeted = clause.greeted;
        found.read(&clause.text);
    }
    found.facts.truncate(MAX_STATEMENTS);
    Report {
        facts: found.facts,
        patterns: Vec::new(),
        profile: found.profile,
    }
}

/// Says of a matched clause what it states; `None` when it states nothing after all, and another rule may look at it.
type Reading = fn(&mut Found, &Captures<'_>) -> Option<()>;

/// Adverbs between a subject and its verb.
const ADVERBS: &str = r"(?:(?:really|strongly|generally|usually|personally|much|always|typically|still|now|also|definitely|mostly|mainly|normally|currently|only|exclusively|primarily|almost|do|absolutely|very|often|actually|tend to) )*";

/// The rules, the first that reads a clause wins. `ADV` stands for [`ADVERBS`].
static RULES: LazyLock<Vec<(Regex, Reading)>> = LazyLock::new(|| {
    let rules: [(&str, Reading); 29] = [
        (
            r"(?:please )?(remember|keep in mind|don't forget|do not forget)( that|:|,)? (.+)",
            remember,
        ),
        (r"(?:please )?forget (?:that |about )?(.+)", taken_back::forget),
        (
            r"(?:please )?(?:from now on|going forward|in (?:the )?future|henceforth),? (.+)",
            order::standing,
        ),
        (
            r"(?:i|we) (?:no longer|don't|do not) (.+?)(?: (any ?more|any longer))?",
            taken_back::negated,
        ),
        (
            r"(?:i|we)(?: have|'ve)? (?:stopped|quit) (using |working (?:at|for) |)(.+)",
            taken_back::stopped,
        ),
        (
            r"(?:i'm |i am |we're |we are )?not (?:using |on |(at |with )|(in ))?(.+?) (?:any ?more|any longer)",
            taken_back::not_any_more,
        ),
        (r"my name(?:'s| is) (.+)", person::name),
        (
            r"(?:(?:please )?call me|people call me|i(?:'m| am) called) (.+)",
            person::called,
        ),
        (r"my pronouns are (.+)", |found, with| {
            found.personal("pronouns", &with[1])
        }),
        (
            r"i use ((?:she|he|they|it|xe|ze)/\w+(?:/\w+)?)(?: pronouns)?",
            |found, with| found.personal("pronouns", &with[1]),
        ),
        (
            r"i(?:'m| am)? ADV(?:live|living|reside|residing|based|located) (?:in|near) (.+)",
            person::location,
        ),
        (r"i(?:'m| am| come) (?:originally )?from (.+)", person::origin),
        (r"i ADVwork (?:at|for) (.+)", person::employer),
        (
            r"i(?:'m| am) (?:working|employed) (?:at|for|by) (.+)",
            person::employer,
        ),
        (
            r"i(?: just| recently)? (?:joined|started at) (.+ as .+)",
            person::employer,
        ),
        (
            r"i(?:'m| am)? ADVwork(?:ing)? as (?:an? |the )?(.+)",
            person::role,
        ),
        (r"i(?:'m| am) (?:an? |the )?(.+)", person::is_a),
        (r"i ADVwork on (.+)", |found, with| {
            found.professional("works_on", &with[1])
        }),
        (
            r"(?:i|we)(?:'ve| have)? (?:(?:just|recently|finally|now|also) )?(?:switched|migrated|moved|converted|changed)(?: over)?(?: from (.+?))? to (.+)",
            taste::switched,
        ),
        (
            r"my (favou?rite|preferred|default|main|primary) ([a-z][a-z -]{1,40}?)(?: is| are|'s) (.+)",
            taste::favourite,
        ),
        (
            r"my ([a-z][a-z -]{1,30}?)(?:'s name)?(?: is| are|'s)( called| named)? (.+)",
            person::my,
        ),
        (
            r"i have (?:an? |two |three )?(\w+) (?:called|named) (.+)",
            |found, with| found.relation(&with[1], &with[2]),
        ),
        (
            r"(?:please )?(?:always )?(?:answer|reply|respond|speak|talk|write)(?: to)?(?: me)?(?: only)? in (\p{L}+)(?:,? please)?",
            order::response_language,
        ),
        (
            r"(?:please )?(?:always )?(?:keep|make|give me|i want|i need|i ADV(?:like|prefer))(?: me| all| your| the| my)* (?:(short|brief|concise|terse|detailed|long|thorough|in-depth)(?:er)? (?:answers|responses|replies|explanations)|(?:answers?|responses?|repl(?:y|ies)|explanations?) (?:to be |as )?(short|brief|concise|terse|succinct|to the point|detailed|long|thorough|in-depth).*)",
            order::response_length,
        ),
        (
            r"(?:please )?be (?:more )?(brief|concise|terse|succinct|detailed|thorough)(?: in .*)?",
            order::response_length,
        ),
        (
            r"(?:i|we) ADV(prefer|like|love|enjoy|adore|favou?r|hate|dislike|detest|despise|can't stand|cannot stand) (.+)",
            taste::opinion,
        ),
        (
            r"(?:i|we)(?:'m|'re|'ve been| am| are| have been)? ADV(?:use|using|run|running|(?:code|coding|program|programming|develop|developing|work|working|write|writing)(?: mostly| mainly| my code| code| everything)? (?:in|with)|on) (.+)",
            taste::uses,
        ),
        (
            r"i(?:'m| am)?(?: currently)? (?:learning|want to learn|wanna learn|trying to learn|studying) (.+)",
            taste::learning,
        ),
        (
            r"(?:please )?(always|never|don't|do not|avoid|stop) (.+)",
            order::directive,
        ),
    ];
    rules
        .into_iter()
        .map(|(pattern, reading)| {
            (
                fixed(&format!("(?i)^(?:{})$", pattern.replace("ADV", ADVERBS))),
                reading,
            )
        })
        .collect()
});

/// What was found so far.
#[derive(Debug, Default)]
struct Found {
    facts: Vec<Statement>,
    profile: ProfileChanges,
    /// Of the clause that is being read.
    greeted: bool,
    /// `project` when the clause says "we".
    subject: &'static str,
}

impl Found {
    fn read(&mut self, clause: &str) {
        self.subject = if phrase::begins_with(clause, &["we", "we're", "we've"]) {
            "project"
        } else {
            "user"
        };
        for (pattern, reading) in RULES.iter() {
            if let Some(captures) = pattern.captures(clause)
                && reading(self, &captures).is_some()
            {
                return;
            }
        }
    }

    /// Adds a statement about the user, unless it was made already.
    fn state(
        &mut self,
        key: &str,
        value: &str,
        category: Category,
        confidence: f64,
    ) -> Option<&mut Statement> {
        if value.is_empty()
            || self
                .facts
                .iter()
                .any(|fact| fact.key == key && fact.value == value)
        {
            return None;
        }
        self.facts.push(Statement {
            subject: self.subject.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
            category,
            confidence,
            retracted: false,
            context: None,
            since: None,
        });
        self.facts.last_mut()
    }

    /// Takes something back; an empty value takes back all under the key.
    fn retract(&mut self, key: &str, value: &str, category: Category) {
        self.facts.push(Statement {
            subject: self.subject.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
            category,
            confidence: 0.9,
            retracted: true,
            context: None,
            since: None,
        });
    }
}

fn remember(found: &mut Found, with: &Captures<'_>) -> Option<()> {
    let text = &with[3];
    if phrase::begins_with(
        text,
        &[
            "to", "when", "how", "what", "the time", "last", "me", "why", "where", "who",
        ],
    ) {
        return Some(());
    }
    let before = found.facts.len();
    found.read(text);
    let own = phrase::begins_with(text, &["i", "i'm", "my", "we", "our", "the"]);
    let told = with[1].eq_ignore_ascii_case("remember") || with[1].eq_ignore_ascii_case("keep in mind");
    if found.facts.len() == before && told && (with.get(2).is_some() || own) {
        found.state("notes", &phrase::cleaned(text), Category::Personal, 0.95)?;
    }
    for fact in found.facts.iter_mut().skip(before) {
        fact.confidence = fact.confidence.max(0.95);
    }
    Some(())
}
