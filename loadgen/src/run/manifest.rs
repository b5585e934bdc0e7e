//! What a run folder says of its run before anything is measured.

use jiff::Timestamp;
use protocol::outline::Resources;
use reports::format::{Manifest, Phase, Run, RunState, SCHEMA_VERSION, Topology, Work};
use scenarios::plan::Target;
use scenarios::{Plan, redact};

use crate::embedded::EMBEDDED;
use crate::git;
use crate::health::machine;

/// A name of its own for a run of the plan.
pub(crate) fn identity(plan: &Plan) -> Run {
    let now = Timestamp::now();
    let unique = uuid::Uuid::new_v4().simple().to_string();
    Run {
        id: format!("{}-{}-{}", plan.name, now.strftime("%Y%m%dT%H%M%SZ"), &unique[..6]),
        name: plan.name.clone(),
        started_at: now,
        ended_at: now,
        target: match &plan.target {
            Target::Embedded { .. } => EMBEDDED.into(),
            Target::Url(url) => redact::address(url),
        },
        seed: plan.seed,
        version: env!("CARGO_PKG_VERSION").into(),
    }
}

/// The manifest of a run that is about to begin.
pub(super) fn manifest(plan: &Plan, run: &Run, command: &[String]) -> Manifest {
    let phase = |phase: &scenarios::plan::PlannedPhase| Phase {
        name: phase.name.clone(),
        start_s: phase.start.as_secs_f64(),
        end_s: phase.end.as_secs_f64(),
        measured: phase.measured,
    };
    Manifest {
        schema_version: SCHEMA_VERSION,
        run: run.clone(),
        state: RunState::Running,
        command: command.to_vec(),
        protocol: plan.protocol.outline().name.clone(),
        topology: topology(&plan.topology),
        plan: scenarios::explain::sentences(plan),
        phases: plan.phases.iter().map(phase).collect(),
        players: u64::from(plan.players),
        host: machine::host(),
        commit: git::commit(),
    }
}

/// What is declared of the backend.
fn topology(declared: &scenarios::plan::Topology) -> Topology {
    let scenarios::plan::Topology { operations, deliveries } = declared.clone();
    let work = |resources: Resources| Work {
        functions: resources.functions,
        tables: resources.tables,
        queues: resources.queues,
    };
    Topology { operations: operations.into_iter().map(|(name, of)| (name, work(of))).collect(), deliveries }
}
