//! The reference protocol's operations and pushes, as long as protocols are not read from files: the one place that knows
//! their names.

use crate::plan::operation::{Kind, Operation};

/// `sendMessage`.
pub(crate) const SEND_MESSAGE: usize = 0;
/// `sessionPlacementRequest`.
pub(crate) const PLACEMENT_REQUEST: usize = 1;
/// A route that the backend does not know.
pub(crate) const UNKNOWN_ROUTE: usize = 2;
/// The polling way.
pub(crate) const PLACEMENT_POLL: usize = 3;
/// The operations' names.
pub(crate) const OPERATIONS: [&str; 4] =
    ["send_message", "placement_request", "unknown_route", "placement_poll"];
/// The pushes' names, each with the operation that leads to it.
pub(crate) const PUSHES: [(&str, usize); 2] = [("message", SEND_MESSAGE), ("placement", PLACEMENT_REQUEST)];

/// A plan's numbers of the reference protocol's operations, for what still knows its messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reference {
    /// `sendMessage`.
    pub send_message: Option<Operation>,
    /// `sessionPlacementRequest`.
    pub placement_request: Option<Operation>,
    /// A route that the backend does not know.
    pub unknown_route: Option<Operation>,
    /// The polling way.
    pub placement_poll: Option<Operation>,
}

impl Reference {
    /// A message that was pushed.
    pub const MESSAGE: Kind = Kind::of(0);
    /// A placement that was pushed.
    pub const PLACEMENT: Kind = Kind::of(1);
}
