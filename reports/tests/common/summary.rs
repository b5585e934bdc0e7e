//! What the made-up run came to: verdict, suspects, cost.

use reports::folder::RunFolder;
use reports::format::{
    Association, CloudWatch, Correlation, Cost, CostBasis, CostItem, Evidence, Headroom, Known, Outcome,
    Summary, Suspect, SuspectKind, Symptom, SymptomKind, Threshold, UnitCost, Verdict,
};

use super::hops::hops;

pub(super) fn summary(folder: &RunFolder) -> Summary {
    let mut summary = folder.summary_or_rebuilt().into_owned();
    summary.run = folder.manifest.run.clone();
    let p99_ms = summary.operations["send_message"].response_time_us.p99 as f64 / 1000.0;
    let lost =
        summary.deliveries["message"].lost as f64 * 100.0 / summary.deliveries["message"].expected as f64;
    let threshold = |expression: &str, observed: f64, passed| Threshold {
        expression: expression.into(),
        observed: Some(observed),
        passed,
        ..Threshold::default()
    };
    summary.thresholds = vec![
        threshold("send_message.response_time.p99 < 250ms", p99_ms, p99_ms < 250.0),
        threshold("deliveries.message.lost < 0.1 %", lost, lost < 0.1),
        threshold("sockets.dropped <= 20", 6.0, true),
    ];
    let passed = summary.thresholds.iter().all(|threshold| threshold.passed);
    let warning = "the system's clock was set by +420 ms during the run".to_owned();
    let warnings = vec![warning];
    summary.verdict = Verdict { valid: true, warnings, thresholds_passed: passed, ..Verdict::default() };
    summary.correlation = folder.cloudwatch.as_ref().map(|fetched| found(fetched, p99_ms));
    summary.cost = Some(cost());
    summary.hops = Some(hops(&summary, folder));
    summary
}

/// What gave way first, as attribution would have it of this made-up run.
fn found(fetched: &CloudWatch, p99_ms: f64) -> Correlation {
    let end = fetched.window_end.duration_since(fetched.window_start).as_secs_f64();
    let (from_s, to_s) = ((end * 0.6).round(), (end * 0.8).round());
    let slower = Symptom {
        operation: Some("send_message".into()),
        what: SymptomKind::Slower,
        from_s,
        to_s,
        observed: p99_ms * 1e3,
        reference: 250_000.0,
        unit: "us".into(),
        statistic: "p99".into(),
        threshold: "send_message.response_time.p99 < 250ms".into(),
        ..Symptom::default()
    };
    let evidence =
        |series: &str, says: &str| Evidence { series: series.into(), says: says.into(), points: Vec::new() };
    let suspect = Suspect {
        kind: SuspectKind::ReservedConcurrency,
        resource: "SendMessage".into(),
        from_s,
        to_s,
        limit: Some(40.0),
        observed: Some(40.0),
        unit: "executions".into(),
        explained: 0.91,
        symptoms: vec![0],
        or: Vec::new(),
        evidence: vec![
            evidence("Throttles (Sum) of SendMessage", "57 in the period in which the answers slowed"),
            evidence(
                "ConcurrentExecutions (Maximum) of SendMessage",
                "40, its reserved concurrency, in the same period",
            ),
        ],
        refuted_by: "Throttles that go on after its reserved concurrency was raised.".into(),
        remedy: "Raise the reserved concurrency of SendMessage, or shorten its work.".into(),
    };
    let near = |resource: &str, what: &str, peak: f64, limit: f64| Headroom {
        resource: resource.into(),
        what: what.into(),
        limit,
        peak,
        share: peak / limit,
        unit: "executions".into(),
    };
    Correlation {
        outcome: Some(Outcome::Suspects),
        symptoms: vec![slower],
        suspects: vec![suspect],
        headroom: vec![
            near("SendMessage", "reserved concurrency", 40.0, 40.0),
            near("account", "concurrency", 61.0, 1000.0),
        ],
        correlations: vec![Association {
            server: "SendMessage ConcurrentExecutions (Maximum)".into(),
            players: "send_message p99".into(),
            points: 5,
            ..Association::default()
        }],
        notes: vec!["No trace was asked for: hops come from metrics.".into()],
        functions: reports::server::functions(fetched),
        ..Correlation::default()
    }
}

/// A made-up bill, one item of which is not known.
fn cost() -> Cost {
    let item = |item: &str, name: &str, quantity: Option<f64>, unit: &str, price: f64, known| CostItem {
        item: item.into(),
        name: name.into(),
        quantity,
        unit: unit.into(),
        price,
        per: 1e6,
        source: "https://aws.amazon.com/pricing/".into(),
        amount: quantity.map(|quantity| quantity * price / 1e6),
        known,
        ..CostItem::default()
    };
    let items = vec![
        item("connection_minutes", "connection minutes", Some(10_000.0), "minutes", 0.25, Known::Counted),
        item(
            "websocket_messages",
            "WebSocket messages",
            Some(180_000.0),
            "messages of 32 KB",
            1.0,
            Known::Counted,
        ),
        item("rest_requests", "REST requests", Some(0.0), "requests", 3.5, Known::Counted),
        item("lambda_requests", "Lambda requests", Some(61_250.0), "requests", 0.2, Known::Cloudwatch),
        item(
            "dynamodb_write_units",
            "DynamoDB writes",
            Some(240_000.0),
            "write units",
            0.625,
            Known::Estimated,
        ),
        item("sns_publishes", "SNS publishes", None, "publishes", 0.5, Known::NotKnown),
    ];
    let total: f64 = items.iter().filter_map(|item| item.amount).sum();
    Cost {
        basis: CostBasis::AsIfOnAws,
        currency: "USD".into(),
        region: "us-east-1".into(),
        as_of: "2026-11".into(),
        total,
        complete: false,
        items,
        unit_costs: vec![UnitCost {
            what: "deliveries".into(),
            each: 1e6,
            count: 120_000,
            amount: total / 120_000.0 * 1e6,
        }],
    }
}
