//! The page of a capacity search: the knee, the curve that leads to it, every step with its report.

use std::path::{Component, Path};

use maud::{Markup, html};

use super::banner::{self, Banner, KeyFigure, Tone};
use super::charts::{Cloud, Ink, Scatter, Unit};
use super::error::RenderError;
use super::page::{Page, shell};
use super::sections::{Section, heading};
use super::table::{Cell, Table};
use crate::folder::{CAPACITY, REPORT};
use crate::format::Latency;
use crate::format::capacity::{Capacity, Ended, Knee, Level, Outcome, Step, Vary};
use crate::human::{self, P50, P95, P99, Percentile};
use crate::text::capacity as words;
use crate::verdict;

const CURVE: &str = "Each point is a run, and the lines join the median runs. Below the knee, completed follows offered and \
                     latency is flat; above it, completed falls behind or latency rises. The knee lies in the shaded \
                     interval. Invalid runs are left out: they say nothing about the target.";
const STEPS: &str = "In the order in which they ran. Each number links to the report of the run. Errors are the share of all \
                     operations' arrivals, connect included, as the threshold error_rate has it; a ~ before a percentile \
                     means that fewer than ten samples lie beyond it.";
const LEVELS: &str = "A level's verdict is the majority of its runs; one that held once on the way up needs none. The interval is \
                      Wilson's, of the share of valid runs that hold there: the fewer the runs, the wider it is, and the less the \
                      majority says.";

pub(super) fn page(capacity: &Capacity) -> Result<Markup, RenderError> {
    let section = |id, short, body| Section { id, short, body };
    let sections = vec![
        section("verdict", "Knee", head(capacity)),
        section("curve", "Curve", curve(capacity)?),
        section(
            "levels",
            "Levels",
            html! { (heading("levels", "Levels", LEVELS)) (levels(capacity).render()) },
        ),
        section("steps", "Runs", html! { (heading("steps", "Runs", STEPS)) (steps(capacity).render()) }),
    ];
    Ok(shell(&Page {
        title: &format!("{} – capacity", capacity.name),
        brand: "capacity",
        version: &capacity.version,
        sections: &sections,
        footer: html! { "Made from " code { (CAPACITY) } ", which holds every figure in full." },
    }))
}

fn head(capacity: &Capacity) -> Markup {
    let (headline, sentence) = words::sentences(capacity);
    let banner = Banner {
        section: "verdict",
        name: &capacity.name,
        started_at: capacity.started_at,
        target: &capacity.target,
        version: &capacity.version,
        tone: match capacity.ended {
            Ended::Found | Ended::NeverFailed => Tone::Good,
            Ended::NothingHeld => Tone::Bad,
            Ended::GeneratorLimit | Ended::OutOfTime | Ended::Interrupted | Ended::Unfinished => Tone::Open,
        },
        headline: &headline,
        sentence: &sentence,
    };
    html! {
        (banner.render())
        (banner::figures(&figures(capacity), true))
        p { "A load holds if "
            @for (index, threshold) in capacity.thresholds.iter().enumerate() {
                @if index > 0 { " and " } code { (threshold) }
            }
            "."
        }
    }
}

fn figures(capacity: &Capacity) -> Vec<KeyFigure> {
    let show = |level| words::level(capacity.vary, level);
    let runs =
        |level: f64| capacity.levels.iter().find(|tried| tried.level == level).copied().unwrap_or_default();
    let figure = |name, value, note| KeyFigure { name, value, note };
    let mut figures = Vec::new();
    if let Some(held) = capacity.held {
        let Level { held: holding, failed, .. } = runs(held);
        figures.push(figure("Held", show(held), format!("{holding} of {} valid runs", holding + failed)));
    }
    if let Some(Knee { estimate, low, high }) = capacity.knee {
        let Level { held, failed, .. } = runs(high);
        figures.push(figure("Did not hold", show(high), format!("{failed} of {} valid runs", held + failed)));
        figures.push(figure("Knee", show(estimate), format!("between {} and {}", show(low), show(high))));
    }
    // Percentiles are not averaged: the worst run stands for its level.
    let at_held = capacity.steps.iter().filter(|step| is_valid(step) && Some(step.level) == capacity.held);
    if let Some(worst) = at_held.max_by_key(|step| step.p99_us).filter(|step| step.p99_us > 0) {
        let note = format!("{} at {}, the worst run's", worst.operation, show(worst.level));
        figures.push(figure("Response time p99", shown(worst, P99, worst.p99_us), note));
    }
    let invalid = capacity.steps.iter().filter(|step| !is_valid(step)).count();
    let seconds = capacity.ended_at.duration_since(capacity.started_at).as_secs_f64();
    let not_valid = if invalid > 0 { format!("{invalid} not valid, ") } else { String::new() };
    let note = format!("{not_valid}in {}", human::clock(seconds));
    figures.push(figure("Runs", human::count(capacity.steps.len() as u64), note));
    figures
}

