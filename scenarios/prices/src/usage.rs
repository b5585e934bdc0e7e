//! How much of each item something takes, and how that is known.

use std::collections::BTreeMap;
use std::ops::Add;

use serde::Serialize;

use crate::item::Item;

/// How a quantity is known; the later, the less it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The generator counted it.
    Counted,
    /// CloudWatch has it.
    Cloudwatch,
    /// It follows from the plan.
    Plan,
    /// Estimated: from what the protocol says of its backend, and from assumptions.
    Estimated,
}

impl Basis {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Counted, Self::Cloudwatch, Self::Plan, Self::Estimated];

    /// In words, for a table.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::Cloudwatch => "from CloudWatch",
            Self::Plan => "from the plan",
            Self::Estimated => "estimated",
        }
    }
}

/// So much of an item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// In the item's unit.
    pub amount: f64,
    /// How it is known.
    pub basis: Basis,
}

/// How much of each item something takes. What was not set is not known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage(BTreeMap<Item, Quantity>);

impl Usage {
    /// Nothing of any item, known for sure.
    #[must_use]
    pub fn none() -> Self {
        let nothing = Quantity { amount: 0.0, basis: Basis::Counted };
        Self(Item::ALL.into_iter().map(|item| (item, nothing)).collect())
    }

    /// It takes so much of an item.
    pub fn set(&mut self, item: Item, amount: f64, basis: Basis) {
        self.0.insert(item, Quantity { amount, basis });
    }

    /// The same, in a row.
    #[must_use]
    pub fn with(mut self, item: Item, amount: f64, basis: Basis) -> Self {
        self.set(item, amount, basis);
        self
    }

    /// How much of an item it takes is not known.
    pub fn forget(&mut self, item: Item) {
        self.0.remove(&item);
    }

    /// How much of an item it takes; `None` where that is not known.
    #[must_use]
    pub fn quantity(&self, item: Item) -> Option<Quantity> {
        self.0.get(&item).copied()
    }
}

impl Add for Usage {
    type Output = Self;

    /// Both together: what is not known of one is not known of both, and a sum is worth as much as its weaker part.
    fn add(self, other: Self) -> Self {
        let both = self.0.into_iter().filter_map(|(item, one)| {
            let other = other.quantity(item)?;
            let (amount, basis) = (one.amount + other.amount, one.basis.max(other.basis));
            Some((item, Quantity { amount, basis }))
        });
        Self(both.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_knows_what_both_know_and_is_worth_its_weaker_part() {
        let one = Usage::default().with(Item::RestRequests, 2.0, Basis::Counted).with(
            Item::SnsPublishes,
            1.0,
            Basis::Counted,
        );
        let other = Usage::default().with(Item::RestRequests, 3.0, Basis::Estimated);
        let mut both = one.clone() + other;
        let sum = Quantity { amount: 5.0, basis: Basis::Estimated };
        assert_eq!(both.quantity(Item::RestRequests), Some(sum));
        assert_eq!(both.quantity(Item::SnsPublishes), None);
        both.forget(Item::RestRequests);
        assert_eq!(both, Usage::default());
        assert_eq!(one.clone() + Usage::none(), one);
    }
}
