//! Charts over the run's time. All of one size share the axis pixel by pixel, so that they can be read downwards.

use maud::{Markup, html};
use serde_json::{Value, json};

use super::axis::Axis;
use super::draw::{Flag, Layers, Mark, Shade, Size, Stroke};
use super::figure::{Figure, LegendEntry};
use super::ink::Ink;
use super::timeline::{Fold, Grid, Timeline};
use super::unit::Unit;
use crate::html::error::RenderError;
use crate::html::table::Table;
use crate::human;

/// A data table of a chart has at most this many rows.
const MAX_ROWS: usize = 60;
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
}

/// A chart over the run's time.
pub(in crate::html) struct TimeChart<'a> {
    /// Unique in the page.
    pub(in crate::html) id: String,
    pub(in crate::html) title: String,
    /// How to read it, where its section does not say so for all its charts.
    pub(in crate::html) how: Option<&'a str>,
    pub(in crate::html) size: Size,
    pub(in crate::html) unit: Unit,
    /// Logarithmic, over this range of values at least.
    pub(in crate::html) log: Option<(f64, f64)>,
    pub(in crate::html) fold: Fold,
    pub(in crate::html) grid: Grid,
    /// A value holds for its whole stretch of the grid, as CloudWatch's do.
    pub(in crate::html) steps: bool,
    pub(in crate::html) lines: Vec<Line>,
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
        if self.lines.iter().all(|line| line.values.iter().all(Option::is_none)) {
            return Ok(html! { p.nothing { (self.title) ": no samples." } });
        }
        let high = extent(&self.lines).map_or(0.0, |(_, high)| high);
        let y = match self.log {
            Some((low, high)) => Axis::log(low, high, self.unit),
            None => Axis::linear(high, self.unit, 5),
        };
        let phases = timeline.phases;
        let layers = Layers {
            title: &self.title,
            size: self.size,
            x: Axis::time(timeline.end_s, self.size.time_ticks()),
            y,
            shades: phases
                .iter()
                .filter(|phase| !phase.measured)
                .map(|phase| Shade { from: phase.start_s, to: phase.end_s, ink: Ink::Unmeasured })
                .chain(timeline.suspects.iter().map(|&(from, to)| Shade { from, to, ink: Ink::Suspect }))
                .collect(),
            flags: numbered(&timeline.suspects),
            marks: phases
                .iter()
                .map(|phase| Mark { at: phase.start_s, name: phase.name.clone(), until: phase.end_s })
                .collect(),
            strokes: self.lines.iter().map(|line| self.stroke(line, timeline.end_s)).collect(),
        };
        let figure = Figure {
            id: &self.id,
            title: &self.title,
            description: &self.description(),
            how: self.how,
            size: self.size,
            keys: self
                .lines
                .iter()
                .map(|line| LegendEntry { ink: line.ink, dots: line.dots, name: &line.name })
                .collect(),
            drawing: layers.draw()?,
            data: Some(self.data(timeline.end_s)),
            table: self.table(),
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
            let bridged = if self.steps || line.rare { 0 } else { BRIDGED };
            if missing > bridged {
                pieces.push(Vec::new());
            }
            missing = 0;
            if let Some(piece) = pieces.last_mut() {
                if self.steps {
                    piece.extend([(begin, value), (begin + step, value)]);
                } else {
                    piece.push((begin + step / 2.0, value));
                }
            }
        }
        Stroke { ink: line.ink, pieces, dots: line.dots }
    }

    fn description(&self) -> String {
        let peaks: Vec<String> = self
            .lines
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

    fn data(&self, end_s: f64) -> String {
        let values: Vec<Vec<Value>> =
            self.lines.iter().map(|line| line.values.iter().copied().map(number).collect()).collect();
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

    fn table(&self) -> Table {
        let points = self.lines.iter().map(|line| line.values.len()).max().unwrap_or(0);
        let per = points.div_ceil(MAX_ROWS).max(1);
        let (unit, divisor) = self.unit.column();
        let mut header = vec!["from (s)".to_owned()];
        header.extend(self.lines.iter().map(|line| match unit {
            "" => line.name.clone(),
            unit => format!("{} ({unit})", line.name),
        }));
        let columns: Vec<Vec<Option<f64>>> =
            self.lines.iter().map(|line| self.fold.groups(&line.values, per)).collect();
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