/// An invalid run says nothing about the target: it is in the tables only.
fn is_valid(step: &Step) -> bool {
    step.outcome != Outcome::Invalid
}

fn curve(capacity: &Capacity) -> Result<Markup, RenderError> {
    let x = match capacity.vary {
        Vary::Rate => Unit::PerSecond,
        Vary::Players => Unit::Count("players"),
    };
    let shade = capacity.knee.map(|knee| (knee.low, knee.high));
    let mut valid: Vec<&Step> = capacity.steps.iter().filter(|step| is_valid(step)).collect();
    valid.sort_by(|a, b| a.level.total_cmp(&b.level));
    let cloud = |name: &str, ink, of: fn(&Step) -> f64| {
        let points = valid.iter().map(|step| (step.level, of(step))).collect();
        Cloud { name: name.to_owned(), ink, points }
    };
    // Without samples there is no time.
    let times = |name: &str, ink, of: fn(&Step) -> u64| {
        let timed = valid.iter().filter(|step| of(step) > 0);
        Cloud {
            name: name.to_owned(),
            ink,
            points: timed.map(|step| (step.level, of(step) as f64)).collect(),
        }
    };
    // The same height at each load that was measured: a threshold is a line.
    let level_line = |(name, bound): (String, f64)| Cloud {
        name,
        ink: Ink::Reference,
        points: valid.iter().filter(|step| step.p99_us > 0).map(|step| (step.level, bound)).collect(),
    };
    let operation = valid.first().map_or("", |step| step.operation.as_str());
    let throughput = Scatter {
        id: "throughput".into(),
        title: "Throughput".into(),
        x,
        y: Unit::PerSecond,
        log: false,
        shade,
        clouds: vec![
            cloud("offered", Ink::Reference, |step| step.offered_per_s),
            cloud("completed", Ink::Series(0), |step| step.completed_per_s),
        ],
    };
    let sockets = Scatter {
        id: "sockets".into(),
        title: "Sockets open at once".into(),
        x,
        y: Unit::Count("sockets"),
        log: false,
        shade,
        clouds: vec![
            cloud("players", Ink::Reference, |step| step.level),
            cloud("open at peak", Ink::Series(0), |step| step.peak_open as f64),
        ],
    };
    let offers = capacity.vary == Vary::Rate || valid.iter().any(|step| step.offered_per_s > 0.0);
    let others = [
        Scatter {
            id: "response".into(),
            title: format!("Response time of {operation}"),
            x,
            y: Unit::Duration,
            log: true,
            shade,
            clouds: [
                times("p99", Ink::Series(1), |step| step.p99_us),
                times("p50", Ink::Series(0), |step| step.p50_us),
            ]
            .into_iter()
            .chain(response_bounds(capacity, operation).into_iter().map(level_line))
            .collect(),
        },
        Scatter {
            id: "errors".into(),
            title: "Errors".into(),
            x,
            y: Unit::Count("% of the arrivals"),
            log: false,
            shade,
            clouds: [cloud("failed, timed out or unsent, all operations", Ink::Series(1), |step| {
                step.error_share * 100.0
            })]
            .into_iter()
            .chain(error_bounds(capacity).into_iter().map(level_line))
            .collect(),
        },
        Scatter {
            id: "dispatch".into(),
            title: "The generator's dispatch delay".into(),
            x,
            y: Unit::Duration,
            log: true,
            shade,
            clouds: vec![times("p99", Ink::Series(2), |step| step.dispatch_delay_p99_us)],
        },
    ];
    let of_players = (capacity.vary == Vary::Players).then_some(sockets);
    let charts = of_players.into_iter().chain(offers.then_some(throughput)).chain(others);
    let drawn = charts.map(|chart| chart.render()).collect::<Result<Vec<_>, _>>()?;
    Ok(html! {
        (heading("curve", "Capacity curve", CURVE))
        div.grid { @for chart in drawn { (chart) } }
    })
}

