//! The sections of the report, in the order in which they are read.

mod answer;
mod answers;
mod by_phase;
mod columns;
mod configuration;
mod context;
mod cost;
mod delivery;
mod disruptions;
mod distributions;
mod errors;
mod figures;
mod findings;
mod functions;
mod hops;
mod marks;
mod next;
mod over_time;
mod phases;
mod section;
mod server;
mod story;
mod strip;
mod thresholds;
mod trust;
mod worst;

use super::error::RenderError;

pub(super) use context::Context;
pub(super) use section::{Section, heading};

/// All sections.
///
/// # Errors
/// [`RenderError`] when a chart cannot be drawn.
pub(super) fn all(context: &Context<'_>) -> Result<Vec<Section>, RenderError> {
    let section = |id, short, body| Section { id, short, body };
    let mut sections = vec![section("answer", "Answer", answer::body(context))];
    sections.push(section("strip", "Timeline", strip::body(context)));
    sections.extend(findings::body(context).map(|body| section("findings", "Findings", body)));
    sections.push(section("phases", "Operations", phases::body(context)?));
    sections.extend(hops::body(context).map(|body| section("hops", "Hops", body)));
    sections.extend([
        section("distributions", "Distributions", distributions::body(context)?),
        section("delivery", "Deliveries", delivery::body(context)?),
    ]);
    sections.extend(disruptions::body(context)?.map(|body| section("disruptions", "Faults", body)));
    sections.extend([
        section("server", "Server", server::body(context)?),
        section("trust", "Generator", trust::body(context)?),
        section("errors", "Errors", errors::body(context)),
    ]);
    sections.extend(cost::body(context).map(|body| section("cost", "Cost", body)));
    sections.extend([section("method", "Method", configuration::body(context))]);
    Ok(sections)
}
