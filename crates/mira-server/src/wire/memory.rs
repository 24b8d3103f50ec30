//! What is remembered as types of the wire.

use mira_memory::analysis::{Analysis, ErrorKind, Severity};
use mira_memory::fact::{Category, Ending, Fact};
use mira_memory::pattern::{Pattern, PatternKind};
use mira_memory::profile::{Depth, Profanity, Profile, Style, Verbosity};
use mira_memory::recall::{Hit, Score};
use mira_memory::stats::Stats;
use mira_memory::summary::{Kind, Summary};
use mira_memory::{Message, Role};
use mira_ops::Behind;
use mira_proto::native;
use mira_store::Timestamp;
use mira_store::vector::Head;

use super::artifact_summary;

/// A message with what was found out about it and what made it.
pub(crate) fn message(
    message: Message,
    analysis: Option<&Analysis>,
    behind: Option<&Behind>,
) -> native::Message {
    let artifacts: Option<Vec<_>> = behind.map(|behind| {
        let artifacts = behind.artifacts.iter();
        artifacts
            .map(|artifact| artifact_summary(&artifact.summary))
            .collect()
    });
    native::Message {
        message_id: message.id.to_string(),
        session_id: message.session.to_string(),
        role: match message.role {
            Role::User => native::Role::User,
            Role::Assistant => native::Role::Assistant,
            Role::System => native::Role::Other("system".to_owned()),
        },
        content: message.content,
        time_ms: message.time.ms(),
        project_id: message.project.map(|project| project.to_string()),
        operation_id: behind.map(|behind| behind.operation.to_string()),
        artifacts: artifacts.filter(|artifacts| !artifacts.is_empty()),
        speaker: message.speaker,
        tags: Some(message.tags).filter(|tags| !tags.is_empty()),
        pinned: message.pinned.then_some(true),
        salience: analysis.map(|analysis| rounded(analysis.salience)),
        topics: analysis.map(|analysis| analysis.topics.clone()),
        mood: analysis.and_then(|analysis| analysis.mood.clone()),
        intent: analysis.and_then(|analysis| analysis.intent.clone()),
        summary: analysis.and_then(|analysis| analysis.summary.clone()),
        contains_code: analysis.map(|analysis| analysis.contains_code),
        programming_lang: analysis.and_then(|analysis| analysis.programming_language.clone()),
    }
}

pub(crate) fn hit(hit: Hit, behind: Option<&Behind>) -> native::MemoryHit {
    native::MemoryHit {
        message: message(hit.message, hit.analysis.as_ref(), behind),
        analysis: hit.analysis.map(analysis),
        score: rounded(hit.score.total().into()),
        score_parts: score(&hit.score),
    }
}

fn score(score: &Score) -> native::ScoreParts {
    let part = |part: f32| rounded(part.into());
    native::ScoreParts {
        meaning: part(score.meaning),
        words: part(score.words),
        window: part(score.window),
        fact: part(score.fact),
        summary: part(score.summary),
        answer: part(score.answer),
        neighbours: part(score.neighbours),
        conversation: part(score.conversation),
        speaker: part(score.speaker),
        role: part(score.role),
        salience: part(score.salience),
        recency: part(score.recency),
        repetition: part(score.repetition),
    }
}

/// Four places after the point say all that a score means.
pub(crate) fn rounded(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}

fn analysis(analysis: Analysis) -> native::Analysis {
    native::Analysis {
        original_salience: rounded(analysis.original_salience),
        intensity: analysis.intensity.map(rounded),
        relationship_impact: analysis.relationship_impact,
        error: analysis.error.map(|error| native::ReportedError {
            kind: error.kind.map(ErrorKind::as_str).map(str::to_owned),
            severity: error.severity.map(Severity::as_str).map(str::to_owned),
            file: error.file,
        }),
        heads: analysis.heads.into_iter().map(head).collect(),
        analyser: analysis.analyser,
        analysed_ms: analysis.analysed.ms(),
        recall_count: analysis.recall_count,
        last_recalled_ms: analysis.last_recalled.map(Timestamp::ms),
    }
}

fn head(head: Head) -> native::MemoryHead {
    match head {
        Head::Semantic => native::MemoryHead::Semantic,
        Head::Code => native::MemoryHead::Code,
        Head::Summary => native::MemoryHead::Summary,
        Head::Documents => native::MemoryHead::Documents,
        Head::Relationship => native::MemoryHead::Relationship,
    }
}

pub(crate) fn summary(summary: Summary) -> native::Summary {
    native::Summary {
        summary_id: summary.id.to_string(),
        session_id: summary.session.to_string(),
        kind: match summary.kind {
            Kind::Rolling10 => native::SummaryKind::Rolling10,
            Kind::Rolling100 => native::SummaryKind::Rolling100,
            Kind::Snapshot => native::SummaryKind::Snapshot,
        },
        text: summary.text,
        message_count: summary.message_count,
        author: summary.author,
        created_ms: summary.created.ms(),
    }
}

