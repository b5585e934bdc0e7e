//! The page of a history: what changed and at which commit, then the trend of every measure with its noise.

use maud::{Markup, html};

use super::banner::{self, KeyFigure};
use super::charts::{Break, Step, TrendChart, Unit as Axis};
use super::error::RenderError;
use super::page::{Page, shell};
use super::sections::{Section, heading};
use super::table::{Cell, Table};
use crate::format::history::{Group, History, News, Trend, Unit};
use crate::human;
use crate::text::history as words;

/// Values of a chart: older ones are in the table's caption and in the database.
const MOST: usize = 400;

const CHANGES: &str = "The latest first. A change lies between the two commits: the first of them was the last one measured before it. \
                       Where both are the same, it was not the code: look at the machine or the target. The confidence counts all \
                       measures of the page: how sure it is that none of them shows such a change by noise alone.";
const TRENDS: &str = "Each dot is a run, and the lines are the levels between the changes. Axes do not begin at zero, so that small \
                      changes are seen. The noise is the standard deviation around the levels, as a share of the last one: what is \
                      smaller than it is hard to see.";

pub(super) fn page(history: &History) -> Result<Markup, RenderError> {
    let section = |id, short, body| Section { id, short, body };
    let sections =
        vec![section("verdict", "Changes", changes(history)), section("trends", "Trends", trends(history)?)];
    Ok(shell(&Page {
        title: "History – loadgen",
        brand: "history",
        version: &history.version,
        sections: &sections,
        footer: html! {
            "Made by " code { "loadgen history show" } ", whose database keeps every figure; "
            code { "loadgen history export" } " writes them as CSV or JSON."
        },
    }))
}

fn changes(history: &History) -> Markup {
    let changes = history.changes();
    html! {
        p.run { (history.made_at.strftime("%Y-%m-%d %H:%M UTC")) " · loadgen " (history.version) }
        h1 id="verdict-h" { (words::headline(history)) }
        (banner::figures(&figures(history), true))
        @for note in words::notes(history) { p { (note) } }
        @if !changes.is_empty() {
            p.how { (CHANGES) }
            (changed(history).render())
        }
    }
}

fn figures(history: &History) -> Vec<KeyFigure> {
    let changes = history.changes();
    let count = |news| changes.iter().filter(|(_, _, change)| change.news == news).count() as u64;
    let figure =
        |name, value: u64, note: &str| KeyFigure { name, value: human::count(value), note: note.into() };
    vec![
        figure("For the worse", count(News::Worse), "changes"),
        figure("For the better", count(News::Better), "changes"),
        figure("Measures", history.trends() as u64, "with a trend each"),
        figure("Entries", history.entries, "runs, searches and benches"),
    ]
}

fn changed(history: &History) -> Table {
    let header = ["began (UTC)", "what", "measure", "commits", "before", "after", "by", "confidence"];
    let mut table = Table::new("Every change", header);
    for (group, trend, change) in history.changes() {
        let by = match change.news {
            News::Worse => Cell::verdict(&words::by(change), "words bad"),
            News::Better => Cell::verdict(&words::by(change), "words good"),
        };
        table.row([
            Cell::text(change.began.strftime("%Y-%m-%d %H:%M").to_string()),
            Cell::text(group.name.clone()),
            Cell::text(trend.measure.clone()),
            Cell::text(words::commits(change)),
            Cell::quantity(words::show(trend.unit, change.before), change.before),
            Cell::quantity(words::show(trend.unit, change.after), change.after),
            by,
            Cell::quantity(words::confidence(change), change.confidence),
        ]);
    }
    table
}

fn trends(history: &History) -> Result<Markup, RenderError> {
    let groups = history.groups.iter().enumerate();
    let drawn = groups.map(|(number, group)| drawn(number, group)).collect::<Result<Vec<_>, _>>()?;
    Ok(html! {
        (heading("trends", "Trends", TRENDS))
        @if drawn.is_empty() { p.nothing { "No entries: add some with " code { "loadgen history add" } "." } }
        @for group in drawn { (group) }
    })
}

