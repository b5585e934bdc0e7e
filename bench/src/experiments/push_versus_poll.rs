//! How players learn that their place in a game session is there: by a push, or by asking until it is.

use reports::folder::Tag;
use reports::format::experiment::{ExperimentRow, ExperimentTable, ExperimentUnit, Measured};

use super::arm::{Arm, Setup};
use super::experiment::{Experiment, Outcome};
use super::figures::{self, histogram, points, quantile, ratio, row};
use super::runs::{Group, Run};
use crate::planted::Settings;

const PUSH: &str = "placement_request";
const POLL: &str = "placement_poll";
const MEASURED: &str = "hold";
/// Placements a second.
const RATE: u32 = 10;

pub(super) fn experiment() -> Experiment {
    let polling = [
        ("poll every 500 ms", "500ms"),
        ("poll every 1 s", "1s"),
        ("poll every 2 s", "2s"),
        ("poll every 5 s", "5s"),
    ];
    let mut arms =
        vec![arm("push", "One request over the socket; the details are pushed over it.", |keys| {
            keys.set(format!("operations.{PUSH}.rate"), RATE);
        })];
    arms.extend(polling.map(|(name, every)| {
        arm(name, "One request over REST, then the same question until the details are there.", |keys| {
            keys.set(format!("operations.{POLL}.rate"), RATE);
            keys.set(format!("operations.{POLL}.every"), format!("\"{every}\""));
        })
    }));
    Experiment {
        setup: Setup {
            name: "push-versus-poll",
            scenario: include_str!("../../experiments/push-versus-poll.toml"),
            arms,
        },
        question: "How long do players wait for their connection details, and what does that cost, by push and by polling?",
        of: "Time to connection details",
        evaluate,
    }
}

fn arm(name: &'static str, about: &'static str, keys: impl FnOnce(&mut Settings)) -> Arm {
    let (mut scenario, mut profile) = (Settings::default(), Settings::default());
    keys(&mut scenario);
    profile.set("base", "\"aws-like\"");
    Arm { name, about, scenario, profile }
}

/// From the first request until the details are there.
fn wait(run: &Run) -> hdrhistogram::Histogram<u64> {
    match placements(run) {
        Some((PUSH, _)) => histogram(run, Tag::Each("placement"), MEASURED),
        _ => histogram(run, Tag::Service(POLL), MEASURED),
    }
}

/// The operation that asks for them, and how many it got.
fn placements(run: &Run) -> Option<(&'static str, f64)> {
    let cost = run.folder.summary.as_ref()?.cost.as_ref()?;
    let of = |name: &'static str| {
        let unit = cost.unit_costs.iter().find(|unit| unit.what == name)?;
        (unit.count > 0).then_some((name, unit.count as f64))
    };
    of(PUSH).or_else(|| of(POLL))
}

/// So many units of an item of the bill for each placement.
fn for_each(run: &Run, item: &str) -> Option<(f64, f64)> {
    let cost = run.folder.summary.as_ref()?.cost.as_ref()?;
    let quantity = cost.items.iter().find(|line| line.item == item)?.quantity?;
    Some((quantity, placements(run)?.1))
}

/// Amounts of the bill for each thousand placements, of the items that are kept.
fn price(run: &Run, keep: impl Fn(&str) -> bool) -> Option<(f64, f64)> {
    let cost = run.folder.summary.as_ref()?.cost.as_ref()?;
    let amounts = cost.items.iter().filter(|line| keep(&line.item)).map(|line| line.amount);
    Some((amounts.sum::<Option<f64>>()?, placements(run)?.1 / 1_000.0))
}

fn invocations(run: &Run) -> Option<(f64, f64)> {
    let all = points(run, ("Invocations", "Sum"), None, None);
    (!all.is_empty()).then(|| (all.iter().sum(), placements(run).map_or(0.0, |(_, count)| count)))
}

fn evaluate(groups: &[Group]) -> Outcome {
    use ExperimentUnit::{Microseconds, Number, Usd};
    let at = |q| move |group: &Group| quantile(group, q, wait);
    let item = |name: &'static str| move |group: &Group| ratio(group, |run| for_each(run, name));
    let waiting = vec![
        row("p50", Microseconds, groups, at(0.5)),
        row("p90", Microseconds, groups, at(0.9)),
        row("p99", Microseconds, groups, at(0.99)),
    ];
    let work = vec![
        row("messages over the socket", Number, groups, item("websocket_messages")),
        row("requests over REST", Number, groups, item("rest_requests")),
        row("invocations of Lambda functions", Number, groups, |group| ratio(group, invocations)),
    ];
    // Sockets are open in every arm, as in a game they are: what they cost is no difference.
    let cost = vec![
        row("all but connection minutes", Usd, groups, |group| {
            ratio(group, |run| price(run, |item| item != "connection_minutes"))
        }),
        row("API Gateway: messages and REST requests", Usd, groups, |group| {
            ratio(group, |run| price(run, |item| matches!(item, "websocket_messages" | "rest_requests")))
        }),
        row("everything", Usd, groups, |group| ratio(group, |run| price(run, |_| true))),
    ];
    let answers = answers(groups, &waiting, &work, &cost);
    let table = |title: &str, how: &str, rows| ExperimentTable { title: title.into(), how: how.into(), rows };
    Outcome {
        answers,
        tables: vec![
            table(
                "Time to connection details",
                "From the first request until the player has them: the push's delivery, or the time of the whole poll, its pauses included.",
                waiting,
            ),
            table(
                "For each placement",
                "Counted by the generator (messages, requests) and by CloudWatch (invocations). The backend pushes a placement to whoever has a \
                 socket, also to those who asked over REST: that is their one message.",
                work,
            ),
            table(
                "Cost of 1,000 placements on AWS",
                "List prices without free tiers; what the parts are is in the bill of each run's report.",
                cost,
            ),
        ],
        spreads: groups.iter().map(|group| figures::merged(group, wait)).collect(),
    }
}

fn answers(
    groups: &[Group],
    waiting: &[ExperimentRow],
    work: &[ExperimentRow],
    cost: &[ExperimentRow],
) -> Vec<String> {
    let value = |row: &ExperimentRow, arm: usize| row.values.get(arm).copied().flatten();
    let show = |row: &ExperimentRow, arm: usize| {
        value(row, arm).map_or("nothing measured".to_owned(), |Measured { value, .. }| {
            row.unit.show(&Measured { value, low: value, high: value })
        })
    };
    let [median, _, tail] = waiting else { return Vec::new() };
    let [messages, requests, invoked] = work else { return Vec::new() };
    let [spent, ..] = cost else { return Vec::new() };
    let mut sentences = vec![format!(
        "By push half of the players have their connection details within {}, 99 % within {}.",
        show(median, 0),
        show(tail, 0)
    )];
    for (arm, group) in groups.iter().enumerate().skip(1) {
        sentences.push(format!(
            "{}: {} (p50) and {} (p99); {} REST requests and {} invocations for a placement, where push takes {} messages and {}; \
             1,000 cost {}, where push costs {}.",
            group.arm.name,
            show(median, arm),
            show(tail, arm),
            show(requests, arm),
            show(invoked, arm),
            show(messages, 0),
            show(invoked, 0),
            show(spent, arm),
            show(spent, 0)
        ));
    }
    sentences
}
