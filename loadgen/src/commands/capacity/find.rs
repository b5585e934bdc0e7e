//! A search from its request to its result: what is checked before the first run, and what is left behind.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use output::Look;
use reports::capacity::{Capacity, Ended, SCHEMA_VERSION, Vary};
use reports::folder;
use scenarios::{Checked, Source};

use super::driver::{self, Driver};
use super::error::CapacityError;
use super::estimate::Estimate;
use super::load::VariedLoad;
use super::request::SearchRequest;
use super::search::{Next, Rules, Search};
use crate::checked;
use crate::generate::signals::outlive_the_terminal;
use crate::run::manifest::identity;
use crate::workers::split::Workers;

/// The highest level that a scenario may have.
const MOST: f64 = 1e6;
/// The search goes down to this share of its start before it gives up: six halvings.
const LEAST: f64 = 1.0 / 64.0;

/// What a search found, and where it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What it found.
    pub capacity: Capacity,
    /// Its folder.
    pub dir: PathBuf,
}

/// Searches, and leaves a folder with `capacity.json`, `capacity.html` and every run.
///
/// # Errors
/// [`CapacityError`].
pub async fn find(request: &SearchRequest) -> Result<Found, CapacityError> {
    outlive_the_terminal()?;
    let source = Source::read(&request.scenario)?;
    let Checked { plan, .. } = checked::check(&source, &request.overrides)?;
    let load = VariedLoad { plan: &plan, vary: request.vary };
    if load.as_written() <= 0.0 {
        return Err(CapacityError::NoRate);
    }
    if plan.thresholds.is_empty() {
        return Err(CapacityError::NoThresholds);
    }
    let (from, to) = (request.from.unwrap_or_else(|| load.as_written()), request.to.unwrap_or(MOST));
    if from > to {
        return Err(CapacityError::Range { from, to });
    }
    let rules = rules(request, from, to);
    let search = Search::new(rules);
    let identity = identity(&plan);
    let dir =
        request.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("capacity-{}", identity.id)));
    let capacity = Capacity {
        schema_version: SCHEMA_VERSION,
        name: plan.name.clone(),
        target: identity.target,
        version: identity.version,
        vary: request.vary,
        precision: request.precision,
        repeats: request.repeats,
        thresholds: plan.thresholds.iter().map(ToString::to_string).collect(),
        started_at: Timestamp::now(),
        ..Capacity::default()
    };
    let mut driver = Driver { request, source: &source, load, search, capacity, dir: &dir };
    if let Next::Try(first) = driver.search.next() {
        // A first level that cannot be run is reported before anything is written.
        let run = driver.candidate(first)?.length;
        folder::make(&dir)?;
        let estimate = Estimate::of(rules, request.to.is_some(), run, request.cool_down);
        request.progress.line(estimate.sentence(request.max_duration));
    }
    let ended = driver.run().await;
    if !driver.capacity.steps.is_empty() || ended.is_ok() {
        driver.keep(*ended.as_ref().unwrap_or(&Ended::Unfinished))?;
    }
    if ended.is_err() && driver.capacity.steps.is_empty() {
        // These remove empty folders only, so that the same search can be started again in its place.
        let _ = std::fs::remove_dir(dir.join(driver::STEPS));
        let _ = std::fs::remove_dir(&dir);
    }
    let capacity = driver.capacity;
    if ended.is_err() && !capacity.steps.is_empty() {
        request.progress.line(text(&capacity, &dir, Look::of_stderr()));
    }
    ended.map(|_| Found { capacity, dir })
}

/// What a search found, for a terminal.
#[must_use]
pub fn text(capacity: &Capacity, dir: &Path, look: Look) -> String {
    format!(
        "\n{}{}",
        look.wrapped(&reports::capacity::text(capacity), "  "),
        dir.join(reports::capacity::PAGE).display()
    )
}

fn rules(request: &SearchRequest, from: f64, to: f64) -> Rules {
    let whole = request.vary == Vary::Players;
    let least = from * LEAST;
    // Every worker needs a player.
    let workers = match request.workers {
        Some(Workers::Count(count)) => f64::from(count.get()),
        _ => 1.0,
    };
    Rules {
        start: from,
        least: if whole { least.ceil().max(workers) } else { least },
        most: if whole { to.floor() } else { to },
        precision: request.precision,
        repeats: request.repeats,
        whole,
    }
}
