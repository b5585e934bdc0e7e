//! The generator and its machine: guilty where the run is not valid, which ends everything.

use reports::format::{Evidence, Summary, Suspect, SuspectKind};

use crate::words;

/// The generator as the suspect of a run that is not valid.
pub(crate) fn suspect(summary: &Summary, end_s: f64) -> Suspect {
    let kind = SuspectKind::Generator;
    let evidence = summary
        .verdict
        .invalid_reasons
        .iter()
        .map(|reason| Evidence { series: "verdict".to_owned(), says: reason.clone(), points: Vec::new() })
        .collect();
    Suspect {
        kind,
        resource: "generator".to_owned(),
        from_s: 0.0,
        to_s: end_s,
        limit: None,
        observed: None,
        unit: String::new(),
        explained: 1.0,
        symptoms: Vec::new(),
        or: Vec::new(),
        evidence,
        refuted_by: words::refuted_by(kind, "generator"),
        remedy: words::remedy(kind, "generator"),
    }
}
