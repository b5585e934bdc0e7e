//! The sections of the report, in the order in which they are read.

mod columns;
mod configuration;
mod context;
mod cost;
mod delivery;
mod disruptions;
mod errors;
mod findings;
mod generator;
mod hops;
mod latency;
mod rates;
mod section;
mod server;
mod spectrum;
mod verdict;

use super::error::RenderError;

pub(super) use context::Context;
pub(super) use section::{Section, heading};

/// All sections.
///
/// # Errors
/// [`RenderError`] when a chart cannot be drawn.
pub(super) fn all(context: &Context<'_>) -> Result<Vec<Section>, RenderError> {
    let section = |id, short, body| Section { id, short, body };
    let mut sections = vec![section("verdict", "Verdict", verdict::body(context))];
    sections.extend(findings::body(context).map(|body| section("findings", "Findings", body)));
    sections.extend([
        section("rates", "Rates", rates::body(context)?),
        section("latency", "Latency", latency::body(context)?),
        section("spectrum", "Spectrum", spectrum::body(context)?),
        section("delivery", "Delivery", delivery::body(context)?),
    ]);
    sections.extend(hops::body(context).map(|body| section("hops", "Hops", body)));
    sections.extend(disruptions::body(context)?.map(|body| section("disruptions", "Faults", body)));
    sections.extend([
        section("server", "Server", server::body(context)?),
        section("generator", "Generator", generator::body(context)?),
        section("errors", "Errors", errors::body(context)),
    ]);
    sections.extend(cost::body(context).map(|body| section("cost", "Cost", body)));
    sections.extend([section("configuration", "Configuration", configuration::body(context))]);
    Ok(sections)
}
