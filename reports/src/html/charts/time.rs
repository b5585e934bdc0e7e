//! Charts over the run's time. All of one size share the axis pixel by pixel, so that they can be read downwards.

use maud::{Markup, html};
use serde_json::{Value, json};

use super::axis::Axis;
use super::draw::{Flag, Layers, Mark, Shade, Stroke, TIME_TICKS};
use super::figure::{Figure, LegendEntry};
use super::heat::Heat;
use super::ink::Ink;
use super::timeline::{Fold, Grid, Timeline};
use super::unit::Unit;
use crate::html::error::RenderError;
use crate::html::table::Table;
use crate::human;

/// A data table of a chart has at most this many rows.
const MAX_ROWS: usize = 30;
/// Fewer points than this are told in a sentence: a chart of them would be empty but for a few dots.
const FEWEST: usize = 5;
/// A line is drawn across this many missing points; beyond, the gap is the message.
const BRIDGED: usize = 3;

/// One series of a chart on its grid.
pub(in crate::html) struct Line {
    pub(in crate::html) name: String,
    pub(in crate::html) ink: Ink,
    /// Dots instead of a line.
    pub(in crate::html) dots: bool,
    /// Drawn only where it is not zero: a line along the axis would look like an error.
    pub(in crate::html) rare: bool,
    pub(in crate::html) values: Vec<Option<f64>>,
}

impl Line {
    /// A series that is drawn as a line.
    pub(in crate::html) fn new(name: impl Into<String>, ink: Ink, values: Vec<Option<f64>>) -> Self {
        Self { name: name.into(), ink, dots: false, rare: false, values }
    }

    /// Whether anything of it is drawn.
    fn is_drawn(&self) -> bool {
        self.points().any(|value| !self.rare || value != 0.0)
    }

    fn points(&self) -> impl Iterator<Item = f64> {
        self.values.iter().copied().flatten()
    }
}

/// A chart over the run's time.
pub(in crate::html) struct TimeChart<'a> {
    /// Unique in the page.
    pub(in crate::html) id: String,
    pub(in crate::html) title: String,
    /// How to read it, where its section does not say so for all its charts.
    pub(in crate::html) how: Option<&'a str>,
    pub(in crate::html) unit: Unit,
    /// Logarithmic, over this range of values at least.
    pub(in crate::html) log: Option<(f64, f64)>,
    pub(in crate::html) fold: Fold,
    pub(in crate::html) grid: Grid,
    pub(in crate::html) lines: Vec<Line>,
    /// How often each value was seen, beneath the lines.
    pub(in crate::html) heat: Option<Heat>,
    /// Where a window's figures of it are, as a JSON Pointer.
    pub(in crate::html) recomputed: Option<String>,
}

/// Smallest and largest positive value of some lines, for charts that share an axis.
pub(in crate::html) fn extent<'l>(lines: impl IntoIterator<Item = &'l Line>) -> Option<(f64, f64)> {
    lines
        .into_iter()
        .flat_map(|line| line.values.iter().copied().flatten())
        .filter(|value| *value > 0.0)
        .fold(None, |extent: Option<(f64, f64)>, value| {
            let (low, high) = extent.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        })
}

