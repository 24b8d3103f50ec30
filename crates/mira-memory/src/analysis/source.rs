//! Source code and error output in a message: whether there is any, in which language, and what went wrong.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::{ErrorKind, LANGUAGES, ReportedError, Severity, lexicon};
use crate::expression::{fixed, fixed_set};
use crate::message::Role;

/// The longest path of a file that an error is in, in characters.
pub(super) const MAX_FILE_CHARS: usize = 300;

/// A message with its code told from its prose.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// What is not in fences.
    pub prose: String,
    /// Whether it holds code or talks about it.
    pub contains_code: bool,
    /// Whether it holds code.
    pub has_code: bool,
    /// One of [`LANGUAGES`].
    pub language: Option<&'static str>,
    pub error: Option<ReportedError>,
}

/// Signs of each language in code, in the order of [`LANGUAGES`], each as good as the others.
static SYNTAX: LazyLock<Vec<(usize, Regex)>> = LazyLock::new(|| {
    let signs: [(&str, &str); 6] = [
        (
            "rust",
            r"\bfn \w+[<(]|\blet mut \w|\bimpl(?:<[^>]*>)? \w|&mut \w|\.unwrap\(\)|\bpub (?:fn|struct|enum|mod|trait)\b|\b(?:println|format|vec|assert_eq)!|#\[\w+|\buse (?:std|crate|super)::|\berror\[E[0-9]{4}\]|\bcargo (?:build|test|run|clippy|check)\b|-> Result<|\w::<\w|\bpanicked at\b",
        ),
        (
            "typescript",
            r"[\w)]\??: (?:string|number|boolean|void|unknown|any|Promise<)|\binterface \w+ (?:extends \w+ )?\{|\bas const\b|\berror TS[0-9]{4}|\btype \w+(?:<[^>]*>)? = |\bimport type\b|\benum \w+ \{ *$|\btsc\b|\breadonly \w+:",
        ),
        (
            "javascript",
            r"\bconsole\.(?:log|error)|\bfunction ?\w*\(|===|\brequire\(|\bconst \w+ = |\bmodule\.exports|=> \{|\bdocument\.\w|\bnpm (?:run|install|test)|\bnode_modules\b",
        ),
        (
            "python",
            r"(?m)\bdef \w+\([^)]*\)(?: -> [^:]+)?:|\bself\.\w|^\s*from [\w.]+ import |^\s*import \w+(?: as \w+)?\s*$|\belif |\bTraceback \(most recent|__(?:init|name|main)__|\.py., line [0-9]|\bpip install\b|^\s*(?:if|for|while|with|class) .*:\s*$",
        ),
        (
            "go",
            r"(?m)\bfunc (?:\(\w+ \*?\w+\) )?\w+\(|\w := |^package \w+\s*$|\bfmt\.\w|\bif err != nil\b|\bgoroutine\b|\bchan \w|\bgo (?:build|run|test|mod)\b|\bdefer \w",
        ),
        (
            "java",
            r"\bpublic (?:static |final |abstract )*(?:class|void|int|String|interface)\b|\bSystem\.out\.|@Override\b|\bimport java|\bnew \w+<[^>]*>\(|\bException in thread\b|\([A-Z]\w+\.java:[0-9]+\)|\bprivate (?:static |final )*\w+ \w+;",
        ),
    ];
    signs
        .into_iter()
        .filter_map(|(language, signs)| {
            let at = LANGUAGES.iter().position(|known| *known == language)?;
            Some((at, fixed(signs)))
        })
        .collect()
});

/// Code by its punctuation, whatever the language.
static CODE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?m)[;{]\s*$|\w\(\)|\w::\w|=>|->|</\w+>|^\s*(?:#include|import |from \w+ import|SELECT .* FROM|\$ \w|@\w+\()|\w\.\w+\([^)]*\)|[!=]=|`[^`\n]*[\w)][(.:_/][^`\n]*`",
    )
});

/// Talk about code.
static TALK: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?ix)\b(?: code | codebase | refactor\w* | compil(?:e|es|er|ed|ing|ation) | functions? | methods? | structs? | enums?
          | traits? | variables? | apis? | endpoints? | crates? | modules? | librar(?:y|ies) | frameworks? | repo | repository
          | git | commits? | branch(?:es)? | pull\ requests? | merge | unit\ tests? | test\ suite | bugs? | debug(?:ger|ging)?
          | stack\ trace | exceptions? | sql | quer(?:y|ies) | schema | migrations? | database | backend | frontend | regex
          | json | yaml | http | websockets? | async | await | mutex | threads? | deadlock | race\ condition | lint(?:er|s)?
          | ci | docker | kubernetes | deploy(?:s|ed|ment)? | server | npm | cargo | pip | script | algorithm | parser | syntax
          | cach(?:e|ing) | latency | memory\ leak | null\ pointer | segfault | type\ (?:error|system|checker) | generics?
          | closures? | iterators? | lifetimes? | borrow\ checker | dependenc(?:y|ies) | tokeni[sz]er | software )\b",
    )
});

