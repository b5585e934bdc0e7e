//! What the answers lack: an incomplete series, minutes that are not there yet, a function without a point.
//!
//! CloudWatch answers 200 and `Complete` right after a run, when half of its minutes are still to come. What should be
//! there is known from the players' side: every answer came from a function that ran.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use reports::format::{CloudWatch as Fetched, CloudWatchSeries, SeriesLine, SeriesStatus};

use super::metrics::{FUNCTION_NAME, LAMBDA};
use super::window::Window;

/// An invocation may begin a moment after the second that its request counts for.
const SLACK_S: f64 = 1.0;
/// The most functions that a sentence names; of more it has the number.
const NAMED: usize = 4;

/// Whether some player was answered in this second, so that a function ran.
pub(crate) fn was_answered(line: &SeriesLine) -> bool {
    line.operations.values().any(|operation| operation.sent > 0 && operation.completed > 0)
}

/// Series that CloudWatch does not call complete, in a sentence for each kind of answer.
pub(super) fn incomplete(fetched: &Fetched) -> Vec<String> {
    let mut answers: BTreeMap<(SeriesStatus, &[String]), Vec<&CloudWatchSeries>> = BTreeMap::new();
    for series in fetched.series.iter().filter(|series| is_incomplete(series)) {
        answers.entry((series.status, &series.messages)).or_default().push(series);
    }
    let all = fetched.series.len();
    let sentence = |((status, messages), series): ((SeriesStatus, &[String]), Vec<&CloudWatchSeries>)| {
        let (what, remedy) = match status {
            SeriesStatus::Complete => ("came with a message", "see the message"),
            SeriesStatus::PartialData => (
                "gave only a part of the points (PartialData)",
                "run `loadgen correlate` again in some minutes",
            ),
            SeriesStatus::InternalError => {
                ("failed (InternalError)", "run `loadgen correlate` again in some minutes")
            }
            SeriesStatus::Forbidden => {
                ("refused (Forbidden)", "allow the credentials cloudwatch:GetMetricData")
            }
            SeriesStatus::Unknown => ("gave an answer of an unknown kind", "run `loadgen correlate` again"),
        };
        let resources: BTreeSet<_> = series.iter().map(|series| resource(series)).collect();
        let metrics: BTreeSet<_> = series.iter().map(|series| series.metric.as_str()).collect();
        let said =
            messages.iter().map(|message| format!(": {}", message.trim_end_matches('.'))).collect::<String>();
        format!(
            "GetMetricData {what} for {} of {all} series ({} of {}){said}; {remedy}",
            series.len(),
            listed(metrics.into_iter()),
            listed(resources.iter().map(String::as_str)),
        )
    };
    answers.into_iter().map(sentence).collect()
}

/// The end of the window, where it is not there although players were answered then.
pub(super) fn missing_end(fetched: &Fetched, window: Window) -> Option<String> {
    let (newest, period) = newest_end(fetched)?;
    let end = (fetched.window_end.as_second() - window.start.as_second()) as f64;
    let answered = window.answered_s? as f64;
    let behind = answered.min(end) - newest;
    if behind <= SLACK_S {
        return None;
    }
    let missing = (behind / period).floor() + 1.0;
    let at = |offset: f64| {
        let at = window.start.checked_add(SignedDuration::from_secs_f64(offset)).unwrap_or(Timestamp::MAX);
        at.strftime("%H:%M:%S UTC").to_string()
    };
    Some(format!(
        "the last {missing} periods of {period} s are missing: no function has a point after {}, and players were answered \
         until {}; CloudWatch lags by minutes, run `loadgen correlate` again later",
        at(newest),
        at(answered),
    ))
}

/// Where the newest point ends, and how long its period is.
fn newest_end(fetched: &Fetched) -> Option<(f64, f64)> {
    let period = fetched.period_s as f64;
    let own = fetched.series.iter().filter(|series| function(series).is_some());
    let ends = own.filter_map(|series| series.points.last()).map(|(at, _)| at + period);
    ends.max_by(f64::total_cmp).map(|newest| (newest, period))
}

/// Functions of which CloudWatch has no data at all.
pub(super) fn silent<'f>(fetched: &Fetched, functions: &'f [String]) -> Vec<&'f str> {
    let speaks = |name: &str| {
        let mut own = fetched.series.iter().filter(|series| function(series) == Some(name));
        own.any(|series| !series.points.is_empty() || is_incomplete(series))
    };
    let asked = |name: &str| fetched.series.iter().any(|series| function(series) == Some(name));
    functions.iter().map(String::as_str).filter(|name| asked(name) && !speaks(name)).collect()
}

