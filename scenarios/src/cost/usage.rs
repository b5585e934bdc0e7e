//! From counts to the usage that AWS bills, and its bill.

use std::collections::BTreeSet;

use prices::{Basis, Bill, Item, Usage};

use super::assumptions::{
    BATCHES_PER_SECOND, FUNCTIONS_OF_A_CONNECTION, INIT_SECONDS, INVOCATION_SECONDS, LOGGED_BYTES, MEMORY_GB,
    SERIES_PER_FUNCTION, STREAMS,
};
use super::counts::{Achieved, Counts};
use super::work::{Work, asks_for_an_outcome};
use crate::plan::Plan;
use crate::plan::operation::{Operation, What};

/// What is billed of what happens; `basis` is how the counts are known. What the backend does is estimated, and is not known where
/// the protocol does not say it.
#[must_use]
pub fn usage(plan: &Plan, counts: &Counts, basis: Basis) -> Usage {
    let usage = Usage::default()
        .with(Item::ConnectionMinutes, counts.connection_minutes, basis)
        .with(Item::WebsocketMessages, counts.messages, basis)
        .with(Item::RestRequests, counts.rest_requests, basis)
        .with(Item::LogsScannedGb, 0.0, basis)
        .with(Item::MetricsRead, counts.metrics_read, basis);
    let Work { invocations, reads, writes, publishes, undeclared } = Work::of(plan, counts);
    if undeclared {
        return usage;
    }
    // As many environments as run at once on average, and one of each function that is used at all.
    let at_once = (invocations * INVOCATION_SECONDS / counts.seconds.max(1.0)).ceil();
    let environments = if invocations > 0.0 { at_once.max(functions(plan) as f64) } else { 0.0 };
    let stream_reads = STREAMS * BATCHES_PER_SECOND * counts.seconds;
    usage
        .with(Item::LambdaRequests, invocations, Basis::Estimated)
        .with(Item::LambdaGbSeconds, invocations * INVOCATION_SECONDS * MEMORY_GB, Basis::Estimated)
        .with(Item::LambdaInitGbSeconds, environments * INIT_SECONDS * MEMORY_GB, Basis::Estimated)
        .with(Item::DynamodbWriteUnits, writes, Basis::Estimated)
        .with(Item::DynamodbReadUnits, reads, Basis::Estimated)
        .with(Item::StreamReads, stream_reads, Basis::Estimated)
        .with(Item::SnsPublishes, publishes, Basis::Estimated)
        .with(Item::LogsIngestedGb, Item::gigabytes(invocations * LOGGED_BYTES), Basis::Estimated)
}

/// The bill at the plan's prices, divided by what is achieved.
#[must_use]
pub fn bill(plan: &Plan, usage: &Usage, achieved: &Achieved) -> Bill {
    let mut bill = Bill::of(usage, &plan.prices);
    for (operation, count) in &achieved.outcomes {
        bill.divide(operation, 1e3, *count);
    }
    bill.divide("deliveries", 1e6, achieved.deliveries);
    bill
}

impl Achieved {
    /// Of completed requests and received pushes.
    #[must_use]
    pub fn of(plan: &Plan, completed: &[(Operation, f64)], deliveries: f64) -> Self {
        let outcomes = completed.iter().filter(|(operation, _)| asks_for_an_outcome(plan, *operation));
        let outcomes = outcomes.map(|(operation, count)| (plan.name(*operation).to_owned(), *count));
        Self { outcomes: outcomes.collect(), deliveries }
    }
}

impl Counts {
    /// How many metrics one reading of CloudWatch asks for; none where the plan does not read it.
    #[must_use]
    pub fn metrics_read_by(plan: &Plan) -> f64 {
        let Some(wanted) = &plan.cloudwatch else { return 0.0 };
        let functions = if wanted.functions.is_empty() { functions(plan) } else { wanted.functions.len() };
        functions as f64 * SERIES_PER_FUNCTION
    }
}

/// How many functions do the work of the plan's operations, and of connections.
fn functions(plan: &Plan) -> usize {
    let outline = plan.protocol.outline();
    let numbers = plan.operations.iter().filter_map(|planned| match planned.what {
        What::Request(number) | What::Poll(number) => outline.operations.get(number),
        What::Connect | What::Ready | What::Journey(_) => None,
    });
    let named: BTreeSet<_> = numbers.flat_map(|operation| &operation.resources.functions).collect();
    FUNCTIONS_OF_A_CONNECTION + named.len()
}
