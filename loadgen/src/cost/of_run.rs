//! The bill of a run from what was recorded of it.

use prices::Basis;
use reports::format::{CloudWatch, Cost, CostBasis};
use scenarios::Plan;
use scenarios::cost::{Achieved, Counts, bill, usage};
use scenarios::plan::Target;
use scenarios::plan::operation::Operation;
use scenarios::plan::way::is_loopback;

use super::{convert, server};
use crate::record::{OperationTally, ThreadTally};

/// What was recorded of a run.
pub(crate) struct Recorded<'r> {
    /// Everything that was counted.
    pub(crate) tally: &'r ThreadTally,
    /// Seconds that sockets were open, summed.
    pub(crate) socket_seconds: u64,
    /// How long the run took, in seconds.
    pub(crate) seconds: f64,
    /// CloudWatch's series, where they were fetched.
    pub(crate) cloudwatch: Option<&'r CloudWatch>,
}

/// What a run cost; for a target on this machine: what it would have cost on AWS. Warm-up is in it.
pub(crate) fn of_run(plan: &Plan, recorded: &Recorded<'_>) -> Cost {
    let Recorded { tally, cloudwatch, .. } = *recorded;
    let arrivals = [&tally.measured, &tally.warm_up];
    let each = |count: fn(&OperationTally) -> u64| -> Vec<(Operation, f64)> {
        let operations = plan.operations.iter().map(|planned| planned.operation);
        let total =
            |operation| arrivals.iter().map(|arrivals| count(arrivals.operation(operation))).sum::<u64>();
        operations.map(|operation| (operation, total(operation) as f64)).collect()
    };
    let received = plan.kinds().flat_map(|(kind, _)| arrivals.map(|arrivals| arrivals.delivery(kind)));
    let received = received.map(|delivery| delivery.received + delivery.late).sum::<u64>();
    let counts = counts(plan, recorded, each(|operation| operation.sent));
    let achieved = Achieved::of(plan, &each(|operation| operation.completed), received as f64);
    let mut bill = bill(plan, &usage(plan, &counts, Basis::Counted), &achieved);
    if let Some(fetched) = cloudwatch {
        server::revise(&mut bill, fetched);
    }
    convert::kept(bill, basis(plan))
}

fn counts(plan: &Plan, recorded: &Recorded<'_>, requests: Vec<(Operation, f64)>) -> Counts {
    let Recorded { tally, socket_seconds, seconds, .. } = *recorded;
    let socket_seconds = socket_seconds as f64;
    // Not counted by themselves: each open socket sends one in every interval.
    let heartbeats = plan.heartbeat().filter(|beat| beat.message);
    let heartbeats = heartbeats.map_or(0.0, |beat| socket_seconds / beat.every.as_secs_f64());
    let pushes = plan.kinds().map(|(kind, _)| {
        let due = [&tally.measured, &tally.warm_up].map(|arrivals| arrivals.delivery(kind).due());
        (kind, due.iter().sum::<u64>() as f64)
    });
    Counts {
        connection_minutes: socket_seconds / 60.0,
        messages: (tally.metered.sent + tally.metered.received) as f64,
        rest_requests: tally.metered.rest_requests as f64,
        handshakes: tally.sockets.attempted as f64,
        sockets: tally.sockets.opened as f64,
        heartbeats,
        requests,
        pushes: pushes.collect(),
        seconds,
        metrics_read: 0.0,
    }
}

fn basis(plan: &Plan) -> CostBasis {
    match &plan.target {
        Target::Url(url) if !is_loopback(url) => CostBasis::OnAws,
        Target::Url(_) | Target::Embedded { .. } => CostBasis::AsIfOnAws,
    }
}

#[cfg(test)]
mod tests {
    use reports::format::{CostItem, Known};
    use scenarios::plan::operation::Kind;

    use super::*;

