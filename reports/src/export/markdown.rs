//! Markdown for a job's summary on GitHub or a note on a merge request of GitLab: the verdict, what is worst, and a tiny chart.
//!
//! **Foreign text stays text.** A name of plain characters stands in backticks; any other in `<code>` with every character
//! that could mean something as an entity, which no Markdown takes for markup, in a table or outside. Both keep mentions and
//! references from acting. Sentences have their punctuation escaped, and an empty comment after what would begin a mention, a
//! reference or a link. No line begins with foreign text, so that GitLab finds no quick action.

use std::fmt::Write;

use super::sparkline::sparkline;
use crate::digest::Bin;
use crate::findings::{self, Findings};
use crate::folder::{RunFolder, Tag};
use crate::format::{Delivery, Frames, Latency, Operation, OperationSecond, Status, Summary, Suspect};
use crate::human::{self, P50, P99};
use crate::{printable, verdict};

/// Rows of a table; the report has all.
const ROWS: usize = 8;
/// Sentences of a kind; the report has all.
const SENTENCES: usize = 5;
/// Suspects that are described.
const SUSPECTS: usize = 3;
/// Characters of the chart.
const COLUMNS: usize = 60;
/// Characters of a name in the chart.
const NAME: usize = 20;
/// Characters of a name elsewhere.
const LONGEST: usize = 120;

pub(super) fn render(folder: &RunFolder, summary: &Summary) -> String {
    let parts = [
        head(summary),
        thresholds(summary),
        gave_way(summary),
        stalls(folder, summary),
        operations(summary),
        deliveries(summary),
        chart(folder, summary),
    ];
    let mut text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n");
    let _ = writeln!(
        text,
        "\n~ before a percentile: fewer than ten samples lie beyond it. `report.html` of the run folder has every figure."
    );
    text
}

fn head(summary: &Summary) -> String {
    let statement = verdict::of(summary);
    let sign = match statement.status {
        Status::Passed => "✅",
        Status::NotJudged => "❔",
        Status::ThresholdsFailed | Status::NothingConnected | Status::Failed => "❌",
        Status::Invalid | Status::Interrupted | Status::Unfinished => "⚠️",
    };
    let run = &summary.run;
    let seconds = run.ended_at.duration_since(run.started_at).as_secs_f64();
    let mut text = format!(
        "## {sign} {}: {}\n\n**Verdict:** {}\n\n",
        statement.headline,
        code(&run.name),
        prose(&statement.sentence)
    );
    let also = statement.reasons.iter().map(|reason| ("Also", reason));
    let not_judged = summary.verdict.not_judged.iter().map(|what| ("Not judged", what));
    let notes = summary.verdict.warnings.iter().map(|warning| ("Note", warning));
    let all: Vec<_> = also.chain(not_judged).chain(notes).collect();
    for (kind, sentence) in all.iter().take(SENTENCES) {
        let _ = writeln!(text, "- **{kind}:** {}", prose(sentence));
    }
    if all.len() > SENTENCES {
        let _ = writeln!(text, "- and {} more in the report", all.len() - SENTENCES);
    }
    if !all.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "Run {} on {}, {} long, seed {}, loadgen {}; status `{}`, exit code {}",
        code(&run.id),
        code(&run.target),
        human::clock(seconds),
        run.seed,
        code(&run.version),
        statement.status.word(),
        summary.exit_code()
    );
    text
}

fn thresholds(summary: &Summary) -> String {
    let mut all: Vec<_> = summary.thresholds.iter().collect();
    all.sort_by_key(|threshold| threshold.passed);
    let rows = all.iter().map(|threshold| {
        let word = match (threshold.passed, threshold.observed) {
            (true, _) => "✓ passed",
            (false, Some(_)) => "✕ failed",
            (false, None) => "✕ not judged",
        };
        [code(&verdict::rule(threshold)), word.into(), prose(&verdict::observed(threshold))]
    });
    table(["threshold", "verdict", "observed"], 1, rows)
}

fn gave_way(summary: &Summary) -> String {
    let Some(found) = &summary.correlation else { return String::new() };
    let started_at = summary.run.started_at;
    let Some(Findings { headline, sentences }) = findings::of(found, started_at) else {
        return String::new();
    };
    let mut text = format!("### {headline}\n\n");
    for sentence in &sentences {
        let _ = writeln!(text, "- {}", prose(sentence));
    }
    for suspect in found.suspects.iter().take(SUSPECTS) {
        let Suspect { explained, remedy, .. } = suspect;
        let _ = writeln!(
            text,
            "- **Suspect:** {}; explains {} %. **Next:** {}",
            prose(&findings::gave_way(suspect, started_at)),
            findings::whole_percent(explained.min(1.0)),
            prose(remedy)
        );
    }
    text
}

