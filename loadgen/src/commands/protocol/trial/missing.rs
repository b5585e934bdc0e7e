//! What was expected of a try and did not come, and what else is worth knowing, from what was counted.

use scenarios::Plan;
use scenarios::plan::operation::{Operation, What};

use crate::record::event::SOCKET;
use crate::record::{Measures, Sample, Tally as _, ThreadTally, classes};

/// What a try came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// What was expected and did not come.
    pub(super) missing: Vec<String>,
    /// What is no fault by itself.
    pub(super) notes: Vec<String>,
    /// Answers that came as expected.
    pub(super) answers: u64,
    /// Pushes that did.
    pub(super) pushes: u64,
    pub(super) unclassified: u64,
    /// Whether no player could connect.
    pub(super) unreachable: bool,
}

impl Findings {
    pub(super) fn of(plan: &Plan, total: &ThreadTally, left_out: &[String]) -> Self {
        let mut all = total.measured.clone();
        all.merge(&total.warm_up);
        let mut found = Self {
            answers: answers(plan, &all),
            unclassified: total.frames.unclassified.iter().map(|(_, count)| count).sum(),
            unreachable: total.sockets.opened == 0,
            ..Self::default()
        };
        for sample in total.samples.iter() {
            found.add(plan, sample);
        }
        for planned in &plan.operations {
            let name = &planned.name;
            let unsent = all.operation(planned.operation).unsent;
            let said = total.samples.iter().any(|sample| *sample.operation == **name);
            if unsent > 0 && !said {
                found.missing.push(format!("{name} was not sent: no player had an open socket"));
            }
        }
        for (kind, push) in plan.kinds() {
            let delivered = all.delivery(kind);
            found.pushes += delivered.received + delivered.late;
            if delivered.duplicated > 0 {
                found.notes.push(format!("push {} came twice", push.name));
            }
        }
        if found.unclassified > 0 {
            found.notes.push(format!(
                "{} not understood: write a rule for what is unclassified, or add it to [[ignore]]",
                if found.unclassified == 1 {
                    "1 message was".into()
                } else {
                    format!("{} messages were", found.unclassified)
                }
            ));
        }
        let polled =
            left_out.iter().map(|name| format!("{name} was left out: say with --rest where it is polled"));
        found.notes.extend(polled);
        found
    }

    fn add(&mut self, plan: &Plan, sample: &Sample) {
        let Sample { operation, class, player, detail, .. } = sample;
        let by = format!("player {}", player + 1);
        let is_push = plan.pushes.iter().any(|push| *push.name == **operation);
        let is_operation = plan.operations.iter().any(|planned| *planned.name == **operation);
        if *class == classes::LOST && is_push {
            self.missing.push(format!("push {operation} did not come to {by}: {detail}"));
        } else if is_push && [&classes::LATE, &classes::TOO_LATE, &classes::UNEXPECTED].contains(&class) {
            self.notes.push(format!("push {operation} at {by}: {class}"));
        } else if *class == classes::TIMEOUT && is_operation {
            self.missing.push(format!("{operation} of {by} was not answered in time"));
        } else if is_operation {
            self.missing.push(format!("{operation} of {by}: {class} ({detail})"));
        } else if *operation == SOCKET {
            self.notes.push(format!("{by}: {class}{}", parenthesised(detail)));
        }
    }
}

/// Answers that came as expected, of what the protocol has.
fn answers(plan: &Plan, all: &Measures) -> u64 {
    let of = |operation: Operation| all.operation(operation).completed;
    let requests =
        plan.operations.iter().filter(|planned| matches!(planned.what, What::Request(_) | What::Poll(_)));
    requests.map(|planned| of(planned.operation)).sum()
}

fn parenthesised(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(" ({detail})") }
}
