//! The frame around every chart: title, legend, drawing, reading aid, data table.

use maud::{Markup, PreEscaped, html};

use super::draw::{Drawing, Size};
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
    pub(super) size: Size,
    pub(super) keys: Vec<LegendEntry<'a>>,
    pub(super) drawing: Drawing,
    /// Data for the linked crosshair, as JSON.
    pub(super) data: Option<String>,
    pub(super) table: Table,
}

impl Figure<'_> {
    pub(super) fn render(&self) -> Markup {
        let Drawing { body, view: (width, height), plot: [left, top, right, bottom] } = &self.drawing;
        let (title_id, desc_id) = (format!("{}-t", self.id), format!("{}-d", self.id));
        let class = if self.size == Size::Wide { "chart wide" } else { "chart" };
        html! {
            figure class=(class) id=(self.id) data-plot=(format!("{left} {top} {right} {bottom}")) {
                figcaption {
                    h3 { (self.title) }
                    output.at aria-live="off" {}
                }
                ul.legend {
                    @for key in &self.keys {
                        li { (swatch(key)) span { (key.name) } b.value {} }
                    }
                }
                div.plot tabindex="0" role="group" aria-label=(format!("Chart: {}", self.title)) {
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
