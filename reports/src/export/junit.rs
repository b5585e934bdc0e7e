//! JUnit's XML, as GitHub's and GitLab's readers take it: each threshold a test case, and one for the run itself.
//!
//! A run whose figures must not be used is an *error* of the case `run`, and its thresholds are *skipped*: neither a pass nor
//! a failure of theirs would mean anything.

use maud::{Markup, html};

use crate::format::{Status, Summary, Threshold};
use crate::{printable, verdict};

/// The case that tells whether the figures can be used.
const RUN: &str = "run";

pub(super) fn render(summary: &Summary) -> String {
    let status = summary.status();
    let usable = matches!(status, Status::Passed | Status::NotJudged | Status::ThresholdsFailed);
    let failed = summary.thresholds.iter().filter(|threshold| usable && !threshold.passed).count();
    // Thresholds that failed as a whole, without one that did, as an older summary may have it.
    let unnamed = usable && failed == 0 && !summary.verdict.thresholds_passed;
    let errors = usize::from(!usable || unnamed);
    let skipped = if usable { 0 } else { summary.thresholds.len() };
    let tests = summary.thresholds.len() + 1;
    let seconds = summary.run.ended_at.duration_since(summary.run.started_at).as_secs_f64();
    let time = format!("{:.3}", seconds.max(0.0));
    let name = text(&summary.run.name);
    let said = text(&verdict::in_a_line(summary));
    let markup = html! {
        testsuites name="loadgen" tests=(tests) failures=(failed) errors=(errors) time=(time) {
            testsuite name=(name) tests=(tests) failures=(failed) errors=(errors) skipped=(skipped) time=(time)
                timestamp=(summary.run.started_at.strftime("%Y-%m-%dT%H:%M:%S")) {
                (properties(summary, status))
                testcase classname=(name) name=(RUN) time=(time) {
                    @if errors > 0 { error type=(status.word()) message=(said) { (reasons(summary)) } }
                }
                @for threshold in &summary.thresholds { (case(threshold, &name, usable)) }
            }
        }
    };
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", markup.into_string())
}

fn properties(summary: &Summary, status: Status) -> Markup {
    let exit = summary.exit_code().to_string();
    let run = &summary.run;
    let seed = run.seed.to_string();
    let pairs = [
        ("run", run.id.as_str()),
        ("target", &run.target),
        ("seed", &seed),
        ("version", &run.version),
        ("status", status.word()),
        ("exit_code", &exit),
    ];
    html! {
        properties { @for (name, value) in pairs { property name=(name) value=(text(value)) {} } }
    }
}

fn case(threshold: &Threshold, name: &str, usable: bool) -> Markup {
    let said = text(&verdict::explained(threshold));
    html! {
        testcase classname=(name) name=(text(&verdict::rule(threshold))) time="0" {
            @if !usable {
                skipped message="the run's figures must not be used" {}
            } @else if threshold.passed {
                system-out { (said) }
            } @else {
                failure type=(if threshold.observed.is_some() { "threshold" } else { "not_judged" }) message=(said) { (said) }
            }
        }
    }
}

/// Every reason why the figures cannot be used.
fn reasons(summary: &Summary) -> String {
    summary.verdict.invalid_reasons.iter().map(|reason| format!("{}\n", text(reason))).collect()
}

/// Text of one line with the characters that XML 1.0 may have.
fn text(text: &str) -> String {
    printable::line(text).chars().filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Verdict;

    fn summary(valid: bool) -> Summary {
        let threshold = |expression: &str, observed, passed| Threshold {
            expression: expression.into(),
            observed,
            passed,
            ..Threshold::default()
        };
        let mut summary = Summary {
            verdict: Verdict { valid, ..Verdict::default() },
            thresholds: vec![
                threshold("error_rate < 1%", Some(0.5), true),
                threshold("send.response_time.p99 < 250ms", Some(300.0), false),
                threshold("message.lost == 0", None, false),
            ],
            ..Summary::default()
        };
        summary.run.name = "<a & \"b\">\u{ffff}".into();
        if !valid {
            summary.verdict.invalid_reasons = vec!["late".into(), "p99 < 1".into()];
        }
        summary
    }

    #[test]
    fn each_threshold_is_a_case() {
        let xml = render(&summary(true));
        assert!(xml.contains("tests=\"4\" failures=\"2\" errors=\"0\" skipped=\"0\""), "{xml}");
        assert!(xml.contains("name=\"&lt;a &amp; &quot;b&quot;&gt;\""), "{xml}");
        assert!(xml.contains(
            "<failure type=\"threshold\" message=\"send.response_time.p99 &lt; 250ms: observed 300 ms\">"
        ));
        assert!(xml.contains("<failure type=\"not_judged\" message=\"message.lost == 0: not judged, no samples\">"));
        assert!(xml.contains("name=\"exit_code\" value=\"3\""), "{xml}");
    }

    #[test]
    fn an_invalid_run_is_an_error_and_its_thresholds_say_nothing() {
        let xml = render(&summary(false));
        assert!(xml.contains("tests=\"4\" failures=\"0\" errors=\"1\" skipped=\"3\""), "{xml}");
        assert!(xml.contains("<error type=\"invalid\"") && xml.contains("late\np99 &lt; 1\n"), "{xml}");
        assert_eq!(xml.matches("<skipped").count(), 3);
        assert!(!xml.contains("<failure"), "{xml}");
    }
}
