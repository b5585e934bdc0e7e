//! The strip that stays above everything over time: the phases as a band, and numbered marks. Each opens its stretch of the run.

use maud::{Markup, html};

use super::context::Context;
use super::marks::{self, Mark};
use crate::human;

/// Size of the band in units of the drawing; it is stretched to the page.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 24.0;

pub(super) fn body(context: &Context<'_>) -> Markup {
    let end_s = context.timeline.end_s;
    let marks = marks::of(context);
    let x = |seconds: f64| format!("{:.1}", (seconds / end_s).clamp(0.0, 1.0) * WIDTH);
    let wide =
        |from: f64, to: f64| format!("{:.1}", ((to.min(end_s) - from.max(0.0)) / end_s * WIDTH).max(2.0));
    html! {
        h2.sr #strip-h { "Phases and marks" }
        figure.band data-plot=(format!("0 0 {WIDTH} {HEIGHT}")) data-time=(end_s) {
            div.plot tabindex="0" {
                svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-labelledby="band-t band-d" {
                    title #band-t { "The run from its start to " (human::clock(end_s)) }
                    desc #band-d { (described(context, &marks)) }
                    @for (index, phase) in context.timeline.phases.iter().enumerate() {
                        @let class = match (phase.measured, index % 2) { (false, _) => "p-none", (true, 0) => "p-even", (true, _) => "p-odd" };
                        rect class=(class) x=(x(phase.start_s)) y="0" width=(wide(phase.start_s, phase.end_s)) height=(HEIGHT) {}
                    }
                    @for mark in &marks {
                        rect.p-mark x=(x(mark.from_s)) y="8" width=(wide(mark.from_s, mark.to_s)) height="8" {}
                    }
                }
            }
        }
        ul.chips aria-label="Phases and marks; each opens its stretch of the run" {
            @for phase in context.timeline.phases {
                @let mark = Mark { says: String::new(), from_s: phase.start_s, to_s: phase.end_s };
                li { (link(&mark, html! { bdi { (phase.name) } @if !phase.measured { " (not measured)" } })) }
            }
            @for (index, mark) in marks.iter().enumerate() {
                li.mark { (link(mark, html! { b { (index + 1) } " " bdi { (mark.says) } })) }
            }
        }
    }
}

fn link(mark: &Mark, content: Markup) -> Markup {
    let (from, to) = mark.window();
    html! {
        a href=(format!("#w={from}-{to}")) data-window=(format!("{from}-{to}")) {
            (content) " " span.when { (human::clock(mark.from_s.max(0.0))) }
        }
    }
}

fn described(context: &Context<'_>, marks: &[Mark]) -> String {
    let phases = context.timeline.phases.iter();
    let phases = phases.map(|phase| format!("{} from {}", phase.name, human::clock(phase.start_s)));
    let marks = marks.iter().map(|mark| format!("{} from {}", mark.says, human::clock(mark.from_s.max(0.0))));
    format!("{}.", phases.chain(marks).collect::<Vec<_>>().join("; "))
}