/// Nothing where the figures tell nothing about the target.
fn stalls(folder: &RunFolder, summary: &Summary) -> String {
    let sentence = folder.digest.stalls().sentence().filter(|_| summary.verdict.valid);
    sentence.map_or_else(String::new, |sentence| format!("**Stalls:** {}\n", prose(&sentence)))
}

/// The slowest operations; `connect` is among them where it is one of these.
fn operations(summary: &Summary) -> String {
    let mut all: Vec<(&String, &Operation)> = summary.operations.iter().collect();
    all.sort_by_key(|(_, operation)| std::cmp::Reverse(operation.response_time_us.p99));
    let rows = all.iter().map(|(name, operation)| {
        let response = &operation.response_time_us;
        let counts = [
            operation.offered,
            operation.completed,
            operation.failed + operation.timed_out,
            operation.unsent,
        ];
        let [offered, completed, failed, unsent] = counts.map(human::short_count);
        let [p50, p99, max] = times(response);
        [code(name), offered, completed, failed, unsent, p50, p99, max]
    });
    let header =
        ["operation, slowest first", "offered", "completed", "failed", "unsent", "p50", "p99", "max"];
    table(header, 7, rows)
}

/// The deliveries of which most was lost, then the slowest.
fn deliveries(summary: &Summary) -> String {
    let lost = |delivery: &Delivery| delivery.lost as f64 / delivery.expected.max(1) as f64;
    let mut all: Vec<(&String, &Delivery)> = summary.deliveries.iter().collect();
    all.sort_by(|(_, a), (_, b)| lost(b).total_cmp(&lost(a)).then_with(|| b.each_us.p99.cmp(&a.each_us.p99)));
    let rows = all.iter().map(|(name, delivery)| {
        let counts = [delivery.expected, delivery.received, delivery.late, delivery.lost];
        let [expected, received, late, lost] = counts.map(human::short_count);
        let [p50, p99, max] = times(&delivery.each_us);
        [code(name), expected, received, late, lost, p50, p99, max]
    });
    let header = ["delivery, worst first", "expected", "received", "late", "lost", "p50", "p99", "max"];
    let mut text = table(header, 7, rows);
    if let Some(doubt) = summary.frames.as_ref().and_then(Frames::doubt).filter(|_| !text.is_empty()) {
        let _ = writeln!(text, "\n**Note:** {}", prose(&doubt));
    }
    text
}

fn times(latency: &Latency) -> [String; 3] {
    [P50.show(latency), P99.show(latency), human::max(latency)]
}

/// The slowest operation's p99 and all operations' answers and errors over the run, a character for each stretch.
fn chart(folder: &RunFolder, summary: &Summary) -> String {
    let (digest, grid) = (&folder.digest, folder.digest.grid());
    let length = digest.measured_end_s();
    if length < 2.0 {
        return String::new();
    }
    let per = grid.bins.div_ceil(COLUMNS);
    let stretch = per as u64 * grid.step_s;
    let columns = grid.bins.div_ceil(per);
    let per_second = |count: fn(&OperationSecond) -> u64| {
        let of_stretch = |bins: &[Bin]| {
            let seconds: u64 = bins.iter().map(|bin| bin.seconds).sum();
            let operations = bins.iter().flat_map(|bin| bin.sum.operations.values());
            (seconds > 0).then(|| operations.map(count).sum::<u64>() as f64 / seconds as f64)
        };
        digest.bins().chunks(per).map(of_stretch).collect::<Vec<_>>()
    };
    let answers = per_second(|operation| operation.completed);
    let errors = per_second(OperationSecond::errors);
    let mut rows = Vec::new();
    let others = summary.operations.iter().filter(|(name, _)| *name != "connect");
    let slowest = others.max_by_key(|(_, operation)| operation.response_time_us.p99);
    if let Some((name, _)) = slowest {
        let name_shown: String = printable::line(name).chars().take(NAME).collect();
        let of_stretch = |column: usize| digest.over(Tag::Response(name), column * per..(column + 1) * per);
        let all = (0..columns).map(of_stretch);
        let waits = all.map(|all| (!all.is_empty()).then(|| all.quantile(0.99) as f64)).collect();
        rows.push((format!("{name_shown} p99"), waits, (|us| human::duration(us)) as fn(f64) -> String));
    }
    let rate: fn(f64) -> String = |rate| format!("{}/s", human::significant(rate));
    rows.push(("answers".into(), answers, rate));
    rows.push(("errors".into(), errors, rate));
    let width = rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::from("~~~text\n");
    for (name, values, show) in &rows {
        let top = values.iter().flatten().copied().reduce(f64::max);
        let top = match top {
            None => human::NOTHING.to_owned(),
            Some(0.0) => "none".to_owned(),
            Some(top) => format!("0 to {}", show(top)),
        };
        let _ = writeln!(text, "  {name:<width$}  {}  {top}", sparkline(values));
    }
    let end = human::clock(length);
    let _ = writeln!(text, "  {:<width$}  0:00{end:>room$}", "", room = columns.saturating_sub(4));
    let _ = writeln!(text, "~~~\n\nA character is {stretch} s.");
    text
}

