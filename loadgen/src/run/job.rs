//! From a checked plan to a judged run: prepares the target, generates the load, writes the summary.

use std::sync::Arc;

use reports::folder::RunWriter;
use reports::format::{Manifest, Run, SCHEMA_VERSION, Summary};
use scenarios::{Override, Plan};

use super::error::RunError;
use super::prepared::Prepared;
use crate::cloudwatch::{self, Asked, Window};
use crate::cost::{self, Recorded};
use crate::live::Live;
use crate::run_log::Finished;
use crate::verdict::summary::summarize;
use crate::verdict::totals::Totals;
use crate::workers::coordinator::{self, Generated};
use crate::workers::load::{Load, Split};

/// A checked plan, and what it was made of.
pub(super) struct Job {
    pub(super) plan: Arc<Plan>,
    /// The scenario's file.
    pub(super) file: String,
    /// Its text.
    pub(super) text: String,
    pub(super) overrides: Vec<Override>,
    /// Over how many processes the players are split; 1 is this one.
    pub(super) workers: u32,
}

impl Job {
    /// Carries the plan out and keeps what was measured.
    pub(super) async fn carry_out(
        self,
        writer: RunWriter,
        live: Live,
        manifest: &mut Manifest,
    ) -> Result<Summary, RunError> {
        let Self { plan, file, text, overrides, workers } = self;
        let prepared = Prepared::target_of(&plan).await?;
        let (load, embedded) = if workers == 1 {
            let (setup, embedded) = prepared.alone(&plan).await?;
            (Load::InProcess(Box::new(setup)), embedded)
        } else {
            let (targets, issuer) = (prepared.endpoint.targets(), prepared.issuer().cloned());
            let Prepared { embedded, url, rest, .. } = prepared;
            let split = Split { file, text, overrides, workers, targets, issuer, rest, url };
            (Load::Split(Box::new(split)), embedded)
        };
        let Generated { finished, watched, ending, started_at, ended_at, peak_open, workers } =
            coordinator::generate(&plan, load, writer, live).await?;
        let Finished { total, mut writer, write_error, live, answered_s, socket_seconds, .. } = finished;
        live.close().await;
        let mut kept = write_error.map_or(Ok(()), Err);

        manifest.run = Run { started_at, ended_at, ..manifest.run.clone() };
        let summary =
            Summary { schema_version: SCHEMA_VERSION, run: manifest.run.clone(), ..Summary::default() };
        let mut summary = summarize(
            &plan,
            summary,
            &Totals { tally: &total, peak_open, watched: &watched, workers: &workers, ending: &ending },
        );
        let mut server = None;
        if let Some(wanted) = &plan.cloudwatch {
            let endpoint =
                wanted.endpoint.as_ref().or(embedded.as_ref().map(|embedded| &embedded.endpoints.cloudwatch));
            let window = Window { start: started_at, end: ended_at, answered_s };
            let fetched = cloudwatch::fetch(Asked {
                wanted,
                endpoint,
                window,
                target: &manifest.run.target,
                topology: &manifest.topology,
                tell: &|line| tracing::info!("CloudWatch: {line}"),
            })
            .await;
            fetched.problems.iter().for_each(|problem| tracing::warn!("CloudWatch: {problem}"));
            kept = kept.and(writer.cloudwatch(&fetched));
            server = Some(fetched);
        }
        let seconds = ended_at.duration_since(started_at).as_secs_f64();
        let recorded = Recorded { tally: &total, socket_seconds, seconds, cloudwatch: server.as_ref() };
        summary.cost = Some(cost::of_run(&plan, &recorded));
        if let Some(embedded) = embedded {
            embedded.stop().await;
        }

        manifest.state = ending.state();
        // Each is tried, whatever became of the others.
        let (judged, finished) = (writer.summary(&summary), writer.finish(manifest));
        drop(writer);
        if let Err(error) = kept.and(judged).and(finished) {
            return Err(RunError::NotKept { error, summary: Box::new(summary) });
        }
        Ok(summary)
    }
}
