//! Why runs must not be compared: they did not do the same, not by the same means, or one of them is not valid.

use std::collections::BTreeMap;

use reports::folder::RunFolder;
use reports::format::Status;
use reports::format::comparison::{Objection, ObjectionKind};

use crate::settings;

/// What the manifest says of a run against the embedded backend.
const EMBEDDED: &str = "embedded";
/// What the manifest leaves empty in older runs.
const REFERENCE: &str = "reference";
/// Memory is the same within this share: firmware and kernel keep different parts of it.
const MEMORY: f64 = 0.1;
/// How many keys of a plan are named.
const MOST_NAMED: usize = 6;

/// All reasons, each said once.
pub(crate) fn objections(base: &[RunFolder], candidate: &[RunFolder]) -> Vec<Objection> {
    let all: Vec<&RunFolder> = base.iter().chain(candidate).collect();
    let mut objections = Vec::new();
    let mut object = |kind, reason: Option<String>| {
        objections.extend(reason.map(|reason| Objection { kind, reason }));
    };
    object(ObjectionKind::Plan, plan(&all));
    object(ObjectionKind::TargetKind, differ(&all, "target", target_kind));
    object(ObjectionKind::Players, differ(&all, "players", |folder| folder.manifest.players.to_string()));
    object(ObjectionKind::Protocol, differ(&all, "protocol", protocol));
    object(ObjectionKind::HostClass, differ(&all, "host", processor).or_else(|| memory(&all)));
    for folder in all {
        object(ObjectionKind::Validity, validity(folder));
    }
    objections
}

/// Runs by what they have, where it is not the same: `players: 200 in a, b; 300 in c`.
fn differ(all: &[&RunFolder], what: &str, of: impl Fn(&RunFolder) -> String) -> Option<String> {
    let mut values: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for folder in all {
        values.entry(of(folder)).or_default().push(&folder.manifest.run.id);
    }
    let each = values.iter().map(|(value, runs)| format!("{value} in {}", runs.join(", ")));
    (values.len() > 1).then(|| format!("{what}: {}", each.collect::<Vec<_>>().join("; ")))
}

/// The scenarios say what was done; where one has none, its phases do.
fn plan(all: &[&RunFolder]) -> Option<String> {
    let plans: Vec<BTreeMap<String, String>> = all.iter().map(|folder| settings::plan(folder)).collect();
    let first = plans.first()?;
    let differing = |plan: &BTreeMap<String, String>| {
        let keys = first.keys().chain(plan.keys());
        keys.filter(|key| first.get(*key) != plan.get(*key)).cloned().collect::<Vec<String>>()
    };
    let mut keys: Vec<String> = plans.iter().flat_map(differing).collect();
    keys.sort();
    keys.dedup();
    if keys.is_empty() {
        return None;
    }
    let more = keys.len().saturating_sub(MOST_NAMED);
    keys.truncate(MOST_NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("plan: the scenarios differ in {}{rest}", keys.join(", ")))
}

fn target_kind(folder: &RunFolder) -> String {
    let target = &folder.manifest.run.target;
    if target == EMBEDDED { "the embedded backend".to_owned() } else { "a URL".to_owned() }
}

fn protocol(folder: &RunFolder) -> String {
    let protocol = &folder.manifest.protocol;
    if protocol.is_empty() { REFERENCE.to_owned() } else { protocol.clone() }
}

fn processor(folder: &RunFolder) -> String {
    let host = &folder.manifest.host;
    let system = host.os.split_whitespace().next().unwrap_or_default();
    format!("{system}, {}, {} CPUs", host.arch, host.cpus)
}

fn memory(all: &[&RunFolder]) -> Option<String> {
    let bytes = || all.iter().map(|folder| folder.manifest.host.memory_bytes as f64);
    let (least, most) = (bytes().fold(f64::MAX, f64::min), bytes().fold(0.0, f64::max));
    (most - least > MEMORY * most).then(|| {
        let shown = reports::human::bytes;
        format!("host: memory from {} to {}", shown(least), shown(most))
    })
}

fn validity(folder: &RunFolder) -> Option<String> {
    let summary = folder.summary_or_rebuilt();
    let id = &folder.manifest.run.id;
    match summary.status() {
        Status::Passed | Status::NotJudged | Status::ThresholdsFailed => {
            let early = summary.verdict.ended_early.as_ref()?;
            Some(format!("validity: {id} ended early, after {:.0} of {:.0} s", early.at_s, early.planned_s))
        }
        status => {
            let why = summary.verdict.invalid_reasons.first();
            let why = why.map_or_else(String::new, |reason| format!(": {reason}"));
            Some(format!("validity: {id} is {}{why}", status.word().replace('_', " ")))
        }
    }
}
