//! The section `[cloudwatch]` by itself, for whoever fetches the series of a run that is over.
//!
//! The rest of the scenario has done its work: its tokens may have ended and the files that it names be gone, and neither
//! is looked at.

use schemars::JsonSchema;
use serde::Deserialize;

use documents::{Mistake, Mistakes, form};

use super::context::Check;
use crate::file::overrides::Override;
use crate::file::read::Read;
use crate::file::secrets;
use crate::keys::scenario;
use crate::plan::CloudWatch;
use crate::plan::way::is_loopback;

/// The table whose keys may be set.
const SECTION: &str = "cloudwatch";

/// What is read of the file; it may hold more.
#[derive(Deserialize, JsonSchema)]
struct Part {
    #[serde(default)]
    cloudwatch: scenario::CloudWatch,
}

/// Reads which series are wanted from a scenario's text; `file` names it in messages, and `embedded` tells whether the run's
/// target was the embedded backend. `cloudwatch.enabled` is ignored: whoever calls this wants them.
///
/// ```
/// let text = "[auth.feeder]\nfile = \"gone.csv\"\n\n[cloudwatch]\nfunction_prefix = \"mygame-\"\n";
/// let wanted = scenarios::cloudwatch("scenario.toml", text, &[], false)?;
/// assert_eq!((wanted.function_prefix.as_str(), wanted.period_s), ("mygame-", 60));
/// # Ok::<(), scenarios::Mistakes>(())
/// ```
///
/// # Errors
/// All mistakes of the section and of the overrides, which may set keys of `cloudwatch` only.
pub fn cloudwatch(
    file: &str,
    text: &str,
    overrides: &[Override],
    embedded: bool,
) -> Result<CloudWatch, Mistakes> {
    let foreign = overrides.iter().filter(|set| set.key.split('.').next() != Some(SECTION));
    let foreign: Vec<_> = foreign
        .map(|set| Mistake {
            place: secrets::shown(set),
            key: set.key.clone(),
            problem: "cannot change a run that is over".into(),
            remedy: "set keys of `cloudwatch`, e.g. cloudwatch.region=eu-west-1".into(),
        })
        .collect();
    if !foreign.is_empty() {
        return Err(Mistakes(foreign));
    }
    let mut read = Read::new(file, text, overrides)?;
    read.refused.retain(|mistake| mistake.key.split('.').next() == Some(SECTION));
    let form::Formed { value, doubtful, .. } = read.form(&schemars::schema_for!(Part).to_value());
    let mut check = Check::new(&read.document, &read.refused, &doubtful, |_| Vec::new());
    let wanted = match serde_json::from_value(value) {
        Ok(Part { cloudwatch }) => {
            series(&mut check, &scenario::CloudWatch { enabled: Some(true), ..cloudwatch }, embedded)
        }
        Err(error) => {
            check.wrong("/cloudwatch", error.to_string(), "see `loadgen scenario schema` for every key");
            None
        }
    };
    let mistakes = check.findings.mistakes;
    read.unless_wrong(wanted, mistakes).map(|(wanted, _)| wanted)
}

/// `embedded`: whether the target is the embedded backend, which brings its own CloudWatch.
pub(super) fn series(
    check: &mut Check<'_>,
    wanted: &scenario::CloudWatch,
    embedded: bool,
) -> Option<CloudWatch> {
    let endpoint = wanted.endpoint.as_ref().and_then(|endpoint| {
        check.url(
            "/cloudwatch/endpoint",
            endpoint,
            &["http", "https"],
            "write e.g. http://127.0.0.1:8081, or leave it out for AWS",
        )
    });
    if let Some(period) = wanted.period_s.filter(|period| *period != 1 && (*period == 0 || period % 60 != 0))
    {
        check.wrong(
            "/cloudwatch/period_s",
            format!("{period} is not a period"),
            "write 60 (or a multiple), or 1 for a local stack",
        );
    }
    let named = !wanted.functions.is_empty() || !wanted.function_prefix.is_empty();
    let enabled = wanted.enabled.unwrap_or(embedded || endpoint.is_some() || named);
    if enabled && !embedded && endpoint.is_none() && !named {
        check.wrong_beside(
            "/cloudwatch/functions",
            &["/cloudwatch", "/target/url"],
            "is missing: on AWS the functions of the stack have to be named",
            "set cloudwatch.functions or cloudwatch.function_prefix",
        );
    }
    // A stack on this machine keeps seconds, AWS keeps minutes.
    let local = endpoint.as_ref().map_or(embedded, is_loopback);
    enabled.then(|| CloudWatch {
        period_s: wanted.period_s.unwrap_or(if local { 1 } else { 60 }),
        endpoint,
        region: wanted.region.clone(),
        functions: wanted.functions.clone(),
        function_prefix: wanted.function_prefix.clone(),
        logs: wanted.logs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, sets: &[&str]) -> Result<CloudWatch, String> {
        let overrides: Vec<Override> = sets.iter().map(|set| set.parse().unwrap()).collect();
        cloudwatch("run/scenario.toml", text, &overrides, false).map_err(|mistakes| mistakes.to_string())
    }

    #[test]
    fn nothing_but_its_own_section_is_looked_at() {
        let text = "players = \"many\"\n[target]\nprofile = \"gone.toml\"\n[auth.feeder]\nfile = \"gone.csv\"\n\
                    [cloudwatch]\nfunctions = [\"one\"]\n";
        assert_eq!(read(text, &[]).unwrap().functions, ["one"]);
        let wanted = read(text, &["cloudwatch.functions=[\"two\"]", "cloudwatch.region=eu-west-1"]).unwrap();
        assert_eq!(wanted.functions, ["two"]);
        assert_eq!(wanted.region.as_deref(), Some("eu-west-1"));
        assert_eq!(read("", &["cloudwatch.function_prefix=mygame-"]).unwrap().function_prefix, "mygame-");
    }

    #[test]
    fn its_mistakes_are_told_with_their_lines() {
        let told = read("[cloudwatch]\nfunktions = []\nperiod_s = \"long\"\n", &[]).unwrap_err();
        assert!(
            told.contains("run/scenario.toml:2:1") && told.contains("did you mean `functions`?"),
            "{told}"
        );
        assert!(told.contains("run/scenario.toml:3:1") && told.contains("period_s"), "{told}");
        let told = read("", &[]).unwrap_err();
        assert!(told.contains("cloudwatch.functions"), "on AWS the functions have to be named: {told}");
        let told = read("", &["players=3", "cloudwatch.endpoint=nowhere"]).unwrap_err();
        assert!(told.contains("--set players=3") && told.contains("over"), "{told}");
        let told = read("", &["cloudwatch.endpoint=http://ann:hunter2@127.0.0.1:1/"]).unwrap_err();
        assert!(told.contains("secret") && !told.contains("hunter2"), "{told}");
    }

    #[test]
    fn a_stack_on_this_machine_is_asked_for_seconds() {
        for (endpoint, period) in [
            ("http://127.0.0.1:8081", 1),
            ("http://127.9.9.9:8081", 1),
            ("http://localhost:8081", 1),
            ("http://[::1]:8081", 1),
            ("http://10.0.0.7:8081", 60),
            ("https://monitoring.eu-west-1.amazonaws.com", 60),
            ("http://localhost.example.com", 60),
        ] {
            let set = format!("cloudwatch.endpoint={endpoint}");
            assert_eq!(read("", &[&set]).unwrap().period_s, period, "{endpoint}");
            assert_eq!(read("", &[&set, "cloudwatch.period_s=300"]).unwrap().period_s, 300, "{endpoint}");
        }
    }
}
