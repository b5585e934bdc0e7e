//! The bill in `summary.json`: what a run cost on AWS, or would have cost there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::human;

/// What a run cost on AWS at list prices, without free tier, discounts and data transfer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// Whether the target was on AWS at all.
    #[serde(default)]
    pub basis: CostBasis,
    /// Currency code of all amounts, e.g. `USD`.
    pub currency: String,
    /// The AWS region whose list prices these are; not necessarily that of the target.
    #[serde(default)]
    pub region: String,
    /// The month or day at which these prices were looked up, e.g. `2026-11`.
    #[serde(default)]
    pub as_of: String,
    /// Sum of the amounts that are known.
    pub total: f64,
    /// Whether all of them are known; else the total is a lower bound.
    #[serde(default)]
    pub complete: bool,
    /// What was billed, along a message's way; what is not known is among it.
    pub items: Vec<CostItem>,
    /// The whole bill, divided by what was achieved with it.
    #[serde(default)]
    pub unit_costs: Vec<UnitCost>,
}

/// Whether a bill is one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CostBasis {
    /// The target was elsewhere (the embedded backend, this machine): what the run would have cost on AWS.
    AsIfOnAws,
    /// The target was not on this machine: what the run cost, if it is on AWS.
    #[default]
    OnAws,
}

/// A line of the bill.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostItem {
    /// What is billed: `connection_minutes`, `websocket_messages`, `lambda_requests` and the like.
    pub item: String,
    /// What people call it.
    pub name: String,
    /// How much of it; null where that is not known, which is no zero.
    pub quantity: Option<f64>,
    /// What the quantity counts.
    pub unit: String,
    /// What is asked for each `per` units, below all tiers.
    pub price: f64,
    /// For how many units the price is.
    pub per: f64,
    /// Prices of what comes on top of so many units in a month.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<CostTier>,
    /// Where the price was read.
    pub source: String,
    /// What it costs, tiers counted; null where that is not known.
    pub amount: Option<f64>,
    /// How the quantity is known.
    pub known: Known,
}

/// A price of what comes on top of so many units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostTier {
    /// Units above which it holds.
    pub above: f64,
    /// What is asked for each `per` units of these.
    pub price: f64,
}

/// How a quantity is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// The generator counted it.
    Counted,
    /// CloudWatch has it.
    Cloudwatch,
    /// It follows from the plan.
    Plan,
    /// Estimated: from what the protocol says of its backend, and from assumptions.
    Estimated,
    /// It is not.
    #[default]
    NotKnown,
}

impl Known {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::Cloudwatch => "from CloudWatch",
            Self::Plan => "from the plan",
            Self::Estimated => "estimated",
            Self::NotKnown => "not known",
        }
    }
}

/// The whole bill, divided by so many of something.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnitCost {
    /// Of what: an operation that asks for an outcome, such as `placement_request`, or `deliveries` of all kinds.
    pub what: String,
    /// For how many of them `amount` is: 1,000 of an operation, 1,000,000 deliveries.
    pub each: f64,
    /// How many there were, warm-up included, as in the bill.
    pub count: u64,
    /// The bill's total, divided by `count`, times `each`.
    pub amount: f64,
}

impl Cost {
    /// The lines that say something: what is known to be zero says nothing.
    pub fn lines(&self) -> impl Iterator<Item = &CostItem> {
        self.items.iter().filter(|item| item.quantity != Some(0.0))
    }

    /// The bill in a sentence, without its full stop: the total, whose prices these are, and what is not known.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { basis, currency, region, as_of, total, complete, .. } = self;
        let about = if *complete { "about" } else { "at least" };
        let verb = match basis {
            CostBasis::OnAws => "the run cost",
            CostBasis::AsIfOnAws => "on AWS the run would have cost",
        };
        let shares = self.unit_costs.iter().map(|UnitCost { what, each, amount, .. }| {
            format!(", {amount:.4} {currency} for {} {what}", human::count(*each as u64))
        });
        let unknown: Vec<_> =
            self.items.iter().filter(|item| item.amount.is_none()).map(|item| item.name.as_str()).collect();
        let unknown =
            if unknown.is_empty() { String::new() } else { format!("; not known: {}", unknown.join(", ")) };
        format!(
            "{verb} {about} {total:.4} {currency}{}{unknown}; list prices of {region} as of {as_of}",
            shares.collect::<String>()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_what_the_total_is_worth() {
        let item = |name: &str, amount| CostItem { name: name.into(), amount, ..CostItem::default() };
        let mut cost = Cost {
            basis: CostBasis::AsIfOnAws,
            currency: "USD".into(),
            region: "us-east-1".into(),
            as_of: "2026-11".into(),
            total: 1.25,
            complete: true,
            items: vec![item("connection minutes", Some(1.25))],
            unit_costs: vec![UnitCost { what: "deliveries".into(), each: 1e6, count: 500_000, amount: 2.5 }],
        };
        assert_eq!(
            cost.sentence(),
            "on AWS the run would have cost about 1.2500 USD, 2.5000 USD for 1,000,000 deliveries; list prices of us-east-1 as \
             of 2026-11"
        );
        cost.items.push(item("SNS publishes", None));
        (cost.complete, cost.basis) = (false, CostBasis::OnAws);
        assert!(cost.sentence().starts_with("the run cost at least 1.2500 USD"), "{}", cost.sentence());
        assert!(cost.sentence().contains("; not known: SNS publishes; "), "{}", cost.sentence());
        cost.items[0].quantity = Some(0.0);
        assert_eq!(cost.lines().count(), 1, "what is not known is listed");
    }
}
