//! Whole distributions: response against service time, and the spread of a fan-out.

use maud::{Markup, html};

use super::context::Context;
use super::section::heading;
use crate::folder::Tag;
use crate::html::charts::{Ink, Spectrum, Sweep};
use crate::html::error::RenderError;

const HOW: &str = "Waits are rarer to the right: at 99 % one in a hundred is longer, at 99.9 % one in a thousand. A \
                   gap between response and service time is waiting that a generator which measures from the send \
                   hides. The shaded region is weak: fewer than ten samples lie beyond.";

pub(super) fn body(context: &Context<'_>) -> Result<Markup, RenderError> {
    let mut charts = Vec::new();
    for (index, name) in context.operations.iter().enumerate() {
        let tags = [
            ("response time", Ink::Series(1), Tag::Response(name)),
            ("service time", Ink::Series(0), Tag::Service(name)),
        ];
        charts.extend(spectrum(context, format!("spectrum-{index}"), format!("{name}: percentiles"), &tags)?);
    }
    for (index, kind) in context.kinds.iter().enumerate() {
        let tags = [
            ("last recipient", Ink::Series(1), Tag::Last(kind)),
            ("each recipient", Ink::Series(0), Tag::Each(kind)),
            ("first recipient", Ink::Series(2), Tag::First(kind)),
        ];
        charts.extend(spectrum(
            context,
            format!("spread-{index}"),
            format!("{kind}: delivery percentiles"),
            &tags,
        )?);
    }
    Ok(html! {
        (heading("spectrum", "Percentile spectrum", HOW))
        @if charts.is_empty() { p.nothing { "latency.hlog holds no histogram of a measured phase." } }
        div.grid { @for chart in charts { (chart) } }
    })
}

fn spectrum(
    context: &Context<'_>,
    id: String,
    title: String,
    tags: &[(&str, Ink, Tag<'_>)],
) -> Result<Option<Markup>, RenderError> {
    let sweeps: Vec<Sweep<'_>> = tags
        .iter()
        .filter_map(|(name, ink, tag)| {
            let histogram = context.folder.histogram(*tag)?;
            Some(Sweep { name, ink: *ink, histogram })
        })
        .collect();
    if sweeps.is_empty() {
        return Ok(None);
    }
    Spectrum { id, title, sweeps }.render().map(Some)
}
