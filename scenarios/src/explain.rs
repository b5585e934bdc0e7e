//! A plan in sentences, for people: what the report's configuration section and `scenario explain` show.

use crate::plan::{Plan, Target};
use crate::scenario::{AuthMode, TokenPlacement};
use crate::threshold::Operation;

/// The plan, one sentence a line.
#[must_use]
pub fn sentences(plan: &Plan) -> Vec<String> {
    let mut lines = vec![target(plan), players(plan)];
    lines.extend(plan.stretches.iter().skip(1).map(|stretch| {
        format!(
            "Phase `{}` runs from {:.1} s to {:.1} s{}.",
            stretch.name,
            stretch.start.as_secs_f64(),
            stretch.end.as_secs_f64(),
            if stretch.measured { "" } else { " as a warm-up: its figures stay out of the summary" }
        )
    }));
    lines.extend(plan.operations.iter().skip(1).map(|planned| {
        let what = match (planned.operation, &plan.message) {
            (Operation::SendMessage, Some(shape)) => {
                let (least, most) = (*shape.fan_out.start(), *shape.fan_out.end());
                let recipients = if least == most { least.to_string() } else { format!("{least} to {most}") };
                let pushes = planned.arrivals() as f64 * f64::midpoint(f64::from(least), f64::from(most));
                format!(
                    " to {recipients} players each ({} bytes of text), about {pushes:.0} pushes",
                    shape.size
                )
            }
            (Operation::PlacementRequest, _) => format!(", {} pushes", planned.arrivals()),
            _ => String::new(),
        };
        format!(
            "{}: {} arrivals at {} per second times the load{what}; an answer may take {}.",
            planned.operation,
            planned.arrivals(),
            planned.rate,
            humantime::format_duration(planned.timeout)
        )
    }));
    lines.push(format!(
        "The run takes {:.1} s, and up to {:.0} s more for what is still awaited.",
        plan.end().as_secs_f64(),
        plan.drain().as_secs_f64()
    ));
    lines.extend(plan.thresholds.iter().map(|threshold| format!("It passes if {}.", threshold.expression)));
    lines
}

fn target(plan: &Plan) -> String {
    match &plan.target {
        Target::Embedded { profile } => {
            format!("The target is the embedded backend with the profile `{profile}`.")
        }
        Target::Url(url) => format!("The target is {}://{}{}.", url.scheme(), url.authority(), url.path()),
    }
}

fn players(plan: &Plan) -> String {
    let auth = match (plan.auth.mode, plan.auth.placement) {
        (AuthMode::Token, TokenPlacement::Header) => "with a signed token in the Authorization header",
        (AuthMode::Token, TokenPlacement::Query) => "with a signed token in the query",
        (AuthMode::Header, _) => "with an X-Player-Id header",
        (AuthMode::None, _) => "without credentials",
    };
    let connect = plan.operation(Operation::Connect);
    format!(
        "{} players connect at {} per second {auth}.",
        plan.players,
        connect.map_or(0.0, |planned| planned.rate)
    )
}
