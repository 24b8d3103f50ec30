//! What is known of a user: facts, profile, habits.

use std::collections::HashMap;

use mira_memory::fact::{Category, Facts};
use mira_memory::relationship::{ProfileChanges, Statement};
use mira_memory::session::DEFAULT_USER;
use mira_ops::Sources;
use mira_proto::error::ErrorCode;
use mira_proto::native::{
    self, FactChangeParams, FactRef, FactResult, FactsAddParams, FactsCorrectParams, FactsExplainResult,
    FactsForgetParams, FactsForgetResult, FactsListParams, FactsListResult, PatternsListResult,
    ProfileGetResult, ProfileResult, ProfileSetParams, UserRef,
};
use mira_store::{FactId, Timestamp};

use super::{Mira, id, next_cursor, optional_id, page_size};
use crate::fault::Fault;
use crate::wire;

impl Mira {
    pub(crate) async fn facts_list(&self, params: FactsListParams) -> Result<FactsListResult, Fault> {
        let size = page_size(params.limit);
        let asked = Facts {
            project: self.known_project(params.project_id.as_deref()).await?,
            subject: params.subject,
            key: params.key,
            category: params.category.as_ref().map(category).transpose()?,
            as_of: params.as_of_ms.map(Timestamp::from_ms),
            known_at: params.known_at_ms.map(Timestamp::from_ms),
            include_ended: params.include_ended.unwrap_or(false),
            after: optional_id(params.cursor.as_deref(), "cursor")?,
            limit: size,
            ..Facts::of(user(params.user))
        };
        let page = self.memory.facts(&asked).await?;
        Ok(FactsListResult {
            next_cursor: next_cursor(&page, size, |fact| fact.id.to_string()),
            facts: page.into_iter().map(wire::fact).collect(),
        })
    }

