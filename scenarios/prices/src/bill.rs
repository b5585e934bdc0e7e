//! A bill: usage times prices.

use serde::Serialize;

use crate::item::Item;
use crate::list::PriceList;
use crate::price::Price;
use crate::usage::{Basis, Quantity, Usage};

/// What some usage costs at some prices.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bill {
    /// Of all amounts, e.g. `USD`.
    pub currency: String,
    /// Whose prices these are.
    pub region: String,
    /// When these were looked up.
    pub as_of: String,
    /// Sum of the amounts that are known.
    pub total: f64,
    /// Whether every amount is known; else the total is a lower bound.
    pub complete: bool,
    /// The items, in the order of [`Item::ALL`].
    pub items: Vec<BillItem>,
    /// The whole bill, divided by what is achieved with it.
    pub unit_costs: Vec<UnitCost>,
}

/// A line of a bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BillItem {
    /// What is billed.
    pub item: Item,
    /// How much of it, in [`Item::unit`]; `None` where that is not known.
    pub quantity: Option<f64>,
    /// What is asked for it.
    #[serde(flatten)]
    pub price: Price,
    /// What it costs, tiers counted; `None` where that is not known.
    pub amount: Option<f64>,
    /// How the quantity is known; `None` where it is not.
    pub basis: Option<Basis>,
}

/// The whole bill, divided by so many of something.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnitCost {
    /// Of what.
    pub what: String,
    /// For how many of them the amount is.
    pub each: f64,
    /// How many there are.
    pub count: f64,
    /// The bill's total, divided by `count`, times `each`.
    pub amount: f64,
}

impl UnitCost {
    /// What the amount is for, in words: `a thousand placement_request`.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { what, each, .. } = self;
        match *each {
            1e3 => format!("a thousand {what}"),
            1e6 => format!("a million {what}"),
            each => format!("{each} {what}"),
        }
    }
}

impl BillItem {
    /// So much of an item, as far as that is known, at a price. What is free costs nothing, however much it is.
    #[must_use]
    pub fn new(item: Item, quantity: Option<Quantity>, price: Price) -> Self {
        let free = price.is_free().then_some(0.0);
        Self {
            item,
            quantity: quantity.map(|quantity| quantity.amount),
            amount: quantity.map(|quantity| price.of(quantity.amount)).or(free),
            basis: quantity.map(|quantity| quantity.basis),
            price,
        }
    }
}

impl Bill {
    /// Of some usage.
    #[must_use]
    pub fn of(usage: &Usage, prices: &PriceList) -> Self {
        let item = |item| BillItem::new(item, usage.quantity(item), prices.price(item).clone());
        let mut bill = Self {
            currency: prices.currency.clone(),
            region: prices.region.clone(),
            as_of: prices.as_of.clone(),
            total: 0.0,
            complete: true,
            items: Item::ALL.into_iter().map(item).collect(),
            unit_costs: Vec::new(),
        };
        bill.sum_up();
        bill
    }

    /// The line of an item.
    #[must_use]
    pub fn item(&self, item: Item) -> Option<&BillItem> {
        self.items.iter().find(|line| line.item == item)
    }

    /// Divides the whole bill by so many of something; nothing where there are none.
    pub fn divide(&mut self, what: impl Into<String>, each: f64, count: f64) {
        if count > 0.0 {
            self.unit_costs.push(UnitCost {
                what: what.into(),
                each,
                count,
                amount: self.total / count * each,
            });
        }
    }

    /// More is known of an item now.
    pub fn revise(&mut self, item: Item, quantity: Quantity) {
        for line in self.items.iter_mut().filter(|line| line.item == item) {
            *line = BillItem::new(item, Some(quantity), line.price.clone());
        }
        self.sum_up();
    }

    fn sum_up(&mut self) {
        self.total = self.items.iter().filter_map(|item| item.amount).sum();
        self.complete = self.items.iter().all(|item| item.amount.is_some());
        for UnitCost { each, count, amount, .. } in &mut self.unit_costs {
            *amount = self.total / *count * *each;
        }
    }

    /// An amount in the bill's currency, in four decimals: `$0.0123`, `EUR 0.0123`.
    #[must_use]
    pub fn money(&self, amount: f64) -> String {
        let sign = if self.currency == "USD" { "$".to_owned() } else { format!("{} ", self.currency) };
        if amount > 0.0 && amount < 0.000_05 {
            format!("<{sign}0.0001")
        } else {
            format!("{sign}{amount:.4}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_no_zero_unless_it_is_free() {
        let prices = PriceList::shipped();
        let mut usage = Usage::none().with(Item::ConnectionMinutes, 4e6, Basis::Counted);
        assert!(Bill::of(&usage, prices).complete);
        usage.forget(Item::StreamReads);
        let bill = Bill::of(&usage, prices);
        assert!(bill.complete && bill.item(Item::StreamReads).is_some_and(|line| line.quantity.is_none()));
        usage.forget(Item::SnsPublishes);
        let mut bill = Bill::of(&usage, prices);
        let sns = bill.item(Item::SnsPublishes).unwrap();
        assert_eq!((sns.quantity, sns.amount, sns.basis), (None, None, None));
        assert!(!bill.complete && (bill.total - 1.0).abs() < 1e-12, "at least: {}", bill.total);

        bill.divide("places", 1_000.0, 500.0);
        bill.divide("nothing", 1_000.0, 0.0);
        assert_eq!((bill.unit_costs.len(), bill.unit_costs[0].amount), (1, 2.0));
        assert_eq!(bill.unit_costs[0].words(), "a thousand places");
        bill.revise(Item::SnsPublishes, Quantity { amount: 2e6, basis: Basis::Cloudwatch });
        assert_eq!((bill.complete, bill.total, bill.unit_costs[0].amount), (true, 2.0, 4.0));
    }

    #[test]
    fn money_has_its_currency() {
        let mut bill = Bill::of(&Usage::none(), PriceList::shipped());
        assert_eq!([1.5, 0.0, 0.000_01].map(|amount| bill.money(amount)), ["$1.5000", "$0.0000", "<$0.0001"]);
        bill.currency = "EUR".into();
        assert_eq!(bill.money(0.5), "EUR 0.5000");
    }
}
