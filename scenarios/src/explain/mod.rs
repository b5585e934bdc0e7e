//! A plan in sentences, for people: what the report's configuration section and `scenario explain` show. The latter
//! adds a chart of what is sent when, and what the plan comes to.

mod chart;
mod disruptions;

pub mod forecast;
pub mod idle;
mod journeys;
mod messages;
mod values;

use std::fmt::Write;
use std::time::Duration;

use prices::BillItem;
use protocol::outline::Audience;
use serde_json::{Value, json};

use crate::explain::forecast::{Forecast, between};
use crate::plan::arrivals::Kind;
use crate::plan::auth::{Auth, AuthMode, SigV4Form, TokenLocation, TokenSource};
use crate::plan::operation::{Operation, What};
use crate::plan::threshold::{Abort, Threshold};
use crate::plan::way::{HeaderValue, Proxy, Way, is_loopback};
use crate::plan::{Model, Plan, PlannedOperation, Target};
use crate::redact;

/// Cells of the chart.
const WIDTH: u32 = 60;

/// Everything about a plan: sentences, chart, what it comes to and what that would cost on AWS. `wrapped` ends the
/// lines of sentences, and breaks them for where they are read; the chart and the costs stay as they are.
#[must_use]
pub fn explain(plan: &Plan, wrapped: impl Fn(&str) -> String) -> String {
    let (total, costs) = (total(plan), costs(plan));
    let warnings = idle::warnings(plan).into_iter().map(|warning| format!("Warning: {warning}."));
    let sentences: Vec<_> = sentences(plan).into_iter().chain(warnings).collect();
    format!(
        "{}\n{}\n{}\n{costs}{}",
        wrapped(&sentences.join("\n")),
        chart(plan),
        wrapped(&total),
        wrapped(&assumptions(plan))
    )
}

/// The same as values, for programs.
#[must_use]
pub fn values(plan: &Plan) -> Value {
    let forecast = Forecast::of(plan);
    let phases = plan.phases.iter().map(|phase| {
        json!({
            "name": phase.name,
            "start_s": phase.start.as_secs_f64(),
            "end_s": phase.end.as_secs_f64(),
            "measured": phase.measured,
        })
    });
    let counts = &forecast.counts;
    let operations = plan.operations.iter().zip(&counts.requests).map(|(planned, (_, requests))| {
        json!({
            "operation": &*planned.name,
            "model": match planned.model {
                Model::Closed { .. } => "closed",
                Model::Open if is_journey(planned) => "journey",
                Model::Open => "open",
            },
            "rate": planned.rate,
            "requests": requests,
        })
    });
    let pushes =
        counts.pushes.iter().map(|(kind, count)| json!({"push": plan.push_name(*kind), "count": count}));
    json!({
        "name": plan.name,
        "target": match &plan.target {
            Target::Embedded { .. } => "embedded".into(),
            Target::Url(url) => redact::address(url),
        },
        "players": plan.players,
        "seed": plan.seed,
        "length_s": plan.end().as_secs_f64(),
        "awaits_s": plan.drain().as_secs_f64(),
        "sentences": sentences(plan),
        "warnings": idle::warnings(plan),
        "phases": phases.collect::<Vec<_>>(),
        "operations": operations.collect::<Vec<_>>(),
        "thresholds": plan.thresholds.iter().map(|threshold| &threshold.expression).collect::<Vec<_>>(),
        "pushes": pushes.collect::<Vec<_>>(),
        "bytes_up": forecast.bytes_up,
        "bytes_down": forecast.bytes_down,
        "cost": forecast.bill(plan),
    })
}

/// When what is sent, a row for each operation.
fn chart(plan: &Plan) -> String {
    let cell = plan.end() / WIDTH;
    let mut text = String::new();
    for planned in &plan.operations {
        let rate = |index: u32| between(plan, planned, cell * index, cell * (index + 1)) / cell.as_secs_f64();
        let rates: Vec<_> = (0..WIDTH).map(rate).collect();
        let most = rates.iter().copied().fold(0.0, f64::max);
        let name = &*planned.name;
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{name:<18} {} up to {} a second", chart::row(&rates), rounded(most));
    }
    let _ = writeln!(text, "{:<18} {}", "", chart::axis(WIDTH as usize, plan.end().as_secs_f64()));
    text
}

/// What the plan comes to, in a sentence.
fn total(plan: &Plan) -> String {
    let Forecast { counts, bytes_up, bytes_down } = Forecast::of(plan);
    // Connecting and journeys as a whole are no requests.
    let requests =
        counts.requests.iter().skip(1).filter(|(operation, _)| !is_journey(plan.operation(*operation)));
    let requests = requests.map(|(_, count)| count).sum::<f64>();
    let of_each =
        counts.pushes.iter().map(|(kind, count)| format!("{} {}", rounded(*count), plan.push_name(*kind)));
    let of_each = of_each.collect::<Vec<_>>().join(", ");
    let of_each = if of_each.is_empty() { of_each } else { format!(" ({of_each})") };
    format!(
        "It comes to {} handshakes, {} requests and {} pushes{of_each}; players send {} and receive {}, frames and TLS not \
         counted.",
        plan.players,
        rounded(requests),
        rounded(counts.pushes.iter().map(|(_, count)| count).sum()),
        bytes(bytes_up),
        bytes(bytes_down)
    )
}