    pub(crate) async fn facts_add(&self, params: FactsAddParams) -> Result<FactResult, Fault> {
        let confidence = params.confidence.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&confidence) {
            return Err(Fault::new(
                ErrorCode::InvalidParams,
                format!("a confidence is a number from 0 to 1, not {confidence}"),
            )
            .field("confidence"));
        }
        let project = self.known_project(params.project_id.as_deref()).await?;
        let statement = Statement {
            subject: params.subject.unwrap_or_else(|| "user".to_owned()),
            key: params.key,
            value: params.value,
            category: params
                .category
                .as_ref()
                .map_or(Ok(Category::Personal), category)?,
            confidence,
            retracted: false,
            context: params.context,
            since: params.since_ms.map(|since| Timestamp::from_ms(since).to_string()),
        };
        let added = self
            .memory
            .add_fact(&user(params.user), project, &statement)
            .await?;
        // Only a retraction leaves none.
        added
            .map(result)
            .ok_or_else(|| Fault::new(ErrorCode::InvalidParams, "nothing can be kept of this").field("value"))
    }

    pub(crate) async fn facts_correct(&self, params: FactsCorrectParams) -> Result<FactResult, Fault> {
        let fact = self.known_fact(&params.fact_id).await?;
        let corrected = self.memory.correct_fact(fact, &params.value).await?;
        corrected.map(result).ok_or_else(|| {
            Fault::new(
                ErrorCode::Conflict,
                "this fact was found never to have been true already",
            )
            .field("fact_id")
            .hint("facts.explain shows what took its place")
        })
    }

    pub(crate) async fn facts_pin(&self, params: FactChangeParams) -> Result<FactResult, Fault> {
        let fact = self.known_fact(&params.fact_id).await?;
        self.memory.pin_fact(fact).await?;
        self.fact(fact).await
    }

    pub(crate) async fn facts_unpin(&self, params: FactChangeParams) -> Result<FactResult, Fault> {
        let fact = self.known_fact(&params.fact_id).await?;
        self.memory.unpin_fact(fact).await?;
        self.fact(fact).await
    }

    pub(crate) async fn facts_forget(&self, params: FactsForgetParams) -> Result<FactsForgetResult, Fault> {
        let fact = self.known_fact(&params.fact_id).await?;
        let sources = if params.erase_sources.unwrap_or(false) {
            Sources::Erase
        } else {
            Sources::Keep
        };
        let forgotten = self.operations.forget_fact(fact, sources).await?;
        Ok(FactsForgetResult {
            forgotten: wire::size(forgotten.facts.len()),
            messages: forgotten.messages,
        })
    }

    pub(crate) async fn facts_explain(&self, params: FactRef) -> Result<FactsExplainResult, Fault> {
        let fact: FactId = id(&params.fact_id, "fact_id")?;
        let history = self.memory.explain_fact(fact).await?;
        let history = history.ok_or_else(|| unknown_fact(fact))?;
        let source = history.source.into_iter().collect();
        Ok(FactsExplainResult {
            fact: wire::fact(history.fact),
            predecessors: history.predecessors.into_iter().map(wire::fact).collect(),
            successors: history.successors.into_iter().map(wire::fact).collect(),
            source: self.shown(source, &HashMap::new()).await?.pop(),
        })
    }

    /// The fact that a parameter names; there must be one.
    async fn known_fact(&self, named: &str) -> Result<FactId, Fault> {
        let fact: FactId = id(named, "fact_id")?;
        self.fact(fact).await.map(|_| fact)
    }

    async fn fact(&self, fact: FactId) -> Result<FactResult, Fault> {
        let found = self.memory.fact(fact).await?;
        found.map(result).ok_or_else(|| unknown_fact(fact))
    }

    pub(crate) async fn profile_get(&self, params: UserRef) -> Result<ProfileGetResult, Fault> {
        let profile = self.memory.profile(&user(params.user)).await?;
        Ok(ProfileGetResult {
            profile: profile.map(wire::profile),
        })
    }

    pub(crate) async fn profile_set(&self, params: ProfileSetParams) -> Result<ProfileResult, Fault> {
        use native::{CodeVerbosity, ConversationStyle, ExplanationDepth, ProfanityComfort};
        let changes = ProfileChanges {
            code_verbosity: chosen(
                params.code_verbosity.as_ref().map(CodeVerbosity::as_str),
                CodeVerbosity::KNOWN.iter().map(CodeVerbosity::as_str),
                "code_verbosity",
            )?,
            explanation_depth: chosen(
                params.explanation_depth.as_ref().map(ExplanationDepth::as_str),
                ExplanationDepth::KNOWN.iter().map(ExplanationDepth::as_str),
                "explanation_depth",
            )?,
            conversation_style: chosen(
                params.conversation_style.as_ref().map(ConversationStyle::as_str),
                ConversationStyle::KNOWN.iter().map(ConversationStyle::as_str),
                "conversation_style",
            )?,
            profanity_comfort: chosen(
                params.profanity_comfort.as_ref().map(ProfanityComfort::as_str),
                ProfanityComfort::KNOWN.iter().map(ProfanityComfort::as_str),
                "profanity_comfort",
            )?,
            preferred_languages: params.preferred_languages,
            coding_style: params.coding_style,
            testing_philosophy: params.testing_philosophy,
            architecture_preferences: params.architecture_preferences,
            tech_stack: params.tech_stack,
            learning_goals: params.learning_goals,
        };
        let profile = self.memory.set_profile(&user(params.user), &changes).await?;
        Ok(ProfileResult {
            profile: wire::profile(profile),
        })
    }

    pub(crate) async fn patterns_list(&self, params: UserRef) -> Result<PatternsListResult, Fault> {
        let patterns = self.memory.patterns(&user(params.user)).await?;
        Ok(PatternsListResult {
            patterns: patterns.into_iter().map(wire::pattern).collect(),
        })
    }
}

fn user(named: Option<String>) -> String {
    named.unwrap_or_else(|| DEFAULT_USER.to_owned())
}

fn result(fact: mira_memory::fact::Fact) -> FactResult {
    FactResult {
        fact: wire::fact(fact),
    }
}

fn unknown_fact(fact: FactId) -> Fault {
    Fault::not_found("fact", fact, "fact_id").hint("facts.list shows those there are")
}

fn category(asked: &native::FactCategory) -> Result<Category, Fault> {
    Category::parse(asked.as_str()).ok_or_else(|| {
        let known: Vec<&str> = Category::ALL.iter().map(|category| category.as_str()).collect();
        not_among(asked.as_str(), &known, "category")
    })
}

/// One of the known names, or an empty one, which clears the field.
fn chosen<'a>(
    asked: Option<&str>,
    known: impl Iterator<Item = &'a str>,
    field: &str,
) -> Result<Option<String>, Fault> {
    let known: Vec<&str> = known.collect();
    match asked {
        Some(asked) if !asked.is_empty() && !known.contains(&asked) => Err(not_among(asked, &known, field)),
        asked => Ok(asked.map(str::to_owned)),
    }
}

fn not_among(asked: &str, known: &[&str], field: &str) -> Fault {
    Fault::new(
        ErrorCode::InvalidParams,
        format!("{field} is one of {}, not {asked:?}", known.join(", ")),
    )
    .field(field)
}