/// A table whose last `numbers` columns are right-aligned; empty without rows. Cells are Markdown already.
fn table<const N: usize>(
    header: [&str; N],
    numbers: usize,
    rows: impl ExactSizeIterator<Item = [String; N]>,
) -> String {
    let all = rows.len();
    if all == 0 {
        return String::new();
    }
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&header.map(str::to_owned));
    let rule = (0..N).map(|column| if column + numbers < N { "---" } else { "---:" });
    let _ = writeln!(text, "|{}|", rule.collect::<Vec<_>>().join("|"));
    rows.take(ROWS).for_each(|row| text.push_str(&line(&row)));
    if all > ROWS {
        let _ = writeln!(text, "\nand {} more in the report", all - ROWS);
    }
    text
}

/// A name as code.
fn code(name: &str) -> String {
    let name = printable::line(name);
    let short: String = name.chars().take(LONGEST).collect();
    let cut = if short.len() < name.len() { "…" } else { "" };
    let plain = |c: char| c.is_ascii_alphanumeric() || " _-.,:;/%<>=()+'{}…".contains(c);
    if !short.is_empty() && short.trim() == short && short.chars().all(plain) {
        return format!("`{short}{cut}`");
    }
    let entity = |c: char| match c {
        c if c.is_ascii_alphanumeric() || c == ' ' || !c.is_ascii() => c.to_string(),
        c => format!("&#{};", u32::from(c)),
    };
    format!("<code>{}{cut}</code>", short.chars().map(entity).collect::<String>())
}

/// A sentence that foreign text may stand in.
fn prose(sentence: &str) -> String {
    let line = printable::line(sentence);
    let mut text = String::with_capacity(line.len() + 16);
    let mut chars = line.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let within = before.is_alphanumeric() && chars.peek().is_some_and(|next| next.is_alphanumeric());
        before = c;
        match c {
            // As in `send_message`: no emphasis begins or ends there.
            '_' if within => text.push('_'),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '$' | '{' | '}' => {
                let _ = write!(text, "&#{};", u32::from(c));
            }
            // What begins a mention or a reference with the next character, or a link.
            '@' | '#' | '!' | '~' | '^' => {
                text.push(c);
                text.push_str("<!-- -->");
            }
            ':' if chars.peek() == Some(&'/') => text.push_str(":<!-- -->"),
            '.' if text.to_ascii_lowercase().ends_with("www") => text.push_str("<!-- -->."),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_stands_in_backticks_and_any_other_in_entities() {
        assert_eq!(code("send_message"), "`send_message`");
        assert_eq!(code("send.response_time.p99 < 250ms"), "`send.response_time.p99 < 250ms`");
        assert_eq!(code("a|b"), "<code>a&#124;b</code>");
        assert_eq!(code("``x``"), "<code>&#96;&#96;x&#96;&#96;</code>");
        assert_eq!(code("@team"), "<code>&#64;team</code>");
        assert_eq!(code("</code>`"), "<code>&#60;&#47;code&#62;&#96;</code>");
        assert_eq!(code("a\n/close"), "<code>a&#92;n&#47;close</code>");
        assert_eq!(code(""), "<code></code>");
        assert!(code(&"x".repeat(1_000)).chars().count() < 130);
    }

    #[test]
    fn a_sentence_has_no_markup_mention_reference_or_link() {
        assert_eq!(
            prose("*b* _i_ `c` [l](x) <b> a|b"),
            "&#42;b&#42; &#95;i&#95; &#96;c&#96; &#91;l&#93;(x) &lt;b&gt; a&#124;b"
        );
        assert_eq!(prose("p99 of send_message"), "p99 of send_message");
        assert_eq!(prose("@team #12 !3"), "@<!-- -->team #<!-- -->12 !<!-- -->3");
        assert_eq!(prose("https://x www.x"), "https:<!-- -->//x www<!-- -->.x");
        assert_eq!(prose("p99 was 1.5 ms, 3 % lost."), "p99 was 1.5 ms, 3 % lost.");
    }

    #[test]
    fn a_long_table_says_how_much_it_leaves_out() {
        let rows = (0..10).map(|row| [format!("`{row}`"), row.to_string()]);
        let text = table(["name", "count"], 1, rows);
        assert!(text.starts_with("| name | count |\n|---|---:|\n| `0` | 0 |\n"), "{text}");
        assert!(text.ends_with("| `7` | 7 |\n\nand 2 more in the report\n"), "{text}");
        assert_eq!(table(["name"], 0, std::iter::empty::<[String; 1]>().collect::<Vec<_>>().into_iter()), "");
    }
}