fn is_incomplete(series: &CloudWatchSeries) -> bool {
    series.status != SeriesStatus::Complete || !series.messages.is_empty()
}

/// The function that a series of Lambda's is of.
fn function(series: &CloudWatchSeries) -> Option<&str> {
    let of_lambda = series.namespace == LAMBDA;
    of_lambda.then(|| series.dimensions.get(FUNCTION_NAME).map(String::as_str)).flatten()
}

/// What a series is of: the values of its dimensions.
fn resource(series: &CloudWatchSeries) -> String {
    match series.dimensions.values().map(String::as_str).collect::<Vec<_>>().join("/") {
        none if none.is_empty() => "the account".into(),
        names => names,
    }
}

/// `a, b, c and 3 more`.
pub(super) fn listed<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let listed = names.take(NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{listed} and {more} more") } else { listed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(metric: &str, points: &[(f64, f64)]) -> CloudWatchSeries {
        CloudWatchSeries {
            namespace: LAMBDA.into(),
            metric: metric.into(),
            dimensions: BTreeMap::from([(FUNCTION_NAME.into(), "Send".into())]),
            points: points.to_vec(),
            ..CloudWatchSeries::default()
        }
    }

    /// A run from 12:00:20 to 12:05:23 with minutes.
    fn fetched(series: Vec<CloudWatchSeries>) -> (Fetched, Window) {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let fetched = Fetched {
            window_start: at("2026-03-14T12:00:00Z"),
            window_end: at("2026-03-14T12:06:00Z"),
            period_s: 60,
            series,
            ..Fetched::default()
        };
        let (start, end) = (at("2026-03-14T12:00:20Z"), at("2026-03-14T12:05:23Z"));
        (fetched, Window { start, end, answered_s: Some(301) })
    }

    #[test]
    fn minutes_in_which_players_were_answered_are_missed() {
        let minutes = |count: u32| (0..count).map(|n| (f64::from(n) * 60.0 - 20.0, 1.0)).collect::<Vec<_>>();
        let said = |count, answered_s| {
            let (fetched, window) =
                fetched(vec![series("Errors", &minutes(1)), series("Sum", &minutes(count))]);
            missing_end(&fetched, Window { answered_s, ..window })
        };
        assert_eq!(said(6, Some(301)), None);
        assert_eq!(said(5, Some(279)), None, "the last minute had nothing but the end of the run");
        assert_eq!(said(2, None), None, "nobody was answered");
        let three = said(3, Some(301)).unwrap();
        assert!(three.starts_with("the last 3 periods of 60 s are missing"), "{three}");
        assert!(three.contains("after 12:03:00 UTC") && three.contains("until 12:05:21 UTC"), "{three}");
        assert!(said(5, Some(301)).unwrap().starts_with("the last 1 periods"));
        assert_eq!(
            missing_end(&fetched(vec![series("Sum", &[])]).0, fetched(vec![]).1),
            None,
            "nothing at all"
        );
    }

    #[test]
    fn each_kind_of_answer_is_one_sentence() {
        let with = |status, message: &str, metric| CloudWatchSeries {
            status,
            messages: if message.is_empty() { vec![] } else { vec![message.into()] },
            ..series(metric, &[])
        };
        let (fetched, _) = fetched(vec![
            with(SeriesStatus::Forbidden, "Not authorized", "Errors"),
            with(SeriesStatus::PartialData, "", "Duration"),
            with(SeriesStatus::Forbidden, "Not authorized", "Invocations"),
            series("Throttles", &[(0.0, 0.0)]),
        ]);
        let said = incomplete(&fetched);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(
            said[0].contains("PartialData") && said[0].contains("1 of 4 series (Duration of Send)"),
            "{said:?}"
        );
        assert!(
            said[1].contains("2 of 4 series (Errors, Invocations of Send): Not authorized; allow"),
            "{said:?}"
        );
        assert!(silent(&fetched, &["Send".into()]).is_empty());
    }

    #[test]
    fn long_lists_are_cut() {
        let names = ["a", "b", "c", "d", "e", "f"];
        assert_eq!(listed(names[..2].iter().copied()), "a, b");
        assert_eq!(listed(names.iter().copied()), "a, b, c, d and 2 more");
    }
}
