//! The generator and its machine: guilty where the run is not valid, which ends everything.

use reports::format::{Evidence, Suspect, SuspectKind};

use crate::observed::{Run, Stage};
use crate::words;

/// The generator as the suspect of a run that is not valid.
pub(crate) fn suspect(run: &Run<'_>) -> Suspect {
    let kind = SuspectKind::Generator;
    let resource = run.backend.resource(&Stage::Generator);
    let evidence = run
        .summary
        .verdict
        .invalid_reasons
        .iter()
        .map(|reason| Evidence { series: "verdict".to_owned(), says: reason.clone(), points: Vec::new() })
        .collect();
    Suspect {
        kind,
        from_s: 0.0,
        to_s: run.window().to_s,
        limit: None,
        observed: None,
        unit: String::new(),
        explained: 1.0,
        symptoms: Vec::new(),
        or: Vec::new(),
        evidence,
        refuted_by: words::refuted_by(kind, &resource),
        remedy: words::remedy(kind, &resource),
        resource,
    }
}