pub(crate) fn fact(fact: Fact) -> native::Fact {
    native::Fact {
        fact_id: fact.id.to_string(),
        user: fact.user,
        project_id: fact.project.map(|project| project.to_string()),
        subject: fact.subject,
        key: fact.key,
        value: fact.value,
        category: match fact.category {
            Category::Personal => native::FactCategory::Personal,
            Category::Professional => native::FactCategory::Professional,
            Category::Technical => native::FactCategory::Technical,
            Category::Preference => native::FactCategory::Preference,
            Category::Biographical => native::FactCategory::Biographical,
        },
        confidence: rounded(fact.confidence),
        context: fact.context,
        source_message_id: fact.source.map(|message| message.to_string()),
        valid_from_ms: fact.valid_from.ms(),
        valid_to_ms: fact.end.map(|end| end.valid_to.ms()),
        ended: fact.end.map(|end| match end.how {
            Ending::Superseded => native::FactEnding::Superseded,
            Ending::Refined => native::FactEnding::Refined,
            Ending::Retracted => native::FactEnding::Retracted,
        }),
        ended_ms: fact.end.map(|end| end.learned.ms()),
        recorded_ms: fact.recorded.ms(),
        retracted_ms: fact.retracted.map(Timestamp::ms),
        replaced_by: fact.replaced_by.map(|fact| fact.to_string()),
        confirmations: u32::try_from(fact.confirmations.len()).unwrap_or(u32::MAX),
        last_confirmed_ms: fact.confirmations.last().map(|last| last.at.ms()),
        tentative: fact.tentative,
        pinned: fact.pinned,
    }
}

pub(crate) fn profile(profile: Profile) -> native::Profile {
    native::Profile {
        user: profile.user,
        preferred_languages: profile.preferred_languages,
        coding_style: profile.coding_style,
        code_verbosity: profile.code_verbosity.map(|verbosity| match verbosity {
            Verbosity::Minimal => native::CodeVerbosity::Minimal,
            Verbosity::Moderate => native::CodeVerbosity::Moderate,
            Verbosity::Verbose => native::CodeVerbosity::Verbose,
        }),
        testing_philosophy: profile.testing_philosophy,
        architecture_preferences: profile.architecture_preferences,
        explanation_depth: profile.explanation_depth.map(|depth| match depth {
            Depth::Concise => native::ExplanationDepth::Concise,
            Depth::Moderate => native::ExplanationDepth::Moderate,
            Depth::Detailed => native::ExplanationDepth::Detailed,
        }),
        conversation_style: profile.conversation_style.map(|style| match style {
            Style::Casual => native::ConversationStyle::Casual,
            Style::Professional => native::ConversationStyle::Professional,
            Style::Technical => native::ConversationStyle::Technical,
        }),
        profanity_comfort: profile.profanity_comfort.map(|comfort| match comfort {
            Profanity::None => native::ProfanityComfort::None,
            Profanity::Mild => native::ProfanityComfort::Mild,
            Profanity::Comfortable => native::ProfanityComfort::Comfortable,
        }),
        tech_stack: profile.tech_stack,
        learning_goals: profile.learning_goals,
        updated_ms: profile.updated.ms(),
    }
}

pub(crate) fn pattern(pattern: Pattern) -> native::Pattern {
    native::Pattern {
        deprecated: pattern.is_deprecated(),
        pattern_id: pattern.id.to_string(),
        kind: match pattern.kind {
            PatternKind::CodingStyle => native::PatternKind::CodingStyle,
            PatternKind::WorkPattern => native::PatternKind::WorkPattern,
            PatternKind::Communication => native::PatternKind::Communication,
            PatternKind::Preference => native::PatternKind::Preference,
            PatternKind::TopicInterest => native::PatternKind::TopicInterest,
            PatternKind::ProblemSolving => native::PatternKind::ProblemSolving,
        },
        name: pattern.name,
        description: pattern.description,
        examples: pattern.examples.iter().map(ToString::to_string).collect(),
        confidence: rounded(pattern.confidence),
        applies_when: pattern.applies_when,
        observations: pattern.observations,
        applications: pattern.applications,
        first_observed_ms: pattern.first_observed.ms(),
        last_observed_ms: pattern.last_observed.ms(),
    }
}

pub(crate) fn stats(stats: Stats) -> native::MemoryGetStatsResult {
    let by_name = |(name, count): (&str, u64)| (name.to_owned(), count);
    native::MemoryGetStatsResult {
        sessions: stats.sessions,
        messages: stats.messages.values().sum(),
        messages_by_role: stats
            .messages
            .into_iter()
            .map(|(role, count)| by_name((role.as_str(), count)))
            .collect(),
        analysed: stats.analysed,
        pinned: stats.pinned,
        oldest_ms: stats.oldest.map(Timestamp::ms),
        newest_ms: stats.newest.map(Timestamp::ms),
        vectors: stats
            .embedded
            .into_iter()
            .map(|(head, count)| by_name((head.as_str(), count)))
            .collect(),
        summaries: stats
            .summaries
            .into_iter()
            .map(|(kind, count)| by_name((kind.as_str(), count)))
            .collect(),
        current_facts: stats.current_facts,
        other_facts: stats.other_facts,
        patterns: stats.patterns,
        waiting_for_analysis: stats.analysis_backlog.waiting,
        waiting_for_embedding: stats.embedding_backlog.waiting,
        database_bytes: stats.database_bytes,
    }
}

/// What of memory a part of a request was made of.
pub(crate) fn source(source: &mira_ops::operation::ContextSource) -> native::ContextSource {
    native::ContextSource {
        kind: native::ContextSourceKind::from(source.kind.as_str()),
        id: source.id.clone(),
        score: source.score.map(rounded),
        why: source.why.clone(),
    }
}
