//! A comparison in words, for a terminal and as Markdown.

use std::fmt::Write;

use output::Look;

use super::columns::Columns;
use crate::format::comparison::{Change, ComparedRun, Comparison, Measure, NotCompared, Scale};
use crate::human;
use crate::printable;

/// How many changed measures are told in sentences.
const MOST_TOLD: usize = 5;

/// The verdict in a line.
#[must_use]
pub fn headline(comparison: &Comparison) -> String {
    if comparison.measures.is_empty() && !comparison.objections.is_empty() && !comparison.forced {
        return "Not comparable".to_owned();
    }
    let count = |change| comparison.measures.iter().filter(|one| one.verdict == change).count();
    let each = [Change::Regressed, Change::Improved, Change::Undecided, Change::Unchanged].map(|change| {
        let count = count(change);
        (count > 0).then(|| format!("{count} {}", change.word()))
    });
    let counts = each.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let word = match comparison.verdict {
        Change::Regressed => "Regressed",
        Change::Improved => "Improved",
        Change::Unchanged => "Unchanged",
        Change::Undecided | Change::Unknown => "Undecided",
    };
    if counts.is_empty() { format!("{word}: nothing to compare") } else { format!("{word}: {counts}") }
}

/// What is behind the verdict, a sentence each.
pub(crate) fn sentences(comparison: &Comparison) -> Vec<String> {
    let mut sentences: Vec<String> = comparison.objections.iter().map(|one| one.reason.clone()).collect();
    if comparison.forced {
        sentences.insert(0, "Compared all the same (--force), although these runs are not comparable:".into());
    }
    for change in [Change::Regressed, Change::Improved] {
        let found = comparison.of(change);
        sentences.extend(found.iter().take(MOST_TOLD).map(|measure| told(measure)));
        if found.len() > MOST_TOLD {
            sentences.push(format!("{} more have {}.", found.len() - MOST_TOLD, change.word()));
        }
    }
    if comparison.measures.is_empty() {
        return sentences;
    }
    if !comparison.method.repeats {
        sentences.push(
            "Each side is one run: how much runs differ by themselves is not known, and only the margin allows for it."
                .into(),
        );
    }
    sentences
}

/// `send_message.response_time.p99: 212 ms instead of 180 ms, +17.8 % (95 % interval +12.1 % to +23.7 %)`.
fn told(measure: &Measure) -> String {
    format!(
        "{} has {}: {} instead of {}, {} ({})",
        measure.name,
        measure.verdict.word(),
        value(measure.scale, measure.candidate),
        value(measure.scale, measure.base),
        difference(measure.scale, measure.difference),
        interval(measure),
    )
}

/// A value with its unit.
pub(crate) fn value(scale: Scale, value: f64) -> String {
    match scale {
        Scale::Microseconds => human::duration(value),
        Scale::PerSecond => format!("{}/s", human::significant(value)),
        Scale::Share => format!("{} %", human::significant(value * 100.0)),
        Scale::Number | Scale::Unknown => human::significant(value),
    }
}

/// A difference with its sign: percent of the base, or percentage points of shares.
pub(crate) fn difference(scale: Scale, difference: f64) -> String {
    let percent = difference * 100.0;
    let sign = if percent < 0.0 { "−" } else { "+" };
    let size = percent.abs();
    let digits = if size >= 99.95 { 0 } else if size >= 0.95 || size == 0.0 { 1 } else { 2 };
    let unit = if scale == Scale::Share { "points" } else { "%" };
    format!("{sign}{size:.digits$} {unit}")
}

/// The interval of a difference.
pub(crate) fn interval(measure: &Measure) -> String {
    let end = |end| difference(measure.scale, end);
    format!("{} to {}", end(measure.low), end(measure.high))
}

/// The size of an effect in a word, with its value.
pub(crate) fn effect(measure: &Measure) -> String {
    measure.effect.map_or(human::NOTHING.to_owned(), |effect| format!("{} ({:+.2})", effect.size(), effect.value))
}

/// The measures in the order in which they matter: what changed first.
pub(crate) fn ordered(comparison: &Comparison) -> Vec<&Measure> {
    let changed = [Change::Regressed, Change::Improved].map(|change| comparison.of(change));
    let rest = comparison
        .measures
        .iter()
        .filter(|one| !matches!(one.verdict, Change::Regressed | Change::Improved));
    changed.into_iter().flatten().chain(rest).collect()
}

