//! What is agreed about pushes of one kind: what ties them to their sends, how long they are awaited.

use std::sync::Arc;

use protocol::outline::Tie;
use scenarios::Plan;
use scenarios::plan::PlannedPush;
use scenarios::plan::operation::{Kind, Operation};

use crate::clock::{Micros, micros};

/// What is agreed about pushes of one kind.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The kind.
    pub kind: Kind,
    /// Its name.
    pub name: Arc<str>,
    /// The operation that leads to it, if the plan has it.
    pub operation: Option<Operation>,
    /// What ties a push to its send.
    pub tie: Tie,
    /// Whether the sender gets it too, where it goes to several.
    pub sender: bool,
    /// How long after its send it is late.
    pub timeout: Micros,
    /// How long after its send it is lost: time-out and grace together.
    pub patience: Micros,
}

impl Terms {
    /// Of every kind of a plan, in the order of their numbers.
    #[must_use]
    pub fn of(plan: &Plan) -> Vec<Self> {
        let of = |(kind, push): (Kind, &PlannedPush)| {
            let pushed = &plan.protocol.outline().pushes[push.push];
            Self {
                kind,
                name: Arc::clone(&push.name),
                operation: push.operation,
                tie: pushed.tie,
                sender: pushed.sender,
                timeout: micros(push.timeout),
                patience: micros(push.timeout + plan.grace),
            }
        };
        plan.kinds().map(of).collect()
    }

    /// Whether a push comes after its time-out.
    pub(super) const fn is_late(&self, sent: Micros, now: Micros) -> bool {
        now >= sent.saturating_add(self.timeout)
    }

    /// Whether a push that has not come is lost.
    pub(super) const fn is_over(&self, sent: Micros, now: Micros) -> bool {
        now >= sent.saturating_add(self.patience)
    }
}