    fn plan(text: &str) -> Plan {
        scenarios::check("c.toml", text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan
    }

    fn item<'c>(cost: &'c Cost, item: &str) -> &'c CostItem {
        cost.items.iter().find(|line| line.item == item).unwrap()
    }

    const TALK: &str = "name = \"c\"\nplayers = 100\nphases = [{ kind = \"hold\", duration = \"10m\" }]\n\
        [operations.send_message]\nrate = 10.0\nfan_out = 2\n[operations.placement_request]\nrate = 1.0\n";

    /// Ten minutes of 100 sockets: 6,000 sends in the measured phases and 1,000 in warm-up, of one unit each, with an
    /// acknowledgement and two pushes; 600 places asked for, 500 of which came.
    fn talk() -> ThreadTally {
        let mut tally = ThreadTally::default();
        let (send, place) = (Operation::of(1), Operation::of(2));
        for (measures, sends) in [(&mut tally.measured, 6_000), (&mut tally.warm_up, 1_000)] {
            measures.operation_mut(send).sent = sends;
            measures.operation_mut(send).completed = sends;
            measures.delivery_mut(Kind::of(0)).expected = 2 * sends;
            measures.delivery_mut(Kind::of(0)).received = 2 * sends;
        }
        tally.measured.operation_mut(place).sent = 600;
        tally.measured.operation_mut(place).completed = 500;
        tally.measured.delivery_mut(Kind::of(1)).expected = 500;
        tally.measured.delivery_mut(Kind::of(1)).received = 500;
        (tally.sockets.attempted, tally.sockets.opened) = (110, 100);
        tally.metered.sent = 7_600;
        tally.metered.received = 7_000 + 14_000 + 600 + 500;
        tally
    }

    #[test]
    fn what_was_counted_is_billed_and_the_backends_work_estimated() {
        let plan = plan(TALK);
        let recorded = Recorded { tally: &talk(), socket_seconds: 60_000, seconds: 600.0, cloudwatch: None };
        let cost = of_run(&plan, &recorded);
        assert_eq!(cost.basis, CostBasis::AsIfOnAws);
        let minutes = item(&cost, "connection_minutes");
        assert_eq!((minutes.quantity, minutes.known), (Some(1_000.0), Known::Counted));
        assert_eq!(item(&cost, "websocket_messages").quantity, Some(29_700.0));
        // Authorizer 110, connect and disconnect 200, a send 7,000, a place 2 x 600; batches: 16 a second and stream, at most
        // one for each of 14,000 and 1,200 records.
        let requests = item(&cost, "lambda_requests");
        assert_eq!(requests.quantity, Some(110.0 + 200.0 + 7_000.0 + 1_200.0 + 9_600.0 + 1_200.0));
        assert_eq!(requests.known, Known::Estimated);
        // Come and go 4 x 100, 14,000 texts in table and index, 600 places written four times.
        assert_eq!(item(&cost, "dynamodb_write_units").quantity, Some(400.0 + 28_000.0 + 2_400.0));
        assert_eq!(item(&cost, "sns_publishes").quantity, Some(600.0));
        assert!(cost.complete);
        let shares: Vec<_> = cost.unit_costs.iter().map(|share| (&*share.what, share.count)).collect();
        assert_eq!(shares, [("placement_request", 500), ("deliveries", 14_500)]);
        assert!((cost.unit_costs[0].amount - cost.total * 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_target_elsewhere_is_billed_and_what_its_protocol_does_not_tell_is_not_known() {
        let text =
            TALK.replace("send_message", "say").replace("[operations.placement_request]\nrate = 1.0\n", "");
        let text = format!("protocol = \"json-rpc\"\n{}", text.replace("fan_out = 2\n", ""));
        let plan = plan(&format!("{text}[target]\nurl = \"wss://game.example/\"\n[auth]\nmode = \"none\"\n"));
        let recorded = Recorded { tally: &talk(), socket_seconds: 60_000, seconds: 600.0, cloudwatch: None };
        let cost = of_run(&plan, &recorded);
        assert_eq!((cost.basis, cost.complete), (CostBasis::OnAws, false));
        let requests = item(&cost, "lambda_requests");
        assert_eq!((requests.quantity, requests.amount, requests.known), (None, None, Known::NotKnown));
        assert!(item(&cost, "websocket_messages").amount.is_some());
    }
}