/// What was not compared, by reason.
pub(crate) fn not_compared(comparison: &Comparison) -> Vec<(String, Vec<&str>)> {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for NotCompared { name, reason } in &comparison.not_compared {
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, names)) => names.push(name),
            None => reasons.push((reason.clone(), vec![name])),
        }
    }
    reasons
}

/// The runs of a side.
pub(crate) fn runs(side: &[ComparedRun]) -> String {
    let run = |run: &ComparedRun| {
        let commit = run.commit.as_ref().map(|commit| {
            let short: String = commit.chars().take(10).collect();
            format!(" ({short})")
        });
        format!("{}{}", run.id, commit.unwrap_or_default())
    };
    side.iter().map(run).collect::<Vec<_>>().join(", ")
}

/// How the figures were computed, in a sentence.
pub(crate) fn method(comparison: &Comparison) -> String {
    let method = &comparison.method;
    format!(
        "Margin {} of the base ({} of shares, and never less than {} of a time); {:.0} % intervals from {} block resamples; probabilities \
         adjusted for {} measures.",
        difference(Scale::Number, method.margin).trim_start_matches('+'),
        difference(Scale::Share, method.share_margin).trim_start_matches('+'),
        human::duration(method.finest_us),
        method.confidence * 100.0,
        human::count(u64::from(method.resamples)),
        comparison.measures.len(),
    )
}

/// The comparison for a terminal: verdict first.
#[must_use]
pub fn text(comparison: &Comparison, look: Look) -> String {
    let headline = headline(comparison).to_uppercase();
    let headline = match comparison.verdict {
        Change::Regressed => look.bad(&headline),
        Change::Improved | Change::Unchanged => look.good(&headline),
        Change::Undecided | Change::Unknown => headline,
    };
    let mut said = String::new();
    for sentence in sentences(comparison) {
        let _ = writeln!(said, "  {}", printable::line(&sentence));
    }
    let _ = writeln!(said, "  base: {}", printable::line(&runs(&comparison.base)));
    let _ = writeln!(said, "  candidate: {}", printable::line(&runs(&comparison.candidate)));
    let mut out = format!("{headline}\n{}", look.wrapped(&said, "    "));
    for table in [measures(comparison, look), settings(comparison)] {
        if !table.is_empty() {
            let _ = write!(out, "\n{table}");
        }
    }
    let mut notes = String::new();
    for (reason, names) in not_compared(comparison) {
        let _ = writeln!(notes, "not compared: {} ({reason})", names.join(", "));
    }
    if !comparison.measures.is_empty() {
        let _ = writeln!(notes, "{}", method(comparison));
    }
    let _ = write!(out, "\n{}", look.wrapped(&printable::lines(&notes), "  "));
    out
}

fn measures(comparison: &Comparison, look: Look) -> String {
    let mut table =
        Columns::new(["Measures", "verdict", "base", "candidate", "difference", "95 % interval", "effect"]).left(2);
    for measure in ordered(comparison) {
        table.row([
            measure.name.clone(),
            measure.verdict.word().to_owned(),
            value(measure.scale, measure.base),
            value(measure.scale, measure.candidate),
            difference(measure.scale, measure.difference),
            interval(measure),
            effect(measure),
        ]);
    }
    let row = |row: &str| match row {
        row if row.contains("  regressed  ") => look.bad(row),
        row if row.contains("  improved  ") => look.good(row),
        row => row.to_owned(),
    };
    table.finish().lines().fold(String::new(), |text, line| text + &row(line) + "\n")
}

fn settings(comparison: &Comparison) -> String {
    let mut table = Columns::new(["Settings that differ", "base", "candidate"]).left(3);
    for setting in &comparison.configuration {
        let shown = |value: &str| if value.is_empty() { human::NOTHING.to_owned() } else { value.to_owned() };
        table.row([setting.key.clone(), shown(&setting.base), shown(&setting.candidate)]);
    }
    table.finish()
}

