//! The page of a comparison: the verdict, every measure with its interval, the shift of each distribution, what was set up differently.

use maud::{Markup, html};

use super::banner::{Banner, Tone};
use super::charts::ShiftPlot;
use super::error::RenderError;
use super::page::{Page, shell};
use super::sections::{Section, heading};
use super::table::{Cell, Table};
use crate::format::comparison::{Change, ComparedRun, Comparison, Measure};
use crate::human;
use crate::text::comparison as words;

const MEASURES: &str = "A measure has regressed or improved where its difference lies beyond the margin, surely enough among all that were looked at; it is \
                        unchanged where its whole interval lies within the margin; otherwise the data does not say. Differences are of the candidate from \
                        the base: percent of the base, or percentage points of rates.";
const SHIFTS: &str = "By how much each percentile of the candidate differs from the same percentile of the base: above zero it takes longer. The band is the \
                      95 % interval of each percentile alone, the dashed lines are the margin.";
const SETTINGS: &str = "Keys of scenario and manifest whose values are not the same on both sides.";

pub(super) fn page(comparison: &Comparison) -> Result<Markup, RenderError> {
    let section = |id, short, body| Section { id, short, body };
    let mut sections = vec![section("verdict", "Verdict", verdict(comparison))];
    if !comparison.measures.is_empty() {
        let body = html! { (heading("measures", "Measures", MEASURES)) (measures(comparison).render()) (left_out(comparison)) };
        sections.push(section("measures", "Measures", body));
    }
    if !comparison.shifts.is_empty() {
        sections.push(section("shifts", "Shifts", shifts(comparison)?));
    }
    sections.push(section("settings", "Settings", settings(comparison)));
    sections.push(section("runs", "Runs", runs(comparison)));
    let version = &comparison.version;
    Ok(shell(&Page {
        title: &format!("{} – comparison", name(comparison)),
        brand: "comparison",
        version,
        sections: &sections,
        footer: html! { (words::method(comparison)) },
    }))
}

/// The name of what was run.
fn name(comparison: &Comparison) -> &str {
    comparison.candidate.first().map_or("nothing", |run| run.name.as_str())
}

fn verdict(comparison: &Comparison) -> Markup {
    let sentences = words::sentences(comparison);
    let (first, others) =
        sentences.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let newest = comparison.candidate.first().cloned().unwrap_or_default();
    let banner = Banner {
        section: "verdict",
        name: name(comparison),
        started_at: newest.started_at,
        target: &newest.target,
        version: &newest.version,
        tone: match comparison.verdict {
            Change::Improved | Change::Unchanged if comparison.objections.is_empty() => Tone::Good,
            Change::Regressed => Tone::Bad,
            Change::Improved | Change::Unchanged => Tone::Open,
            Change::Undecided | Change::Unknown => Tone::Unsaid,
        },
        headline: &words::headline(comparison),
        sentence: first,
    };
    html! {
        (banner.render())
        @if !others.is_empty() { ul { @for sentence in others { li { (sentence) } } } }
    }
}

fn measures(comparison: &Comparison) -> Table {
    let header = [
        "measure",
        "verdict",
        "base",
        "candidate",
        "difference",
        "95 % interval",
        "probability",
        "effect",
        "samples",
    ];
    let mut table = Table::new("Every measure that both sides have", header);
    for measure in words::ordered(comparison) {
        let value = |value| Cell::quantity(words::value(measure.scale, value), value);
        let samples = measure.base_samples.min(measure.candidate_samples);
        table.row([
            Cell::text(measure.name.clone()),
            change(measure),
            value(measure.base),
            value(measure.candidate),
            Cell::quantity(words::difference(measure.scale, measure.difference), measure.difference),
            Cell::quantity(words::interval(measure), measure.low),
            Cell::quantity(probability(measure.probability), measure.probability),
            Cell::quantity(words::effect(measure), measure.effect.map_or(0.0, |effect| effect.value)),
            Cell::quantity(human::short_count(samples), samples as f64),
        ]);
    }
    table.note(
        "Probability: of a difference as far beyond the margin where there is none, adjusted for all measures (Benjamini–Hochberg). Effect: Cliff's delta of \
         the samples, Cohen's h of rates. Samples: of the side that has fewer.",
    );
    table
}

fn change(measure: &Measure) -> Cell {
    let text = format!("{} {}", words::sign(measure.verdict), measure.verdict.word());
    match measure.verdict {
        Change::Regressed => Cell::verdict(&text, "words bad"),
        Change::Improved => Cell::verdict(&text, "words good"),
        Change::Unchanged | Change::Undecided | Change::Unknown => Cell::text(text),
    }
}

fn probability(probability: f64) -> String {
    if probability < 0.001 { "< 0.001".to_owned() } else { human::plain(probability, 2) }
}

fn left_out(comparison: &Comparison) -> Markup {
    let reasons = words::not_compared(comparison);
    html! {
        @if !reasons.is_empty() {
            h3 { "Not compared" }
            ul { @for (reason, names) in &reasons { li { (names.join(", ")) ": " (reason) } } }
        }
    }
}

fn shifts(comparison: &Comparison) -> Result<Markup, RenderError> {
    let plot = |(index, shift)| {
        ShiftPlot { id: format!("shift-{index}"), shift, margin: comparison.method.margin }.render()
    };
    let plots = comparison.shifts.iter().enumerate().map(plot).collect::<Result<Vec<_>, _>>()?;
    Ok(html! {
        (heading("shifts", "Shifts", SHIFTS))
        div.grid { @for plot in plots { (plot) } }
    })
}

fn settings(comparison: &Comparison) -> Markup {
    let mut table = Table::new("Settings that are not the same", ["setting", "base", "candidate"]);
    let shown = |value: &str| Cell::text(if value.is_empty() { human::NOTHING } else { value });
    for setting in &comparison.configuration {
        table.row([Cell::text(setting.key.clone()), shown(&setting.base), shown(&setting.candidate)]);
    }
    html! {
        (heading("settings", "Settings that differ", SETTINGS))
        @if comparison.configuration.is_empty() {
            p.nothing { "Both sides were set up alike." }
        } @else {
            (table.render())
        }
    }
}

fn runs(comparison: &Comparison) -> Markup {
    let mut table =
        Table::new("The runs of both sides", ["run", "side", "started", "target", "commit", "loadgen"]);
    let mut side = |word: &str, side: &[ComparedRun]| {
        for run in side {
            table.row([
                Cell::text(run.id.clone()),
                Cell::text(word),
                Cell::text(run.started_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()),
                Cell::text(run.target.clone()),
                Cell::text(run.commit.clone().unwrap_or(human::NOTHING.to_owned())),
                Cell::text(run.version.clone()),
            ]);
        }
    };
    side("base", &comparison.base);
    side("candidate", &comparison.candidate);
    html! { (heading("runs", "Runs", "")) (table.render()) }
}