/// The bounds of thresholds on this operation's p50 and p99, in microseconds.
fn response_bounds(capacity: &Capacity, operation: &str) -> Vec<(String, f64)> {
    let of = |expression: &String| {
        let (metric, bound, unit) = verdict::parts(expression)?;
        let percentile = metric.strip_prefix(operation)?.strip_prefix(".response_time.")?;
        let bound = bound * verdict::micros(unit)?;
        matches!(percentile, "p50" | "p99").then(|| (format!("threshold of {percentile}"), bound))
    };
    capacity.thresholds.iter().filter_map(of).collect()
}

/// The bounds of thresholds on the error rate of all operations, in percent.
fn error_bounds(capacity: &Capacity) -> Vec<(String, f64)> {
    let of = |expression: &String| match verdict::parts(expression)? {
        ("error_rate", bound, "%") => Some(("threshold".to_owned(), bound)),
        _ => None,
    };
    capacity.thresholds.iter().filter_map(of).collect()
}

fn outcome(outcome: Option<Outcome>) -> Cell {
    match outcome {
        Some(Outcome::Held) => Cell::verdict("held", "words good"),
        Some(Outcome::Failed) => Cell::verdict("failed", "words bad"),
        Some(Outcome::Invalid) => Cell::verdict("invalid", "words bad"),
        None => Cell::text(human::NOTHING),
    }
}

fn levels(capacity: &Capacity) -> Table {
    let header = ["level", "runs held", "failed", "invalid", "verdict", "share that holds (95 %)"];
    let mut table = Table::new("Every level that was tried", header);
    let count = |number: u32| Cell::quantity(number.to_string(), f64::from(number));
    for level in &capacity.levels {
        let (low, high) = level.held_share;
        let share = match level.held + level.failed {
            0 => Cell::quantity(human::NOTHING.into(), 0.0),
            _ => Cell::quantity(format!("{:.0} % to {:.0} %", low * 100.0, high * 100.0), low),
        };
        table.row([
            Cell::quantity(words::level(capacity.vary, level.level), level.level),
            count(level.held),
            count(level.failed),
            count(level.invalid),
            outcome(level.verdict),
            share,
        ]);
    }
    table
}

/// A folder below that of the page as a link: nothing that leads elsewhere, and nothing that a browser would run.
fn beside(run: &Path) -> Option<String> {
    let below = run.components().all(|part| matches!(part, Component::Normal(_)));
    let path = run.to_str().filter(|path| below && !path.contains(['?', '#', '%', '\\']))?;
    // A colon in the first part would make it a scheme.
    Some(if path.contains(':') { format!("./{path}") } else { path.to_owned() })
}

fn steps(capacity: &Capacity) -> Table {
    let header = [
        "run",
        "level",
        "outcome",
        "offered",
        "completed",
        "errors, all operations",
        "p50",
        "p95",
        "p99",
        "sockets",
        "why",
    ];
    let mut table = Table::new("Every run", header);
    for step in &capacity.steps {
        let number = step.number.to_string();
        let head = [
            match step.run.as_deref().and_then(beside) {
                Some(run) => Cell::text(number).leading_to(format!("{run}/{REPORT}")),
                None => Cell::text(number),
            },
            Cell::quantity(words::level(capacity.vary, step.level), step.level),
            outcome(Some(step.outcome)),
        ];
        let why = Cell::text(step.reason.as_deref().unwrap_or(human::NOTHING));
        table.row(head.into_iter().chain(measured(step)).chain([why]));
    }
    table
}

/// A percentile of a step, marked when weak; older files do not have the number of samples.
fn shown(step: &Step, percentile: Percentile, us: u64) -> String {
    let latency = Latency { count: step.samples, ..Latency::default() };
    let weak = step.samples > 0 && percentile.is_weak(&latency);
    format!("{}{}", if weak { human::WEAK.to_string() } else { String::new() }, human::duration(us as f64))
}

/// The figures of a run; empty cells where there was none.
fn measured(step: &Step) -> [Cell; 7] {
    let cell = |known: bool, text: String, value: f64| match known && step.run.is_some() {
        true => Cell::quantity(text, value),
        false => Cell::quantity(human::NOTHING.into(), 0.0),
    };
    let time = |percentile: Percentile, us: u64| cell(us > 0, shown(step, percentile, us), us as f64);
    let rate = |rate: f64| cell(true, format!("{}/s", human::significant(rate)), rate);
    [
        rate(step.offered_per_s),
        rate(step.completed_per_s),
        cell(true, format!("{} %", human::significant(step.error_share * 100.0)), step.error_share),
        time(P50, step.p50_us),
        time(P95, step.p95_us),
        time(P99, step.p99_us),
        cell(true, human::count(step.peak_open), step.peak_open as f64),
    ]
}
