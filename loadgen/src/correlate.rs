//! `correlate`: fetches CloudWatch for a finished run and makes its report again.

use std::path::Path;

use reports::folder::{self, RunFolder};
use reports::format::Correlation;
use scenarios::Override;

use crate::cloudwatch::{self, Window};
use crate::run::RunError;

/// Fetches the series of the run's window into its folder; returns what could not be fetched.
///
/// # Errors
/// [`RunError`] when the folder, its scenario or the report cannot be read or written.
pub async fn correlate(dir: &Path, overrides: &[Override]) -> Result<Vec<String>, RunError> {
    let folder = RunFolder::read(dir)?;
    let mut overrides = overrides.to_vec();
    if !overrides.iter().any(|set| set.key == "cloudwatch.enabled") {
        overrides.push(Override { key: "cloudwatch.enabled".into(), value: "true".into() });
    }
    let plan = scenarios::load(&dir.join(folder::SCENARIO), &overrides)?.plan;
    let Some(wanted) = plan.cloudwatch else { return Ok(vec!["cloudwatch.enabled is false".into()]) };
    if wanted.endpoint.is_none() && matches!(plan.target, scenarios::plan::Target::Embedded { .. }) {
        return Ok(vec![
            "the embedded backend ended with its run, and its series were fetched then; there is nothing to add".into(),
        ]);
    }
    let mut summary = folder.summary_or_rebuilt().into_owned();
    let window = Window { start: summary.run.started_at, end: summary.run.ended_at };
    let fetched = cloudwatch::fetch(&wanted, wanted.endpoint.as_ref(), window).await;
    summary.correlation = Some(Correlation { functions: reports::server::functions(&fetched) });
    folder::save_cloudwatch(dir, &fetched)?;
    folder::save_summary(dir, &summary)?;
    reports::write_report(dir)?;
    Ok(fetched.problems)
}