fn drawn(number: usize, group: &Group) -> Result<Markup, RenderError> {
    let charts =
        group.trends.iter().enumerate().map(|(index, trend)| chart(&format!("t{number}-{index}"), trend));
    let charts = charts.collect::<Result<Vec<_>, _>>()?;
    Ok(html! {
        h3 { (words::title(group)) }
        (measures(group).render())
        div.grid { @for chart in charts { (chart) } }
    })
}

/// Every measure of a group, with its level and its noise.
fn measures(group: &Group) -> Table {
    let header = ["measure", "points", "last level", "noise", "changes", "last change"];
    let mut table = Table::new(format!("Measures of {}", group.name), header);
    for trend in &group.trends {
        let level = trend.levels.last().map_or(0.0, |level| level.mean);
        let last = trend.changes.last();
        let last = last.map_or_else(
            || human::NOTHING.to_owned(),
            |c| format!("{} at {}", words::by(c), words::commits(c)),
        );
        table.row([
            Cell::text(trend.measure.clone()),
            Cell::quantity(human::count(trend.points.len() as u64), trend.points.len() as f64),
            Cell::quantity(words::show(trend.unit, level), level),
            Cell::quantity(words::noise(trend), trend.noise.unwrap_or_default()),
            Cell::quantity(trend.changes.len().to_string(), trend.changes.len() as f64),
            Cell::text(last),
        ]);
    }
    table
}

fn chart(id: &str, trend: &Trend) -> Result<Markup, RenderError> {
    let (unit, factor) = axis(trend.unit);
    let skipped = trend.points.len().saturating_sub(MOST);
    let points = &trend.points[skipped..];
    let place = |index: usize| index.saturating_sub(skipped);
    let shown = trend.levels.iter().filter(|level| level.to > skipped);
    TrendChart {
        id: id.to_owned(),
        title: &trend.measure,
        description: described(trend),
        unit,
        values: points.iter().map(|point| point.value * factor).collect(),
        labels: points.iter().map(|point| point.at.strftime("%b %-d").to_string()).collect(),
        steps: shown
            .map(|level| Step { from: place(level.from), to: place(level.to), mean: level.mean * factor })
            .collect(),
        breaks: trend
            .changes
            .iter()
            .filter(|change| change.at > skipped)
            .map(|change| Break {
                at: place(change.at),
                name: change.commit.as_deref().map_or_else(|| words::by(change), words::short),
            })
            .collect(),
        table: data(trend, skipped),
    }
    .render()
}

/// A trend in words.
fn described(trend: &Trend) -> String {
    let levels: Vec<String> = trend.levels.iter().map(|level| words::show(trend.unit, level.mean)).collect();
    format!(
        "{} values. Levels: {}. Noise: {}.",
        trend.points.len(),
        levels.join(", then "),
        words::noise(trend)
    )
}

/// The unit of a chart's axis, and what a value is multiplied by for it.
fn axis(unit: Unit) -> (Axis, f64) {
    match unit {
        // With its digits: few microseconds differ by fractions.
        Unit::Us => (Axis::Nanoseconds, 1e3),
        Unit::Ns => (Axis::Nanoseconds, 1.0),
        Unit::CpuSeconds => (Axis::Count("seconds"), 1.0),
        Unit::PerSecond => (Axis::PerSecond, 1.0),
        Unit::Share => (Axis::Count("%"), 100.0),
        Unit::Bytes => (Axis::Bytes, 1.0),
        Unit::Players => (Axis::Count("players"), 1.0),
    }
}

fn data(trend: &Trend, skipped: usize) -> Table {
    let mut table = Table::new(format!("Data of {}", trend.measure), ["measured (UTC)", "commit", "value"]);
    for point in &trend.points[skipped..] {
        let commit = point.commit.as_deref().map_or_else(|| human::NOTHING.to_owned(), words::short);
        table.row([
            Cell::text(point.at.strftime("%Y-%m-%d %H:%M:%S").to_string()),
            Cell::text(commit),
            Cell::quantity(words::show(trend.unit, point.value), point.value),
        ]);
    }
    if skipped > 0 {
        table.note(format!("{} older values are not shown.", human::count(skipped as u64)));
    }
    table
}