/// A language by its name or by the ending of a file, in the order of [`LANGUAGES`].
static NAMED: LazyLock<RegexSet> = LazyLock::new(|| {
    fixed_set([
        r"\b[Rr]ust\b|\.rs\b|\brustc\b|\bcargo\b",
        r"(?i)\btypescript\b|\.tsx?\b",
        r"(?i)\bjavascript\b|\bnode\.?js\b|\.(?:jsx|mjs|cjs)\b|\w\.js\b",
        r"(?i)\bpython3?\b|\.py\b|\bdjango\b|\bpytest\b",
        r"\bGo(?:lang)? (?:code|program|module|package|service|backend|server|compiler|routines?|interfaces?|[0-9]\.[0-9]+)\b|\b[Gg]olang\b|\bin Go\b|\w\.go\b|\bgoroutine",
        r"\bJava\b|\.java\b|\bjvm\b|\bJVM\b",
    ])
});

/// What errors look like, the surest signs first.
static ERRORS: LazyLock<Vec<(Regex, ErrorKind, Severity)>> = LazyLock::new(|| {
    use ErrorKind::{BuildFailure, Compiler, Linter, Runtime, TestFailure, TypeError};
    use Severity::{Critical, Warning};
    [
        (r"\berror TS[0-9]{3,5}\b|\berror\[E(?:0308|0277|0282|0283)\]|\bmypy\b.*\berror\b|: error: Incompatible \w+ ", TypeError, Critical),
        (r"\btest result: FAILED\b|--- FAIL: |\bFAILED \S+::|\b[1-9][0-9]* (?:tests? )?failed\b|\bAssertionError\b|\bassertion .{0,80}failed\b|(?m)^\s*FAIL\s+\S+\.(?:test|spec)\.", TestFailure, Critical),
        (r"(?m)\berror\[E[0-9]{4}\]|^\s*\S+\.java:[0-9]+: error:|^\S*\.go:[0-9]+:[0-9]+: |\bSyntaxError\b|\bfatal error: |^\S+:[0-9]+:[0-9]+: error: |\bcannot find (?:value|type|symbol|function|crate)\b|\bdoes not compile\b|\bborrowed value does not live long enough\b", Compiler, Critical),
        (r"\bTraceback \(most recent call last\)|\bpanicked at\b|\bException in thread\b|\bUncaught \w*(?:Error|Exception)|\b[Ss]egmentation fault\b|\bsegfault|\bgoroutine [0-9]+ \[|\bstack overflow\b|\bpanic: |\bcore dumped\b|\bunhandled (?:promise )?(?:rejection|exception)\b|\bNullPointerException\b", Runtime, Critical),
        (r"\bnpm ERR!|\bBUILD FAILED\b|\bmake: \*\*\*|\blinking with `?\w+`? failed|\bcould not compile\b|\bundefined reference to\b|\berror: failed to (?:build|run|compile|resolve|select)|\b[Bb]uild (?:is |keeps )?fail(?:ed|s|ing)\b", BuildFailure, Critical),
        (r"\bclippy::\w+|\beslint\b.*\b(?:error|warning)\b|(?m)^\s*[0-9]+:[0-9]+\s+(?:error|warning)\s|\bwarning: (?:unused|unreachable)|\b\S+\.py:[0-9]+:[0-9]+: [EFWC][0-9]{3}\b", Linter, Warning),
        (r"\b[A-Z]\w*(?:Error|Exception): |\bERROR\b[ :\]]|\bexit(?:ed with)? (?:code|status) [1-9]", Runtime, Critical),
    ]
    .into_iter()
    .map(|(signs, kind, severity)| (fixed(signs), kind, severity))
    .collect()
});

/// How people tell of an error in their own words.
static TOLD: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?ix)\b(?: (?: get | gets | getting | got | see | seeing | throws? | throwing | raises? | gives? | giving | shows? | hit | hitting
            | there(?:'s|\ is) | have | found ) \s+ (?: me\ )? (?: an? | this | the | some | weird | strange | following | same | \s )*
            (?: [\w-]+ \s+ ){0,2} (?: errors? | exceptions? | bugs? | crash(?:es)? | panics? ) \b
          | crash(?:es|ed|ing) | (?: is | are | was ) \s+ (?: broken | failing | crashing )
          | fail(?:s|ed) (?: \s+ (?: with | to | on | when | because | at ) \b )
          | (?: tests? | build | ci | pipeline | job ) \s+ (?: keeps? \s+ )? fail(?:s|ed|ing)?
          | (?: doesn't | does\ not | don't | isn't | not | stopped ) \s+ (?: work | working | compile | compiling | build | start ) \b
          | keeps? \s+ (?: failing | crashing | breaking ) | out \s+ of \s+ memory | memory \s+ leak | deadlocks? )",
    )
});

static FILES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r#"File "([^"\n]+)", line [0-9]+"#,
        r"--> ([^\s:]+):[0-9]+",
        r"\bpanicked at ([^\s:,']+\.rs):[0-9]+",
        r"([\w@./\\-]+\.(?:rs|tsx?|jsx?|mjs|cjs|py|go|java|kt|rb|php|cs|cpp|cc|c|h|hpp|vue|svelte|toml|ya?ml|json|sql))(?::[0-9]+|\([0-9]+,[0-9]+\)|, line [0-9]+)",
        r"\b([\w./\\-]+\.(?:rs|tsx?|jsx?|py|go|java))\b",
    ]
    .into_iter()
    .map(fixed)
    .collect()
});

