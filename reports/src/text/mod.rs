//! The terminal summary: the key figures, for people and CI logs.

pub mod capacity;
mod columns;
pub mod comparison;
mod disruptions;
pub mod history;

use std::fmt::Write;
use std::num::NonZeroUsize;

use output::Look;

use self::columns::{Columns, compact};
use crate::findings::{self, Findings};
use crate::folder::{REPORT, RunFolder};
use crate::format::{Delivery, Frames, FunctionSummary, Generator, Sockets, Status, Summary};
use crate::human::{self, NOTHING, P50, P95, P99, WEAK};
use crate::{printable, verdict};

/// Sentences are broken at this column at most, so that they stand under the tables; those of ordinary runs stay below it.
const WIDTH: NonZeroUsize = NonZeroUsize::new(108).unwrap();

/// The summary of a run as fixed-width text without colour, verdict first, below 110 columns.
#[must_use]
pub fn summary(folder: &RunFolder) -> String {
    summary_for(folder, Look { colour: false, width: Some(WIDTH) })
}

/// The summary for where it is read. Sentences are broken between words only, so that an id stays whole.
#[must_use]
pub fn summary_for(folder: &RunFolder, look: Look) -> String {
    let summary = folder.summary_or_rebuilt();
    let parts = [
        headed(&head(&summary), verdict::of(&summary).status, look),
        findings(&summary, look),
        stalls(folder, &summary, look),
        marked(&thresholds(&summary), look),
        sockets(&summary.sockets),
        operations(&summary),
        deliveries(&summary),
        disruptions::reconnects(&summary),
        disruptions::churn(&summary),
        disruptions::faults(&summary),
        functions(folder, look),
        generator(&summary, look),
        errors(&summary),
        disruptions::ends(&summary),
        cost(&summary, look),
        format!(
            "{WEAK} before a percentile: fewer than ten samples lie beyond it.\nReport: {}\n",
            printable::line(&folder.dir.join(REPORT).display().to_string())
        ),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn head(summary: &Summary) -> String {
    let verdict = verdict::of(summary);
    let run = &summary.run;
    let seconds = run.ended_at.duration_since(run.started_at).as_secs_f64();
    let mut out = format!("{}\n", verdict.headline.to_uppercase());
    push_wrapped(&mut out, &verdict.sentence, "");
    for reason in &verdict.reasons {
        push_wrapped(&mut out, reason, "also: ");
    }
    for what in &summary.verdict.not_judged {
        push_wrapped(&mut out, what, "not judged: ");
    }
    for warning in &summary.verdict.warnings {
        push_wrapped(&mut out, warning, "note: ");
    }
    let identity = format!(
        "{} on {}, {} long from {:.0}, seed {}, loadgen {}, run {}",
        run.name,
        run.target,
        human::clock(seconds),
        run.started_at,
        run.seed,
        run.version,
        run.id
    );
    push_wrapped(&mut out, &identity, "");
    out
}

/// A sentence on a line of its own; it is wrapped later, to the width of the terminal.
fn push_wrapped(out: &mut String, text: &str, lead: &str) {
    out.push_str(lead);
    out.push_str(&printable::line(text));
    out.push('\n');
}

/// The head, its first line in the verdict's colour, its sentences broken.
fn headed(head: &str, status: Status, look: Look) -> String {
    let (headline, sentences) = head.split_once('\n').unwrap_or((head, ""));
    let headline = match status {
        Status::Passed => look.good(headline),
        Status::NotJudged => headline.to_owned(),
        _ => look.bad(headline),
    };
    format!("{headline}\n{}", look.wrapped(sentences, "  "))
}

/// A table with the rows that failed in colour.
fn marked(table: &str, look: Look) -> String {
    let row = |row: &str| if row.contains("  FAILED") { look.bad(row) } else { row.to_owned() };
    table.lines().fold(String::new(), |text, line| text + &row(line) + "\n")
}

/// What gave way first.
fn findings(summary: &Summary, look: Look) -> String {
    let found = summary.correlation.as_ref();
    let Some(Findings { headline, sentences }) =
        found.and_then(|found| findings::of(found, summary.run.started_at))
    else {
        return String::new();
    };
    let mut out = format!("{headline}\n");
    for sentence in &sentences {
        out.push_str(&look.wrapped(&format!("  {}\n", printable::line(sentence)), "  "));
    }
    out
}

/// Moments in which nobody was answered; nothing where the figures tell nothing about the target.
fn stalls(folder: &RunFolder, summary: &Summary, look: Look) -> String {
    let sentence = folder.digest.stalls().sentence().filter(|_| summary.verdict.valid);
    let mut out = String::new();
    if let Some(sentence) = sentence {
        push_wrapped(&mut out, &sentence, "Stalls: ");
    }
    look.wrapped(&out, "  ")
}

fn thresholds(summary: &Summary) -> String {
    let mut table = Columns::new(["Thresholds", "", "observed"]).left(2);
    for threshold in &summary.thresholds {
        let word = match (threshold.passed, threshold.observed) {
            (true, _) => "passed",
            (false, Some(_)) => "FAILED",
            (false, None) => "NOT JUDGED",
        };
        table.row([verdict::rule(threshold), word.into(), verdict::observed(threshold)]);
    }
    table.finish()
}

fn sockets(sockets: &Sockets) -> String {
    let mut table = Columns::new(["Sockets", "attempted", "opened", "rejected", "dropped", "peak open"]);
    table.row(
        [String::new()].into_iter().chain(
            [sockets.attempted, sockets.opened, sockets.rejected, sockets.dropped, sockets.peak_open]
                .map(human::short_count),
        ),
    );
    table.finish()
}

fn operations(summary: &Summary) -> String {
    let mut table = Columns::new([
        "Operations",
        "offered",
        "sent",
        "completed",
        "failed",
        "unsent",
        "p50",
        "p95",
        "p99",
        "max",
        "svc p99",
    ]);
    for (name, operation) in &summary.operations {
        let counts = [
            operation.offered,
            operation.sent,
            operation.completed,
            operation.failed + operation.timed_out,
            operation.unsent,
        ];
        let response = &operation.response_time_us;
        let times = [
            P50.show(response),
            P95.show(response),
            P99.show(response),
            human::max(response),
            P99.show(&operation.service_time_us),
        ];
        table.row(cells(name, counts, times));
    }
    let noted = with_note(
        table.finish(),
        "failed includes time-outs; p50 to max: response time, from the intended instant; svc: service time",
    );
    let noted = match summary.not_run() {
        0 => noted,
        left => with_note(
            noted,
            &format!(
                "{} of the unsent were not run because the run ended first; rates leave them out",
                human::count(left)
            ),
        ),
    };
    let noted = match summary.unfinished() {
        0 => noted,
        left => with_note(
            noted,
            &format!(
                "{} journeys were under way when the run ended: they are in no count",
                human::count(left)
            ),
        ),
    };
    let closed: Vec<_> = summary.operations.iter().filter(|(_, one)| one.model == "closed").collect();
    if closed.is_empty() {
        return noted;
    }
    let names = closed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let note =
        format!("closed model: all times run from the send, so a stall of the target shows less: {names}");
    with_note(noted, &note)
}

fn deliveries(summary: &Summary) -> String {
    let mut table = Columns::new([
        "Deliveries",
        "expected",
        "received",
        "lost",
        "dup",
        "ooo",
        "unexp",
        "each p50",
        "each p95",
        "each p99",
        "first p99",
        "last p99",
    ]);
    for (name, delivery) in &summary.deliveries {
        let counts = [
            delivery.expected,
            delivery.received,
            delivery.lost,
            delivery.duplicated,
            delivery.out_of_order,
            delivery.unexpected,
        ];
        let times = [
            P50.show(&delivery.each_us),
            P95.show(&delivery.each_us),
            P99.show(&delivery.each_us),
            P99.show(&delivery.first_us),
            P99.show(&delivery.last_us),
        ];
        table.row(cells(name, counts, times));
    }
    let noted = with_note(
        table.finish(),
        "times from the send to the push; dup duplicated, ooo out of order, unexp unexpected",
    );
    let noted = match human::lost_after(&summary.deliveries) {
        Some(sentence) => with_note(noted, &sentence),
        None => noted,
    };
    let noted = match summary.frames.as_ref().and_then(Frames::doubt).filter(|_| !noted.is_empty()) {
        Some(doubt) => with_note(noted, &doubt),
        None => noted,
    };
    let sum = |of: fn(&Delivery) -> u64| summary.deliveries.values().map(of).sum::<u64>();
    let noted = match sum(|delivery| delivery.late) {
        0 => noted,
        late => with_note(
            noted,
            &format!("{} came late: after their time-out, within the grace", human::count(late)),
        ),
    };
    match sum(|delivery| delivery.too_late) {
        0 => noted,
        late => with_note(
            noted,
            &format!("{} of the lost came all the same, after the grace", human::count(late)),
        ),
    }
}

fn functions(folder: &RunFolder, look: Look) -> String {
    let mut out = table_of_functions(&folder.functions(), look);
    if let Some(cloudwatch) = &folder.cloudwatch {
        cloudwatch.problems.iter().for_each(|problem| push_wrapped(&mut out, problem, "CloudWatch: "));
        cloudwatch.notes.iter().for_each(|note| push_wrapped(&mut out, note, "note: CloudWatch: "));
    }
    out
}

fn table_of_functions(functions: &[FunctionSummary], look: Look) -> String {
    let mut table = Columns::new([
        "Functions",
        "peak conc.",
        "at",
        "invocations",
        "throttles",
        "errors",
        "avg",
        "max",
        "iterator age",
    ]);
    let amount = |value: Option<f64>| value.map_or(NOTHING.to_owned(), human::amount);
    let time = |ms: Option<f64>| ms.map_or(NOTHING.to_owned(), |ms| compact(&human::duration(ms * 1e3)));
    for function in functions {
        table.row([
            // Programs look for whole names.
            look.width.map_or_else(|| function.function.clone(), |_| shortened(&function.function)),
            amount(function.peak_concurrency),
            function.peak_at_s.map_or(NOTHING.to_owned(), human::clock),
            amount(function.invocations),
            amount(function.throttles),
            amount(function.errors),
            time(function.duration_avg_ms),
            time(function.duration_max_ms),
            time(function.iterator_age_max_ms),
        ]);
    }
    table.finish()
}

fn generator(summary: &Summary, look: Look) -> String {
    let Generator { dispatch_delay_us, event_loop_lag_us, cpu_seconds, peak_rss_bytes, saturated, .. } =
        &summary.generator;
    let mut table = Columns::new([
        "Generator",
        "dispatch p50",
        "p95",
        "p99",
        "max",
        "loop lag p99",
        "CPU",
        "peak RSS",
        "saturated",
    ]);
    table.row([
        String::new(),
        compact(&P50.show(dispatch_delay_us)),
        compact(&P95.show(dispatch_delay_us)),
        compact(&P99.show(dispatch_delay_us)),
        compact(&human::max(dispatch_delay_us)),
        compact(&P99.show(event_loop_lag_us)),
        compact(&human::duration(cpu_seconds * 1e6)),
        human::bytes(*peak_rss_bytes as f64),
        if *saturated { "YES" } else { "no" }.to_owned(),
    ]);
    let mut out = table.finish();
    if let Some(sentence) = human::workers(&summary.generator) {
        out.push_str(&look.wrapped(&format!("  {sentence}"), "  "));
    }
    out
}

fn errors(summary: &Summary) -> String {
    let mut table = Columns::new(["Errors by class", "", "count"]).left(2);
    for (operation, counts) in &summary.operations {
        for (class, count) in &counts.errors {
            table.row([operation.clone(), class.clone(), human::count(*count)]);
        }
    }
    // What arrived and fits no rule of the protocol, by what it looks like.
    for (shape, count) in summary.frames.iter().flat_map(|frames| &frames.shapes) {
        table.row([verdict::NOT_UNDERSTOOD.into(), shape.clone(), human::count(*count)]);
    }
    table.finish()
}

fn cost(summary: &Summary, look: Look) -> String {
    let Some(cost) = &summary.cost else { return String::new() };
    let mut out = String::new();
    push_wrapped(&mut out, &cost.sentence(), "Cost: ");
    look.wrapped(&out, "  ")
}

fn cells<const C: usize, const T: usize>(
    name: &str,
    counts: [u64; C],
    times: [String; T],
) -> impl Iterator<Item = String> {
    let times = times.map(|time| compact(&time));
    [name.to_owned()].into_iter().chain(counts.map(human::short_count)).chain(times)
}

fn with_note(mut table: String, note: &str) -> String {
    if !table.is_empty() {
        let _ = writeln!(table, "  {note}");
    }
    table
}

/// The end of a long name: stacks give all functions the same prefix.
fn shortened(name: &str) -> String {
    const LONGEST: usize = 28;
    let length = name.chars().count();
    if length <= LONGEST {
        return name.to_owned();
    }
    let end: String = name.chars().skip(length - LONGEST + 1).collect();
    format!("…{end}")
}
