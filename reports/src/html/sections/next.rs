//! What to do next, with a command where there is one.

use super::context::Context;
use super::worst::worst_operation;
use crate::format::{Outcome, Status};
use crate::printable;

/// The step.
pub(super) struct Next {
    pub(super) says: String,
    pub(super) command: Option<String>,
}

pub(super) fn of(context: &Context<'_>) -> Next {
    let summary = context.summary;
    let dir = quoted(&context.folder.dir.display().to_string());
    let next = |says: String, command: Option<String>| Next { says, command };
    match summary.status() {
        Status::Invalid => next("Mend what the verdict names, and run it again:".into(), again(context)),
        Status::Interrupted | Status::Unfinished | Status::Failed => {
            next("Run it again:".into(), again(context))
        }
        Status::NothingConnected => {
            next("Look what refuses the players:".into(), of_scenario(context, "doctor"))
        }
        Status::Passed | Status::NotJudged | Status::ThresholdsFailed => {
            let found = summary.correlation.as_ref();
            let outcome = found.and_then(|found| found.outcome);
            let suspect = found.and_then(|found| found.suspects.first());
            match (outcome, suspect) {
                (Some(Outcome::Suspects), Some(suspect)) => next(
                    format!("{} Then run it again and compare:", suspect.remedy),
                    Some(format!("loadgen compare {dir} NEW_RUN")),
                ),
                _ if context.folder.cloudwatch.is_none() => next(
                    "Fetch the server's metrics to see which part is busy:".into(),
                    Some(format!("loadgen correlate {dir}")),
                ),
                (Some(Outcome::NotEnoughData), _) => next(
                    "Fetch what is missing, as Findings lists it, and ask again:".into(),
                    Some(format!("loadgen correlate {dir}")),
                ),
                _ if summary.status() == Status::NotJudged => next(
                    "Say in the scenario what must hold, so that the next run is judged:".into(),
                    Some(threshold(context)),
                ),
                _ => {
                    next("Find out how much more the target takes:".into(), of_scenario(context, "capacity"))
                }
            }
        }
    }
}

/// The run's own command, but for where its results went: they are there already.
fn again(context: &Context<'_>) -> Option<String> {
    let command = &context.folder.manifest.command;
    let (_, words) = command.split_first()?;
    let mut kept = vec!["loadgen".to_owned()];
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--out" => drop(words.next()),
            word if word.starts_with("--out=") => {}
            word => kept.push(quoted(word)),
        }
    }
    Some(kept.join(" "))
}

/// Another command for the run's scenario.
fn of_scenario(context: &Context<'_>, command: &str) -> Option<String> {
    let scenario = context.folder.manifest.command.get(2).filter(|word| !word.starts_with('-'))?;
    Some(format!("loadgen {command} {}", quoted(scenario)))
}

/// A threshold that the run would have passed: twice what was observed.
fn threshold(context: &Context<'_>) -> String {
    match worst_operation(context) {
        Some((name, operation)) => {
            let ms = (operation.response_time_us.p99 as f64 * 2.0 / 1e3).ceil();
            format!("thresholds = [\"{name}.response_time.p99 < {ms}ms\"]")
        }
        None => "thresholds = [\"error_rate < 1%\"]".into(),
    }
}

/// A word for a shell: in quotes where it has a character that a shell would take for something.
fn quoted(word: &str) -> String {
    let word = printable::line(word);
    let plain = |c: char| c.is_alphanumeric() || "/._-=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_act_on_it() {
        assert_eq!(quoted("runs/2026-11-30T14-03-00Z"), "runs/2026-11-30T14-03-00Z");
        assert_eq!(quoted("my runs/$(rm x)"), "'my runs/$(rm x)'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
