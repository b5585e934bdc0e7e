//! What the backend does for what players do.
//!
//! The work of each operation and each push (invocations, reads, writes) is what the protocol says of its backend; that of a
//! connection is the reference backend's, as `reference-backend/template.yaml` deploys it. Failures and retries are not in it.

use std::ops::AddAssign;

use prices::Item;
use protocol::outline;

use super::assumptions::{AROUND, BATCH, BATCHES_PER_SECOND, EVENTUAL_READ};
use super::counts::Counts;
use crate::plan::auth::AuthMode;
use crate::plan::operation::{Operation, What};
use crate::plan::{Plan, PlannedOperation};

/// What the backend does.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Work {
    /// Lambda invocations.
    pub invocations: f64,
    /// Read units: a consistent read of an item (of at most 4 KB, as all are) is one, an eventually consistent one half.
    pub reads: f64,
    /// Write units, indexes included.
    pub writes: f64,
    /// SNS publishes.
    pub publishes: f64,
    /// Whether something is done of which the protocol does not say what it asks of the backend: then none of this is known.
    pub undeclared: bool,
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.invocations += other.invocations;
        self.reads += other.reads;
        self.writes += other.writes;
        self.publishes += other.publishes;
        self.undeclared |= other.undeclared;
    }
}

impl Work {
    /// Of everything that happens.
    #[must_use]
    pub fn of(plan: &Plan, counts: &Counts) -> Self {
        // Asked with each handshake and each REST request; a signature is proven by the gateway itself.
        let authorizer = if plan.auth.mode == AuthMode::SigV4 { 0.0 } else { 1.0 };
        // A record of the connection, in table and index, which is found through the index when it ends.
        let come = Self { invocations: 1.0, writes: 2.0, ..Self::default() };
        let leave = Self { invocations: 1.0, reads: EVENTUAL_READ, writes: 2.0, ..Self::default() };
        let call = Self { invocations: 1.0, ..Self::default() };
        let mut work = call.times(authorizer * (counts.handshakes + counts.rest_requests));
        work += come.times(counts.sockets);
        work += leave.times(counts.sockets);
        // Somebody has to read it.
        work += call.times(counts.heartbeats);
        for &(operation, count) in &counts.requests {
            work += Self::of_requests(plan, plan.operation(operation), count, counts.seconds);
        }
        for &(kind, count) in &counts.pushes {
            let push = &plan.pushes[kind.index()];
            let item = push.operation.map_or(AROUND, |operation| item_bytes(plan, plan.operation(operation)));
            work += Self::told(plan.protocol.outline().pushes[push.push].work, item, count, counts.seconds);
        }
        work
    }

    fn of_requests(plan: &Plan, planned: &PlannedOperation, count: f64, seconds: f64) -> Self {
        let outline = plan.protocol.outline();
        match planned.what {
            What::Ready => {
                let sent = outline.opening.iter().filter(|step| step.sends).count();
                Self { invocations: sent as f64 * count, ..Self::default() }
            }
            What::Request(number) | What::Poll(number) => {
                let Some(operation) = outline.operations.get(number) else { return Self::default() };
                let silent = |work: &outline::Work| *work == outline::Work::default();
                let push = operation.push.and_then(|push| outline.pushes.get(push));
                let undeclared =
                    count > 0.0 && silent(&operation.work) && push.is_none_or(|push| silent(&push.work));
                let told = Self::told(operation.work, item_bytes(plan, planned), count, seconds);
                Self { undeclared, ..told }
            }
            What::Connect | What::Journey(_) => Self::default(),
        }
    }

    /// What the protocol says of its backend, so often; items that are written have so many bytes.
    fn told(work: outline::Work, item: f64, count: f64, seconds: f64) -> Self {
        let records = work.stream_records * count;
        let batches = (records / BATCH).max(BATCHES_PER_SECOND * seconds);
        Self {
            invocations: work.invocations * count + records.min(batches),
            reads: work.reads * count,
            writes: work.writes * Item::write_units(item.ceil() as u64) as f64 * count,
            publishes: work.publishes * count,
            undeclared: false,
        }
    }

    fn times(self, count: f64) -> Self {
        Self {
            invocations: self.invocations * count,
            reads: self.reads * count,
            writes: self.writes * count,
            publishes: self.publishes * count,
            undeclared: self.undeclared,
        }
    }
}

/// Bytes of an item that is written for an operation: its text, two ids and what is around them.
fn item_bytes(plan: &Plan, planned: &PlannedOperation) -> f64 {
    AROUND + 2.0 * id_bytes(plan) + f64::from(planned.size)
}

/// Bytes of a player's id: the last players' numbers have the most digits.
pub(crate) fn id_bytes(plan: &Plan) -> f64 {
    plan.player_id(plan.players.saturating_sub(1)).len() as f64
}

/// The operations that ask for an outcome: it is pushed to whoever asked, or polled.
pub(crate) fn asks_for_an_outcome(plan: &Plan, operation: Operation) -> bool {
    let outline = plan.protocol.outline();
    match plan.operation(operation).what {
        What::Poll(_) => true,
        What::Request(number) => {
            let push =
                outline.operations.get(number).and_then(|operation| outline.pushes.get(operation.push?));
            push.is_some_and(|push| push.to == outline::Audience::Sender)
        }
        What::Connect | What::Ready | What::Journey(_) => false,
    }
}
