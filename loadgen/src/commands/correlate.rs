//! `correlate`: fetches CloudWatch for a finished run and makes its report again.
//!
//! It needs the run folder and the section `[cloudwatch]` of the scenario that is kept there, and nothing else: tokens have
//! ended by the time CloudWatch has its data, and the files that the scenario names may lie elsewhere. What the
//! folder holds already is kept where this fetch has less.

use std::path::Path;

use reports::folder::{self, RunFolder};
use reports::format::Correlation;
use scenarios::Override;

use crate::attributed;
use crate::cloudwatch::{self, Window};
use crate::cost;
use crate::embedded::EMBEDDED;
use crate::run::RunError;

/// Fetches the series of the run's window into its folder; returns what could not be fetched.
///
/// # Errors
/// [`RunError`] when the folder, its section `[cloudwatch]` or the report cannot be read or written.
pub async fn correlate(dir: &Path, overrides: &[Override]) -> Result<Vec<String>, RunError> {
    let folder = RunFolder::read(dir)?;
    let embedded = folder.manifest.run.target == EMBEDDED;
    let file = dir.join(folder::SCENARIO).display().to_string();
    let wanted = scenarios::cloudwatch(&file, &folder.scenario_toml, overrides, embedded)?;
    if wanted.endpoint.is_none() && embedded {
        return Ok(vec![
            "the embedded backend ended with its run, and its series were fetched then; there is nothing to add".into(),
        ]);
    }
    let mut summary = folder.summary_or_rebuilt().into_owned();
    let answered = folder.series.iter().filter(|line| cloudwatch::was_answered(line)).map(|line| line.t);
    let window =
        Window { start: summary.run.started_at, end: summary.run.ended_at, answered_s: answered.max() };
    let later = cloudwatch::fetch(&wanted, wanted.endpoint.as_ref(), window).await;
    let fetched = match folder.cloudwatch {
        Some(earlier) => reports::server::merge(earlier, later),
        None => later,
    };
    let functions = reports::server::functions(&fetched);
    if !functions.is_empty() || summary.correlation.is_none() {
        summary.correlation = Some(Correlation { functions, ..Correlation::default() });
    }
    summary.cost = summary.cost.map(|bill| cost::with_cloudwatch(&bill, &fetched));
    folder::save_cloudwatch(dir, &fetched)?;
    folder::save_summary(dir, &summary)?;
    attributed::attribute(dir)?;
    reports::write_report(dir)?;
    Ok(fetched.problems)
}
