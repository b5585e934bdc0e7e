//! The load that a search varies: the level of a scenario, and the overrides that make it another one.

use reports::capacity::Vary;
use scenarios::plan::PlannedOperation;
use scenarios::plan::operation::Operation;
use scenarios::{Override, Plan};

/// The load that is varied.
#[derive(Debug, Clone, Copy)]
pub(super) struct VariedLoad<'p> {
    pub(super) plan: &'p Plan,
    pub(super) vary: Vary,
}

impl<'p> VariedLoad<'p> {
    /// The level of the scenario as it is written.
    pub(super) fn as_written(self) -> f64 {
        match self.vary {
            Vary::Rate => self.rated().map(|planned| planned.rate).sum(),
            Vary::Players => f64::from(self.plan.players),
        }
    }

    /// What makes the scenario one of this level.
    pub(super) fn overrides(self, level: f64) -> Vec<Override> {
        let set = |key: String, value: String| Override { key, value };
        match self.vary {
            Vary::Rate => {
                let factor = level / self.as_written();
                let scaled = |planned: &PlannedOperation| {
                    let rate = planned.rate * factor;
                    set(format!("operations.{}.rate", planned.name), format!("{rate:?}"))
                };
                self.rated().map(scaled).collect()
            }
            Vary::Players => vec![set("players".into(), format!("{level:.0}"))],
        }
    }

    /// Operations that have a rate of their own: neither recorded nor of the closed model, which stay as they are.
    fn rated(self) -> impl Iterator<Item = &'p PlannedOperation> {
        let others = self.plan.operations.iter();
        others.filter(|planned| planned.operation != Operation::CONNECT && planned.rate > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENARIO: &str = "name = \"x\"\nplayers = 40\n[[phases]]\nkind = \"hold\"\nduration = \"1s\"\n\
        [operations.send_message]\nrate = 30.0\n[operations.unknown_route]\nrate = 10.0\n\
        [operations.placement_request]\nmodel = \"closed\"\nthink_time = \"9s\"\n";

    #[test]
    fn a_level_scales_all_rates_alike() {
        let plan = scenarios::check("x.toml", SCENARIO, &[]).unwrap().plan;
        let load = VariedLoad { plan: &plan, vary: Vary::Rate };
        assert!((load.as_written() - 40.0).abs() < 1e-9);
        let scaled = scenarios::check("x.toml", SCENARIO, &load.overrides(100.0)).unwrap().plan;
        let rate = |name| scaled.operation(scaled.operation_named(name).unwrap()).rate;
        assert!((rate("send_message") - 75.0).abs() < 1e-9 && (rate("unknown_route") - 25.0).abs() < 1e-9);
        let load = VariedLoad { plan: &plan, vary: Vary::Players };
        assert!((load.as_written() - 40.0).abs() < 1e-9);
        assert_eq!(scenarios::check("x.toml", SCENARIO, &load.overrides(55.0)).unwrap().plan.players, 55);
    }
}
