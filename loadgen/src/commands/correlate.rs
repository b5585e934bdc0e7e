//! `correlate`: fetches CloudWatch for a finished run and makes its report again.
//!
//! It needs the run folder and the section `[cloudwatch]` of the scenario that is kept there, and nothing else: tokens have
//! ended by the time CloudWatch has its data, and the files that the scenario names may lie elsewhere. What the
//! folder holds already is kept where this fetch has less.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use reports::folder::{self, RunFolder};
use scenarios::Override;

use crate::attributed;
use crate::cloudwatch::{self, Asked, Patience, Window};
use crate::cost;
use crate::embedded::EMBEDDED;
use crate::generate::signals::Interruption;
use crate::live::say;
use crate::run::RunError;

/// What became of it.
#[derive(Debug)]
pub struct Correlated {
    /// The folder as it is afterwards.
    pub folder: RunFolder,
    /// What could not be fetched.
    pub problems: Vec<String>,
    /// What was read, and what that cost.
    pub read: Option<String>,
    /// Whether it was interrupted while it waited; what came until then is kept.
    pub interrupted: bool,
}

/// Fetches the series of the run's window into its folder, and again until they have settled if there is `patience`.
///
/// # Errors
/// [`RunError`] when the folder, its section `[cloudwatch]` or the report cannot be read or written.
pub async fn correlate(
    dir: &Path,
    overrides: &[Override],
    patience: Option<Patience>,
) -> Result<Correlated, RunError> {
    let mut folder = RunFolder::read(dir)?;
    let embedded = folder.manifest.run.target == EMBEDDED;
    let file = dir.join(folder::SCENARIO).display().to_string();
    let wanted = scenarios::cloudwatch(&file, &folder.scenario_toml, overrides, embedded)?;
    if wanted.endpoint.is_none() && embedded {
        let nothing = "the embedded backend ended with its run, and its series were fetched then; there is nothing to add";
        return Ok(Correlated { folder, problems: vec![nothing.into()], read: None, interrupted: false });
    }
    let mut summary = folder.summary_or_rebuilt().into_owned();
    let mut answered_s = None;
    for second in folder.seconds() {
        let second = second?;
        answered_s = answered_s.max(cloudwatch::was_answered(&second).then_some(second.t));
    }
    let asked = Asked {
        wanted: &wanted,
        endpoint: wanted.endpoint.as_ref(),
        window: Window { start: summary.run.started_at, end: summary.run.ended_at, answered_s },
        target: &summary.run.target,
        topology: &folder.manifest.topology,
        tell: &|line| say(format_args!("CloudWatch: {line}")),
    };
    let interrupted = AtomicBool::new(false);
    let later = match patience {
        None => cloudwatch::fetch(asked).await,
        Some(patience) => {
            let mut interruption = Interruption::listen().map_err(RunError::Generate)?;
            let interruption = async {
                interruption.received().await;
                interrupted.store(true, Ordering::Relaxed);
            };
            cloudwatch::settle(asked, patience, interruption).await
        }
    };
    let read = later.cost.map(|cost| cloudwatch::cost::after(cost, &wanted));
    let fetched = match folder.cloudwatch.take() {
        Some(earlier) => reports::server::merge(earlier, later),
        None => later,
    };
    summary.cost = summary.cost.map(|bill| cost::with_cloudwatch(&bill, &fetched));
    folder::save_cloudwatch(dir, &fetched)?;
    folder::save_summary(dir, &summary)?;
    folder.refresh()?;
    attributed::attribute(&mut folder)?;
    reports::save_report(&folder)?;
    let mut problems = fetched.problems;
    if fetched.settled == Some(false) {
        problems.push(unsettled(patience));
    }
    Ok(Correlated { folder, problems, read, interrupted: interrupted.into_inner() })
}

fn unsettled(patience: Option<Patience>) -> String {
    let waited = patience.map_or(0, |patience| patience.limit.as_secs());
    format!(
        "no two reads agreed within {waited} s, so more may be to come; run `loadgen correlate --wait` again, or wait longer \
         with --wait=30m"
    )
}
