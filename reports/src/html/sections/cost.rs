//! What the run cost on AWS, item by item.

use maud::{Markup, html};

use super::context::Context;
use super::section::heading;
use crate::format::{Cost, CostItem, UnitCost};
use crate::html::table::{Cell, Table};
use crate::human::{self, NOTHING};
use crate::printable;

const HOW: &str = "List prices times quantities, without free tier, discounts, data transfer and GameLift itself: an order of \
                   magnitude for a decision, not an invoice. A quantity that is not known is no zero: the total is then a lower bound.";

/// The section; `None` where the run has no bill.
pub(super) fn body(context: &Context<'_>) -> Option<Markup> {
    let cost = context.summary.cost.as_ref()?;
    Some(html! {
        (heading("cost", "What it cost", HOW))
        p { (printable::line(&sentence(cost))) }
        (bill(cost).render())
        @if !cost.unit_costs.is_empty() { (unit_costs(cost).render()) }
    })
}

fn sentence(cost: &Cost) -> String {
    let said = cost.sentence();
    let mut letters = said.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

fn bill(cost: &Cost) -> Table {
    let mut table = Table::new("Bill", ["item", "quantity", "unit", "price", &cost.currency, "quantity is"]);
    for CostItem { name, quantity, unit, price, per, amount, known, .. } in cost.lines() {
        let quantity = quantity.map_or_else(
            || Cell::text(NOTHING),
            |quantity| Cell::quantity(human::plain(quantity, 5), quantity),
        );
        table.row([
            Cell::text(name),
            quantity,
            Cell::text(unit),
            Cell::quantity(format!("{price} for {per}"), price / per),
            amount.map_or_else(|| Cell::text(NOTHING), money),
            Cell::text(known.words()),
        ]);
    }
    let total = if cost.complete { "total" } else { "total, at least" };
    let nothing = || Cell::text("");
    table.row([Cell::text(total), nothing(), nothing(), nothing(), money(cost.total), nothing()]);
    table
}

fn unit_costs(cost: &Cost) -> Table {
    let mut table = Table::new("The whole bill, divided", ["for", "there were", &cost.currency]);
    for UnitCost { what, each, count, amount } in &cost.unit_costs {
        table.row([
            Cell::text(format!("{} {what}", human::count(*each as u64))),
            Cell::quantity(human::count(*count), *count as f64),
            money(*amount),
        ]);
    }
    table
}

fn money(amount: f64) -> Cell {
    Cell::quantity(format!("{amount:.4}"), amount)
}