/// The comparison as Markdown, for a merge request.
#[must_use]
pub fn markdown(comparison: &Comparison) -> String {
    let mut out = format!("## {}\n\n", escaped(&headline(comparison)));
    for sentence in sentences(comparison) {
        let _ = writeln!(out, "- {}", escaped(&sentence));
    }
    let _ = writeln!(out, "- base: {}", escaped(&runs(&comparison.base)));
    let _ = writeln!(out, "- candidate: {}", escaped(&runs(&comparison.candidate)));
    let measured = ordered(comparison).into_iter().map(|measure| {
        vec![
            measure.name.clone(),
            format!("{} {}", sign(measure.verdict), measure.verdict.word()),
            value(measure.scale, measure.base),
            value(measure.scale, measure.candidate),
            difference(measure.scale, measure.difference),
            interval(measure),
            effect(measure),
        ]
    });
    let header = ["measure", "verdict", "base", "candidate", "difference", "95 % interval", "effect"];
    table(&mut out, &header, measured.collect());
    let settings = comparison
        .configuration
        .iter()
        .map(|setting| vec![setting.key.clone(), setting.base.clone(), setting.candidate.clone()]);
    table(&mut out, &["setting", "base", "candidate"], settings.collect());
    for (reason, names) in not_compared(comparison) {
        let _ = writeln!(out, "\nNot compared: {} ({}).", escaped(&names.join(", ")), escaped(&reason));
    }
    if !comparison.measures.is_empty() {
        let _ = writeln!(out, "\n{}", escaped(&method(comparison)));
    }
    out
}

/// A sign beside the word, so that it is found at a glance.
pub(crate) fn sign(change: Change) -> &'static str {
    match change {
        Change::Regressed => "▲",
        Change::Improved => "▼",
        Change::Unchanged => "=",
        Change::Undecided | Change::Unknown => "?",
    }
}

fn table(out: &mut String, header: &[&str], rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        return;
    }
    let rule = header.iter().map(|_| "---").collect::<Vec<_>>().join("|");
    let _ = writeln!(out, "\n| {} |\n|{rule}|", header.join(" | "));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
}

/// Text that Markdown shows as it is: names come from a folder that somebody else wrote.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in printable::line(text).chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '~' | '@' | '&' | '$'
        ) {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::comparison::{Effect, EffectKind, Method, Objection, ObjectionKind, Setting};

    fn measure(name: &str, verdict: Change) -> Measure {
        Measure {
            name: name.into(),
            scale: Scale::Microseconds,
            base: 20_000.0,
            candidate: 22_000.0,
            difference: 0.1,
            low: 0.061,
            high: 0.142,
            margin: 0.025,
            probability: 0.001,
            effect: Some(Effect { kind: EffectKind::CliffsDelta, value: 0.2 }),
            verdict,
            ..Measure::default()
        }
    }

    fn comparison() -> Comparison {
        Comparison {
            verdict: Change::Regressed,
            measures: vec![measure("calm.p50", Change::Unchanged), measure("chat.p99", Change::Regressed)],
            method: Method { margin: 0.025, share_margin: 0.001, finest_us: 100.0, confidence: 0.95, ..Method::default() },
            configuration: vec![Setting {
                key: "scenario: a|b".into(),
                base: String::new(),
                candidate: "<img src=x>".into(),
            }],
            not_compared: vec![NotCompared { name: "x.p99".into(), reason: "few".into() }],
            ..Comparison::default()
        }
    }

    #[test]
    fn the_verdict_comes_first_and_what_changed_before_what_did_not() {
        let text = text(&comparison(), Look::default());
        assert!(text.starts_with("REGRESSED: 1 REGRESSED, 1 UNCHANGED\n"), "{text}");
        assert!(text.contains("chat.p99 has regressed: 22.0 ms instead of 20.0 ms, +10.0 % (+6.1 % to +14.2 %)"), "{text}");
        assert!(text.find("\nchat.p99").expect("a row") < text.find("\ncalm.p50").expect("a row"));
        assert!(text.contains("not compared: x.p99 (few)") && text.contains("Margin 2.5 % of the base (0.10 points of shares"));
    }

    #[test]
    fn markdown_shows_foreign_text_as_it_is() {
        let mut comparison = comparison();
        comparison.forced = true;
        comparison.objections =
            vec![Objection { kind: ObjectionKind::Players, reason: "players: 3 in [a](http://b)".into() }];
        let text = markdown(&comparison);
        assert!(text.contains("| scenario: a\\|b |  | \\<img src=x\\> |"), "{text}");
        assert!(text.contains("players: 3 in \\[a\\](http://b)") && text.contains("although these runs are not comparable"));
    }

    #[test]
    fn differences_have_a_sign_and_their_unit() {
        assert_eq!(difference(Scale::Microseconds, 0.1234), "+12.3 %");
        assert_eq!(difference(Scale::PerSecond, -0.0012), "−0.12 %");
        assert_eq!(difference(Scale::Share, 0.0), "+0.0 points");
        assert_eq!(difference(Scale::Share, 0.0005), "+0.05 points");
        assert_eq!(difference(Scale::Number, 2.5), "+250 %");
        assert_eq!(value(Scale::Share, 0.0123), "1.23 %");
    }
}
