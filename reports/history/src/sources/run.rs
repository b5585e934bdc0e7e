//! A run folder as an entry.

use std::path::Path;

use reports::folder::RunFolder;
use reports::format::{Manifest, RunState, Status, Summary};
use reports::history::Kind;

use super::Provenance;
use super::digest::digest;
use crate::entry::{Entry, Validity};
use crate::error::HistoryError;
use crate::host;
use crate::measures;

pub(super) fn read(folder: &Path, provenance: &Provenance) -> Result<Entry, HistoryError> {
    let RunFolder { manifest, scenario_toml, summary, .. } = RunFolder::read(folder)?;
    let Some(summary) = summary.filter(|_| manifest.state != RunState::Running) else {
        return Err(HistoryError::Unfinished { path: folder.into() });
    };
    let commit = provenance.commit_of_run(manifest.commit.as_ref());
    Ok(Entry {
        kind: Kind::Run,
        key: manifest.run.id.clone(),
        name: manifest.run.name.clone(),
        digest: digest(folder, &scenario_toml),
        target: manifest.run.target.clone(),
        host: host::class(&manifest.host),
        os: manifest.host.os.clone(),
        branch: provenance.branch_of(commit.as_ref()),
        commit,
        version: manifest.run.version.clone(),
        at: manifest.run.started_at,
        validity: validity(&summary),
        measures: measures::of_run(&summary, measured_s(&manifest, &summary)),
    })
}

/// Why a run says nothing of its target. A failed threshold is a result like any other.
fn validity(summary: &Summary) -> Validity {
    let reason = match summary.status() {
        Status::Passed | Status::NotJudged | Status::ThresholdsFailed => return Validity::Valid,
        Status::Invalid => summary
            .verdict
            .invalid_reasons
            .first()
            .map_or_else(|| "the generator could not send on schedule".to_owned(), Clone::clone),
        Status::NothingConnected => "no player could connect".into(),
        Status::Interrupted => "it was interrupted".into(),
        Status::Failed => "an error ended it".into(),
        Status::Unfinished => "it is not finished".into(),
    };
    Validity::Invalid(reason)
}

/// Seconds of the measured phases that the run came to.
fn measured_s(manifest: &Manifest, summary: &Summary) -> f64 {
    let whole = summary.run.ended_at.duration_since(summary.run.started_at).as_secs_f64();
    if manifest.phases.is_empty() {
        return whole;
    }
    let end = summary.verdict.ended_early.as_ref().map_or(f64::INFINITY, |early| early.at_s);
    let measured = manifest.phases.iter().filter(|phase| phase.measured);
    measured.map(|phase| (phase.end_s.min(end) - phase.start_s).max(0.0)).sum()
}

#[cfg(test)]
mod tests {
    use reports::format::{EndedEarly, Phase, Verdict};

    use super::*;

    #[test]
    fn only_measured_seconds_count() {
        let phase = |start_s, end_s, measured| Phase { name: String::new(), start_s, end_s, measured };
        let manifest = Manifest {
            phases: vec![phase(0.0, 10.0, false), phase(10.0, 40.0, true), phase(40.0, 70.0, true)],
            ..Manifest::default()
        };
        assert!((measured_s(&manifest, &Summary::default()) - 60.0).abs() < 1e-9);
        let ended_early = Some(EndedEarly { at_s: 50.0, planned_s: 70.0, reason: String::new() });
        let summary =
            Summary { verdict: Verdict { ended_early, ..Verdict::default() }, ..Summary::default() };
        assert!((measured_s(&manifest, &summary) - 40.0).abs() < 1e-9);
    }
}