impl TimeChart<'_> {
    /// The figure, or a sentence when there are no samples.
    ///
    /// # Errors
    /// [`RenderError::Chart`] when plotters refuses.
    pub(in crate::html) fn render(&self, timeline: &Timeline<'_>) -> Result<Markup, RenderError> {
        let drawn: Vec<&Line> = self.lines.iter().filter(|line| line.is_drawn()).collect();
        if drawn.is_empty() {
            return Ok(html! { p.nothing { bdi { (self.title) } ": no samples." } });
        }
        let most = drawn.iter().map(|line| line.points().count()).max().unwrap_or(0);
        if most < FEWEST && timeline.end_s > self.grid.step * (2 * FEWEST) as f64 {
            return Ok(html! { p.nothing { bdi { (self.title) } ": " (self.few(&drawn)) } });
        }
        let high = extent(&self.lines).map_or(0.0, |(_, high)| high);
        let y = match self.log {
            // The rows of a heat map are equally high on such an axis only.
            Some((low, high)) if self.heat.is_some() => Axis::decades(low, high, self.unit),
            Some((low, high)) => Axis::log(low, high, self.unit),
            None => Axis::linear(high, self.unit, 5),
        };
        let phases = timeline.phases;
        let layers = Layers {
            title: &self.title,
            x: Axis::time(timeline.end_s, TIME_TICKS),
            y,
            shades: phases
                .iter()
                .filter(|phase| !phase.measured)
                .map(|phase| Shade { from: phase.start_s, to: phase.end_s, ink: Ink::Unmeasured })
                .chain(awaiting(timeline).map(|(from, to)| Shade { from, to, ink: Ink::Unmeasured }))
                .chain(timeline.suspects.iter().map(|&(from, to)| Shade { from, to, ink: Ink::Suspect }))
                .collect(),
            flags: numbered(&timeline.suspects),
            marks: phases
                .iter()
                .map(|phase| Mark { at: phase.start_s, name: phase.name.clone(), until: phase.end_s })
                .chain(awaiting(timeline).map(|(at, until)| Mark { at, name: "awaiting".into(), until }))
                .collect(),
            bounds: Vec::new(),
            heat: self.heat.as_ref(),
            strokes: drawn.iter().map(|line| self.stroke(line, timeline.end_s)).collect(),
            ends: awaiting(timeline).next().map(|(planned, _)| planned - 1.5 * self.grid.step),
        };
        let figure = Figure {
            id: &self.id,
            title: &self.title,
            description: &self.description(&drawn),
            how: self.how,
            keys: drawn
                .iter()
                .map(|line| LegendEntry { ink: line.ink, dots: line.dots, name: &line.name })
                .collect(),
            drawing: layers.draw()?,
            data: Some(self.data(&drawn, timeline.end_s)),
            recomputed: self.recomputed.clone().map(|pointer| ("data-heatmap", pointer)),
            scale: self.recomputed.is_some().then(|| format!("0 {} {}", timeline.end_s, layers.y.scale())),
            table: self.table(&drawn),
        };
        Ok(figure.render())
    }

    fn stroke(&self, line: &Line, end_s: f64) -> Stroke {
        let Grid { start, step } = self.grid;
        let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
        let mut missing = usize::MAX;
        for (index, value) in line.values.iter().enumerate() {
            let begin = start + index as f64 * step;
            let Some(value) =
                value.filter(|value| begin < end_s && begin + step > 0.0 && !(line.rare && *value == 0.0))
            else {
                missing = missing.saturating_add(1);
                continue;
            };
            let bridged = if line.rare { 0 } else { BRIDGED };
            if missing > bridged {
                pieces.push(Vec::new());
            }
            missing = 0;
            if let Some(piece) = pieces.last_mut() {
                piece.push((begin + step / 2.0, value));
            }
        }
        let label = (!line.dots && !line.rare).then(|| line.name.clone());
        Stroke { ink: line.ink, label, pieces, dots: line.dots }
    }

    /// What a chart of so few points would show.
    fn few(&self, drawn: &[&Line]) -> String {
        let told = drawn.iter().filter(|line| !line.dots).take(2).flat_map(|line| {
            line.values.iter().enumerate().filter_map(|(index, value)| {
                let at = self.grid.start + index as f64 * self.grid.step;
                Some(format!("{} {} at {}", line.name, self.unit.show((*value)?), human::clock(at)))
            })
        });
        format!("{}.", told.collect::<Vec<_>>().join(", "))
    }

    fn description(&self, drawn: &[&Line]) -> String {
        let peaks: Vec<String> = drawn
            .iter()
            .map(|line| {
                let values =
                    line.values.iter().enumerate().filter_map(|(index, value)| value.map(|v| (index, v)));
                match values.max_by(|a, b| a.1.total_cmp(&b.1)) {
                    None => format!("{}: no data", line.name),
                    Some((index, value)) => {
                        let at = self.grid.start + index as f64 * self.grid.step;
                        format!("{}: highest {} at {}", line.name, self.unit.show(value), human::clock(at))
                    }
                }
            })
            .collect();
        format!("Over the time of the run. {}.", peaks.join("; "))
    }

    fn data(&self, drawn: &[&Line], end_s: f64) -> String {
        let values: Vec<Vec<Value>> =
            drawn.iter().map(|line| line.values.iter().copied().map(number).collect()).collect();
        json!({
            "version": 1,
            "unit": self.unit.key(),
            "start": self.grid.start,
            "step": self.grid.step,
            "end": end_s,
            "values": values,
        })
        .to_string()
    }

    fn table(&self, drawn: &[&Line]) -> Table {
        let points = drawn.iter().map(|line| line.values.len()).max().unwrap_or(0);
        let per = points.div_ceil(MAX_ROWS).max(1);
        let (unit, divisor) = self.unit.column();
        let mut header = vec!["from (s)".to_owned()];
        header.extend(drawn.iter().map(|line| match unit {
            "" => line.name.clone(),
            unit => format!("{} ({unit})", line.name),
        }));
        let columns: Vec<Vec<Option<f64>>> =
            drawn.iter().map(|line| self.fold.groups(&line.values, per)).collect();
        let mut table = Table::new(format!("Data of {}", self.title), header);
        for row in 0..points.div_ceil(per) {
            let from = self.grid.start + (row * per) as f64 * self.grid.step;
            let mut cells = vec![human::plain(from, 3)];
            cells.extend(columns.iter().map(|column| {
                let value = column.get(row).copied().flatten();
                value.map_or(human::NOTHING.to_owned(), |value| human::plain(value / divisor, 3))
            }));
            table.plain(cells);
        }
        if per > 1 {
            let rule = if self.fold == Fold::Mean { "their mean" } else { "the highest of them" };
            let seconds = human::amount(per as f64 * self.grid.step);
            table.note(format!("Each row stands for {seconds} seconds and shows {rule}."));
        }
        table
    }
}

/// What follows the last phase: the run waits for answers and deliveries.
fn awaiting(timeline: &Timeline<'_>) -> impl Iterator<Item = (f64, f64)> {
    let planned = timeline.phases.iter().map(|phase| phase.end_s).fold(0.0, f64::max);
    (planned > 0.0 && planned < timeline.end_s).then_some((planned, timeline.end_s)).into_iter()
}

/// Each suspect's number where it gave way; those of one instant share a flag.
fn numbered(suspects: &[(f64, f64)]) -> Vec<Flag> {
    let mut flags: Vec<Flag> = Vec::new();
    for (number, &(at, _)) in suspects.iter().enumerate() {
        match flags.iter_mut().find(|flag| (flag.at - at).abs() < 1e-9) {
            Some(flag) => flag.text = format!("{}, {}", flag.text, number + 1),
            None => flags.push(Flag { at, text: format!("▼ {}", number + 1) }),
        }
    }
    flags
}

/// A number as short as it may be: the script shows three digits.
fn number(value: Option<f64>) -> Value {
    match value {
        None => Value::Null,
        Some(value) if value.fract() == 0.0 && value.abs() < 1e15 => Value::from(value as i64),
        Some(value) => Value::from((value * 100.0).round() / 100.0),
    }
}
