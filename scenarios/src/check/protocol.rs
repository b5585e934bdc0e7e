//! From the key `protocol` to the protocol: one that the program has, or a file, which is kept with the run.

use std::path::Path;
use std::sync::Arc;

use documents::Mistakes;
use protocol::{Protocol, Source};

use super::context::Check;
use super::nothing::Nothing;
use crate::keys::scenario::Scenario;

/// Where the scenario names it.
const KEY: &str = "/protocol";

/// How the target talks. One that is wrong is reported with all its mistakes, and nothing is concluded from it.
pub(super) fn protocol(check: &mut Check<'_>, scenario: &Scenario) -> Arc<dyn Protocol> {
    let folder = Path::new(check.findings.document().file()).parent().unwrap_or(Path::new("")).to_owned();
    match Source::find(&scenario.protocol, &folder).and_then(|source| Ok((source.load()?, source))) {
        Ok((protocol, source)) => {
            if let Source::File(path, _) = source {
                check.keep_file(KEY, &path);
            }
            protocol
        }
        Err(Mistakes(mistakes)) => {
            for mistake in mistakes {
                // Of the name itself, or of the file that it names.
                if mistake.place == scenario.protocol {
                    check.wrong(KEY, format!("`{}`: {}", mistake.place, mistake.problem), &mistake.remedy);
                } else {
                    check.findings.mistakes.push(mistake);
                }
            }
            for named in [KEY, "/operations", "/thresholds", "/journeys"] {
                check.doubt(named);
            }
            Arc::new(Nothing::default())
        }
    }
}
