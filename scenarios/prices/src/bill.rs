//! A bill: usage times prices.

use serde::Serialize;

use crate::item::Item;
use crate::list::PriceList;
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
    /// Every item, in the order of [`Item::ALL`].
    pub items: Vec<BillItem>,
}

/// A line of a bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BillItem {
    /// What is billed.
    pub item: Item,
    /// How much of it, in [`Item::unit`]; `None` where that is not known.
    pub quantity: Option<f64>,
    /// What is asked for each `per` units, below all tiers.
    pub price: f64,
    /// For how many units the price is.
    pub per: f64,
    /// What it costs, tiers counted; `None` where that is not known.
    pub amount: Option<f64>,
    /// How the quantity is known; `None` where it is not.
    pub basis: Option<Basis>,
}

impl Bill {
    /// Of some usage.
    #[must_use]
    pub fn of(usage: &Usage, prices: &PriceList) -> Self {
        let item = |item| {
            let (price, quantity) = (prices.price(item), usage.quantity(item));
            // What is free costs nothing, however much it is.
            let free = price.is_free().then_some(0.0);
            BillItem {
                item,
                quantity: quantity.map(|Quantity { amount, .. }| amount),
                price: price.price,
                per: price.per,
                amount: quantity.map(|Quantity { amount, .. }| price.of(amount)).or(free),
                basis: quantity.map(|Quantity { basis, .. }| basis),
            }
        };
        let items: Vec<_> = Item::ALL.into_iter().map(item).collect();
        Self {
            currency: prices.currency.clone(),
            region: prices.region.clone(),
            as_of: prices.as_of.clone(),
            total: items.iter().filter_map(|item| item.amount).sum(),
            complete: items.iter().all(|item| item.amount.is_some()),
            items,
        }
    }

    /// The whole bill, divided by so many of something, times `each`; `None` where there was none.
    #[must_use]
    pub fn for_each(&self, each: f64, count: f64) -> Option<f64> {
        (count > 0.0).then(|| self.total / count * each)
    }

    /// An amount in its currency.
    #[must_use]
    pub fn money(&self, amount: f64) -> String {
        money(&self.currency, amount)
    }
}

/// An amount in a currency, in four decimals: `$0.0123`, `EUR 0.0123`.
#[must_use]
pub fn money(currency: &str, amount: f64) -> String {
    let sign = if currency == "USD" { "$".to_owned() } else { format!("{currency} ") };
    if amount > 0.0 && amount < 0.000_05 { format!("<{sign}0.0001") } else { format!("{sign}{amount:.4}") }
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
        assert!(bill.complete && bill.items[Item::StreamReads as usize].quantity.is_none());
        usage.forget(Item::SnsPublishes);
        let bill = Bill::of(&usage, prices);
        let sns = &bill.items[Item::SnsPublishes as usize];
        assert_eq!((sns.quantity, sns.amount, sns.basis), (None, None, None));
        assert!(!bill.complete && (bill.total - 1.0).abs() < 1e-12, "at least: {}", bill.total);
        assert_eq!(bill.for_each(1_000.0, 500.0), Some(2.0));
        assert_eq!(bill.for_each(1_000.0, 0.0), None);
    }

    #[test]
    fn money_has_its_currency() {
        assert_eq!(money("USD", 1.5), "$1.5000");
        assert_eq!(money("EUR", 0.0), "EUR 0.0000");
        assert_eq!(money("USD", 0.000_01), "<$0.0001");
    }
}
