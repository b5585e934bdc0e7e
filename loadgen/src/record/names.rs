//! The names of a plan's operations and pushes, for what is written for people and goose; events carry numbers.

use std::sync::Arc;

use scenarios::Plan;
use scenarios::plan::operation::{Kind, Operation};

/// The names of a plan's operations and pushes. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Names {
    operations: Arc<[Arc<str>]>,
    pushes: Arc<[Arc<str>]>,
}

impl Names {
    /// Of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self {
            operations: plan.operations.iter().map(|planned| Arc::clone(&planned.name)).collect(),
            pushes: plan.pushes.iter().map(|push| Arc::clone(&push.name)).collect(),
        }
    }

    /// An operation's name.
    #[must_use]
    pub fn operation(&self, operation: Operation) -> &str {
        self.operations.get(operation.index()).map_or("?", |name| name)
    }

    /// A push's name.
    #[must_use]
    pub fn push(&self, kind: Kind) -> &str {
        self.pushes.get(kind.index()).map_or("?", |name| name)
    }
}
