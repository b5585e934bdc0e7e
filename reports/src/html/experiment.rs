//! The page of an experiment: its question, its answers, the distributions beside each other, and every figure by arm.

use hdrhistogram::Histogram;
use maud::{Markup, html};

use super::banner::{Banner, Tone};
use super::charts::{Ink, SERIES, Spectrum, Sweep};
use super::error::RenderError;
use super::page::{Page, shell};
use super::sections::{Section, heading};
use super::table::{Cell, Table};
use crate::folder::EXPERIMENT;
use crate::format::experiment::{Experiment, ExperimentRow, ExperimentTable, ExperimentUnit, Measured};
use crate::human;

const TIMES: &str = "All runs of an arm together. The further to the right, the rarer.";
const ARMS: &str = "What differs between the runs. Their order was interleaved, so that what happens to the machine happens to all arms.";

/// A distribution of an arm, in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Spread<'a> {
    /// The arm's name.
    pub arm: &'a str,
    /// All samples of its valid runs.
    pub histogram: &'a Histogram<u64>,
}

pub(super) fn page(experiment: &Experiment, of: &str, spreads: &[Spread<'_>]) -> Result<Markup, RenderError> {
    let section = |id, short, body| Section { id, short, body };
    let mut sections = vec![section("verdict", "Answer", answer(experiment))];
    sections.extend(spectrum(of, spreads)?.map(|chart| {
        section("times", "Times", html! { (heading("times", "Times", TIMES)) div.grid { (chart) } })
    }));
    let tables = experiment.tables.iter().map(|table| render(experiment, table));
    sections.push(section("figures", "Figures", html! {
        (heading("figures", "Figures", "Of all runs of an arm together; in brackets the lowest and the highest of a single run."))
        @for table in tables { (table) }
    }));
    sections.push(section("arms", "Arms", html! { (heading("arms", "Arms", ARMS)) (arms(experiment)) }));
    Ok(shell(&Page {
        title: &format!("{} – experiment", experiment.name),
        brand: "experiment",
        version: &experiment.version,
        sections: &sections,
        footer: html! { "Made from " code { (EXPERIMENT) } ", which holds every figure in full." },
    }))
}

fn answer(experiment: &Experiment) -> Markup {
    let (headline, rest) = match experiment.answers.split_first() {
        Some((first, rest)) => (first.as_str(), rest),
        None => ("No answer", [].as_slice()),
    };
    let banner = Banner {
        section: "verdict",
        name: &experiment.name,
        started_at: experiment.started_at,
        target: &experiment.target,
        version: &experiment.version,
        tone: Tone::Unsaid,
        headline,
        sentence: &experiment.question,
    };
    html! {
        (banner.render())
        @if !rest.is_empty() { ul { @for sentence in rest { li { (sentence) } } } }
    }
}

fn spectrum(of: &str, spreads: &[Spread<'_>]) -> Result<Option<Markup>, RenderError> {
    let with_samples = spreads.iter().filter(|spread| !spread.histogram.is_empty()).take(SERIES.into());
    let sweeps: Vec<Sweep<'_>> = with_samples
        .enumerate()
        .map(|(index, spread)| Sweep::of(spread.arm, Ink::series(index), spread.histogram))
        .collect();
    if sweeps.is_empty() {
        return Ok(None);
    }
    Spectrum { id: "spectrum".into(), title: of.to_owned(), sweeps, bounds: Vec::new() }.render().map(Some)
}

fn render(experiment: &Experiment, table: &ExperimentTable) -> Markup {
    let mut header = vec!["figure".to_owned()];
    header.extend(experiment.arms.iter().map(|arm| arm.name.clone()));
    let mut rows = Table::new(format!("{}. {}", table.title, table.how), header);
    for row in &table.rows {
        let mut cells = vec![Cell::text(&row.measure)];
        cells.extend(row.values.iter().map(|value| cell(row, value.as_ref())));
        rows.row(cells);
    }
    rows.render()
}

fn cell(row: &ExperimentRow, value: Option<&Measured>) -> Cell {
    match value {
        None => Cell::text(human::NOTHING),
        Some(measured) => Cell::quantity(row.unit.show(measured), measured.value),
    }
}

fn arms(experiment: &Experiment) -> Markup {
    let mut table = Table::new("The arms", ["arm", "what differs", "valid runs"]);
    for arm in &experiment.arms {
        let runs = Cell::quantity(human::count(arm.runs.into()), arm.runs.into());
        table.row([Cell::text(&arm.name), Cell::text(&arm.about), runs]);
    }
    table.render()
}

impl ExperimentUnit {
    /// A figure as it reads, with the range of single runs where they differ.
    #[must_use]
    pub fn show(self, Measured { value, low, high }: &Measured) -> String {
        let one = |value: f64| match self {
            Self::Microseconds => human::duration(value),
            Self::Share => format!("{} %", human::amount(value * 100.0)),
            Self::Usd => format!("{value:.4} USD"),
            Self::Number => human::amount(value),
        };
        let (value, low, high) = (one(*value), one(*low), one(*high));
        if low == high { value } else { format!("{value} ({low} to {high})") }
    }
}
