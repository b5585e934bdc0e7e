//! Delivery matching: which push answers which send, and what is lost, doubled or out of order.
//!
//! What ties a push to its send is the protocol's to say, for each kind of push:
//!
//! - **The marker** ([`FanOuts`]): a message carries its [`Correlation`] in its text, so each push names the send it belongs
//!   to. It is expected from the send on, once per recipient whose socket was open then. Where everybody in a room gets it,
//!   or everybody at all, those that come in after the send may get it, too.
//! - **A value that the answer names** ([`Kept`]), as a placement's id: it is expected from that answer on; a push that
//!   arrives before the answer is kept until then.
//! - **The receiving player** ([`ByPlayer`]): a push belongs to its player's oldest send of which nothing has come.
//!
//! Only what is final is a receipt: pushes that tell of progress are no copies of the one that is awaited.
//!
//! An entry stays until its time-out and a grace even when complete: a second copy is a duplicate, not a surprise. What
//! comes after the time-out, but within the grace, is late: a slow backend is not one that loses. What is missing at
//! the end of the grace is lost. Out of order means: to this recipient a later send of the same sender was received
//! first; pairs are remembered for one to two such spans, longer than any push is awaited.
//!
//! The first and the last of a fan-out are known when it is complete: receipts need not be matched in the order of
//! their instants, since those of another worker's players take their time. Of one that stays incomplete the first
//! is known at the end of the grace, and there is no last.

pub mod by_player;
pub mod correlation;
pub mod deliveries;
pub mod fan_outs;
pub mod kept;
pub mod lost;
#[cfg(test)]
mod model_tests;
pub mod presence;
pub mod receipt;
mod receipt_order;
mod recipients;
pub mod relay;
mod requests;
pub mod sent;
pub mod terms;
#[cfg(test)]
mod tests;

pub use by_player::ByPlayer;
pub use correlation::Correlation;
pub use deliveries::Deliveries;
pub use fan_outs::FanOuts;
pub use kept::Kept;
pub use lost::{Expired, GivenUp, Lost, Missing};
pub use receipt::{Receipt, ReceivedPush};
pub use sent::{Addressees, Sent};
pub use terms::Terms;
