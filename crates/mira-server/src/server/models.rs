//! The models of the roles, made from the configuration.

use std::sync::Arc;

use mira_llm::chat::ChatModel;
use mira_llm::compatible::{ChatCompletions, ChatOptions, Dialect};
use mira_llm::openai::{Responses, ResponsesOptions};
use mira_llm::{Endpoint, Retry, Timeouts};
use mira_ops::{Binding, Models};
use mira_proto::native::{ModelBinding, ModelRole};

use super::StartError;
use crate::config;

/// The models of turns, and what to say of them.
pub(super) fn bind(models: &config::Models) -> Result<(Models, Vec<ModelBinding>), StartError> {
    let config::Models {
        reasoner,
        coder,
        utility: _,
        calls,
    } = models;
    let reasoner_model = bound(&reasoner.endpoint, calls, |endpoint| match reasoner.api {
        config::Api::Responses => {
            let options = ResponsesOptions {
                effort: Some(effort(reasoner.effort)),
                verbosity: Some(verbosity(reasoner.verbosity)),
                reasoning_summary: reasoner.summary,
                ..ResponsesOptions::new(&reasoner.model)
            };
            Ok(Arc::new(Responses::new(endpoint, options)?))
        }
        config::Api::Chat => {
            let options = ChatOptions {
                effort: Some(effort(reasoner.effort)),
                ..ChatOptions::new(&reasoner.model, dialect(&reasoner.endpoint, &reasoner.model))
            };
            Ok(Arc::new(ChatCompletions::new(endpoint, options)?))
        }
    });
    let coder_model = bound(&coder.endpoint, calls, |endpoint| match coder.api {
        config::Api::Responses => {
            let options = ResponsesOptions {
                effort: Some(effort(coder.effort)),
                ..ResponsesOptions::new(&coder.model)
            };
            Ok(Arc::new(Responses::new(endpoint, options)?))
        }
        config::Api::Chat => {
            let options = ChatOptions {
                thinking: Some(coder.thinking),
                effort: coder.thinking.then(|| effort(coder.effort)),
                ..ChatOptions::new(&coder.model, dialect(&coder.endpoint, &coder.model))
            };
            Ok(Arc::new(ChatCompletions::new(endpoint, options)?))
        }
    });
    let models = Models {
        reasoner: reasoner_model.map_err(|source| StartError::Model {
            role: "reasoner",
            source,
        })?,
        coder: coder_model.map_err(|source| StartError::Model {
            role: "coder",
            source,
        })?,
    };
    let about = vec![
        about(ModelRole::Reasoner, &reasoner.model, &models.reasoner),
        about(ModelRole::Coder, &coder.model, &models.coder),
    ];
    Ok((models, about))
}

/// The model that helps memory, where one is asked for.
pub(super) fn utility(models: &config::Models) -> Result<Option<Binding>, StartError> {
    let Some(utility) = &models.utility else {
        return Ok(None);
    };
    let binding = bound(&utility.endpoint, &models.calls, |endpoint| match utility.api {
        config::Api::Responses => {
            let options = ResponsesOptions {
                effort: utility.effort.map(effort),
                ..ResponsesOptions::new(&utility.model)
            };
            Ok(Arc::new(Responses::new(endpoint, options)?))
        }
        config::Api::Chat => {
            let options = ChatOptions {
                effort: utility.effort.map(effort),
                ..ChatOptions::new(&utility.model, dialect(&utility.endpoint, &utility.model))
            };
            Ok(Arc::new(ChatCompletions::new(endpoint, options)?))
        }
    });
    binding.map(Some).map_err(|source| StartError::Model {
        role: "utility",
        source,
    })
}

/// The model behind an endpoint, or what to set first.
fn bound(
    configured: &config::Endpoint,
    calls: &config::Calls,
    model: impl FnOnce(Endpoint) -> Result<Arc<dyn ChatModel>, mira_llm::Error>,
) -> Result<Binding, mira_llm::Error> {
    if let Some(variable) = configured.missing {
        return Ok(Binding::Missing {
            variable: variable.to_owned(),
        });
    }
    model(endpoint(configured, calls)).map(Binding::Model)
}

/// Where a model is reached, and with what patience.
pub(super) fn endpoint(configured: &config::Endpoint, calls: &config::Calls) -> Endpoint {
    let endpoint = Endpoint::new(&configured.base_url)
        .timeouts(Timeouts {
            connect: calls.connect_timeout,
            first_token: calls.first_token_timeout,
            between_chunks: calls.chunk_timeout,
            ..Timeouts::default()
        })
        .retry(Retry {
            attempts: calls.retries + 1,
            base: calls.retry_delay,
            ..Retry::default()
        });
    match &configured.api_key {
        Some(key) => endpoint.api_key(key.clone()),
        None => endpoint,
    }
}

pub(super) fn about(role: ModelRole, name: &str, binding: &Binding) -> ModelBinding {
    match binding {
        Binding::Model(model) => ModelBinding {
            role,
            model: Some(model.model().to_owned()),
            configured: true,
            hint: None,
        },
        Binding::Missing { variable } => ModelBinding {
            role,
            model: Some(name.to_owned()),
            configured: false,
            hint: Some(format!("set {variable} and restart the server")),
        },
    }
}

/// Whose chat completions these are, by the server's name, or for a server that nobody knows by the model's.
fn dialect(endpoint: &config::Endpoint, model: &str) -> Dialect {
    let own_name = model.starts_with("deepseek-") && !model.contains('/');
    if endpoint.base_url.contains("deepseek") || own_name {
        Dialect::DeepSeek
    } else if endpoint.base_url.contains("openai.com") {
        Dialect::OpenAi
    } else {
        Dialect::Generic
    }
}

fn effort(effort: config::Effort) -> mira_llm::Effort {
    match effort {
        config::Effort::Minimal => mira_llm::Effort::Minimal,
        config::Effort::Low => mira_llm::Effort::Low,
        config::Effort::Medium => mira_llm::Effort::Medium,
        config::Effort::High => mira_llm::Effort::High,
        config::Effort::Max => mira_llm::Effort::Max,
    }
}

fn verbosity(verbosity: config::Verbosity) -> mira_llm::openai::Verbosity {
    match verbosity {
        config::Verbosity::Low => mira_llm::openai::Verbosity::Low,
        config::Verbosity::Medium => mira_llm::openai::Verbosity::Medium,
        config::Verbosity::High => mira_llm::openai::Verbosity::High,
    }
}
