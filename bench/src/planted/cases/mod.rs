//! The cases, a module for each family.

mod accounts;
mod functions;
mod gateway;
mod healthy;
mod placement;
mod streams;
mod tables;
mod world;

use super::draw::Draw;

/// A case: its name, what it is, and its draws.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// E.g. `P1`.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    draw: fn(&'static str, u64) -> Draw,
}

impl Case {
    const fn new(name: &'static str, what: &'static str, draw: fn(&'static str, u64) -> Draw) -> Self {
        Self { name, what, draw }
    }

    /// What a seed draws.
    #[must_use]
    pub fn draw(&self, seed: u64) -> Draw {
        (self.draw)(self.name, seed)
    }

    /// Whether something is planted.
    #[must_use]
    pub fn is_planted(&self) -> bool {
        self.name.starts_with('P')
    }
}

/// Every case, those with a fault first.
#[must_use]
pub fn all() -> Vec<Case> {
    let families = [
        accounts::CASES,
        functions::CASES,
        tables::CASES,
        streams::CASES,
        gateway::CASES,
        placement::CASES,
        healthy::CASES,
    ];
    let mut cases: Vec<Case> = families.into_iter().flatten().copied().collect();
    cases.sort_by_key(|case| (!case.is_planted(), case.name[1..].parse::<u32>().unwrap_or(0)));
    cases
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_25_planted_and_20_healthy_cases_and_each_draw_is_its_own() {
        let cases = all();
        let planted: BTreeSet<_> =
            cases.iter().filter(|case| case.is_planted()).map(|case| case.name).collect();
        let healthy: BTreeSet<_> =
            cases.iter().filter(|case| !case.is_planted()).map(|case| case.name).collect();
        assert_eq!((planted.len(), healthy.len(), cases.len()), (25, 20, 45));
        for case in cases {
            let [one, again, other] = [1, 1, 2].map(|seed| case.draw(seed));
            assert_eq!(
                (&one.scenario, &one.profile, &one.fault),
                (&again.scenario, &again.profile, &again.fault)
            );
            assert_ne!(one.scenario, other.scenario, "{}", case.name);
            assert_eq!(one.is_planted(), case.is_planted(), "{}", case.name);
        }
    }

    #[test]
    fn what_is_planted_has_a_cure_and_a_change_that_is_none() {
        // A generator without a core is cured by no limit, and of two faults either is felt without the other.
        let without = ["P23", "P24"];
        for case in all().iter().filter(|case| case.is_planted() && !without.contains(&case.name)) {
            let Draw { fault, cure, placebo, .. } = case.draw(1);
            let [cure, placebo] = [cure, placebo].map(|change| change.expect(case.name).settings);
            assert_ne!(fault.with(&cure), fault, "{}", case.name);
            assert_ne!(fault.with(&placebo), fault, "{}", case.name);
        }
    }

    #[test]
    fn every_scenario_and_profile_is_one() {
        for case in all() {
            for seed in 0..6 {
                let draw = case.draw(seed);
                let origin = format!("{}-{seed}", case.name);
                let faulty = draw.profile.with(&draw.fault);
                let changes = [&draw.cure, &draw.placebo].into_iter().flatten();
                let changed = changes.map(|change| faulty.with(&change.settings));
                for profile in [draw.profile.clone(), faulty.clone()].into_iter().chain(changed) {
                    let profile = profile.to_string();
                    if let Err(error) = reference_backend_local::profile::Profile::parse(&profile, &origin) {
                        panic!("{error}\n{profile}");
                    }
                }
                let scenario = draw.scenario.to_string();
                assert!(toml::from_str::<toml::Table>(&scenario).is_ok(), "{origin}:\n{scenario}");
            }
        }
    }
}
