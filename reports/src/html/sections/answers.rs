//! The answer box: six sentences, each with a link to its evidence.

use maud::{Markup, html};

use super::context::Context;
use super::next;
use super::worst::{worst_delivery, worst_operation};
use crate::findings;
use crate::format::{Latency, Outcome};
use crate::human::{self, P50, P99};

/// An answer: its question in a word or two, the sentence, and where the evidence is.
struct Answer {
    asks: &'static str,
    says: String,
    evidence: (&'static str, &'static str),
}

pub(super) fn render(context: &Context<'_>) -> Markup {
    let answer = |asks, says, evidence| Answer { asks, says, evidence };
    let mut answers = vec![
        answer("Players", players(context), ("#phases", "Operations")),
        answer("Longest wait", waits(context), ("#distributions", "Distributions")),
        answer("Losses", losses(context), ("#delivery", "Deliveries")),
        busiest(context),
        answer("Can I believe it", trust(context), ("#trust", "Generator")),
    ];
    if let Some(stalls) = context.stalls() {
        answers.insert(2, answer("Stalls", stalls, ("#distributions", "Distributions")));
    }
    let step = next::of(context);
    html! {
        dl.answers.is-invalid[!context.usable()] {
            @for Answer { asks, says, evidence: (href, name) } in answers {
                div { dt { (asks) } dd { bdi { (says) } " " a href=(href) { (name) } } }
            }
            div {
                dt { "Next" }
                dd { bdi { (step.says) } @if let Some(command) = &step.command { " " code { (command) } } }
            }
        }
    }
}

fn players(context: &Context<'_>) -> String {
    let sockets = &context.summary.sockets;
    let connect = context.summary.operations.get("connect");
    let connecting = match connect.map(|connect| &connect.response_time_us) {
        Some(time) if time.count > 0 => {
            format!("; connecting took {} (median) and {} (p99)", P50.show(time), P99.show(time))
        }
        _ => String::new(),
    };
    let trouble: Vec<String> =
        [("handshakes failed", sockets.rejected), ("sockets were dropped", sockets.dropped)]
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| format!("{} {what}", human::count(count)))
            .collect();
    let trouble = if trouble.is_empty() { String::new() } else { format!("; {}", trouble.join(", ")) };
    format!(
        "{} players, {} sockets open at once at most{connecting}{trouble}.",
        human::count(context.folder.manifest.players),
        human::count(sockets.peak_open)
    )
}

fn waits(context: &Context<'_>) -> String {
    let told = |name: &str, what: &str, latency: &Latency| {
        format!("{name} {what}: p99 {}, median {}", P99.show(latency), P50.show(latency))
    };
    let operation = worst_operation(context);
    let delivery = worst_delivery(context);
    let mut waits: Vec<(u64, String)> = Vec::new();
    if let Some((name, operation)) = operation {
        let time = &operation.response_time_us;
        waits.push((time.p99, told(name, "answers", time)));
    }
    if let Some((kind, delivery)) = delivery {
        waits.push((delivery.each_us.p99, told(kind, "deliveries", &delivery.each_us)));
    }
    waits.sort_by_key(|(p99, _)| std::cmp::Reverse(*p99));
    match waits.len() {
        0 => "Nothing was answered in the measured phases.".into(),
        _ => format!("{}.", waits.into_iter().map(|(_, said)| said).collect::<Vec<_>>().join("; ")),
    }
}

fn losses(context: &Context<'_>) -> String {
    let summary = context.summary;
    if let Some(doubt) = summary.frames.as_ref().and_then(crate::format::Frames::doubt) {
        return format!("Not judged: {doubt}.");
    }
    let (lost, expected) = summary
        .deliveries
        .values()
        .fold((0_u64, 0_u64), |(lost, expected), all| (lost + all.lost, expected + all.expected));
    let deliveries = match (lost, expected) {
        (_, 0) => "No delivery was expected".to_owned(),
        (0, expected) => format!("None of {} deliveries was lost", human::count(expected)),
        (lost, expected) => format!(
            "{} of {} deliveries were lost ({})",
            human::count(lost),
            human::count(expected),
            human::percent(lost, expected).unwrap_or_default()
        ),
    };
    let failed: Vec<(&str, u64, u64)> = summary
        .operations
        .iter()
        .filter(|(_, operation)| operation.errors() > 0)
        .map(|(name, operation)| (name.as_str(), operation.errors(), operation.judged()))
        .collect();
    let share = |(_, errors, judged): &(&str, u64, u64)| *errors as f64 / (*judged).max(1) as f64;
    match failed.iter().max_by(|a, b| share(a).total_cmp(&share(b))) {
        None => format!("{deliveries}; no request failed."),
        Some((name, errors, judged)) => {
            let others = if failed.len() > 1 { ", the highest share" } else { "" };
            let share = human::percent(*errors, *judged).unwrap_or_default();
            format!("{deliveries}; {} of {name} failed ({share}{others}).", human::count(*errors))
        }
    }
}

fn busiest(context: &Context<'_>) -> Answer {
    let answer = |says, evidence| Answer { asks: "Busiest part", says, evidence };
    let evidence = ("#findings", "Findings");
    let started_at = context.summary.run.started_at;
    match &context.summary.correlation {
        Some(found) if found.outcome == Some(Outcome::Suspects) && !found.suspects.is_empty() => {
            answer(format!("{}.", findings::gave_way(&found.suspects[0], started_at)), evidence)
        }
        Some(found) if !found.headroom.is_empty() => {
            let near = &found.headroom[0];
            let says = format!(
                "{} of {}: {} of {} {} used at most ({} %).",
                near.what,
                near.resource,
                human::amount(near.peak),
                human::amount(near.limit),
                near.unit,
                findings::whole_percent(near.share)
            );
            answer(says, evidence)
        }
        _ => match super::functions::busiest(context) {
            Some((name, share)) => answer(
                format!("{name} had {} % of the time that functions worked.", findings::whole_percent(share)),
                ("#server", "Server"),
            ),
            None => answer("Not known: no metrics of the server were fetched.".into(), ("#server", "Server")),
        },
    }
}

fn trust(context: &Context<'_>) -> String {
    let generator = &context.summary.generator;
    let schedule = if context.summary.verdict.valid {
        "The generator sent on schedule"
    } else {
        "No: the generator did not keep its promise"
    };
    let steal = if generator.steal_percent >= 1.0 {
        format!(
            ", and {} % of the cores were taken by the hypervisor",
            human::significant(generator.steal_percent)
        )
    } else {
        String::new()
    };
    format!(
        "{schedule}: dispatch delay p99 {}, largest {}; its threads waited for a core for up to {} % of a second{steal}.",
        P99.show(&generator.dispatch_delay_us),
        human::max(&generator.dispatch_delay_us),
        human::significant(generator.run_delay_percent),
    )
}
