//! Whether users felt a fault: the same arrivals with it and without it.

use std::collections::BTreeMap;

use reports::folder::RunFolder;
use reports::format::Summary;
use statistics::proportions::{Share, greater};

/// Probability of a false alarm of each comparison: there are about eight of them in a run.
const ALPHA: f64 = 0.005;

/// What users felt of the fault, in words; `None`: nothing. Either more of something failed, or a promise broke that holds without
/// the fault.
pub(super) fn felt(fault: &RunFolder, clean: &RunFolder) -> Option<String> {
    let (fault, clean) = (fault.summary_or_rebuilt(), clean.summary_or_rebuilt());
    let (with, without) = (shares(&fault), shares(&clean));
    let more = with.iter().find_map(|(name, share)| {
        let (_, before) = without.iter().find(|(other, _)| other == name)?;
        (greater(*share, *before) <= ALPHA).then(|| {
            format!(
                "{name}: {:.1} % went wrong instead of {:.1} %",
                share.value() * 100.0,
                before.value() * 100.0
            )
        })
    });
    more.or_else(|| {
        let broken = fault.thresholds.iter().find(|threshold| {
            let before = clean.thresholds.iter().find(|other| other.expression == threshold.expression);
            !threshold.passed && before.is_some_and(|before| before.passed)
        });
        broken.map(|threshold| format!("`{}` broke", threshold.expression))
    })
}

/// What went wrong of each operation, of each delivery and of the handshakes.
fn shares(summary: &Summary) -> Vec<(String, Share)> {
    let operations = summary.operations.iter().map(|(name, operation)| {
        let part = of_target(&operation.errors);
        (name.clone(), Share { part, whole: operation.sent.max(part) })
    });
    let deliveries = summary.deliveries.iter().map(|(name, delivery)| {
        let whole = delivery.expected.max(delivery.lost + delivery.late);
        (format!("pushes of {name}"), Share { part: delivery.lost + delivery.late, whole })
    });
    let churn = summary.churn.iter().map(|churn| (&churn.refused, churn.returned));
    let reconnects = summary.reconnects.iter().map(|reconnects| (&reconnects.errors, reconnects.succeeded));
    let back = churn.chain(reconnects).map(|(refused, succeeded)| {
        let part = of_target(refused);
        ("handshakes of those who come back".to_owned(), Share { part, whole: part + succeeded })
    });
    operations.chain(deliveries).chain(back).collect()
}

/// Failures that are neither the run's end nor the generator's or the scenario's doing.
fn of_target(errors: &BTreeMap<String, u64>) -> u64 {
    const OTHERS: [&str; 5] = ["interrupted", "run_ended", "cut", "left", "socket_lost"];
    let is_targets = |class: &str| !class.starts_with("unsent_") && !OTHERS.contains(&class);
    errors.iter().filter(|(class, _)| is_targets(class)).map(|(_, count)| count).sum()
}
