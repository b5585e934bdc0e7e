//! Delivery matching: which push answers which send, and what is lost, doubled or out of order.
//!
//! A *message* carries its correlation in its text ([`Correlation`]), so each push names the send it belongs
//! to. It is expected from the send on, once per recipient whose socket was open then. A *placement* is named
//! by the backend in the request's answer, so it is expected from that answer on; a push that arrives before the
//! answer is kept until then.
//!
//! An entry stays until its time-out and a grace even when complete: a second copy is a duplicate, not a surprise. What
//! comes after the time-out, but within the grace, is late: a slow backend is not one that loses. What is missing at
//! the end of the grace is lost. Out of order means: to this recipient a later send of the same sender was received
//! first; pairs are remembered for one to two such spans, longer than any push is awaited.
//!
//! The first and the last of a fan-out are known when it is complete: receipts need not be matched in the order of
//! their instants, since those of another worker's players take their time. Of one that stays incomplete the first
//! is known at the end of the grace, and there is no last.

pub mod correlation;
pub mod deliveries;
pub mod fan_outs;
pub mod kept;
pub mod lost;
pub mod presence;
pub mod receipt;
pub mod relay;
#[cfg(test)]
mod tests;

pub use correlation::Correlation;
pub use deliveries::Deliveries;
pub use fan_outs::Messages;
pub use kept::{PlacementPush, Placements};
pub use lost::{Expired, GivenUp, Lost, Missing};
pub use receipt::Receipt;
