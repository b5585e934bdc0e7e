//! The accused limit raised: the symptom has to go. Another one raised: it has to stay. That defines what gave way first.

use reports::folder::RunFolder;
use serde::Serialize;

use super::draw::{Change, Draw};
use super::runs::{RunError, Runner, Variant};
use super::truth;

/// A run with the fault and one more change of the profile.
#[derive(Debug, Clone, Serialize)]
pub struct Changed {
    /// What was changed, in a few words.
    pub what: &'static str,
    /// What users felt all the same, against the run without the fault; absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub felt: Option<String>,
}

/// Both changes of one draw; either is absent where the draw names none, or others on this machine disturbed its run.
#[derive(Debug, Clone, Serialize)]
pub struct Counterfactual {
    /// The accused limit raised, or what is slow or fails as it was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<Changed>,
    /// Another limit raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placebo: Option<Changed>,
}

impl Counterfactual {
    /// Runs a draw with either change.
    pub(super) fn of(runner: &Runner<'_>, draw: &Draw, clean: &RunFolder) -> Result<Self, RunError> {
        let with = |change: &Option<Change>, variant| {
            let Some(change) = change else { return Ok(None) };
            let folder = runner.run(draw, variant)?;
            let is_valid = folder.summary_or_rebuilt().verdict.valid;
            Ok(is_valid.then(|| Changed { what: change.what, felt: truth::felt(&folder, clean) }))
        };
        Ok(Self { cure: with(&draw.cure, Variant::Cured)?, placebo: with(&draw.placebo, Variant::Placebo)? })
    }

    /// Whether the symptom went with the accused limit raised; `None`: not tried.
    #[must_use]
    pub fn went(&self) -> Option<bool> {
        Some(self.cure.as_ref()?.felt.is_none())
    }

    /// Whether it stayed with another one raised; `None`: not tried.
    #[must_use]
    pub fn stayed(&self) -> Option<bool> {
        Some(self.placebo.as_ref()?.felt.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_symptom_goes_with_the_cure_and_stays_with_the_placebo() {
        let changed = |felt: Option<&str>| Some(Changed { what: "a limit", felt: felt.map(str::to_owned) });
        let held = Counterfactual { cure: changed(None), placebo: changed(Some("late")) };
        assert_eq!((held.went(), held.stayed()), (Some(true), Some(true)));
        let refuted = Counterfactual { cure: changed(Some("late")), placebo: changed(None) };
        assert_eq!((refuted.went(), refuted.stayed()), (Some(false), Some(false)));
        let untried = Counterfactual { cure: None, placebo: None };
        assert_eq!((untried.went(), untried.stayed()), (None, None));
    }
}