/// What that would cost.
fn costs(plan: &Plan) -> String {
    let bill = Forecast::of(plan).bill(plan);
    let about = if bill.complete { "about" } else { "at least" };
    let mut text = format!("On AWS it would cost {about} {}", bill.money(bill.total));
    for share in &bill.unit_costs {
        let _ = write!(text, ", {} {}", bill.money(share.amount), share.words());
    }
    text.push_str(":\n");
    // What is known to be nothing says nothing.
    for BillItem { item, quantity, amount, .. } in bill.items.iter().filter(|line| line.quantity != Some(0.0))
    {
        let shown = |quantity: f64| if quantity < 1.0 { format!("{quantity:.4}") } else { rounded(quantity) };
        let quantity = quantity.map_or_else(|| "not known".into(), shown);
        let amount = amount.map_or_else(String::new, |amount| bill.money(amount));
        let line = format!("  {:<24}{quantity:>12} {:<18} {amount}", item.name(), item.unit());
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn assumptions(plan: &Plan) -> String {
    Forecast::assumptions(plan).iter().map(|assumption| format!("  {assumption}\n")).collect()
}

/// A whole number where it is large, a few digits where it is small.
fn rounded(number: f64) -> String {
    if number >= 100.0 || number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.2}") }
}

fn bytes(number: f64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let unit = units.into_iter().find(|(_, size)| number >= *size);
    unit.map_or_else(|| format!("{number:.0} bytes"), |(name, size)| format!("{:.1} {name}", number / size))
}

/// The plan, one sentence a line.
#[must_use]
pub fn sentences(plan: &Plan) -> Vec<String> {
    let mut lines = vec![target(plan), protocol(plan), players(plan)];
    lines.extend(way(plan));
    lines.extend(plan.phases.iter().skip(1).map(|phase| {
        format!(
            "Phase `{}` runs from {:.1} s to {:.1} s{}.",
            phase.name,
            phase.start.as_secs_f64(),
            phase.end.as_secs_f64(),
            if phase.measured { "" } else { " as a warm-up: its figures stay out of the summary" }
        )
    }));
    for planned in plan.operations.iter().skip(1) {
        lines.extend(operation(plan, planned));
        lines.extend(messages::sentences(plan, planned));
    }
    lines.extend(journeys::sentences(plan));
    lines.extend(values::sentences(plan));
    lines.extend(disruptions::sentences(&plan.disruptions));
    lines.push(format!(
        "The run takes {:.1} s, and up to {:.0} s more for what is still awaited.",
        plan.end().as_secs_f64(),
        plan.drain().as_secs_f64()
    ));
    lines.extend(plan.thresholds.iter().map(rule));
    if plan.thresholds.is_empty() {
        lines.push("It has no thresholds: nothing is judged.".into());
    }
    lines
}

fn rule(threshold: &Threshold) -> String {
    match threshold.abort {
        None => format!("It passes if {threshold}."),
        Some(Abort { grace }) if grace.is_zero() => {
            format!("It passes if {threshold}, and ends as soon as that fails.")
        }
        Some(Abort { grace }) => format!(
            "It passes if {threshold}, and ends when that fails {} after there was first something to judge, or later.",
            humantime::format_duration(grace)
        ),
    }
}

const fn is_journey(planned: &PlannedOperation) -> bool {
    matches!(planned.what, What::Journey(_))
}

fn operation(plan: &Plan, planned: &PlannedOperation) -> Option<String> {
    let timeout = humantime::format_duration(planned.timeout);
    let outline = plan.protocol.outline();
    let (name, number) = (
        &planned.name,
        match planned.what {
            What::Request(number) | What::Poll(number) => number,
            What::Ready => {
                let steps: Vec<_> = outline.opening.iter().map(|step| format!("`{}`", step.name)).collect();
                return Some(format!(
                    "On every new socket come the steps {}, in {timeout} at most; then its player is ready.",
                    steps.join(", ")
                ));
            }
            What::Connect | What::Journey(_) => return None,
        },
    );
    let operation = outline.operations.get(number)?;
    let mut what = String::new();
    if operation.recipients {
        let (least, most) = (*planned.fan_out.start(), *planned.fan_out.end());
        let recipients = if least == most { least.to_string() } else { format!("{least} to {most}") };
        what = format!(" to {recipients} players each");
    }
    if operation.text {
        what = format!("{what} ({} bytes of text)", planned.size);
    }
    let answered = plan.is_answered(planned);
    Some(match planned.model {
        Model::Closed { think } => {
            let requests = between(plan, planned, Duration::ZERO, plan.end());
            let waits = if answered {
                format!("waits for the answer for {timeout} at most, ")
            } else {
                String::new()
            };
            format!(
                "{name}{what} in the closed model: each player that the load calls for asks, {waits}thinks for {think}, and \
                 asks again; about {requests:.0} requests."
            )
        }
        Model::Open if journeys::only_by_journeys(plan, planned) => {
            let requests = between(plan, planned, Duration::ZERO, plan.end());
            let answer =
                if answered { format!("an answer may take {timeout}") } else { "nothing answers it".into() };
            format!("{name}{what} as journeys do it, about {requests:.0} requests; {answer}.")
        }
        Model::Open => {
            let pace = match planned.arrivals.kind() {
                Kind::Even => format!("at {} per second times the load", planned.rate),
                Kind::Random => format!("at random, {} per second times the load on average", planned.rate),
                Kind::Recorded => "as recorded".into(),
            };
            let arrivals = planned.arrivals();
            let pushes = match operation.push.and_then(|push| outline.pushes.get(push)) {
                None => String::new(),
                Some(push) if push.to == Audience::Sender => format!(", {arrivals} pushes"),
                Some(_) => format!(", about {:.0} pushes", arrivals as f64 * plan.pushes_of(planned)),
            };
            let answer =
                if answered { format!("an answer may take {timeout}") } else { "nothing answers it".into() };
            format!("{name}{what}: {arrivals} arrivals {pace}{pushes}; {answer}.")
        }
    })
}

fn protocol(plan: &Plan) -> String {
    let outline = plan.protocol.outline();
    let description =
        if outline.description.is_empty() { String::new() } else { format!(" {}", outline.description) };
    format!("Its messages are those of the protocol {}.{description}", outline.name)
}

fn target(plan: &Plan) -> String {
    match &plan.target {
        Target::Embedded { profile } => {
            format!("The target is the embedded backend with the profile `{profile}`.")
        }
        Target::Url(url) => format!("The target is {}.", redact::address(url)),
    }
}

/// What is particular about the way to the target; no value of a header that came from outside.
fn way(plan: &Plan) -> Vec<String> {
    let Way { headers, subprotocols, proxy, trust, heartbeat: _ } = &plan.way;
    let mut lines = Vec::new();
    if !headers.is_empty() {
        let shown = headers.iter().map(|header| match &header.value {
            HeaderValue::Written(text) => format!("`{}: {text}`", header.name),
            HeaderValue::Env(_) | HeaderValue::File(_) => format!("`{}: …`", header.name),
        });
        lines.push(format!("Handshakes and REST requests carry {}.", shown.collect::<Vec<_>>().join(", ")));
    }
    if !subprotocols.is_empty() {
        lines.push(format!("Handshakes offer the subprotocols {}.", subprotocols.join(", ")));
    }
    let here = match &plan.target {
        Target::Embedded { .. } => true,
        Target::Url(url) => is_loopback(url),
    };
    match proxy {
        Some(_) if here => lines.push("The target is on this machine, so no proxy is asked.".into()),
        Some(Proxy::Env) => lines.push("Sockets go through the proxy that the environment names.".into()),
        Some(Proxy::Url(url)) => {
            lines.push(format!("Sockets go through the proxy {}.", url.origin().ascii_serialization()));
        }
        None => {}
    }
    if let Some(file) = &trust.ca_file {
        lines.push(format!("The certificates in {} are trusted beside the system's.", file.display()));
    }
    if let Some((certificate, _)) = &trust.client {
        lines.push(format!("Players show the certificate in {}.", certificate.display()));
    }
    if trust.insecure {
        lines.push("No certificate is checked.".into());
    }
    if let Some(beat) = plan.heartbeat() {
        let what = if beat.message { "a message" } else { "a ping" };
        lines.push(format!(
            "Every {} a player sends {what} to keep its socket open.",
            humantime::format_duration(beat.every)
        ));
    }
    lines
}

fn players(plan: &Plan) -> String {
    format!(
        "{} players connect at {} per second {}.",
        plan.players,
        plan.operation(Operation::CONNECT).rate,
        credentials(&plan.auth)
    )
}

fn credentials(auth: &Auth) -> String {
    match auth.mode {
        AuthMode::Token => {
            let from = match &auth.source {
                TokenSource::Issuer(_) => "signed token",
                TokenSource::Mint(_) => "token that is signed here",
                TokenSource::Feeder(_) => "token from a file",
                TokenSource::Command(_) => "token that a command prints",
            };
            let place = match &auth.placement {
                TokenLocation::Header { name, .. } if name == "authorization" => {
                    "the Authorization header".into()
                }
                TokenLocation::Header { name, .. } => format!("the header {name}"),
                TokenLocation::Query { name } if name == "token" => "the query".into(),
                TokenLocation::Query { name } => format!("the query as {name}"),
                TokenLocation::Subprotocol { .. } => "a subprotocol".into(),
                TokenLocation::Protocol => "the place that the protocol has for it".into(),
            };
            format!("with a {from} in {place}")
        }
        AuthMode::Header => "with an X-Player-Id header".into(),
        AuthMode::SigV4 => match auth.sigv4.form {
            SigV4Form::Header => "with a handshake signed by AWS credentials".into(),
            SigV4Form::Query => "with a URL presigned by AWS credentials".into(),
        },
        AuthMode::None => "without credentials".into(),
    }
}
