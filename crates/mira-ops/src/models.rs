//! Which models do the work.

use std::sync::Arc;

use mira_llm::chat::ChatModel;

use crate::Error;
use crate::operation::ModelRole;

/// The models of the two roles.
#[derive(Debug, Clone)]
pub struct Models {
    /// Converses, plans, decides.
    pub reasoner: Binding,
    /// Writes code.
    pub coder: Binding,
}

/// What is bound to a role.
#[derive(Debug, Clone)]
pub enum Binding {
    Model(Arc<dyn ChatModel>),
    /// Nothing, until this variable is set.
    Missing {
        variable: String,
    },
}

impl Models {
    /// The model of a role, or an error that says what to set.
    pub(crate) fn get(&self, role: ModelRole) -> Result<&Arc<dyn ChatModel>, Error> {
        let binding = match role {
            ModelRole::Reasoner => &self.reasoner,
            ModelRole::Coder => &self.coder,
        };
        match binding {
            Binding::Model(model) => Ok(model),
            Binding::Missing { variable } => Err(Error::ModelNotConfigured {
                role,
                variable: variable.clone(),
            }),
        }
    }
}
