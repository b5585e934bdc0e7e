//! The numbers of the reference protocol's operations in a plan, for what still knows its messages: everything that speaks
//! through [`Plan::protocol`](crate::Plan::protocol) does without.

use super::PlannedOperation;
use super::operation::{Kind, Operation};

/// A plan's numbers of the reference protocol's operations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reference {
    /// `sendMessage`.
    pub send_message: Option<Operation>,
    /// `sessionPlacementRequest`.
    pub placement_request: Option<Operation>,
    /// A route that the backend does not know.
    pub unknown_route: Option<Operation>,
}

impl Reference {
    /// A message that was pushed.
    pub const MESSAGE: Kind = Kind::of(0);
    /// A placement that was pushed.
    pub const PLACEMENT: Kind = Kind::of(1);

    pub(crate) fn of(operations: &[PlannedOperation]) -> Self {
        let number = |name: &str| {
            let found = operations.iter().find(|planned| *planned.name == *name);
            found.map(|planned| planned.operation)
        };
        Self {
            send_message: number("send_message"),
            placement_request: number("placement_request"),
            unknown_route: number("unknown_route"),
        }
    }
}