/// Tells code from prose and looks at both.
pub(super) fn read(text: &str, role: Role) -> Source {
    let (prose, code, tagged) = split(text);
    let has_code = !code.trim().is_empty() || CODE.find_iter(&prose).nth(1).is_some();
    let error = error(text, &prose, role);
    let language = language(text, &prose, tagged);
    Source {
        contains_code: has_code
            || language.is_some()
            || error.as_ref().is_some_and(|error| error.kind.is_some())
            || talks_of_code(&prose),
        has_code,
        language,
        error,
        prose,
    }
}

/// Prose, the code in fences, and the language that the first fence names.
fn split(text: &str) -> (String, String, Option<&'static str>) {
    let (mut prose, mut code) = (String::new(), String::new());
    let mut tagged = None;
    let mut in_fence = false;
    for line in text.lines() {
        let trimmed = line.trim_start();
        if let Some(tag) = trimmed
            .strip_prefix("```")
            .or_else(|| trimmed.strip_prefix("~~~"))
        {
            in_fence = !in_fence;
            if in_fence {
                tagged = tagged.or_else(|| of_tag(tag));
            }
            continue;
        }
        let part = if in_fence { &mut code } else { &mut prose };
        part.push_str(line);
        part.push('\n');
    }
    (prose, code, tagged)
}

fn of_tag(tag: &str) -> Option<&'static str> {
    let tag = tag
        .trim_start()
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    Some(match tag.to_lowercase().as_str() {
        "rust" | "rs" => "rust",
        "typescript" | "ts" | "tsx" => "typescript",
        "javascript" | "js" | "jsx" | "mjs" => "javascript",
        "python" | "py" | "python3" => "python",
        "go" | "golang" => "go",
        "java" => "java",
        _ => return None,
    })
}

/// The language with the most signs. A fence that names one settles it.
fn language(text: &str, prose: &str, tagged: Option<&'static str>) -> Option<&'static str> {
    if tagged.is_some() {
        return tagged;
    }
    let mut signs = [0_usize; LANGUAGES.len()];
    for (at, syntax) in SYNTAX.iter() {
        signs[*at] += syntax.find_iter(text).take(20).count();
    }
    // One sign may be chance; a name is none.
    for count in &mut signs {
        *count = if *count < 2 { 0 } else { *count };
    }
    // What only TypeScript has outweighs what it shares with JavaScript.
    if signs[1] > 0 {
        signs[1] += signs[2];
    }
    for at in &NAMED.matches(prose) {
        signs[at] += 3;
    }
    let most = signs.iter().copied().max().filter(|most| *most > 0)?;
    let at = signs.iter().position(|count| *count == most)?;
    Some(LANGUAGES[at])
}

fn talks_of_code(prose: &str) -> bool {
    TALK.is_match(prose)
        || prose
            .split(|c: char| !(c.is_alphanumeric() || matches!(c, '+' | '#' | '-' | '.')))
            .any(|word| lexicon::is_technical(word.trim_end_matches('.').to_lowercase().as_str()))
}

fn error(text: &str, prose: &str, role: Role) -> Option<ReportedError> {
    let shown = ERRORS.iter().find(|(signs, ..)| signs.is_match(text));
    // An assistant who speaks of errors reports none.
    let (kind, severity) = match shown {
        Some((_, kind, severity)) => (Some(*kind), *severity),
        None if role == Role::User && TOLD.is_match(prose) => (told_kind(prose), Severity::Warning),
        None => return None,
    };
    Some(ReportedError {
        kind,
        severity: Some(severity),
        file: file(text),
    })
}

fn told_kind(prose: &str) -> Option<ErrorKind> {
    let prose = prose.to_lowercase();
    let speaks_of = |words: &[&str]| words.iter().any(|word| prose.contains(word));
    if speaks_of(&["type error"]) {
        Some(ErrorKind::TypeError)
    } else if speaks_of(&["test"]) && speaks_of(&["fail"]) {
        Some(ErrorKind::TestFailure)
    } else if speaks_of(&["compile"]) {
        Some(ErrorKind::Compiler)
    } else if speaks_of(&["build", "pipeline"]) && speaks_of(&["fail", "broken"]) {
        Some(ErrorKind::BuildFailure)
    } else if speaks_of(&["crash", "panic", "exception"]) {
        Some(ErrorKind::Runtime)
    } else {
        None
    }
}

/// The file that the error is in. A Python traceback names the place last, every other output first.
fn file(text: &str) -> Option<String> {
    let (traceback, others) = FILES.split_first()?;
    let last = traceback.captures_iter(text).last();
    let found = last.or_else(|| others.iter().find_map(|pattern| pattern.captures(text)))?;
    Some(found[1].chars().take(MAX_FILE_CHARS).collect())
}
