//! The frame around every chart: title, legend, drawing, reading aid, data table.

use maud::{Markup, PreEscaped, html};

use super::draw::Drawing;
use super::ink::Ink;
use crate::html::table::Table;

/// One entry of a legend.
pub(super) struct LegendEntry<'a> {
    pub(super) ink: Ink,
    pub(super) dots: bool,
    pub(super) name: &'a str,
}

/// Everything a figure shows.
pub(super) struct Figure<'a> {
    /// Unique in the page.
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    /// The drawing in words, for those who do not see it.
    pub(super) description: &'a str,
    /// How to read it, where its section does not say so for all its charts.
    pub(super) how: Option<&'a str>,
    pub(super) keys: Vec<LegendEntry<'a>>,
    pub(super) drawing: Drawing,
    /// Data for the linked crosshair, as JSON.
    pub(super) data: Option<String>,
    /// An attribute that tells the script how to draw it again for a window.
    pub(super) recomputed: Option<(&'static str, String)>,
    /// Values at the left, right, bottom and top of the plot area, for lines that the script draws; then whether upwards is `log` or
    /// `linear`.
    pub(super) scale: Option<String>,
    pub(super) table: Table,
}

impl Figure<'_> {
    pub(super) fn render(&self) -> Markup {
        let Drawing { body, view: (width, height), plot: [left, top, right, bottom] } = &self.drawing;
        let (title_id, desc_id) = (format!("{}-t", self.id), format!("{}-d", self.id));
        let of = |name| self.recomputed.as_ref().filter(|(which, _)| *which == name).map(|(_, value)| value);
        html! {
            figure.chart id=(self.id) data-plot=(format!("{left} {top} {right} {bottom}"))
                data-spectrum=[of("data-spectrum")] data-heatmap=[of("data-heatmap")]
                data-scale=[&self.scale] {
                figcaption {
                    h3 { bdi { (self.title) } }
                    output.at aria-live="off" {}
                }
                ul.legend {
                    @for key in &self.keys {
                        li { (swatch(key)) span { bdi { (key.name) } } b.value {} }
                    }
                }
                div.plot tabindex="0" {
                    svg viewBox=(format!("0 0 {width} {height}")) role="img"
                        aria-labelledby=(format!("{title_id} {desc_id}")) {
                        title id=(title_id) { (self.title) }
                        desc id=(desc_id) { (self.description) }
                        (PreEscaped(body))
                    }
                }
                @if let Some(how) = self.how { p.how { (how) } }
                details { summary { "Data table" } (self.table.render()) }
                @if let Some(data) = &self.data {
                    // Numbers only: nothing in it could end the element.
                    script type="application/json" { (PreEscaped(data)) }
                }
            }
        }
    }
}

fn swatch(key: &LegendEntry<'_>) -> Markup {
    let class = key.ink.class();
    html! {
        svg.key viewBox="0 0 24 8" aria-hidden="true" {
            @if key.dots {
                @for x in [4, 12, 20] { circle class=(format!("{class} fill")) cx=(x) cy="4" r="1.6" {} }
            } @else {
                line class=(class) x1="0" y1="4" x2="24" y2="4" {}
            }
        }
    }
}
