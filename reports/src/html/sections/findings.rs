//! What gave way first: symptoms, suspects with their evidence, and how far every limit was.

use maud::{Markup, html};

use super::context::Context;
use super::section::heading;
use crate::findings::{self, Findings};
use crate::format::{Association, AssociationVerdict, Correlation, Suspect};
use crate::html::table::{Cell, Table};
use crate::human::{self, NOTHING};

/// Evidence and limits beyond this many are in `summary.json`.
const MOST: usize = 20;

/// The section; nothing for a run for which nobody asked.
pub(super) fn body(context: &Context<'_>) -> Option<Markup> {
    let started_at = context.summary.run.started_at;
    let correlation = context.summary.correlation.as_ref()?;
    let Findings { headline, sentences } = findings::of(correlation, started_at)?;
    let marked = if correlation.suspects.is_empty() {
        ""
    } else {
        "▼ and a tinted stretch mark each suspect on every chart over time, by its number here."
    };
    Some(html! {
        (heading("findings", headline, marked))
        @for sentence in &sentences { p.lead { (sentence) } }
        @for (number, suspect) in correlation.suspects.iter().enumerate() {
            (suspect_block(number + 1, suspect, correlation, context))
        }
        @if !correlation.lacking.is_empty() {
            div.notice {
                p { "What an answer would have needed:" }
                ul { @for what in &correlation.lacking { li { (what) } } }
            }
        }
        @if correlation.symptoms.len() > 1 {
            details {
                summary { "All " (correlation.symptoms.len()) " promises that broke" }
                ul { @for symptom in &correlation.symptoms { li { (findings::felt(symptom, started_at)) "." } } }
            }
        }
        @if !correlation.headroom.is_empty() { (headroom(correlation).render()) }
        @if !correlation.correlations.is_empty() {
            details {
                summary { "Series that move together" }
                (associations(&correlation.correlations).render())
            }
        }
        @for note in &correlation.notes { p.note { (note) } }
    })
}

fn suspect_block(
    number: usize,
    suspect: &Suspect,
    correlation: &Correlation,
    context: &Context<'_>,
) -> Markup {
    let started_at = context.summary.run.started_at;
    let felt = suspect.symptoms.iter().filter_map(|index| correlation.symptoms.get(*index));
    let felt: Vec<String> = felt.map(|symptom| findings::felt(symptom, started_at)).collect();
    html! {
        article.suspect aria-labelledby=(format!("suspect-{number}")) {
            h3 id=(format!("suspect-{number}")) {
                (number) ". " (findings::title(suspect.kind)) ": " (suspect.resource)
            }
            p { (findings::gave_way(suspect, started_at)) "." }
            dl {
                dt { "Explains" }
                dd {
                    (findings::whole_percent(suspect.explained.min(1.0))) " % of: " (felt.join("; "))
                }
                @if !suspect.evidence.is_empty() {
                    dt { "Evidence" }
                    dd { ul {
                        @for evidence in suspect.evidence.iter().take(MOST) {
                            li { strong { (evidence.series) } ": " (evidence.says) }
                        }
                    } }
                }
                dt { "Would refute it" }
                dd { (suspect.refuted_by) }
                dt { "What to change" }
                dd { (suspect.remedy) }
            }
        }
    }
}

fn headroom(correlation: &Correlation) -> Table {
    let mut table = Table::new(
        "Headroom: the highest use of each limit",
        ["limit of", "what", "peak", "limit", "unit", "used"],
    );
    for near in correlation.headroom.iter().take(MOST) {
        table.row([
            Cell::text(&near.resource),
            Cell::text(&near.what),
            Cell::quantity(human::amount(near.peak), near.peak),
            Cell::quantity(human::amount(near.limit), near.limit),
            Cell::text(&near.unit),
            Cell::quantity(format!("{} %", findings::whole_percent(near.share)), near.share),
        ]);
    }
    let left = correlation.headroom.len().saturating_sub(MOST);
    if left > 0 {
        table.note(format!("{left} limits more, further away, are in summary.json."));
    }
    table
}

fn associations(all: &[Association]) -> Table {
    let mut table = Table::new(
        "Rank correlation, the offered load held fixed",
        ["server", "players", "coefficient", "points", "p", "shows"],
    );
    let number = |value: Option<f64>| match value {
        Some(value) => Cell::quantity(human::significant(value), value),
        None => Cell::quantity(NOTHING.to_owned(), -2.0),
    };
    for pair in all.iter().take(MOST) {
        let shows = match pair.verdict {
            AssociationVerdict::Unknown => "a verdict of a later version",
            AssociationVerdict::NotEnoughData => "not enough data",
            AssociationVerdict::NotShown => "not shown",
            AssociationVerdict::Related => "move together",
        };
        table.row([
            Cell::text(&pair.server),
            Cell::text(&pair.players),
            number(pair.coefficient),
            Cell::quantity(human::count(pair.points), pair.points as f64),
            number(pair.p),
            Cell::text(shows),
        ]);
    }
    table.note("It supports a suspect, it never makes one.");
    table
}
