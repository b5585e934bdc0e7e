//! What a run costs on AWS: usage times prices, as a bill.
//!
//! ```text
//! price file (TOML) ─▶ PriceList (every mistake reported, with its line) ─┐
//! Usage: quantities, each with how it is known ───────────────────────────┴▶ Bill: items, total, complete or not
//! ```
//!
//! Whoever knows something of a run fills in [`Usage`]: a plan before the run, the generator's counts and CloudWatch after it.
//! A quantity that nobody knows is no zero: the bill lists it as not known, and its total is then a lower bound.

mod bill;
mod item;
mod list;
mod price;
mod usage;

pub use bill::{Bill, BillItem, UnitCost};
pub use item::Item;
pub use list::{PriceList, json_schema};
pub use price::{Price, Tier};
pub use usage::{Basis, Quantity, Usage};
