//! From an operation's pace to its arrivals.

use documents::child;
use protocol::Outline;

use super::asked::Asked;
use super::context::Check;
use super::recording;
use crate::keys::operations::{ModelKind, Spacing};
use crate::keys::scenario::Scenario;
use crate::plan::Model;
use crate::plan::arrivals::{Arrivals, MOST_RANDOM};
use crate::plan::curve::Curve;

/// An operation's model and its open arrivals.
pub(super) fn paced(
    check: &mut Check<'_>,
    scenario: &Scenario,
    protocol: &Outline,
    asked: &Asked<'_>,
    load: &Curve,
) -> (Model, Arrivals) {
    let (name, pace) = (&asked.outline.name, &*asked.keys);
    let table = asked.table();
    let closed = pace.model == ModelKind::Closed;
    for (key, given, allowed, where_else) in [
        ("rate", pace.rate.is_some(), !closed, "in the closed model the answers and think_time set the pace"),
        ("arrivals", pace.arrivals.is_some(), !closed, "in the closed model nothing arrives by itself"),
        ("recording", pace.recording.is_some(), !closed, "in the closed model nothing arrives by itself"),
        ("think_time", pace.think_time.is_some(), closed, "the open model has no think time"),
        ("rate", pace.rate.is_some(), pace.recording.is_none(), "the recording sets the pace"),
        ("arrivals", pace.arrivals.is_some(), pace.recording.is_none(), "the recording sets the pace"),
    ] {
        if given && !allowed {
            check.wrong_beside(
                &format!("{table}/{key}"),
                &[&format!("{table}/model")],
                format!("has no meaning here: {where_else}"),
                "take it out",
            );
        }
    }
    if closed {
        let Some(think) = pace.think_time else {
            check.wrong(
                &table,
                "`think_time` is missing, which the closed model needs",
                "write e.g. think_time = \"exponential 2s\"",
            );
            return (Model::Open, Arrivals::none());
        };
        return (Model::Closed { think }, Arrivals::none());
    }
    if let Some(file) = &pace.recording {
        return (Model::Open, recorded(check, protocol, name, file, load));
    }
    let Some(rate) = pace.rate else {
        if asked.of_itself {
            return (Model::Open, Arrivals::none());
        }
        check.wrong(
            &table,
            "`rate` is missing",
            "write e.g. rate = 100.0; or name a recording; or choose model = \"closed\"",
        );
        return (Model::Open, Arrivals::none());
    };
    if pace.arrivals != Some(Spacing::Poisson) {
        return (Model::Open, Arrivals::even(load.clone(), rate));
    }
    if load.area() * rate > MOST_RANDOM {
        check.wrong(
            &format!("{table}/arrivals"),
            format!("{:.1e} random arrivals are more than {MOST_RANDOM:e}", load.area() * rate),
            "shorten the phases, lower the rate, or choose `constant`",
        );
        return (Model::Open, Arrivals::none());
    }
    // Each operation has a process of its own.
    let salt = asked.what().salt() << 48;
    (Model::Open, Arrivals::poisson(load.clone(), rate, scenario.seed ^ salt))
}

/// A recording's arrivals on the run's axis.
fn recorded(
    check: &mut Check<'_>,
    protocol: &Outline,
    operation: &str,
    file: &str,
    load: &Curve,
) -> Arrivals {
    let pointer = child(&child("/operations", operation), "recording");
    let remedy = "name a CSV or JSONL file beside the scenario, or at a path from the working directory";
    let Some(path) = check.named_file(&pointer, file, remedy) else { return Arrivals::none() };
    let offsets = match recording::read(&path, operation, protocol) {
        Ok(offsets) => offsets,
        Err(bad) => {
            for line in bad {
                check.wrong(
                        &pointer,
                        format!("{}: {line}", path.display()),
                        "the columns are `offset_s` (seconds from the first phase's start) and, for several operations, `operation`",
                    );
            }
            return Arrivals::none();
        }
    };
    check.keep_file(&pointer, &path);
    let (start, length) = (load.start(), load.length());
    if let Some(last) = offsets.iter().max().filter(|last| **last > length) {
        check.wrong_beside(
            &pointer,
            &["/phases"],
            format!(
                "has arrivals up to {:.1} s, but the phases are over after {:.1} s",
                last.as_secs_f64(),
                length.as_secs_f64()
            ),
            "lengthen the phases, or cut the recording",
        );
    }
    Arrivals::recorded(offsets.into_iter().map(|offset| start + offset).collect())
}
