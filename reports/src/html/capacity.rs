//! The page of a capacity search: the knee, the curve that leads to it, every step with its report.

use maud::{Markup, html};

use super::RenderError;
use super::charts::{Cloud, Ink, Scatter, Size, Unit};
use super::page::{Page, shell};
use super::sections::{Section, heading};
use super::table::{Cell, Table};
use crate::capacity::{Capacity, Ended, Outcome, Step, Vary};
use crate::human;

const CURVE: &str = "Each point is a run. Below the knee, completed follows offered and latency is flat; above, one of them leaves \
                     its line. The shaded stretch is the interval in which the knee lies. Runs that the \
                     generator spoiled are left out: they say nothing about the target.";
const STEPS: &str = "In the order in which they ran. Each has a run folder with a report of its own.";
const LEVELS: &str = "A level's verdict is the majority of its runs. The interval is Wilson's, of the share of valid runs that hold \
                      there: with few runs it is wide, and says how much a majority is worth.";

pub(super) fn page(capacity: &Capacity) -> Result<Markup, RenderError> {
    let section = |id, short, body| Section { id, short, body };
    let sections = vec![
        section("verdict", "Knee", verdict(capacity)),
        section("curve", "Curve", curve(capacity)?),
        section(
            "levels",
            "Levels",
            html! { (heading("levels", "Levels", LEVELS)) (levels(capacity).render()) },
        ),
        section("steps", "Steps", html! { (heading("steps", "Steps", STEPS)) (steps(capacity)) }),
    ];
    Ok(shell(&Page {
        title: &format!("{} – capacity", capacity.name),
        brand: "capacity",
        version: &capacity.version,
        sections: &sections,
        footer: html! { "Made from " code { (crate::capacity::CAPACITY) } ", which holds every figure in full." },
    }))
}

fn verdict(capacity: &Capacity) -> Markup {
    let (headline, sentence) = capacity.sentences();
    let (class, sign) = match capacity.ended {
        Ended::Found | Ended::NeverFailed => ("is-good", "✓"),
        Ended::NothingHeld => ("is-bad", "✕"),
        Ended::GeneratorLimit | Ended::OutOfTime | Ended::Interrupted => ("is-bad", "!"),
    };
    let seconds = capacity.ended_at.duration_since(capacity.started_at).as_secs_f64();
    html! {
        p.run {
            (capacity.started_at.strftime("%Y-%m-%d %H:%M:%S UTC")) " · " (capacity.target) " · loadgen " (capacity.version)
        }
        h1 id="verdict-h" { (capacity.name) }
        div class=(format!("verdict {class}")) {
            span.sign aria-hidden="true" { (sign) }
            div { p.headline { (headline) } p { (sentence) } }
        }
        p { (capacity.steps.len()) " runs in " (human::clock(seconds)) ". Thresholds: "
            @for (index, threshold) in capacity.thresholds.iter().enumerate() {
                @if index > 0 { ", " } code { (threshold) }
            }
            @if capacity.thresholds.is_empty() { "none" }
        }
    }
}

fn curve(capacity: &Capacity) -> Result<Markup, RenderError> {
    let x = match capacity.vary {
        Vary::Rate => Unit::PerSecond,
        Vary::Players => Unit::Count("players"),
    };
    let shade = capacity.knee.map(|knee| (knee.low, knee.high));
    // A spoiled run tells nothing about the target: it is in the tables only.
    let valid: Vec<&Step> = capacity.steps.iter().filter(|step| step.outcome != Outcome::Invalid).collect();
    let cloud = |name: &str, ink, of: fn(&Step) -> f64| {
        let mut points: Vec<_> = valid.iter().map(|step| (step.level, of(step))).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Cloud { name: name.to_owned(), ink, points }
    };
    let operation = valid.first().map_or("", |step| step.operation.as_str());
    let charts = [
        Scatter {
            id: "throughput".into(),
            title: "Throughput".into(),
            size: Size::Half,
            x,
            y: Unit::PerSecond,
            log: false,
            shade,
            clouds: vec![
                cloud("offered", Ink::Reference, |step| step.offered_per_s),
                cloud("completed", Ink::Series(0), |step| step.completed_per_s),
            ],
        },
        Scatter {
            id: "response".into(),
            title: format!("Response time of {operation}"),
            size: Size::Half,
            x,
            y: Unit::Duration,
            log: true,
            shade,
            clouds: vec![
                cloud("p99", Ink::Series(1), |step| step.p99_us as f64),
                cloud("p50", Ink::Series(0), |step| step.p50_us as f64),
            ],
        },
        Scatter {
            id: "errors".into(),
            title: "Errors".into(),
            size: Size::Half,
            x,
            y: Unit::Count("% of the arrivals"),
            log: false,
            shade,
            clouds: vec![cloud("failed, timed out or unsent", Ink::Series(1), |step| {
                step.error_share * 100.0
            })],
        },
        Scatter {
            id: "dispatch".into(),
            title: "The generator's dispatch delay".into(),
            size: Size::Half,
            x,
            y: Unit::Duration,
            log: true,
            shade,
            clouds: vec![cloud("p99", Ink::Series(2), |step| step.dispatch_delay_p99_us as f64)],
        },
    ];
    let drawn = charts.iter().map(Scatter::render).collect::<Result<Vec<_>, _>>()?;
    Ok(html! {
        (heading("curve", "Capacity curve", CURVE))
        div.grid { @for chart in drawn { (chart) } }
    })
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
        table.row([
            Cell::quantity(capacity.vary.show(level.level), level.level),
            count(level.held),
            count(level.failed),
            count(level.invalid),
            outcome(level.verdict),
            Cell::quantity(format!("{:.0} % to {:.0} %", low * 100.0, high * 100.0), low),
        ]);
    }
    table
}

fn steps(capacity: &Capacity) -> Markup {
    let header =
        ["run", "level", "outcome", "offered", "completed", "errors", "p50", "p99", "sockets", "why"];
    let mut table = Table::new("Every run", header);
    for step in &capacity.steps {
        let time = |us: u64| Cell::quantity(human::duration(us as f64), us as f64);
        let rate = |rate: f64| Cell::quantity(format!("{}/s", human::significant(rate)), rate);
        table.row([
            Cell::text(step.run.display().to_string()),
            Cell::quantity(capacity.vary.show(step.level), step.level),
            outcome(Some(step.outcome)),
            rate(step.offered_per_s),
            rate(step.completed_per_s),
            Cell::quantity(format!("{} %", human::significant(step.error_share * 100.0)), step.error_share),
            time(step.p50_us),
            time(step.p99_us),
            Cell::quantity(human::count(step.peak_open), step.peak_open as f64),
            Cell::text(step.reason.as_deref().unwrap_or(human::NOTHING)),
        ]);
    }
    html! {
        (table.render())
        ul { @for step in &capacity.steps {
            li { a href=(format!("{}/report.html", step.run.display())) { "Report of " (step.run.display()) } }
        } }
    }
}
