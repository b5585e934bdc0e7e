//! What one unit costs, and what it costs where there are many.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked for something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// What is asked for each `per` units; 0 where it is free.
    #[schemars(range(min = 0.0))]
    pub price: f64,
    /// For how many units the price is, e.g. `1_000_000`. Default: 1.
    #[serde(default = "one")]
    #[schemars(range(min = 1.0))]
    pub per: f64,
    /// Prices of what comes on top of so many units in a month, in ascending order. Default: one price for all.
    #[serde(default)]
    pub tiers: Vec<Tier>,
    /// Where the price was read: an address, or whatever else allows to look it up again.
    #[schemars(regex(pattern = r"\S"), extend("examples" = ["https://aws.amazon.com/pricing/"]))]
    pub source: String,
}

const fn one() -> f64 {
    1.0
}

/// A price of what comes on top of so many units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Units in a month above which it holds.
    #[schemars(range(min = 1.0))]
    pub above: f64,
    /// What is asked for each `per` units of these.
    #[schemars(range(min = 0.0))]
    pub price: f64,
}

impl Price {
    /// What is asked for so many units. The tiers count from the first of them: what an account has used before in its month
    /// is not known here.
    #[must_use]
    pub fn of(&self, units: f64) -> f64 {
        let ends = self.tiers.iter().map(|tier| tier.above).chain([f64::INFINITY]);
        let begins = [0.0].into_iter().chain(self.tiers.iter().map(|tier| tier.above));
        let prices = [self.price].into_iter().chain(self.tiers.iter().map(|tier| tier.price));
        let within = begins.zip(ends).map(|(from, to)| units.min(to) - units.min(from));
        within.zip(prices).map(|(units, price)| units * price).sum::<f64>() / self.per
    }

    /// Whether nothing is asked, however many units.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.price == 0.0 && self.tiers.iter().all(|tier| tier.price == 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_above_a_tier_has_its_price() {
        let price = Price {
            price: 1.0,
            per: 1e6,
            tiers: vec![Tier { above: 1e9, price: 0.8 }, Tier { above: 2e9, price: 0.5 }],
            source: "a test".into(),
        };
        assert_eq!(price.of(0.0), 0.0);
        assert_eq!(price.of(500_000.0), 0.5);
        assert_eq!(price.of(1e9), 1_000.0);
        assert_eq!(price.of(1.5e9), 1_400.0);
        assert_eq!(price.of(3e9), 1_000.0 + 800.0 + 500.0);
        assert!(!price.is_free() && Price { price: 0.0, tiers: Vec::new(), ..price }.is_free());
    }
}
